# SPDX-License-Identifier: MIT
"""The relay: limits of automatic answers, failures that lead somewhere, unknowns that are asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError

from channels.channel import Accepted, Delivery
from channels.errors import OptedOut, Uncertain, Unreachable
from channels.mail.reply import MARKER_LINES
from channels.message import (
    Address,
    AddressScheme,
    ChannelName,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Receipt,
)
from channels.sms.twilio import text_digest
from channels.web.page import TrackingPage
from config import country
from config.settings import Settings
from config.wording import Wording, isolate
from dispatcher.administration import Administration, FormerName, store
from dispatcher.dispatch import Dispatcher
from dispatcher.notices import Notices
from dispatcher.routing.rules import Router, Rule
from dispatcher.work import Result
from gateway.asking import Asking
from gateway.gathering import gather
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from tracker import answers, opt_outs, receipts, register
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import OutboxState, attention, cases, messages, outbox
from tracker.outbox import free_expired, provider_id_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Recorder:
    """A provider that keeps what it is given, or fails as it is told."""

    name: ChannelName
    sent: list[OutboundMessage] = field(default_factory=list)
    failure: Exception | None = None
    before: Callable[[], None] = field(default=lambda: None)

    def send(self, message: OutboundMessage) -> Receipt:
        """Keep it, or raise."""
        self.before()
        if self.failure is not None:
            raise self.failure
        self.sent.append(message)
        return Receipt(f"ID{len(self.sent)}", DeliveryStatus.SENT)


@dataclass
class World:
    """A register with a relay and a clock that is moved by hand."""

    engine: Engine
    intake: Intake
    relay: Relay
    texts: Recorder
    now: datetime
    dispatcher: Dispatcher

    def file(self, words: str, number: str = "+212612345678") -> str:
        """File a text and return its code."""
        message = InboundMessage(
            "SM", ChannelName.SMS, None, Address(AddressScheme.TEL, number), "+2125", "", words
        )
        delivery = Delivery(ChannelName.SMS, f"sms:{uuid4()}", self.now, "", {}, b"raw")
        answer = self.intake.accept(delivery, message)
        assert isinstance(answer, Accepted)
        assert answer.tracking_code
        return answer.tracking_code

    def entries(self, kind: str) -> list[Any]:
        """The outbox entries of a kind."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(outbox).where(outbox.c.kind == kind)))


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A migrated database with one administration that handles water."""
    engine = open_engine(database_url)
    upgrade(engine)
    settings = Settings(profile="demo", web={"secret_keys": ["k" * 40]})
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    texts = Recorder(ChannelName.SMS)
    with engine.begin() as connection:
        store(connection, [Administration("water", {"fr": "Eaux", "ar": "الماء"})])

    def clock() -> datetime:
        return built.now

    notices = Notices(
        words=Wording(),
        isolate=isolate,
        date=lambda moment, _: f"{moment:%d/%m/%Y}",
        url=lambda language: f"https://g.example/{language}/track",
        recourse=morocco.next_recourse,
        markers=MARKER_LINES,
    )
    dispatcher = Dispatcher(
        channels={"sms": texts, "web": TrackingPage(), "voice": Recorder(ChannelName.VOICE)},
        notices=notices,
        router=Router([Rule("water", (("eau",),), 2.0)]),
        thread_address=lambda code: f"case+{code}.x@g.example",
        confirm_url=lambda case, language: f"https://g.example/{language}/{case.id}",
        mail_domain="g.example",
        clock=clock,
    )
    relay = Relay(engine, settings, dispatcher.perform, clock)
    intake = Intake(writer, Planner(settings, morocco), morocco)
    built = World(engine, intake, relay, texts, START, dispatcher)
    yield built
    writer.close()
    engine.dispose()


def test_a_batch_loads_its_own_administrations_under_the_names_of_the_day(world: World) -> None:
    """However long the register is; on the day after in the country the new name is told."""
    former = FormerName("fr", "Régie des eaux", world.now.date())
    with world.engine.begin() as connection:
        renamed = Administration("water", {"fr": "Eaux"}, names_former=(former,))
        store(connection, [renamed, Administration("power", {"fr": "Watt"})])
    world.file("Pas d'eau")
    world.relay.drain()

    told = []
    for moment in (world.now, world.now + timedelta(days=1)):
        world.now = moment
        with world.engine.connect() as connection:
            (work,) = gather(
                connection,
                world.entries("refer"),
                today=world.relay._today(),
                most_bytes=0,
            )
        assert work.administration is not None
        told.append(work.administration.name("fr"))

    assert told == ["Régie des eaux", "Eaux"]


def test_a_case_is_acknowledged_routed_and_referred(world: World) -> None:
    """All that follows a text, in one drain."""
    code = world.file("Pas d'eau")
    world.relay.drain()

    with world.engine.connect() as connection:
        case = connection.execute(select(cases)).one()
    assert (case.status, case.administration) == ("referred", "water")
    assert code[:4] in world.texts.sent[0].text
    assert {e.state for kind in ("acknowledge", "route", "refer") for e in world.entries(kind)} == {
        "done"
    }


def test_what_no_rule_knows_needs_a_person(world: World) -> None:
    """An abstention is on the list, with its reason."""
    world.file("Bonjour je suis fatigué de tout ceci")
    world.relay.drain()

    with world.engine.connect() as connection:
        item = connection.execute(select(attention)).one()
        assert connection.scalar(select(cases.c.status)) == "triage"
    assert item.reason == "unrouted"


def test_past_the_limit_acknowledgements_wait_and_go_together(world: World) -> None:
    """Promise 11: five in an hour; the others are not dropped and come as one, naming all codes."""
    codes = [world.file(f"Plainte numéro {n} sur l'eau") for n in range(8)]
    for _ in range(12):
        world.relay.drain()
        world.now += timedelta(seconds=70)
    first_hour = [m.text for m in world.texts.sent if m.auto_submitted == "auto-replied"]
    assert len(first_hour) <= 5
    for _ in range(40):
        world.now += timedelta(minutes=3)
        world.relay.drain()
    told = "".join(m.text for m in world.texts.sent).replace("-", "")

    assert all(code in told for code in codes)
    assert len([m for m in world.texts.sent if m.auto_submitted == "auto-replied"]) <= 8


def test_a_retryable_failure_waits_and_goes(world: World) -> None:
    """Backed off, then delivered."""
    world.texts.failure = Unreachable("down")
    world.file("Pas d'eau")
    world.relay.drain()
    assert world.entries("acknowledge")[0].state == "due"
    world.texts.failure = None
    world.now += timedelta(minutes=5)
    world.relay.drain()

    assert world.entries("acknowledge")[0].state == "done"


def test_a_final_failure_is_seen_by_a_person(world: World) -> None:
    """Never silence."""
    world.texts.failure = OptedOut("asked for silence", code="21610")
    world.file("Pas d'eau")
    world.relay.drain()

    with world.engine.connect() as connection:
        reasons = set(connection.scalars(select(attention.c.reason)))
    assert "undelivered" in reasons
    assert world.entries("acknowledge")[0].state == "failed"


def test_an_uncertain_message_is_asked_about_before_it_is_sent_again(world: World) -> None:
    """The provider knows it: done, and not sent twice. It does not: due again."""
    world.texts.failure = Uncertain("timed out")
    world.file("Pas d'eau")
    world.relay.drain()
    assert world.entries("acknowledge")[0].state == "unknown"
    world.texts.failure = None
    asked: list[str] = []

    def perform(work: Any) -> Any:
        asked.append(work.entry.kind)
        return Result(OutboxState.DUE, error="the provider knows of no such message")

    world.relay.settle_unknown(perform, older_than=world.now + timedelta(seconds=1))
    entry = world.entries("acknowledge")[0]
    assert (entry.state, entry.payload["was_unknown"]) == ("due", True)
    assert "acknowledge" in asked


def test_an_answer_goes_to_the_phone_and_waits_on_the_record(world: World) -> None:
    """The administration's words, with the code, by SMS; linked to its receipt."""
    code = world.file("Pas d'eau")
    world.relay.drain()
    with world.engine.begin() as connection:
        case = register.find_case(connection, code)
        assert case is not None
        answers.answer_case(
            connection,
            case,
            "Demain.",
            author_name="agent",
            administration="water",
            now=world.now,
        )
    world.relay.drain()

    assert "Demain." in world.texts.sent[-1].text
    with world.engine.connect() as connection:
        answer = connection.execute(
            select(messages).where(messages.c.author == "administration")
        ).one()
        assert connection.scalar(select(cases.c.status)) == "answered"
    assert (answer.delivery_status, answer.outbox_id) == ("sent", world.entries("reply")[0].id)


def test_what_a_slow_batch_cannot_begin_in_time_is_given_back(world: World) -> None:
    """A claim that ends while its entry waits for its turn would look like a dead worker's."""
    for number in range(4):
        world.file("Bruit de chantier", f"+21261234560{number}")

    def slow() -> None:
        world.now += timedelta(seconds=20)  # of a lease of 60

    world.texts.before = slow
    world.relay.batch()
    states = sorted(entry.state for entry in world.entries("acknowledge"))
    assert states == ["done", "done", "due", "due"]
    assert {e.attempts for e in world.entries("acknowledge") if e.state == "due"} == {0}

    world.relay.drain()
    assert len(world.texts.sent) == 4
    assert {entry.state for entry in world.entries("acknowledge")} == {"done"}


def test_a_result_that_cannot_be_recorded_spoils_only_itself(world: World) -> None:
    """Its neighbours are recorded, what went stays done, and a person sees the one that failed."""
    for number in range(3):
        world.file("Bruit de chantier", f"+21261234560{number}")
    perform = world.relay._perform
    poisoned: list[Any] = []

    def record(_connection: Connection) -> None:
        raise DataError("UPDATE", {}, ValueError("it does not fit"))

    def refused(work: Any) -> Any:
        result = perform(work)
        if work.entry.kind == "route" and not poisoned:
            poisoned.append(work.entry.id)
            return replace(result, record=record)
        return result

    world.relay._perform = refused
    world.relay.drain()

    states = {entry.id: entry.state for entry in world.entries("route")}
    assert states.pop(poisoned[0]) == "failed"
    assert set(states.values()) == {"done"}
    assert {entry.state for entry in world.entries("acknowledge")} == {"done"}
    assert len(world.texts.sent) == 3
    with world.engine.connect() as connection:
        assert poisoned[0] in set(connection.scalars(select(attention.c.outbox_id)))


def answered(world: World, code: str) -> None:
    """An administration answers a case."""
    with world.engine.begin() as connection:
        case = register.find_case(connection, code)
        assert case is not None
        answers.answer_case(
            connection, case, "Demain.", author_name="a", administration="water", now=world.now
        )


def test_what_somebody_silenced_was_to_be_told_takes_another_way_and_is_seen(world: World) -> None:
    """An acknowledgement waits on the list; an answer is told by the next way, without words."""
    with world.engine.begin() as connection:
        opt_outs.remember(connection, "sms", "+212612345678", world.now)
    code = world.file("Pas d'eau")
    world.relay.drain()
    answered(world, code)
    world.relay.drain()

    assert world.texts.sent == []
    with world.engine.connect() as connection:
        seen = connection.scalars(select(attention.c.detail)).all()
        detail = connection.scalar(
            select(messages.c.delivery_detail).where(messages.c.author == "administration")
        )
    assert any(one.startswith("acknowledge by sms was not delivered: opted-out") for one in seen)
    assert str(detail).startswith("opted-out")
    (other,) = [e for e in world.entries("notify") if e.payload["notice"] == "have_answer"]
    assert (other.channel, other.state) == ("voice", "done")


def test_a_provider_that_cannot_be_asked_makes_nothing_go_twice(world: World) -> None:
    """It is asked again, and again, for a day; then a person decides."""
    world.texts.failure = Uncertain("timed out")
    world.file("Pas d'eau")
    world.relay.drain()

    def perform(work: Any) -> Any:
        return Result(OutboxState.UNKNOWN, error="the provider could not be asked")

    for _ in range(26):
        world.now += timedelta(hours=1)
        world.relay.settle_unknown(perform, older_than=world.now)
        world.relay.drain()
        if world.now - START < timedelta(hours=24):
            assert world.entries("acknowledge")[0].state == "unknown"

    entry = world.entries("acknowledge")[0]
    assert (entry.state, entry.attempts) == ("failed", 1)
    with world.engine.connect() as connection:
        seen = connection.scalars(select(attention.c.detail)).all()
    assert any("could not be asked for a day" in one for one in seen)


def test_the_words_of_an_attempt_are_what_the_provider_is_asked_for(world: World) -> None:
    """The case goes on meanwhile: composed anew they would be others, and would go twice."""
    world.texts.failure = Uncertain("timed out")
    code = world.file("Pas d'eau")
    world.relay.drain()
    world.texts.failure = None
    with world.engine.begin() as connection:
        connection.execute(cases.update().values(status="answered"))
    asked: list[OutboundMessage] = []

    class Asked(Recorder):
        """Keeps what it is asked."""

        def send(self, message: OutboundMessage) -> Receipt:
            asked.append(message)
            raise Uncertain("the provider could not be asked")

    asking = replace(world.dispatcher, channels={"sms": Asked(ChannelName.SMS)})
    for _ in range(2):  # asking in vain does not change what is asked for
        world.relay.settle_unknown(asking.perform, older_than=world.now + timedelta(seconds=1))

    acknowledgement = [one for one in asked if "enregistrée" in one.text]
    assert len({one.attempted for one in acknowledgement}) == 1
    assert acknowledgement[0].attempted == text_digest(acknowledgement[0].text)
    assert code is not None


def test_a_text_that_a_receipt_told_of_is_not_searched_for_and_not_sent_again(world: World) -> None:
    """Its process died after sending, and the receipt was quicker than what it would have recorded.

    A search by words leaves out the ids that have an owner already: this very entry.
    """
    world.file("Pas d'eau")
    (entry,) = [one for one in world.entries("acknowledge") if one.channel == "sms"]
    with world.engine.begin() as connection:
        connection.execute(
            outbox.update()
            .where(outbox.c.id == entry.id)
            .values(state="claimed", claimed_until=world.now, attempts=1)
        )
        receipts.apply(connection, entry.id, Receipt("SM1", DeliveryStatus.DELIVERED), world.now)
    later = world.now + timedelta(minutes=5)
    with world.engine.begin() as connection:
        free_expired(connection, later)

    def told(entry_id: str) -> str:
        with world.engine.connect() as connection:
            return provider_id_of(connection, UUID(entry_id))

    class Nobody(Recorder):
        """A provider that must not be asked."""

        def send(self, message: OutboundMessage) -> Receipt:
            raise AssertionError("nothing is sent, and nothing searched for")

    asking = Asking(Nobody(ChannelName.SMS), lambda: world.now, told)
    dispatcher = replace(world.dispatcher, channels={"sms": asking})
    world.relay.settle_unknown(dispatcher.perform, older_than=later + timedelta(seconds=1))

    (entry,) = [one for one in world.entries("acknowledge") if one.channel == "sms"]
    assert (entry.state, entry.provider_id) == ("done", "SM1")
    assert entry.delivery_status == "delivered"
