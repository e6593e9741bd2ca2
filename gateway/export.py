# SPDX-License-Identifier: MIT
"""What is on record as JSON Lines: cases, deadlines, deliveries, outbox; each has ``schema: 1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker.database import reading
from tracker.deadlines import Calendar, answer_due
from tracker.models import attachments, case_events, cases, deadlines, deliveries, messages, outbox
from tracker.resemblance import linked
from tracker.transfers import of_case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine, Row

SCHEMA = 1
PAGE = 200


def rfc3339(moment: datetime | None) -> str | None:
    """A time in RFC 3339, UTC."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def export_cases(engine: Engine) -> Iterator[dict[str, Any]]:
    """Every case with its messages, files and events, oldest first."""
    with reading(engine).connect() as connection:
        last = None
        while True:
            query = select(cases).order_by(cases.c.id).limit(PAGE)
            if last is not None:
                query = query.where(cases.c.id > last)
            rows = connection.execute(query).all()
            if not rows:
                return
            for row in rows:
                yield _case(connection, row)
            last = rows[-1].id


def _case(connection: Connection, case: Row[Any]) -> dict[str, Any]:
    said = connection.execute(
        select(messages)
        .where(messages.c.case_id == case.id)
        .order_by(messages.c.date, messages.c.id)
    ).all()
    files: dict[Any, list[dict[str, Any]]] = {}
    for file in connection.execute(
        select(attachments)
        .where(attachments.c.message_id.in_([row.id for row in said]))
        .order_by(attachments.c.position)
    ):
        files.setdefault(file.message_id, []).append(
            {
                "filename": file.filename,
                "media_type": file.media_type,
                "size": file.size,
                "sha256": file.sha256,
            }
        )
    events = connection.execute(
        select(case_events)
        .where(case_events.c.case_id == case.id)
        .order_by(case_events.c.time, case_events.c.id)
    ).all()
    return {
        "schema": SCHEMA,
        "tracking_code": case.tracking_code,
        "kind": case.kind,
        "channel": case.channel,
        "status": case.status,
        "language": case.language,
        "subject": case.subject,
        "description": case.description,
        "contact": {"scheme": case.contact_scheme, "value": case.contact_value},
        "administration": case.administration,
        "parent_case": _code_of(connection, case.parent_case),
        "linked_with": [one.tracking_code for one in linked(connection, case.id)],
        "transfers": [
            {
                "number": one.number,
                "from": one.from_administration,
                "to": one.to_administration,
                "reason": one.reason,
                "by": one.transferred_by,
                "time": rfc3339(one.transferred_at),
            }
            for one in of_case(connection, case.id)
        ],
        "requested_datetime": rfc3339(case.requested_datetime),
        "expected_datetime": rfc3339(case.expected_datetime),
        "answer_due": rfc3339(answer_due(case)),
        "messages": [_message(row, files.get(row.id, [])) for row in said],
        "events": [
            {"type": event.type, "time": rfc3339(event.time), "data": event.data}
            for event in events
        ],
    }


def _code_of(connection: Connection, case_id: UUID | None) -> str | None:
    """The code of a parent; a child's own is told to no citizen."""
    if case_id is None:
        return None
    return connection.scalar(select(cases.c.tracking_code).where(cases.c.id == case_id))


def _message(row: Row[Any], files: list[dict[str, Any]]) -> dict[str, Any]:
    message = {
        "direction": row.direction,
        "author": row.author,
        "channel": row.channel,
        "sender": row.sender,
        "subject": row.subject,
        "text": row.text,
        "date": rfc3339(row.date),
        "delivery_status": row.delivery_status,
        "attachments": files,
    }
    if row.full_text and row.full_text != row.text:
        message["full_text"] = row.full_text
    return message


def export_deliveries(engine: Engine) -> Iterator[dict[str, Any]]:
    """Every accepted delivery, oldest first; without its bytes."""
    query = (
        select(
            deliveries.c.id,
            deliveries.c.channel,
            deliveries.c.message_id,
            deliveries.c.received_at,
            deliveries.c.state,
            deliveries.c.outcome,
            cases.c.tracking_code,
        )
        .outerjoin(cases, cases.c.id == deliveries.c.case_id)
        .order_by(deliveries.c.id)
    )
    with reading(engine).connect() as connection:
        for row in connection.execution_options(yield_per=PAGE).execute(query):
            yield {
                "schema": SCHEMA,
                "id": str(row.id),
                "channel": row.channel,
                "message_id": row.message_id,
                "received_at": rfc3339(row.received_at),
                "state": row.state,
                "outcome": row.outcome,
                "case": row.tracking_code,
                # A row is committed before its peer is answered, so every row may be told so.
                "acknowledged": True,
            }


def export_outbox(engine: Engine) -> Iterator[dict[str, Any]]:
    """Every outbox entry, oldest first."""
    query = (
        select(outbox, cases.c.tracking_code)
        .outerjoin(cases, cases.c.id == outbox.c.case_id)
        .order_by(outbox.c.id)
    )
    with reading(engine).connect() as connection:
        for row in connection.execution_options(yield_per=PAGE).execute(query):
            yield {
                "schema": SCHEMA,
                "id": str(row.id),
                "kind": row.kind,
                "state": row.state,
                "attempts": row.attempts,
                "case": row.tracking_code,
                "channel": row.channel,
                "recipient": row.recipient,
                "not_before": rfc3339(row.not_before),
                "last_error": row.last_error,
            }


def export_deadlines(engine: Engine, calendar: Calendar, now: datetime) -> Iterator[dict[str, Any]]:
    """Every line of the ledger of deadlines, oldest first.

    Args:
        engine: the writing engine.
        calendar: of the country, in whose days lateness is counted.
        now: up to when an open deadline is late.
    """
    query = (
        select(deadlines, cases.c.tracking_code, cases.c.administration.label("holder"))
        .join(cases, cases.c.id == deadlines.c.case_id)
        .order_by(deadlines.c.id)
    )
    with reading(engine).connect() as connection:
        for row in connection.execution_options(yield_per=PAGE).execute(query):
            yield {
                "schema": SCHEMA,
                "case": row.tracking_code,
                "deadline": row.deadline,
                "number": row.number,
                "starts_at": rfc3339(row.starts_at),
                "due": rfc3339(row.due),
                "met_at": rfc3339(row.met_at),
                "ended_at": rfc3339(row.ended_at),
                "late_days": calendar.late_days(row.due, row.met_at or row.ended_at or now),
                "administration": row.administration or row.holder,
                "escalated_to": row.escalated_to,
            }
