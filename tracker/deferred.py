# SPDX-License-Identifier: MIT
"""Rows of one group of messages, inserted together: one statement a table instead of one a message.

Where the group-commit writer has opened a batch on a connection, inserts are kept until somebody
reads or the group is about to commit. Elsewhere they are done at once. A batch that cannot be
inserted fails the whole group, which the writer then runs again message by message.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tracker.models import attachments, case_events, cases, messages, outbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Table

_KEY = "guichet.deferred"
#: Parents before children.
_ORDER = (cases, messages, attachments, case_events, outbox)
_INSERTS = {table.name: table.insert() for table in _ORDER}


def open_batch(connection: Connection) -> None:
    """Keep inserts on this connection from now on."""
    connection.info[_KEY] = {table.name: [] for table in _ORDER}


def close_batch(connection: Connection) -> None:
    """Insert what is kept, and insert at once from now on."""
    flush(connection)
    drop_batch(connection)


def drop_batch(connection: Connection) -> None:
    """Forget what is kept: the transaction is rolled back."""
    connection.info.pop(_KEY, None)


def is_open(connection: Connection) -> bool:
    """Whether inserts are being kept."""
    return _KEY in connection.info


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


def insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that have all columns, now or with the group."""
    kept = connection.info.get(_KEY)
    if kept is None:
        connection.execute(_INSERTS[table.name], rows)
    else:
        kept[table.name].extend(rows)


def flush(connection: Connection) -> None:
    """Insert what is kept. Whoever reads these tables inside a group calls this first."""
    kept = connection.info.get(_KEY)
    if kept is None:
        return
    for table in _ORDER:
        rows, kept[table.name] = kept[table.name], []
        if rows:
            connection.execute(_INSERTS[table.name], rows)


def mark(connection: Connection) -> dict[str, int]:
    """How many rows are kept now; for :func:`undo`."""
    return {name: len(rows) for name, rows in connection.info.get(_KEY, {}).items()}


def undo(connection: Connection, marked: dict[str, int]) -> None:
    """Forget the rows kept since the mark."""
    for name, count in marked.items():
        del connection.info[_KEY][name][count:]
