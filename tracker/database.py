# SPDX-License-Identifier: MIT
"""Engines for both databases, with the durability that promise 1 needs.

SQLite: write-ahead log, ``synchronous=FULL`` (2), foreign keys, and ``BEGIN IMMEDIATE`` for every
transaction of a writing engine, so that a writer queues at its start and never fails at its end.
PostgreSQL: ``synchronous_commit=on`` on every connection, whatever the server's default is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url, text

from tracker.identity import new_id
from tracker.models import throttle

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

#: Scope of the one row that a readiness check rewrites.
PROBE = "readiness-probe"


def open_engine(url: str, *, lock_timeout_seconds: float = 5.0, pool_size: int = 8) -> Engine:
    """Open an engine on ``url``.

    Args:
        url: ``sqlite:///…`` or ``postgresql+psycopg://…``.
        lock_timeout_seconds: how long a statement waits for another writer.
        pool_size: connections kept open (PostgreSQL).
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url, lock_timeout_seconds)
    milliseconds = int(lock_timeout_seconds * 1000)
    options = f"-c lock_timeout={milliseconds} -c synchronous_commit=on -c timezone=UTC"
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=lock_timeout_seconds,
        pool_pre_ping=True,
        hide_parameters=True,  # an error must not quote the row it could not write
        connect_args={"options": options, "connect_timeout": max(1, int(lock_timeout_seconds))},
    )


def _open_sqlite(url: str, lock_timeout_seconds: float) -> Engine:
    engine = create_engine(
        url,
        pool_timeout=lock_timeout_seconds,
        hide_parameters=True,
        connect_args={"timeout": lock_timeout_seconds, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        # Read by a new file alone. Mails and their files fill whole pages, so fewer are chained.
        cursor.execute("PRAGMA page_size=16384")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def reading(engine: Engine) -> Engine:
    """Return a view of ``engine`` whose transactions only read, so that they wait for no writer."""
    return engine.execution_options(read_only=True)


def durability(engine: Engine) -> dict[str, str]:
    """Ask a live connection how durable its commits are.

    Returns:
        ``{"synchronous": "2", "journal_mode": "wal"}`` on SQLite,
        ``{"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}`` on PostgreSQL.
    """
    names = (
        ("synchronous", "journal_mode")
        if engine.dialect.name == "sqlite"
        else ("synchronous_commit", "fsync", "full_page_writes")
    )
    with reading(engine).connect() as connection:
        if engine.dialect.name == "sqlite":
            return {n: str(connection.scalar(text(f"PRAGMA {n}"))) for n in names}
        return {n: str(connection.scalar(text(f"SHOW {n}"))) for n in names}


def can_commit(engine: Engine) -> bool:
    """Tell whether a commit succeeds now. This is what *ready* means (design, step 5)."""
    try:
        with engine.begin() as connection:
            connection.execute(throttle.delete().where(throttle.c.scope == PROBE))
            connection.execute(
                throttle.insert().values(
                    id=new_id(), scope=PROBE, subject="", at=datetime.now(UTC)
                ),
            )
    except Exception:  # noqa: BLE001 - whatever the driver raises, the answer is no
        return False
    return True
