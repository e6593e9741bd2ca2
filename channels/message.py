# SPDX-License-Identifier: MIT
"""The words every channel shares: addresses, messages, receipts.

Field names are those of RFC 5322 (``message_id``, ``in_reply_to``, ``references``), RFC 3834
(``auto_submitted``) and E.164. All values are frozen: a message is a fact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ChannelName(StrEnum):
    """How a person reaches us. A closed vocabulary of code, database, export and API alike."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    EMAIL = "email"
    VOICE = "voice"
    WEB = "web"


class DeliveryStatus(StrEnum):
    """What became of a message sent by us. ``undelivered`` and ``canceled`` map to ``failed``."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNKNOWN = "unknown"


#: Order in which a delivery status may move. A receipt of a lower or equal rank changes nothing,
#: because providers' callbacks come in any order (facts: Twilio gives none for the first status).
DELIVERY_RANK: Mapping[DeliveryStatus, int] = {
    DeliveryStatus.UNKNOWN: 0,
    DeliveryStatus.QUEUED: 1,
    DeliveryStatus.DEFERRED: 2,
    DeliveryStatus.SENT: 3,
    DeliveryStatus.FAILED: 4,
    DeliveryStatus.BOUNCED: 5,
    DeliveryStatus.DELIVERED: 6,
    DeliveryStatus.READ: 7,
}


def advances(current: DeliveryStatus | None, new: DeliveryStatus) -> bool:
    """Tell whether ``new`` may replace ``current``: statuses only ever move forward."""
    return current is None or DELIVERY_RANK[new] > DELIVERY_RANK[current]


class AddressScheme(StrEnum):
    """The kind of an address, as a URI scheme where one exists (RFC 3966, RFC 6068)."""

    TEL = "tel"
    SHORT_CODE = "short"
    ALPHANUMERIC = "alpha"
    MAILTO = "mailto"
    WEB = "web"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person, an administration or Guichet itself can be reached.

    Attributes:
        scheme: the kind of address.
        value: E.164 (``+212612345678``), an addr-spec (``a@example.org``), a short code, an
            alphanumeric sender, or ``""`` for an anonymous web visitor.
        display_name: the name beside it (RFC 5322 display-name), or ``""``.
    """

    scheme: AddressScheme
    value: str
    display_name: str = ""

    @property
    def replyable(self) -> bool:
        """Whether a message can be sent there at all."""
        return bool(self.value) and self.scheme in (AddressScheme.TEL, AddressScheme.MAILTO)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message.

    Attributes:
        filename: as the sender named it, never trusted as a path; ``""`` when unnamed.
        media_type: as declared by the sender (``type/subtype``), checked by content later.
        content: the decoded bytes; empty while ``fetch_url`` is still to be fetched.
        fetch_url: where a worker fetches it (a provider's media or recording), or ``None``.
    """

    filename: str
    media_type: str
    content: bytes
    fetch_url: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a person to us, read from a delivery.

    Attributes:
        message_id: the id the other side gave it: Message-ID without angle brackets, MessageSid,
            CallSid or RecordingSid, a form's nonce.
        channel: the door it came through.
        date: when the sender says it was sent, aware; ``None`` when unsaid or unreadable.
        sender: who claims to have sent it (a claim, never proof).
        recipient: which of our addresses it was sent to, as given.
        subject: the subject line, or ``""``.
        text: what is new in it (quoted text of a reply left out).
        full_text: everything readable in it; equal to ``text`` where nothing was left out.
        in_reply_to: ids of RFC 5322 In-Reply-To, without angle brackets.
        references: ids of RFC 5322 References, oldest first, without angle brackets.
        auto_submitted: RFC 3834 value, ``"no"`` for a person.
        attachments: files, in order.
        language: BCP 47 tag where the channel knows it (a key pressed, a page's language).
        kind: complaint, observation or suggestion where the sender chose it, else ``""``.
        fields: what else the door knows and the record should keep (plain text values only).
        incomplete: why the reading is partial, or ``""``.
    """

    message_id: str
    channel: ChannelName
    date: datetime | None
    sender: Address
    recipient: str
    subject: str
    text: str
    full_text: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    auto_submitted: str = "no"
    attachments: tuple[Attachment, ...] = ()
    language: str | None = None
    kind: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message of ours to a person or an administration.

    Attributes:
        idempotency_key: stable over every attempt (the outbox entry's UUID as text).
        channel: the channel it leaves by.
        recipient: whom it goes to.
        sender: our address it leaves from (a number, an addr-spec); ``""`` for the channel's own.
        subject: subject line where the channel has one.
        text: the words, in plain text.
        language: BCP 47 tag of the words.
        message_id: RFC 5322 Message-ID without angle brackets (mail only), stable per entry.
        in_reply_to: id answered (mail only), or ``""``.
        references: thread ids (mail only).
        reply_to: the thread address (mail only), or ``""``.
        auto_submitted: RFC 3834: ``"auto-replied"`` for an acknowledgement, ``"auto-generated"``
            for a notice, ``"no"`` for a person's words.
        attachments: files that go along (mail only).
        attempted: a digest of the words of an earlier attempt that may have gone, or ``""``.
        attempted_since: when that attempt began at the earliest, aware; ``None``: not known.
    """

    idempotency_key: str
    channel: ChannelName
    recipient: Address
    text: str
    language: str
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    reply_to: str = ""
    auto_submitted: str = "no"
    attachments: tuple[Attachment, ...] = ()
    attempted: str = ""
    attempted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side says of a message of ours.

    Attributes:
        provider_id: the provider's id of the message (MessageSid, CallSid, Message-ID).
        delivery_status: mapped to our vocabulary.
        detail: the provider's own status word or error code, for the desk; never a citizen's words.
    """

    provider_id: str
    delivery_status: DeliveryStatus
    detail: str = ""
