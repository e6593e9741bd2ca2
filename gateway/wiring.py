# SPDX-License-Identifier: MIT
"""The composition root: everything is built once per process here and handed down."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from channels.mail.address import thread_address
from channels.mail.reply import MARKER_LINES
from channels.mail.sender import RelayChannel
from channels.message import ChannelName
from channels.sms.twilio import TwilioSms
from channels.voice.twilio import TwilioVoice
from channels.web.page import TrackingPage
from config import country as countries
from config.wording import Wording, isolate
from dispatcher.administration import is_empty, load_all, store
from dispatcher.administration_csv import read_csv
from dispatcher.dispatch import Dispatcher
from dispatcher.notices import Notices
from dispatcher.routing.rules import Router
from gateway import routing
from gateway.calling import calling_hours
from gateway.citizen.signing import contact_token
from gateway.doorbell import TRANSCRIBE, BackgroundRing, Doorbell
from gateway.house import House
from gateway.intake import Intake
from gateway.learning import LearningDecider
from gateway.planning import Planner
from gateway.smpp_outbox import HandedTexts
from tracker import outbox, throttle
from tracker.database import open_engine, reading
from tracker.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Engine, Row

    from channels.channel import Channel
    from config.country import Country
    from config.settings import Settings

logger = logging.getLogger(__name__)

CONFIG = Path(__file__).parent.parent / "config"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a worker needs beside the house.

    Attributes:
        engine: the writing engine.
        dispatcher: does outbox entries.
        channels: ways out.
        country: the country's profile.
    """

    engine: Engine
    dispatcher: Dispatcher
    channels: Mapping[str, Channel]
    country: Country


def now() -> datetime:
    """The present time, aware UTC. The one place that reads the clock."""
    return datetime.now(UTC)


def engine_of(settings: Settings) -> Engine:
    """Open the database of these settings."""
    return open_engine(
        settings.database_url,
        lock_timeout_seconds=settings.database.lock_timeout_seconds,
        pool_size=settings.database.pool_size,
    )


def build_house(
    settings: Settings, engine: Engine | None = None, *, gather_seconds: float = 0.0
) -> House:
    """Build what the doors of one process need; see :class:`GroupCommit` for ``gather_seconds``."""
    engine = engine or engine_of(settings)
    country = countries.load(settings.country)
    writer = GroupCommit(
        engine,
        size=settings.database.group_commit_size,
        after_commit=BackgroundRing(Doorbell(settings.redis_url).ring),
        gather_seconds=gather_seconds,
    )
    intake = Intake(
        writer,
        Planner(settings, country, _subject_of(settings, engine)),
        country,
        recorded=BackgroundRing(Doorbell(settings.redis_url, TRANSCRIBE).ring),
    )
    return House(
        settings=settings,
        engine=engine,
        writer=writer,
        accept=intake.accept,
        submit=intake.submit,
        intake=intake,
        wording=Wording(),
        country=country,
        clock=now,
    )


def _subject_of(settings: Settings, engine: Engine) -> Callable[[str], str | None]:
    """The administration that words plainly name, by the rules; they are read at the first text."""

    @cache
    def router() -> Router | None:
        try:
            with reading(engine).connect() as connection:
                return Router(routing.rules_of(settings, load_all(connection)))
        except (OSError, ValueError) as error:
            logger.warning("the routing rules cannot be read: %s", type(error).__name__)
            return None

    def subject_of(words: str) -> str | None:
        rules = router()
        return rules.decide(words).administration if rules is not None else None

    return subject_of


def channels_of(settings: Settings, engine: Engine) -> dict[str, Channel]:
    """The ways out that these settings open."""
    relay = settings.relay
    twilio = settings.twilio
    domain = settings.mail.domain
    record = _SentRecord(engine, settings.signing_keys)
    texts = TwilioSms(
        **_account(settings),
        sender=twilio.number,
        whatsapp_sender=twilio.whatsapp_number,
        last_inbound=record.last_inbound,
        clock=now,
        taken=record.taken,
    )
    return {
        "email": RelayChannel(
            host=relay.host,
            port=relay.port,
            user=relay.user,
            password=relay.password.get_secret_value(),
            tls=relay.tls,
            sender=settings.sender_address,
            timeout_seconds=relay.timeout_seconds,
            hostname=settings.smtp.hostname or domain,
        ),
        "sms": texts,
        "whatsapp": texts,
        "voice": voice_of(settings, engine),
        "web": TrackingPage(),
    }


def voice_of(settings: Settings, engine: Engine) -> TwilioVoice:
    """What calls citizens."""
    return TwilioVoice(
        **_account(settings),
        sender=settings.twilio.voice_number or settings.twilio.number,
        machine_detection=settings.voice.machine_detection,
        taken=_SentRecord(engine, settings.signing_keys).taken,
    )


def _account(settings: Settings) -> dict[str, Any]:
    twilio = settings.twilio
    tokens = [token.get_secret_value() for token in twilio.auth_tokens]
    return {
        "account_sid": twilio.account_sid,
        "auth_token": tokens[0] if tokens else "",
        "public_base_url": settings.public_base_url,
        "api_base_url": twilio.api_base_url,
        "timeout_seconds": twilio.timeout_seconds,
    }


class _SentRecord:
    """What the record knows of texts and calls, for the channels that send them."""

    def __init__(self, engine: Engine, keys: Sequence[str]) -> None:
        self._engine = engine
        self._keys = keys

    def last_inbound(self, number: str) -> datetime | None:
        """When a number last wrote by WhatsApp; a digest of it, by any key, is all that is kept."""
        subjects = [throttle.digest(key, number) for key in self._keys]
        with reading(self._engine).connect() as connection:
            return throttle.last_heard(connection, str(ChannelName.WHATSAPP), subjects)

    def taken(self, number: str, sids: Sequence[str]) -> frozenset[str]:
        """Which MessageSids or CallSids are those of entries of ours to this number."""
        with reading(self._engine).connect() as connection:
            return outbox.sent_with(connection, number, sids)


def build_workshop(settings: Settings, engine: Engine | None = None) -> Workshop:
    """Build what a worker or the sweeper needs."""
    engine = engine or engine_of(settings)
    country = countries.load(settings.country)
    ways = channels_of(settings, engine)
    if settings.smpp.host:
        ways["sms"] = HandedTexts(engine, now)
    keys, domain = settings.signing_keys, settings.mail.domain
    dispatcher = Dispatcher(
        channels=ways,
        notices=notices_of(settings, country),
        router=LearningDecider(settings, engine),
        thread_address=lambda code: thread_address(code, domain, keys),
        confirm_url=lambda case, language: confirm_url(settings, case, language),
        mail_domain=domain,
        clock=now,
        blackhole=settings.dispatch.blackhole_outlets,
        reply_segments=settings.sms.reply_segments,
        blind_share=settings.routing.blind_check_share,
        call_at=calling_hours(settings, country).next_moment,
    )
    return Workshop(engine, dispatcher, ways, country)


def rest(workshop: Workshop) -> None:
    """What the ways out do when a batch has been sent, before it is recorded."""
    texts = workshop.channels["sms"]
    try:
        if isinstance(texts, HandedTexts):
            texts.flush()
    finally:
        getattr(workshop.channels["email"], "close", lambda: None)()


def notices_of(settings: Settings, country: Country) -> Notices:
    """What composes notices in the country's zone and the operator's words."""
    zone = ZoneInfo(country.timezone)
    base = settings.public_base_url

    def date(moment: datetime, _language: str) -> str:
        return f"{moment.astimezone(zone):%d/%m/%Y}"

    return Notices(
        words=Wording(),
        isolate=isolate,
        date=date,
        url=lambda language: f"{base}/{language}/track",
        recourse=country.next_recourse,
        markers=MARKER_LINES,
        emergency={
            number: country.emergency_services.get(number, "")
            for number in country.emergency_numbers
        },
        office_languages=country.office_languages or (country.default_language,),
    )


def confirm_url(settings: Settings, case: Row[Any], language: str) -> str:
    """A signed link by which a typed contact is confirmed."""
    token = contact_token(settings.signing_keys, case.id, case.contact_value, now())
    return f"{settings.public_base_url}/{language}/confirm/{token}"


def load_administrations(settings: Settings, engine: Engine) -> int:
    """Fill an empty register from the CSV; return how many were added.

    Raises:
        BadRegister: the file has errors, told by row.
    """
    with engine.begin() as connection:
        if not is_empty(connection):
            return 0
        name = settings.dispatch.administrations
        register = read_csv(Path(name) if name else CONFIG / "administrations.csv")
        return len(store(connection, register).added)


def today(country: Country) -> date:
    """The day it is in a country."""
    return now().astimezone(ZoneInfo(country.timezone)).date()


def with_demo_values(settings: Settings) -> Settings:
    """Fill what a demo may invent: keys and provider secrets, random and kept in data_dir."""
    if settings.profile != "demo":
        return settings
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.data_dir / "demo-secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48), encoding="ascii")
    secret = file.read_text(encoding="ascii").strip()
    web = settings.web.model_copy(
        update={"secret_keys": settings.web.secret_keys or [SecretStr(secret)]}
    )
    calling_code = countries.load(settings.country).calling_code
    twilio = settings.twilio.model_copy(
        update={
            "account_sid": settings.twilio.account_sid or "AC" + "0" * 32,
            "auth_tokens": settings.twilio.auth_tokens or [SecretStr(secret[::-1][:32])],
            "number": settings.twilio.number or f"+{calling_code}500000000",
            "api_base_url": settings.twilio.api_base_url
            or f"http://{settings.simulator.host}:{settings.simulator.port}",
        }
    )
    update: dict[str, object] = {"web": web, "twilio": twilio}
    if settings.simulator.enabled and "host" not in settings.relay.model_fields_set:
        update["relay"] = settings.relay.model_copy(
            update={
                "host": settings.simulator.host,
                "port": settings.simulator.smtp_port,
                "tls": "none",
            }
        )
    return settings.model_copy(update=update)
