# SPDX-License-Identifier: MIT
"""Tables of learning: what the machine suggested, what people decided, which model came of it."""

from __future__ import annotations

from enum import StrEnum

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


class LabelKind(StrEnum):
    """How a person came to say where a case belongs."""

    #: A person chose where the machine had not.
    TRIAGE = "triage"
    #: Another administration was chosen than the one that had the case.
    TRANSFER = "transfer"
    #: A blind check differed, and a person confirmed that the machine was wrong.
    CORRECTION = "correction"
    #: The administration that the machine chose answered, or a person let its choice stand.
    CONFIRMATION = "confirmation"
    #: A person chose without seeing what the machine had chosen.
    BLIND_CHECK = "blind_check"


class TrainingState(StrEnum):
    """What became of a training, or of a promotion by hand."""

    RUNNING = "running"
    PROMOTED = "promoted"
    NOT_PROMOTED = "not_promoted"
    NOTHING_NEW = "nothing_new"
    FAILED = "failed"


#: What the machine made of a case's text, automatic or not: ``administration`` is whom it chose,
#: null when it left the choice to a person. ``candidates``: [{"administration", "score"}], the best
#: first. ``first`` and ``margin`` are the classifier's own, before places and rules; ``rule`` is
#: the key of the rule that spoke loudest. The text itself stays in the case.
suggestions = Table(
    "suggestions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("text_digest", String(64), nullable=False),
    Column("language", String(16), nullable=False),
    Column("candidates", Json, nullable=False),
    Column("first", String(64), nullable=False),
    Column("margin", Float, nullable=False),
    Column("model", String(64), nullable=False),
    Column("rule", String(96), nullable=False),
    Column("administration", String(64), nullable=True),
    Column("suggested_at", UtcDateTime, nullable=False),
    Index("ix_suggestions_case_id", "case_id"),
    Index("ix_suggestions_suggested_at", "suggested_at"),
)

#: Every decision of a person about where a case belongs: a label to learn from. ``label`` is a
#: slug, several joined by ``|``, or ``person:…`` for what is no administration's. ``model`` is the
#: version whose suggestion the person saw (or, in a blind check, did not see).
routing_labels = Table(
    "routing_labels",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("suggestion_id", Uuid, ForeignKey("suggestions.id"), nullable=True),
    Column("kind", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("previous", String(64), nullable=True),
    Column("text_digest", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("decided_by", String(254), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Index("ix_routing_labels_case_id", "case_id", "decided_at"),
    Index("ix_routing_labels_decided_at", "decided_at"),
)

#: Every training and every promotion. ``night`` is the local day (YYYY-MM-DD) that a nightly one
#: belongs to: unique, so that it is done once however many sweepers run; null for one by hand.
trainings = Table(
    "trainings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("night", String(10), nullable=True, unique=True),
    Column("state", String(16), nullable=False),
    Column("version", String(64), nullable=False, default=""),
    Column("previous", String(64), nullable=False, default=""),
    Column("confirmed", Integer, nullable=False, default=0),
    Column("figures", Json, nullable=False, default=dict),
    Column("detail", Text, nullable=False, default=""),
    Column("started_by", String(254), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),
    Index("ix_trainings_started_at", "started_at"),
)
