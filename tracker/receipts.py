# SPDX-License-Identifier: MIT
"""Providers' receipts: they move a message's delivery status forward, never back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from channels.message import ChannelName, DeliveryStatus, Receipt, advances
from normalizer.phone import is_mobile
from tracker import attention, bulk, register
from tracker.models import (
    AttentionReason,
    Author,
    Direction,
    EventType,
    OutboxKind,
    OutboxState,
    case_events,
    cases,
    messages,
    opt_outs,
    outbox,
)
from tracker.outbox import put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

_FAILURES = (DeliveryStatus.FAILED, DeliveryStatus.BOUNCED)


def apply(connection: Connection, outbox_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Apply one receipt to the entry ``outbox_id`` and its message.

    A callback may come before our own POST returned, so it is keyed by our id and not the
    provider's. Repeated and late ones change nothing.

    Returns:
        whether it changed anything; ``False`` also for an unknown id.
    """
    entry = connection.execute(
        select(outbox).where(outbox.c.id == outbox_id).with_for_update()
    ).first()
    if entry is None:
        return False
    current = DeliveryStatus(entry.delivery_status) if entry.delivery_status else None
    if not advances(current, receipt.delivery_status):
        return False
    values: dict[str, object] = {"delivery_status": str(receipt.delivery_status)}
    if receipt.provider_id and not entry.provider_id:
        values["provider_id"] = receipt.provider_id
    if entry.state in (str(OutboxState.UNKNOWN), str(OutboxState.DUE)):
        values["state"] = str(OutboxState.DONE)  # the provider knows it: an attempt went
        values["done_at"] = now
    connection.execute(outbox.update().where(outbox.c.id == outbox_id).values(**values))
    sent = messages.c.outbox_id == outbox_id
    if entry.kind == str(OutboxKind.REPLY):  # of an attempt that nobody knew of, none is noted yet
        sent |= (messages.c.id == entry.message_id) & messages.c.outbox_id.is_(None)
    connection.execute(
        messages.update()
        .where(sent)
        .values(
            outbox_id=outbox_id,
            delivery_status=str(receipt.delivery_status),
            delivery_detail=receipt.detail[:200],
        ),
    )
    if entry.case_id is not None:
        _on_the_timeline(connection, entry, receipt, now)
        if receipt.delivery_status in _FAILURES:
            undelivered(connection, outbox_id, receipt.detail, now)
    return True


_NAME = (
    outbox.update()
    .where(outbox.c.id == bindparam("entry"))
    .values(provider_id=bindparam("provider"))
)


def apply_all(connection: Connection, told: Sequence[tuple[UUID, Receipt]], now: datetime) -> None:
    """Apply receipts of several entries, with one statement for those alike; see :func:`apply`.

    Args:
        connection: inside a transaction.
        told: an entry's id and its receipt; each entry once.
        now: the present time.
    """
    by_entry = dict(told)
    if not by_entry:
        return
    moves: dict[tuple[str, bool], list[UUID]] = {}
    words: dict[tuple[str, str], list[UUID]] = {}
    named, events, failed = [], [], []
    query = select(outbox).where(outbox.c.id.in_(list(by_entry))).order_by(outbox.c.id)
    for entry in connection.execute(query.with_for_update()).all():
        receipt = by_entry[entry.id]
        if entry.channel == str(ChannelName.WEB):  # the page has the answer; its notice went so
            _notice_of_a_page(connection, entry, receipt, now)
            continue
        current = DeliveryStatus(entry.delivery_status) if entry.delivery_status else None
        if not advances(current, receipt.delivery_status):
            continue
        known = entry.state == str(OutboxState.UNKNOWN)  # the provider knows it: it went
        status = str(receipt.delivery_status)
        moves.setdefault((status, known), []).append(entry.id)
        words.setdefault((status, receipt.detail[:200]), []).append(entry.id)
        if receipt.provider_id and not entry.provider_id:
            named.append({"entry": entry.id, "provider": receipt.provider_id})
        if entry.case_id is not None:
            events.append(_event(entry, receipt, now))
            if receipt.delivery_status in _FAILURES:
                failed.append((entry.id, receipt.detail))
    _write(connection, moves, words, now)
    if named:
        connection.execute(_NAME, named)
    bulk.insert(connection, {case_events: events})
    for outbox_id, detail in failed:
        undelivered(connection, outbox_id, detail, now)


def _write(
    connection: Connection,
    moves: Mapping[tuple[str, bool], list[UUID]],
    words: Mapping[tuple[str, str], list[UUID]],
    now: datetime,
) -> None:
    """Entries by their new status and whether they had been unknown; messages by what is said."""
    for (status, known), entries in moves.items():
        values: dict[str, Any] = {"delivery_status": status}
        if known:
            values |= {"state": str(OutboxState.DONE), "done_at": now}
        connection.execute(outbox.update().where(outbox.c.id.in_(entries)).values(values))
    for (status, detail), entries in words.items():
        connection.execute(
            messages.update()
            .where(messages.c.outbox_id.in_(entries))
            .values(delivery_status=status, delivery_detail=detail)
        )


def _event(entry: Row[Any], receipt: Receipt, now: datetime) -> dict[str, Any]:
    return register.event_row(
        entry.case_id,
        EventType.RECEIPT,
        {"delivery_status": str(receipt.delivery_status), "detail": receipt.detail},
        source=f"/channels/{entry.channel}",
        subject=str(entry.id),
        at=now,
    )


def apply_to_mail(connection: Connection, outbox_id: UUID, receipt: Receipt, now: datetime) -> bool:
    """Apply what a mail system says of a mail of ours (RFC 3464); see :func:`apply`.

    A late mail only comes onto the timeline. One mail may have told several cases: each is marked.

    Returns:
        whether it changed anything: the second bounce of a mail changes nothing.
    """
    entry = connection.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    if entry is None:
        return False
    if receipt.delivery_status is DeliveryStatus.DEFERRED:
        if entry.case_id is not None:
            _on_the_timeline(connection, entry, receipt, now)
        return False
    if entry.channel == str(ChannelName.WEB):  # the page has the answer; its notice went by mail
        return _notice_of_a_page(connection, entry, receipt, now)
    together = [outbox_id]
    if entry.provider_id:
        together = list(
            connection.scalars(
                select(outbox.c.id)
                .where(
                    outbox.c.recipient == entry.recipient,
                    outbox.c.provider_id == entry.provider_id,
                )
                .order_by(outbox.c.id)
            )
        )
    changed = [apply(connection, one, receipt, now) for one in together or [outbox_id]]
    return any(changed)


def _notice_of_a_page(
    connection: Connection, entry: Row[Any], receipt: Receipt, now: datetime
) -> bool:
    if receipt.delivery_status not in _FAILURES or entry.case_id is None:
        return False
    earlier = connection.scalar(
        select(case_events.c.id).where(
            case_events.c.case_id == entry.case_id,
            case_events.c.type == str(EventType.DELIVERY_FAILED),
            case_events.c.subject == str(entry.id),
        )
    )
    if earlier is not None:
        return False
    _on_the_timeline(connection, entry, receipt, now)
    undelivered(connection, entry.id, receipt.detail, now)
    return True


def _on_the_timeline(
    connection: Connection, entry: Row[Any], receipt: Receipt, now: datetime
) -> None:
    connection.execute(case_events.insert(), _event(entry, receipt, now))


def undelivered(connection: Connection, outbox_id: UUID, detail: str, now: datetime) -> None:
    """A message of ours failed for good: another known channel is told, else a person sees it.

    The other channel carries only "you have an answer" and the code (design, promise 7). With no
    other way known on the case, or no answer in it, the item goes to *Needs a person*.
    """
    entry = connection.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    if entry is None or entry.case_id is None:
        return
    register.add_event(
        connection,
        entry.case_id,
        EventType.DELIVERY_FAILED,
        {"kind": entry.kind, "channel": entry.channel, "detail": detail},
        source=f"/channels/{entry.channel}",
        subject=str(outbox_id),
        at=now,
    )
    other = _next_way(connection, entry) if entry.kind == str(OutboxKind.REPLY) else None
    if other is not None:
        channel, scheme, recipient = other
        put(
            connection,
            OutboxKind.NOTIFY,
            f"fallback:{outbox_id}",
            now=now,
            channel=channel,
            recipient_scheme=scheme,
            recipient=recipient,
            case_id=entry.case_id,
            payload={"notice": "have_answer"},
        )
        return
    exists = connection.scalar(select(cases.c.id).where(cases.c.id == entry.case_id))
    attention.open_item(
        connection,
        AttentionReason.UNDELIVERED,
        f"{entry.kind} by {entry.channel} was not delivered: {detail or 'no reason given'}",
        at=now,
        case_id=exists,
        outbox_id=outbox_id,
    )


def _next_way(connection: Connection, entry: Row[Any]) -> tuple[str, str, str] | None:
    """Another way to the same person: channel, scheme and address; ``None`` when none is known.

    A telephone reached by one way may be reached by the other: a call failed, a text goes if the
    telephone may receive texts. Else an address from which the person wrote on this very case, the
    newest first.
    """
    ways: list[tuple[str, str, str]] = []
    text = "sms" if is_mobile(entry.recipient) else None  # a landline gets no texts
    twin = {"voice": text, "sms": "voice", "whatsapp": text or "voice"}.get(entry.channel)
    if entry.recipient_scheme == "tel" and twin is not None:
        ways.append((twin, "tel", entry.recipient))
    written = connection.execute(
        select(messages.c.channel, messages.c.sender)
        .where(
            messages.c.case_id == entry.case_id,
            messages.c.direction == str(Direction.INBOUND),
            messages.c.author == str(Author.CITIZEN),
            messages.c.channel != str(ChannelName.WEB),  # typed into a form: not confirmed
            messages.c.sender.not_in(["", entry.recipient]),
        )
        .order_by(messages.c.date.desc())
    )
    for row in written:
        if row.channel == str(ChannelName.EMAIL):
            ways.append((row.channel, "mailto", row.sender))
        elif row.sender.startswith("+"):
            written_by = row.channel if row.channel != str(ChannelName.VOICE) else "sms"
            ways.append((written_by if is_mobile(row.sender) else "voice", "tel", row.sender))
    for channel, scheme, recipient in ways:
        silenced = select(opt_outs.c.channel).where(
            opt_outs.c.channel == channel, opt_outs.c.recipient == recipient
        )
        if connection.execute(silenced).first() is None:
            return channel, scheme, recipient
    return None
