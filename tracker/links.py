# SPDX-License-Identifier: MIT
"""The cases of one sender: which are theirs, what was said last, what links them. Reads only."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select

from channels.message import ChannelName
from tracker import register, strangers
from tracker.models import Author, Direction, cases, deliveries, messages
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: Cases of one sender that are looked at, the newest: what is older is named by its code.
_LOOKED_AT = 10
_SETTLED = [str(status) for status in FINAL]


class LinkEvent(StrEnum):
    """CloudEvents ``type`` of what happens between two cases of one sender."""

    MERGED = "guichet.case.merged"
    SPLIT_OFF = "guichet.case.split_off"


# Confirmed: a number that somebody typed into a form makes nobody's case theirs.
_OWN = (
    select(cases)
    .where(
        cases.c.contact_scheme == bindparam("scheme"),
        cases.c.contact_value == bindparam("value"),
        cases.c.contact_confirmed,
        cases.c.merged_into.is_(None),
    )
    .order_by(cases.c.requested_datetime.desc(), cases.c.id.desc())
    .limit(bindparam("most"))
)
_OWN_OPEN = _OWN.where(cases.c.status.not_in(_SETTLED))
_CITIZEN = and_(
    messages.c.direction == str(Direction.INBOUND),
    messages.c.author == str(Author.CITIZEN),
    messages.c.channel.in_([str(ChannelName.SMS), str(ChannelName.WHATSAPP)]),
)
_ADMINISTRATION = and_(
    messages.c.direction == str(Direction.OUTBOUND),
    messages.c.author == str(Author.ADMINISTRATION),
)
_LAST = (
    select(
        messages,
        deliveries.c.state.label("filed_as"),
        deliveries.c.case_id.label("filed_under"),
        deliveries.c.answer.label("facts"),
    )
    .outerjoin(deliveries, deliveries.c.id == messages.c.delivery_id)
    .where(messages.c.case_id.in_(bindparam("case_ids", expanding=True)))
    .order_by(messages.c.date.desc(), messages.c.id.desc())
    .limit(1)
)
_LAST_TEXT = _LAST.where(_CITIZEN)
_LAST_WORD = _LAST.where(or_(_CITIZEN, _ADMINISTRATION))


def own_cases(
    connection: Connection, scheme: str, value: str, *, open_only: bool = False, most: int = 10
) -> Sequence[Row[Any]]:
    """The newest cases of a sender (rows of ``cases``), newest first; merged ones left out.

    Args:
        connection: for reading.
        scheme: of the address.
        value: of the address; an empty one has no cases.
        open_only: leave out those that nobody works on any more.
        most: how many, at most 10.
    """
    if not value or strangers.is_one(connection, scheme, value):
        return []
    register.flush_cases_of(connection, scheme, value)
    return connection.execute(
        _OWN_OPEN if open_only else _OWN,
        {"scheme": scheme, "value": value, "most": min(most, _LOOKED_AT)},
    ).all()


def last_text(connection: Connection, case_ids: Sequence[UUID]) -> Row[Any] | None:
    """The citizen's last text in these cases: a row of ``messages`` and how it was filed.

    ``filed_as``, ``filed_under`` and ``facts`` are state, case and facts of its delivery.
    """
    return connection.execute(_LAST_TEXT, {"case_ids": list(case_ids)}).first()


def last_word(connection: Connection, case_ids: Sequence[UUID]) -> Row[Any] | None:
    """As :func:`last_text`, or the last words of an administration when those came later."""
    return connection.execute(_LAST_WORD, {"case_ids": list(case_ids)}).first()


def of_case(connection: Connection, case: Row[Any]) -> dict[str, Sequence[Row[Any]]]:
    """The cases that a case is linked with, for the desk.

    Returns:
        ``follows`` (the one before it), ``merged_into``, ``took_in`` and ``followed_by``: rows of
        ``cases``.
    """
    before = [one for one in (case.linked_to, case.merged_into) if one is not None]
    query = select(cases).where(
        or_(
            cases.c.id.in_(before),
            and_(
                cases.c.contact_scheme == case.contact_scheme,
                cases.c.contact_value == case.contact_value,
                or_(cases.c.linked_to == case.id, cases.c.merged_into == case.id),
            ),
        )
    )
    found = connection.execute(query.order_by(cases.c.requested_datetime)).all()
    return {
        "merged_into": [one for one in found if one.id == case.merged_into],
        "follows": [
            one for one in found if one.id == case.linked_to and one.id != case.merged_into
        ],
        "took_in": [one for one in found if one.merged_into == case.id],
        "followed_by": [
            one for one in found if one.linked_to == case.id and one.merged_into is None
        ],
    }
