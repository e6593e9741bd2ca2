# SPDX-License-Identifier: MIT
"""Cases that may speak of the same thing: which are compared, and what people said of them.

Two people's cases are never merged: many complaints about one thing have weight. A link only lets
whoever reads one see the other.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError

from tracker import register
from tracker.identity import new_id
from tracker.models import EventType, LinkState, case_links, cases

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement


def to_compare(
    connection: Connection,
    case: Row[Any],
    administrations: Collection[str],
    *,
    window: timedelta,
    most: int,
) -> Sequence[Row[Any]]:
    """The cases that one is compared with: of the same administration and time, newest first.

    Args:
        connection: for reading.
        case: the one.
        administrations: slugs; for a case that no administration has, those it may go to, and
            then also the cases that no administration has.
        window: how far apart they may have been received.
        most: how many at most.
    """
    same: ColumnElement[bool] = cases.c.administration.in_(administrations)
    if case.administration is None:
        same = or_(same, cases.c.administration.is_(None))
    at = case.requested_datetime
    known = select(case_links.c.other_id).where(case_links.c.case_id == case.id)
    known_too = select(case_links.c.case_id).where(case_links.c.other_id == case.id)
    rows: Sequence[Any] = connection.execute(
        select(cases.c.id, cases.c.tracking_code, cases.c.subject, cases.c.description)
        .where(
            same,
            cases.c.id != case.id,
            cases.c.requested_datetime.between(at - window, at + window),
            cases.c.merged_into.is_(None),
            cases.c.parent_case.is_(None),
            cases.c.id.not_in(known),
            cases.c.id.not_in(known_too),
        )
        .order_by(cases.c.requested_datetime.desc())
        .limit(most)
    ).all()
    return rows


def linked(connection: Connection, case_id: UUID) -> Sequence[Row[Any]]:
    """The cases (rows of ``cases``) that people linked with one."""
    return connection.execute(
        select(cases)
        .join(
            case_links,
            or_(
                and_(case_links.c.case_id == case_id, case_links.c.other_id == cases.c.id),
                and_(case_links.c.other_id == case_id, case_links.c.case_id == cases.c.id),
            ),
        )
        .where(case_links.c.state == str(LinkState.LINKED))
        .order_by(cases.c.requested_datetime)
    ).all()


def decide(
    connection: Connection,
    case: Row[Any],
    other: Row[Any],
    state: LinkState,
    *,
    score: float,
    by: str,
    now: datetime,
    source: str = "/desk",
) -> bool:
    """Keep what a person said of two cases; ``False`` when it is said already.

    Each keeps its code, its people, its administration and its clock.
    """
    first, second = sorted((case.id, other.id))
    row = {
        "id": new_id(),
        "case_id": first,
        "other_id": second,
        "state": str(state),
        "score": score,
        "decided_by": by,
        "decided_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(case_links.insert().values(row))
    except IntegrityError:
        return False
    if state is LinkState.LINKED:
        codes = {case.id: other.tracking_code, other.id: case.tracking_code}
        for case_id, code in codes.items():
            register.add_event(
                connection,
                case_id,
                EventType.LINKED,
                {"with": code, "by": by},
                source=source,
                at=now,
            )
    return True
