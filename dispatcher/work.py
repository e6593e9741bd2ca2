# SPDX-License-Identifier: MIT
"""One claimed outbox entry with all that its work needs, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels.errors import Uncertain
from channels.message import ChannelName, DeliveryStatus, Receipt
from channels.sms.twilio import text_digest
from normalizer.phone import is_mobile
from tracker import outbox, receipts, recordings
from tracker.enclosures import Enclosures
from tracker.mail_thread import MailThread
from tracker.models import OutboxKind, OutboxState, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from channels.channel import Channel
    from channels.message import OutboundMessage
    from dispatcher.administration import Administration


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed entry with all that its work needs.

    Attributes:
        entry: the outbox row.
        case: its case, or ``None``.
        message: the message it sends or works on, or ``None``.
        administration: the case's (or a referral's) administration, or ``None``.
        reasons: why the case went to that administration.
        codes: codes to acknowledge together; empty for one alone.
        thread: the mails of the case so far.
        enclosures: the files of ``message`` that may go along by mail.
        parts: administration and status of each child of the case.
    """

    entry: Row[Any]
    case: Row[Any] | None
    message: Row[Any] | None = None
    administration: Administration | None = None
    reasons: Sequence[str] = ()
    codes: Sequence[str] = ()
    thread: MailThread = field(default_factory=MailThread)
    enclosures: Enclosures = field(default_factory=Enclosures)
    parts: Sequence[tuple[Administration | None, str]] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an entry.

    Attributes:
        state: its new state; ``DUE`` means try again later.
        provider_id: the provider's id of what was sent.
        delivery_status: the first word of the provider, or ``None`` when nothing was sent.
        error: plain English without personal data, or ``""``.
        retry_after: seconds the other side asked us to wait.
        counts: whether it counts as an attempt, of which there are only so many; a stop does not.
        record: further changes, run in the transaction that records the result.
    """

    state: OutboxState
    provider_id: str = ""
    delivery_status: DeliveryStatus | None = None
    error: str = ""
    retry_after: float | None = None
    counts: bool = True
    record: Callable[[Connection], None] | None = field(default=None, compare=False)


#: Key of an acknowledgement's payload: the caller hung up before the code was told, and is called.
UNTOLD = "untold"


def failed_for_good(connection: Connection, work: Work, result: Result, now: datetime) -> None:
    """What a final failure leads to: another channel or a person, never silence (promise 7).

    What could not be fetched is no message of ours: there is nothing to send another way.
    """
    if work.entry.kind == str(OutboxKind.TRANSCRIBE):
        recordings.not_fetched(connection, work.entry, result.error, now)
        return
    connection.execute(
        messages.update()
        .where(messages.c.id == work.entry.message_id, messages.c.direction == "outbound")
        .values(delivery_status="failed", delivery_detail=result.error[:200])
    )
    receipts.undelivered(connection, work.entry.id, result.error, now)


def way_out(entry: Row[Any]) -> str:
    """The channel that an entry leaves by: a page and a call are followed by a text or a mail.

    A page cannot be pushed to, and nobody is called but for an answer, or to be told a code that
    no text can tell.

    Returns:
        ``""`` where there is no way: a landline gets no texts.
    """
    called = (
        entry.kind == str(OutboxKind.REPLY)
        or entry.payload.get("notice") == "have_answer"
        or bool(entry.payload.get(UNTOLD))
    )
    if entry.channel == str(ChannelName.WEB) or (
        entry.channel == str(ChannelName.VOICE) and not called
    ):
        if entry.recipient_scheme == "mailto":
            return "email"
        landline = entry.recipient_scheme == "tel" and not is_mobile(entry.recipient)
        return "" if landline else "sms"
    return str(entry.channel)


class _MayHaveGone(Uncertain):
    """An uncertain message, with its words."""

    def __init__(self, error: Uncertain, text: str) -> None:
        super().__init__(str(error), code=error.code)
        self.text = text


def arrived(entry: Row[Any]) -> bool:
    """Whether a receipt told that it reached its person: an attempt went that nobody knew of."""
    return entry.delivery_status in (str(DeliveryStatus.DELIVERED), str(DeliveryStatus.READ))


def hand_over(channel: Channel, message: OutboundMessage, entry: Row[Any]) -> Receipt:
    """Send the message of an entry, unless it has arrived already.

    Of one that may have gone, the error knows the words.

    Raises:
        DeliveryError: it did not go, or nobody knows.
    """
    if arrived(entry):
        return Receipt(entry.provider_id, DeliveryStatus(entry.delivery_status))
    try:
        return channel.send(message)
    except Uncertain as error:
        raise _MayHaveGone(error, message.text) from error


def may_have_gone(work: Work, error: Uncertain) -> Result:
    """Nobody knows whether it went. The provider is asked for these very words.

    Composed anew they may be others: the case goes on meanwhile. While it is only asked about, the
    words of the attempt stay.
    """
    entry = work.entry
    if not isinstance(error, _MayHaveGone) or entry.state == str(OutboxState.UNKNOWN):
        return Result(OutboxState.UNKNOWN, error=str(error))
    digest = text_digest(error.text)
    return Result(
        OutboxState.UNKNOWN,
        error=str(error),
        record=lambda connection: outbox.remember_attempt(connection, entry, digest),
    )
