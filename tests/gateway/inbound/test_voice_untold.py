# SPDX-License-Identifier: MIT
"""Who hangs up before the code is told, at a telephone without texts, is called and told it."""

import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import Any

import pytest

from channels.message import DeliveryStatus, OutboundMessage, Receipt
from channels.voice.twilio import TwilioVoice
from gateway.worker import relay_of
from tracker.models import attention, cases, outbox

BASE = "/inbound/voice/twilio"
LANDLINE, MOBILE, LINE = "+212537123456", "+212612345678", "+212537000000"


def call(**more: str) -> dict[str, str]:
    return {
        "CallSid": "CA" + "1" * 32,
        "From": LANDLINE,
        "To": LINE,
        "CallStatus": "in-progress",
        "Direction": "inbound",
    } | more


def ours(**more: str) -> dict[str, str]:
    return call(**{"Direction": "outbound-api", "From": LINE, "To": LANDLINE} | more)


def document(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return ET.fromstring(answer.text)  # noqa: S314 - our own document


def recorder(door: Any, caller: str = LANDLINE) -> Any:
    """Call, choose French, file: the ``<Record>`` that waits."""
    tree = document(door.post(BASE, call(From=caller)))
    for key in ("2", "1"):
        tree = document(door.post(tree.find("Gather").get("action"), call(From=caller, Digits=key)))
    return tree.find("Record")


def hang_up(door: Any, caller: str = LANDLINE) -> Any:
    """Speak and hang up; the acknowledgement that is then due, if any."""
    form = call(From=caller, RecordingSid="RE1", RecordingDuration="9", Digits="hangup")
    door.post(recorder(door, caller).get("action"), form)
    return acknowledgement(door)


def acknowledgement(door: Any) -> Any:
    return next((row for row in door.rows(outbox) if row.kind == "acknowledge"), None)


def digits(tree: Any) -> str:
    return "".join(filter(str.isdigit, "".join(tree.itertext())))


def relayed(door: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Work off what will be due; whom we called for it."""
    called: list[str] = []

    def send(_: TwilioVoice, message: OutboundMessage) -> Receipt:
        called.append(message.recipient.value)
        return Receipt("CA" + "9" * 32, DeliveryStatus.QUEUED, "queued")

    monkeypatch.setattr(TwilioVoice, "send", send)
    with door.house.engine.begin() as connection:
        connection.execute(outbox.update().values(not_before=door.house.clock()))
    relay_of(door.house.settings).drain()
    return called


def test_a_landline_is_called_and_told_the_code_without_the_pin(door, monkeypatch):
    entry = hang_up(door)
    (case,) = door.rows(cases)
    assert (entry.channel, entry.recipient, entry.state) == ("voice", LANDLINE, "due")
    assert entry.not_before - case.requested_datetime == timedelta(minutes=2)

    assert relayed(door, monkeypatch) == [LANDLINE]
    tree = document(door.post(f"{BASE}/answer/{entry.id}", ours()))
    assert digits(tree) == case.tracking_code * 2
    assert (tree.find("Gather"), tree[-1].tag) == (None, "Hangup")
    assert acknowledgement(door).delivery_status == "delivered"
    door.post(f"/receipts/voice/twilio/{entry.id}", ours(CallStatus="completed"))
    assert acknowledgement(door).delivery_status == "delivered"
    assert door.rows(attention) == []


def test_a_machine_is_told_nothing_and_a_person_calls(door, monkeypatch):
    entry = hang_up(door)
    relayed(door, monkeypatch)
    tree = document(door.post(f"{BASE}/answer/{entry.id}", ours(AnsweredBy="machine_end_beep")))
    door.post(f"/receipts/voice/twilio/{entry.id}", ours(CallStatus="completed"))

    assert [verb.tag for verb in tree] == ["Hangup"]
    (item,) = door.rows(attention)
    assert (item.reason, item.outbox_id) == ("undelivered", entry.id)


def test_a_mobile_gets_a_text(door):
    assert hang_up(door, MOBILE).channel == "sms"


def test_a_withheld_number_cannot_be_called(door):
    assert hang_up(door, "anonymous") is None


@pytest.mark.parametrize("hung_up", [False, True])
def test_who_still_listens_when_the_callback_came_first_is_not_called(door, monkeypatch, hung_up):
    monkeypatch.setattr(TwilioVoice, "parties", lambda *_: (LANDLINE, LINE))
    record = recorder(door)
    ended = {"CallSid": "CA" + "1" * 32, "RecordingSid": "RE1", "RecordingStatus": "completed"}
    assert door.post(record.get("recordingStatusCallback"), ended).status_code == 204
    assert acknowledgement(door).state == "due"

    door.post(record.get("action"), call(RecordingSid="RE1", Digits="hangup" if hung_up else "#"))
    assert acknowledgement(door).state == ("due" if hung_up else "done")
    assert relayed(door, monkeypatch) == ([LANDLINE] if hung_up else [])


def test_who_hears_the_code_on_the_line_is_not_called(door):
    door.post(recorder(door).get("action"), call(RecordingSid="RE1", Digits="#"))

    assert acknowledgement(door) is None
