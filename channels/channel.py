# SPDX-License-Identifier: MIT
"""The ports of this room: what a door hands over, and what it is answered.

A room may not look ahead, so a door never knows what becomes of a message. It gives a
:class:`Delivery` and what it read of it to an ``accept`` callable handed down by ``gateway`` and
answers its peer from the :class:`Acknowledgement` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from channels.message import ChannelName, InboundMessage, OutboundMessage, Receipt


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came through a door, untouched.

    Attributes:
        channel: the door.
        idempotency_key: unique per delivery over all time (design, promise 2): the channel and the
            provider's own id; for mail the Message-ID *with* a digest of sender, date and content.
        received_at: when we had it whole, aware UTC.
        peer: the network address it came from, for throttling only.
        headers: the transport's headers that a later replay needs (SMTP envelope, HTTP headers).
        body: the raw bytes as they came; signatures and replays need them.
        url: the URL it was posted to (HTTP doors), or ``""``.
    """

    channel: ChannelName
    idempotency_key: str
    received_at: datetime
    peer: str
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Committed with fsync. The peer may be told so.

    Attributes:
        tracking_code: 12 digits of the case it became part of, or ``None`` (ignored, quarantined).
        pin: the case's 6-digit PIN, only for a new case, for the door that shows it at once.
        state: one of the closed vocabulary of delivery states.
        repeated: whether this delivery had been accepted before.
        facts: further plain facts for a door that answers in the same breath (a case's status …).
    """

    tracking_code: str | None = None
    pin: str | None = None
    state: str = "filed"
    repeated: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not stored: answer a *temporary* failure (SMTP 451, HTTP 503, SMPP 0x64)."""

    reason: str = "storage"


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused before acceptance (size, policy). ``reason`` is one plain English sentence."""

    reason: str


Acknowledgement = Accepted | TryLater | Refused


class Accept(Protocol):
    """Hands one delivery to the house. Blocks until it is committed or has failed; never raises."""

    def __call__(self, delivery: Delivery, message: InboundMessage | None) -> Acknowledgement:
        """Store ``delivery`` and file ``message``; ``None``: it could not be read, quarantine."""
        ...


@runtime_checkable
class Channel(Protocol):
    """One way out to a person. Reading inward is a module's own function, as doors differ."""

    @property
    def name(self) -> ChannelName:
        """The channel this adapter serves."""
        ...

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one message and return the provider's first word about it.

        Raises:
            DeliveryError: one of its leaves; ``retryable`` says whether to try again.
        """
        ...


class RecipientCheck(Protocol):
    """Tells a mail door, before DATA, whether an address is ours."""

    def __call__(self, address: str) -> bool:
        """Return whether mail for ``address`` (an addr-spec, any case) is accepted here."""
        ...


class MailboxCursor(Protocol):
    """Remembers up to where a folder is settled. UIDs are those of RFC 3501, 2.3.1.1."""

    def read(self) -> tuple[int, int] | None:
        """UIDVALIDITY and the UID up to which every mail is settled; ``None`` at first."""
        ...

    def advance(self, uid_validity: int, uid: int) -> None:
        """Store both. Not having stored them is no error: the mails are looked at once more."""
        ...
