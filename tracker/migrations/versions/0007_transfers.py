# SPDX-License-Identifier: MIT
"""Transfers, several administrations for one case, likely duplicates, urgent items."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("cases", sa.Column("parent_case", sa.Uuid(), nullable=True))
    op.add_column(
        "cases", sa.Column("children", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.create_index("ix_cases_parent_case", "cases", ["parent_case"])
    op.add_column(
        "attention",
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_administration", sa.String(64), nullable=False),
        sa.Column("to_administration", sa.String(64), nullable=True),
        sa.Column("proposed", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("transferred_by", sa.String(254), nullable=False),
        sa.Column("transferred_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_transfers_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_transfers_case_id_number")),
    )
    op.create_table(
        "case_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("decided_by", sa.String(254), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_links_case_id_cases")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["cases.id"], name=op.f("fk_case_links_other_id_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_links")),
        sa.UniqueConstraint("case_id", "other_id", name=op.f("uq_case_links_case_id_other_id")),
    )
    op.create_index("ix_case_links_other_id", "case_links", ["other_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("case_links")
    op.drop_table("transfers")
    op.drop_column("attention", "urgent")
    op.drop_index("ix_cases_parent_case", "cases")
    op.drop_column("cases", "children")
    op.drop_column("cases", "parent_case")
