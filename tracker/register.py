# SPDX-License-Identifier: MIT
"""The register: open, find and append. Core statements only; this is the hot path."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from normalizer import tracking_code
from tracker import deferred, ledger, strangers
from tracker.identity import new_id
from tracker.models import (
    CaseStatus,
    EventType,
    OutboxKind,
    attachments,
    blobs,
    case_events,
    cases,
    deliveries,
    messages,
)
from tracker.outbox import put
from tracker.status import check_move

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from enum import StrEnum
    from uuid import UUID

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.dml import Insert

_SQLITE_CLAIM = (
    sqlite_insert(deliveries)
    .on_conflict_do_nothing(index_elements=["idempotency_key"])
    .execution_options(preserve_rowcount=True)
)
_POSTGRESQL_CLAIM = (
    postgresql_insert(deliveries)
    .on_conflict_do_nothing(index_elements=["idempotency_key"])
    .execution_options(preserve_rowcount=True)
)
_CASE_BY_CODE = select(cases).where(cases.c.tracking_code == bindparam("code"))
_CASE_OF_MESSAGES = (
    select(cases)
    .join(messages, messages.c.case_id == cases.c.id)
    .where(
        messages.c.message_id.in_(bindparam("ids", expanding=True)),
        messages.c.direction == bindparam("direction"),
    )
    .order_by(messages.c.date.desc())
    .limit(1)
)
_CASE_BY_ID = select(cases).where(cases.c.id == bindparam("case_id"))
_DELIVERY_BY_KEY = select(
    deliveries.c.id,
    deliveries.c.state,
    deliveries.c.outcome,
    deliveries.c.case_id,
    deliveries.c.answer,
).where(deliveries.c.idempotency_key == bindparam("key"))


def claim_delivery(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Insert a raw delivery under its key; ``False`` when the key was there before.

    The insert *is* the claim: two processes can never both win (design, promise 2).
    """
    statement: Insert = _SQLITE_CLAIM if connection.dialect.name == "sqlite" else _POSTGRESQL_CLAIM
    return connection.execute(statement, dict(values)).rowcount == 1


def delivery_by_key(connection: Connection, key: str) -> Row[*tuple[Any, ...]] | None:
    """What became of a delivery of this key: id, state, outcome, case_id, answer."""
    deferred.flush(connection)
    return connection.execute(_DELIVERY_BY_KEY, {"key": key}).first()


def find_case(connection: Connection, code: str) -> Row[Any] | None:
    """The case of a tracking code of 12 digits, or ``None``.

    The code of a case that was merged into another finds that other one.
    """
    deferred.flush(connection)
    case = connection.execute(_CASE_BY_CODE, {"code": code}).first()
    return None if case is None else standing(connection, case)


def standing(connection: Connection, case: Row[Any]) -> Row[Any]:
    """The case itself, or the one that it was merged into (one step: a merge keeps it so)."""
    if case.merged_into is None:
        return case
    return connection.execute(_CASE_BY_ID, {"case_id": case.merged_into}).one()


def case_by_id(connection: Connection, case_id: UUID) -> Row[Any] | None:
    """The case of an id, or ``None``."""
    deferred.flush(connection)
    return connection.execute(_CASE_BY_ID, {"case_id": case_id}).first()


def case_of_message_ids(
    connection: Connection, ids: Sequence[str], direction: str = "outbound"
) -> Row[Any] | None:
    """The newest case with a message of one of these RFC 5322 Message-IDs, or ``None``.

    Args:
        ids: without angle brackets.
        direction: ``outbound`` for ids of ours, ``inbound`` for ids that the senders chose.
    """
    if not ids:
        return None
    deferred.flush(connection)
    return connection.execute(_CASE_OF_MESSAGES, {"ids": list(ids), "direction": direction}).first()


#: Whose cases the rows that a connection keeps (``tracker.deferred``) may hold.
_OPENED: WeakKeyDictionary[Connection, set[tuple[str, str]]] = WeakKeyDictionary()


def open_case(connection: Connection, values: Mapping[str, Any]) -> None:
    """Insert a new case, now or with the group: all columns of ``cases``."""
    strangers.met(connection, str(values["contact_scheme"]), str(values["contact_value"]))
    if deferred.is_open(connection):
        if not deferred.mark(connection)[cases]:  # what was kept before is in the database
            _OPENED[connection] = set()
        whose = (str(values["contact_scheme"]), str(values["contact_value"]))
        _OPENED.setdefault(connection, set()).add(whose)
    deferred.insert(connection, cases, [{**CASE_DEFAULTS, **values}])


def flush_cases_of(connection: Connection, scheme: str, value: str) -> None:
    """Insert what is kept where it may hold a case of this sender.

    A flush a message would cost a group its one round trip, so it is done for a second text alone.
    """
    if deferred.is_open(connection) and (scheme, value) in _OPENED.get(connection, ()):
        deferred.flush(connection)


CASE_DEFAULTS: dict[str, Any] = {
    "answer_due": None,
    "linked_to": None,
    "merged_into": None,
    "parent_case": None,
    "children": 0,
}


def new_pin() -> str:
    """Draw a PIN of 6 digits."""
    return f"{secrets.randbelow(10**6):06d}"


def new_case_values(*, calling_code: str, now: datetime) -> dict[str, Any]:
    """Id, code, PIN and first times of a case that is about to be opened."""
    return {
        "id": new_id(),
        "tracking_code": tracking_code.new_code(calling_code),
        "pin": new_pin(),
        "status": str(CaseStatus.RECEIVED),
        "administration": None,
        "updated_at": now,
    }


def add_message(connection: Connection, case_id: UUID, values: Mapping[str, Any]) -> UUID:
    """Add one message to a case's thread and return its id.

    Args:
        connection: inside a transaction.
        case_id: the case.
        values: columns of ``messages`` (``direction, author, channel, text, date`` at least).
    """
    message_id: UUID = values.get("id") or new_id()
    deferred.insert(
        connection,
        messages,
        [{**MESSAGE_DEFAULTS, **values, "id": message_id, "case_id": case_id}],
    )
    return message_id


MESSAGE_DEFAULTS: dict[str, Any] = {
    "author_name": "",
    "sender": "",
    "recipient": "",
    "subject": "",
    "full_text": "",
    "language": "",
    "message_id": "",
    "delivery_id": None,
    "outbox_id": None,
    "delivery_status": None,
    "delivery_detail": "",
    "incomplete": "",
}


def add_attachments(
    connection: Connection, message_id: UUID, files: Sequence[Mapping[str, Any]]
) -> None:
    """Store files of a message: bytes once by content, one row each.

    Args:
        connection: inside a transaction.
        message_id: the message they came with.
        files: ``{filename, media_type, content, fetch_url, transcript_state}`` each; an empty
            ``content`` with a ``fetch_url`` is fetched by a worker later.
    """
    if not files:
        return
    rows, contents = [], []
    for position, file in enumerate(files):
        content: bytes = file["content"]
        pending = not content and file.get("fetch_url")
        blob = None if pending else _blob_row(content)
        if blob is not None:
            contents.append(blob)
        rows.append(
            {
                "id": new_id(),
                "message_id": message_id,
                "position": position,
                "filename": file["filename"],
                "media_type": file["media_type"][:127],
                "size": len(content),
                "sha256": blob["sha256"] if blob else None,
                "fetch_url": file.get("fetch_url") or "",
                "transcript_state": file.get("transcript_state", ""),
                "transcript": "",
                "transcript_data": None,
            },
        )
    deferred.insert(connection, blobs, contents)
    deferred.insert(connection, attachments, rows)


def store_blob(connection: Connection, content: bytes) -> str:
    """Store bytes under their SHA-256 (64 hex characters) and return it."""
    blob = _blob_row(content)
    deferred.insert(connection, blobs, [blob])
    return str(blob["sha256"])


def _blob_row(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "content": content}


def event_row(
    case_id: UUID,
    event_type: StrEnum,
    data: Mapping[str, Any],
    *,
    source: str,
    at: datetime,
    subject: str = "",
) -> dict[str, Any]:
    """One row of the timeline, in the words of CloudEvents."""
    return {
        "id": new_id(),
        "case_id": case_id,
        "source": source,
        "type": str(event_type),
        "subject": subject,
        "time": at,
        "data": dict(data),
    }


def add_event(
    connection: Connection,
    case_id: UUID,
    event_type: StrEnum,
    data: Mapping[str, Any],
    *,
    source: str,
    at: datetime,
    subject: str = "",
) -> None:
    """Add one event to a case's timeline."""
    connection.execute(
        case_events.insert(),
        event_row(case_id, event_type, data, source=source, at=at, subject=subject),
    )


def change_status(
    connection: Connection,
    case: Row[Any],
    new: CaseStatus,
    *,
    by: str,
    source: str,
    at: datetime,
    tell: bool = True,
) -> bool:
    """Move a case to ``new``; ``False`` when it is there already.

    Args:
        connection: inside a transaction.
        case: the case's row.
        new: the status.
        by: who moved it (an email of the desk, ``"routing"`` …).
        source: CloudEvents source.
        at: now.
        tell: whether the citizen is told on their own channel.

    Raises:
        ForbiddenMove: the status may not follow the present one.
    """
    if case.status == str(new):
        return False
    check_move(case.status, new)
    connection.execute(
        cases.update().where(cases.c.id == case.id).values(status=str(new), updated_at=at)
    )
    event = event_row(
        case.id,
        EventType.STATUS_CHANGED,
        {"from": case.status, "to": str(new), "by": by},
        source=source,
        at=at,
    )
    connection.execute(case_events.insert(), event)
    ledger.touch(connection, case.id, at)
    if tell and case.contact_value:
        put(
            connection,
            OutboxKind.NOTIFY,
            f"status:{event['id']}",
            now=at,
            channel=case.channel,
            recipient_scheme=case.contact_scheme,
            recipient=case.contact_value,
            case_id=case.id,
            payload={"notice": "status", "status": str(new)},
            automatic=False,
        )
    return True
