# SPDX-License-Identifier: MIT
"""The legal clock: by which day a case is forwarded and answered, and what is done on the way.

Pure: everything follows from the receipt, the calendar and what happened to the case. The day of
receipt is not counted; the N-th day counted after it is the last one, and a deadline falls due at
its *end* in the country's zone (the last second before midnight), kept in UTC. So a change of the
offset in between (summer, Ramadan) moves no day. A due moment is fixed when its clock starts;
transfers, questions and comments leave it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tracker.models import DeadlineKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sqlalchemy import Row

_DAY = timedelta(days=1)
#: From this hour of the evening on, nobody is written to before the next morning.
_EVENING = 20


class Counting(StrEnum):
    """Which days count."""

    CALENDAR = "calendar"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of one country.

    Attributes:
        zone: in which days begin and end.
        weekend: days of the week that are no working days, Monday is 0; never all seven.
        holidays: dates that are no working days either.
    """

    zone: tzinfo
    weekend: frozenset[int] = frozenset()
    holidays: Container[date] = frozenset()

    def day(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The last second of a local day, in UTC, also where a day has 23 or 25 hours."""
        midnight = datetime.combine(day + _DAY, time(), self.zone)
        return midnight.astimezone(UTC) - timedelta(seconds=1)

    def at_hour(self, day: date, hour: int) -> datetime:
        """A full hour of a local day, in UTC."""
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)

    def counts(self, day: date, counting: Counting) -> bool:
        """Whether a day is counted."""
        if counting is Counting.CALENDAR:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays

    def after(self, day: date, days: int, counting: Counting) -> date:
        """The day on which the ``days``-th counted day after ``day`` falls; itself for none."""
        if counting is Counting.CALENDAR:
            return day + days * _DAY
        while days > 0:
            day += _DAY
            days -= self.counts(day, counting)
        return day

    def between(self, first: date, last: date, counting: Counting) -> int:
        """How many counted days lie after ``first``, up to and with ``last``; never negative."""
        span = max(0, (last - first).days)
        if counting is Counting.CALENDAR:
            return span
        return sum(self.counts(first + n * _DAY, counting) for n in range(1, span + 1))

    def late_days(self, due: datetime, at: datetime) -> int:
        """By how many days of the calendar ``at`` is after the day of ``due``; never negative."""
        return max(0, (self.day(at) - self.day(due)).days)


@dataclass(frozen=True, slots=True)
class Term:
    """So many days, counted so."""

    days: int
    counting: Counting = Counting.CALENDAR


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of a case as its receipt sets it.

    Attributes:
        receipt: when it was received.
        forward_by: the end of the last day for handing it to an administration.
        answer_by: the end of the last day for a reasoned answer.
    """

    receipt: datetime
    forward_by: datetime
    answer_by: datetime


class StepName(StrEnum):
    """What is done about a deadline on the way."""

    REMIND = "remind"
    OVERDUE = "overdue"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One thing to do.

    Attributes:
        at: from when on.
        name: what.
        days: of the calendar after the due day; negative before it.
        level: for an escalation, how many bodies up, from 1.
    """

    at: datetime
    name: StepName
    days: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a country's profile says of the clock.

    Attributes:
        calendar: its days.
        forward: for handing a case to an administration, from receipt.
        answer: for the reasoned answer, from receipt.
        follow_up: for the next answer, from a reopening after an answer.
        waiting_stops: whether days on which the citizen is asked something are added.
        remind_before: days before the due day on which the administration is reminded.
        remind_every: days between reminders after it.
        escalate_after: days after it at which the body above is told, one for each body up.
        hour: local hour of every step.
    """

    calendar: Calendar
    forward: Term
    answer: Term
    follow_up: Term
    waiting_stops: bool = False
    remind_before: tuple[int, ...] = (7, 1, 0)
    remind_every: int = 7
    escalate_after: tuple[int, ...] = (7, 21)
    hour: int = 9

    def term(self, kind: DeadlineKind) -> Term:
        """The days of one kind of deadline."""
        return {
            DeadlineKind.FORWARD: self.forward,
            DeadlineKind.ANSWER: self.answer,
            DeadlineKind.FOLLOW_UP: self.follow_up,
        }[kind]

    def due(self, kind: DeadlineKind, start: datetime) -> datetime:
        """When a deadline that runs from ``start`` falls due."""
        term, calendar = self.term(kind), self.calendar
        return calendar.end_of(calendar.after(calendar.day(start), term.days, term.counting))

    def clock(self, receipt: datetime) -> Clock:
        """The clock of a case received at ``receipt``."""
        return Clock(
            receipt,
            self.due(DeadlineKind.FORWARD, receipt),
            self.due(DeadlineKind.ANSWER, receipt),
        )

    def extended(self, kind: DeadlineKind, due: datetime, days: int) -> datetime:
        """A due moment put off by so many counted days."""
        if not days:
            return due
        day = self.calendar.after(self.calendar.day(due), days, self.term(kind).counting)
        return self.calendar.end_of(day)

    def steps(
        self, kind: DeadlineKind, due: datetime, *, after: datetime, until: datetime
    ) -> tuple[Step, ...]:
        """What is to be done later than ``after`` and no later than ``until``, in order.

        Of several reminders that were missed only the last one is given: nobody gets three at once.
        """
        found = sorted(one for one in self._around(kind, due, until) if after < one.at <= until)
        last = max((one for one in found if one.name is StepName.REMIND), default=None)
        return tuple(one for one in found if one.name is not StepName.REMIND or one is last)

    def next_step(self, kind: DeadlineKind, due: datetime, after: datetime) -> datetime | None:
        """When the next step later than ``after`` is; ``None`` when there is none."""
        later = (one.at for one in self._around(kind, due, after) if one.at > after)
        return min(later, default=None)

    def _around(self, kind: DeadlineKind, due: datetime, moment: datetime) -> Iterator[Step]:
        """Every step of a deadline; of the endless reminders those about ``moment``."""
        yield self._step(StepName.OVERDUE, due, 1)
        if kind is DeadlineKind.FORWARD:  # no administration has it that could be reminded
            return
        for days in self.remind_before:
            yield self._step(StepName.REMIND, due, -days)
        round_ = max(0, (self.calendar.day(moment) - self.calendar.day(due)).days)
        for count in range(-1, 2):
            days = (round_ // self.remind_every + count) * self.remind_every
            if days > 0:
                yield self._step(StepName.REMIND, due, days)
        for level, days in enumerate(self.escalate_after, 1):
            yield self._step(StepName.ESCALATE, due, days, level)

    def _step(self, name: StepName, due: datetime, days: int, level: int = 0) -> Step:
        day = self.calendar.day(due) + days * _DAY
        return Step(self.calendar.at_hour(day, self.hour), name, days, level)

    def waking(self, now: datetime) -> datetime:
        """``now``, or the next morning where it is night for people."""
        there = now.astimezone(self.calendar.zone)
        if there.hour >= _EVENING:
            return self.calendar.at_hour(there.date() + _DAY, self.hour)
        if there.hour < self.hour:
            return self.calendar.at_hour(there.date(), self.hour)
        return now


def answer_due(case: Row[Any]) -> datetime | None:
    """By when an answer is due as people are told: after a reopening the new day, else the first.

    Args:
        case: a row of ``cases``.
    """
    moment: datetime | None = case.answer_due or case.expected_datetime
    return moment
