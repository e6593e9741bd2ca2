# SPDX-License-Identifier: MIT
"""A whole gateway at an operator's SMSC: texts in, texts out, with processes that die."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.smsc import Behaviour, Smsc, running
from guichet_testing.smsc_wire import deliver_body, parts_of

FATIMA, OMAR = "212612345678", "212698765432"
ARABIC = "انقطع الماء الصالح للشرب عن حي السلام منذ ثلاثة أيام ولم يرد علينا أحد. " * 2
SETTINGS = {
    "SMPP__HOST": "127.0.0.1",
    "SMPP__SYSTEM_ID": "guichet",
    "SMPP__PASSWORD": "secret",
    "SMPP__NUMBER": "3737",
    "SMPP__POLL_SECONDS": "0.1",
    "SMPP__RECONNECT_BASE_SECONDS": "0.1",
    "SMPP__RECONNECT_CAP_SECONDS": "0.5",
    "SMPP__MAX_PARTS_WAIT_MINUTES": "0.02",
    "DISPATCH__BLACKHOLE_OUTLETS": "true",
}


@pytest.fixture(scope="module")
def smsc() -> Iterator[Smsc]:
    with running(Behaviour(receipts="late")) as one:
        yield one


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, smsc: Smsc) -> Iterator[RunningGateway]:
    """``guichet serve`` with an operator."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    gateway = RunningGateway(url, **SETTINGS, SMPP__PORT=str(smsc.port))
    try:
        yield gateway.start()
    finally:
        gateway.close()


def cases_of(house: RunningGateway, *contacts: str) -> list[dict[str, Any]]:
    """The cases of these citizens."""
    wanted = {f"+{contact}" for contact in contacts}
    return [case for case in house.export("cases") if case["contact"]["value"] in wanted]


def deliver(smsc: Smsc, *bodies: bytes) -> None:
    """Deliver and await every ESME_ROK."""
    numbers = set(smsc.queue(*bodies))
    smsc.wait(lambda: numbers <= smsc.ledger.acknowledged(), 40)


def answered(house: RunningGateway, *contacts: str) -> list[dict[str, Any]]:
    """The cases of these citizens, when all was told that had to be and has arrived; else none."""
    found = cases_of(house, *contacts)
    for case in found:
        said = [one for one in case["messages"] if one["direction"] == "outbound"]
        if not said or any(one["delivery_status"] != "delivered" for one in said):
            return []
    return found if len(found) >= len(contacts) else []


def test_a_citizen_is_answered_by_the_operators_line(house: RunningGateway, smsc: Smsc) -> None:
    before = len(smsc.ledger.submits)
    deliver(smsc, *reversed(parts_of(FATIMA, ARABIC, reference=9)))

    (case,) = until(lambda: answered(house, FATIMA), what="the acknowledgement")

    assert case["description"] == ARABIC.strip()
    sent = smsc.ledger.submits[before:]
    words = b"".join(submit.short_message for submit in sent).decode("utf-16-be", "replace")
    assert {submit.destination for submit in sent} == {FATIMA}
    assert case["tracking_code"][:4] in words
    assert smsc.ledger.binds[-1] == ("guichet", "secret")


def test_an_incomplete_text_is_filed_by_the_sweeper_and_takes_its_late_part(
    house: RunningGateway, smsc: Smsc
) -> None:
    bodies = parts_of(OMAR, ARABIC, reference=77)
    assert len(bodies) == 3
    deliver(smsc, bodies[0], bodies[2])
    until(lambda: cases_of(house, OMAR), what="the incomplete case")
    deliver(smsc, bodies[1])

    (case,) = cases_of(house, OMAR)
    inbound = [message for message in case["messages"] if message["direction"] == "inbound"]
    assert "[part 2/3 missing]" in case["description"]
    assert inbound[1]["text"] == ARABIC[67:134].strip()
    assert [event["type"] for event in case["events"]].count("guichet.message.late_part") == 1


def test_a_killed_process_is_started_again_and_nobody_waits_in_vain(
    house: RunningGateway, smsc: Smsc, below: Callable[[int], dict[int, str]]
) -> None:
    assert house.serve is not None
    binds = len(smsc.ledger.binds)
    (victim,) = [pid for pid, line in below(house.serve.pid).items() if line.endswith(" smpp")]
    os.kill(victim, signal.SIGKILL)
    numbers = [f"2126500000{n:02d}" for n in range(12)]

    deliver(smsc, *(deliver_body(one, b"Pas d'eau depuis trois jours") for one in numbers))

    assert len(smsc.ledger.binds) > binds
    found = until(lambda: answered(house, *numbers), seconds=40, what="the answers")
    assert len(found) == len(numbers)
