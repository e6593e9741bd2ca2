# SPDX-License-Identifier: MIT
"""Answers by telephone: code and PIN, machines, busy lines, and what no forgery can fetch."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from channels.voice import recording
from channels.voice.twilio import TwilioVoice
from gateway.calling import calling_hours
from tracker import answers
from tracker.models import cases, deliveries, outbox
from tracker.register import find_case

BASE = "/inbound/voice/twilio"
CALLER, LINE = "+212612345678", "+212537000000"
ANSWER = "L'eau est revenue."


def call(**more):
    return {
        "CallSid": "CA" + "1" * 32,
        "From": CALLER,
        "To": LINE,
        "CallStatus": "in-progress",
        "Direction": "inbound",
    } | more


def document(answer):
    assert answer.status_code == 200, answer.text
    return ET.fromstring(answer.text)  # noqa: S314 - our own document


def press(door, tree, digits, **more):
    return document(door.post(tree.find("Gather").get("action"), call(Digits=digits, **more)))


def said(tree):
    """All that is heard; where the call goes on is no part of it."""
    return " ".join(verb.text or "" for verb in tree.iter("Say"))


def menu(door, **more):
    """Call and choose French."""
    return press(door, document(door.post(BASE, call(**more))), "2", **more)


def a_case(door) -> Any:
    tree = press(door, menu(door), "1")
    door.post(tree.find("Record").get("action"), call(RecordingSid="RE1", RecordingDuration="9"))
    (case,) = door.rows(cases)
    return case


def answered(door, case, text=ANSWER) -> Any:
    """Answer the case; give the entry by which we call."""
    with door.house.engine.begin() as connection:
        row: Any = find_case(connection, case.tracking_code)
        answers.answer_case(
            connection,
            row,
            text,
            author_name="A",
            administration=None,
            now=door.house.clock(),
        )
    return next(row for row in door.rows(outbox) if row.kind == "reply")


def entry_of(door, entry_id) -> Any:
    return next(row for row in door.rows(outbox) if row.id == entry_id)


# --- The citizen calls: code and PIN --------------------------------------------------------------


def test_an_answer_is_read_after_code_and_pin(door):
    case = a_case(door)
    answered(door, case)
    pin = press(door, press(door, menu(door), "3"), case.tracking_code)
    told = press(door, pin, case.pin)

    assert pin.find("Gather").get("numDigits") == "6"
    assert ANSWER not in said(pin)
    assert ANSWER in said(told)
    assert ANSWER in said(press(door, told, "0"))
    door.post(f"{BASE}/status", call(CallStatus="completed"))
    assert len(door.rows(deliveries)) == 1  # heard, so no missed call


def test_no_code_stands_in_a_url(door):
    case = a_case(door)
    pin = press(door, press(door, menu(door), "3"), case.tracking_code)

    assert case.tracking_code not in pin.find("Gather").get("action")


def test_an_unknown_code_and_a_wrong_pin_sound_alike(door):
    case = a_case(door)
    answered(door, case)
    heard = []
    for code, pin in ((case.tracking_code, "000000"), ("482109375512", case.pin)):
        asked = press(door, press(door, menu(door), "3"), code)
        heard.append((said(asked), said(press(door, asked, pin))))

    assert heard[0] == heard[1]
    assert ANSWER not in heard[0][1]


def test_pins_of_one_case_are_throttled_whoever_calls(door):
    case = a_case(door)
    answered(door, case)
    for number in range(door.house.settings.limits.code_tries):
        other = f"+2126000000{number:02}"
        tree = press(door, menu(door, From=other), "3", From=other)
        press(door, press(door, tree, case.tracking_code, From=other), "000000", From=other)
    last = press(door, press(door, menu(door), "3"), case.tracking_code)

    assert "trop d'essais" in said(press(door, last, case.pin))


def test_an_anonymous_guesser_is_throttled_by_call(door):
    tree = press(door, menu(door, From="anonymous"), "2", From="anonymous")
    action = tree.find("Gather").get("action")
    for _ in range(door.house.settings.limits.code_tries):
        door.post(action, call(From="anonymous", Digits="482109375512"))
    last = document(door.post(action, call(From="anonymous", Digits="482109375512")))

    assert "trop d'essais" in said(last)


def test_a_case_without_an_answer_is_told_so(door):
    case = a_case(door)
    tree = press(door, press(door, menu(door), "3"), case.tracking_code)

    assert "pas encore répondu" in said(press(door, tree, case.pin))


# --- We call --------------------------------------------------------------------------------------


def ours(**more):
    return call(**{"Direction": "outbound-api", "From": LINE, "To": CALLER} | more)


@pytest.mark.parametrize("by", ["machine_end_beep", "machine_end_silence", "machine_start", "fax"])
def test_a_machine_gets_no_word_of_the_answer_and_no_code(door, by):
    case = a_case(door)
    entry = answered(door, case)
    tree = document(door.post(f"{BASE}/answer/{entry.id}", ours(AnsweredBy=by)))
    words = said(tree)

    assert [tree.find("Gather"), tree[-1].tag] == [None, "Hangup"]
    assert "rappelez le numéro" in words
    assert ANSWER not in words
    assert case.tracking_code not in "".join(filter(str.isdigit, words))
    door.post(f"/receipts/voice/twilio/{entry.id}", ours(CallStatus="completed"))
    assert [r.channel for r in door.rows(outbox) if r.kind == "notify"] == ["sms"]


@pytest.mark.parametrize(
    ("number", "voice_number", "smpp", "told"),
    [
        ("+212537000000", "", "", ["0537000000"]),
        ("+212700000001", "+212537000000", "", ["0537000000", "0700000001"]),
        ("GUICHET", "+212537000000", "", ["0537000000"]),
        ("+212537000000", "", "3737", ["0537000000", "3737"]),
        ("+33612345678", "+212537000000", "", ["0537000000", "0033612345678"]),
    ],
)
def test_a_machine_is_told_numbers_as_they_are_dialled(
    door, monkeypatch, number, voice_number, smpp, told
):
    settings = door.house.settings
    monkeypatch.setattr(settings.twilio, "number", number)
    monkeypatch.setattr(settings.twilio, "voice_number", voice_number)
    monkeypatch.setattr(settings.smpp, "host", "smsc.example" if smpp else "")
    monkeypatch.setattr(settings.smpp, "number", smpp)
    entry = answered(door, a_case(door))
    tree = document(door.post(f"{BASE}/answer/{entry.id}", ours(AnsweredBy="machine_end_beep")))

    assert "".join(filter(str.isdigit, said(tree))) == "".join(told) * 2  # all of it twice
    assert ("SMS" in said(tree)) == (number != "GUICHET")


@pytest.mark.parametrize("word", ["busy", "no-answer"])
def test_a_busy_line_is_called_again_and_then_a_text_goes(door, word):
    entry = answered(door, a_case(door))
    tries = door.house.settings.voice.call_tries
    for number in range(1, tries):
        for _ in range(2):  # a callback may come twice
            door.post(f"/receipts/voice/twilio/{entry.id}", ours(CallStatus=word))
        (again,) = [r for r in door.rows(outbox) if r.idempotency_key == f"call-again:{entry.id}"]
        assert entry_of(door, entry.id).delivery_status == "deferred"
        assert again.payload["call"] == number + 1
        assert again.not_before > door.house.clock() + timedelta(minutes=20)
        assert not [r for r in door.rows(outbox) if r.kind == "notify"]
        entry = again
    door.post(f"/receipts/voice/twilio/{entry.id}", ours(CallStatus=word))

    assert entry_of(door, entry.id).delivery_status == "failed"
    assert [r.channel for r in door.rows(outbox) if r.kind == "notify"] == ["sms"]


@pytest.mark.parametrize(
    ("start", "end", "asked", "allowed"),
    [
        ("09:00", "20:00", "2026-11-25T12:00", "2026-11-25T12:00"),
        ("09:00", "20:00", "2026-11-25T03:00", "2026-11-25T08:00"),  # Morocco is an hour ahead
        ("09:00", "20:00", "2026-11-25T19:00", "2026-11-26T08:00"),
        ("22:00", "06:00", "2026-11-25T23:00", "2026-11-25T23:00"),
        ("22:00", "06:00", "2026-11-25T12:00", "2026-11-25T21:00"),
        ("00:00", "00:00", "2026-11-25T03:00", "2026-11-25T03:00"),
    ],
)
def test_citizens_are_called_in_the_hours_of_their_zone(door, start, end, asked, allowed):
    settings = door.house.settings
    voice = settings.voice.model_validate({"call_from": start, "call_until": end})
    hours = calling_hours(settings.model_copy(update={"voice": voice}), door.house.country)

    moment = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert hours.next_moment(moment) == datetime.fromisoformat(allowed).replace(tzinfo=UTC)


# --- What comes from outside fetches nothing ------------------------------------------------------


@pytest.fixture
def requests_out(monkeypatch):
    """Every request that would leave, by whichever client."""
    left: list[str] = []

    def stream(_self, _method, url, **_more):
        left.append(str(url))
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx.Client, "stream", stream)

    def parties(*_):
        left.append("parties")
        return "", ""

    monkeypatch.setattr(TwilioVoice, "parties", parties)
    return left


def test_a_forged_recording_is_refused_and_asks_nobody(door, requests_out):
    for path in (f"{BASE}/recorded", f"{BASE}/recording", f"{BASE}/status"):
        form = {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingUrl": "http://169.254.169.254/"}
        assert door.post(path, form, signature="forged").status_code == 403

    assert (requests_out, door.rows(deliveries)) == ([], [])


def test_a_foreign_recording_url_is_never_asked(door, requests_out):
    tree = press(door, menu(door), "1")
    foreign = "http://evil.example/RE1"
    door.post(tree.find("Record").get("action"), call(RecordingSid="RE1", RecordingUrl=foreign))

    (case,) = door.rows(cases)
    assert case.tracking_code
    assert requests_out == []  # the webhook asks nobody; a worker builds its URL from the ids
    with pytest.raises(Exception, match="cannot be fetched"):
        recording.fetch("AC1", "RE1", "http://127.0.0.1:1", ("AC1", "t"), 1000)
    assert requests_out == ["http://127.0.0.1:1/2010-04-01/Accounts/AC1/Recordings/RE1.wav"]
