# SPDX-License-Identifier: MIT
"""The closed vocabularies of the record, as the database, the export and the API spell them."""

from __future__ import annotations

from enum import StrEnum


class CaseStatus(StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    TRIAGE = "triage"
    REFERRED = "referred"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_CITIZEN = "waiting_for_citizen"
    ANSWERED = "answered"
    CLOSED = "closed"
    OUT_OF_COMPETENCE = "out_of_competence"
    WITHDRAWN = "withdrawn"


class DeliveryState(StrEnum):
    """What became of an accepted delivery."""

    FILED = "filed"
    APPENDED = "appended"
    ANSWERED = "answered"
    HELD = "held"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class OutboxKind(StrEnum):
    """What is still to be done."""

    ACKNOWLEDGE = "acknowledge"
    NOTIFY = "notify"
    REPLY = "reply"
    REFER = "refer"
    TRANSCRIBE = "transcribe"
    ROUTE = "route"
    CONFIRM_CONTACT = "confirm_contact"


class OutboxState(StrEnum):
    """How far an entry is."""

    DUE = "due"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"


class SmsTextState(StrEnum):
    """How far a text of ours is that leaves by SMPP."""

    DUE = "due"
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Which way a message went."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Author(StrEnum):
    """Who speaks in a message."""

    CITIZEN = "citizen"
    ADMINISTRATION = "administration"
    SYSTEM = "system"


class AttentionReason(StrEnum):
    """Why a person must look (design, promise 10)."""

    UNROUTED = "unrouted"
    HELD = "held"
    QUARANTINED = "quarantined"
    UNDELIVERED = "undelivered"
    MISSED = "missed"
    UNFETCHED = "unfetched"
    UNTRANSCRIBED = "untranscribed"
    BLIND_CHECK = "blind_check"


class Role(StrEnum):
    """What a desk user may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    TRIAGE = "triage"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class EventType(StrEnum):
    """CloudEvents ``type`` of what happens to a case (reverse-DNS style, one word per fact)."""

    RECEIVED = "guichet.case.received"
    MESSAGE_ADDED = "guichet.case.message_added"
    STATUS_CHANGED = "guichet.case.status_changed"
    ROUTED = "guichet.case.routed"
    REFERRED = "guichet.case.referred"
    REPLIED = "guichet.case.replied"
    NOTE_ADDED = "guichet.case.note_added"
    MESSAGE_SENT = "guichet.message.sent"
    RECEIPT = "guichet.message.receipt"
    DELIVERY_FAILED = "guichet.message.failed"
    RECORDING_STORED = "guichet.recording.stored"
    NOT_FETCHED = "guichet.recording.not_fetched"
    TRANSCRIBED = "guichet.recording.transcribed"
    CONTACT_CONFIRMED = "guichet.case.contact_confirmed"
    CONTACT_SHOWN = "guichet.case.contact_shown"
    ATTENTION_RESOLVED = "guichet.attention.resolved"
    PARTS_MISSING = "guichet.message.parts_missing"
    LATE_PART = "guichet.message.late_part"
    REMINDED = "guichet.case.reminded"
    OVERDUE = "guichet.case.overdue"
    ESCALATED = "guichet.case.escalated"
    TRANSFERRED = "guichet.case.transferred"
    DIVIDED = "guichet.case.divided"
    LINKED = "guichet.case.linked"
    DIRECTED_ELSEWHERE = "guichet.case.directed_elsewhere"
    DANGER = "guichet.case.danger"
