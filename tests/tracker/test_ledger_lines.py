# SPDX-License-Identifier: MIT
"""Whatever happens to a case, in whatever order: its first clock is never reset."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracker.deadlines import Calendar, Counting
from tracker.ledger_lines import Turn, lines_of
from tracker.models import CaseStatus, DeadlineKind
from tracker.status import allowed

RECEIPT = datetime(2026, 2, 1, 10, tzinfo=UTC)


def turn(minutes: float, status: str = "", administration: str = "") -> Turn:
    return Turn(RECEIPT + timedelta(minutes=minutes), status, administration)


@st.composite
def lives(draw: st.DrawFn, *, lawful: bool = True) -> tuple[Turn, ...]:
    """What may happen to a case: moves, transfers, refusals, other cases taken in, comments."""
    turns: list[Turn] = []
    status, at = CaseStatus.RECEIVED, RECEIPT
    for _ in range(draw(st.integers(0, 14))):
        at += timedelta(minutes=draw(st.integers(0, 60 * 24 * 20)))
        what = draw(st.sampled_from(["move", "move", "transfer", "merge", "comment"]))
        if what == "move":
            to = allowed(status) if lawful else frozenset(CaseStatus)
            status = draw(st.sampled_from(sorted(to)))
            turns.append(Turn(at, str(status)))
        elif what == "transfer":
            turns.append(Turn(at, administration=draw(st.sampled_from(["eau", "sante"]))))
        elif what == "merge":
            received = at - timedelta(minutes=draw(st.integers(0, 60 * 24 * 90)))
            turns.append(Turn(at, received=received, due=received + timedelta(days=60)))
        else:
            turns.append(Turn(at))
    return tuple(turns)


@given(lives())
def test_the_first_clock_stands_whatever_comes_later(life):
    """At every moment of its life the first two lines begin at receipt, and are met once."""
    met: dict[str, datetime] = {}
    for until in range(len(life) + 1):
        forward, answer, *_ = lines_of(RECEIPT, life[:until])
        assert (forward.kind, forward.starts_at) == (DeadlineKind.FORWARD, RECEIPT)
        assert (answer.kind, answer.starts_at) == (DeadlineKind.ANSWER, RECEIPT)
        assert answer.cap is None
        for line in (forward, answer):
            if line.kind in met:
                assert line.met_at == met[line.kind]
            elif line.met_at is not None:
                met[line.kind] = line.met_at


@given(lives())
def test_a_line_once_there_never_begins_later_and_is_never_met_before_it_began(life):
    before = lines_of(RECEIPT, ())
    for until in range(len(life) + 1):
        now = lines_of(RECEIPT, life[:until])
        assert len(now) >= len(before)
        for then, line in zip(before, now, strict=False):
            assert (line.kind, line.number) == (then.kind, then.number)
            assert line.starts_at <= then.starts_at
            if then.cap is not None:
                assert line.cap is not None
                assert line.cap <= then.cap
        for line in now:
            for over in (line.met_at, line.ended_at):
                assert over is None or over >= line.starts_at
            assert line.met_at is None or line.ended_at is None
        before = now


@given(lives())
def test_one_answer_at_most_is_owed_and_it_is_where_the_case_is_open(life):
    answers = lines_of(RECEIPT, life)[1:]
    status = next((one.status for one in reversed(life) if one.status), "received")
    settled = status in ("answered", "closed", "out_of_competence", "withdrawn")

    assert sum(line.runs for line in answers) == (not settled)
    assert [line.number for line in answers[1:]] == list(range(1, len(answers)))
    assert all(line.met_at is not None for line in answers[:-1])


@given(lives(lawful=False))
def test_no_disorder_on_a_timeline_breaks_the_reading(life):
    """Old records may hold moves that are forbidden now."""
    forward, answer, *later = lines_of(RECEIPT, life)

    assert forward.starts_at == answer.starts_at == RECEIPT
    assert all(line.kind is DeadlineKind.FOLLOW_UP for line in later)


@given(lives(), st.sampled_from(Counting))
def test_days_of_waiting_are_never_negative_and_never_longer_than_the_case(life, counting):
    calendar = Calendar(UTC, frozenset({5, 6}))
    span = ((life[-1].at if life else RECEIPT) - RECEIPT).days + 1

    for line in lines_of(RECEIPT, life):
        assert 0 <= line.waited_days(calendar, counting) <= span


def test_a_transfer_a_refusal_and_a_question_change_nothing():
    life = (
        turn(10, administration="eau"),
        turn(10, "referred"),
        turn(20, "triage"),
        turn(30, administration="sante"),
        turn(30, "referred"),
        turn(40, "waiting_for_citizen"),
        turn(50, "in_progress"),
    )
    forward, answer = lines_of(RECEIPT, life)

    assert forward.met_at == RECEIPT + timedelta(minutes=10)
    assert (answer.starts_at, answer.met_at, answer.ended_at) == (RECEIPT, None, None)


def test_a_reopening_after_an_answer_owes_another_and_leaves_the_first():
    life = (turn(10, "answered"), turn(20, "in_progress"), turn(30, "answered"), turn(40, "closed"))
    _, answer, follow_up = lines_of(RECEIPT, life)

    assert answer.met_at == RECEIPT + timedelta(minutes=10)
    assert follow_up.starts_at == RECEIPT + timedelta(minutes=20)
    assert follow_up.met_at == RECEIPT + timedelta(minutes=30)


def test_a_case_that_comes_back_without_an_answer_goes_on_with_the_same_clock():
    life = (turn(10, "out_of_competence"), turn(20, "triage"), turn(30, "withdrawn"))

    assert lines_of(RECEIPT, life[:1])[1].ended_at == RECEIPT + timedelta(minutes=10)
    assert lines_of(RECEIPT, life[:2])[1].runs
    assert lines_of(RECEIPT, life)[1].ended_at == RECEIPT + timedelta(minutes=30)


def test_what_was_owed_on_a_case_that_is_taken_in_is_owed_no_later():
    """It joins an answered case, which is reopened by it: its own clock goes on there."""
    received = RECEIPT + timedelta(days=20)
    joined = Turn(
        RECEIPT + timedelta(days=50), received=received, due=received + timedelta(days=60)
    )
    life = (turn(10, "answered"), joined, Turn(joined.at, "in_progress"))
    _, answer, follow_up = lines_of(RECEIPT, life)

    assert answer.met_at == RECEIPT + timedelta(minutes=10)
    assert (follow_up.starts_at, follow_up.cap) == (received, joined.due)
