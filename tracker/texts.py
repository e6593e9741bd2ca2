# SPDX-License-Identifier: MIT
"""Texts of ours that leave by SMPP: put by the relay, taken by the process that holds the line.

A text has the id of its outbox entry, so it can be put once only. What was claimed by a process
that died may have gone: it is ``unknown``, and is never sent again (docs/decisions/0008).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from channels.message import ChannelName, DeliveryStatus, Receipt
from tracker import receipts, segments
from tracker.models import OutboxState, SmsTextState, messages, outbox, sms_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

UNCERTAIN = "it may or may not have gone, and the operator cannot be asked"
WAITED = "the line to the operator was away too long"


def put(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Put texts; one that is there already stays as it is.

    Args:
        connection: inside a transaction.
        rows: ``{outbox_id, recipient_scheme, recipient, sender, text}`` each.
        now: the present time.
    """
    if not rows:
        return
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    fixed = {
        "state": str(SmsTextState.DUE),
        "created_at": now,
        "not_before": now,
        "attempts": 0,
        "claimed_until": None,
        "last_error": "",
    }
    connection.execute(
        insert(sms_texts).on_conflict_do_nothing(index_elements=["outbox_id"]),
        [{**row, **fixed} for row in rows],
    )


def state_of(connection: Connection, outbox_id: UUID) -> SmsTextState | None:
    """How far the text of an entry is; ``None`` when none was put."""
    state = connection.scalar(select(sms_texts.c.state).where(sms_texts.c.outbox_id == outbox_id))
    return None if state is None else SmsTextState(state)


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether a text is due, without claiming it."""
    due = _due(now).limit(1)
    return connection.execute(due).first() is not None


def _due(now: datetime) -> Any:
    return select(sms_texts.c.outbox_id).where(
        sms_texts.c.state == str(SmsTextState.DUE), sms_texts.c.not_before <= now
    )


def claim(
    connection: Connection, *, limit: int, lease_seconds: float, now: datetime
) -> Sequence[Row[Any]]:
    """Claim up to ``limit`` due texts for ``lease_seconds``; commit before sending them."""
    due = (
        _due(now)
        .order_by(sms_texts.c.not_before, sms_texts.c.outbox_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(due).all()
    if not ids:
        return []
    return connection.execute(
        update(sms_texts)
        .where(sms_texts.c.outbox_id.in_(ids))
        .values(
            state=str(SmsTextState.CLAIMED),
            claimed_until=now + timedelta(seconds=lease_seconds),
            attempts=sms_texts.c.attempts + 1,
        )
        .returning(sms_texts)
    ).all()


def submitted(
    connection: Connection, smsc: str, texts: Mapping[UUID, Sequence[str]], now: datetime
) -> None:
    """Record texts whose segments were all accepted, by the operator's ids of the segments."""
    if not texts:
        return
    connection.execute(
        update(sms_texts)
        .where(sms_texts.c.outbox_id.in_(list(texts)))
        .values(state=str(SmsTextState.SUBMITTED), claimed_until=None, last_error="")
    )
    segments.sent(connection, smsc, texts, now)


def postpone(
    connection: Connection,
    outbox_id: UUID,
    *,
    until: datetime,
    error: str,
    count_attempt: bool = True,
) -> None:
    """Make a claimed text due again later: it did not go."""
    values: dict[str, Any] = {
        "state": str(SmsTextState.DUE),
        "not_before": until,
        "claimed_until": None,
        "last_error": error,
    }
    if not count_attempt:
        values["attempts"] = sms_texts.c.attempts - 1
    connection.execute(_of(outbox_id, SmsTextState.CLAIMED).values(values))


def fail(connection: Connection, outbox_id: UUID, detail: str, now: datetime) -> None:
    """A text did not go, and will not: another channel or a person (promise 7)."""
    connection.execute(
        update(sms_texts)
        .where(sms_texts.c.outbox_id == outbox_id)
        .values(state=str(SmsTextState.FAILED), claimed_until=None, last_error=detail)
    )
    _tell(connection, outbox_id, detail, now)


def lose_sight(connection: Connection, outbox_id: UUID, now: datetime) -> None:
    """A text may or may not have gone."""
    connection.execute(
        _of(outbox_id, SmsTextState.CLAIMED).values(
            state=str(SmsTextState.UNKNOWN), claimed_until=None, last_error=UNCERTAIN
        )
    )
    surface(connection, now)


def expire(connection: Connection, now: datetime) -> int:
    """What was claimed by a process that died may have gone; return how many texts.

    The entries of all uncertain texts become ``unknown`` here too, also of those whose entry was
    still in the relay's hands when they did.
    """
    lost = connection.execute(
        update(sms_texts)
        .where(sms_texts.c.state == str(SmsTextState.CLAIMED), sms_texts.c.claimed_until < now)
        .values(state=str(SmsTextState.UNKNOWN), claimed_until=None, last_error=UNCERTAIN)
    )
    surface(connection, now)
    return lost.rowcount


def give_up(connection: Connection, before: datetime, now: datetime) -> int:
    """Fail the texts that have waited for the line since ``before``; return how many."""
    waiting = connection.scalars(
        select(sms_texts.c.outbox_id)
        .where(sms_texts.c.state == str(SmsTextState.DUE), sms_texts.c.created_at < before)
        .limit(500)
    ).all()
    for outbox_id in waiting:
        fail(connection, outbox_id, WAITED, now)
    return len(waiting)


def surface(connection: Connection, now: datetime) -> None:
    """Make the entries of uncertain texts ``unknown`` where the relay has recorded them."""
    found = connection.execute(
        select(outbox.c.id, outbox.c.channel)
        .join(sms_texts, sms_texts.c.outbox_id == outbox.c.id)
        .where(
            sms_texts.c.state == str(SmsTextState.UNKNOWN),
            outbox.c.state == str(OutboxState.DONE),
        )
    ).all()
    for entry in found:
        if entry.channel == str(
            ChannelName.WEB
        ):  # the page has the answer; only its notice is lost
            fail(connection, entry.id, UNCERTAIN, now)
            continue
        connection.execute(
            update(outbox)
            .where(outbox.c.id == entry.id)
            .values(
                state=str(OutboxState.UNKNOWN),
                done_at=now,
                delivery_status=str(DeliveryStatus.UNKNOWN),
                last_error=UNCERTAIN,
            )
        )
        connection.execute(
            update(messages)
            .where(messages.c.outbox_id == entry.id)
            .values(delivery_status=str(DeliveryStatus.UNKNOWN), delivery_detail=UNCERTAIN)
        )


def waiting(connection: Connection) -> int:
    """How many texts wait for the line."""
    due = sms_texts.c.state == str(SmsTextState.DUE)
    return connection.scalar(select(func.count()).select_from(sms_texts).where(due)) or 0


def _of(outbox_id: UUID, state: SmsTextState) -> Any:
    return update(sms_texts).where(
        sms_texts.c.outbox_id == outbox_id, sms_texts.c.state == str(state)
    )


def _tell(connection: Connection, outbox_id: UUID, detail: str, now: datetime) -> None:
    receipts.apply_all(connection, [(outbox_id, Receipt("", DeliveryStatus.FAILED, detail))], now)
