# SPDX-License-Identifier: MIT
"""Texts whose API call times out: never sent twice, never forgotten (issue of SMS, bar 4).

The simulated provider takes a text to a number that ends in 0003 and answers too late, and loses
the first text to one that ends in 0004; neither is told by a callback, so only asking can tell.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from guichet_testing.gateway import RunningGateway, until

TAKEN, LOST = "+212661200003", "+212661200004"
#: What each citizen is told.
KINDS = ["acknowledge", "notify"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[RunningGateway]:
    """A gateway that does not wait long for its provider."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    gateway = RunningGateway(url, TWILIO__TIMEOUT_SECONDS="0.5")
    try:
        yield gateway.start()
    finally:
        gateway.close()


def texts_to(house: RunningGateway, number: str) -> list[dict[str, Any]]:
    """What the provider holds for a number from us."""
    told = httpx.get(f"{house.outside}/sms/{number}", timeout=20).json()["texts"]
    return [text for text in told if text["direction"] != "inbound"]


def test_what_timed_out_goes_once_whether_it_was_taken_or_lost(house: RunningGateway) -> None:
    """Every entry ends as done, and each of its words reached its citizen once."""
    for number in (TAKEN, LOST):
        body = {
            "from": number,
            "body": "Train pour Casablanca : une heure de retard à la gare de Rabat",
        }
        assert httpx.post(f"{house.outside}/sms", json=body, timeout=20).is_success
    seen: dict[str, set[str]] = {}

    def settled() -> list[dict[str, Any]]:
        """The entries, once an acknowledgement and the news of the referral went to each."""
        entries = [e for e in house.export("outbox") if e["recipient"] in (TAKEN, LOST)]
        told = [e for e in entries if e["kind"] in ("acknowledge", "notify")]
        for entry in told:
            seen.setdefault(entry["recipient"], set()).add(entry["state"])
        all_done = {e["state"] for e in told} == {"done"}
        return told if all_done and len(told) == len(KINDS) * 2 else []

    told = until(settled, seconds=90, what="every text")
    assert "unknown" in seen[TAKEN]
    assert "unknown" in seen[LOST]
    for number in (TAKEN, LOST):
        assert sorted(e["kind"] for e in told if e["recipient"] == number) == KINDS
        bodies = [text["body"] for text in texts_to(house, number)]
        assert len(bodies) == len(set(bodies)) == len(KINDS)
