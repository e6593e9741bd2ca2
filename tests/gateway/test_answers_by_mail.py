# SPDX-License-Identifier: MIT
"""An answer that leaves by mail: its files, and a relay that falls silent after it had the mail."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from channels.channel import Accepted, Delivery
from channels.mail.address import thread_address
from channels.mail.mime import read
from channels.mail.reply import MARKER_LINES
from channels.mail.sender import RelayChannel
from channels.message import ChannelName
from config import country
from config.settings import Settings
from config.wording import Wording, isolate
from dispatcher.dispatch import Dispatcher
from dispatcher.notices import Notices
from dispatcher.routing.rules import Router
from gateway import replay
from gateway.asking import Asking
from gateway.house import House
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from tracker import answers, register
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import administrations, cases, deliveries, messages, outbox

KEY, CITIZEN, OFFICE = "k" * 40, "amina@mail.example", "bureau@gov.example"
PICTURE, PLAN = b"\xff\xd8" + b"p" * 3_000, b"%PDF-" + b"q" * 9_000


@dataclass
class Sink:
    """A relay that keeps what it is sent; ``silent``: it has the mail and says nothing."""

    mails: list[Any] = field(default_factory=list)
    silent: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep it."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.silent:
            server.transport.abort()
        return "250 Ok"


@dataclass
class World:
    """A house with a relay and a clock that is moved by hand."""

    house: House
    relay: Relay
    asking: Dispatcher
    sink: Sink
    identifier: str = ""
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def take(self, sender: str, to: str, words: str, *files: tuple[str, str, bytes]) -> Accepted:
        """One mail, as the doors take it."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, "Re: Eau"
        mail["Message-ID"] = self.identifier or f"<{uuid4()}@x.example>"
        mail.set_content(words)
        for name, media_type, content in files:
            maintype, _, subtype = media_type.partition("/")
            mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
        raw = mail.as_bytes()
        headers = {"envelope-from": sender, "envelope-to": to, "helo": ""}
        delivery = Delivery(ChannelName.EMAIL, f"email:{uuid4()}", self.now, "", headers, raw)
        message = read(raw, envelope_from=sender, envelope_to=(to,))
        answer = self.house.intake.accept(delivery, message)
        assert isinstance(answer, Accepted)
        return answer

    def case(self) -> str:
        """A case of the citizen, given to the office; its code. What it led to has left."""
        code = self.take(CITIZEN, "complaints@g.example", "Pas d'eau depuis lundi.").tracking_code
        with self.house.engine.begin() as connection:
            connection.execute(
                administrations.insert().values(
                    slug="water", names={"fr": "Eaux"}, email=OFFICE, outlet="mail"
                )
            )
            connection.execute(cases.update().values(administration="water"))
        self.relay.drain()
        self.sink.mails.clear()
        assert code
        return code

    def entry(self) -> Any:
        """The outbox row of the answer."""
        with self.house.engine.connect() as connection:
            return connection.execute(select(outbox).where(outbox.c.kind == "reply")).one()


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """All of a house that an answer by mail goes through."""
    settings = Settings(
        profile="demo",
        web={"secret_keys": [KEY]},
        mail={"domain": "g.example"},
        relay={"max_attachment_bytes": 10_000},
    )
    engine = open_engine(database_url)
    upgrade(engine)
    morocco, writer, sink = country.load("ma"), GroupCommit(engine), Sink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    channel = RelayChannel(
        host="127.0.0.1", port=port, tls="none", sender="complaints@g.example", timeout_seconds=5
    )

    def clock() -> datetime:
        return built.now

    def dispatcher(way: Any) -> Dispatcher:
        return Dispatcher(
            channels={"email": way},
            notices=Notices(
                words=Wording(),
                isolate=isolate,
                date=lambda moment, _: f"{moment:%d/%m/%Y}",
                url=lambda language: f"https://g.example/{language}/track",
                recourse=morocco.next_recourse,
                markers=MARKER_LINES,
            ),
            router=Router([]),
            thread_address=lambda code: thread_address(code, "g.example", [KEY]),
            confirm_url=lambda case, language: f"https://g.example/{language}/{case.id}",
            mail_domain="g.example",
            clock=clock,
        )

    intake = Intake(writer, Planner(settings, morocco), morocco)
    house = House(
        settings=settings,
        engine=engine,
        writer=writer,
        accept=intake.accept,
        submit=intake.submit,
        intake=intake,
        wording=Wording(),
        country=morocco,
        clock=clock,
    )
    relay = Relay(engine, settings, dispatcher(channel).perform, clock)
    built = World(house, relay, dispatcher(Asking(channel, clock)), sink)
    yield built
    writer.close()
    channel.close()
    controller.stop()
    engine.dispose()


def test_the_files_of_an_administrations_mail_go_along(world: World) -> None:
    """Those that fit; the others are named, and all are on record, as are all its words."""
    code = world.case()
    answer = world.take(
        OFFICE,
        thread_address(code, "g.example", [KEY]),
        "Réparé, voir les photos.\n\nLe 1/3/2026 12:00, G <g@g.example> a écrit :\n> Voici.\n",
        ("صورة.jpg", "image/jpeg", PICTURE),
        ("plan.pdf", "application/pdf", PLAN),
        ("note.txt", "application/x-note", b"fin"),
    )
    assert answer.state == "appended"
    world.relay.drain()

    (mail,) = world.sink.mails
    sent = [(one.get_filename(), one.get_content()) for one in mail.iter_attachments()]
    assert sent == [("صورة.jpg", PICTURE), ("note.txt", b"fin")]
    words = mail.get_body(("plain",)).get_content()
    assert "Réparé, voir les photos." in words
    assert "trop lourds" in words
    assert "plan.pdf" in words
    assert "plan.pdf" in mail.get_body(("html",)).get_content()
    assert "Voici." not in words
    with world.house.engine.connect() as connection:
        said = connection.execute(select(messages).where(messages.c.author == "administration"))
        assert "> Voici." in said.one().full_text


def test_what_a_silent_relay_may_have_is_unknown_and_sent_again_as_the_same_mail(
    world: World,
) -> None:
    """A relay cannot be asked: possibly doubled under one Message-ID, never lost."""
    code = world.case()
    world.sink.silent = True
    world.take(OFFICE, thread_address(code, "g.example", [KEY]), "Réparé.")
    world.relay.drain()
    assert world.entry().state == "unknown"

    world.sink.silent = False
    world.relay.drain()
    assert len(world.sink.mails) == 1, "not before it was reconciled"
    world.relay.settle_unknown(world.asking.perform, older_than=world.now + timedelta(seconds=1))
    assert world.entry().state == "due"
    world.now += timedelta(minutes=10)
    world.relay.drain()

    assert world.entry().state == "done"
    assert len({mail["Message-ID"] for mail in world.sink.mails}) == 1
    assert len(world.sink.mails) == 2


def test_a_held_answer_that_a_person_vouches_for_is_the_administrations(world: World) -> None:
    """From its registered address, but without token or DMARC."""
    code = world.case()
    held = world.take(OFFICE, "complaints@g.example", f"Dossier {code} : l'eau est revenue.")
    assert held.state == "held"
    with world.house.engine.connect() as connection:
        delivery = connection.scalar(select(deliveries.c.id).where(deliveries.c.state == "held"))
    assert delivery is not None
    replay.attach(world.house, delivery, code, "triage@g.example")
    world.relay.drain()

    (mail,) = world.sink.mails
    assert mail["To"] == CITIZEN
    assert "l'eau est revenue" in mail.get_body(("plain",)).get_content()
    with world.house.engine.connect() as connection:
        said = connection.execute(select(messages.c.author, messages.c.direction)).all()
        assert connection.scalar(select(cases.c.status)) == "answered"
    assert ("administration", "outbound") in {(row.author, row.direction) for row in said}


def test_our_mails_stand_in_the_thread_of_the_citizens(world: World) -> None:
    """Each answers her latest mail and names all before; an id that is none spoils nothing."""
    world.identifier = "<first@mail.example>"
    code = world.take(CITIZEN, "complaints@g.example", "Pas d'eau depuis lundi.").tracking_code
    world.relay.drain()
    (acknowledged,) = world.sink.mails
    assert acknowledged["In-Reply-To"] == "<first@mail.example>"
    assert acknowledged["References"] == "<first@mail.example>"

    assert code
    world.identifier = "<second@mail.example>"
    world.take(CITIZEN, thread_address(code, "g.example", [KEY]), "Toujours pas.")
    world.identifier = "no id at all"
    world.take(CITIZEN, thread_address(code, "g.example", [KEY]), "Encore moi.")
    with world.house.engine.begin() as connection:
        case = register.find_case(connection, code)
        assert case is not None
        answers.answer_case(
            connection, case, "Demain.", author_name="a", administration=None, now=world.now
        )
    world.relay.drain()

    answered = world.sink.mails[-1]
    assert "Demain." in answered.get_body(("plain",)).get_content()
    assert answered["In-Reply-To"] == "<second@mail.example>"
    assert answered["References"].split() == [
        "<first@mail.example>",
        acknowledged["Message-ID"],
        "<second@mail.example>",
    ]


def test_an_administration_is_not_told_the_citizens_message_ids(world: World) -> None:
    """Its mails are a thread of their own."""
    world.identifier = "<first@mail.example>"
    world.case()
    with world.house.engine.begin() as connection:
        connection.execute(cases.update().values(administration=None))
        case = connection.execute(select(cases)).one()
        answers.assign(connection, case, "water", by="a", reasons=["r"], now=world.now)
    world.relay.drain()

    (referred,) = [mail for mail in world.sink.mails if mail["To"] == OFFICE]
    assert referred["In-Reply-To"] is None
    assert referred["References"] is None
