# SPDX-License-Identifier: MIT
"""Texts and calls of a simulated citizen, as the gateway's door gets them."""

import pytest

from gateway.simulator.sound import NotASound, tone

CITIZEN = "+212612345678"
LINE = "/inbound/voice/twilio"


def said(call):
    return [one.text for one in call.heard if one.kind == "say"]


def test_a_text_comes_signed_with_all_of_twilios_fields(world, gateway):
    text = world.telephone.text(CITIZEN, "لا ماء منذ ثلاثة أيام")

    (form,) = gateway.at("/inbound/sms/twilio")
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"] == text.sid
    assert (form["From"], form["To"]) == (CITIZEN, "+212520000000")
    assert (form["Body"], form["NumSegments"], form["NumMedia"]) == (text.body, "1", "0")
    assert form["FromCity"] == ""
    assert text.error_code is None


def test_a_text_that_the_gateway_did_not_take_is_kept_with_its_error(world, gateway):
    gateway.status = 503

    text = world.telephone.text(CITIZEN, "x")

    assert text.error_code == 11200
    assert world.state.thread(CITIZEN) == [text]


def test_the_same_text_can_be_delivered_again(world, gateway):
    text = world.telephone.text(CITIZEN, "x")
    world.telephone.text(CITIZEN, "x", sid=text.sid)

    assert [form["MessageSid"] for form in gateway.at("/inbound/sms/twilio")] == [text.sid] * 2
    assert len(world.state.thread(CITIZEN)) == 1


def test_a_call_follows_the_dialogue_to_its_end(world, gateway):
    gateway.documents |= {
        LINE: '<Gather numDigits="1" action="/menu?t=a%2Bb"><Say language="arb">اضغط 1</Say>'
        "</Gather><Redirect>/silence</Redirect>",
        "/menu": '<Say>Parlez</Say><Record action="/recorded" maxLength="60" '
        'recordingStatusCallback="/file"/><Say>Rien</Say>',
        "/recorded": "<Say>Votre code</Say><Pause/><Hangup/><Say>jamais</Say>",
    }

    call = world.calls.dial(CITIZEN)
    assert (call.waits_for, said(call)) == ("keys", ["اضغط 1"])
    call = world.calls.press(call.sid, "2")
    assert call.waits_for == "recording"
    call = world.calls.speak(call.sid, tone(3.2))

    assert said(call) == ["اضغط 1", "Parlez", "Votre code"]
    assert call.status == "completed"
    assert gateway.at(LINE)[0]["CallStatus"] == "ringing"
    assert gateway.at("/menu")[0]["Digits"] == "2"
    (recorded,) = gateway.at("/recorded")
    assert (recorded["RecordingDuration"], recorded["Digits"]) == ("4", "#")
    (file,) = gateway.wait_for("/file")
    assert file["RecordingSid"] == recorded["RecordingSid"] == call.recordings[0]
    assert file["RecordingStatus"] == "completed"
    assert gateway.wait_for(f"{LINE}/status")[0]["CallStatus"] == "completed"


def test_silence_goes_on_to_what_follows_the_question(world, gateway):
    gateway.documents |= {
        LINE: '<Gather action="/menu"/><Redirect method="GET">/silence</Redirect>',
        "/silence": "<Say>Encore</Say><Gather action='/menu' finishOnKey='*'/>",
        "/menu": "<Say>Merci</Say>",
    }

    call = world.calls.stay_silent(world.calls.dial(CITIZEN).sid)
    assert said(call) == ["Encore"]
    call = world.calls.press(call.sid, "12#")
    assert call.keys == "12#"
    call = world.calls.press(call.sid, "*")

    assert said(call) == ["Encore", "Merci"]
    assert gateway.at("/menu")[0]["Digits"] == "12#"


def test_hanging_up_while_speaking_still_sends_the_recording(world, gateway):
    gateway.documents[LINE] = '<Record action="/recorded" recordingStatusCallback="/file"/>'
    call = world.calls.dial(CITIZEN)

    world.calls.hang_up(call.sid, tone())

    (form,) = gateway.wait_for("/recorded")
    assert (form["Digits"], form["CallStatus"]) == ("hangup", "completed")
    assert gateway.wait_for("/file")[0]["RecordingSid"] == form["RecordingSid"]
    assert len(gateway.wait_for(f"{LINE}/status")) == 1


def test_hanging_up_at_a_question_only_tells_the_status(world, gateway):
    gateway.documents[LINE] = '<Gather action="/menu"/>'

    call = world.calls.hang_up(world.calls.dial(CITIZEN).sid)

    assert call.over
    assert gateway.wait_for(f"{LINE}/status")[0]["CallSid"] == call.sid
    assert gateway.at("/menu") == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("<Redirect>/inbound/voice/twilio</Redirect>", "circle"),
        ("<Redirect>https://elsewhere.example/x</Redirect>", "11200"),
        ("<Say>&nothing;</Say>", "12100"),
    ],
)
def test_a_broken_dialogue_ends_the_call_and_says_why(world, gateway, document, reason):
    gateway.documents[LINE] = document

    call = world.calls.dial(CITIZEN)

    assert call.status == "completed"
    assert [one for one in call.heard if one.kind == "error" and reason in one.text]


def test_a_gateway_that_is_down_ends_the_call(world):
    call = world.calls.dial(CITIZEN)

    assert [one.kind for one in call.heard] == ["error", "end"]


def test_only_a_wav_file_is_spoken(world, gateway):
    gateway.documents[LINE] = '<Record action="/recorded"/>'
    call = world.calls.dial(CITIZEN)

    with pytest.raises(NotASound):
        world.calls.speak(call.sid, b"no sound")
