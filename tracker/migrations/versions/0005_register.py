# SPDX-License-Identifier: MIT
"""What is known of an administration: place, calendar, contacts, dated names."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""


def downgrade() -> None:
    """Take the change back."""
