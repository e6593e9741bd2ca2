# SPDX-License-Identifier: MIT
"""Missed calls on *Needs a person*: one item for a number, however often it hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from tracker import attention
from tracker.models import AttentionReason, DeliveryState, deliveries
from tracker.models import attention as attention_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

#: Keys of an item's data: the number, how many calls, when the last one came (RFC 3339), and the
#: deliveries of all calls but the first, whose delivery is the item's own.
CALLER, CALLS, LATEST, LATER = "caller", "calls", "latest", "later"


def note(
    connection: Connection,
    detail: str,
    *,
    at: datetime,
    delivery_id: UUID,
    caller: str,
    data: Mapping[str, Any],
) -> UUID:
    """Put a missed call on the list, or count it on the open item of the same number.

    Args:
        connection: inside a transaction.
        detail: a plain English sentence for the desk.
        at: when the call came.
        delivery_id: the raw delivery that told of it.
        caller: the number, E.164; ``""`` where it is withheld, which is nobody's number.
        data: further facts for the action.

    Returns:
        the item's id.
    """
    if caller:
        listed = connection.execute(
            select(attention_table.c.id, attention_table.c.data)
            .where(
                attention_table.c.reason == str(AttentionReason.MISSED),
                attention_table.c.resolved_at.is_(None),
                attention_table.c.data[CALLER].as_string() == caller,
            )
            .order_by(attention_table.c.opened_at)
            .limit(1)
            .with_for_update()
        ).first()
        if listed is not None:
            counted = {
                CALLS: calls(listed.data) + 1,
                LATEST: at.isoformat(),
                LATER: [*listed.data.get(LATER, ()), str(delivery_id)],
            }
            connection.execute(
                attention_table.update()
                .where(attention_table.c.id == listed.id)
                .values(data={**listed.data, **counted})
            )
            found: UUID = listed.id
            return found
    return attention.open_item(
        connection,
        AttentionReason.MISSED,
        detail,
        at=at,
        delivery_id=delivery_id,
        data={**data, **({CALLER: caller} if caller else {})},
    )


def calls(data: Mapping[str, Any]) -> int:
    """How many calls an item stands for, by its data."""
    return int(data.get(CALLS, 1))


def settle(connection: Connection, item_id: UUID, *, seen: int, by: str, at: datetime) -> bool:
    """Take an item off the list; ``False`` when more calls came than ``seen``."""
    data = _data(connection, item_id)
    if calls(data) > seen:
        return False
    attention.resolve(connection, item_id, by=by, action="handled", at=at)
    return True


def take_back(connection: Connection, key: str, *, caller: str, at: datetime) -> None:
    """A call that was told as missed left words after all: its item counts one less, or is settled.

    Args:
        connection: inside a transaction.
        key: idempotency key of the delivery that told of it.
        caller: the number, E.164, or ``""``.
        at: now.
    """
    told = connection.scalar(select(deliveries.c.id).where(deliveries.c.idempotency_key == key))
    if told is None:
        return
    same = attention_table.c.delivery_id == told
    if caller:
        same |= attention_table.c.data[CALLER].as_string() == caller
    listed = connection.execute(
        select(attention_table)
        .where(attention_table.c.reason == str(AttentionReason.MISSED), same)
        .where(attention_table.c.resolved_at.is_(None))
        .with_for_update()
    ).all()
    for item in listed:
        of_item = [str(item.delivery_id), *item.data.get(LATER, ())]
        if str(told) not in of_item:
            continue
        rest = [one for one in of_item if one != str(told)]
        if not rest:
            attention.resolve(connection, item.id, by="voice", action="settled", at=at)
            continue
        data = {**item.data, CALLS: len(rest), LATER: rest[1:]}
        connection.execute(
            attention_table.update()
            .where(attention_table.c.id == item.id)
            .values(delivery_id=UUID(rest[0]), data=data)
        )


def join(connection: Connection, item_id: UUID, case_id: UUID) -> None:
    """Put all calls of an item down to the case that was opened from the first."""
    later: Sequence[str] = _data(connection, item_id).get(LATER, ())
    connection.execute(
        deliveries.update()
        .where(deliveries.c.id.in_([UUID(one) for one in later]))
        .values(state=str(DeliveryState.APPENDED), case_id=case_id, reason="open_case by a person")
    )


def _data(connection: Connection, item_id: UUID) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = connection.scalar(
        select(attention_table.c.data).where(attention_table.c.id == item_id).with_for_update()
    )
    return found or {}
