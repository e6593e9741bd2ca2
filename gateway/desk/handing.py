# SPDX-License-Identifier: MIT
"""Who may hand which case to whom: asked before anything is written, and again while writing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.desk import reading as desk_reading
from gateway.desk.access import Deed
from gateway.desk.session import person
from gateway.house import current_house
from tracker import answers, register, transfers
from tracker.models import CaseStatus
from tracker.status import FINAL

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

SETTLED = frozenset(map(str, (CaseStatus.ANSWERED, *FINAL)))


class Handed(StrEnum):
    """What came of handing a case over; ``desk.assign.<value>`` says it, but for the first two.

    ``ABOVE``: it is the third transfer, so it was put before a person above.
    """

    DONE = "done"
    ABOVE = "above"
    CHOOSE = "choose"
    ONLY_ABOVE = "only_above"
    SETTLED = "settled"


def hand_over(case_id: UUID, slug: str, reason: str) -> Handed:
    """Assign a case as the person signed in, or put it before a person above."""
    house, user = current_house(), person()
    nowhere = house.settings.dispatch.blackhole_outlets

    def write(connection: Connection) -> Handed:
        chosen = desk_reading.administration(connection, slug)
        case = register.case_by_id(connection, case_id)
        if chosen is None or case is None or not user.may_see(case) or case.children:
            return Handed.CHOOSE
        if case.administration == slug:
            return Handed.CHOOSE
        if case.status in SETTLED:
            return Handed.SETTLED
        now = house.clock()
        if not user.may(Deed.DECIDE) and transfers.needs_a_person_above(connection, case):
            if case.administration is None:
                return Handed.ONLY_ABOVE
            transfers.give_up(
                connection, case, reason=reason, by=user.email, now=now, proposed=slug
            )
            return Handed.ABOVE
        answers.assign(
            connection,
            case,
            slug,
            by=user.email,
            reasons=[reason],
            now=now,
            outlet="blackhole" if nowhere else chosen.outlet,
        )
        return Handed.DONE

    return house.writer.run(write)
