# SPDX-License-Identifier: MIT
"""What a returned mail of ours leads to: through the real reader, intake and relay."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, Table, func, select

from channels.channel import Accepted, Delivery
from channels.mail.address import thread_address
from channels.mail.mime import read
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
from channels.web.page import TrackingPage
from config import country
from config.settings import Settings
from config.wording import Wording, isolate
from dispatcher.administration import Administration, OutletName, store
from dispatcher.dispatch import Dispatcher
from dispatcher.notices import Notices
from dispatcher.routing.rules import Router, Rule
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import Relay
from guichet_testing.returned_mail import CITIZEN, DOMAIN, free_text, report
from normalizer.tracking_code import display
from tracker import answers, register
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import attention, case_events, cases, deliveries, messages, outbox

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k" * 40
PHONE = "+212612345678"


@dataclass
class Post:
    """A provider that keeps what it is given."""

    name: ChannelName
    sent: list[OutboundMessage] = field(default_factory=list)

    def send(self, message: OutboundMessage) -> Receipt:
        """Keep it; a mail's own Message-ID is its id."""
        self.sent.append(message)
        return Receipt(message.message_id or f"ID{len(self.sent)}", DeliveryStatus.SENT)


@dataclass
class World:
    """A register with a relay, a mailbox, a telephone, and a clock that is moved by hand."""

    engine: Engine
    intake: Intake
    relay: Relay
    mails: Post
    texts: Post
    now: datetime

    def accept(self, message: InboundMessage, raw: bytes = b"raw") -> Accepted:
        """File a message as its door would."""
        key = f"{message.channel}:{uuid4()}"
        answer = self.intake.accept(Delivery(message.channel, key, self.now, "", {}, raw), message)
        assert isinstance(answer, Accepted)
        return answer

    def receive(self, mail: Message, *, to: str, path: str = "") -> Accepted:
        """Read and file a mail; the path is its envelope sender."""
        raw = mail.as_bytes()
        return self.accept(read(raw, envelope_from=path, envelope_to=(to,)), raw)

    def complain(self, words: str = "Pas d'eau depuis trois jours.") -> str:
        """A citizen's mail; gives the code, after all that follows has been sent."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = CITIZEN, f"complaints@{DOMAIN}", "Eau"
        mail["Message-ID"] = f"<{uuid4()}@mail.example>"
        mail.set_content(words)
        code = self.receive(mail, to=f"complaints@{DOMAIN}", path=CITIZEN).tracking_code
        assert code
        self.relay.drain()
        return code

    def answer(self, code: str) -> OutboundMessage:
        """The administration answers; gives the mail that left."""
        with self.engine.begin() as connection:
            case = register.find_case(connection, code)
            assert case is not None
            answers.answer_case(
                connection, case, "Demain.", author_name="a", administration="water", now=self.now
            )
        before = len(self.mails.sent)
        self.relay.drain()
        assert len(self.mails.sent) > before
        return next(mail for mail in self.mails.sent[before:] if "Demain." in mail.text)

    def wrote_by_phone_too(self, code: str) -> None:
        """A text of the same person, which somebody at the desk laid to the case."""
        with self.engine.begin() as connection:
            case = register.find_case(connection, code)
            assert case is not None
            register.add_message(
                connection,
                case.id,
                {
                    "direction": "inbound",
                    "author": "citizen",
                    "channel": "sms",
                    "sender": PHONE,
                    "text": "Toujours rien",
                    "date": self.now,
                },
            )

    def rows(self, table: Table, *conditions: Any) -> list[Any]:
        """Rows of a table."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(table).where(*conditions)))

    def state(self) -> list[Any]:
        """All that a bounce could change, but the bounce itself."""
        found: list[Any] = []
        with self.engine.connect() as connection:
            for table in (outbox, messages, case_events, cases):
                found += connection.execute(select(table).order_by(table.c.id)).all()
        return found


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A migrated database with one administration that handles water and is reached by mail."""
    engine = open_engine(database_url)
    upgrade(engine)
    settings = Settings(profile="demo", web={"secret_keys": [KEY]}, mail={"domain": DOMAIN})
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    mails, texts = Post(ChannelName.EMAIL), Post(ChannelName.SMS)
    with engine.begin() as connection:
        store(
            connection,
            [
                Administration(
                    "water", {"fr": "Eaux"}, outlet=OutletName.MAIL, email="office@water.example"
                )
            ],
        )

    def clock() -> datetime:
        return built.now

    dispatcher = Dispatcher(
        channels={"email": mails, "sms": texts, "web": TrackingPage()},
        notices=Notices(
            words=Wording(),
            isolate=isolate,
            date=lambda moment, _: f"{moment:%d/%m/%Y}",
            url=lambda language: f"https://{DOMAIN}/{language}/track",
            recourse=morocco.next_recourse,
            markers=MARKER_LINES,
        ),
        router=Router([Rule("water", (("eau",),), 2.0)]),
        thread_address=lambda code: thread_address(code, DOMAIN, [KEY]),
        confirm_url=lambda case, language: f"https://{DOMAIN}/{language}/{case.id}",
        mail_domain=DOMAIN,
        clock=clock,
    )
    relay = Relay(engine, settings, dispatcher.perform, clock)
    intake = Intake(writer, Planner(settings, morocco), morocco)
    built = World(engine, intake, relay, mails, texts, START)
    yield built
    writer.close()
    engine.dispose()


def case_address(code: str) -> str:
    return thread_address(code, DOMAIN, [KEY])


MAILBOX = f"complaints@{DOMAIN}"


@pytest.mark.parametrize("notice", [report, free_text], ids=["report", "free text"])
@pytest.mark.parametrize(
    ("with_id", "to_case"), [(True, True), (True, False), (False, True)],
    ids=["both", "Message-ID alone", "case address alone"],
)  # fmt: skip
def test_a_bounce_marks_the_mail_and_a_person_sees_it(
    world: World, notice: Any, with_id: bool, to_case: bool
) -> None:
    code = world.complain()
    answer = world.answer(code)
    sent = len(world.mails.sent)
    world.receive(
        notice(answer.message_id if with_id else ""), to=case_address(code) if to_case else MAILBOX
    )
    world.relay.drain()

    (reply,) = world.rows(outbox, outbox.c.kind == "reply")
    (words,) = world.rows(messages, messages.c.author == "administration")
    (item,) = world.rows(attention, attention.c.reason == "undelivered")
    types = [event.type for event in world.rows(case_events)]
    assert (reply.delivery_status, words.delivery_status) == ("bounced", "bounced")
    assert item.outbox_id == reply.id
    assert types.count("guichet.message.failed") == 1
    assert {"guichet.message.receipt"} <= set(types)
    assert len(world.mails.sent) == sent  # nothing is said to a mail system
    (bounce,) = world.rows(deliveries, deliveries.c.outcome == "bounce")
    assert (bounce.state, bounce.case_id) == ("ignored", reply.case_id)


def test_the_next_channel_says_only_that_there_is_an_answer(world: World) -> None:
    code = world.complain()
    world.wrote_by_phone_too(code)
    answer = world.answer(code)
    world.receive(report(answer.message_id), to=case_address(code))
    world.relay.drain()

    (text,) = world.texts.sent
    assert text.recipient == Address(AddressScheme.TEL, PHONE)
    assert display(code) in text.text
    assert "Demain" not in text.text
    assert world.rows(attention, attention.c.reason == "undelivered") == []


def test_a_bounce_twice_acts_once(world: World) -> None:
    code = world.complain()
    answer = world.answer(code)
    for notice in (report(answer.message_id), report(answer.message_id), free_text("")):
        world.receive(notice, to=case_address(code))
        world.relay.drain()

    assert len(world.rows(attention, attention.c.reason == "undelivered")) == 1
    failed = case_events.c.type == "guichet.message.failed"
    assert len(world.rows(case_events, failed)) == 1


@pytest.mark.parametrize(
    "late",
    [
        lambda identifier: report(identifier, action="delayed", status="4.4.1"),
        lambda identifier: free_text(
            identifier,
            "This is a warning message only.\nYou do not need to resend your message.\n"
            f"Message-ID: <{identifier}>\n",
        ),
    ],
    ids=["report", "free text"],
)
def test_a_late_mail_is_only_on_the_timeline(world: World, late: Any) -> None:
    code = world.complain()
    answer = world.answer(code)
    world.receive(late(answer.message_id), to=case_address(code))
    world.relay.drain()

    (reply,) = world.rows(outbox, outbox.c.kind == "reply")
    assert reply.delivery_status == "sent"
    assert world.rows(attention) == []
    receipts = world.rows(case_events, case_events.c.type == "guichet.message.receipt")
    assert [(e.subject, e.data["delivery_status"]) for e in receipts] == [
        (str(reply.id), "deferred")
    ]


def test_a_notice_that_the_mail_arrived_is_no_failure(world: World) -> None:
    code = world.complain()
    answer = world.answer(code)
    world.receive(report(answer.message_id, action="relayed", status="2.0.0"), to=MAILBOX)
    assert world.rows(outbox, outbox.c.kind == "reply")[0].delivery_status == "sent"
    world.receive(report(answer.message_id, action="delivered", status="2.0.0"), to=MAILBOX)

    assert world.rows(outbox, outbox.c.kind == "reply")[0].delivery_status == "delivered"
    assert world.rows(attention) == []


@pytest.mark.parametrize("notice", [report, free_text], ids=["report", "free text"])
@pytest.mark.parametrize(
    "identifier",
    ["", f"{uuid4()}@{DOMAIN}", "0190@other.example", "ID OF OURS@other.example"],
    ids=["no id", "invented", "foreign", "our id at another domain"],
)
@pytest.mark.parametrize("token", ["", "a" * 16], ids=["mailbox", "wrong token"])
def test_a_forged_bounce_changes_nothing_and_is_seen(
    world: World, notice: Any, identifier: str, token: str
) -> None:
    code = world.complain()
    answer = world.answer(code)
    ours = answer.message_id.partition("@")[0]
    before = world.state()
    mail = notice(identifier.replace("ID OF OURS", ours))
    mail.replace_header("Subject", f"Undelivered: [{display(code)}] {mail['Subject']}")
    world.receive(mail, to=f"case+{code}.{token}@{DOMAIN}" if token else MAILBOX)
    world.relay.drain()

    assert world.state() == before
    (bounce,) = world.rows(deliveries, deliveries.c.outcome == "bounce")
    items = world.rows(attention, attention.c.delivery_id == bounce.id)
    assert bounce.case_id is None
    assert bounce.state in ("held", "ignored")
    assert [item.reason for item in items] == (["held"] if bounce.state == "held" else [])


def test_of_case_and_administration_the_one_is_marked_that_the_words_name(world: World) -> None:
    """Both are written to from the case's address."""
    code = world.complain()
    (refer,) = world.rows(outbox, outbox.c.kind == "refer")
    mail = free_text("", "Hi. This is the qmail-send program.\n<office@water.example>: unknown\n")
    world.receive(mail, to=case_address(code))

    marked = world.rows(outbox, outbox.c.delivery_status == "bounced")
    assert [entry.id for entry in marked] == [refer.id]
    assert [item.outbox_id for item in world.rows(attention)] == [refer.id]


def test_one_mail_of_several_codes_comes_back_for_each_case(world: World) -> None:
    for number in range(8):
        world.complain(f"Pas d'eau depuis {number + 2} jours.")
    for _ in range(30):
        world.now += timedelta(minutes=5)
        world.relay.drain()
    acknowledgements = world.rows(outbox, outbox.c.kind == "acknowledge")
    shared = [entry.provider_id for entry in acknowledgements]
    identifier = max(set(shared), key=shared.count)
    assert shared.count(identifier) > 1
    world.receive(report(identifier), to=MAILBOX)

    marked = world.rows(outbox, outbox.c.delivery_status == "bounced")
    assert len(marked) == shared.count(identifier)


def test_the_notice_of_an_answer_on_the_page_came_back(world: World) -> None:
    """The page has the answer; that nobody told the person of it is not silent."""
    form = InboundMessage(
        "nonce", ChannelName.WEB, None, Address(AddressScheme.MAILTO, CITIZEN), "", "Eau", "Rien."
    )
    code = world.accept(form).tracking_code
    assert code
    with world.engine.begin() as connection:
        connection.execute(cases.update().values(contact_confirmed=True))
        case = register.find_case(connection, code)
        assert case is not None
        answers.answer_case(
            connection, case, "Demain.", author_name="a", administration="water", now=world.now
        )
    world.relay.drain()
    (reply,) = world.rows(outbox, outbox.c.kind == "reply")
    for _ in range(2):
        world.receive(report(f"{reply.id}@{DOMAIN}"), to=MAILBOX)

    items = world.rows(attention, attention.c.outbox_id == reply.id)
    assert [item.reason for item in items] == ["undelivered"]
    assert world.rows(outbox, outbox.c.kind == "reply")[0].delivery_status == "delivered"


@pytest.mark.parametrize(
    ("sender", "path"),
    [(CITIZEN, ""), ("noreply@form.example", "noreply@form.example")],
    ids=["empty return path", "noreply"],
)
def test_a_complaint_from_nobody_is_filed_and_not_answered(
    world: World, sender: str, path: str
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, MAILBOX, "Lampadaire"
    mail.set_content("Le lampadaire devant l'école ne marche plus.")
    answer = world.receive(mail, to=MAILBOX, path=path)
    world.relay.drain()

    assert answer.state == "filed"
    assert world.mails.sent == []
    with world.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 1
