# SPDX-License-Identifier: MIT
"""How a case leaves an administration: with a reason, never back to the citizen, never in a circle.

Code, thread and legal clock stay with the case. What an administration gives up goes to triage,
where people choose the next one; no machine does. From the third time on a person above decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tracker import attention, children, ledger, register
from tracker.identity import new_id
from tracker.models import (
    AttentionReason,
    CaseStatus,
    EventType,
    OutboxKind,
    OutboxState,
    cases,
    transfers,
)
from tracker.models import outbox as outbox_table
from tracker.outbox import put
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: The transfer from which on a person above decides.
ABOVE = 3
#: In ``attention.data``: the number of the transfer that waits for a choice.
NUMBER = "transfer"
_CHOSEN_BY_PEOPLE = "given up by an administration: people choose the next one"


def of_case(connection: Connection, case_id: UUID) -> Sequence[Row[Any]]:
    """The transfers of a case (rows of ``transfers``), the first one first."""
    return connection.execute(
        select(transfers).where(transfers.c.case_id == case_id).order_by(transfers.c.number)
    ).all()


def times(connection: Connection, case_id: UUID) -> int:
    """How often a case was given up."""
    return (
        connection.scalar(
            select(func.count()).select_from(transfers).where(transfers.c.case_id == case_id)
        )
        or 0
    )


def needs_a_person_above(connection: Connection, case: Row[Any]) -> bool:
    """Whether the next administration of this case may only be chosen by a person above.

    So it is when the case was given up three times and waits, or was given up twice and an
    administration has it: then choosing another one is the third transfer.
    """
    before = times(connection, case.id)
    return before >= ABOVE or (before == ABOVE - 1 and case.administration is not None)


def give_up(
    connection: Connection,
    case: Row[Any],
    *,
    reason: str,
    by: str,
    now: datetime,
    proposed: str | None = None,
    source: str = "/desk",
) -> int:
    """Take a case from its administration and put it on the list *Needs a person*.

    Args:
        connection: inside a transaction.
        case: the case's row; an administration has it.
        reason: why, in the words of who gives it up.
        by: who does it.
        now: the present time.
        proposed: the slug of the administration that they hold responsible.
        source: CloudEvents source.

    Returns:
        the number of the transfer, from 1.

    Raises:
        ValueError: there is no reason, no administration has the case, or it is settled.
    """
    number = _take(connection, case, reason=reason, by=by, now=now, proposed=proposed)
    register.add_event(
        connection,
        case.id,
        EventType.TRANSFERRED,
        {"from": case.administration, "to": "", "by": by, "number": number},
        source=source,
        at=now,
    )
    _to_triage(connection, case, by=by, now=now, source=source)
    said: dict[str, Any] = {NUMBER: number, "from": case.administration, "reason": reason}
    if proposed:
        said["candidates"] = [{"administration": proposed, "reasons": [reason]}]
    attention.open_item(
        connection,
        AttentionReason.UNROUTED,
        f"its administration gave it up (transfer {number})",
        at=now,
        case_id=case.id,
        data=said,
    )
    return number


def hand_on(
    connection: Connection,
    case: Row[Any],
    slug: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    source: str = "/desk",
) -> None:
    """Note that people hand a case from its administration straight to another one.

    Call it before the case is assigned: it only leaves the former administration.

    Raises:
        ValueError: there is no reason, no administration has the case, or it is settled.
    """
    number = _take(connection, case, reason=reason, by=by, now=now, to=slug)
    register.add_event(
        connection,
        case.id,
        EventType.TRANSFERRED,
        {"from": case.administration, "to": slug, "by": by, "number": number},
        source=source,
        at=now,
    )
    _to_triage(connection, case, by=by, now=now, source=source)


def take_back(
    connection: Connection,
    case: Row[Any],
    slug: str,
    *,
    by: str,
    now: datetime,
    source: str = "/desk",
) -> None:
    """Take a case from an administration that a machine chose wrongly, for another one.

    Nobody refused anything, so it counts as no transfer (``number`` 0 in the timeline). Call it
    before the case is assigned.

    Raises:
        ValueError: no administration has the case, or it is settled.
    """
    if case.administration is None:
        raise ValueError("no administration has this case")
    if case.status in (str(CaseStatus.ANSWERED), *FINAL):
        raise ValueError("the case is settled")
    register.add_event(
        connection,
        case.id,
        EventType.TRANSFERRED,
        {"from": case.administration, "to": slug, "by": by, "number": 0},
        source=source,
        at=now,
    )
    _to_triage(connection, case, by=by, now=now, source=source)


def arrived(connection: Connection, case: Row[Any], slug: str) -> bool:
    """Note to whom a case goes that was given up; ``False`` when none was waiting."""
    waiting = connection.execute(
        transfers.update()
        .where(transfers.c.case_id == case.id, transfers.c.to_administration.is_(None))
        .values(to_administration=slug)
        .returning(transfers.c.id)
    ).first()
    return waiting is not None


def tell_citizen(
    connection: Connection, case: Row[Any], slug: str, key: UUID, *, now: datetime
) -> None:
    """Tell the citizen that another administration has their case, on their own channel.

    Args:
        connection: inside a transaction.
        case: the case whose citizen is told (the parent of a child).
        slug: the administration that has it now.
        key: the decision that it follows from; it is told once.
        now: the present time.
    """
    if not case.contact_value:
        return
    put(
        connection,
        OutboxKind.NOTIFY,
        f"transferred:{key}",
        now=now,
        channel=case.channel,
        recipient_scheme=case.contact_scheme,
        recipient=case.contact_value,
        case_id=case.id,
        payload={"notice": "transferred", "administration": slug},
    )


def _take(
    connection: Connection,
    case: Row[Any],
    *,
    reason: str,
    by: str,
    now: datetime,
    proposed: str | None = None,
    to: str | None = None,
) -> int:
    if not reason.strip():
        raise ValueError("a transfer needs a reason")
    if case.administration is None:
        raise ValueError("no administration has this case")
    if case.status in (str(CaseStatus.ANSWERED), *FINAL):
        raise ValueError("the case is settled")
    number = times(connection, case.id) + 1
    connection.execute(
        transfers.insert().values(
            id=new_id(),
            case_id=case.id,
            number=number,
            from_administration=case.administration,
            to_administration=to,
            proposed=proposed,
            reason=reason.strip(),
            transferred_by=by,
            transferred_at=now,
        )
    )
    return number


def _to_triage(
    connection: Connection, case: Row[Any], *, by: str, now: datetime, source: str
) -> None:
    """No administration has the case for now."""
    connection.execute(
        cases.update().where(cases.c.id == case.id).values(administration=None, updated_at=now)
    )
    fresh = register.case_by_id(connection, case.id)
    if fresh is not None:
        register.change_status(
            connection, fresh, CaseStatus.TRIAGE, by=by, source=source, at=now, tell=False
        )
        children.settle(connection, fresh, by=by, source=source, at=now)
    # What was still to be sent to the former administration does not leave any more.
    connection.execute(
        outbox_table.update()
        .where(
            outbox_table.c.case_id == case.id,
            outbox_table.c.kind == str(OutboxKind.REFER),
            outbox_table.c.state == str(OutboxState.DUE),
        )
        .values(state=str(OutboxState.HELD), last_error=_CHOSEN_BY_PEOPLE, done_at=now)
    )
    ledger.touch(connection, case.id, now)
