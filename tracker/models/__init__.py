# SPDX-License-Identifier: MIT
"""All tables, under one metadata and one Alembic line."""

from tracker.models.clock import DeadlineKind, deadlines
from tracker.models.handling import LinkState, case_links, transfers
from tracker.models.learning import (
    LabelKind,
    TrainingState,
    routing_labels,
    suggestions,
    trainings,
)
from tracker.models.people import administrations, decisions, opt_outs, throttle, users
from tracker.models.record import attachments, blobs, case_events, cases, deliveries, messages
from tracker.models.types import Json, UtcDateTime, metadata
from tracker.models.vocabulary import (
    AttentionReason,
    Author,
    CaseStatus,
    DeliveryState,
    Direction,
    EventType,
    OutboxKind,
    OutboxState,
    Role,
    SmsTextState,
)
from tracker.models.work import (
    attention,
    mailbox_cursors,
    outbox,
    sms_parts,
    sms_segments,
    sms_texts,
)

__all__ = [
    "AttentionReason",
    "Author",
    "CaseStatus",
    "DeadlineKind",
    "DeliveryState",
    "Direction",
    "EventType",
    "Json",
    "LabelKind",
    "LinkState",
    "OutboxKind",
    "OutboxState",
    "Role",
    "SmsTextState",
    "TrainingState",
    "UtcDateTime",
    "administrations",
    "attachments",
    "attention",
    "blobs",
    "case_events",
    "case_links",
    "cases",
    "deadlines",
    "decisions",
    "deliveries",
    "mailbox_cursors",
    "messages",
    "metadata",
    "opt_outs",
    "outbox",
    "routing_labels",
    "sms_parts",
    "sms_segments",
    "sms_texts",
    "suggestions",
    "throttle",
    "trainings",
    "transfers",
    "users",
]
