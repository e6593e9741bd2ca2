# SPDX-License-Identifier: MIT
"""Who looked at a citizen's number: kept where the number is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tracker import register
from tracker.models import EventType, attention

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

#: Key of an item's data: who was shown its number, and when (RFC 3339), one after the other.
SHOWN = "shown"


def at_case(connection: Connection, case_id: UUID, *, by: str, at: datetime) -> None:
    """Note on the timeline of a case that somebody was shown its number."""
    register.add_event(
        connection, case_id, EventType.CONTACT_SHOWN, {"by": by}, source="/desk", at=at
    )


def at_item(connection: Connection, item_id: UUID, *, by: str, at: datetime) -> None:
    """Note on an item of *Needs a person*, which has no case, that somebody saw its number."""
    data = connection.scalar(
        select(attention.c.data).where(attention.c.id == item_id).with_for_update()
    )
    looks = [*(data or {}).get(SHOWN, ()), [by, at.isoformat()]]
    connection.execute(
        attention.update()
        .where(attention.c.id == item_id)
        .values(data={**(data or {}), SHOWN: looks})
    )
