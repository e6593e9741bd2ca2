# SPDX-License-Identifier: MIT
"""Rows in bulk are the same rows, on both databases, with both ways of inserting them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, select
from sqlalchemy.exc import IntegrityError

from tracker import bulk
from tracker.database import open_engine
from tracker.identity import new_id
from tracker.migrations import upgrade
from tracker.models import blobs, deliveries

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def delivery(key: str, **values: Any) -> dict[str, Any]:
    """A raw delivery with all its columns."""
    row = {
        "id": new_id(),
        "channel": "email",
        "idempotency_key": key,
        "message_id": "",
        "received_at": NOW,
        "peer": "192.0.2.1",
        "state": "quarantined",
        "outcome": None,
        "reason": 'a "quoted" \\ reason\nماء',
        "case_id": None,
        "answer": {},
        "url": "",
        "headers": {"Subject": "ماء é", "nested": {"list": [1, None, True]}},
        "body": bytes(range(256)),
    }
    return {**row, **values}


def blob(content: bytes, sha256: str) -> dict[str, Any]:
    """Bytes under a name."""
    return {"sha256": sha256, "size": len(content), "content": content}


def count(engine: Engine, table: Table) -> int:
    """How many rows a table has."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_what_goes_in_comes_out(engine: Engine) -> None:
    """Bytes stay with their own row, JSON keeps its shape, times their microseconds."""
    rows = [delivery(f"k{n}", body=bytes([n]) * n) for n in range(3)]
    files = [blob(b"\x00\xff", "a"), blob(b"", "b")]
    with engine.begin() as connection:
        bulk.insert(connection, {blobs: files, deliveries: rows})

    with engine.connect() as connection:
        found = connection.execute(select(deliveries).order_by(deliveries.c.idempotency_key))
        assert [dict(row) for row in found.mappings()] == rows
        stored = connection.execute(select(blobs).order_by(blobs.c.sha256))
        assert [dict(row) for row in stored.mappings()] == files


def test_a_key_that_is_there_takes_nothing_in(engine: Engine) -> None:
    """The caller hears of it, and no row of the call stays."""
    with engine.begin() as connection:
        bulk.insert(connection, {deliveries: [delivery("first")]})

    with pytest.raises(IntegrityError), engine.begin() as connection:
        bulk.insert(connection, {deliveries: [delivery("second"), delivery("first")]})

    assert count(engine, deliveries) == 1


def test_the_first_bytes_stay(engine: Engine) -> None:
    """Tables named in ``keep_first`` take a repetition without a word, also in the same call."""
    same = [blob(b"one", "a"), blob(b"one", "a")]
    for _ in range(2):
        with engine.begin() as connection:
            bulk.insert(connection, {blobs: same}, keep_first=frozenset({"blobs"}))

    assert count(engine, blobs) == 1


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    """On both databases, before anything is sent."""
    naive = delivery("k", received_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="naive time"), engine.begin() as connection:
        bulk.insert(connection, {deliveries: [naive]})

    assert count(engine, deliveries) == 0


def test_nothing_is_no_statement(engine: Engine) -> None:
    """Empty tables are passed over."""
    with engine.begin() as connection:
        bulk.insert(connection, {deliveries: [], blobs: []})

    assert count(engine, deliveries) == 0
