# SPDX-License-Identifier: MIT
"""The way into the register: one case a delivery, raw first, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, Table, func, select, text
from sqlalchemy.exc import DataError

from channels.channel import Accepted, Delivery, TryLater
from channels.mail.address import thread_address
from channels.message import Address, AddressScheme, ChannelName, InboundMessage
from config import country
from config.settings import Settings
from gateway import filing
from gateway.intake import Intake
from gateway.planning import Plan, Planner
from normalizer import tracking_code
from normalizer.complaint import Submission
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import attention, case_events, cases, deliveries, messages, outbox

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k" * 40


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated; impatient, so that a lock is told soon."""
    engine = open_engine(database_url, lock_timeout_seconds=1.0)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def intake(engine: Engine) -> Iterator[Intake]:
    """An intake with a writer of its own."""
    settings = Settings(
        profile="demo",
        web={"secret_keys": [KEY]},
        mail={"domain": "g.example"},
        sms={"same_case_minutes": 0},  # one phone stands for many here
    )
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    yield Intake(writer, Planner(settings, morocco), morocco)
    writer.close()


def delivery(channel: ChannelName = ChannelName.SMS, key: str | None = None) -> Delivery:
    """A raw delivery of its own key."""
    return Delivery(channel, key or f"{channel}:{uuid4()}", NOW, "192.0.2.1", {"a": "b"}, b"raw")


def sms(words: str, sender: str = "+212612345678") -> InboundMessage:
    """A text."""
    return InboundMessage(
        "SM1", ChannelName.SMS, None, Address(AddressScheme.TEL, sender), "+2125", "", words
    )


def mail(
    words: str, sender: str = "a@example.org", to: str = "complaints@g.example", **more: Any
) -> InboundMessage:
    """A mail."""
    return InboundMessage(
        f"{uuid4()}@example.org",
        ChannelName.EMAIL,
        None,
        Address(AddressScheme.MAILTO, sender),
        to,
        str(more.pop("subject", "Eau")),
        words,
        fields={"return_path": sender},
        **more,
    )


def accepted(intake: Intake, raw: Delivery, message: InboundMessage | None) -> Accepted:
    """Hand it in and expect it to be accepted."""
    answer = intake.accept(raw, message)
    assert isinstance(answer, Accepted)
    return answer


def count(engine: Engine, table: Table) -> int:
    """How many rows a table has."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_text_becomes_a_case_with_everything_that_follows(intake: Intake, engine: Engine) -> None:
    """Raw, case, message, event, and the outbox in one commit."""
    answer = accepted(intake, delivery(), sms("Pas d'eau depuis trois jours"))

    assert answer.tracking_code
    assert tracking_code.is_valid(answer.tracking_code)
    with engine.connect() as connection:
        case = connection.execute(select(cases)).one()
        kinds = set(connection.scalars(select(outbox.c.kind)))
        raw = connection.scalar(select(deliveries.c.body))
    assert (case.status, case.contact_value, case.language) == ("received", "+212612345678", "fr")
    assert (case.expected_datetime - case.requested_datetime).days == 60
    assert kinds == {"acknowledge", "route"}
    assert raw == b"raw"
    assert count(engine, case_events) == count(engine, messages) == 1


def test_twenty_identical_deliveries_at_once_are_one_case(intake: Intake, engine: Engine) -> None:
    """Promise 2: the same answer for all, with the same code."""
    same = delivery(key="sms:SM1")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: accepted(intake, same, sms("Pas d'eau")), range(20)))

    assert len({answer.tracking_code for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    assert count(engine, cases) == count(engine, deliveries) == 1


def test_what_cannot_be_read_is_kept_in_quarantine(intake: Intake, engine: Engine) -> None:
    """Promise 3: the bytes are there, and a person sees them."""
    answer = accepted(intake, delivery(), None)

    assert answer.state == "quarantined"
    assert count(engine, cases) == 0
    with engine.connect() as connection:
        assert connection.scalar(select(attention.c.reason)) == "quarantined"
        assert connection.scalar(select(deliveries.c.body)) == b"raw"


def test_a_failure_while_filing_keeps_the_bytes(
    intake: Intake, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The savepoint undoes the half-made case, not the raw delivery."""

    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(filing, "_add_message", broken)
    answer = accepted(intake, delivery(), sms("Pas d'eau"))

    assert answer.state == "quarantined"
    assert (count(engine, cases), count(engine, deliveries)) == (0, 1)


def test_a_locked_database_means_try_later(intake: Intake, engine: Engine) -> None:
    """Nothing is acknowledged that is not stored; afterwards all is well again."""
    accepted(intake, delivery(), sms("Pas d'eau"))
    with engine.connect() as blocker:
        if engine.dialect.name == "postgresql":
            blocker.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
        else:
            blocker.execute(text("UPDATE cases SET subject = subject"))
        answer = intake.accept(delivery(), sms("Pas de courant"))
        blocker.rollback()

    assert isinstance(answer, TryLater)
    accepted(intake, delivery(), sms("Route coupée"))
    assert count(engine, cases) == 2


def test_a_code_alone_asks_for_the_status(intake: Intake, engine: Engine) -> None:
    """From any phone: an answer goes to who asked, and no case is made."""
    first = accepted(intake, delivery(), sms("Pas d'eau"))
    answer = accepted(intake, delivery(), sms(str(first.tracking_code), "+212698765432"))

    assert (answer.state, answer.tracking_code) == ("answered", first.tracking_code)
    with engine.connect() as connection:
        notice = connection.execute(select(outbox).where(outbox.c.kind == "notify")).one()
    assert (notice.recipient, notice.payload["notice"]) == ("+212698765432", "status")
    assert count(engine, cases) == 1


def test_a_code_inside_prose_follows_up_only_from_its_own_phone(
    intake: Intake, engine: Engine
) -> None:
    """A stranger's text with somebody's code is a case of its own."""
    first = accepted(intake, delivery(), sms("Pas d'eau"))
    words = f"{first.tracking_code} toujours rien, aidez-nous"
    own = accepted(intake, delivery(), sms(words))
    other = accepted(intake, delivery(), sms(words, "+212698765432"))

    assert (own.state, own.tracking_code) == ("appended", first.tracking_code)
    assert other.state == "filed"
    assert other.tracking_code != first.tracking_code


def test_a_mail_to_a_case_from_a_stranger_is_held(intake: Intake, engine: Engine) -> None:
    """Even with a valid signed address: a token proves knowledge, not identity."""
    first = accepted(intake, delivery(ChannelName.EMAIL), mail("Pas d'eau"))
    address = thread_address(str(first.tracking_code), "g.example", (KEY,))
    own = accepted(intake, delivery(ChannelName.EMAIL), mail("Encore", to=address))
    stranger = accepted(
        intake, delivery(ChannelName.EMAIL), mail("Moi aussi", sender="b@example.org", to=address)
    )

    assert (own.state, own.tracking_code) == ("appended", first.tracking_code)
    assert (stranger.state, stranger.tracking_code) == ("held", None)
    with engine.connect() as connection:
        assert connection.scalar(select(attention.c.reason)) == "held"
    assert count(engine, cases) == 1


def test_an_automatic_mail_is_filed_and_not_answered(intake: Intake, engine: Engine) -> None:
    """Promise 11."""
    answer = accepted(
        intake, delivery(ChannelName.EMAIL), mail("Absent", auto_submitted="auto-replied")
    )

    assert answer.state == "filed"
    with engine.connect() as connection:
        assert "acknowledge" not in set(connection.scalars(select(outbox.c.kind)))


def test_a_missed_call_is_on_the_list(intake: Intake, engine: Engine) -> None:
    """Somebody called and hung up: a person may call back."""
    message = InboundMessage(
        "CA1",
        ChannelName.VOICE,
        None,
        Address(AddressScheme.TEL, "+212612345678"),
        "+2125",
        "",
        "",
        fields={"missed_call": "1"},
    )
    answer = accepted(intake, delivery(ChannelName.VOICE), message)

    assert answer.state == "held"
    with engine.connect() as connection:
        assert connection.scalar(select(attention.c.reason)) == "missed"


def test_a_group_of_all_kinds_keeps_everything(intake: Intake, engine: Engine) -> None:
    """New cases, follow-ups and repeated deliveries in one commit undo nothing of each other."""
    first = accepted(intake, delivery(), sms("Pas d'eau"))
    again = delivery(key="sms:again")
    work = []
    for number in range(12):
        work.append((delivery(), sms(f"Plainte {number}", f"+21261234560{number % 10}")))
        work.append((delivery(), sms(f"{first.tracking_code} toujours rien {number}")))
        work.append((again, sms("Une seule fois")))
    answers = [future.result() for future in [intake.submit(*one) for one in work]]

    assert all(isinstance(answer, Accepted) for answer in answers)
    assert count(engine, cases) == 1 + 12 + 1
    assert count(engine, messages) == 1 + 12 + 12 + 1
    assert count(engine, deliveries) == 1 + 12 + 12 + 1


def test_a_repetition_in_a_group_spoils_nothing(intake: Intake, engine: Engine) -> None:
    """A group of new messages, one of which was filed before, and one of which is there twice."""
    first = accepted(intake, delivery(key="sms:old"), sms("Pas d'eau"))
    keys = ["sms:a", "sms:old", "sms:b", "sms:twice", "sms:twice", "sms:c"]
    futures = [intake.submit(delivery(key=key), sms(f"Sur {key}")) for key in keys]
    answers = [future.result(30) for future in futures]

    told = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(told) == len(keys)
    assert [answer.repeated for answer in told].count(True) == 2
    assert told[1].tracking_code == first.tracking_code
    assert told[3].tracking_code == told[4].tracking_code
    assert count(engine, cases) == count(engine, deliveries) == count(engine, messages) == 5


def test_a_plan_that_the_database_refuses_is_quarantined(
    intake: Intake, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that the database cannot even look for: kept for a person, its neighbours filed."""
    plan = intake._planner.plan

    def poisoned(connection: Connection, raw: Delivery, submission: Submission) -> Plan:
        if submission.description == "poison":
            connection.execute(text("SELECT 1 WHERE 'a' = :code"), {"code": "\x00"})
            raise DataError("SELECT", {}, ValueError("NUL"))  # SQLite alone takes a NUL
        return plan(connection, raw, submission)

    monkeypatch.setattr(intake._planner, "plan", poisoned)
    words = ["Pas d'eau", "poison", "Pas de lumière", "La route est coupée"]
    futures = [intake.submit(delivery(), sms(one)) for one in words]
    states = [getattr(future.result(30), "state", None) for future in futures]

    assert states == ["filed", "quarantined", "filed", "filed"]
    assert count(engine, cases) == 3
    assert count(engine, attention) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_died_while_idle_costs_nobody_a_try(
    intake: Intake, engine: Engine
) -> None:
    """The writer keeps its connection; when the server has dropped it, another is opened."""
    accepted(intake, delivery(), sms("Pas d'eau"))
    with engine.connect() as connection:
        ended = connection.scalar(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert ended

    assert accepted(intake, delivery(), sms("Pas de lumière")).tracking_code
