# SPDX-License-Identifier: MIT
"""The legal clock: the ledger of deadlines, and the day of an answer owed after a reopening."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. Lines of older cases are written by the sweeper's first round."""
    op.add_column("cases", sa.Column("answer_due", UtcDateTime(), nullable=True))
    op.create_table(
        "deadlines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("deadline", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("met_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("late_days", sa.Integer(), nullable=True),
        sa.Column("waited_days", sa.Integer(), nullable=False),
        sa.Column("administration", sa.String(64), nullable=True),
        sa.Column("escalated_to", sa.String(64), nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_deadlines_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint(
            "case_id", "deadline", "number", name=op.f("uq_deadlines_case_id_deadline_number")
        ),
    )
    op.create_index("ix_deadlines_next_at", "deadlines", ["next_at"])
    op.create_index("ix_deadlines_due", "deadlines", ["due"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("deadlines")
    op.drop_column("cases", "answer_due")
