# SPDX-License-Identifier: MIT
"""What became of the deadlines of a case, read from its timeline. Pure.

The timeline is the truth, so the ledger can be written anew from it at any time, and nothing that
is forgotten elsewhere can reset a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker.models import CaseStatus, DeadlineKind

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.deadlines import Calendar, Counting

ANSWERED = frozenset({CaseStatus.ANSWERED, CaseStatus.CLOSED})
#: Nobody owes an answer here, and none was given.
LAPSED = frozenset({CaseStatus.OUT_OF_COMPETENCE, CaseStatus.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Turn:
    """Something on a case's timeline that its clock depends on.

    Attributes:
        at: when.
        status: the status that the case moved to, or ``""``.
        administration: who was handed the case, or ``""``.
        received: receipt of a case that was taken in while an answer to it was owed.
        due: when that answer was due.
    """

    at: datetime
    status: str = ""
    administration: str = ""
    received: datetime | None = None
    due: datetime | None = None


@dataclass(slots=True)
class _Running:
    """An answer that is owed, while the timeline is read."""

    kind: DeadlineKind
    number: int
    starts_at: datetime
    cap: datetime | None = None
    met_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What the timeline says of one deadline.

    Attributes:
        kind: what is owed.
        number: from 1, for each kind.
        starts_at: from when its days are counted.
        cap: it falls due no later than this, or ``None``.
        met_at: when it was met.
        ended_at: when nobody owed it any more.
        pauses: spans in which the citizen was asked something; the last may be open.
    """

    kind: DeadlineKind
    number: int
    starts_at: datetime
    cap: datetime | None = None
    met_at: datetime | None = None
    ended_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = field(default=())

    @property
    def runs(self) -> bool:
        """Whether it is still owed."""
        return self.met_at is None and self.ended_at is None

    @property
    def waits(self) -> bool:
        """Whether the citizen has been asked something and has not answered."""
        return self.runs and bool(self.pauses) and self.pauses[-1][1] is None

    def waited_days(self, calendar: Calendar, counting: Counting) -> int:
        """Counted days on which the citizen was asked something, of the pauses that are over."""
        return sum(
            calendar.between(calendar.day(first), calendar.day(last), counting)
            for first, last in self.pauses
            if last is not None
        )


def lines_of(receipt: datetime, turns: tuple[Turn, ...]) -> tuple[Line, ...]:
    """The deadlines of a case: forwarding, the first answer, and one for each later reopening.

    The first clock is never touched by what comes later: an answer meets it for good. Where nobody
    owed an answer any more and the case comes back, the same clock goes on.

    Args:
        receipt: when the case was received.
        turns: its timeline, oldest first.
    """
    owed = [_Running(DeadlineKind.ANSWER, 1, receipt)]
    forwarded: datetime | None = None
    taken_in: list[Turn] = []
    for turn in turns:
        now = owed[-1]
        if forwarded is None and (turn.administration or turn.status == CaseStatus.REFERRED):
            forwarded = turn.at
        if turn.received is not None:
            if now.met_at is None:
                _take_in(now, turn)
            else:
                taken_in.append(turn)
        if turn.status in ANSWERED:
            if now.met_at is None:
                now.met_at, now.ended_at = max(turn.at, now.starts_at), None
        elif turn.status in LAPSED:
            if now.met_at is None and now.ended_at is None:
                now.ended_at = max(turn.at, now.starts_at)
        elif turn.status:
            if now.met_at is not None:
                number = now.number + 1 if now.kind is DeadlineKind.FOLLOW_UP else 1
                owed.append(_Running(DeadlineKind.FOLLOW_UP, number, turn.at))
                for one in taken_in:
                    _take_in(owed[-1], one)
                taken_in = []
            owed[-1].ended_at = None
    pauses = _pauses(turns)
    return (
        _forwarding(receipt, forwarded, owed[-1]),
        *(
            Line(
                one.kind,
                one.number,
                one.starts_at,
                one.cap,
                one.met_at,
                one.ended_at,
                _within(pauses, one.starts_at, one.met_at or one.ended_at),
            )
            for one in owed
        ),
    )


def _take_in(owed: _Running, turn: Turn) -> None:
    """An answer that was owed on a case taken in is owed no later than there."""
    if owed.kind is DeadlineKind.ANSWER or turn.received is None:
        return  # the case's own columns hold the earlier receipt
    owed.starts_at = min(owed.starts_at, turn.received)
    if turn.due is not None:
        owed.cap = turn.due if owed.cap is None else min(owed.cap, turn.due)


def _forwarding(receipt: datetime, forwarded: datetime | None, owed: _Running) -> Line:
    if forwarded is not None:
        return Line(DeadlineKind.FORWARD, 1, receipt, met_at=max(forwarded, receipt))
    return Line(DeadlineKind.FORWARD, 1, receipt, ended_at=owed.met_at or owed.ended_at)


def _pauses(turns: tuple[Turn, ...]) -> list[tuple[datetime, datetime | None]]:
    found: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    for turn in turns:
        if turn.status == CaseStatus.WAITING_FOR_CITIZEN:
            since = since or turn.at
        elif turn.status and since is not None:
            found.append((since, max(since, turn.at)))
            since = None
    return [*found, (since, None)] if since is not None else found


def _within(
    pauses: list[tuple[datetime, datetime | None]], start: datetime, end: datetime | None
) -> tuple[tuple[datetime, datetime | None], ...]:
    """The pauses that begin while a deadline runs."""
    return tuple(one for one in pauses if start <= one[0] and (end is None or one[0] < end))
