# SPDX-License-Identifier: MIT
"""Providers' receipts: they move a message's delivery status forward, never back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.message import DeliveryStatus, Receipt, advances
from tracker import attention, register
from tracker.models import (
    AttentionReason,
    EventType,
    OutboxKind,
    OutboxState,
    cases,
    messages,
    outbox,
)
from tracker.outbox import put

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

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
    if entry.state == str(OutboxState.UNKNOWN):
        values["state"] = str(OutboxState.DONE)  # the provider knows it: it went
        values["done_at"] = now
    connection.execute(outbox.update().where(outbox.c.id == outbox_id).values(**values))
    connection.execute(
        messages.update()
        .where(messages.c.outbox_id == outbox_id)
        .values(delivery_status=str(receipt.delivery_status), delivery_detail=receipt.detail[:200]),
    )
    if entry.case_id is not None:
        register.add_event(
            connection,
            entry.case_id,
            EventType.RECEIPT,
            {"delivery_status": str(receipt.delivery_status), "detail": receipt.detail},
            source=f"/channels/{entry.channel}",
            subject=str(outbox_id),
            at=now,
        )
        if receipt.delivery_status in _FAILURES:
            undelivered(connection, outbox_id, receipt.detail, now)
    return True


def undelivered(connection: Connection, outbox_id: UUID, detail: str, now: datetime) -> None:
    """A message of ours failed for good: another known channel is told, else a person sees it.

    The other channel carries only "you have an answer" and the code (design, promise 7). With no
    other confirmed address on the case, the item goes to *Needs a person*.
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
    other = _other_channel(entry.channel, entry.recipient_scheme)
    if entry.kind == str(OutboxKind.REPLY) and other is not None:
        put(
            connection,
            OutboxKind.NOTIFY,
            f"fallback:{outbox_id}",
            now=now,
            channel=other,
            recipient_scheme=entry.recipient_scheme,
            recipient=entry.recipient,
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


def _other_channel(channel: str, scheme: str) -> str | None:
    """A telephone reached by one way may be reached by the other: a call failed, a text goes."""
    if scheme != "tel":
        return None
    return {"voice": "sms", "sms": "voice"}.get(channel)
