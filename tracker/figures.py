# SPDX-License-Identifier: MIT
"""How well cases reach the right administration, counted from the record. Reads only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tracker.models import (
    DeadlineKind,
    LabelKind,
    case_events,
    cases,
    deadlines,
    routing_labels,
    suggestions,
)
from tracker.models.vocabulary import EventType

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_DAY = 86_400


@dataclass(slots=True)
class Tally:
    """Counts of one administration, or of all.

    Attributes:
        assigned: cases first given to it.
        stayed: of these, those that no other administration got later.
        reassignments: how often a case left it for another one.
        automatic: of the cases assigned, those that the machine gave it.
        checked: blind checks of what the machine gave it.
        agreed: of these, where the person chose the same.
        days: from receipt to the first answer, one number a case.
    """

    assigned: int = 0
    stayed: int = 0
    reassignments: int = 0
    automatic: int = 0
    checked: int = 0
    agreed: int = 0
    days: list[float] = field(default_factory=list)

    @property
    def median_days(self) -> float | None:
        """Half of the answers took no longer, or ``None`` where there is none."""
        return median(self.days) if self.days else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over a period: of all, by administration, and of rules.

    Attributes:
        total: of all administrations.
        administrations: by slug.
        rules: by key: (times it chose automatically and was checked blindly, agreed).
    """

    total: Tally
    administrations: dict[str, Tally]
    rules: dict[str, tuple[int, int]]


def count(connection: Connection, *, since: datetime, administration: str | None = None) -> Figures:
    """Count the cases that were first assigned, checked or answered after a time.

    The parts of a case of several administrations count as cases of theirs.

    Args:
        connection: any.
        since: the beginning of the period.
        administration: count for this one alone.
    """
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    _assignments(connection, since, tallies)
    rules = _checks(connection, since, tallies)
    _answers(connection, since, tallies)
    if administration is not None:
        tallies = defaultdict(Tally, {administration: tallies[administration]})
        rules = {key: value for key, value in rules.items() if _slug(key) == administration}
    total = Tally()
    for one in tallies.values():
        for name in ("assigned", "stayed", "reassignments", "automatic", "checked", "agreed"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.days.extend(one.days)
    return Figures(total, dict(sorted(tallies.items())), rules)


def _assignments(connection: Connection, since: datetime, tallies: defaultdict[str, Tally]) -> None:
    """Each case's way through administrations, from the events of its routing."""
    first = (
        select(case_events.c.case_id, func.min(case_events.c.time).label("at"))
        .where(case_events.c.type == str(EventType.ROUTED))
        .group_by(case_events.c.case_id)
    ).subquery()
    ways = connection.execution_options(yield_per=1000).execute(
        select(case_events.c.case_id, case_events.c.data, case_events.c.source)
        .join(first, first.c.case_id == case_events.c.case_id)
        .where(case_events.c.type == str(EventType.ROUTED), first.c.at > since)
        .order_by(case_events.c.case_id, case_events.c.time, case_events.c.id)
    )
    case_id = None
    way: list[tuple[str, str]] = []
    for row in ways:
        if row.case_id != case_id:
            _walk(way, tallies)
            case_id, way = row.case_id, []
        way.append((row.data.get("administration", ""), row.source))
    _walk(way, tallies)


#: ``source`` of the events of the machine's own choices.
MACHINE = "/dispatcher/routing"


def _walk(way: list[tuple[str, str]], tallies: defaultdict[str, Tally]) -> None:
    if not way:
        return
    slug, source = way[0]
    tallies[slug].assigned += 1
    tallies[slug].automatic += source == MACHINE
    tallies[slug].stayed += all(later == slug for later, _ in way)
    for (left, _), (reached, _) in pairwise(way):
        tallies[left].reassignments += left != reached


def _checks(
    connection: Connection, since: datetime, tallies: defaultdict[str, Tally]
) -> dict[str, tuple[int, int]]:
    rules: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in connection.execute(
        select(routing_labels.c.label, routing_labels.c.previous, suggestions.c.rule)
        .outerjoin(suggestions, suggestions.c.id == routing_labels.c.suggestion_id)
        .where(
            routing_labels.c.kind == str(LabelKind.BLIND_CHECK),
            routing_labels.c.decided_at > since,
        )
    ):
        agreed = row.label == row.previous
        tallies[row.previous or ""].checked += 1
        tallies[row.previous or ""].agreed += agreed
        if row.rule:
            rules[row.rule][0] += 1
            rules[row.rule][1] += agreed
    return {key: (checked, agreed) for key, (checked, agreed) in sorted(rules.items())}


def _answers(connection: Connection, since: datetime, tallies: defaultdict[str, Tally]) -> None:
    """Days from receipt to the answer, from the ledger of deadlines."""
    for row in connection.execute(
        select(
            deadlines.c.starts_at,
            deadlines.c.met_at,
            func.coalesce(deadlines.c.administration, cases.c.administration).label("slug"),
        )
        .join(cases, cases.c.id == deadlines.c.case_id)
        .where(
            deadlines.c.deadline == str(DeadlineKind.ANSWER),
            deadlines.c.met_at > since,
        )
    ):
        if row.slug:
            took = (row.met_at - row.starts_at).total_seconds() / _DAY
            tallies[row.slug].days.append(took)


def _slug(key: str) -> str:
    return key.rpartition("/")[0]
