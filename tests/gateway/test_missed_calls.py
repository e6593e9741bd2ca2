# SPDX-License-Identifier: MIT
"""Missed calls: one item for a number, which counts them and loses none, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.message import Address, AddressScheme, ChannelName, InboundMessage
from config import country
from config.settings import Settings
from gateway.intake import Intake
from gateway.planning import Planner
from tracker import attention as attention_room
from tracker import missed_calls
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import attention, deliveries

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
CALLER, OTHER = "+212612345678", "+212612345679"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def intake(engine: Engine) -> Iterator[Intake]:
    settings, morocco = Settings(profile="demo"), country.load("ma")
    settings.web.secret_keys = []
    writer = GroupCommit(engine)
    yield Intake(writer, Planner(settings, morocco), morocco)
    writer.close()


def hang_up(intake: Intake, caller: str, minutes: int = 0) -> None:
    anonymous = AddressScheme.ANONYMOUS if not caller else AddressScheme.TEL
    message = InboundMessage(
        f"CA{uuid4()}",
        ChannelName.VOICE,
        None,
        Address(anonymous, caller),
        "+2125",
        "",
        "",
        fields={"missed_call": "1"},
    )
    at = START + timedelta(minutes=minutes)
    delivery = Delivery(ChannelName.VOICE, f"voice:{uuid4()}:missed", at, "", {}, b"raw")
    assert isinstance(intake.accept(delivery, message), Accepted)


def rows(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table)))


def test_a_number_that_hangs_up_often_is_one_item(intake: Intake, engine: Engine) -> None:
    for minute in range(30):
        hang_up(intake, CALLER, minute)
    hang_up(intake, OTHER, 30)

    first, second = sorted(rows(engine, attention), key=lambda item: item.opened_at)
    assert missed_calls.calls(first.data) == 30
    assert first.data["latest"] == (START + timedelta(minutes=29)).isoformat()
    assert first.opened_at == START
    assert missed_calls.calls(second.data) == 1
    counted = {first.delivery_id, second.delivery_id, *map(UUID, first.data["later"])}
    assert counted == {row.id for row in rows(engine, deliveries)}


def test_withheld_numbers_are_nobody_s(intake: Intake, engine: Engine) -> None:
    hang_up(intake, "")
    hang_up(intake, "")

    assert len(rows(engine, attention)) == 2


def test_a_call_after_the_item_was_settled_is_a_new_one(intake: Intake, engine: Engine) -> None:
    hang_up(intake, CALLER)
    (item,) = rows(engine, attention)
    with engine.begin() as connection:
        attention_room.resolve(connection, item.id, by="a", action="handled", at=START)
    hang_up(intake, CALLER, 5)

    assert [missed_calls.calls(row.data) for row in rows(engine, attention)] == [1, 1]


def test_a_call_that_nobody_saw_is_not_settled_with_those_seen(
    intake: Intake, engine: Engine
) -> None:
    hang_up(intake, CALLER)
    hang_up(intake, CALLER, 5)
    (item,) = rows(engine, attention)

    def settle(seen: int) -> bool:
        with engine.begin() as connection:
            return missed_calls.settle(connection, item.id, seen=seen, by="a", at=START)

    assert not settle(1)
    assert rows(engine, attention)[0].resolved_at is None
    assert settle(2)
    assert rows(engine, attention)[0].resolved_at is not None
