# SPDX-License-Identifier: MIT
"""Carries a plan out: every insert of one delivery, inside the caller's savepoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from channels.message import ChannelName, DeliveryStatus, Receipt
from channels.voice.twilio import missed_key
from dispatcher.work import UNTOLD
from gateway import danger, moving
from gateway.repeating import REPEATED
from normalizer.complaint import Outcome
from normalizer.phone import is_mobile
from normalizer.text import storable
from tracker import (
    answers,
    attention,
    deferred,
    missed_calls,
    opt_outs,
    outbox,
    receipts,
    register,
    throttle,
)
from tracker.identity import new_id
from tracker.models import (
    AttentionReason,
    Author,
    Direction,
    EventType,
    OutboxKind,
    case_events,
    cases,
)
from tracker.models import outbox as outbox_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from channels.channel import Delivery
    from gateway.plan import Plan
    from normalizer.complaint import Submission


def is_storage_failure(error: BaseException) -> bool:
    """Whether the database itself failed: then the peer must try again, and nothing is stored."""
    return isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError)


def carry_out(
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> None:
    """Do what the plan says; anything raised undoes all of it and quarantines the delivery."""
    if plan.move is not None:
        moving.move(connection, plan.move, at=delivery.received_at, channel=str(delivery.channel))
    elif plan.new_case is not None:
        _open_case(connection, plan, submission, delivery, delivery_id)
    elif plan.outcome is Outcome.ADMINISTRATION_REPLY and plan.case is not None:
        answers.answer_case(
            connection,
            plan.case,
            submission.description,
            author_name=plan.administration or "",
            administration=plan.administration,
            now=delivery.received_at,
            delivery_id=delivery_id,
            source="/channels/email",
            full_text=submission.full_text,
            files=_files(submission, delivery),
        )
    elif plan.outcome is Outcome.FOLLOW_UP and plan.case is not None:
        # A late part of a text may come when its case was merged into another.
        case = register.standing(connection, plan.case)
        _append(connection, case, submission, delivery, delivery_id, plan)
    elif plan.keep and plan.case is not None:
        _keep(connection, plan.case, submission, delivery, delivery_id)
    elif plan.outcome in (Outcome.BOUNCE, Outcome.DELAY) and "outbox_id" in plan.facts:
        _returned(connection, plan.facts, delivery)
    elif plan.outcome in (Outcome.OPT_OUT, Outcome.OPT_IN):
        _opt(connection, submission, delivery, out=plan.outcome is Outcome.OPT_OUT)
    _tell(connection, plan, submission, delivery, delivery_id)


def _tell(
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> None:
    """What a delivery leads to beside its case: notices, notes, an item for a person."""
    if call := submission.message.fields.get("call_sid"):
        # The end of the call may be told before its recording: then it looked as if it left none.
        who, at = submission.contact.value, delivery.received_at
        missed_calls.take_back(connection, missed_key(call), caller=who, at=at)
    if plan.danger:  # before the acknowledgement is due, so that it leaves first
        danger.raise_alarm(connection, plan, submission, delivery, delivery_id)
    if plan.notice:
        _notice(connection, plan, submission, delivery, delivery_id)
    if plan.heard:
        throttle.heard(connection, str(ChannelName.WHATSAPP), plan.heard, delivery.received_at)
    if "wrong_code" in plan.facts:
        throttle.record(connection, "code", plan.facts["wrong_code"], delivery.received_at)
    if plan.attention is AttentionReason.MISSED:
        caller = submission.contact
        missed_calls.note(
            connection,
            plan.reason,
            at=delivery.received_at,
            delivery_id=delivery_id,
            caller=caller.value if caller.replyable else "",
            data=plan.facts,
        )
    elif plan.attention is not None:
        attention.open_item(
            connection,
            plan.attention,
            plan.reason,
            at=delivery.received_at,
            delivery_id=delivery_id,
            data=plan.facts,
        )


def _open_case(
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> None:
    if plan.new_case is None:
        return
    case_id: UUID = plan.new_case["id"]
    now = delivery.received_at
    contact = submission.contact
    confirmed = delivery.channel is not ChannelName.WEB
    register.open_case(
        connection,
        {
            **plan.new_case,
            "kind": str(submission.kind),
            "channel": str(delivery.channel),
            "language": submission.language,
            "subject": submission.subject,
            "description": submission.description,
            "location": submission.location,
            "contact_scheme": str(contact.scheme),
            "contact_value": contact.value,
            "contact_name": storable(contact.display_name),
            "contact_confirmed": confirmed,
            "our_address": storable(submission.message.recipient)[:320],
            "requested_datetime": now,
        },
    )
    message_id = _add_message(connection, case_id, submission, delivery, delivery_id)
    deferred.insert(
        connection,
        case_events,
        [
            register.event_row(
                case_id,
                EventType.RECEIVED,
                {"channel": str(delivery.channel), "language": submission.language},
                source=f"/channels/{delivery.channel}",
                subject=str(message_id),
                at=now,
            )
        ],
    )
    to: dict[str, Any] = {
        "now": now,
        "case_id": case_id,
        "channel": str(delivery.channel),
        "recipient_scheme": str(contact.scheme),
        "recipient": contact.value,
    }
    recorded = any(file.fetch_url for file in submission.message.attachments)
    entries: list[dict[str, Any]] = []
    if plan.acknowledge:
        values = dict(to, automatic=True)
        if plan.beside:
            values["payload"] = {"other": plan.beside}
        if plan.danger:
            values["payload"] = {**values.get("payload", {}), "danger": True}
        if plan.tell_code_at is not None:
            values["not_before"] = plan.tell_code_at
            values["payload"] = {**values.get("payload", {}), UNTOLD: True}
        elif delivery.channel is ChannelName.VOICE:  # the call spoke the code; a text repeats it
            values["channel"] = str(ChannelName.SMS)
        spoken = delivery.channel is ChannelName.VOICE and plan.tell_code_at is None
        if not spoken or is_mobile(contact.value):
            entries.append(outbox.row(OutboxKind.ACKNOWLEDGE, f"ack:{case_id}", **values))
    if recorded:
        entries.append(
            outbox.row(
                OutboxKind.TRANSCRIBE, f"transcribe:{message_id}", **dict(to, message_id=message_id)
            )
        )
    if delivery.channel is not ChannelName.VOICE:
        entries.append(outbox.row(OutboxKind.ROUTE, f"route:{case_id}", **to))
    if not confirmed and contact.replyable:
        entries.append(
            outbox.row(OutboxKind.CONFIRM_CONTACT, f"confirm:{case_id}", **dict(to, automatic=True))
        )
    if entries:
        deferred.insert(connection, outbox_table, entries)


def _add_message(
    connection: Connection,
    case_id: UUID,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> UUID:
    message = submission.message
    message_id = new_id()
    register.add_message(
        connection,
        case_id,
        {
            "id": message_id,
            "direction": str(Direction.INBOUND),
            "author": str(Author.CITIZEN),
            "author_name": storable(submission.contact.display_name),
            "channel": str(delivery.channel),
            "sender": submission.contact.value,
            "recipient": storable(message.recipient)[:320],
            "subject": submission.subject,
            "text": submission.description,
            "full_text": submission.full_text,
            "language": _language_of(submission, delivery),
            "date": delivery.received_at,
            "message_id": storable(message.message_id),
            "delivery_id": delivery_id,
            "incomplete": message.incomplete,
        },
    )
    register.add_attachments(connection, message_id, _files(submission, delivery))
    return message_id


def _language_of(submission: Submission, delivery: Delivery) -> str:
    """Of the words; ``""`` for a recording of a caller who chose none: who listens finds out."""
    if delivery.channel is ChannelName.VOICE:
        return submission.message.language or ""
    return submission.language


def _files(submission: Submission, delivery: Delivery) -> list[dict[str, Any]]:
    return [
        {
            "filename": storable(file.filename),
            "media_type": storable(file.media_type),
            "content": file.content,
            "fetch_url": file.fetch_url,
            "transcript_state": "awaiting" if delivery.channel is ChannelName.VOICE else "",
        }
        for file in submission.message.attachments
    ]


def _append(
    connection: Connection,
    case: Any,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
    plan: Plan,
) -> None:
    repeated = REPEATED in plan.facts
    message_id = _keep(connection, case, submission, delivery, delivery_id, repeated=repeated)
    placed = bool(submission.location) and not case.location
    if placed:  # a place is often sent after the words
        connection.execute(
            cases.update().where(cases.c.id == case.id).values(location=submission.location)
        )
    if plan.names or (placed and case.administration is None):  # it may tell which body it is
        moving.route_again(connection, case, plan.names, message_id, delivery.received_at)
    moving.reopen(connection, case, f"/channels/{delivery.channel}", delivery.received_at)


def _keep(
    connection: Connection,
    case: Any,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
    *,
    repeated: bool = False,
) -> UUID:
    """Put the words on a case, and that they came on its timeline."""
    message_id = _add_message(connection, case.id, submission, delivery, delivery_id)
    register.add_event(
        connection,
        case.id,
        EventType.MESSAGE_ADDED,
        {"channel": str(delivery.channel), **({REPEATED: True} if repeated else {})},
        source=f"/channels/{delivery.channel}",
        subject=str(message_id),
        at=delivery.received_at,
    )
    return message_id


def _notice(
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> None:
    """Answer a text or mail that asks: by the same channel, counted as automatic."""
    contact = submission.contact
    if not contact.replyable:
        return
    # Digits alone are of no language: then the case's is the person's own.
    worded = any(character.isalpha() for character in submission.description)
    outbox.put(
        connection,
        OutboxKind.NOTIFY,
        plan.notice_key or f"notice:{delivery_id}",
        now=delivery.received_at,
        channel=str(delivery.channel),
        recipient_scheme=str(contact.scheme),
        recipient=contact.value,
        case_id=plan.case_id,
        automatic=True,
        payload={
            **plan.telling,
            "notice": plan.notice,
            "language": submission.language if worded else "",
            "in_reply_to": storable(submission.message.message_id),
        },
    )


def _returned(connection: Connection, facts: Mapping[str, str], delivery: Delivery) -> None:
    """A mail system spoke of a mail of ours: late, lost, or arrived (RFC 3464, 2.3.3)."""
    statuses = {
        "delayed": DeliveryStatus.DEFERRED,
        "failed": DeliveryStatus.BOUNCED,
        "delivered": DeliveryStatus.DELIVERED,
    }
    status = statuses.get(facts["action"])
    if status is not None:  # relayed, expanded: on its way, and no more will be told
        receipts.apply_to_mail(
            connection,
            UUID(facts["outbox_id"]),
            Receipt("", status, facts["status"] or str(status)),
            delivery.received_at,
        )


def _opt(connection: Connection, submission: Submission, delivery: Delivery, *, out: bool) -> None:
    channel, recipient = str(delivery.channel), submission.contact.value
    if out:
        opt_outs.remember(connection, channel, recipient, delivery.received_at)
    else:
        opt_outs.forget(connection, channel, recipient)
