# SPDX-License-Identifier: MIT
"""Automatic texts: where they may go, how many a day, and never to whom asked for silence."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from channels.message import DeliveryStatus
from config.settings import Settings
from dispatcher.work import Result, Work
from gateway.relay import Relay
from tracker import opt_outs, outbox
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import OutboxKind, OutboxState, attention
from tracker.models import outbox as outbox_table

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

Put = Callable[..., None]


class Sent:
    """What left, in place of a provider."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def perform(self, work: Work) -> Result:
        """Take an entry."""
        self.entries.append(f"{work.entry.kind}:{work.entry.recipient}")
        return Result(OutboxState.DONE, "id", DeliveryStatus.SENT)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def put(engine: Engine, kind: OutboxKind, number: int, recipient: str, **more: str) -> None:
    """An automatic text that is due."""
    with engine.begin() as connection:
        outbox.put(
            connection,
            kind,
            f"test:{kind}:{number}:{recipient}",
            now=NOW - timedelta(seconds=60 - number),
            channel=more.get("channel", "sms"),
            recipient_scheme=more.get("scheme", "tel"),
            recipient=recipient,
            automatic=True,
            payload={"notice": "help"},
        )


def drained(engine: Engine, now: datetime = NOW, **sms: object) -> list[str]:
    """What leaves when everything due is done."""
    settings = Settings(profile="demo", sms=sms)
    sent = Sent()
    Relay(engine, settings, sent.perform, lambda: now).drain()
    return sent.entries


def states(engine: Engine) -> dict[str, str]:
    """The state of each entry, by its key."""
    with engine.connect() as connection:
        rows = connection.execute(select(outbox_table.c.idempotency_key, outbox_table.c.state))
        return {row.idempotency_key: row.state for row in rows}


def test_automatic_texts_stay_in_the_country(engine: Engine) -> None:
    """Unless the settings name other calling codes; a mail goes anywhere."""
    put(engine, OutboxKind.NOTIFY, 1, "+212612345678")
    put(engine, OutboxKind.NOTIFY, 2, "+33612345678")
    put(engine, OutboxKind.NOTIFY, 3, "a@mail.example", channel="email", scheme="mailto")
    assert drained(engine) == ["notify:+212612345678", "notify:a@mail.example"]
    assert states(engine)["test:notify:2:+33612345678"] == "held"
    put(engine, OutboxKind.NOTIFY, 4, "+33612345679")
    assert drained(engine, allowed_calling_codes=["212", "33"]) == ["notify:+33612345679"]


def test_notices_fall_silent_before_acknowledgements(engine: Engine) -> None:
    """At the ceiling acknowledgements wait for the next day; the operator is told once a day."""
    limits: dict[str, Any] = {"texts_per_day": 4, "silence_status_at": 0.5}
    for number in range(4):
        put(engine, OutboxKind.NOTIFY, number, f"+21261234560{number}")
    assert len(drained(engine, **limits)) == 2
    for number in range(4):
        put(engine, OutboxKind.ACKNOWLEDGE, number, f"+21261234561{number}")
    assert len(drained(engine, **limits)) == 2
    assert sorted(states(engine).values()) == ["done"] * 4 + ["due"] * 2 + ["held"] * 2
    with engine.connect() as connection:
        told = connection.scalars(select(attention.c.data).order_by(attention.c.opened_at)).all()
    assert [one["limit"] for one in told] == ["silence", "ceiling"]

    assert len(drained(engine, NOW + timedelta(days=1), **limits)) == 2
    assert "due" not in states(engine).values()


def test_nothing_goes_to_whom_asked_for_silence(engine: Engine) -> None:
    """On that channel; START restores it."""
    with engine.begin() as connection:
        opt_outs.remember(connection, "sms", "+212612345678", NOW)
    put(engine, OutboxKind.ACKNOWLEDGE, 1, "+212612345678")
    put(engine, OutboxKind.NOTIFY, 2, "+212612345679")
    assert drained(engine) == ["notify:+212612345679"]
    assert states(engine)["test:acknowledge:1:+212612345678"] == "failed"

    with engine.begin() as connection:
        opt_outs.forget(connection, "sms", "+212612345678")
    put(engine, OutboxKind.NOTIFY, 3, "+212612345678")
    assert drained(engine) == ["notify:+212612345678"]
