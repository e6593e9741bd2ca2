# SPDX-License-Identifier: MIT
"""Where each mailbox was read up to."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "mailbox_cursors",
        sa.Column("account", sa.String(length=400), nullable=False),
        sa.Column("folder", sa.String(length=255), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "folder", name=op.f("pk_mailbox_cursors")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("mailbox_cursors")
