# SPDX-License-Identifier: MIT
"""The local page and the JSON API, and who may use them."""

import io

import pytest

from gateway.simulator.sound import tone
from gateway.simulator.world import ProductionRefused, build_world

CITIZEN = "+212612345678"
LINE = "/inbound/voice/twilio"


@pytest.mark.parametrize(
    ("language", "direction", "word"),
    [("ar", "rtl", "المُحاكي"), ("fr", "ltr", "Simulateur"), ("en", "ltr", "Simulator")],
)
def test_the_page_speaks_three_languages(browser, language, direction, word):
    browser.post("/simulator/hold", data={"language": language})

    page = browser.get("/simulator").text

    assert f'<html lang="{language}" dir="{direction}">' in page
    assert word in page
    assert "simulator." not in page.replace("/static/simulator.", "")


def test_a_text_from_the_page_reaches_the_gateway_and_stands_in_the_thread(browser, gateway):
    browser.post("/simulator/hold", data={"number": "+212 661-987654"})
    browser.post("/simulator/text", data={"body": "<b>pas d’eau</b>"})

    assert gateway.at("/inbound/sms/twilio")[0]["From"] == "+212661987654"
    assert "&lt;b&gt;pas d’eau" in browser.get("/simulator/live/texts").text


def test_a_message_by_whatsapp_from_the_page(browser, gateway):
    browser.post("/simulator/text", data={"body": "pas d’eau", "whatsapp": "1"})

    assert gateway.at("/inbound/sms/twilio")[0]["From"] == f"whatsapp:{CITIZEN}"
    assert "WhatsApp</span>" in browser.get("/simulator/live/texts").text


def test_a_call_from_the_page(browser, gateway, world):
    gateway.documents |= {
        LINE: '<Gather numDigits="1" action="/menu"><Say>Tapez 1</Say></Gather>',
        "/menu": '<Record action="/recorded"/>',
        "/recorded": "<Say>Merci</Say>",
    }
    browser.post("/simulator/dial")
    (call,) = world.state.calls_of(CITIZEN)
    assert "Tapez 1" in browser.get("/simulator").text

    browser.post("/simulator/call", data={"sid": call.sid, "key": "1"})
    voice = (io.BytesIO(tone(1)), "voice.wav")
    browser.post("/simulator/call", data={"sid": call.sid, "act": "speak", "voice": voice})

    assert "Merci" in browser.get("/simulator").text
    assert world.state.calls.get(call.sid).over


def test_a_mail_that_could_not_be_sent_is_told_on_the_page(browser):
    browser.post("/simulator/hold", data={"language": "en"})
    browser.post("/simulator/mail", data={"subject": "s", "text": "t"})

    assert "could not take this mail just now" in browser.get("/simulator").text


def test_a_number_that_is_none_is_told(browser):
    browser.post("/simulator/hold", data={"number": "abc", "language": "en"})

    assert "not a telephone number" in browser.get("/simulator").text


def test_the_api_texts_and_calls(browser, gateway, tmp_path):
    gateway.documents |= {
        LINE: '<Gather numDigits="1" action="/menu"><Say>Langue</Say></Gather>',
        "/menu": '<Record action="/recorded"/>',
        "/recorded": '<Say>Code</Say><Gather action="/menu"/>',
    }
    wav = tmp_path / "voice.wav"
    wav.write_bytes(tone(4))

    text = browser.post("/simulator/api/sms", json={"from": CITIZEN, "body": "x"})
    call = browser.post(
        "/simulator/api/call", json={"from": CITIZEN, "keys": ["2"], "record": str(wav)}
    )

    assert text.status_code == 201
    assert browser.get(f"/simulator/api/sms/{CITIZEN}").json["texts"] == [text.json]
    assert call.json["spoken"] == ["Langue", "Code"]
    assert call.json["status"] == "completed"
    assert gateway.at("/recorded")[0]["RecordingDuration"] == "4"


def test_the_api_says_what_is_wrong(browser, gateway):
    assert browser.post("/simulator/api/sms", json={"from": CITIZEN}).status_code == 400
    assert browser.post("/simulator/api/sms", data="[").status_code == 400
    bad = browser.post("/simulator/api/call", json={"from": CITIZEN, "record": "/none.wav"})
    assert bad.json == {"error": "'record' names no readable file"}
    mail = {"from": "a@b.c", "text": "x", "in_reply_to": "<none@x>"}
    assert browser.post("/simulator/api/mail", json=mail).status_code == 400
    assert browser.post("/simulator/api/calls/CA0/answer").status_code == 404
    gateway.status = 503
    assert browser.post("/simulator/api/sms", json={"from": "1", "body": "x"}).status_code == 502


@pytest.mark.parametrize(
    "seen",
    [
        {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"Host": "evil.example"}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "http://localhost:9"}},
        {"headers": {"Origin": "null"}},
    ],
)
def test_only_this_machine_gets_in(browser, seen):
    assert browser.get("/simulator", **seen).status_code == 403


def test_production_never_gets_a_simulator(settings, world):
    with pytest.raises(ProductionRefused):
        build_world(
            settings.model_copy(update={"profile": "production"}), world.wording, world.clock
        )
