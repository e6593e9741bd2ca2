# SPDX-License-Identifier: MIT
"""The one list *Needs a person* (design, promise 10): what a machine will not decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tracker.identity import new_id
from tracker.models import AttentionReason, EventType, attention, case_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row


def open_item(
    connection: Connection,
    reason: AttentionReason,
    detail: str,
    *,
    at: datetime,
    case_id: UUID | None = None,
    delivery_id: UUID | None = None,
    outbox_id: UUID | None = None,
    data: Mapping[str, Any] | None = None,
    urgent: bool = False,
) -> UUID:
    """Put one item on the list and return its id.

    Args:
        connection: inside a transaction.
        reason: why a person must look.
        detail: a plain English sentence for the desk; no words of a citizen.
        at: now.
        case_id: the case it is about, when there is one.
        delivery_id: the raw delivery it is about, when there is one.
        outbox_id: the message of ours that did not go, when it is about one.
        data: further facts for the action (guessed codes, error codes).
        urgent: somebody may be in danger; it stands above all others.
    """
    item_id = new_id()
    connection.execute(
        attention.insert().values(
            id=item_id,
            reason=str(reason),
            detail=detail,
            case_id=case_id,
            delivery_id=delivery_id,
            outbox_id=outbox_id,
            data=dict(data or {}),
            urgent=urgent,
            opened_at=at,
        ),
    )
    return item_id


def ask_once(
    connection: Connection,
    reason: AttentionReason,
    detail: str,
    *,
    at: datetime,
    case_id: UUID,
    data: Mapping[str, Any] | None = None,
    urgent: bool = False,
) -> UUID:
    """As :func:`open_item`; an open item of this reason of the case is added to instead."""
    open_one = connection.execute(
        select(attention)
        .where(
            attention.c.case_id == case_id,
            attention.c.reason == str(reason),
            attention.c.resolved_at.is_(None),
        )
        .order_by(attention.c.opened_at)
        .limit(1)
    ).first()
    if open_one is None:
        return open_item(
            connection, reason, detail, at=at, case_id=case_id, data=data, urgent=urgent
        )
    connection.execute(
        attention.update()
        .where(attention.c.id == open_one.id)
        .values(
            data={**open_one.data, **(data or {})},
            detail=open_one.detail or detail,
            urgent=open_one.urgent or urgent,
        )
    )
    found: UUID = open_one.id
    return found


def resolve(connection: Connection, item_id: UUID, *, by: str, action: str, at: datetime) -> bool:
    """Take an item off the list; ``False`` when somebody else already did."""
    row = connection.execute(
        attention.update()
        .where(attention.c.id == item_id, attention.c.resolved_at.is_(None))
        .values(resolved_at=at, resolved_by=by, action=action)
        .returning(attention.c.case_id, attention.c.reason),
    ).first()
    if row is None:
        return False
    if row.case_id is not None:
        connection.execute(
            case_events.insert().values(
                id=new_id(),
                case_id=row.case_id,
                source="/desk",
                type=str(EventType.ATTENTION_RESOLVED),
                subject=row.reason,
                time=at,
                data={"by": by, "action": action},
            ),
        )
    return True


def resolve_of_case(
    connection: Connection, case_id: UUID, reason: AttentionReason, *, by: str, at: datetime
) -> None:
    """Take every open item of one reason of a case off the list."""
    items = connection.scalars(
        select(attention.c.id).where(
            attention.c.case_id == case_id,
            attention.c.reason == str(reason),
            attention.c.resolved_at.is_(None),
        ),
    ).all()
    for item_id in items:
        resolve(connection, item_id, by=by, action="settled", at=at)


def open_items(connection: Connection, *, limit: int = 50, offset: int = 0) -> Sequence[Row[Any]]:
    """The open items: those of people in danger first, then the oldest."""
    return connection.execute(
        select(attention)
        .where(attention.c.resolved_at.is_(None))
        .order_by(attention.c.urgent.desc(), attention.c.opened_at, attention.c.id)
        .limit(limit)
        .offset(offset),
    ).all()


def counts(connection: Connection) -> dict[str, int]:
    """How many open items there are, by reason."""
    rows = connection.execute(
        select(attention.c.reason, func.count())
        .where(attention.c.resolved_at.is_(None))
        .group_by(attention.c.reason),
    )
    return {row[0]: row[1] for row in rows}
