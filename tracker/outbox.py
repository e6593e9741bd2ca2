# SPDX-License-Identifier: MIT
"""What is still to be done. RQ is a doorbell, these rows are the truth (docs/decisions).

An entry is put in the transaction of its cause, claimed in a batch for a while, acted on with no
transaction open, and its result recorded. A claim that expires belongs to a process that died:
what may have gone out is then ``unknown`` and never sent again blindly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tracker.identity import new_id
from tracker.models import OutboxKind, OutboxState, outbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: Kinds whose work leaves the house: a death in the middle leaves their fate unknown. The others
#: only change our own database and are simply done again.
LEAVING = frozenset(
    {
        OutboxKind.ACKNOWLEDGE,
        OutboxKind.NOTIFY,
        OutboxKind.REPLY,
        OutboxKind.REFER,
        OutboxKind.CONFIRM_CONTACT,
    }
)
#: Key of a payload: how many workers died while they held the entry.
DEATHS = "deaths"
#: A recording that kills its worker is tried as often as a delivery that kills its reader.
MOST_DEATHS_LISTENING = 3


def row(
    kind: OutboxKind,
    key: str,
    *,
    now: datetime,
    channel: str = "",
    recipient_scheme: str = "",
    recipient: str = "",
    case_id: UUID | None = None,
    message_id: UUID | None = None,
    payload: Mapping[str, Any] | None = None,
    automatic: bool = False,
    not_before: datetime | None = None,
) -> dict[str, Any]:
    """One row of the table, for callers that insert several at once.

    Args:
        kind: what is to be done.
        key: unique over all time; the same cause puts the same key.
        now: the present time.
        channel: the channel it leaves by (or the outlet of a referral).
        recipient_scheme: the scheme of ``recipient``.
        recipient: whom it goes to; an administration's slug for a referral.
        case_id: the case it belongs to.
        message_id: the message it sends or works on.
        payload: what the work needs beyond the case (plain JSON).
        automatic: whether it counts against the limits of automatic answers (promise 11).
        not_before: earliest time; now by default.
    """
    return {
        "id": new_id(),
        "kind": str(kind),
        "state": str(OutboxState.DUE),
        "idempotency_key": key,
        "case_id": case_id,
        "message_id": message_id,
        "channel": channel,
        "recipient_scheme": recipient_scheme,
        "recipient": recipient,
        "automatic": automatic,
        "payload": dict(payload or {}),
        "created_at": now,
        "not_before": not_before or now,
        "attempts": 0,
        "claimed_until": None,
        "claimed_by": "",
        "done_at": None,
        "provider_id": "",
        "delivery_status": None,
        "last_error": "",
    }


def put(connection: Connection, kind: OutboxKind, key: str, **values: Any) -> UUID | None:
    """Put one entry; see :func:`row` for the values.

    Returns:
        its id, or ``None`` when an entry of this key exists already.
    """
    entry = row(kind, key, **values)
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    result = connection.execute(
        insert(outbox)
        .values(entry)
        .on_conflict_do_nothing(index_elements=["idempotency_key"])
        .execution_options(preserve_rowcount=True),
    )
    return entry["id"] if result.rowcount == 1 else None


def claim(
    connection: Connection,
    *,
    kinds: Sequence[OutboxKind],
    limit: int,
    lease_seconds: float,
    worker: str,
    now: datetime,
) -> Sequence[Row[Any]]:
    """Claim up to ``limit`` due entries for ``lease_seconds``; commit before acting on them.

    PostgreSQL skips rows that another worker holds; on SQLite the transaction is exclusive anyway.
    """
    due = (
        select(outbox.c.id)
        .where(
            outbox.c.state == str(OutboxState.DUE),
            outbox.c.not_before <= now,
            outbox.c.kind.in_([str(kind) for kind in kinds]),
        )
        .order_by(outbox.c.not_before, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.scalars(due).all()
    if not ids:
        return []
    claimed = connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(
            state=str(OutboxState.CLAIMED),
            claimed_until=now + timedelta(seconds=lease_seconds),
            claimed_by=worker,
            attempts=outbox.c.attempts + 1,
        )
        .returning(outbox),
    ).all()
    place = {entry_id: at for at, entry_id in enumerate(ids)}  # RETURNING keeps no order
    return sorted(claimed, key=lambda entry: place[entry.id])


_FINISH = (
    update(outbox)
    .where(outbox.c.id == bindparam("entry_id"))
    .values(
        state=bindparam("new_state"),
        done_at=bindparam("at"),
        claimed_until=None,
        # Where the relay only hands a text on, its id may be there already, or come later.
        provider_id=func.coalesce(
            func.nullif(bindparam("provider", type_=String), ""), outbox.c.provider_id
        ),
        # A callback may have come before our own POST returned: its word is the later one.
        delivery_status=func.coalesce(outbox.c.delivery_status, bindparam("status", type_=String)),
        last_error=bindparam("error"),
    )
)


def finish(connection: Connection, results: Sequence[Mapping[str, Any]]) -> None:
    """Record many results at once.

    Args:
        connection: inside a transaction.
        results: ``{entry_id, new_state, at, provider, status, error}`` each.
    """
    if results:
        connection.execute(_FINISH, [dict(result) for result in results])


def postpone(
    connection: Connection,
    entry_id: UUID,
    *,
    until: datetime,
    error: str,
    count_attempt: bool = True,
) -> None:
    """Make an entry due again later (a retryable failure, or a limit of automatic answers)."""
    values: dict[str, Any] = {
        "state": str(OutboxState.DUE),
        "not_before": until,
        "claimed_until": None,
        "last_error": error,
    }
    if not count_attempt:
        values["attempts"] = outbox.c.attempts - 1
    connection.execute(update(outbox).where(outbox.c.id == entry_id).values(**values))


#: Key of a payload: a digest of the words of an attempt that may have gone.
ATTEMPTED = "attempted"


def remember_attempt(connection: Connection, entry: Row[Any], digest: str) -> None:
    """Keep a digest of the words that may have gone."""
    payload = {**entry.payload, ATTEMPTED: digest}
    connection.execute(update(outbox).where(outbox.c.id == entry.id).values(payload=payload))


def sent_with(
    connection: Connection, recipient: str, provider_ids: Sequence[str]
) -> frozenset[str]:
    """Which of these ids of the provider belong to messages of ours to ``recipient``."""
    query = select(outbox.c.provider_id).where(
        outbox.c.recipient == recipient, outbox.c.provider_id.in_(list(provider_ids))
    )
    return frozenset(connection.scalars(query))


def provider_id_of(connection: Connection, entry_id: UUID) -> str:
    """The provider's id of an entry, ``""`` while nobody told it.

    A receipt bears our id in its path, so it can tell before the sending process has recorded
    anything, and when that process died.
    """
    query = select(outbox.c.provider_id).where(outbox.c.id == entry_id)
    return str(connection.scalar(query) or "")


def give_back(connection: Connection, entry_ids: Sequence[UUID]) -> None:
    """Make claimed entries due again that were not begun; it counts as no attempt."""
    if entry_ids:
        connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(list(entry_ids)), outbox.c.state == str(OutboxState.CLAIMED))
            .values(state=str(OutboxState.DUE), claimed_until=None, attempts=outbox.c.attempts - 1),
        )


def give_back_of(connection: Connection, worker: str) -> None:
    """Make due again what a worker holds that was stopped: no death, and no attempt."""
    connection.execute(
        update(outbox)
        .where(outbox.c.claimed_by == worker, outbox.c.state == str(OutboxState.CLAIMED))
        .where(outbox.c.kind.not_in([str(kind) for kind in LEAVING]))
        .values(state=str(OutboxState.DUE), claimed_until=None, attempts=outbox.c.attempts - 1),
    )


def renew(connection: Connection, entry_id: UUID, until: datetime) -> None:
    """Hold a claim on: its work takes longer than one lease."""
    connection.execute(
        update(outbox)
        .where(outbox.c.id == entry_id, outbox.c.state == str(OutboxState.CLAIMED))
        .values(claimed_until=until)
    )


def backoff_seconds(attempts: int, *, base: float, cap: float) -> float:
    """Pause before the next try: doubling from ``base`` to ``cap``, with a jitter of a quarter."""
    pause = min(cap, base * 2.0 ** min(attempts, 30))
    return pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class Freed:
    """What became of the claims of processes that died, where it is more than another try.

    Attributes:
        unknown: entries that may have left the house.
        failed: entries that their workers died of too often, already failed: a person is told.
    """

    unknown: Sequence[Row[Any]] = ()
    failed: Sequence[Row[Any]] = ()


def free_expired(connection: Connection, now: datetime, most_deaths: int = 12) -> Freed:
    """Free the claims of processes that died.

    Work inside the house becomes due again, but not for ever: what kills its worker kills the next
    one too. What leaves the house becomes ``unknown``: it may have gone, and only the provider can
    tell.

    Args:
        connection: inside a transaction.
        now: the present time.
        most_deaths: workers that may die of one entry; of a transcription, which a worker does
            alone and is surely the cause, :data:`MOST_DEATHS_LISTENING`.
    """
    expired = (outbox.c.state == str(OutboxState.CLAIMED)) & (outbox.c.claimed_until < now)
    leaving = outbox.c.kind.in_([str(kind) for kind in LEAVING])
    inside = select(outbox).where(expired, ~leaving).with_for_update(skip_locked=True)
    failed = []
    for entry in connection.execute(inside).all():
        deaths = int(entry.payload.get(DEATHS, 0)) + 1
        listens = entry.kind == str(OutboxKind.TRANSCRIBE)
        last = deaths >= (MOST_DEATHS_LISTENING if listens else most_deaths)
        values: dict[str, Any] = {
            "state": str(OutboxState.FAILED if last else OutboxState.DUE),
            "claimed_until": None,
            "payload": {**entry.payload, DEATHS: deaths},
            "last_error": f"its worker died {deaths} times" if last else entry.last_error,
        }
        if last:
            values["done_at"] = now
        freed = connection.execute(
            update(outbox).where(outbox.c.id == entry.id).values(**values).returning(outbox)
        ).one()
        if last:
            failed.append(freed)
    unknown = connection.execute(
        update(outbox)
        .where(expired, leaving)
        .values(
            state=str(OutboxState.UNKNOWN),
            claimed_until=None,
            last_error="the sending process died; it may or may not have gone",
        )
        .returning(outbox),
    ).all()
    return Freed(unknown, failed)


def due_count(connection: Connection, now: datetime, kinds: Sequence[OutboxKind]) -> int:
    """How many entries of ``kinds`` are due now."""
    return (
        connection.scalar(
            select(func.count())
            .select_from(outbox)
            .where(
                outbox.c.state == str(OutboxState.DUE),
                outbox.c.not_before <= now,
                outbox.c.kind.in_([str(kind) for kind in kinds]),
            ),
        )
        or 0
    )


def correspondent(recipient: str) -> str:
    """The mailbox behind an address, without ``+tag`` (RFC 5233): robots change it every time."""
    local, at, domain = recipient.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" if at and "+" in local else recipient


def automatic_sent(
    connection: Connection,
    recipient: str,
    *,
    since: datetime,
    case_id: UUID | None = None,
    besides: UUID | None = None,
    acknowledgements: bool = True,
) -> int:
    """How many automatic answers went to ``recipient`` since then (promise 11).

    Args:
        connection: for reading.
        recipient: a number or address; of an address with a tag, all tags are counted.
        since: not before.
        case_id: on this case alone.
        besides: an entry that does not count.
        acknowledgements: whether those count.
    """
    mailbox = correspondent(recipient)
    to = outbox.c.recipient == recipient
    if mailbox != recipient:
        local, _, domain = mailbox.rpartition("@")
        to = or_(
            outbox.c.recipient == mailbox,
            outbox.c.recipient.startswith(f"{local}+", autoescape=True)
            & outbox.c.recipient.endswith(f"@{domain}", autoescape=True),
        )
    query = (
        select(func.count())
        .select_from(outbox)
        .where(
            to,
            outbox.c.automatic,
            outbox.c.done_at > since,
            outbox.c.state.in_([str(OutboxState.DONE), str(OutboxState.UNKNOWN)]),
        )
    )
    if case_id is not None:
        query = query.where(outbox.c.case_id == case_id)
    if not acknowledgements:
        query = query.where(outbox.c.kind != str(OutboxKind.ACKNOWLEDGE))
    if besides is not None:
        query = query.where(outbox.c.id != besides)
    return connection.scalar(query) or 0
