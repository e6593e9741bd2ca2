# SPDX-License-Identifier: MIT
"""Which case of the same sender a case follows, and which one took it in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CONTACT = ("contact_scheme", "contact_value")


def upgrade() -> None:
    """Apply the change."""
    op.add_column("cases", sa.Column("linked_to", sa.Uuid(), nullable=True))
    op.add_column("cases", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.drop_index("ix_cases_contact", "cases")
    op.create_index("ix_cases_contact", "cases", [*_CONTACT, "requested_datetime"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_cases_contact", "cases")
    op.create_index("ix_cases_contact", "cases", list(_CONTACT))
    op.drop_column("cases", "merged_into")
    op.drop_column("cases", "linked_to")
