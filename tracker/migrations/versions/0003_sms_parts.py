# SPDX-License-Identifier: MIT
"""Parts of long texts, texts that leave by SMPP, and the operator's ids of their segments."""

import sqlalchemy as sa
from alembic import op

from tracker.models.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "sms_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text_key", sa.String(length=64), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("smsc", sa.String(length=64), nullable=False),
        sa.Column("source_scheme", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("reference_bits", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("data_coding", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("user_data", sa.LargeBinary(), nullable=False),
        sa.Column("pdu", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_sms_parts_delivery_id_deliveries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_parts")),
        sa.UniqueConstraint("key", "repetition", name=op.f("uq_sms_parts_key_repetition")),
        sa.UniqueConstraint(
            "text_key",
            "occurrence",
            "number",
            name=op.f("uq_sms_parts_text_key_occurrence_number"),
        ),
    )
    op.create_index(
        "ix_sms_parts_delivery_id_received_at", "sms_parts", ["delivery_id", "received_at"]
    )
    op.create_table(
        "sms_texts",
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("recipient_scheme", sa.String(length=16), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_sms_texts_outbox_id_outbox")
        ),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_sms_texts")),
    )
    op.create_index("ix_sms_texts_state_not_before", "sms_texts", ["state", "not_before"])
    op.create_table(
        "sms_segments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("smsc", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_sms_segments_outbox_id_outbox")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_segments")),
        sa.UniqueConstraint("smsc", "message_id", name=op.f("uq_sms_segments_smsc_message_id")),
    )
    op.create_index("ix_sms_segments_outbox_id", "sms_segments", ["outbox_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("sms_segments")
    op.drop_table("sms_texts")
    op.drop_table("sms_parts")
