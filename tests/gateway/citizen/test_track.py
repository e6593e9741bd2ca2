# SPDX-License-Identifier: MIT
"""Tracking: what the code tells, what the PIN opens, and how guessing is slowed."""

from datetime import timedelta
from io import BytesIO

import pytest
import soundfile
from sqlalchemy import select

from dispatcher.administration import Administration, store
from gateway.citizen.signing import NONCE_LIFE
from normalizer import tracking_code
from tracker import answers, elsewhere, register
from tracker.elsewhere import Elsewhere
from tracker.models import CaseStatus, attachments, cases, messages
from tracker.register import find_case

LANGUAGES = ("ar", "fr", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_alone_tells_status_dates_and_administration_only(town, language):
    code, _ = town.filed()
    town.answered(code)
    response = town.track(language, code=tracking_code.display(code))
    assert response.status_code == 200
    page = town.checked(response, language)
    assert town.house.wording.text(language, "pages.status.answered") in page.text
    assert ("جماعة سلا" if language == "ar" else "Commune de Salé") in page.text
    assert "éclairage" not in page.text
    assert "lampe" not in page.text
    assert "Agent" not in page.text
    assert response.headers["Cache-Control"] == "no-store"


def test_code_and_pin_open_the_words_and_the_answer(town):
    code, pin = town.filed(files=(BytesIO(b"x"), "photo.png"))
    town.answered(code)
    eastern = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    response = town.track("ar", code=eastern, pin=pin)
    page = town.checked(response, "ar")
    assert "éclairage" in page.text
    assert "La lampe sera changée." in page.text
    assert "photo.png" in page.text
    assert "&lt;b&gt;" in page.html
    blocks = [attrs for name, attrs in page.tags if "words" in (attrs.get("class") or "")]
    assert blocks
    assert all(attrs["dir"] == "auto" for attrs in blocks)


def test_unknown_wrong_pin_and_slip(town):
    code, pin = town.filed()
    other = tracking_code.new_code("212")
    unknown = town.track(code=other)
    assert unknown.status_code == 404
    town.checked(unknown, "fr")
    wrong = "111111" if pin != "111111" else "222222"
    bodies = []
    for asked in (other, code):
        response = town.track(code=asked, pin=wrong)
        assert response.status_code == 404
        bodies.append(response.get_data(as_text=True).replace(asked, "CODE"))
    assert bodies[0] == bodies[1]
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)
    said = town.track(code=slip)
    assert said.status_code == 422
    assert "faute de frappe" in town.checked(said, "fr").text
    for nothing in ("", "12", "abc"):
        assert town.track(code=nothing).status_code == 422


def test_wrong_pins_pause_but_the_code_alone_goes_on(town):
    code, pin = town.filed()
    wrong = "111111" if pin != "111111" else "222222"
    for _ in range(town.house.settings.limits.code_tries):
        assert town.track(code=code, pin=wrong).status_code == 404
    paused = town.track(code=code, pin=pin)
    assert paused.status_code == 429
    assert int(paused.headers["Retry-After"]) > 0
    town.checked(paused, "fr")
    assert town.track(code=code).status_code == 200
    town.time[0] += NONCE_LIFE
    assert town.track(code=code, pin=pin).status_code == 200


def test_many_unknown_codes_pause_a_network(town):
    town.house.settings.limits.code_tries = 1
    for _ in range(10):
        assert town.track(code=tracking_code.new_code("212")).status_code == 404
    assert town.track(code=tracking_code.new_code("212")).status_code == 429


def test_every_status_has_words_for_the_citizen(town):
    code, _ = town.filed()
    for status in CaseStatus:
        with town.house.engine.begin() as connection:
            connection.execute(cases.update().values(status=str(status)))
        for language in LANGUAGES:
            town.checked(town.track(language, code=code), language)


def test_the_steps_that_people_decided_are_told_by_name_to_who_has_the_pin(town):
    """The code alone tells status, dates and administration (design, promise 6)."""
    code, pin = town.filed()
    two = (("a", "Alpha"), ("b", "Bravo"))
    with town.house.engine.begin() as connection:
        store(connection, [Administration(slug, {"fr": name}) for slug, name in two])
    for slug, _ in two:
        town.time[0] += timedelta(hours=1)
        with town.house.engine.begin() as connection:
            case, now = find_case(connection, code), town.house.clock()
            assert case is not None
            answers.assign(connection, case, slug, by="t@x.org", reasons=["sic!"], now=now)

    with_code = town.checked(town.track(code=code), "fr").text
    with_pin = town.checked(town.track(code=code, pin=pin), "fr").text

    assert "Bravo" in with_code
    assert "Alpha" not in with_code
    assert "Alpha a fait savoir que ce n’est pas de son ressort" in with_pin
    assert "Transmis à Bravo" in with_pin
    assert "sic!" not in with_pin
    assert with_pin.count("Transmis à l’administration") == 0


def test_a_citizen_with_the_pin_is_told_where_else_to_turn(town):
    code, pin = town.filed()
    with town.house.engine.begin() as connection:
        case, now = find_case(connection, code), town.house.clock()
        assert case is not None
        elsewhere.direct(connection, case, Elsewhere.COURT, by="t@x.org", now=now)

    for language, word in (("fr", "greffe"), ("ar", "كتابة ضبط"), ("en", "clerk")):
        assert word in town.checked(town.track(language, code=code, pin=pin), language).text
        assert word not in town.checked(town.track(language, code=code), language).text


def test_the_citizen_hears_their_own_recording_behind_code_and_pin(town):
    code, pin = town.filed()
    content = sound()
    with town.house.engine.begin() as connection:
        message = connection.execute(select(messages.c.id)).scalar_one()
        file = {"filename": "recording.wav", "media_type": "audio/wav", "content": content}
        register.add_attachments(connection, message, [file | {"transcript_state": "awaiting"}])
        (file_id,) = connection.scalars(select(attachments.c.id)).all()

    assert town.page(town.track("fr", code=code).get_data(as_text=True)).all("audio") == []
    (player,) = town.checked(town.track("fr", code=code, pin=pin), "fr").all("audio")
    played = town.client.get(player["src"])
    assert (played.status_code, played.mimetype, played.data) == (200, "audio/wav", content)
    assert "no-store" in played.headers["Cache-Control"]
    assert town.client.get(player["src"] + "x").status_code == 404
    assert town.client.get(f"/fr/track/recording/{file_id}").status_code == 404
    town.time[0] += timedelta(hours=2)
    assert town.client.get(player["src"]).status_code == 404


def sound():
    """A second of silence as a WAV file."""
    file = BytesIO()
    soundfile.write(file, [0.0] * 8000, 8000, format="WAV")
    return file.getvalue()
