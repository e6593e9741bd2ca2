# SPDX-License-Identifier: MIT
"""The door for calls: a complaint spoken, a status heard, an answer read; each hang-up kept."""

import sqlite3
import xml.etree.ElementTree as ET
from typing import Any
from uuid import UUID, uuid4

import pytest

from channels.voice.twilio import TwilioVoice
from tracker import answers, missed_calls
from tracker.models import attachments, attention, cases, deliveries, messages, outbox
from tracker.register import find_case

BASE = "/inbound/voice/twilio"
CALLER = "+212612345678"
LINE = "+212537000000"


def call(**more):
    return {
        "CallSid": "CA" + "1" * 32,
        "From": CALLER,
        "To": LINE,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "FromCity": "",
    } | more


def document(answer):
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/xml"
    return ET.fromstring(answer.text)  # noqa: S314 - our own document


def press(door, tree, digits, **more):
    """Press keys: what the next webhook brings."""
    return document(door.post(tree.find("Gather").get("action"), call(Digits=digits, **more)))


def words(tree):
    return " ".join(tree.itertext())


def recorder(door):
    """Call, choose French, file: the ``<Record>`` that waits."""
    tree = press(door, press(door, document(door.post(BASE, call())), "2"), "1")
    return tree.find("Record")


def recorded(sid="RE1", **more):
    return call(**{"RecordingSid": sid, "RecordingDuration": "42", "Digits": "#"} | more)


def a_case(door):
    door.post(recorder(door).get("action"), recorded(f"RE{uuid4().hex}"))
    return door.rows(cases)[-1]


def row_of(connection, case) -> Any:
    """The case as it stands now."""
    return find_case(connection, case.tracking_code)


def test_a_complaint_is_recorded_and_its_code_spoken(door):
    tree = document(door.post(recorder(door).get("action"), recorded()))

    (case,) = door.rows(cases)
    (file,) = door.rows(attachments)
    assert (case.channel, case.language, case.contact_value) == ("voice", "fr", CALLER)
    assert (file.fetch_url, file.transcript_state) == ("twilio-recording:RE1", "awaiting")
    said = words(tree)
    assert said.count(", ".join(case.tracking_code[:4])) >= 2
    assert said.count(", ".join(case.pin[:3])) >= 2
    assert tree[-1].tag == "Hangup"


def test_a_repeated_action_gets_the_same_words(door):
    action = recorder(door).get("action")
    first, second = (door.post(action, recorded()).text for _ in range(2))

    assert first == second
    assert len(door.rows(cases)) == 1


def test_action_first_then_callback_is_one_case(door):
    record = recorder(door)
    door.post(record.get("action"), recorded(Digits="hangup"))
    answer = door.post(
        record.get("recordingStatusCallback"),
        {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "completed"},
    )

    assert answer.status_code == 204
    assert len(door.rows(cases)) == len(door.rows(deliveries)) == 1


def test_callback_first_asks_the_provider_who_called(door, monkeypatch):
    monkeypatch.setattr(TwilioVoice, "parties", lambda *_: (CALLER, LINE))
    record = recorder(door)
    answer = door.post(
        record.get("recordingStatusCallback"),
        {"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "completed"},
    )
    tree = document(door.post(record.get("action"), recorded()))

    assert answer.status_code == 204
    (case,) = door.rows(cases)
    assert (case.contact_value, case.language) == (CALLER, "fr")
    assert ", ".join(case.tracking_code[:4]) in words(tree)
    assert CALLER.strip("+") not in record.get("recordingStatusCallback")


def test_callback_first_without_the_provider_is_not_filed_half(door):
    answer = door.post(
        recorder(door).get("recordingStatusCallback"), {"CallSid": "CA1", "RecordingSid": "RE1"}
    )

    assert answer.status_code == 503
    assert door.rows(deliveries) == []


@pytest.mark.parametrize("number", ["anonymous", "+266696687", ""])
def test_a_withheld_number_is_filed_all_the_same(door, number):
    door.post(recorder(door).get("action"), recorded(From=number))

    (case,) = door.rows(cases)
    assert case.contact_value == ""


def test_a_hang_up_before_the_recording_is_a_missed_call(door):
    recorder(door)
    ended = call(CallStatus="completed")
    codes = [door.post(f"{BASE}/status", ended).status_code for _ in range(2)]

    assert codes == [204, 204]
    assert door.rows(cases) == []
    (delivery,) = door.rows(deliveries)
    assert (delivery.outcome, delivery.idempotency_key) == (
        "missed_call",
        f"voice:{ended['CallSid']}:missed",
    )


@pytest.mark.parametrize("late", [1, 2])
def test_a_recording_told_after_the_end_of_its_call_takes_the_missed_call_back(door, late):
    record = recorder(door)
    for number in (1, 2):
        sid = "CA" + str(number) * 32
        door.post(f"{BASE}/status", call(CallSid=sid, CallStatus="completed"))
    of_late = call(CallSid="CA" + str(late) * 32, RecordingSid="RE1", Digits="hangup")
    door.post(record.get("action"), of_late)

    assert len(door.rows(cases)) == 1
    (item,) = door.rows(attention)
    (other,) = [row for row in door.rows(deliveries) if f"{3 - late}:missed" in row.idempotency_key]
    assert (item.resolved_at, item.delivery_id) == (None, other.id)
    assert missed_calls.calls(item.data) == 1

    last = call(CallSid="CA" + str(3 - late) * 32, RecordingSid="RE2", Digits="hangup")
    door.post(record.get("action"), last)
    (item,) = door.rows(attention)
    assert item.resolved_at is not None


def test_a_call_that_left_a_recording_is_not_missed(door):
    a_case(door)
    door.post(f"{BASE}/status", call(CallStatus="completed"))

    assert len(door.rows(deliveries)) == 1


def test_a_status_tells_no_words(door):
    case = a_case(door)
    tree = press(door, press(door, document(door.post(BASE, call())), "3"), "2")
    said = words(press(door, tree, case.tracking_code))

    assert "Administration" in said
    assert case.pin not in said.replace(", ", "")
    assert tree.find("Gather").get("numDigits") == "12"
    door.post(f"{BASE}/status", call(CallStatus="completed"))
    assert len(door.rows(deliveries)) == 1  # heard, so not missed


def test_a_day_to_wait_for_is_told_only_while_an_answer_is_due(door):
    case = a_case(door)

    def status() -> str:
        tree = press(door, press(door, document(door.post(BASE, call())), "3"), "2")
        return str(words(press(door, tree, case.tracking_code)))

    assert "is expected by" in status()
    with door.house.engine.begin() as connection:
        answers.answer_case(
            connection,
            row_of(connection, case),
            "The water is back.",
            author_name="A",
            administration=None,
            now=door.house.clock(),
        )
    assert "is expected by" not in status()


def test_an_unknown_code_is_told_three_times_and_then_the_caller_is_throttled(door):
    tree: Any = None
    for _ in range(4):
        tree = press(door, press(door, document(door.post(BASE, call())), "3"), "2")
        for _ in range(3):
            gather = tree.find("Gather")
            if gather is None:
                break
            tree = press(door, tree, "482109375512")
        assert tree[-1].tag == "Hangup"

    assert "too many tries" in words(tree)


def test_an_answer_is_read_to_whoever_keys_the_code_on_our_call(door):
    case = a_case(door)
    with door.house.engine.begin() as connection:
        answers.answer_case(
            connection,
            row_of(connection, case),
            "L'eau est revenue.",
            author_name="A",
            administration=None,
            now=door.house.clock(),
        )
    entry = next(row for row in door.rows(outbox) if row.kind == "reply")
    ours = {"Direction": "outbound-api", "From": LINE, "To": CALLER}
    tree = document(door.post(f"{BASE}/answer/{entry.id}", call(**ours)))
    wrong = press(door, tree, "111111111111", **ours)
    right = press(door, wrong, case.tracking_code, **ours)

    assert "L'eau" not in words(tree) + words(wrong)
    assert "L'eau est revenue." in words(right)
    assert "L'eau est revenue." in words(press(door, right, "0", **ours))
    ended = call(**ours, CallStatus="completed")
    assert door.post(f"/receipts/voice/twilio/{entry.id}", ended).status_code == 204
    status = {row.id: row.delivery_status for row in door.rows(outbox)}
    assert status[entry.id] == "delivered"


@pytest.mark.parametrize(
    ("text", "tag", "voice"),
    [
        ("تم إصلاح القناة وعاد الماء إلى الحي.", "ar", "arb"),
        ("الما رجع للحومة ديالكم البارح.", "ary", "arb"),
        ("La conduite est réparée.", "fr", "fr-FR"),
    ],
)
def test_an_answer_bears_the_tag_of_its_words_and_is_read_by_a_voice_of_them(
    door, text, tag, voice
):
    case = a_case(door)
    with door.house.engine.begin() as connection:
        row, now = row_of(connection, case), door.house.clock()
        answers.answer_case(connection, row, text, author_name="A", administration=None, now=now)
    assert [row.language for row in door.rows(messages) if row.direction == "outbound"] == [tag]
    entry = next(row for row in door.rows(outbox) if row.kind == "reply")
    ours = {"Direction": "outbound-api", "From": LINE, "To": CALLER}
    asked = document(door.post(f"{BASE}/answer/{entry.id}", call(**ours)))
    read = press(door, asked, case.tracking_code, **ours)
    assert {say.get("language") for say in read.iter("Say") if say.text == text} == {voice}


@pytest.mark.parametrize("word", ["canceled", "failed", "completed"])
def test_a_call_that_nobody_heard_has_failed(door, word):
    case = a_case(door)
    with door.house.engine.begin() as connection:
        row = row_of(connection, case)
        now = door.house.clock()
        answers.answer_case(connection, row, "x", author_name="A", administration=None, now=now)
    entry = next(row for row in door.rows(outbox) if row.kind == "reply")
    door.post(f"/receipts/voice/twilio/{entry.id}", call(CallStatus=word))

    status = {row.id: row.delivery_status for row in door.rows(outbox)}
    assert status[entry.id] == "failed"


def test_a_locked_database_is_told_to_the_caller_and_nothing_is_half_filed(door, tmp_path):
    action = recorder(door).get("action")
    lock = sqlite3.connect(tmp_path / "guichet.sqlite3", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    answer = door.post(action, recorded())
    lock.execute("ROLLBACK")
    lock.close()

    assert answer.status_code == 503
    assert "Nous sommes désolés" in answer.text
    assert "Retry-After" in answer.headers
    assert document(door.post(action, recorded()))[-1].tag == "Hangup"
    assert len(door.rows(cases)) == 1


@pytest.mark.parametrize(
    "path",
    [BASE, f"{BASE}/menu", f"{BASE}/recording", f"{BASE}/status", f"{BASE}/answer/{UUID(int=1)}"],
)
def test_an_unsigned_call_is_refused(door, path):
    assert door.post(path, call(), signature="wrong").status_code == 403


@pytest.mark.parametrize("path", [f"{BASE}/menu", f"{BASE}/menu?at=forged", f"{BASE}/unheard-of"])
def test_a_place_that_we_did_not_sign_begins_anew(door, path):
    assert document(door.post(path, call(Digits="1"))).find("Gather").get("numDigits") == "1"


def test_a_place_holds_for_its_own_step_only(door):
    gather = document(door.post(BASE, call())).find("Gather")
    moved = gather.get("action").replace("/language?", "/menu?")

    assert len(document(door.post(moved, call(Digits="2"))).findall("Gather/Say")) == 5


def test_an_answer_call_for_an_unknown_entry_is_told_kindly(door):
    answer = door.post(f"{BASE}/answer/{uuid4()}", call())

    assert document(answer)[-1].tag == "Hangup"


def test_a_database_that_cannot_be_read_is_told_kindly_too(door):
    tree = press(door, press(door, document(door.post(BASE, call())), "3"), "2")
    with door.house.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE throttle RENAME TO elsewhere")
    asked = door.post(tree.find("Gather").get("action"), call(Digits="482109375512"))
    ended = door.post(f"{BASE}/status", call(CallStatus="completed"))

    assert (asked.status_code, ended.status_code) == (503, 503)
    assert "We are sorry" in asked.text


def test_a_status_without_a_call_is_kept_for_a_person(door):
    answer = door.post(f"{BASE}/status", {"CallStatus": "completed"})

    assert answer.status_code == 204
    assert door.rows(deliveries)[0].state == "quarantined"
