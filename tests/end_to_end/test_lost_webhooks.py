# SPDX-License-Identifier: MIT
"""A webhook that never came: the text is found at the provider and filed, once (promise 1)."""

from collections.abc import Iterator

import httpx
import pytest

from guichet_testing.gateway import RunningGateway, until


@pytest.fixture
def house() -> Iterator[RunningGateway]:
    """A gateway that looks every second or so."""
    gateway = RunningGateway(TWILIO__LOOK_MINUTES="0.02")
    try:
        yield gateway.start()
    finally:
        gateway.close()


def test_a_text_whose_webhook_was_lost_is_filed_once(house: RunningGateway) -> None:
    """Listed, filed, acknowledged; its late webhook changes nothing."""
    number = "+212661200011"
    lost = httpx.post(
        f"{house.outside}/sms",
        json={"from": number, "body": "Pas d'eau depuis hier", "webhook": False},
        timeout=20,
    ).json()
    until(lambda: house.export("cases"), what="the case")
    httpx.post(
        f"{house.outside}/sms",
        json={"from": number, "body": "Pas d'eau depuis hier", "sid": lost["sid"]},
        timeout=20,
    )

    cases = house.export("cases")
    assert [case["contact"]["value"] for case in cases] == [number]
    assert len(house.export("deliveries")) == 1
