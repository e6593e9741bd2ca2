# SPDX-License-Identifier: MIT
"""The settings of mail: its doors ``[smtp]`` and ``[imap]``, ``[mail]`` itself, and ``[relay]``."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from config.section import Section


class Smtp(Section):
    """The mail door."""

    protocol: Literal["smtp", "lmtp"] = Field(
        "smtp", description="lmtp: only for your own mail server, which passes mail on to here"
    )
    host: str = Field("127.0.0.1", description="address, or unix:/path of a socket (mode 0660)")
    port: int = 8025
    hostname: str = Field("", description="name in the greeting; empty: the mail domain")
    reading: Literal["auto", "beside", "inside"] = Field(
        "auto",
        description="beside: mails are read in a process of their own; auto: where there are two"
        " processors; inside: in the door's own",
    )
    max_size: int = Field(30_000_000, description="largest mail in bytes (RFC 1870 SIZE)")
    max_bytes_at_once: int = Field(300_000_000, description="bytes of mail in memory, then 452")
    max_connections: int = Field(200, description="connections in all")
    max_connections_per_address: int = Field(20, description="connections from one address")
    max_recipients: int = Field(100, description="recipients of one mail, then 452")
    max_errors: int = Field(20, description="refusals in one session, then 421")
    command_timeout_seconds: float = Field(60.0, description="silence before we hang up")
    data_timeout_seconds: float = Field(300.0, description="longest time one mail may take")
    session_timeout_seconds: float = Field(1800.0, description="longest session, then 421")
    command_limit: int = Field(200, description="calls of one command in a session")
    tls_certificate: str = ""
    tls_key: str = ""

    @model_validator(mode="after")
    def _lmtp_has_a_port_of_its_own(self) -> Self:
        """RFC 2033, section 5: LMTP must not be spoken on port 25."""
        if self.protocol == "lmtp" and self.port == 25:  # noqa: PLR2004 - SMTP's port
            message = "LMTP must not be spoken on port 25: set another port or a Unix socket"
            raise ValueError(message)
        return self


class Imap(Section):
    """A mailbox elsewhere, whose whole folder is taken in. Give it a folder of its own."""

    host: str = Field("", description="IMAP server; empty: no mailbox")
    port: int = Field(993, description="993 for implicit TLS, 143 for STARTTLS")
    user: str = ""
    password: SecretStr = SecretStr("")
    oauth_token: SecretStr = Field(SecretStr(""), description="access token; then XOAUTH2")
    oauth_token_file: str = Field(
        "", description="file with the token, read at each sign-in: tokens live about an hour"
    )
    folder: str = Field("INBOX", max_length=255, description="every mail in it is filed")
    tls: Literal["none", "starttls", "implicit"] = "implicit"
    max_size: int = Field(30_000_000, description="a larger mail (bytes) goes to a person instead")
    timeout_seconds: float = Field(60.0, gt=0, description="silence before the line is dropped")
    poll_seconds: float = Field(60.0, gt=0, description="between looks without IDLE")
    idle_seconds: float = Field(300.0, gt=0, le=540, description="between looks with IDLE")
    after_filing: Literal["flag", "move"] = Field("flag", description="flag as seen, or move too")
    move_to: str = Field("Guichet", min_length=1, description="the folder for filed mail")


class Mail(Section):
    """Our names in mail."""

    domain: str = Field("guichet.localhost", description="complaints@DOMAIN, case+…@DOMAIN")
    mailbox: str = Field("complaints", description="local part of the public mailbox")
    authenticity: Literal["check", "trust", "off"] = Field(
        "check",
        description="SPF, DKIM and DMARC of a sender: check them, trust what the mail server in "
        "front of us wrote (trusted_authserv_id), or off; off in the demo unless set",
    )
    trusted_authserv_id: list[str] = Field(
        default_factory=list,
        description="names by which our own mail servers sign Authentication-Results (RFC 8601)",
    )
    nameservers: list[str] = Field(
        default_factory=list, description="address or address:port each; empty: the system's"
    )
    query_seconds: float = Field(2.0, gt=0, le=10, description="longest wait for one DNS answer")
    check_seconds: float = Field(
        5.0, gt=0, le=9, description="longest check of one mail, all its DNS answers included"
    )


class Relay(Section):
    """Outgoing mail."""

    host: str = "127.0.0.1"
    port: int = 587
    user: str = ""
    password: SecretStr = SecretStr("")
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    sender: str = Field("", description="From of our mail; empty: the public mailbox")
    timeout_seconds: float = 20.0
    max_attachment_bytes: int = Field(
        10_000_000,
        ge=0,
        description="files of one answer by mail, together; what does not fit is named in it",
    )
