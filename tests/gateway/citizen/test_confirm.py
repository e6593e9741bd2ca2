# SPDX-License-Identifier: MIT
"""A typed contact is confirmed by the link that was sent to it."""

import pytest
from sqlalchemy import select

from gateway.citizen.signing import NONCE_LIFE, contact_token
from tracker.models import case_events

KEYS = ("k" * 32,)
LANGUAGES = ("ar", "fr", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_contact_is_confirmed_by_the_link_and_a_press(town, language):
    code, _ = town.filed(contact="ali@example.org")
    case = town.case(code)
    path = f"/{language}/confirm/" + contact_token(KEYS, case.id, case.contact_value, town.time[0])

    def confirmed():
        return town.case(code).contact_confirmed

    town.checked(town.client.get(path), language)
    assert not confirmed()
    for _ in range(2):
        assert town.client.post(path).status_code == 200
    town.checked(town.client.get(path), language)
    assert confirmed()
    with town.house.engine.connect() as connection:
        events = connection.scalars(select(case_events.c.type)).all()
    assert events.count("guichet.case.contact_confirmed") == 1


def test_a_link_of_another_contact_or_key_or_time_confirms_nothing(town):
    code, _ = town.filed(contact="ali@example.org")
    case = town.case(code)
    now = town.time[0]
    tokens = [
        contact_token(KEYS, case.id, "eve@example.org", now),
        contact_token(("x" * 32,), case.id, case.contact_value, now),
        contact_token(KEYS, case.id, case.contact_value, now - 5 * NONCE_LIFE),
        "nonsense",
    ]
    for token in tokens:
        for call in (town.client.get, town.client.post):
            response = call(f"/ar/confirm/{token}")
            assert response.status_code == 404
            town.checked(response, "ar")
