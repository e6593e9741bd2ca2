# SPDX-License-Identifier: MIT
"""Rows of one group of messages, inserted together: one round trip a group, not six a message.

Where the group-commit writer has opened a batch on a connection, inserts are kept until somebody
reads or the group is about to commit. Elsewhere they are done at once. A batch that cannot be
inserted (a key that is there already, a value that does not fit) fails the whole group, which the
writer then runs again without a batch.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tracker import bulk
from tracker.models import (
    attachments,
    blobs,
    case_events,
    cases,
    deliveries,
    messages,
    outbox,
    throttle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Table

#: Parents before children; a delivery's case is checked at the commit.
_ORDER = (blobs, deliveries, cases, messages, attachments, case_events, outbox, throttle)
#: The same bytes are stored once, whoever sends them.
_KEEP_FIRST = frozenset({blobs.name})


class _Batch:
    """What is kept for one group."""

    __slots__ = ("keys", "rows")

    def __init__(self) -> None:
        self.rows: dict[Table, list[Mapping[str, Any]]] = {table: [] for table in _ORDER}
        self.keys: set[str] = set()


#: The batch of each connection that has one; a broken connection can still be asked for its own.
_BATCHES: WeakKeyDictionary[Connection, _Batch] = WeakKeyDictionary()


def open_batch(connection: Connection) -> None:
    """Keep inserts on this connection from now on."""
    _BATCHES[connection] = _Batch()


def close_batch(connection: Connection) -> None:
    """Insert what is kept, and insert at once from now on."""
    flush(connection)
    drop_batch(connection)


def drop_batch(connection: Connection) -> None:
    """Forget what is kept: the transaction is rolled back."""
    _BATCHES.pop(connection, None)


def is_open(connection: Connection) -> bool:
    """Whether inserts are being kept."""
    return connection in _BATCHES


@contextmanager
def suspended(connection: Connection) -> Iterator[None]:
    """Insert what is kept, and insert at once inside this block.

    For work in a savepoint of its own: a rollback there must not take others' rows along.
    """
    if not is_open(connection):
        yield
        return
    close_batch(connection)
    try:
        yield
    finally:
        open_batch(connection)


def claim(connection: Connection, delivery: Mapping[str, Any]) -> bool:
    """Keep a raw delivery; its key is claimed when the group is inserted.

    Returns:
        ``False`` when this group holds the same key already: then nothing is kept.
    """
    batch: _Batch = _BATCHES[connection]
    if delivery["idempotency_key"] in batch.keys:
        return False
    batch.keys.add(delivery["idempotency_key"])
    batch.rows[deliveries].append(delivery)
    return True


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have all columns, now or with the group."""
    batch: _Batch | None = _BATCHES.get(connection)
    if batch is None:
        bulk.insert(connection, {table: rows}, keep_first=_KEEP_FIRST)
    else:
        batch.rows[table].extend(rows)


def flush(connection: Connection) -> None:
    """Insert what is kept. Whoever reads these tables inside a group calls this first."""
    batch: _Batch | None = _BATCHES.get(connection)
    if batch is None:
        return
    rows, batch.rows = batch.rows, {table: [] for table in _ORDER}
    # In one order everywhere, so that two processes cannot wait for each other in a circle.
    rows[blobs].sort(key=lambda row: str(row["sha256"]))
    bulk.insert(connection, rows, keep_first=_KEEP_FIRST)


def mark(connection: Connection) -> dict[Table, int]:
    """How many rows are kept now; for :func:`undo`."""
    batch: _Batch = _BATCHES[connection]
    return {table: len(rows) for table, rows in batch.rows.items()}


def undo(connection: Connection, marked: Mapping[Table, int]) -> None:
    """Forget the rows kept since the mark, and the keys that they claimed."""
    batch: _Batch = _BATCHES[connection]
    for table, count in marked.items():
        forgotten = batch.rows[table][count:]
        if table is deliveries:
            batch.keys -= {row["idempotency_key"] for row in forgotten}
        del batch.rows[table][count:]
