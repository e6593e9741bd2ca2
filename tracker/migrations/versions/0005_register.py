# SPDX-License-Identifier: MIT
"""What is known of an administration: place, calendar, contacts, dated names."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LISTS = ("names_former", "matters", "places")
_TEXTS = ("phone", "website", "address")


def upgrade() -> None:
    """Apply the change. Administrations on record serve the whole country, as they did."""
    for name in _LISTS:
        op.add_column("administrations", sa.Column(name, Json, nullable=False, server_default="[]"))
    calendar = sa.Column("calendar", sa.String(length=64), nullable=False, server_default="")
    op.add_column("administrations", calendar)
    for name in _TEXTS:
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("administrations", column)


def downgrade() -> None:
    """Take the change back."""
    for name in (*reversed(_TEXTS), "calendar", *reversed(_LISTS)):
        op.drop_column("administrations", name)
