# SPDX-License-Identifier: MIT
"""Promise 11: machines that answer each other fall silent, and no new case goes untold.

Two whole gateways (reader, intake, relay, composer, each its own database) are wired to each other:
what one sends, the other receives. Time is a clock that is moved by hand.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.mail.address import thread_address
from channels.mail.mime import read
from channels.mail.reply import MARKER_LINES
from channels.mail.sender import RelayChannel
from channels.message import ChannelName, DeliveryStatus, OutboundMessage, Receipt
from config import country
from config.settings import Settings
from config.wording import Wording, isolate
from dispatcher.dispatch import Dispatcher
from dispatcher.notices import Notices
from dispatcher.routing.rules import Router
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import cases

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k" * 40


@dataclass
class Clock:
    """The time of all gateways."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The present time."""
        return self.now


@dataclass
class Wire:
    """The way out: composes as the relay does, and keeps what left, when, and its path."""

    composer: RelayChannel
    clock: Clock
    name: ChannelName = ChannelName.EMAIL
    sent: list[tuple[datetime, bytes, str]] = field(default_factory=list)

    def send(self, message: OutboundMessage) -> Receipt:
        """Keep the bytes and the envelope sender."""
        mail = self.composer.compose(message)
        self.sent.append((self.clock(), mail.as_bytes(), message.reply_to))
        return Receipt(message.message_id, DeliveryStatus.SENT)


def words_of(mail: EmailMessage) -> str:
    """The words of a notice."""
    plain: Any = mail.get_body(("plain",))
    return str(plain.get_content())


@dataclass
class Gateway:
    """One whole gateway for mail."""

    domain: str
    engine: Engine
    intake: Intake
    relay: Relay
    wire: Wire
    clock: Clock

    def receive(self, raw: bytes, path: str, to: str = "") -> Accepted:
        """What the mail door does with a mail."""
        to = to or f"complaints@{self.domain}"
        message = read(raw, envelope_from=path, envelope_to=(to,))
        key = f"mail:{uuid4()}"
        answer = self.intake.accept(
            Delivery(ChannelName.EMAIL, key, self.clock(), "", {}, raw), message
        )
        assert isinstance(answer, Accepted)
        return answer

    def codes(self) -> list[str]:
        """The codes of all its cases."""
        with self.engine.connect() as connection:
            return list(connection.scalars(select(cases.c.tracking_code)))

    def take(self) -> list[tuple[bytes, str]]:
        """Do what is due; what left just now."""
        before = len(self.wire.sent)
        self.relay.drain()
        return [(raw, path) for _, raw, path in self.wire.sent[before:]]

    def told(self) -> str:
        """All words it ever sent, without the dashes in codes."""
        pages = [
            words_of(message_from_bytes(raw, policy=policy.default)) for _, raw, _ in self.wire.sent
        ]
        return re.sub(r"[-\u2066-\u2069]", "", "\n".join(pages))


Build = Callable[[str], Gateway]


@pytest.fixture(params=["sqlite", "postgresql"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    """Builds gateways of one clock, each with its own empty database."""
    clock, built = Clock(), []

    def make(domain: str) -> Gateway:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / domain}.sqlite3"
        else:
            url = request.getfixturevalue("postgres_server").create()
        engine = open_engine(url)
        upgrade(engine)
        settings = Settings(profile="demo", web={"secret_keys": [KEY]}, mail={"domain": domain})
        morocco = country.load("ma")
        writer = GroupCommit(engine)
        sender = f"complaints@{domain}"
        composer = RelayChannel(host="127.0.0.1", port=25, sender=sender, clock=clock)
        wire = Wire(composer, clock)
        dispatcher = Dispatcher(
            channels={"email": wire},
            notices=Notices(
                words=Wording(),
                isolate=isolate,
                date=lambda moment, _: f"{moment:%d/%m/%Y}",
                url=lambda language: f"https://{domain}/{language}/track",
                recourse=morocco.next_recourse,
                markers=MARKER_LINES,
            ),
            router=Router([]),
            thread_address=lambda code: thread_address(code, domain, [KEY]),
            confirm_url=lambda case, language: f"https://{domain}/{language}/{case.id}",
            mail_domain=domain,
            clock=clock,
        )
        relay = Relay(engine, settings, dispatcher.perform, clock)
        intake = Intake(writer, Planner(settings, morocco), morocco)
        built.append((url, engine, writer))
        return Gateway(domain, engine, intake, relay, wire, clock)

    yield make
    for url, engine, writer in built:
        writer.close()
        engine.dispose()
        if request.param == "postgresql":
            request.getfixturevalue("postgres_server").drop(url)


Change = Callable[[EmailMessage], None]


def intact(_mail: EmailMessage) -> None:
    """The mail as it left."""


def without_fields(mail: EmailMessage) -> None:
    """A forwarder that keeps only what people see."""
    for name in ("Auto-Submitted", "In-Reply-To", "References", "Reply-To"):
        del mail[name]


def rewritten(mail: EmailMessage) -> None:
    """Nothing is left that tells a notice: another subject, no marker line, no code."""
    without_fields(mail)
    mail.replace_header("Subject", f"Message {uuid4().hex[:6]}")
    words = words_of(mail)
    mail.clear_content()
    for line in MARKER_LINES.values():
        words = words.replace(line, "")
    mail.set_content(re.sub(r"\d{4}-\d{4}-\d{4}", "", words).strip())


def from_case_addresses(mail: EmailMessage) -> None:
    """Each mail from another address: the case's own."""
    address = str(mail["Reply-To"] or mail["From"])
    rewritten(mail)
    mail.replace_header("From", address)


def exchange(one: Gateway, other: Gateway, change: Change, hours: float) -> None:
    """Carry every mail across, at once, for so many hours of the clock."""
    until = one.clock.now + timedelta(hours=hours)
    while one.clock.now < until:
        moving = True
        while moving:
            moving = False
            for sender, receiver in ((one, other), (other, one)):
                for raw, path in sender.take():
                    mail: Any = message_from_bytes(raw, policy=policy.default)
                    change(mail)
                    if f"@{receiver.domain}" in mail["To"]:
                        moving = True
                        receiver.receive(mail.as_bytes(), path)
        one.clock.now += timedelta(minutes=6)


def most_in(gateway: Gateway, window: timedelta) -> int:
    """The most mails that left within any such window."""
    times = [at for at, _, _ in gateway.wire.sent]
    return max((sum(first <= at < first + window for at in times) for first in times), default=0)


def seed(gateway: Gateway, sender: str, words: str = "Pas d'eau depuis lundi.") -> str:
    """A first complaint in a sender's name; gives its code."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, f"complaints@{gateway.domain}", "Eau"
    mail["Message-ID"] = f"<{uuid4()}@mail.example>"
    mail.set_content(words)
    code = gateway.receive(mail.as_bytes(), sender).tracking_code
    assert code
    return code


@pytest.mark.parametrize("change", [intact, without_fields, from_case_addresses])
def test_two_gateways_fall_silent_at_once(build: Build, change: Change) -> None:
    """One acknowledgement goes across; what it becomes there is filed and not answered."""
    one, other = build("one.example"), build("other.example")
    code = seed(one, "complaints@other.example")
    exchange(one, other, change, hours=3)

    assert len(one.wire.sent) == 1
    assert code in one.told()
    assert len(other.codes()) == 1
    assert other.wire.sent == []


def test_two_gateways_keep_the_limits_when_nothing_tells_a_notice(build: Build) -> None:
    """Five an hour and twenty a day, over all cases, each way; and every code is told at last."""
    one, other = build("one.example"), build("other.example")
    for number in range(9):
        seed(one, "complaints@other.example", f"Pas d'eau dans la rue numéro {number}.")
    exchange(one, other, rewritten, hours=30)

    for gateway in (one, other):
        assert most_in(gateway, timedelta(hours=1)) <= 5
        assert most_in(gateway, timedelta(days=1)) <= 20
    # What is not told yet came while the day's limit was reached: it still waits to be told.
    for gateway in (one, other):
        exchange(gateway, build(f"nobody.{gateway.domain}"), intact, hours=26)
        told = gateway.told()
        assert [code for code in gateway.codes() if code not in told] == []
        assert most_in(gateway, timedelta(days=1)) <= 20


def test_acknowledgements_past_the_limit_name_all_new_codes(build: Build) -> None:
    """A person with twelve complaints in a row hears of each."""
    gateway = build("one.example")
    codes = [seed(gateway, "amina@mail.example", f"Plainte {number}.") for number in range(12)]
    gateway.take()
    assert len(gateway.wire.sent) == 5
    for _ in range(30):
        gateway.clock.now += timedelta(minutes=6)
        gateway.take()

    assert [code for code in codes if code not in gateway.told()] == []
    assert len(gateway.wire.sent) == 6


@pytest.mark.parametrize(
    ("subject", "fields", "words"),
    [
        ("Re: {subject}", {"Auto-Submitted": "auto-replied"}, "Fermé."),
        ("Automatic reply: {subject}", {}, "I am out of the office until Monday."),
        ("Réponse automatique : {subject}", {"X-Auto-Response-Suppress": "All"}, "Fermé."),
        ("رد تلقائي: {subject}", {"Precedence": "bulk"}, "أنا في إجازة حتى يوم الاثنين."),
        ("Absence du bureau", {}, "Je suis absente jusqu'au 3 mai."),
        ("Out of office", {"X-Autoreply": "yes"}, "Back soon."),
    ],
)
def test_a_robot_that_answers_every_mail(
    build: Build, subject: str, fields: dict[str, str], words: str
) -> None:
    """At most one case more, and no second mail to it."""
    gateway = build("one.example")
    owner = "omar@office.example"
    seed(gateway, owner)
    answered = 0
    for _ in range(40):
        for raw, _ in gateway.take():
            answered += 1
            notice: Any = message_from_bytes(raw, policy=policy.default)
            mail = EmailMessage()
            mail["From"], mail["To"] = owner, "complaints@one.example"
            mail["Subject"] = subject.format(subject=notice["Subject"])
            mail["Message-ID"] = f"<{uuid4()}@office.example>"
            for name, value in fields.items():
                mail[name] = value
            mail.set_content(words)
            gateway.receive(mail.as_bytes(), owner)
        gateway.clock.now += timedelta(minutes=6)

    assert answered == 1
    assert len(gateway.codes()) <= 2


def test_status_questions_of_a_machine_on_one_case(build: Build) -> None:
    """Four answers on a case a day, and beside its acknowledgement one in five minutes."""
    gateway = build("one.example")
    code = seed(gateway, "amina@mail.example")
    gateway.take()
    for _ in range(60):
        mail = EmailMessage()
        mail["From"], mail["To"] = "amina@mail.example", "complaints@one.example"
        mail["Subject"], mail["Message-ID"] = "?", f"<{uuid4()}@mail.example>"
        mail.set_content(code)
        gateway.receive(mail.as_bytes(), "amina@mail.example")
        gateway.take()
        gateway.clock.now += timedelta(minutes=2)

    assert 2 <= len(gateway.wire.sent) <= 4
    assert most_in(gateway, timedelta(minutes=5)) <= 2  # the acknowledgement, and one answer
