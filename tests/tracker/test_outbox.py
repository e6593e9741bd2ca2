# SPDX-License-Identifier: MIT
"""The outbox: claimed once, freed when its worker died, never sent blindly twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from tracker import outbox
from tracker.database import durability, open_engine
from tracker.migrations import upgrade
from tracker.models import OutboxKind, OutboxState
from tracker.models import outbox as table

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def put(engine: Engine, kind: OutboxKind, key: str, **values: object) -> None:
    """Put one entry due now."""
    with engine.begin() as connection:
        outbox.put(connection, kind, key, now=NOW, **values)


def claim(engine: Engine, now: datetime = NOW, lease: float = 60) -> list:
    """Claim everything."""
    with engine.begin() as connection:
        return list(
            outbox.claim(
                connection,
                kinds=list(OutboxKind),
                limit=100,
                lease_seconds=lease,
                worker="test",
                now=now,
            )
        )


def test_every_connection_is_durable(engine: Engine) -> None:
    """Promise 1 rests on it."""
    found = durability(engine)

    assert found.get("synchronous", "2") == "2"
    assert found.get("synchronous_commit", "on") == "on"


def test_the_same_key_is_put_once(engine: Engine) -> None:
    """The same cause leads to one entry."""
    put(engine, OutboxKind.ROUTE, "route:1")
    put(engine, OutboxKind.ROUTE, "route:1")

    assert len(claim(engine)) == 1


def test_an_entry_is_claimed_once(engine: Engine) -> None:
    """A claim holds against other workers."""
    put(engine, OutboxKind.ROUTE, "a")

    assert len(claim(engine)) == 1
    assert claim(engine) == []


def test_not_before_is_kept(engine: Engine) -> None:
    """An entry due later is left alone."""
    put(engine, OutboxKind.ROUTE, "a", not_before=NOW + timedelta(minutes=1))

    assert claim(engine) == []
    assert len(claim(engine, NOW + timedelta(minutes=2))) == 1


def test_what_may_have_left_becomes_unknown(engine: Engine) -> None:
    """Inside work is due again; what leaves the house is unknown until the provider is asked."""
    put(engine, OutboxKind.ROUTE, "inside")
    put(engine, OutboxKind.ACKNOWLEDGE, "outside", channel="sms", recipient="x")
    claim(engine, lease=10)
    with engine.begin() as connection:
        freed = outbox.free_expired(connection, NOW + timedelta(seconds=11))
        states = dict(connection.execute(select(table.c.idempotency_key, table.c.state)).all())

    assert [entry.idempotency_key for entry in freed.unknown] == ["outside"]
    assert states == {"inside": str(OutboxState.DUE), "outside": str(OutboxState.UNKNOWN)}


@pytest.mark.parametrize(("kind", "most"), [(OutboxKind.TRANSCRIBE, 3), (OutboxKind.ROUTE, 5)])
def test_what_kills_its_worker_is_not_tried_for_ever(
    engine: Engine, kind: OutboxKind, most: int
) -> None:
    """A transcription thrice, other work as often as anything is tried."""
    put(engine, kind, "poison", payload={"kept": True})
    now, deaths = NOW, []
    for _ in range(most):
        [entry] = claim(engine, now, lease=10)
        deaths.append(entry.id)
        now += timedelta(seconds=11)
        with engine.begin() as connection:
            freed = outbox.free_expired(connection, now, most_deaths=5)
        assert bool(freed.failed) == (len(deaths) == most)
    assert claim(engine, now) == []

    with engine.connect() as connection:
        row = connection.execute(select(table)).one()
    assert (row.state, row.done_at) == (str(OutboxState.FAILED), now)
    assert row.payload == {"kept": True, "deaths": most}
    assert row.last_error == f"its worker died {most} times"


def test_what_a_stopped_worker_holds_is_given_back(engine: Engine) -> None:
    """It counts as no death and as no attempt; what leaves the house is still asked after."""
    put(engine, OutboxKind.TRANSCRIBE, "inside")
    put(engine, OutboxKind.REPLY, "outside", channel="sms", recipient="x")
    claim(engine)
    with engine.begin() as connection:
        outbox.give_back_of(connection, "another")
        outbox.give_back_of(connection, "test")
        rows = connection.execute(select(table).order_by(table.c.idempotency_key)).all()

    assert [(row.state, row.attempts) for row in rows] == [("due", 0), ("claimed", 1)]


def test_a_receipt_before_our_own_result_is_kept(engine: Engine) -> None:
    """A callback may come before the POST returned: finishing must not take it back."""
    put(engine, OutboxKind.ACKNOWLEDGE, "a", channel="sms")
    [entry] = claim(engine)
    with engine.begin() as connection:
        connection.execute(table.update().values(delivery_status="delivered"))
        outbox.finish(
            connection,
            [
                {
                    "entry_id": entry.id,
                    "new_state": "done",
                    "at": NOW,
                    "provider": "SM1",
                    "status": "queued",
                    "error": "",
                }
            ],
        )
        row = connection.execute(select(table)).one()

    assert (row.state, row.delivery_status) == ("done", "delivered")


def test_backoff_grows_and_is_capped() -> None:
    """Doubling with jitter, up to the cap."""
    pauses = [outbox.backoff_seconds(n, base=5, cap=3600) for n in range(20)]

    assert 3.75 <= pauses[0] <= 6.25
    assert max(pauses) <= 3600 * 1.25
