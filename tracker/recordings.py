# SPDX-License-Identifier: MIT
"""What a provider keeps for us and a worker fetches: asked for again, missed, and there at last.

An entry of the kind ``transcribe`` fetches the files of one message. Where one fails for good,
one item for that message stands on *Needs a person* until they are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tracker import attention, register
from tracker.models import (
    AttentionReason,
    EventType,
    OutboxKind,
    OutboxState,
    cases,
    messages,
    outbox,
)
from tracker.models import attention as attention_table
from tracker.outbox import put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement

_OPEN = (str(OutboxState.DUE), str(OutboxState.CLAIMED))
_BY = "transcription"


def fetch_again(connection: Connection, message_id: UUID, now: datetime) -> None:
    """Have the files of a message fetched and transcribed now; what waits already is not doubled.

    Args:
        connection: inside a transaction.
        message_id: the message; one that does not exist changes nothing.
        now: the present time.
    """
    if being_fetched(connection, message_id):
        connection.execute(  # a next try in an hour need not be waited for
            outbox.update()
            .where(_of(message_id), outbox.c.state == str(OutboxState.DUE))
            .values(not_before=now)
        )
        return
    message = connection.execute(
        select(messages.c.case_id, messages.c.channel).where(messages.c.id == message_id)
    ).first()
    if message is None:
        return
    number = connection.scalar(select(func.count()).select_from(outbox).where(_of(message_id))) or 0
    put(
        connection,
        OutboxKind.TRANSCRIBE,
        f"transcribe:{message_id}:{number}",
        now=now,
        channel=message.channel,
        case_id=message.case_id,
        message_id=message_id,
    )


def being_fetched(connection: Connection, message_id: UUID) -> bool:
    """Whether an entry that fetches the files of this message is due or claimed."""
    query = select(outbox.c.id).where(_of(message_id), outbox.c.state.in_(_OPEN)).limit(1)
    return connection.scalar(query) is not None


def not_fetched(connection: Connection, entry: Row[Any], error: str, now: datetime) -> None:
    """An entry failed for good: a person sees it, once for a message.

    Args:
        connection: inside a transaction.
        entry: the row of ``outbox`` that failed.
        error: plain English without personal data.
        now: the present time.
    """
    if entry.case_id is not None:
        register.add_event(
            connection,
            entry.case_id,
            EventType.NOT_FETCHED,
            {"detail": error},
            source=f"/channels/{entry.channel}",
            subject=str(entry.message_id),
            at=now,
        )
    listed = _listed(connection, entry.message_id)
    if listed:
        connection.execute(
            attention_table.update()
            .where(attention_table.c.id == listed[0])
            .values(detail=error, outbox_id=entry.id)
        )
        return
    attention.open_item(
        connection,
        AttentionReason.UNFETCHED,
        error,
        at=now,
        case_id=entry.case_id,
        outbox_id=entry.id,
    )


def fetched(connection: Connection, message_id: UUID, now: datetime) -> None:
    """The files of a message are there: what a person was asked about them is settled."""
    for item_id in _listed(connection, message_id):
        attention.resolve(connection, item_id, by=_BY, action="fetched", at=now)


def spoken_in(connection: Connection, message_id: UUID | None, language: str) -> None:
    """Note what a caller who chose no language speaks: in that one the case is answered.

    Args:
        connection: inside a transaction.
        message_id: the message of the recording; a language that was chosen with a key stands.
        language: BCP 47 tag.
    """
    case_id = connection.scalar(
        messages.update()
        .where(messages.c.id == message_id, messages.c.language == "")
        .values(language=language)
        .returning(messages.c.case_id)
    )
    if case_id is not None:
        connection.execute(cases.update().where(cases.c.id == case_id).values(language=language))


def _of(message_id: UUID) -> ColumnElement[bool]:
    return (outbox.c.kind == str(OutboxKind.TRANSCRIBE)) & (outbox.c.message_id == message_id)


def _listed(connection: Connection, message_id: UUID) -> Sequence[UUID]:
    """The open items about the files of a message, the oldest first."""
    return connection.scalars(
        select(attention_table.c.id)
        .join(outbox, outbox.c.id == attention_table.c.outbox_id)
        .where(_of(message_id), attention_table.c.resolved_at.is_(None))
        .order_by(attention_table.c.opened_at)
    ).all()
