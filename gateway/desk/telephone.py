# SPDX-License-Identifier: MIT
"""The number to call back: hidden until somebody asks for it, and noted who did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from channels.message import AddressScheme
from gateway.desk.session import person
from gateway.house import current_house
from tracker import looks
from tracker.missed_calls import CALLER
from tracker.models import AttentionReason

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Row

    from gateway.desk.excerpt import Glance

_TEL = str(AddressScheme.TEL)
_E164 = re.compile(r"\+[0-9]{4,15}", re.ASCII)
#: Reasons for which the citizen of a case is called.
_CALLED = (AttentionReason.UNFETCHED, AttentionReason.UNTRANSCRIBED)


def number_of(item: Row[Any], case: Row[Any] | None, entry: Any, look: Glance | None) -> str:
    """The number that an item asks to call, E.164, or ``""``.

    Args:
        item: a row of ``attention``.
        case: its case, or ``None``.
        entry: the row of ``outbox`` that did not go, or ``None``.
        look: a first look at its raw delivery, or ``None``.
    """
    number = ""
    if item.reason == AttentionReason.MISSED:
        number = item.data.get(CALLER) or (look.sender if look is not None else "")
    elif item.reason in _CALLED or item.urgent:
        if case is not None:
            number = case.contact_value if case.contact_scheme == _TEL else ""
        elif look is not None:
            number = look.sender
    elif item.reason == AttentionReason.UNDELIVERED and entry is not None:
        number = entry.recipient if entry.recipient_scheme == _TEL else ""
    return number if _E164.fullmatch(number) else ""


def note_look(case_id: UUID | None, item_id: UUID | None = None) -> None:
    """Keep who is shown a number now: on the case's timeline, or on the item without a case.

    Raises:
        StorageUnavailable: nothing could be kept; then no number is to be shown.
    """
    house, by = current_house(), person().email
    at = house.clock()
    if case_id is not None:
        house.writer.run(lambda connection: looks.at_case(connection, case_id, by=by, at=at))
    elif item_id is not None:
        house.writer.run(lambda connection: looks.at_item(connection, item_id, by=by, at=at))
