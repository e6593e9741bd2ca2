# SPDX-License-Identifier: MIT
"""The ledger of the legal clock: one line for each deadline of each case."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, Uuid

from tracker.models.types import UtcDateTime, metadata


class DeadlineKind(StrEnum):
    """What is owed by a day."""

    FORWARD = "forward"
    ANSWER = "answer"
    FOLLOW_UP = "follow_up"


#: ``forward`` and ``answer`` run from receipt, once a case; each reopening after an answer adds a
#: ``follow_up`` with the next ``number``. ``met_at``: what was owed was done; ``ended_at``: nobody
#: owes it any more (withdrawn, merged, out of competence). ``administration`` had the case when the
#: deadline was met or fell due, whichever came first. The steps up to ``looked_at`` are taken;
#: ``next_at`` is when the sweeper looks at the case again, null when there is nothing to do.
deadlines = Table(
    "deadlines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("deadline", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("met_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    Column("late_days", Integer, nullable=True),
    Column("waited_days", Integer, nullable=False, default=0),
    Column("administration", String(64), nullable=True),
    Column("escalated_to", String(64), nullable=True),
    Column("looked_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=True),
    UniqueConstraint("case_id", "deadline", "number"),
    Index("ix_deadlines_next_at", "next_at"),
    Index("ix_deadlines_due", "due"),
)
