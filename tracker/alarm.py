# SPDX-License-Identifier: MIT
"""Somebody may be in danger: they are told whom to call, at once, and a person sees it first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tracker import attention, register
from tracker.models import AttentionReason, EventType, OutboxKind, OutboxState, outbox
from tracker.models import attention as attention_table
from tracker.outbox import put

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

#: The notice, and what its keys begin with: by these it is counted.
NOTICE = "emergency"
#: Seconds in which one sender is told once.
_ONCE_IN = 3600
_BEFORE_ALL_ELSE = timedelta(seconds=1)
_DETAIL = "its words tell of somebody in danger now"
#: Channels by which somebody can be told at once; a page tells by itself.
_TOLD_BY = ("sms", "whatsapp", "email", "voice")


def advised(connection: Connection, since: datetime) -> int:
    """How many texts with this advice went since a time."""
    return (
        connection.scalar(
            select(func.count())
            .select_from(outbox)
            .where(
                outbox.c.state.in_([str(OutboxState.DONE), str(OutboxState.UNKNOWN)]),
                outbox.c.not_before >= since,
                outbox.c.idempotency_key.startswith(f"{NOTICE}:+", autoescape=True),
            )
        )
        or 0
    )


def see(
    connection: Connection,
    *,
    at: datetime,
    source: str,
    case_id: UUID | None = None,
    delivery_id: UUID | None = None,
) -> None:
    """Put it at the top of *Needs a person*, once for a case while it is open there."""
    if case_id is None:
        attention.open_item(
            connection,
            AttentionReason.HELD,
            _DETAIL,
            at=at,
            delivery_id=delivery_id,
            urgent=True,
        )
        return
    listed = select(attention_table.c.id).where(
        attention_table.c.case_id == case_id,
        attention_table.c.urgent,
        attention_table.c.resolved_at.is_(None),
    )
    if connection.scalar(listed.limit(1)) is not None:
        return
    attention.ask_once(
        connection, AttentionReason.UNROUTED, _DETAIL, at=at, case_id=case_id, urgent=True
    )
    register.add_event(connection, case_id, EventType.DANGER, {}, source=source, at=at)


def advise(
    connection: Connection,
    *,
    channel: str,
    scheme: str,
    recipient: str,
    language: str,
    case_id: UUID | None,
    now: datetime,
) -> None:
    """Tell the sender whom to call, at most once an hour.

    Args:
        connection: inside the transaction of what they said.
        channel: by which they said it.
        scheme: of their address.
        recipient: their address; nobody is told without one.
        language: BCP 47 tag of what they said.
        case_id: the case it belongs to, if any.
        now: the present time.
    """
    if not recipient or channel not in _TOLD_BY:
        return
    hour = int(now.timestamp() // _ONCE_IN)
    put(
        connection,
        OutboxKind.NOTIFY,
        f"{NOTICE}:{recipient}:{hour}"[:255],
        now=now,
        not_before=now - _BEFORE_ALL_ELSE,
        channel=channel,
        recipient_scheme=scheme,
        recipient=recipient,
        case_id=case_id,
        payload={"notice": NOTICE, "language": language},
    )
