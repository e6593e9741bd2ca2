# SPDX-License-Identifier: MIT
"""The legal clock's days: whole, local, counted as the law says, and deaf to the offset."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracker.deadlines import Calendar, Counting, Step, StepName, Term, Terms
from tracker.models import DeadlineKind

CASABLANCA = ZoneInfo("Africa/Casablanca")
#: Offsets of all kinds: Ramadan, summer, none, half hours, a change at midnight, far from UTC.
ZONES = (
    "Africa/Casablanca",
    "Europe/Paris",
    "UTC",
    "Asia/Kathmandu",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
)
#: In 2026 Morocco leaves UTC+1 on 15 February and comes back on 22 March (tzdata).
BEFORE_RAMADAN = datetime(2026, 2, 14, 23, 30, tzinfo=UTC)

moments = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis gives them their zone
    max_value=datetime(2032, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
counts = st.integers(min_value=1, max_value=120)
countings = st.sampled_from(Counting)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    return Calendar(
        ZoneInfo(draw(st.sampled_from(ZONES))),
        draw(st.frozensets(st.integers(0, 6), max_size=6)),
        draw(st.frozensets(st.dates(date(2024, 1, 1), date(2033, 12, 31)), max_size=40)),
    )


def terms(calendar: Calendar, days: int = 60, counting=Counting.CALENDAR, **more) -> Terms:
    return Terms(calendar, Term(15), Term(days, counting), Term(days, counting), **more)


MOROCCO = terms(Calendar(CASABLANCA, frozenset({5, 6})))


# --- The due moment -------------------------------------------------------------------------------


@given(calendars(), moments, counts, countings)
@example(Calendar(CASABLANCA), BEFORE_RAMADAN, 60, Counting.CALENDAR)
def test_a_deadline_ends_with_a_local_day_after_so_many_counted_days(
    calendar, receipt, days, counting
):
    """Counted here day by day from the definition, independently of how it is computed."""
    due = terms(calendar, days, counting).due(DeadlineKind.ANSWER, receipt)

    there, received = due.astimezone(calendar.zone), receipt.astimezone(calendar.zone).date()
    ordinals = range(received.toordinal() + 1, there.date().toordinal() + 1)
    counted = [date.fromordinal(one) for one in ordinals]
    if counting is Counting.WORKING:
        counted = [
            one
            for one in counted
            if one.weekday() not in calendar.weekend and one not in calendar.holidays
        ]
    assert len(counted) == days
    assert counted[-1] == there.date()
    # Its end: one second later it is another day, whatever the clocks do that night.
    assert (due + timedelta(seconds=1)).astimezone(calendar.zone).date() > there.date()
    assert due > receipt


@given(calendars(), moments, moments, counts, countings)
def test_who_came_first_is_never_due_later(calendar, one, other, days, counting):
    first, second = sorted((one, other))
    promised = terms(calendar, days, counting)

    assert promised.due(DeadlineKind.ANSWER, first) <= promised.due(DeadlineKind.ANSWER, second)


@given(calendars(), moments, counts)
def test_a_holiday_more_never_shortens_and_working_days_are_never_earlier(calendar, receipt, days):
    calendar_days = terms(calendar, days).due(DeadlineKind.ANSWER, receipt)
    working = terms(calendar, days, Counting.WORKING).due(DeadlineKind.ANSWER, receipt)
    more = Calendar(
        calendar.zone, calendar.weekend, frozenset(calendar.holidays) | {calendar.day(working)}
    )

    assert working >= calendar_days
    assert terms(more, days, Counting.WORKING).due(DeadlineKind.ANSWER, receipt) > working
    assert terms(more, days).due(DeadlineKind.ANSWER, receipt) == calendar_days


@given(calendars(), moments, moments, countings)
def test_spans_and_lateness_are_never_negative(calendar, one, other, counting):
    first, last = calendar.day(one), calendar.day(other)

    assert calendar.between(first, last, counting) >= 0
    assert calendar.late_days(one, other) >= 0
    assert (calendar.late_days(one, other) == 0) == (last <= first)


@given(calendars(), moments, st.integers(0, 60), countings)
def test_to_go_so_many_days_and_to_count_them_are_each_others_inverse(
    calendar, moment, days, counting
):
    first = calendar.day(moment)

    assert calendar.between(first, calendar.after(first, days, counting), counting) == days


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # Received at UTC+1, due at UTC+1, with UTC+0 in between.
        ("2026-02-10T12:00:00+01:00", "2026-04-11T23:59:59+01:00"),
        # Due in Ramadan, at UTC+0.
        ("2026-01-05T08:00:00+01:00", "2026-03-06T23:59:59+00:00"),
        # Half an hour before local midnight, and half an hour after.
        ("2026-05-01T23:30:00+01:00", "2026-06-30T23:59:59+01:00"),
        ("2026-05-02T00:30:00+01:00", "2026-07-01T23:59:59+01:00"),
        # A leap day in between.
        ("2028-01-10T10:00:00+01:00", "2028-03-10T23:59:59+01:00"),
    ],
)
def test_morocco_through_ramadan(received, due):
    clock = MOROCCO.clock(datetime.fromisoformat(received))

    assert clock.answer_by == datetime.fromisoformat(due).astimezone(CASABLANCA)
    assert clock.answer_by.tzinfo is UTC


def test_the_zone_that_these_tests_rely_on_changes_in_ramadan():
    offsets = [datetime(2026, month, 1, tzinfo=CASABLANCA).utcoffset() for month in (2, 3, 4)]

    assert offsets == [timedelta(hours=1), timedelta(0), timedelta(hours=1)]


# --- The steps on the way -------------------------------------------------------------------------


@given(calendars(), moments, st.lists(st.integers(1, 200_000), max_size=40), st.booleans())
def test_every_step_but_a_missed_reminder_is_taken_once_however_often_one_looks(
    calendar, start, minutes, with_answer
):
    """The sweeper looks at any moments: none twice, none lost, and reminders one at a time."""
    kind = DeadlineKind.ANSWER if with_answer else DeadlineKind.FORWARD
    promised = terms(calendar, 20)
    due = promised.due(kind, start)
    looks = [start]
    for more in minutes:
        looks.append(looks[-1] + timedelta(minutes=more))
    taken: list[Step] = []
    for after, until in itertools.pairwise(looks):
        steps = promised.steps(kind, due, after=after, until=until)
        assert sum(one.name is StepName.REMIND for one in steps) <= 1
        assert all(after < one.at <= until for one in steps)
        # Whoever sleeps until the next step misses nothing.
        upcoming = promised.next_step(kind, due, after)
        assert bool(steps) == (upcoming is not None and upcoming <= until)
        taken.extend(steps)
    assert len(taken) == len(set(taken))
    once = {one for one in taken if one.name is not StepName.REMIND}
    wanted = {
        one
        for one in promised.steps(kind, due, after=start, until=looks[-1])
        if one.name is not StepName.REMIND
    }
    assert once == wanted


def test_the_steps_of_an_answer_in_their_order():
    received = datetime(2026, 5, 1, 10, tzinfo=UTC)
    due = MOROCCO.due(DeadlineKind.ANSWER, received)
    looked, told = received, list[Step]()
    while looked < received + timedelta(days=90):
        told += MOROCCO.steps(
            DeadlineKind.ANSWER, due, after=looked, until=looked + timedelta(hours=1)
        )
        looked += timedelta(hours=1)

    assert [(one.name, one.days, one.level) for one in told] == [
        ("remind", -7, 0),
        ("remind", -1, 0),
        ("remind", 0, 0),
        ("overdue", 1, 0),
        ("escalate", 7, 1),
        ("remind", 7, 0),
        ("remind", 14, 0),
        ("escalate", 21, 2),
        ("remind", 21, 0),
        ("remind", 28, 0),
    ]
    assert {one.at.astimezone(CASABLANCA).hour for one in told} == {9}


def test_forwarding_has_nobody_to_remind():
    due = MOROCCO.due(DeadlineKind.FORWARD, BEFORE_RAMADAN)
    told = MOROCCO.steps(
        DeadlineKind.FORWARD, due, after=BEFORE_RAMADAN, until=due + timedelta(days=365)
    )

    assert [one.name for one in told] == ["overdue"]


@given(calendars(), moments)
def test_nobody_is_written_to_at_night(calendar, now):
    at = terms(calendar).waking(now)

    assert now <= at <= now + timedelta(hours=15)
    assert 9 <= at.astimezone(calendar.zone).hour < 20
