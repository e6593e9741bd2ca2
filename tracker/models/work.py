# SPDX-License-Identifier: MIT
"""Tables of what is still to be done: the outbox, what a person must look at, and mailboxes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
)

from tracker.models.types import Json, UtcDateTime, metadata

#: RQ is a doorbell, this table is the truth. ``automatic`` marks what counts against the limits of
#: promise 11; ``recipient`` is whom it goes to (or the administration's slug for a referral).
outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(8), nullable=False),
    Column("idempotency_key", String(255), nullable=False, unique=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=True),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=True),
    Column("channel", String(16), nullable=False),
    Column("recipient_scheme", String(16), nullable=False, default=""),
    Column("recipient", Text, nullable=False, default=""),
    Column("automatic", Boolean, nullable=False, default=False),
    Column("payload", Json, nullable=False, default=dict),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("claimed_until", UtcDateTime, nullable=True),
    Column("claimed_by", String(64), nullable=False, default=""),
    Column("done_at", UtcDateTime, nullable=True),
    Column("provider_id", Text, nullable=False, default=""),
    Column("delivery_status", String(16), nullable=True),
    Column("last_error", Text, nullable=False, default=""),
    Index("ix_outbox_state_not_before", "state", "not_before"),
    Index("ix_outbox_case_id", "case_id"),
    Index("ix_outbox_recipient_done_at", "recipient", "done_at"),
)

#: The one list *Needs a person*. ``resolved_at`` is null while somebody still has to look.
attention = Table(
    "attention",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reason", String(16), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=True),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), nullable=True),
    Column("outbox_id", Uuid, ForeignKey("outbox.id"), nullable=True),
    Column("data", Json, nullable=False, default=dict),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime, nullable=True),
    Column("resolved_by", Text, nullable=False, default=""),
    Column("action", String(24), nullable=False, default=""),
    Index("ix_attention_resolved_at", "resolved_at", "opened_at"),
    Index("ix_attention_case_id", "case_id"),
)

#: Up to where each mailbox is settled. UIDVALIDITY and UID have 32 bits without a sign (RFC 3501).
mailbox_cursors = Table(
    "mailbox_cursors",
    metadata,
    Column("account", String(400), primary_key=True),
    Column("folder", String(255), primary_key=True),
    Column("uid_validity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
