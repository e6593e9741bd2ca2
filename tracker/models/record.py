# SPDX-License-Identifier: MIT
"""Tables of what was said: raw deliveries, cases, messages, their files, and the timeline."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
)

from tracker.models.types import Json, UtcDateTime, metadata

#: Every delivery that was ever accepted, raw. ``body`` comes last so that SQLite reads the other
#: columns of a row without walking its overflow pages.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("idempotency_key", String(255), nullable=False, unique=True),
    Column("message_id", Text, nullable=False, default=""),
    Column("received_at", UtcDateTime, nullable=False),
    Column("peer", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("outcome", String(24), nullable=True),
    Column("reason", Text, nullable=False, default=""),
    # Deferred: the claim is inserted first, whole, and its case after it in the same transaction;
    # an UPDATE afterwards would make SQLite write the body twice.
    Column(
        "case_id",
        Uuid,
        ForeignKey("cases.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    ),
    Column("answer", Json, nullable=False, default=dict),
    Column("url", Text, nullable=False, default=""),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_deliveries_state", "state"),
    Index("ix_deliveries_case_id", "case_id"),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tracking_code", String(12), nullable=False, unique=True),
    # The PIN is kept readable: a repeated delivery must be told the same one, and whoever reads
    # this row reads the complaint beside it anyway. It is in no export and on no desk page.
    Column("pin", String(6), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("status", String(24), nullable=False),
    Column("language", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("location", Text, nullable=False, default=""),
    Column("contact_scheme", String(16), nullable=False),
    Column("contact_value", Text, nullable=False),
    Column("contact_name", Text, nullable=False, default=""),
    Column("contact_confirmed", Boolean, nullable=False),
    Column("our_address", Text, nullable=False, default=""),
    Column("administration", String(64), nullable=True),
    Column("requested_datetime", UtcDateTime, nullable=False),
    Column("forward_by", UtcDateTime, nullable=True),
    Column("expected_datetime", UtcDateTime, nullable=True),
    # By when the answer that is owed now is due, where that is not ``expected_datetime``: after a
    # reopening. The first clock never moves.
    Column("answer_due", UtcDateTime, nullable=True),
    Column("updated_at", UtcDateTime, nullable=False),
    # The case of the same sender that came before this one, and the one that took this one in: its
    # code stays valid and tells the other's state. No case is ever deleted.
    Column("linked_to", Uuid, nullable=True),
    Column("merged_into", Uuid, nullable=True),
    # One case of several administrations: each has a child (its own status and outlet, the clock of
    # the parent); the citizen knows the parent's code alone. ``children`` counts them.
    Column("parent_case", Uuid, nullable=True),
    Column("children", Integer, nullable=False, default=0, server_default="0"),
    Index("ix_cases_contact", "contact_scheme", "contact_value", "requested_datetime"),
    Index("ix_cases_administration_status", "administration", "status"),
    Index("ix_cases_requested_datetime", "requested_datetime"),
    Index("ix_cases_parent_case", "parent_case"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("author", String(16), nullable=False),
    Column("author_name", Text, nullable=False, default=""),
    Column("channel", String(16), nullable=False),
    Column("sender", Text, nullable=False, default=""),
    Column("recipient", Text, nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("full_text", Text, nullable=False, default=""),
    Column("language", String(16), nullable=False, default=""),
    Column("date", UtcDateTime, nullable=False),
    Column("message_id", Text, nullable=False, default=""),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), nullable=True),
    Column("outbox_id", Uuid, nullable=True),
    Column("delivery_status", String(16), nullable=True),
    Column("delivery_detail", Text, nullable=False, default=""),
    Column("incomplete", Text, nullable=False, default=""),
    Index("ix_messages_case_id_date", "case_id", "date"),
    Index("ix_messages_message_id", "message_id"),
    Index("ix_messages_outbox_id", "outbox_id"),
)

#: Files of messages. ``sha256`` is null while a worker still has to fetch the file.
attachments = Table(
    "attachments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("message_id", Uuid, ForeignKey("messages.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("filename", Text, nullable=False, default=""),
    Column("media_type", String(127), nullable=False),
    Column("size", Integer, nullable=False, default=0),
    Column("sha256", String(64), ForeignKey("blobs.sha256"), nullable=True),
    Column("fetch_url", Text, nullable=False, default=""),
    # For recordings: awaiting | done | failed; empty for other files. The transcript is a hint.
    Column("transcript_state", String(16), nullable=False, default=""),
    Column("transcript", Text, nullable=False, default=""),
    Column("transcript_data", Json, nullable=True),
    Index("ix_attachments_message_id", "message_id"),
    Index("ix_attachments_sha256", "sha256"),
)

#: Content-addressed bytes: one commit and one backup with the rest (docs/decisions).
blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

#: The timeline, in the words of CloudEvents 1.0: id, source, type, subject, time, data.
case_events = Table(
    "case_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("source", String(127), nullable=False),
    Column("type", String(64), nullable=False),
    Column("subject", Text, nullable=False, default=""),
    Column("time", UtcDateTime, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_case_events_case_id_time", "case_id", "time"),
)
