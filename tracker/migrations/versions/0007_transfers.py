# SPDX-License-Identifier: MIT
"""Transfers, several administrations for one case, likely duplicates."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""


def downgrade() -> None:
    """Take the change back."""
