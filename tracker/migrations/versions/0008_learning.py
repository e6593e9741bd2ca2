# SPDX-License-Identifier: MIT
"""What the machine suggested, what people decided, and which models came of it."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. Decisions of before have no digest and no model: they teach nothing."""
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("first", sa.String(64), nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(96), nullable=False),
        sa.Column("administration", sa.String(64), nullable=True),
        sa.Column("suggested_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_suggestions_case_id_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index("ix_suggestions_case_id", "suggestions", ["case_id"])
    op.create_index("ix_suggestions_suggested_at", "suggestions", ["suggested_at"])
    op.create_table(
        "routing_labels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("suggestion_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=True),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.String(254), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_routing_labels_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
            name=op.f("fk_routing_labels_suggestion_id_suggestions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_labels")),
    )
    op.create_index("ix_routing_labels_case_id", "routing_labels", ["case_id", "decided_at"])
    op.create_index("ix_routing_labels_decided_at", "routing_labels", ["decided_at"])
    op.create_table(
        "trainings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("night", sa.String(10), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("started_by", sa.String(254), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainings")),
        sa.UniqueConstraint("night", name=op.f("uq_trainings_night")),
    )
    op.create_index("ix_trainings_started_at", "trainings", ["started_at"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("trainings")
    op.drop_table("routing_labels")
    op.drop_table("suggestions")
