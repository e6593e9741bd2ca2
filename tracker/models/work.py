# SPDX-License-Identifier: MIT
"""Tables of what is still to be done: outbox, what a person must look at, mailboxes, SMS parts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
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
    # Somebody is in danger: it stands above all others.
    Column("urgent", Boolean, nullable=False, default=False, server_default=false()),
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

#: One part each of the long texts that come by SMPP. ``text_key`` names the text by what its parts
#: share (sender, our number, reference, total), ``occurrence`` counts the texts that shared it so
#: far, ``repetition`` how often these same words came as this part; all are claimed by insert.
sms_parts = Table(
    "sms_parts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("text_key", String(64), nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("key", String(64), nullable=False),
    Column("repetition", Integer, nullable=False),
    Column("smsc", String(64), nullable=False),
    Column("source_scheme", String(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("reference_bits", Integer, nullable=False),
    Column("reference", Integer, nullable=False),
    Column("data_coding", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # Null while the text waits for its other parts; then the delivery that holds this part.
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), nullable=True),
    Column("user_data", LargeBinary, nullable=False),
    Column("pdu", LargeBinary, nullable=False),
    UniqueConstraint("text_key", "occurrence", "number"),
    UniqueConstraint("key", "repetition"),
    Index("ix_sms_parts_delivery_id_received_at", "delivery_id", "received_at"),
)

#: Texts of ours that leave by SMPP, one for an outbox entry: put by the relay, which composed
#: them, taken by the process that holds the line. ``state`` is one of ``SmsTextState``.
sms_texts = Table(
    "sms_texts",
    metadata,
    Column("outbox_id", Uuid, ForeignKey("outbox.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("recipient_scheme", String(16), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_until", UtcDateTime, nullable=True),
    Column("last_error", Text, nullable=False),
    Index("ix_sms_texts_state_not_before", "state", "not_before"),
)

#: The operator's id of each segment that we sent. ``outbox_id`` is null where the receipt came
#: before the answer that gives us the id.
sms_segments = Table(
    "sms_segments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("smsc", String(64), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("outbox_id", Uuid, ForeignKey("outbox.id"), nullable=True),
    Column("number", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("smsc", "message_id"),
    Index("ix_sms_segments_outbox_id", "outbox_id"),
)
