# SPDX-License-Identifier: MIT
"""The form: from what was typed to code and PIN, and what happens when it cannot be stored."""

import re
from io import BytesIO

import pytest

from channels.channel import Refused, TryLater
from gateway.citizen.posted import replay
from gateway.citizen.signing import NONCE_LIFE, new_nonce
from normalizer import tracking_code
from tracker.models import attachments, cases

KEYS = ("k" * 32,)
LANGUAGES = ("ar", "fr", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_becomes_a_case_with_code_and_pin(town, language):
    response = town.post(language, location="Salé", contact="fatima@example.org", name="Fatima")
    assert response.status_code == 200
    page = town.checked(response, language)
    code, pin = town.codes(response)
    assert tracking_code.is_valid(code.replace("-", ""))
    assert re.fullmatch(r"\d{6}", pin)
    assert "<b>depuis</b>" in page.text
    assert "&lt;b&gt;depuis" in page.html
    assert "fatima@example.org" in page.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    case = town.case(code.replace("-", ""))
    assert (case.pin, case.language, case.location) == (pin, language, "Salé")
    assert case.contact_confirmed is False
    year = str(case.expected_datetime.year)
    assert year in page.text


def test_the_bytes_are_kept_and_can_be_read_again(town):
    response = town.post(files=(BytesIO(b"\x89PNG bytes"), "photo.png"), contact="0612345678")
    assert len(town.codes(response)) == 2
    (delivery,) = town.deliveries
    assert b"\x89PNG bytes" in delivery.body
    assert delivery.url == "https://guichet.example/fr/complain"
    assert delivery.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    again = replay(delivery, settings=town.house.settings, region="MA").message
    assert again is not None
    assert again.attachments[0].content == b"\x89PNG bytes"
    assert f"web:{again.message_id}" == delivery.idempotency_key
    assert town.count(attachments) == 1


def test_a_form_posted_twice_is_one_case_with_one_answer(town):
    nonce = town.nonce()
    first, second = town.post(nonce=nonce), town.post(nonce=nonce)
    assert town.codes(first) == town.codes(second)
    assert len(town.codes(first)) == 2
    assert town.count(cases) == 1


def test_changed_words_under_a_used_nonce_are_not_lost(town):
    nonce = town.nonce()
    (code, _) = town.codes(town.post(nonce=nonce))
    changed = town.post(nonce=nonce, description="Autre chose")
    assert changed.status_code == 409
    page = town.checked(changed, "fr")
    assert code in page.text
    assert "Autre chose" in page.text
    fresh = next(f["value"] for f in page.all("input") if f.get("name") == "nonce")
    assert fresh != nonce
    assert len(town.codes(town.post(nonce=fresh, description="Autre chose"))) == 2
    assert town.count(cases) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_when_nothing_can_be_stored_the_page_keeps_what_was_typed(town, language):
    nonce = town.nonce(language)
    town.answers.append(TryLater())
    typed = {"location": "Fès", "name": "Ali", "contact": "ali@example.org", "kind": "observation"}
    files = (BytesIO(b"x"), "a.txt")
    response = town.post(language, nonce=nonce, files=files, **typed)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    page = town.checked(response, language)
    values = {f.get("name"): f.get("value") for f in page.all("input") if f.get("type") != "radio"}
    assert values["nonce"] == nonce
    assert (values["location"], values["name"], values["contact"]) == (
        "Fès",
        "Ali",
        "ali@example.org",
    )
    assert "en panne" in page.text
    picked = [f["value"] for f in page.all("input") if "checked" in f]
    assert picked == ["observation"]
    files_again = town.house.wording.text(language, "pages.complain.files_again")
    assert files_again in page.text
    assert len(town.codes(town.post(language, nonce=nonce))) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_is_told_at_the_top_and_at_the_field(town, language):
    response = town.post(
        language, description=" ", contact="???", location="Fès", kind="other", name="n" * 400
    )
    assert response.status_code == 422
    page = town.checked(response, language)
    assert {"#kind", "#description", "#contact", "#name"} <= {a.get("href") for a in page.all("a")}
    assert any(f.get("value") == "Fès" for f in page.all("input"))
    invalid = [f["id"] for k in ("input", "textarea") for f in page.all(k) if "aria-invalid" in f]
    assert sorted(invalid) == ["contact", "description", "name"]
    assert town.count(cases) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_error_has_words(town, language):
    files = [(BytesIO(b"x"), f"{n}.txt") for n in range(6)]
    response = town.post(language, files=files, description="x" * 20_001)
    assert response.status_code == 422
    town.checked(response, language)
    big = town.post(language, files=[(BytesIO(b"x" * 1_000_001), "big.txt")])
    assert big.status_code == 422
    town.checked(big, language)
    town.answers.append(Refused("too much"))
    refused = town.post(language)
    assert refused.status_code == 422
    town.checked(refused, language)


@pytest.mark.parametrize("token", ["", "forged", "W10.abc"])
def test_a_form_that_is_not_ours_is_shown_again_with_its_words(town, token):
    response = town.post(nonce=token)
    assert response.status_code == 422
    assert "en panne" in town.checked(response, "fr").text
    assert town.deliveries == []


def test_a_nonce_ages_by_our_clock(town):
    nonce = new_nonce(KEYS, town.time[0] - NONCE_LIFE * 2)
    assert town.post(nonce=nonce).status_code == 422


def test_a_quarantined_form_says_that_it_is_kept(town, monkeypatch):
    def broken(*_):
        raise ValueError("planted")

    monkeypatch.setattr("gateway.intake.normalize", broken)
    response = town.post()
    assert response.status_code == 200
    assert town.codes(response) == []
    assert (
        town.house.wording.text("fr", "pages.received.kept_title")
        in town.checked(response, "fr").text
    )


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 500, b"--x\r\nbroken"])
@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""]
)
def test_garbage_gets_a_clear_refusal(town, body, content_type):
    response = town.client.post("/fr/complain", data=body, content_type=content_type)
    assert response.status_code in (400, 413, 422)
    town.checked(response, "fr")
