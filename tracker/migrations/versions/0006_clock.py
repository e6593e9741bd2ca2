# SPDX-License-Identifier: MIT
"""The legal clock: reminders sent, escalations, the overdue ledger."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""


def downgrade() -> None:
    """Take the change back."""
