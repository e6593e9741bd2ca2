# SPDX-License-Identifier: MIT
"""Which status may follow which. Reopening leads back to ``in_progress``."""

from __future__ import annotations

from tracker.models import CaseStatus as S

_MOVES: dict[S, frozenset[S]] = {
    S.RECEIVED: frozenset({S.TRIAGE, S.REFERRED, S.OUT_OF_COMPETENCE, S.WITHDRAWN, S.ANSWERED}),
    S.TRIAGE: frozenset({S.REFERRED, S.OUT_OF_COMPETENCE, S.WITHDRAWN, S.ANSWERED}),
    S.REFERRED: frozenset(
        {
            S.IN_PROGRESS,
            S.WAITING_FOR_CITIZEN,
            S.ANSWERED,
            S.TRIAGE,
            S.OUT_OF_COMPETENCE,
            S.WITHDRAWN,
        }
    ),
    S.IN_PROGRESS: frozenset(
        {S.WAITING_FOR_CITIZEN, S.ANSWERED, S.TRIAGE, S.OUT_OF_COMPETENCE, S.WITHDRAWN}
    ),
    S.WAITING_FOR_CITIZEN: frozenset({S.IN_PROGRESS, S.ANSWERED, S.TRIAGE, S.WITHDRAWN}),
    S.ANSWERED: frozenset({S.CLOSED, S.IN_PROGRESS}),
    S.CLOSED: frozenset({S.IN_PROGRESS}),
    S.OUT_OF_COMPETENCE: frozenset({S.IN_PROGRESS, S.TRIAGE}),
    S.WITHDRAWN: frozenset({S.IN_PROGRESS}),
}
#: Cases that nobody works on any more.
FINAL = frozenset({S.CLOSED, S.OUT_OF_COMPETENCE, S.WITHDRAWN})
#: Cases in which no answer is due: the citizen has one, or none will come.
SETTLED = FINAL | {S.ANSWERED}


class ForbiddenMove(ValueError):  # noqa: N818
    """A status that may not follow the present one."""


def allowed(status: str) -> frozenset[S]:
    """The statuses that may follow ``status``."""
    return _MOVES[S(status)]


def check_move(current: str, new: str) -> None:
    """Raise :class:`ForbiddenMove` unless ``new`` may follow ``current``; staying is allowed."""
    if current != new and S(new) not in allowed(current):
        message = f"a case that is {current} cannot become {new}"
        raise ForbiddenMove(message)
