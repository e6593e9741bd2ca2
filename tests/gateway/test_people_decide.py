# SPDX-License-Identifier: MIT
"""What people decide about cases, from the text that comes to the text that goes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.message import (
    Address,
    AddressScheme,
    Attachment,
    ChannelName,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Receipt,
)
from channels.sms.segments import length
from channels.web.page import TrackingPage
from config import country
from config.settings import Settings
from dispatcher.administration import Administration, OutletName, store
from dispatcher.dispatch import Dispatcher
from dispatcher.routing.rules import Router, Rule
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from gateway.wiring import notices_of
from tracker import answers, attention, dividing, elsewhere, register, resemblance, transfers
from tracker.database import open_engine
from tracker.elsewhere import Elsewhere
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import LinkState, OutboxKind, cases, deliveries, messages, outbox
from tracker.models import transfers as transfers_table
from tracker.outbox import put
from tracker.status import ForbiddenMove

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
CITIZEN, OTHER = "+212612345678", "+212612345679"
WATER = "Pas d'eau dans notre quartier depuis trois jours"
SICK = "Le dispensaire de notre commune est fermé depuis un mois"
FIRE = "Au secours, la maison des voisins brûle, il y a des enfants dedans, venez vite !!"


class Recorder:
    """A way out that keeps what it is given."""

    def __init__(self, name: ChannelName) -> None:
        self.name = name
        self.sent: list[OutboundMessage] = []

    def send(self, message: OutboundMessage) -> Receipt:
        """Keep it."""
        self.sent.append(message)
        return Receipt(f"ID{len(self.sent)}", DeliveryStatus.SENT)


@dataclass
class World:
    """A register, its relay, and a clock that is moved by hand."""

    engine: Engine
    settings: Settings
    writer: GroupCommit
    texts: Recorder = field(default_factory=lambda: Recorder(ChannelName.SMS))
    mails: Recorder = field(default_factory=lambda: Recorder(ChannelName.EMAIL))
    now: datetime = START

    def __post_init__(self) -> None:
        morocco = country.load("ma")
        self.intake = Intake(self.writer, Planner(self.settings, morocco), morocco)
        dispatcher = Dispatcher(
            channels={"sms": self.texts, "email": self.mails, "web": TrackingPage()},
            notices=notices_of(self.settings, morocco),
            router=Router([Rule("water", (("eau",), ("maison",)), 2.0)]),
            thread_address=lambda code: f"case+{code}.x@g.example",
            confirm_url=lambda case, language: f"https://g.example/{language}/{case.id}",
            mail_domain="g.example",
            clock=lambda: self.now,
        )
        self.relay = Relay(self.engine, self.settings, dispatcher.perform, lambda: self.now)

    def comes(self, message: InboundMessage) -> Accepted:
        raw = Delivery(message.channel, f"{message.channel}:{uuid4()}", self.now, "", {}, b"raw")
        answer = self.intake.accept(raw, message)
        assert isinstance(answer, Accepted)
        return answer

    def text(self, words: str, sender: str = CITIZEN, **more: Any) -> Accepted:
        who = Address(AddressScheme.TEL, sender)
        return self.comes(
            InboundMessage("SM", ChannelName.SMS, None, who, "+2125", "", words, **more)
        )

    def mail(self, words: str, subject: str = "Eau", sender: str = "a@example.org") -> Accepted:
        who = Address(AddressScheme.MAILTO, sender)
        return self.comes(
            InboundMessage(
                f"{uuid4()}@example.org", ChannelName.EMAIL, None, who, "complaints@g.example",
                subject, words, fields={"return_path": sender},
            )
        )  # fmt: skip

    def told(self) -> list[str]:
        """Do what is due; the texts that left since the last time."""
        before = len(self.texts.sent)
        self.relay.drain()
        return [one.text for one in self.texts.sent[before:]]

    def do(self, what: Any, *args: Any, **more: Any) -> Any:
        """Call a function of the tracker in a transaction of its own."""
        with self.engine.begin() as connection:
            return what(connection, *args, now=self.now, **more)

    def case(self, code: str | None) -> Any:
        assert code
        with self.engine.connect() as connection:
            return register.find_case(connection, code)

    def rows(self, statement: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(statement))

    def open_items(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(attention.open_items(connection))

    def give_up(self, code: str | None, reason: str = "pas de notre ressort") -> int:
        return int(self.do(transfers.give_up, self.case(code), reason=reason, by="agent@x.org"))

    def assign(self, code: str | None, slug: str) -> None:
        assert self.do(answers.assign, self.case(code), slug, by="t@x.org", reasons=["choisie"])


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    engine = open_engine(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        named = (("water", "Office de l'eau"), ("health", "Santé"), ("town", "Commune"))
        store(
            connection,
            [Administration(slug, {"fr": name}, outlet=OutletName.DESK) for slug, name in named],
        )
    settings = Settings(
        profile="demo",
        web={"secret_keys": ["k" * 40], "public_base_url": "https://g.example"},
        mail={"domain": "g.example"},
        sms={"same_case_minutes": 0},
    )
    writer = GroupCommit(engine)
    yield World(engine, settings, writer)
    writer.close()
    engine.dispose()


# --- Transfers ------------------------------------------------------------------------------------


def test_a_transfer_keeps_code_thread_and_clock_and_the_citizen_is_told(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    before = world.case(code)
    assert before.administration == "water"
    world.now += timedelta(days=10)

    assert world.give_up(code) == 1
    waiting = world.case(code)
    assert (waiting.status, waiting.administration) == ("triage", None)
    (item,) = world.open_items()
    assert (item.case_id, item.reason, item.data["transfer"]) == (before.id, "unrouted", 1)
    assert world.told() == []  # nothing changed for the citizen yet

    world.assign(code, "town")
    after = world.case(code)
    kept = ("id", "tracking_code", "requested_datetime", "forward_by", "expected_datetime")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert (after.status, after.administration) == ("referred", "town")
    assert world.open_items() == []
    (notice,) = world.told()
    assert "Commune" in notice
    assert length(notice).segments == 1
    (row,) = world.rows(select(transfers_table))
    assert (row.from_administration, row.to_administration, row.number) == ("water", "town", 1)
    assert row.reason == "pas de notre ressort"
    assert len(world.rows(select(messages).where(messages.c.direction == "inbound"))) == 1


def test_no_machine_chooses_again_what_an_administration_gave_up(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    world.give_up(code)
    case = world.case(code)
    with world.engine.begin() as connection:
        put(connection, OutboxKind.ROUTE, f"route:again:{case.id}", now=world.now, case_id=case.id)
    world.told()
    assert world.case(code).administration is None


def test_a_third_transfer_is_for_a_person_above(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    above = []
    for slug in ("health", "town", "water"):
        with world.engine.connect() as connection:
            above.append(transfers.needs_a_person_above(connection, world.case(code)))
        world.give_up(code)
        with world.engine.connect() as connection:
            above.append(transfers.needs_a_person_above(connection, world.case(code)))
        world.assign(code, slug)
    assert above == [False, False, False, False, True, True]


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_given_up_without_a_reason(world: World, reason: str) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    with pytest.raises(ValueError, match="reason"):
        world.give_up(code, reason)
    assert world.case(code).administration == "water"


def test_what_is_answered_is_given_up_by_nobody(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    world.do(
        answers.answer_case, world.case(code), "Réparé.", author_name="a", administration="water"
    )
    with pytest.raises(ValueError, match="settled"):
        world.give_up(code)


# --- Several administrations ----------------------------------------------------------------------


def divided(world: World) -> tuple[str, dict[str, Any]]:
    """A case of two administrations: its code, and its children by slug."""
    code = world.text(SICK).tracking_code
    assert code
    world.told()
    world.do(
        dividing.divide,
        world.case(code),
        {"health": "desk", "town": "desk"},
        reasons=["deux services"],
        by="t@x.org",
        calling_code="212",
    )
    rows = world.rows(select(cases).where(cases.c.parent_case == world.case(code).id))
    return code, {row.administration: row for row in rows}


def test_each_administration_has_a_child_and_the_citizen_one_code(world: World) -> None:
    code, children = divided(world)
    parent = world.case(code)
    assert (parent.status, parent.children, set(children)) == ("referred", 2, {"health", "town"})
    for child in children.values():
        assert child.status == "referred"
        assert child.requested_datetime == parent.requested_datetime
        assert child.expected_datetime == parent.expected_datetime
        assert child.contact_value == ""
    (told,) = world.told()
    assert "Santé: transmise" in told
    assert "Commune" in told
    assert length(told).segments == 1
    world.now += timedelta(hours=1)
    world.text(f"suivi {code}")
    (state,) = world.told()
    assert "Commune: transmise" in state
    # Whoever has learnt the code of a child is told of the case as a whole.
    world.now += timedelta(hours=1)
    world.text(f"suivi {children['town'].tracking_code}")
    (again,) = world.told()
    assert again == state


def test_each_answer_goes_under_its_name_and_the_parent_is_answered_by_all(world: World) -> None:
    code, children = divided(world)
    world.told()

    def answer(slug: str, **more: Any) -> None:
        child = world.case(children[slug].tracking_code)
        world.do(
            answers.answer_case, child, f"De {slug}.", author_name="a", administration=slug, **more
        )

    answer("town")
    (first,) = world.told()
    assert first.startswith(f"{code[:4]}-")
    assert "Commune: De town." in first
    assert world.case(code).status == "in_progress"
    answer("health", question=True)
    assert "De health." in world.told()[0]
    assert world.case(code).status == "waiting_for_citizen"
    world.now += timedelta(hours=1)
    world.text(f"{code} il est fermé depuis le 3")  # the citizen's answer
    assert world.case(children["health"].tracking_code).status == "in_progress"
    assert world.case(children["town"].tracking_code).status == "answered"
    answer("health")
    assert world.case(code).status == "answered"
    thread = world.rows(select(messages.c.sender).where(messages.c.author == "administration"))
    assert sorted(row.sender for row in thread) == ["health", "health", "town"]


def test_a_child_is_given_up_for_itself_and_its_citizen_is_told_of_the_next(world: World) -> None:
    code, children = divided(world)
    world.told()
    child = children["town"].tracking_code
    world.give_up(child)
    assert world.case(code).status == "referred"
    world.assign(child, "water")
    (told,) = world.told()
    assert told.startswith(f"{code[:4]}-")
    assert "Office de l'eau" in told


def test_only_an_open_case_that_nobody_has_is_divided(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    two = {"health": "desk", "town": "desk"}
    more: dict[str, Any] = {"reasons": ["r"], "by": "t", "calling_code": "212"}
    with pytest.raises(ValueError, match="no administration has"):
        world.do(dividing.divide, world.case(code), two, **more)
    with pytest.raises(ValueError, match="name 2 to"):
        world.do(dividing.divide, world.case(code), {"health": "desk"}, **more)


# --- The same words again -------------------------------------------------------------------------


def test_the_same_words_days_later_join_and_their_sender_is_told_the_state(world: World) -> None:
    first = world.text(WATER)
    world.told()
    world.now += timedelta(days=6)
    again = world.text(f"  {WATER.upper()} !")
    assert (again.tracking_code, again.state) == (first.tracking_code, "appended")
    (told,) = world.told()
    assert "Déjà enregistré" in told
    assert length(told).segments == 1
    assert len(world.rows(select(cases))) == 1
    assert len(world.rows(select(deliveries))) == 2
    assert len(world.rows(select(messages).where(messages.c.direction == "inbound"))) == 2
    case = world.case(first.tracking_code)
    assert case.requested_datetime == START  # the clock did not move


@pytest.mark.parametrize(
    ("words", "sender", "days"),
    [("Pas d'eau", CITIZEN, 1), (WATER, OTHER, 1), (WATER, CITIZEN, 31)],
    ids=["too few words", "somebody else", "long after"],
)
def test_what_joins_nothing(world: World, words: str, sender: str, days: int) -> None:
    world.text(WATER if words == WATER else words)
    world.told()
    world.now += timedelta(days=days)
    world.text(words, sender)
    assert len(world.rows(select(cases))) == 2


def test_the_same_words_about_an_answered_case_are_a_case_of_their_own(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    world.do(
        answers.answer_case, world.case(code), "Réparé.", author_name="a", administration="water"
    )
    world.now += timedelta(days=2)
    assert world.text(WATER).tracking_code != code


def test_the_same_words_with_another_picture_are_a_case_of_their_own(world: World) -> None:
    one, other = (Attachment("image/jpeg", "p.jpg", content) for content in (b"one", b"other"))
    first = world.text(WATER, attachments=(one,))
    world.now += timedelta(days=1)
    assert world.text(WATER, attachments=(one,)).tracking_code == first.tracking_code
    assert world.text(WATER, attachments=(other,)).tracking_code != first.tracking_code


def test_a_mail_that_repeats_joins_and_another_subject_does_not(world: World) -> None:
    first = world.mail(WATER)
    world.now += timedelta(days=1)
    assert world.mail(WATER, "Re: eau").tracking_code == first.tracking_code
    assert world.mail(WATER, "Facture").tracking_code != first.tracking_code
    assert world.mail(WATER, sender="b@example.org").tracking_code != first.tracking_code


# --- Danger ---------------------------------------------------------------------------------------


def test_danger_is_answered_at_once_and_stands_first(world: World) -> None:
    world.text(SICK, OTHER)
    world.told()
    filed = world.text(FIRE)
    told = world.told()
    assert told[0].startswith("En danger?")
    assert all(f"{number} (" in told[0] for number in ("15", "19", "177"))
    assert length(told[0]).segments == 1
    assert filed.tracking_code
    assert filed.tracking_code[:4] in told[1]
    first, second = world.open_items()
    assert (first.urgent, second.urgent) == (True, False)
    assert first.case_id == world.case(filed.tracking_code).id
    # "maison" is a rule's word; nobody in danger waits for what a machine chose.
    assert world.case(filed.tracking_code).administration is None
    assert [one["administration"] for one in first.data["candidates"]] == ["water"]


def test_the_advice_is_held_up_by_no_limit_and_given_once_an_hour(world: World) -> None:
    world.settings.sms.texts_per_day = 1
    for _ in range(6):
        world.text(f"{SICK} {uuid4().hex}")
    world.told()
    world.text(FIRE)
    assert [one for one in world.told() if one.startswith("En danger?")]
    world.text(f"{FIRE} toujours rien")
    assert not [one for one in world.told() if one.startswith("En danger?")]
    world.now += timedelta(hours=1)
    world.text(f"{FIRE} encore")
    assert [one for one in world.told() if one.startswith("En danger?")]


def test_the_advice_has_a_ceiling_of_its_own(world: World) -> None:
    world.settings.sms.emergency_texts_per_day = 2
    for number in range(4):
        world.text(FIRE, f"+21261234500{number}")
    assert len([one for one in world.told() if one.startswith("En danger?")]) == 2
    assert any("emergency advice" in item.detail for item in world.open_items())


def test_further_words_of_danger_are_seen_as_well(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    world.text(f"{code} {FIRE}")
    assert world.told()[0].startswith("En danger?")
    (item,) = world.open_items()
    assert (item.urgent, item.case_id) == (True, world.case(code).id)


def test_a_mail_of_danger_is_acknowledged_with_the_advice_first(world: World) -> None:
    world.mail(FIRE, "Urgent")
    world.relay.drain()
    advice, acknowledgement = world.mails.sent
    assert "Appelez tout de suite" in advice.subject
    body = acknowledgement.text
    assert body.index("Appelez tout de suite") < body.index("Votre code de suivi")


# --- Out of competence ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Elsewhere)
def test_the_citizen_is_told_where_to_turn(world: World, kind: Elsewhere) -> None:
    code = world.text(SICK).tracking_code
    world.told()
    world.do(elsewhere.direct, world.case(code), kind, by="t@x.org")
    assert world.case(code).status == "out_of_competence"
    assert world.open_items() == []
    (told,) = world.told()
    word = {"court": "greffe", "private": "notaire", "none": "SMS"}[kind]
    assert word in told
    assert length(told).segments == 1


def test_an_answered_case_is_sent_nowhere_else(world: World) -> None:
    code = world.text(WATER).tracking_code
    world.told()
    world.do(
        answers.answer_case, world.case(code), "Réparé.", author_name="a", administration="water"
    )
    with pytest.raises(ForbiddenMove):
        world.do(elsewhere.direct, world.case(code), Elsewhere.COURT, by="t@x.org")


# --- Likeness -------------------------------------------------------------------------------------


def test_cases_are_linked_by_people_and_each_keeps_its_code(world: World) -> None:
    one, two = (world.text(WATER, sender).tracking_code for sender in (CITIZEN, OTHER))
    world.told()
    first, second = world.case(one), world.case(two)

    def proposed() -> list[str]:
        with world.engine.connect() as connection:
            rows = resemblance.to_compare(
                connection, first, ["water"], window=timedelta(days=30), most=10
            )
        return [row.tracking_code for row in rows]

    assert proposed() == [two]
    said: dict[str, Any] = {"score": 0.9, "by": "t@x.org"}
    assert world.do(resemblance.decide, first, second, LinkState.LINKED, **said)
    assert not world.do(resemblance.decide, second, first, LinkState.DISMISSED, **said)
    assert proposed() == []
    with world.engine.connect() as connection:
        assert [row.tracking_code for row in resemblance.linked(connection, second.id)] == [one]
    assert (world.case(one).id, world.case(two).id) == (first.id, second.id)
    assert len(world.rows(select(outbox).where(outbox.c.kind == "acknowledge"))) == 2
