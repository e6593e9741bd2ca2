# SPDX-License-Identifier: MIT
"""What people decided, as examples to learn from; models and blind checks."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""


def downgrade() -> None:
    """Take the change back."""
