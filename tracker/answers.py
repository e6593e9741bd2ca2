# SPDX-License-Identifier: MIT
"""What people do to a case: assign it, answer it, note on it. Desk, mail and API all call these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normalizer.language import detect
from tracker import attention, children, learning, ledger, register, transfers
from tracker.identity import new_id
from tracker.models import (
    AttentionReason,
    Author,
    CaseStatus,
    Direction,
    EventType,
    LabelKind,
    OutboxKind,
    cases,
    decisions,
)
from tracker.outbox import put
from tracker.status import allowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row


def assign(
    connection: Connection,
    case: Row[Any],
    slug: str,
    *,
    by: str,
    reasons: Sequence[str],
    now: datetime,
    confidence: float = 1.0,
    source: str = "/desk",
    outlet: str = "desk",
    label: LabelKind | None = LabelKind.TRIAGE,
) -> bool:
    """Hand a case to an administration: decision, status, event, referral. The clock runs on.

    From another administration's hands it is a transfer: the reasons are kept as its reason, and
    the citizen is told who has it now. ``label`` says what a person's choice is to be learnt as
    (triage is a transfer where the case was another's); ``None`` where a machine chose.

    Returns:
        ``False`` when the administration has it already.
    """
    if case.administration == slug:
        return False
    decision_id = new_id()
    before, moved = case.administration, case.administration is not None
    if label is LabelKind.CORRECTION:
        transfers.take_back(connection, case, slug, by=by, now=now, source=source)
        case = register.case_by_id(connection, case.id) or case
    elif moved:
        reason = "; ".join(reasons)
        transfers.hand_on(connection, case, slug, reason=reason, by=by, now=now, source=source)
        case = register.case_by_id(connection, case.id) or case
    else:
        moved = transfers.arrived(connection, case, slug)
    if label is not None:
        kind = LabelKind.TRANSFER if moved and label is LabelKind.TRIAGE else label
        learning.learn(connection, case, slug, kind, by=by, now=now, previous=before)
    connection.execute(
        decisions.insert().values(
            id=decision_id,
            case_id=case.id,
            administration=slug,
            confidence=confidence,
            reasons=list(reasons),
            decided_by=by,
            decided_at=now,
        ),
    )
    connection.execute(
        cases.update().where(cases.c.id == case.id).values(administration=slug, updated_at=now)
    )
    register.add_event(
        connection,
        case.id,
        EventType.ROUTED,
        {"administration": slug, "by": by, "reasons": list(reasons), "confidence": confidence},
        source=source,
        at=now,
    )
    ledger.touch(connection, case.id, now)
    if CaseStatus.REFERRED in allowed(case.status):
        register.change_status(
            connection, case, CaseStatus.REFERRED, by=by, source=source, at=now, tell=not moved
        )
        children.settle(connection, case, by=by, source=source, at=now)
    if moved:
        told = children.citizens_case(connection, case)
        transfers.tell_citizen(connection, told, slug, decision_id, now=now)
    attention.resolve_of_case(connection, case.id, AttentionReason.UNROUTED, by=by, at=now)
    put(
        connection,
        OutboxKind.REFER,
        f"refer:{decision_id}",
        now=now,
        channel=outlet,
        recipient_scheme="administration",
        recipient=slug,
        case_id=case.id,
    )
    return True


def answer_case(
    connection: Connection,
    case: Row[Any],
    text: str,
    *,
    author_name: str,
    administration: str | None,
    now: datetime,
    close: bool = False,
    question: bool = False,
    delivery_id: UUID | None = None,
    source: str = "/desk",
    full_text: str = "",
    files: Sequence[Mapping[str, Any]] = (),
) -> UUID:
    """Record an administration's answer and send it to the citizen on their own channel.

    The answer to a child goes into the thread of its parent, named by its administration; the
    parent is answered when all of its children are.

    Args:
        connection: inside a transaction.
        case: the case's row.
        text: the words of the answer.
        author_name: who signs it, as shown at the desk.
        administration: the slug that answers.
        now: the present time.
        close: close the case after the answer.
        question: it asks the citizen something: the case waits for them instead of being answered.
        delivery_id: the mail it came by, when it came by mail.
        source: CloudEvents source.
        full_text: all words of that mail, ``""`` where equal to ``text``.
        files: ``{filename, media_type, content}`` each; they go along where the answer leaves by
            mail.

    Returns:
        the id of the message.
    """
    # A form without a contact is still answered: on its tracking page.
    told = children.citizens_case(connection, case)
    reachable = bool(told.contact_value) or told.channel == "web"
    message_id = register.add_message(
        connection,
        told.id,
        {
            "direction": str(Direction.OUTBOUND),
            "author": str(Author.ADMINISTRATION),
            "author_name": author_name,
            "channel": told.channel,
            "sender": administration or "",
            "recipient": told.contact_value,
            "text": text,
            "full_text": full_text,
            "language": detect(text, case.language),
            "date": now,
            "delivery_id": delivery_id,
            "delivery_status": "queued" if reachable else None,
        },
    )
    register.add_attachments(connection, message_id, files)
    for one in {case.id, told.id}:
        register.add_event(
            connection,
            one,
            EventType.REPLIED,
            {"by": author_name, "administration": administration or ""},
            source=source,
            subject=str(message_id),
            at=now,
        )
    new = CaseStatus.WAITING_FOR_CITIZEN if question else CaseStatus.ANSWERED
    # Who speaks for a case of several administrations does not answer for them.
    if new in allowed(case.status) and not case.children:
        register.change_status(
            connection, case, new, by=author_name, source=source, at=now, tell=False
        )
    if close and not case.children:
        current = register.case_by_id(connection, case.id)
        if current is not None and CaseStatus.CLOSED in allowed(current.status):
            register.change_status(
                connection, current, CaseStatus.CLOSED, by=author_name, source=source, at=now
            )
    children.settle(connection, case, by=author_name, source=source, at=now)
    if not question:
        learning.answered(connection, case, by=author_name, now=now)
    if reachable:
        put(
            connection,
            OutboxKind.REPLY,
            f"reply:{message_id}",
            now=now,
            channel=told.channel,
            recipient_scheme=told.contact_scheme,
            recipient=told.contact_value,
            case_id=told.id,
            message_id=message_id,
        )
    return message_id


def note(
    connection: Connection, case: Row[Any], text: str, *, author_name: str, now: datetime
) -> UUID:
    """Add an internal note; it never leaves the house."""
    message_id = register.add_message(
        connection,
        case.id,
        {
            "direction": str(Direction.INTERNAL),
            "author": str(Author.ADMINISTRATION),
            "author_name": author_name,
            "channel": "web",
            "text": text,
            "date": now,
        },
    )
    register.add_event(
        connection,
        case.id,
        EventType.NOTE_ADDED,
        {"by": author_name},
        source="/desk",
        subject=str(message_id),
        at=now,
    )
    return message_id


def set_status(
    connection: Connection, case: Row[Any], status: CaseStatus, *, by: str, now: datetime
) -> bool:
    """Change the status at the desk and tell the citizen.

    Raises:
        ForbiddenMove: the status may not follow the present one.
    """
    changed = register.change_status(connection, case, status, by=by, source="/desk", at=now)
    children.settle(connection, case, by=by, source="/desk", at=now)
    return changed
