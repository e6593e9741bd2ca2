# SPDX-License-Identifier: MIT
"""One case of several administrations: what its children are, and how the parent follows them.

The parent has the citizen, the code and the words that went back and forth; each child has an
administration, its status and outlet, and the clock of the parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker import register
from tracker.models import CaseStatus, EventType, cases
from tracker.status import FINAL, allowed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

_DONE = frozenset({CaseStatus.ANSWERED, *FINAL})
_HEARD = frozenset({CaseStatus.ANSWERED, CaseStatus.CLOSED})


def of_parent(connection: Connection, parent_id: UUID) -> Sequence[Row[Any]]:
    """The children of a case (rows of ``cases``), in the order in which they were named."""
    return connection.execute(
        select(cases).where(cases.c.parent_case == parent_id).order_by(cases.c.id)
    ).all()


def citizens_case(connection: Connection, case: Row[Any]) -> Row[Any]:
    """The case that the citizen knows: the parent of a child, else the case itself."""
    if case.parent_case is None:
        return case
    parent = register.case_by_id(connection, case.parent_case)
    return case if parent is None else parent


def find_citizens_case(connection: Connection, code: str) -> Row[Any] | None:
    """The case that a citizen may ask about by a code; the code of a child leads to its parent."""
    case = register.find_case(connection, code)
    return None if case is None else citizens_case(connection, case)


def status_of_parent(statuses: Sequence[str]) -> CaseStatus:
    """Where a parent stands, by the statuses of its children (at least one)."""
    found = {CaseStatus(status) for status in statuses}
    if found <= _DONE:
        if found & _HEARD:
            return CaseStatus.ANSWERED
        if CaseStatus.OUT_OF_COMPETENCE in found:
            return CaseStatus.OUT_OF_COMPETENCE
        return CaseStatus.WITHDRAWN
    if CaseStatus.WAITING_FOR_CITIZEN in found:
        return CaseStatus.WAITING_FOR_CITIZEN
    if found & {CaseStatus.IN_PROGRESS, *_DONE}:
        return CaseStatus.IN_PROGRESS
    return CaseStatus.REFERRED


def settle(connection: Connection, child: Row[Any], *, by: str, source: str, at: datetime) -> None:
    """Let the parent of a child follow it, without a word to the citizen; for others nothing."""
    if child.parent_case is None:
        return
    parent = register.case_by_id(connection, child.parent_case)
    if parent is None:
        return
    new = status_of_parent([one.status for one in of_parent(connection, parent.id)])
    if new in allowed(parent.status):
        register.change_status(connection, parent, new, by=by, source=source, at=at, tell=False)


def words_came(
    connection: Connection, parent: Row[Any], *, source: str, at: datetime, by: str = "citizen"
) -> None:
    """Lead the children that waited for the citizen, or were done with, back to work.

    Args:
        connection: inside the transaction that adds the citizen's words to the parent.
        parent: its row as it was before those words.
        source: CloudEvents source.
        at: now.
        by: who moves them.
    """
    if not parent.children:
        return
    reopened = parent.status in [str(status) for status in _HEARD]
    for child in of_parent(connection, parent.id):
        register.add_event(
            connection,
            child.id,
            EventType.MESSAGE_ADDED,
            {"channel": parent.channel},
            source=source,
            at=at,
        )
        waits = child.status == str(CaseStatus.WAITING_FOR_CITIZEN)
        if waits or (reopened and CaseStatus(child.status) in _HEARD):
            register.change_status(
                connection, child, CaseStatus.IN_PROGRESS, by=by, source=source, at=at, tell=False
            )
