# SPDX-License-Identifier: MIT
"""What a text is about chooses the matter, and its place the body, through every way it is told."""

import re

import pytest
from sqlalchemy import select

from dispatcher.administration import Administration, OutletName, store
from gateway.inbound.sms import PATH
from gateway.relay import RELAYED, Relay
from gateway.wiring import build_workshop
from tracker.models import attention, cases, suggestions

WORDS = "Le lampadaire de notre rue est en panne"
FES, NOWHERE = "34.0331, -5.0003", "10.0000, -30.0000"
RULES = """
[[rule]]
administration = "commune-fes"
precision = 0.98
measured = 50
phrases = ["lampadaire"]
"""


@pytest.fixture
def town(door, tmp_path):
    """Communes of three towns on record, one rule about street lights, and who works it off."""
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    named = (("fes", "Fès"), ("casablanca", "Casablanca"), ("sale", "Salé"))
    with door.house.engine.begin() as connection:
        store(
            connection,
            [
                Administration(
                    f"commune-{place}",
                    {"fr": f"Commune de {name}"},
                    matters=("commune",),
                    places=(place,),
                    outlet=OutletName.DESK,
                )
                for place, name in named
            ],
        )
    settings = door.house.settings.model_copy(deep=True)
    settings.dispatch.rules = str(rules)
    workshop = build_workshop(settings, door.house.engine)

    def work():
        clock = door.house.clock
        relay = Relay(door.house.engine, settings, workshop.dispatcher.perform, clock, RELAYED)
        relay.drain()
        with door.house.engine.connect() as connection:
            return connection.execute(select(cases).order_by(cases.c.requested_datetime)).all()

    return work


def told(sid, **more):
    """One message by WhatsApp."""
    return {
        "MessageSid": sid,
        "From": "whatsapp:+212612345678",
        "To": "whatsapp:+212537000000",
        "Body": "",
        **more,
    }


def pin(degrees):
    latitude, longitude = degrees.split(", ")
    return {"Latitude": latitude, "Longitude": longitude}


def formed(door, words, location):
    """One form of the public page, as a browser sends it."""
    page = door.client.get("/fr/complain").text
    found = re.search(r'name="nonce" value="([^"]+)"', page)
    assert found is not None
    fields = {"kind": "complaint", "description": words, "location": location, "nonce": found[1]}
    answer = door.client.post("/fr/complain", data=fields, content_type="multipart/form-data")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("location", "chosen"),
    [
        ("Casablanca", "commune-casablanca"),
        ("حي تابريكت، سلا", "commune-sale"),
        (FES, "commune-fes"),
        ("", None),
        (NOWHERE, None),
    ],
)
def test_the_place_of_a_form_or_a_map_chooses_the_commune(door, town, location, chosen):
    formed(door, WORDS, location)

    (case,) = town()
    assert case.location == location
    assert case.administration == chosen
    assert case.status == ("referred" if chosen else "triage")
    if chosen is None:
        (item,) = door.rows(attention)
        assert item.reason == "unrouted"


def test_a_place_in_the_words_chooses_it_and_the_clerk_reads_why(door, town):
    door.post(PATH, told("SM1", Body=f"{WORDS}, Casablanca"))

    (case,) = town()
    assert case.administration == "commune-casablanca"
    (made,) = door.rows(suggestions)
    assert made.administration == "commune-casablanca"


def test_a_pin_sent_after_the_words_finds_the_commune_of_a_case_that_waited(door, town):
    door.post(PATH, told("SM1", Body=WORDS))
    (waiting,) = town()
    assert (waiting.administration, waiting.status) == (None, "triage")

    door.post(PATH, told("SM2", **pin(FES)))
    (case,) = town()
    assert case.id == waiting.id
    assert (case.administration, case.status) == ("commune-fes", "referred")
    assert [item.resolved_at is not None for item in door.rows(attention)] == [True]


def test_a_pin_takes_no_case_from_the_commune_that_has_it(door, town):
    door.post(PATH, told("SM1", Body=f"{WORDS} à Casablanca"))
    assert [case.administration for case in town()] == ["commune-casablanca"]

    door.post(PATH, told("SM2", **pin(FES)))
    assert "commune-casablanca" in [case.administration for case in town()]
    assert door.rows(cases)[0].administration == "commune-casablanca"
