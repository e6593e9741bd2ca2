# SPDX-License-Identifier: MIT
"""Every setting of Guichet, with a sane default each.

Order, the later wins: ``config/defaults.toml`` (the values below), ``guichet.toml`` given with
``--config``, the environment (``GUICHET_<SECTION>__<KEY>``; lists as JSON).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from config.duplicates import Duplicates
from config.mail import Imap, Mail, Relay, Smtp
from config.routing_settings import Routing
from config.section import Section
from config.smpp import Smpp
from config.sms import Sms
from config.voice import Voice


class Database(Section):
    """Where the record lives."""

    url: str = Field("", description="SQLAlchemy URL; empty: SQLite in data_dir")
    pool_size: int = Field(8, description="connections a process keeps (PostgreSQL)")
    lock_timeout_seconds: float = Field(5.0, description="how long a writer waits for its turn")
    group_commit_size: int = Field(64, description="most messages that share one commit")
    gather_seconds: float = Field(
        0.002,
        ge=0,
        le=1,
        description="how long a webhook, form or mail waits for others to commit with",
    )


class Queue(Section):
    """The doorbell between processes."""

    redis_url: str = Field("", description="redis:// or unix://; empty: the supervised child")
    sweep_seconds: float = Field(3.0, description="how often the sweeper looks at the database")
    batch_size: int = Field(50, description="outbox entries claimed at once")
    lease_seconds: float = Field(60.0, description="how long a claim holds before it expires")
    max_attempts: int = Field(12, description="tries before an entry goes to a person")
    retry_base_seconds: float = Field(5.0, description="first pause; doubles, with jitter")
    retry_cap_seconds: float = Field(3600.0, description="longest pause between tries")


class Web(Section):
    """The public HTTP door."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_base_url: str = Field(
        "",
        description="what the outside calls us, e.g. https://guichet.example; signatures need it",
    )
    secret_keys: list[SecretStr] = Field(
        default_factory=list,
        description="signing keys, newest first; production needs 32 characters or more each",
    )
    workers: int = Field(
        0, description="web processes; 0: one on SQLite, one for two processors on PostgreSQL"
    )
    threads: int = Field(16, description="threads of each web process")
    answer_timeout_seconds: float = Field(
        60.0, gt=0, description="how long a webhook waits for its commit; then: try again later"
    )
    max_upload_bytes: int = Field(20_000_000, description="largest form with its files")
    max_webhook_bytes: int = Field(65_536, description="largest provider request")
    max_upload_files: int = Field(5, description="most files of one form")
    trusted_proxies: int = Field(0, description="proxies in front whose X-Forwarded-For we believe")


class Twilio(Section):
    """SMS and calls through Twilio (or the simulator, which speaks the same API)."""

    account_sid: str = ""
    auth_tokens: list[SecretStr] = Field(
        default_factory=list, description="newest first; signatures may use any, REST the first"
    )
    shared_keys: list[SecretStr] = Field(
        default_factory=list,
        description="secrets of webhook shared keys (HMAC-SHA256), newest first; any may have "
        "signed; empty: signatures are of the auth tokens alone",
    )
    number: str = Field("", description="E.164 number or sender of our texts")
    whatsapp_number: str = Field(
        "", description="E.164 number of the WhatsApp sender; empty: number"
    )
    voice_number: str = Field("", description="E.164 number of the voice line; empty: number")
    api_base_url: str = Field("", description="empty: Twilio's own")
    content_hosts: list[str] = Field(
        default=["mms.twiliocdn.com", "media.twiliocdn.com", "s3-external-1.amazonaws.com"],
        description="where pictures of texts may be fetched besides the API's own host",
    )
    timeout_seconds: float = 10.0
    look_minutes: float = Field(
        5.0, description="how often texts and recordings are listed for lost webhooks; 0: never"
    )


class Dispatch(Section):
    """Who gets the cases."""

    administrations: str = Field(
        "", description="CSV loaded at first start; empty: the shipped one"
    )
    rules: str = Field("", description="routing rules (TOML); empty: the shipped ones")
    blackhole_outlets: bool = Field(
        default=False, description="send every referral nowhere (demos and benches)"
    )


class Clock(Section):
    """The legal clock; its days are facts of the country and stand in the profile."""

    holidays: str = Field(
        "", description="table of announced holidays (TOML); empty: config/holidays/<country>.toml"
    )
    batch_size: int = Field(100, ge=1, description="cases looked at in one transaction")


class Limits(Section):
    """How much is too much."""

    automatic_per_hour: int = Field(5, description="automatic answers to one correspondent an hour")
    automatic_per_day: int = Field(20, description="and a day")
    automatic_per_case_window_seconds: int = Field(300, description="one a case in this window")
    automatic_per_case_per_day: int = Field(4, description="and a day")
    code_tries: int = Field(10, description="wrong codes of one sender before the pause doubles")
    code_window_seconds: int = Field(3600, description="over which wrong codes are counted")
    sign_in_tries: int = Field(8, description="wrong passwords for one name or network")
    sign_in_window_seconds: int = Field(900, description="over which they are counted")


class Desk(Section):
    """The administrations' desk."""

    session_idle_minutes: int = 60
    session_hours: int = 10
    minimum_password_length: int = 12
    longest_list: int = Field(
        150, ge=0, description="more administrations than this are found by typing, not in a list"
    )


class Metrics(Section):
    """Prometheus figures, never on the public port."""

    host: str = "127.0.0.1"
    port: int = Field(9108, description="0: off")


class Simulator(Section):
    """The demo's telephone, mailbox and web page. Refused in production."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 8010
    smtp_port: int = 8026


class Settings(BaseSettings):
    """All settings. Build it with :func:`load`."""

    model_config = SettingsConfigDict(
        env_prefix="GUICHET_", env_nested_delimiter="__", extra="forbid"
    )
    toml_path: ClassVar[Path | None] = None

    profile: Literal["demo", "production"] = "production"
    country: str = Field("ma", description="country profile in config/countries/")
    data_dir: Path = Path("var")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    database: Database = Field(default_factory=Database)
    queue: Queue = Field(default_factory=Queue)
    web: Web = Field(default_factory=Web)
    smtp: Smtp = Field(default_factory=Smtp)
    imap: Imap = Field(default_factory=Imap)
    mail: Mail = Field(default_factory=Mail)
    relay: Relay = Field(default_factory=Relay)
    twilio: Twilio = Field(default_factory=Twilio)
    smpp: Smpp = Field(default_factory=Smpp)
    sms: Sms = Field(default_factory=Sms)
    voice: Voice = Field(default_factory=Voice)
    dispatch: Dispatch = Field(default_factory=Dispatch)
    routing: Routing = Field(default_factory=Routing)
    clock: Clock = Field(default_factory=Clock)
    duplicates: Duplicates = Field(default_factory=Duplicates)
    limits: Limits = Field(default_factory=Limits)
    desk: Desk = Field(default_factory=Desk)
    metrics: Metrics = Field(default_factory=Metrics)
    simulator: Simulator = Field(default_factory=Simulator)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - fixed by the library
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, the file over the defaults."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if cls.toml_path is not None:
            sources.append(TomlConfigSettingsSource(settings_cls, cls.toml_path))
        return tuple(sources)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database.url or f"sqlite:///{self.data_dir.resolve() / 'guichet.sqlite3'}"

    @property
    def redis_url(self) -> str:
        """The queue's URL in force: the configured one, else the supervised child's socket."""
        return self.queue.redis_url or f"unix://{self.data_dir.resolve() / 'valkey.sock'}"

    @property
    def public_base_url(self) -> str:
        """The URL the outside calls us by, without a final slash."""
        base = self.web.public_base_url or f"http://{self.web.host}:{self.web.port}"
        return base.rstrip("/")

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """The signing keys, newest first."""
        return tuple(key.get_secret_value() for key in self.web.secret_keys)

    @property
    def sender_address(self) -> str:
        """The From address of our mail."""
        return self.relay.sender or f"{self.mail.mailbox}@{self.mail.domain}"


def load(path: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        path: a TOML file, or ``None`` for the environment and the defaults alone.

    Raises:
        pydantic.ValidationError: a key is unknown or a value does not fit; it names the key.
        FileNotFoundError: the file does not exist.
    """
    if path is not None and not path.is_file():
        message = f"no settings file at {path}"
        raise FileNotFoundError(message)
    bound = type("Settings", (Settings,), {"toml_path": path}) if path else Settings
    settings: Settings = bound()
    return settings


def weaknesses(settings: Settings) -> list[str]:
    """Say what keeps these settings from production, one plain sentence each; empty when fit."""
    if settings.profile != "production":
        return []
    problems: list[str] = []
    keys = settings.signing_keys
    shortest_key = 32
    if not keys:
        problems.append("web.secret_keys is empty: set one random key of 32 characters or more")
    problems.extend(
        f"web.secret_keys[{position}] is shorter than {shortest_key} characters"
        for position, key in enumerate(keys)
        if len(key) < shortest_key
    )
    if not settings.web.public_base_url.startswith("https://"):
        problems.append("web.public_base_url must be the public https:// address")
    if settings.mail.domain.endswith("localhost"):
        problems.append("mail.domain must be the domain whose mail reaches this gateway")
    if settings.twilio.account_sid and not any(
        token.get_secret_value() for token in settings.twilio.auth_tokens
    ):
        problems.append("twilio.auth_tokens is empty although twilio.account_sid is set")
    if settings.relay.tls == "none" and settings.relay.host not in ("127.0.0.1", "localhost"):
        problems.append("relay.tls = none is only for a relay on this machine")
    if settings.imap.tls == "none" and settings.imap.host not in ("", "127.0.0.1", "localhost"):
        problems.append("imap.tls = none is only for a server on this machine")
    if settings.mail.authenticity == "trust" and not settings.mail.trusted_authserv_id:
        problems.append("mail.trusted_authserv_id is empty although mail.authenticity = trust")
    problems.extend(settings.smpp.weaknesses())
    if settings.simulator.enabled:
        problems.append("simulator.enabled must be false: it forges citizens' messages")
    return problems
