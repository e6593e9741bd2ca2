# SPDX-License-Identifier: MIT
"""What SPF, DKIM and DMARC decide at the intake, on both databases; nothing is ever dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.mail.address import thread_address
from channels.mail.authenticity import Checking
from channels.mail.mime import read
from channels.message import ChannelName
from config import country
from config.settings import Settings
from dispatcher.work import Result, Work
from gateway.authenticating import Completing, authenticator_of, complete
from gateway.intake import Intake
from gateway.planning import Planner
from guichet_testing.names import NameServer
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import (
    OutboxState,
    administrations,
    attention,
    cases,
    deliveries,
    messages,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k" * 40
CITIZEN, OFFICE = "amina@people.example", "water@gov.example"
ALLOWED, STRANGER = "192.0.2.25", "198.51.100.9"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url, lock_timeout_seconds=1.0)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def names() -> Iterator[NameServer]:
    """Both domains publish a policy and allow one server."""
    with NameServer() as server:
        for domain in ("people.example", "gov.example"):
            server.add(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none")
            server.add(domain, "TXT", f"v=spf1 ip4:{ALLOWED} -all")
        yield server


@pytest.fixture
def settings(names: NameServer) -> Settings:
    """Settings that check at the test's own DNS server."""
    return Settings(
        profile="demo",
        web={"secret_keys": [KEY]},
        mail={
            "domain": "g.example",
            "authenticity": "check",
            "nameservers": [names.address],
            "query_seconds": 0.5,
        },
    )


class Door:
    """Takes mail as the mail doors do: facts first where they are wanted, then the intake."""

    def __init__(self, settings: Settings, engine: Engine, intake: Intake) -> None:
        self.engine = engine
        self.intake = intake
        checking = authenticator_of(settings)
        assert isinstance(checking, Checking)
        self.checking = checking

    def take(
        self,
        sender: str,
        peer: str,
        to: str = "complaints@g.example",
        head: str = "",
        text: str = "",
    ) -> tuple[Accepted, Any]:
        """Take one mail; return the answer and the row of its delivery."""
        raw = (
            f"From: {sender}\r\nTo: {to}\r\nSubject: Eau\r\nMessage-ID: <{uuid4()}@x.example>\r\n"
            f"{head}\r\n{text or 'Pas d’eau depuis trois jours dans la rue des fleurs.'}\r\n"
        ).encode()
        message = read(raw, envelope_from=sender, envelope_to=(to,))
        if self.checking.wanted(message, (to,)):
            facts = self.checking.facts(
                raw, message, peer=peer, helo="mx.example", envelope_from=sender
            )
            message.fields.update(facts)  # type: ignore[attr-defined]
        key = f"email:{uuid4()}"
        headers = {"envelope-from": sender, "envelope-to": to, "helo": "mx.example"}
        delivery = Delivery(ChannelName.EMAIL, key, NOW, peer, headers, raw)
        answer = self.intake.accept(delivery, message)
        assert isinstance(answer, Accepted)
        with self.engine.connect() as connection:
            row = connection.execute(
                select(deliveries).where(deliveries.c.idempotency_key == key)
            ).one()
        return answer, row

    def case(self) -> str:
        """A new case of the citizen, given to the office; its code."""
        answer, _ = self.take(CITIZEN, ALLOWED)
        with self.engine.begin() as connection:
            connection.execute(
                administrations.insert().values(
                    slug="water", names={"en": "Water"}, email=OFFICE, outlet="email"
                )
            )
            connection.execute(cases.update().values(administration="water"))
        assert answer.tracking_code
        return answer.tracking_code


@pytest.fixture
def door(settings: Settings, engine: Engine) -> Iterator[Door]:
    """A door of its own writer."""
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    yield Door(settings, engine, Intake(writer, Planner(settings, morocco), morocco))
    writer.close()


def waiting(engine: Engine) -> list[Any]:
    """The items of *Needs a person*."""
    with engine.connect() as connection:
        return list(connection.execute(select(attention)))


def spoken(engine: Engine) -> list[tuple[str, str]]:
    """Who said something in the case, and as what."""
    with engine.connect() as connection:
        rows = connection.execute(select(messages.c.author, messages.c.direction))
        return [(row.author, row.direction) for row in rows]


def test_a_new_complaint_is_filed_unchecked_and_told_of_later(door: Door, engine: Engine) -> None:
    """Even a forged one is a case."""
    answer, row = door.take(CITIZEN, STRANGER)
    assert (answer.state, row.answer) == ("filed", {})

    facts = complete(engine, door.checking, row.id)

    assert facts["dmarc"] == "fail"
    with engine.connect() as connection:
        assert connection.scalar(select(deliveries.c.answer)) == dict(facts)
    assert complete(engine, door.checking, row.id) == {}


def test_the_relay_tells_it_while_it_routes(door: Door, engine: Engine) -> None:
    _, row = door.take(CITIZEN, ALLOWED)
    with engine.connect() as connection:
        case = connection.execute(select(cases)).one()
    rested = []
    completing = Completing(
        engine,
        door.checking,
        lambda _work: Result(OutboxState.DONE),
        lambda: rested.append(True),
    )
    entry = cast("Any", SimpleNamespace(kind="route"))

    assert completing.perform(Work(entry, case)).state is OutboxState.DONE
    completing.rest()

    assert rested
    with engine.connect() as connection:
        assert connection.scalar(select(deliveries.c.answer["dmarc"].as_string())) == "pass"
    assert row.answer == {}


@pytest.mark.parametrize(
    ("peer", "state", "dmarc"), [(ALLOWED, "appended", "pass"), (STRANGER, "held", "fail")]
)
@pytest.mark.parametrize("way", ["address", "text"])
def test_a_follow_up_in_the_citizens_name(
    door: Door, engine: Engine, peer: str, state: str, dmarc: str, way: str
) -> None:
    """A forged one goes to a person, with a guess; the facts are kept beside either."""
    code = door.case()
    to = thread_address(code, "g.example", [KEY]) if way == "address" else "complaints@g.example"
    text = "" if way == "address" else f"Au sujet de {code} : toujours pas d’eau chez nous."

    answer, row = door.take(CITIZEN, peer, to, text=text)

    assert (answer.state, row.answer["dmarc"]) == (state, dmarc)
    if state == "held":
        assert row.answer["guess"] == code
        assert "DMARC" in waiting(engine)[0].detail
        assert len(spoken(engine)) == 1
    else:
        assert len(spoken(engine)) == 2


@pytest.mark.parametrize("fault", ["silent", "broken", "no record"])
def test_what_nobody_knows_holds_nothing_up(door: Door, names: NameServer, fault: str) -> None:
    code = door.case()
    if fault == "no record":
        names.remove("_dmarc.people.example")
    else:
        getattr(names, fault).add("people.example")
    answer, row = door.take(CITIZEN, STRANGER, thread_address(code, "g.example", [KEY]))
    assert answer.state == "appended"
    assert row.answer["dmarc"] == ("none" if fault == "no record" else "temperror")


@pytest.mark.parametrize(
    ("proven", "peer", "policy", "state"),
    [
        (True, ALLOWED, True, "appended"),
        (True, STRANGER, True, "held"),
        (True, STRANGER, False, "appended"),
        (False, ALLOWED, True, "appended"),
        (False, STRANGER, True, "held"),
        (False, STRANGER, False, "held"),
    ],
)
def test_an_answer_in_the_administrations_name(
    door: Door,
    engine: Engine,
    names: NameServer,
    proven: bool,
    peer: str,
    policy: bool,
    state: str,
) -> None:
    """Its registered address, and the signed address or DMARC; never against DMARC."""
    code = door.case()
    if not policy:
        names.remove("_dmarc.gov.example")
    to = thread_address(code, "g.example", [KEY]) if proven else "complaints@g.example"

    answer, _ = door.take(OFFICE, peer, to, text=f"Dossier {code} : l’eau est revenue, merci.")

    assert answer.state == state
    said = ("administration", "outbound") in spoken(engine)
    assert said is (state == "appended")
    assert len(waiting(engine)) == (state == "held")


def test_another_address_of_the_domain_is_not_the_administration(
    door: Door, engine: Engine
) -> None:
    """DMARC proves the domain, not the office."""
    code = door.case()
    answer, _ = door.take(
        "clerk@gov.example", ALLOWED, text=f"Dossier {code} : l’eau est revenue, merci."
    )
    assert answer.state == "held"
    assert len(spoken(engine)) == 1


@pytest.mark.parametrize(
    ("mail", "there"),
    [({}, False), ({"authenticity": "off"}, False), ({"authenticity": "check"}, True)],
)
def test_the_demo_asks_no_dns_unless_told(mail: dict[str, str], there: bool) -> None:
    found = authenticator_of(Settings(profile="demo", mail=mail))
    assert (found is not None) is there
