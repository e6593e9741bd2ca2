# SPDX-License-Identifier: MIT
"""Texts by SMPP into the register: one commit a read, nothing lost, nothing twice."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, select, text

from channels.channel import Delivery
from channels.message import ChannelName
from channels.sms.part import Part, read_part
from channels.sms.smpp_pdu import Pdu, read_short_message, units
from config.settings import Settings
from gateway import wiring
from gateway.commands.doctor import smpp_fault
from gateway.house import House
from gateway.replay import replay
from gateway.smpp_filing import TextFiling
from gateway.smpp_intake import PartIntake
from gateway.smpp_line import Line
from guichet_testing.gateway import until
from guichet_testing.smsc import Behaviour, running
from guichet_testing.smsc_wire import deliver_body, pack, parts_of
from tracker.database import open_engine, reading
from tracker.group_commit import StorageUnavailable
from tracker.migrations import upgrade
from tracker.models import (
    attention,
    case_events,
    cases,
    deliveries,
    messages,
    outbox,
    sms_parts,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: Which parts of four each of two processes gets; the third goes to both.
HALVES = ((0, 3), (2, 4))
FATIMA, OMAR = "212612345678", "212698765432"
LONG = "انقطع الماء الصالح للشرب عن حي السلام منذ ثلاثة أيام ولم يرد علينا أحد من المصالح. " * 2


@dataclass
class World:
    """A register behind the SMPP door, and a clock that is moved by hand."""

    engine: Engine
    house: House
    intake: PartIntake
    filing: TextFiling
    now: datetime = START

    def parts(self, *bodies: bytes) -> list[Part]:
        """What the door reads of deliver_sm bodies now."""
        found = []
        for number, body in enumerate(bodies, start=1):
            (pdu,) = units(pack(0x05, number, body))
            found.append(self.part(pdu))
        return found

    def part(self, pdu: Pdu) -> Part:
        """What the door reads of one unit now."""
        return read_part(
            pdu, read_short_message(pdu), smsc="smpp", region="MA", received_at=self.now
        )

    def keep(self, *bodies: bytes) -> list[bool]:
        """Hand in what one read of the socket held, and file what can be filed."""
        kept = list(self.intake.keep(self.parts(*bodies)))
        while self.filing.file_due():
            pass
        return kept

    def later(self, **span: float) -> None:
        """Move the clock."""
        self.now += timedelta(**span)

    def rows(self, statement: Any) -> list[Any]:
        """Look into the record."""
        with reading(self.engine).connect() as connection:
            return list(connection.execute(statement))

    def said(self, contact: str = "") -> list[str]:
        """What citizens said, in order."""
        query = select(messages.c.text).where(messages.c.direction == "inbound")
        if contact:
            query = query.where(messages.c.sender == f"+{contact}")
        return [row.text for row in self.rows(query.order_by(messages.c.id))]

    def incomplete(self) -> list[str]:
        """What the record says is missing of each text."""
        query = select(messages.c.incomplete).where(messages.c.direction == "inbound")
        return [row.incomplete for row in self.rows(query.order_by(messages.c.id))]

    def events(self, word: str) -> list[dict[str, Any]]:
        """The data of events whose type ends with ``word``."""
        found = self.rows(select(case_events.c.type, case_events.c.data).order_by(case_events.c.id))
        return [row.data for row in found if row.type.endswith(word)]

    def count(self, table: Any) -> int:
        """How many rows a table has."""
        return len(self.rows(select(table)))


@pytest.fixture
def world(database_url: str, redis_url: str) -> Iterator[World]:
    """An empty register."""
    engine = open_engine(database_url, lock_timeout_seconds=1.0)
    upgrade(engine)
    settings = Settings(
        profile="demo",
        web={"secret_keys": ["k" * 40]},
        queue={"redis_url": redis_url},
        smpp={"host": "127.0.0.1", "number": "3737"},
    )
    house = wiring.build_house(settings, engine)
    found = World(engine, house, PartIntake(house, line()), TextFiling(house))
    house = replace(house, clock=lambda: found.now)
    found.house, found.intake, found.filing = house, PartIntake(house, line()), TextFiling(house)
    yield found
    house.writer.close()
    engine.dispose()


def line() -> Line:
    """A line that nobody waits for."""
    return Line(10_000, 5.0)


def size(into: int) -> int:
    """Octets of a part of ``LONG`` cut into so many."""
    return 2 * -(-len(LONG) // into)


def gsm(words: str, source: str = FATIMA) -> bytes:
    """A short text in the default alphabet (letters that are alike in ASCII)."""
    return deliver_body(source, words.encode("ascii"))


def test_a_short_text_is_a_case_with_its_raw_unit(world: World) -> None:
    body = gsm("Le lampadaire de la rue est en panne")

    assert world.keep(body) == [True]

    (case,) = world.rows(select(cases))
    (raw,) = world.rows(select(deliveries))
    assert (case.channel, case.contact_value) == ("sms", f"+{FATIMA}")
    assert raw.body == pack(0x05, 1, body)
    assert {row.kind for row in world.rows(select(outbox))} == {"acknowledge", "route"}


def test_everything_of_one_read_is_one_commit(world: World) -> None:
    commits: list[str] = []
    event.listen(world.engine, "commit", lambda _: commits.append("commit"))
    read = [gsm(f"Pas d'eau rue {n}", f"2126100000{n:02d}") for n in range(40)]
    read += parts_of(OMAR, LONG, reference=7)

    assert all(world.intake.keep(world.parts(*read)))

    assert commits == ["commit"]
    world.keep()
    assert world.count(cases) == 41
    assert world.said(OMAR) == [LONG.strip()]


@pytest.mark.parametrize("bits", [8, 16])
def test_parts_in_every_order_make_one_text(world: World, bits: int) -> None:
    orders = list(permutations(range(3)))
    for number, order in enumerate(orders):
        source = f"21261000000{number}"
        bodies = parts_of(source, LONG, reference=9, bits=bits, octets=size(3))
        assert len(bodies) == 3
        for place in order:
            assert world.keep(bodies[place]) == [True]
    assert world.said() == [LONG.strip()] * len(orders)
    assert set(world.incomplete()) == {""}


def test_two_citizens_with_one_reference_are_two_cases(world: World) -> None:
    hers, his = parts_of(FATIMA, LONG, reference=3), parts_of(OMAR, LONG[::-1], reference=3)

    for pair in zip(hers, his, strict=True):
        world.keep(*pair)

    assert (world.said(FATIMA), world.said(OMAR)) == ([LONG.strip()], [LONG[::-1].strip()])


def test_more_than_ten_parts_in_one_read_and_one_by_one(world: World) -> None:
    bodies = parts_of(FATIMA, LONG * 6, reference=1)
    assert len(bodies) > 10

    world.keep(*reversed(bodies))
    for body in parts_of(OMAR, LONG * 6, reference=1)[::-1]:
        world.keep(body)

    assert world.said() == [(LONG * 6).strip()] * 2


def test_another_total_with_the_same_reference_is_another_text(world: World) -> None:
    two = parts_of(FATIMA, LONG, reference=5, octets=size(2))
    three = parts_of(FATIMA, LONG, reference=5, octets=size(3))
    assert (len(two), len(three)) == (2, 3)

    world.keep(two[0], three[0], three[1])
    world.keep(two[1], three[2])

    assert world.said() == [LONG.strip()] * 2


def test_a_reference_used_again_is_another_text(world: World) -> None:
    first, second = parts_of(FATIMA, LONG, reference=5), parts_of(FATIMA, LONG[::-1], reference=5)
    world.keep(*first)
    world.later(minutes=16)
    world.keep(*second)
    world.later(minutes=16)
    world.keep(*first)

    assert world.said() == [LONG.strip(), LONG[::-1].strip(), LONG.strip()]


def test_a_part_with_other_words_at_a_taken_place_begins_another_text(world: World) -> None:
    first = parts_of(FATIMA, LONG, reference=5, octets=size(2))
    second = parts_of(FATIMA, LONG[::-1], reference=5, octets=size(2))

    world.keep(first[0], second[0])
    world.keep(second[1], first[1])

    # Nobody can tell which second part belongs to which first; none is lost.
    assert sorted("".join(world.said())) == sorted(LONG.strip() + LONG[::-1].strip())
    assert world.count(deliveries) == 2


@pytest.mark.parametrize("long", [False, True])
def test_what_is_sent_again_within_the_window_is_known_and_after_it_new(
    world: World, long: bool
) -> None:
    # Where the same words join their open case, a text that is new would not be seen.
    world.house.settings.duplicates.window_days = 0
    read = parts_of(FATIMA, LONG, reference=5) if long else [gsm("Toujours pas d'eau chez nous")]
    for minutes, cases_then in ((0, 1), (14, 1), (16, 2), (1, 2), (20, 3), (100, 4), (3, 4)):
        world.later(minutes=minutes)
        assert all(world.keep(*read, *read))
        assert world.count(cases) == cases_then
    assert len(set(Counter(world.said()).values())) == 1


def test_a_text_without_a_part_is_filed_after_the_wait_and_marked(world: World) -> None:
    bodies = parts_of(FATIMA, LONG, reference=5, octets=size(3))
    world.keep(bodies[0], bodies[2])
    world.later(minutes=9)
    assert world.filing.file_overdue() == 0
    world.later(minutes=2)
    assert world.filing.file_overdue() == 1
    assert world.filing.file_overdue() == 0

    (said,) = world.said()
    assert "[part 2/3 missing]" in said
    assert said.replace("[part 2/3 missing]", LONG[size(3) // 2 : size(3)]) == LONG.strip()
    assert world.incomplete() == ["[part 2/3 missing]"]
    assert world.events("parts_missing") == [{"parts": [2], "total": 3}]
    (case,) = world.rows(select(cases))
    assert case.requested_datetime == START  # the clock starts with the first part


def test_late_parts_follow_to_the_case_until_it_is_whole(world: World) -> None:
    bodies = parts_of(FATIMA, LONG, reference=5, octets=size(5))
    assert len(bodies) == 5
    world.keep(bodies[0], bodies[4])
    world.later(minutes=11)
    world.filing.file_overdue()
    world.later(minutes=30)

    assert world.keep(bodies[2]) == [True]
    assert world.incomplete()[0] == "[part 2/5 missing] [part 4/5 missing]"
    assert world.keep(bodies[2]) == [True]
    assert world.keep(bodies[3], bodies[1]) == [True, True]

    step = size(5) // 2
    words = [LONG[at : at + step] for at in range(0, len(LONG), step)]
    assert world.count(cases) == 1
    assert world.said()[1:] == [words[2].strip(), f"{words[1]}\n{words[3]}".strip()]
    assert world.incomplete() == ["", "", ""]
    assert [data["parts"] for data in world.events("late_part")] == [[3], [2, 4]]
    assert world.count(sms_parts) == 5


def test_a_new_text_with_the_reference_of_an_incomplete_one_is_kept_apart(world: World) -> None:
    world.keep(parts_of(FATIMA, LONG, reference=5, octets=size(2))[0])
    world.later(minutes=16)
    world.filing.file_overdue()

    world.keep(*parts_of(FATIMA, LONG[::-1], reference=5, octets=size(2)))

    assert world.count(cases) == 2
    assert world.said()[1] == LONG[::-1].strip()


def test_parts_that_two_processes_stored_at_once_are_joined_by_the_sweeper(world: World) -> None:
    """Each saw only its own part, as neither was committed."""
    bodies = parts_of(FATIMA, LONG, reference=5, octets=size(2))
    world.keep(bodies[0])
    with world.engine.begin() as connection:
        (row,) = connection.execute(select(sms_parts))
        (part,) = world.parts(bodies[1])
        other = dict(row._mapping, number=2, key=part.key, user_data=part.user_data, pdu=part.pdu)
        connection.execute(sms_parts.insert().values({**other, "id": uuid4()}))

    assert world.filing.file_overdue() == 0  # the process that stored them may be at it
    world.later(seconds=31)
    assert world.filing.file_overdue() == 1
    assert world.said() == [LONG.strip()]
    assert world.incomplete() == [""]


def test_nothing_is_acknowledged_while_nothing_can_be_stored(world: World) -> None:
    bodies = [gsm("Pas d'eau depuis hier"), *parts_of(OMAR, LONG, reference=5)]
    with world.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("SELECT 1"))
        else:
            connection.execute(text("LOCK TABLE deliveries, sms_parts IN EXCLUSIVE MODE"))
        assert world.keep(*bodies) == [False] * len(bodies)
        connection.rollback()

    assert world.keep(*bodies) == [True] * len(bodies)
    assert world.count(cases) == 2


def test_one_part_that_cannot_be_stored_spoils_only_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The good ones are filed; the bad one is in quarantine with its bytes, and is replayed."""
    good, bad = gsm("Pas d'eau depuis hier"), gsm("La rue est sombre la nuit", OMAR)
    intended = world.house.intake.file

    def file(connection: Any, delivery: Delivery, submission: Any, unread: str) -> Any:
        if submission is not None and submission.contact.value == f"+{OMAR}":
            raise RuntimeError("an error in our own code")
        return intended(connection, delivery, submission, unread)

    monkeypatch.setattr(world.house.intake, "file", file)
    assert world.keep(good, bad) == [True, True]
    monkeypatch.undo()

    (held,) = world.rows(select(deliveries).where(deliveries.c.state == "quarantined"))
    assert held.body == pack(0x05, 2, bad)
    assert world.count(cases) == 1
    replay(world.house, held.id)
    assert sorted(world.said()) == ["La rue est sombre la nuit", "Pas d'eau depuis hier"]
    assert not world.rows(select(attention).where(attention.c.resolved_at.is_(None)))


def test_a_quarantined_long_text_is_read_again_from_its_units(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("a reader with a fault")

    monkeypatch.setattr("gateway.smpp_reading.join", broken)
    assert all(world.keep(*parts_of(FATIMA, LONG, reference=5)))
    assert world.said() == []
    monkeypatch.undo()

    (held,) = world.rows(select(deliveries))
    assert held.state == "quarantined"
    replay(world.house, held.id)
    assert world.said() == [LONG.strip()]
    assert held.channel == str(ChannelName.SMS)


def test_filing_goes_on_when_the_database_is_back(world: World) -> None:
    """What an earlier process has left is filed first, then what comes."""
    world.intake.keep(world.parts(gsm("Pas d'eau depuis hier")))
    over, shared = threading.Event(), line()
    filing = threading.Thread(target=world.filing.run, args=(shared, over), daemon=True)
    with world.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("SELECT 1"))
        else:
            connection.execute(text("LOCK TABLE deliveries, sms_parts IN EXCLUSIVE MODE"))
        filing.start()
        filing.join(2.5)
        assert filing.is_alive()
        assert world.said() == []
        connection.rollback()
    until(lambda: world.said() == ["Pas d'eau depuis hier"], what="the first text")
    intake = PartIntake(world.house, shared)
    intake.keep(world.parts(gsm("La rue est sombre la nuit", OMAR)))
    until(lambda: len(world.said()) == 2, what="the second text")
    over.set()
    filing.join(10)
    assert not filing.is_alive()


def test_a_text_whose_filing_fails_is_set_aside_with_its_units(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours beside the intake: the others are filed, and it is not tried for ever."""
    first = parts_of(FATIMA, LONG, reference=5)
    world.keep(first[0])
    world.later(minutes=11)
    world.filing.file_overdue()

    def broken(*_: object) -> Any:
        raise RuntimeError("an error in our own code")

    monkeypatch.setattr("gateway.smpp_filing.parts.first_delivery", broken)
    assert world.keep(first[1], gsm("La rue est sombre la nuit", OMAR)) == [True, True]
    monkeypatch.undo()

    (held,) = world.rows(select(deliveries).where(deliveries.c.state == "quarantined"))
    assert held.body == pack(0x05, 1, first[1])
    assert world.count(cases) == 2
    assert world.filing.file_due() == 0
    assert world.count(attention) == 1


def test_a_long_text_that_names_a_case_joins_it_and_so_does_its_late_part(world: World) -> None:
    world.keep(gsm("Le lampadaire de la rue est en panne"))
    (case,) = world.rows(select(cases))
    words = f"{case.tracking_code} {LONG}"
    bodies = parts_of(FATIMA, words, reference=5)
    world.keep(*bodies[:-1])
    world.later(minutes=11)
    world.filing.file_overdue()
    world.keep(bodies[-1])

    assert world.count(cases) == 1
    assert len(world.said()) == 3


def test_two_processes_with_one_account_file_every_text_once(world: World) -> None:
    """Each gets a half of every text, and some parts twice; both file all the while."""
    url = world.engine.url.render_as_string(hide_password=False)
    second = wiring.build_house(world.house.settings, open_engine(url))
    second = replace(second, clock=lambda: world.now)
    workers = (
        (world.intake, world.filing),
        (PartIntake(second, line()), TextFiling(second)),
    )
    phones = [f"2126100000{n:02d}" for n in range(25)]
    texts = [parts_of(phone, LONG, reference=1, octets=size(4)) for phone in phones]
    halves = [[body for bodies in texts for body in bodies[start:end]] for start, end in HALVES]

    def insist(worker: tuple[PartIntake, TextFiling], bodies: list[bytes]) -> None:
        intake, filing = worker
        waiting = world.parts(*bodies)
        while waiting:  # as an SMSC does after 0x64
            kept = intake.keep(waiting[:10])
            waiting = [one for one, ok in zip(waiting, kept, strict=False) if not ok] + waiting[10:]
            with suppress(StorageUnavailable):  # the other one is writing
                filing.file_due()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(insist, workers, halves))
    world.keep()
    second.writer.close()
    second.engine.dispose()

    assert world.said() == [LONG.strip()] * len(phones)
    assert {row.contact_value for row in world.rows(select(cases))} == {f"+{p}" for p in phones}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"host": ""}, ""),
        ({"system_id": ""}, "smpp.system_id is empty"),
        ({"number": ""}, "smpp.number is empty"),
        ({"system_id": "médiateur"}, "ASCII"),
        ({"port": 1}, "not reached"),
        ({}, ""),
    ],
)
def test_the_doctor_says_why_there_is_no_line(settings: dict[str, Any], told: str) -> None:
    with running(Behaviour()) as smsc:
        smpp = {"host": "127.0.0.1", "port": smsc.port, "system_id": "us", "number": "3737"}
        found = smpp_fault(Settings(profile="demo", smpp={**smpp, **settings}))
        assert told in found
        assert bool(found) == bool(told)
        assert smsc.ledger.binds == []
