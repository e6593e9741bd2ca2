# SPDX-License-Identifier: MIT
"""Tables of who may do what: administrations, desk users, decisions, opt-outs, throttling."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
)

from tracker.models.types import Json, UtcDateTime, metadata

#: ``names`` and ``competence`` are JSON by BCP 47 tag: {"fr": "…", "ar": "…"}; competence words are
#: lists. ``names`` are today's; ``names_former`` is a list of {"language", "name", "since" or "",
#: "until"}, days as YYYY-MM-DD, both included. ``matters`` and ``places`` are lists of keys: what
#: it does, where. The slug is a public identifier and never changes.
administrations = Table(
    "administrations",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("names", Json, nullable=False),
    Column("kind", String(32), nullable=False, default=""),
    Column("parent", String(64), nullable=True),
    Column("competence", Json, nullable=False, default=dict),
    Column("outlet", String(16), nullable=False),
    Column("email", Text, nullable=False, default=""),
    Column("webhook_url", Text, nullable=False, default=""),
    Column("names_former", Json, nullable=False, default=list),
    Column("matters", Json, nullable=False, default=list),
    Column("places", Json, nullable=False, default=list),
    Column("calendar", String(64), nullable=False, default=""),
    Column("phone", Text, nullable=False, default=""),
    Column("website", Text, nullable=False, default=""),
    Column("address", Text, nullable=False, default=""),
    Column("active", Boolean, nullable=False, default=True),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("administration", String(64), ForeignKey("administrations.slug"), nullable=True),
    Column("disabled", Boolean, nullable=False, default=False),
    # Raised by a password change or a sign-out everywhere; a session with another number is over.
    Column("session_epoch", Integer, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
)

#: Every choice of an administration, by a rule or a person, with its reasons; a person's choice
#: is a label to learn from.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("administration", String(64), nullable=True),
    Column("confidence", Float, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("decided_by", String(254), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Index("ix_decisions_case_id", "case_id"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("recipient", String(254), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
)

#: Failed guesses (codes, PINs, passwords), and when somebody last wrote by WhatsApp, by a keyed
#: digest of who it was; rows expire.
throttle = Table(
    "throttle",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("scope", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_throttle_scope_subject_at", "scope", "subject", "at"),
)
