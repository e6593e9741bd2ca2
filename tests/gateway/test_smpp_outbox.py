# SPDX-License-Identifier: MIT
"""Texts of ours by SMPP: handed on once, sent once, told to the end, and never forgotten."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from channels.message import DeliveryStatus
from channels.sms.part import SegmentReceipt
from config.settings import Settings
from gateway import wiring
from gateway.asking import Asking
from gateway.house import House
from gateway.relay import Relay
from gateway.smpp_door import open_door
from gateway.smpp_filing import TextFiling
from gateway.smpp_line import Line
from gateway.smpp_outbox import AskingTexts, HandedTexts, SmppOutbox
from gateway.smpp_sweep import SmppSweep
from guichet_testing.gateway import until
from guichet_testing.smsc import Behaviour, Smsc, running
from guichet_testing.smsc_wire import deliver_body
from tracker import segments, texts
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import attention, case_events, messages, outbox, sms_segments, sms_texts

CODE = re.compile(r"\d{4}-\d{4}-\d{4}")
FATIMA = "212612345678"
#: Nobody waits for the slow ones here.
QUICK: dict[str, Any] = {
    "host": "127.0.0.1",
    "number": "3737",
    "response_timeout_seconds": 1.0,
    "throttle_seconds": 0.1,
    "hold_seconds": 2.0,
    "poll_seconds": 0.05,
    "reconnect_base_seconds": 0.05,
    "reconnect_cap_seconds": 0.1,
}


@dataclass
class World:
    """A register whose texts leave by SMPP; the relay's work is done by hand."""

    engine: Engine
    house: House
    smsc: Smsc
    workshop: wiring.Workshop
    relay: Relay

    @contextmanager
    def door(self) -> Iterator[None]:
        """Hold the line for the length of a ``with`` block."""
        stop = threading.Event()
        outgoing = SmppOutbox(self.house)
        door = open_door(self.house, outgoing, Line(100, 0))
        thread = threading.Thread(target=door.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)
            outgoing.close()

    def writes(self, words: str = "Le lampadaire de la rue est en panne") -> None:
        """A citizen writes, and the acknowledgement is handed on."""
        number = self.smsc.queue(deliver_body(FATIMA, words.encode("ascii")))[0]
        self.smsc.wait(lambda: number in self.smsc.ledger.acknowledged())
        self.files()
        self.relay.drain()

    def files(self) -> None:
        """What was delivered is filed."""
        while TextFiling(self.house).file_due():
            pass

    def waits(self) -> None:
        """The same, but the line is gone before the acknowledgement is."""
        number = self.smsc.queue(deliver_body(FATIMA, b"Pas d'eau depuis hier"))[0]
        with self.door():
            self.smsc.wait(lambda: number in self.smsc.ledger.acknowledged())
        self.files()
        self.relay.drain()
        assert (self.entry().state, self.status()) == ("done", "queued")

    def entry(self) -> Any:
        """The outbox entry of the acknowledgement."""
        with self.engine.connect() as connection:
            return connection.execute(select(outbox).where(outbox.c.kind == "acknowledge")).one()

    def status(self) -> str | None:
        """What the record says of the acknowledgement's delivery."""
        return str(self.entry().delivery_status)

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(table)))

    def sweep(self, after: timedelta = timedelta()) -> None:
        """A round of the sweeper, some time later."""
        later = replace(self.house, clock=lambda: wiring.now() + after)
        SmppSweep(later).sweep()
        ways: Any = {n: Asking(c, wiring.now) for n, c in self.workshop.channels.items()}
        ways["sms"] = AskingTexts(self.engine)
        asking = replace(self.workshop.dispatcher, channels=ways)
        older_than = wiring.now() + after + timedelta(minutes=1)
        self.relay.settle_unknown(asking.perform, older_than=older_than)


@pytest.fixture
def behaviour() -> Behaviour:
    """How the SMSC behaves; a test changes it before anybody connects."""
    return Behaviour()


@pytest.fixture
def world(
    database_url: str, redis_url: str, tmp_path: Path, behaviour: Behaviour
) -> Iterator[World]:
    engine = open_engine(database_url, lock_timeout_seconds=1.0)
    upgrade(engine)
    with running(behaviour) as smsc:
        settings = Settings(
            profile="demo",
            data_dir=tmp_path,
            web={"secret_keys": ["k" * 40]},
            queue={"redis_url": redis_url, "retry_base_seconds": 0.05},
            dispatch={"blackhole_outlets": True},
            smpp={**QUICK, "port": smsc.port},
        )
        house = wiring.build_house(settings, engine)
        workshop = wiring.build_workshop(settings, engine)
        rest = partial(wiring.rest, workshop)
        relay = Relay(engine, settings, workshop.dispatcher.perform, wiring.now, rest=rest)
        yield World(engine, house, smsc, workshop, relay)
        house.writer.close()
    engine.dispose()


@pytest.mark.parametrize("receipts", ["late", "early", "twice"])
def test_an_acknowledgement_is_delivered_once(
    world: World, behaviour: Behaviour, receipts: str
) -> None:
    behaviour.receipts = receipts
    with world.door():
        world.writes()
        until(lambda: world.status() == "delivered", what="the receipt")

    (sent,) = world.smsc.ledger.submits
    (said,) = [row for row in world.rows(messages) if row.direction == "outbound"]
    assert sent.destination == FATIMA
    code = CODE.search(said.text)
    assert code is not None
    assert code[0].encode() in sent.short_message
    assert said.delivery_status == "delivered"
    assert world.entry().provider_id == sent.message_id
    assert [row.state for row in world.rows(sms_texts)] == ["submitted"]


@pytest.mark.parametrize("receipts", ["late", "early", "twice"])
def test_a_text_of_several_segments_is_delivered_when_all_are(
    world: World, behaviour: Behaviour, receipts: str
) -> None:
    behaviour.receipts = receipts
    behaviour.response_id = lambda number: f"{number:08x}"
    behaviour.receipt_id = lambda number: f"{number:08X}"
    world.waits()
    with world.engine.begin() as connection:
        connection.execute(sms_texts.update().values(text="تم تسجيل شكايتكم. " * 12))
    with world.door():
        until(lambda: world.status() == "delivered", what="the receipts")

    found = sorted(world.rows(sms_segments), key=lambda row: row.number)
    assert len(found) == len(world.smsc.ledger.submits) > 2
    assert {row.status for row in found} == {"delivered"}
    assert world.entry().provider_id == " ".join(row.message_id for row in found)


def test_a_text_has_failed_when_one_segment_has(world: World) -> None:
    """And while one receipt is out, it is only sent."""
    world.waits()
    entry_id = world.entry().id
    now = wiring.now()

    def receive(message_id: str, status: DeliveryStatus) -> None:
        with world.engine.begin() as connection:
            told = SegmentReceipt("smpp", message_id, status, status.value, None)
            segments.receive(connection, [told], now)

    receive("b", DeliveryStatus.DELIVERED)  # before its answer
    with world.engine.begin() as connection:
        texts.submitted(connection, "smpp", {entry_id: ["a", "b", "c"]}, now)
    receive("a", DeliveryStatus.DELIVERED)
    assert world.status() == "sent"
    receive("c", DeliveryStatus.FAILED)
    receive("c", DeliveryStatus.SENT)
    assert world.status() == "failed"
    assert [item.reason for item in world.rows(attention)].count("undelivered") == 1


def test_a_refused_receipt_goes_to_a_person(world: World, behaviour: Behaviour) -> None:
    behaviour.receipts, behaviour.receipt_words = "late", ("UNDELIV", "034")
    with world.door():
        world.writes()
        until(lambda: world.status() == "failed", what="the receipt")

    assert [item.reason for item in world.rows(attention)].count("undelivered") == 1
    assert any(row.type.endswith("message.failed") for row in world.rows(case_events))


def test_a_refused_text_goes_to_a_person(world: World, behaviour: Behaviour) -> None:
    behaviour.submit_status = lambda _: 0x0B  # ESME_RINVDSTADR
    with world.door():
        world.writes()
        until(lambda: world.status() == "failed", what="the refusal")
    assert [item.reason for item in world.rows(attention)].count("undelivered") == 1
    assert len(world.smsc.ledger.submits) == 1


def test_a_throttled_text_is_sent_again(world: World, behaviour: Behaviour) -> None:
    behaviour.submit_status = lambda number: 0x58 if number < 3 else 0
    with world.door():
        world.writes()
        until(lambda: world.status() == "sent", what="the third try")
    assert [submit.status for submit in world.smsc.ledger.submits] == [0x58, 0x58, 0]


def test_an_unanswered_text_is_never_sent_twice_and_a_person_sees_it(
    world: World, behaviour: Behaviour
) -> None:
    behaviour.drop_at_submit = 1
    with world.door():
        world.writes()
        until(
            lambda: [row.state for row in world.rows(sms_texts)] == ["unknown"],
            what="the uncertainty",
        )
        world.sweep()  # also where the line was faster than the relay's own record
        assert world.entry().state == "failed"
        world.sweep(timedelta(days=2))
        world.relay.drain()
    assert len(world.smsc.ledger.submits) == 1
    assert [item.reason for item in world.rows(attention)].count("undelivered") == 1


def test_what_a_dead_process_had_in_hand_is_unknown(world: World) -> None:
    """Its claim expires; another door does not send it."""
    world.waits()
    entry = world.entry()
    claimed = SmppOutbox(world.house).due(10)
    assert [one.entry_id for one in claimed] == [str(entry.id)]

    world.sweep()
    assert world.entry().state == "done"
    world.sweep(timedelta(minutes=10))
    assert (world.entry().state, world.rows(sms_texts)[0].state) == ("failed", "unknown")
    assert SmppOutbox(world.house).due(10) == ()


def test_texts_wait_for_the_line_and_then_go(world: World) -> None:
    world.waits()
    with world.door():
        until(lambda: world.status() == "sent", what="the text")


def test_a_text_that_waited_too_long_for_the_line_has_failed(world: World) -> None:
    world.waits()
    world.sweep(timedelta(hours=23))
    assert world.status() == "queued"
    world.sweep(timedelta(hours=25))
    assert world.status() == "failed"
    assert [item.reason for item in world.rows(attention)].count("undelivered") == 1


@pytest.mark.parametrize("handed", [False, True])
def test_a_relay_that_died_is_answered_exactly(world: World, handed: bool) -> None:
    """Between handing a text on and recording it: it is on record as handed on, or it is not."""

    class Killed(BaseException):
        """The process is gone."""

    def die() -> None:
        if handed:
            wiring.rest(world.workshop)
        raise Killed

    with world.door():
        number = world.smsc.queue(deliver_body(FATIMA, b"Pas d'eau depuis hier"))[0]
        world.smsc.wait(lambda: number in world.smsc.ledger.acknowledged())
        world.files()
        perform = world.workshop.dispatcher.perform
        dying = Relay(world.engine, world.house.settings, perform, wiring.now, rest=die)
        with pytest.raises(Killed):
            dying.drain()
        way = world.workshop.channels["sms"]
        assert isinstance(way, HandedTexts)
        way._rows.clear()
        with world.engine.begin() as connection:  # what the sweeper does when the claim expires
            connection.execute(
                outbox.update().where(outbox.c.kind == "acknowledge").values(state="unknown")
            )
        world.sweep()
        until(lambda: world.relay.drain() == 0 and world.status() == "sent", what="the text")
    assert len(world.smsc.ledger.submits) == 1
    assert world.entry().state == "done"


@pytest.mark.parametrize("fate", ["refused", "unknown"])
def test_a_lost_notice_of_a_page_is_seen_though_the_page_has_the_answer(
    world: World, fate: str
) -> None:
    """The entry is the page's own and stays delivered; that nobody was told is an event."""
    world.waits()
    entry_id = world.entry().id
    now = wiring.now()
    with world.engine.begin() as connection:
        connection.execute(outbox.update().values(channel="web", delivery_status="delivered"))
        connection.execute(sms_texts.update().values(state="claimed", claimed_until=now))
        for _ in range(2):
            if fate == "refused":
                texts.fail(connection, entry_id, "refused by the operator", now)
            else:
                texts.expire(connection, now + timedelta(seconds=1))
    assert (world.entry().state, world.status()) == ("done", "delivered")
    failed = [row for row in world.rows(case_events) if row.type.endswith("message.failed")]
    assert len(failed) == 1


def test_what_cannot_be_recorded_at_once_is_recorded_later(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The SMSC has the text: its answer is kept until the database takes it."""
    world.waits()
    outgoing = SmppOutbox(world.house)
    (text,) = outgoing.due(10)
    with world.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(select(outbox.c.id))
        else:
            connection.exec_driver_sql("LOCK TABLE sms_texts IN EXCLUSIVE MODE")
        outgoing.submitted(text.entry_id, ["1"])
        until(lambda: "commit failed" in caplog.text, what="a refused commit")
        connection.rollback()
    until(lambda: world.status() == "sent", what="the record")
    outgoing.close()
    assert [row.message_id for row in world.rows(sms_segments)] == ["1"]
