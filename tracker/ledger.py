# SPDX-License-Identifier: MIT
"""The ledger of deadlines: written from the timelines, looked at again when the next step is due.

Whoever changes what a deadline depends on calls :func:`touch` in the same transaction; the sweeper
then writes the case's lines anew (:func:`keep`) and says what is to be done about them. A case that
nobody touched yet is found by :func:`enrol`. A case is held by its row while this is done, so two
sweepers never do one step twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tracker.identity import new_id
from tracker.ledger_lines import Turn, lines_of
from tracker.models import DeadlineKind, EventType, case_events, cases, deadlines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from tracker.deadlines import Step, Terms
    from tracker.ledger_lines import Line

#: ``type`` of the event on both timelines when one case takes another in (tracker.links).
_MERGED = "guichet.case.merged"
_TYPES = (str(EventType.STATUS_CHANGED), str(EventType.ROUTED), _MERGED)
#: Steps that were due longer than this before a case came into the ledger are not made up for.
_MADE_UP = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Happening:
    """One step that is due now.

    Attributes:
        case: the row of ``cases``.
        line_id: the line in the ledger.
        kind: what is owed.
        due: by when.
        step: what is to be done.
    """

    case: Row[Any]
    line_id: UUID
    kind: DeadlineKind
    due: datetime
    step: Step


def touch(connection: Connection, case_id: UUID, at: datetime) -> None:
    """Have a case's deadlines looked at again soon; a case that has no line yet gets one."""
    touched = connection.execute(
        deadlines.update().where(deadlines.c.case_id == case_id).values(next_at=at)
    )
    if not touched.rowcount:
        new = select(cases).where(cases.c.id == case_id, cases.c.expected_datetime.is_not(None))
        enter(connection, connection.execute(new).all(), now=at)


def enrol(
    connection: Connection, *, now: datetime, since: datetime | None = None, limit: int = 200
) -> int:
    """Bring cases that have a clock and no line into the ledger; return how many.

    Args:
        connection: inside a transaction.
        now: the present time.
        since: only cases received since then; all by default.
        limit: most cases at once.
    """
    missing = (
        select(cases.c.id, cases.c.requested_datetime, cases.c.expected_datetime)
        .where(
            cases.c.expected_datetime.is_not(None),
            ~exists().where(deadlines.c.case_id == cases.c.id),
        )
        .order_by(cases.c.requested_datetime)
        .limit(limit)
    )
    if since is not None:
        missing = missing.where(cases.c.requested_datetime >= since)
    found = connection.execute(missing).all()
    enter(connection, found, now=now)
    return len(found)


def enter(connection: Connection, new: Sequence[Any], *, now: datetime) -> None:
    """Bring these cases (rows of ``cases`` that have a clock) into the ledger."""
    rows = [
        {
            **_EMPTY,
            "id": new_id(),
            "case_id": case.id,
            "deadline": str(DeadlineKind.ANSWER),
            "number": 1,
            "starts_at": case.requested_datetime,
            "due": case.expected_datetime,
            "looked_at": max(case.requested_datetime, now - _MADE_UP),
            "next_at": now,
        }
        for case in new
    ]
    _insert(connection, rows)


def waiting(connection: Connection, *, now: datetime, limit: int = 200) -> Sequence[Row[Any]]:
    """The cases that are to be looked at now, held until the commit, the longest waiting first."""
    ids = connection.scalars(
        select(deadlines.c.case_id)
        .where(deadlines.c.next_at <= now)
        .group_by(deadlines.c.case_id)
        .order_by(func.min(deadlines.c.next_at))
        .limit(limit)
    ).all()
    if not ids:
        return []
    # Held without standing in the way of new messages and events, whose foreign keys point here;
    # and asked again once it is held, as another sweeper may have been here in between.
    return connection.execute(
        select(cases)
        .where(
            cases.c.id.in_(ids),
            cases.c.id.in_(select(deadlines.c.case_id).where(deadlines.c.next_at <= now)),
        )
        .order_by(cases.c.id)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()


def keep(
    connection: Connection, held: Sequence[Row[Any]], terms: Terms, *, now: datetime
) -> list[Happening]:
    """Write the lines of these cases anew; return the steps that are due, oldest first.

    A step is returned once: the line remembers up to when its steps were taken.
    """
    ids = [case.id for case in held]
    turns = _turns(connection, ids)
    known: dict[UUID, dict[tuple[str, int], Row[Any]]] = {}
    for row in connection.execute(select(deadlines).where(deadlines.c.case_id.in_(ids))):
        known.setdefault(row.case_id, {})[row.deadline, row.number] = row
    happenings: list[Happening] = []
    for case in held:
        if case.expected_datetime is None:
            continue
        rows = known.get(case.id, {})
        if rows and all(row.next_at is None or row.next_at > now for row in rows.values()):
            continue  # another sweeper was here before the case was held
        happenings += _keep_one(connection, case, turns.get(case.id, ()), rows, terms, now)
    return sorted(happenings, key=lambda one: one.step)


def _keep_one(
    connection: Connection,
    case: Row[Any],
    turns: tuple[Turn, ...],
    rows: Mapping[tuple[str, int], Row[Any]],
    terms: Terms,
    now: datetime,
) -> list[Happening]:
    happenings: list[Happening] = []
    told: datetime | None = None
    if case.administration and not any(turn.administration for turn in turns):
        turns = (*turns, Turn(case.updated_at, administration=case.administration))
    for line in lines_of(case.requested_datetime, turns):
        row = rows.get((str(line.kind), line.number))
        due, waited = _due(case, line, row, terms)
        if due is None:
            continue
        looked_at = row.looked_at if row else max(line.starts_at, now - _MADE_UP)
        paused = terms.waiting_stops and line.waits
        values: dict[str, Any] = {
            "starts_at": line.starts_at,
            "due": due,
            "waited_days": waited,
            "met_at": line.met_at,
            "ended_at": line.ended_at,
            "late_days": None,
            "administration": None,
            "looked_at": max(looked_at, now) if line.runs else looked_at,
            "next_at": terms.next_step(line.kind, due, now) if line.runs and not paused else None,
        }
        over = line.met_at or line.ended_at
        if over is not None:
            values["late_days"] = terms.calendar.late_days(due, over)
        if over is not None or now > due:
            values["administration"] = _holder(turns, min(due, over or due))
        line_id = _write(connection, case.id, line, row, values)
        if line.runs and not paused:
            happenings += [
                Happening(case, line_id, line.kind, due, step)
                for step in terms.steps(line.kind, due, after=looked_at, until=now)
            ]
        if line.kind is not DeadlineKind.FORWARD:
            told = due
    told = told if told != case.expected_datetime else None
    if told != case.answer_due:
        connection.execute(cases.update().where(cases.c.id == case.id).values(answer_due=told))
    return happenings


def _due(
    case: Row[Any], line: Line, row: Row[Any] | None, terms: Terms
) -> tuple[datetime | None, int]:
    """When a line falls due, and how many days of waiting are in that."""
    waited = row.waited_days if row else 0
    more = 0
    if terms.waiting_stops and line.kind is not DeadlineKind.FORWARD:
        counting = terms.term(line.kind).counting
        more = max(0, line.waited_days(terms.calendar, counting) - waited)
    first = {DeadlineKind.FORWARD: case.forward_by, DeadlineKind.ANSWER: case.expected_datetime}
    if line.kind in first:  # fixed at receipt
        base: datetime | None = first[line.kind]
        if base is None:
            return None, 0
        return terms.extended(line.kind, base, waited + more), waited + more
    due = row.due if row else terms.due(line.kind, line.starts_at)
    due = terms.extended(line.kind, due, more)
    return (due if line.cap is None else min(due, line.cap)), waited + more


def _holder(turns: Sequence[Turn], moment: datetime) -> str | None:
    """Which administration had a case at a moment, as the timeline tells."""
    had = [turn.administration for turn in turns if turn.administration and turn.at <= moment]
    return had[-1] if had else None


_EMPTY: dict[str, Any] = {
    "met_at": None,
    "ended_at": None,
    "late_days": None,
    "waited_days": 0,
    "administration": None,
    "escalated_to": None,
}


def _write(
    connection: Connection,
    case_id: UUID,
    line: Line,
    row: Row[Any] | None,
    values: Mapping[str, Any],
) -> UUID:
    if row is not None:
        connection.execute(deadlines.update().where(deadlines.c.id == row.id).values(**values))
        found: UUID = row.id
        return found
    line_id = new_id()
    identity = {"case_id": case_id, "deadline": str(line.kind), "number": line.number}
    _insert(connection, [{**_EMPTY, **values, **identity, "id": line_id}])
    return line_id


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert lines; one that is there already stays as it is."""
    if rows:
        insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
        connection.execute(insert(deadlines).on_conflict_do_nothing(), [dict(row) for row in rows])


def _turns(connection: Connection, case_ids: Sequence[UUID]) -> dict[UUID, tuple[Turn, ...]]:
    """What these cases' clocks depend on, oldest first."""
    found: dict[UUID, tuple[Turn, ...]] = {}
    events = connection.execute(
        select(case_events)
        .where(case_events.c.case_id.in_(case_ids), case_events.c.type.in_(_TYPES))
        .order_by(case_events.c.time, case_events.c.id)
    )
    for event in events:
        found[event.case_id] = (*found.get(event.case_id, ()), _turn(event))
    return found


def _turn(event: Row[Any]) -> Turn:
    data = event.data
    if event.type == str(EventType.STATUS_CHANGED):
        return Turn(event.time, status=str(data.get("to", "")))
    if event.type == str(EventType.ROUTED):
        return Turn(event.time, administration=data.get("administration") or "")
    owed = data.get("owed") or {}
    if not owed or str(event.case_id) == owed["case"]:  # the side that was taken in
        return Turn(event.time)
    received, due = (datetime.fromisoformat(owed[name]) for name in ("received", "due"))
    return Turn(event.time, received=received, due=due)


def take_in(connection: Connection, case: Row[Any], into: Row[Any]) -> dict[str, Any]:
    """Let the case that takes another in keep the earlier clock of the two, if both run.

    Call it before either case moves to another status, and put what it returns into the data of
    the event ``guichet.case.merged``.

    Args:
        connection: inside a transaction that holds both cases.
        case: the case that is taken in.
        into: the case that stays.

    Returns:
        ``{"owed": {…}}`` with what was owed on ``case``, or ``{}`` when nothing was.
    """
    turns = _turns(connection, [case.id, into.id])
    forward, *_, owed = lines_of(case.requested_datetime, turns.get(case.id, ()))
    due = _due_of(connection, case, owed)
    if due is None or not owed.runs:
        return {}
    stays = lines_of(into.requested_datetime, turns.get(into.id, ()))[-1]
    if stays.kind is DeadlineKind.ANSWER and stays.runs and into.expected_datetime is not None:
        earlier: dict[str, Any] = {
            "requested_datetime": min(into.requested_datetime, owed.starts_at),
            "expected_datetime": min(into.expected_datetime, due),
        }
        if forward.runs and case.forward_by and into.forward_by:
            earlier["forward_by"] = min(into.forward_by, case.forward_by)
        connection.execute(cases.update().where(cases.c.id == into.id).values(**earlier))
    for one in (case, into):
        touch(connection, one.id, owed.starts_at)
    return {
        "owed": {
            "case": str(case.id),
            "received": owed.starts_at.isoformat(),
            "due": due.isoformat(),
        }
    }


def _due_of(connection: Connection, case: Row[Any], line: Line) -> datetime | None:
    """When a line falls due; ``None`` for a reopening that the sweeper has not seen yet."""
    due: datetime | None = connection.scalar(
        select(deadlines.c.due).where(
            deadlines.c.case_id == case.id,
            deadlines.c.deadline == str(line.kind),
            deadlines.c.number == line.number,
        )
    )
    first: datetime | None = case.expected_datetime
    return first if due is None and line.kind is DeadlineKind.ANSWER else due


def open_lines(
    connection: Connection,
    *,
    before: datetime,
    after: datetime | None = None,
    administration: str | None = None,
    limit: int = 25,
    offset: int = 0,
) -> tuple[Sequence[Row[Any]], int]:
    """Deadlines that run, the earliest due first, and how many there are in all.

    Args:
        connection: for reading.
        before: due no later than this.
        after: due later than this.
        administration: only of cases that it has, or that were escalated to it.
        limit: most lines.
        offset: how many to leave out at the beginning.

    Returns:
        rows of ``deadlines`` with the ``tracking_code`` and ``holder`` of their case.
    """
    wanted = [
        deadlines.c.met_at.is_(None),
        deadlines.c.ended_at.is_(None),
        deadlines.c.due <= before,
    ]
    if after is not None:
        wanted.append(deadlines.c.due > after)
    if administration is not None:
        wanted.append(
            or_(
                cases.c.administration == administration,
                deadlines.c.escalated_to == administration,
            )
        )
    joined = deadlines.join(cases, cases.c.id == deadlines.c.case_id)
    total = connection.scalar(select(func.count()).select_from(joined).where(*wanted)) or 0
    rows = connection.execute(
        select(deadlines, cases.c.tracking_code, cases.c.administration.label("holder"))
        .select_from(joined)
        .where(*wanted)
        .order_by(deadlines.c.due, deadlines.c.id)
        .limit(limit)
        .offset(offset)
    ).all()
    return rows, total
