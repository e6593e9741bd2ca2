# SPDX-License-Identifier: MIT
"""Calls of ours: each answer is told once, whatever the provider loses on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from channels.message import DeliveryStatus
from dispatcher.administration import Administration, store
from tracker import answers
from tracker.models import attention, messages, outbox

MOBILE, LANDLINE = "+212612345678", "+212537123456"

# --- A call that may have gone --------------------------------------------------------------------


def test_the_call_of_another_answer_is_not_taken_for_this_one(office):
    case = office.case()
    first = office.answer(case)
    office.drain()
    office.now += timedelta(hours=1)
    second = office.answer(case, "L'eau restera.")
    office.provider.answers = office.provider.places = False  # 500, and nothing was placed
    office.drain()
    assert office.entry(second).state == "unknown"
    office.provider.answers = True
    office.settle()

    assert office.entry(second).state == "due"
    office.now += timedelta(minutes=1)
    office.drain()
    told = [office.entry(entry).provider_id for entry in (first, second)]
    assert told == [call["sid"] for call in reversed(office.provider.calls)]
    assert len(set(told)) == 2


def test_the_second_try_after_a_busy_line_is_not_taken_for_the_first(office):
    first = office.answer(office.case())
    office.drain()
    office.call_back(first, office.entry(first).provider_id, "busy")
    office.now += timedelta(hours=1)
    office.provider.answers = office.provider.places = False
    office.drain()
    office.provider.answers = True
    office.settle()
    office.now += timedelta(minutes=1)
    office.drain()

    (again,) = [row for row in office.rows(outbox) if row.payload.get("call") == 2]
    assert (again.state, len(office.provider.calls)) == ("done", 2)
    assert again.provider_id == office.provider.calls[0]["sid"]


def test_a_call_of_somebody_else_before_the_attempt_is_not_taken_for_it(office):
    """No entry has it: another program calls by the same account."""
    case = office.case()
    office.provider.place(case.contact_value)
    office.now += timedelta(hours=1)
    entry = office.answer(case)
    office.provider.answers = office.provider.places = False
    office.drain()
    office.provider.answers = True
    office.settle()

    assert office.entry(entry).state == "due"


def test_a_call_that_went_without_its_answer_is_found_and_not_placed_again(office):
    entry = office.answer(office.case())
    office.provider.answers = False
    office.drain()
    office.settle()
    office.drain()

    (call,) = office.provider.calls
    assert office.entry(entry).provider_id == call["sid"]
    assert office.entry(entry).delivery_status == DeliveryStatus.QUEUED


def test_a_call_that_was_picked_up_is_its_own_entrys_whichever_is_settled_first(office):
    """Of two unconfirmed calls to one telephone the second alone went; its citizen is on it."""
    case = office.case()
    first, second = office.answer(case), office.answer(case, "L'eau restera.")
    office.provider.answers = office.provider.places = False
    office.drain()
    call = office.provider.place(case.contact_value)
    office.pick_up(second, call["sid"])
    office.settle()

    assert office.entry(first).state == "due"
    told = office.entry(second)
    assert (told.state, told.provider_id, told.delivery_status) == ("done", call["sid"], "queued")


@pytest.mark.parametrize("went", [True, False])
def test_at_night_the_provider_is_asked_before_a_call_waits_for_the_morning(office, went):
    entry = office.answer(office.case())
    office.provider.answers, office.provider.places = False, went
    office.drain()
    office.provider.answers = True
    office.dispatcher = replace(office.dispatcher, call_at=lambda at: at + timedelta(hours=12))
    office.settle()
    asked = [path for method, path in office.provider.asked if method == "GET"]

    assert [path.rsplit("/", 1)[-1] for path in asked] == ["Calls.json"]
    assert office.entry(entry).state == ("done" if went else "due")
    office.now += timedelta(minutes=1)
    office.drain()
    assert len(office.provider.calls) == went, "placed at night"


def test_an_answer_that_was_heard_is_never_called_for_again(office):
    """The provider's list was behind: it knew of no call that went all the same."""
    case = office.case()
    entry = office.answer(case)
    office.provider.answers = office.provider.places = False
    office.drain()
    office.settle()
    assert office.entry(entry).state == "due"
    office.press(entry, "CA1", office.pick_up(entry, "CA1"), case.tracking_code)
    office.provider.answers = True
    office.now += timedelta(hours=1)
    office.drain()

    assert office.provider.calls == []
    told = office.entry(entry)
    assert (told.state, told.delivery_status, told.provider_id) == ("done", "delivered", "CA1")
    (answer,) = [row for row in office.rows(messages) if row.author == "administration"]
    assert (answer.outbox_id, answer.delivery_status) == (entry.id, "delivered")


def test_a_busy_call_that_nobody_knew_of_is_called_again_once(office):
    entry = office.answer(office.case())
    office.provider.answers = office.provider.places = False
    office.drain()
    office.settle()
    office.call_back(entry, "CA1", "busy")
    office.provider.answers = True
    office.now += timedelta(hours=1)
    office.drain()

    assert len(office.provider.calls) == 1
    (again,) = [row for row in office.rows(outbox) if row.payload.get("call") == 2]
    assert (office.entry(entry).state, again.state) == ("done", "done")


# --- A long answer --------------------------------------------------------------------------------

LONG = "Une phrase assez longue pour remplir une partie. " * 40


def opened(office, caller):
    """A long answer of which the citizen hears the first part: entry, CallSid, what was said."""
    case = office.case(caller)
    entry = office.answer(case, LONG)
    office.drain()
    sid = office.entry(entry).provider_id
    return entry, sid, office.press(entry, sid, office.pick_up(entry, sid), case.tracking_code)


def test_a_long_answer_is_delivered_when_its_last_part_is_begun(office):
    entry, sid, tree = opened(office, MOBILE)
    for key in ("1", "", "5", "1"):
        assert office.entry(entry).delivery_status == "queued"
        tree = office.press(entry, sid, tree, key)
    while office.entry(entry).delivery_status == "queued":
        tree = office.press(entry, sid, tree, "1")
    office.call_back(entry, sid, "completed")

    assert office.press(entry, sid, tree, "1").find("Hangup") is not None
    assert office.entry(entry).delivery_status == "delivered"
    assert [row.kind for row in office.rows(outbox) if row.kind == "notify"] == []


@pytest.mark.parametrize(("caller", "texts", "items"), [(MOBILE, 1, 0), (LANDLINE, 0, 1)])
def test_a_long_answer_half_heard_is_not_delivered_and_nobody_is_called_for_ever(
    office, caller, texts, items
):
    entry, sid, tree = opened(office, caller)
    tree = office.press(entry, sid, tree, "1")
    for _ in range(3):
        tree = office.press(entry, sid, tree, "")
    assert tree.find("Hangup") is not None
    office.call_back(entry, sid, "completed")
    office.now += timedelta(hours=1)
    office.drain()

    assert office.entry(entry).delivery_status == "failed"
    assert len(office.provider.calls) == 1
    assert (len(office.provider.texts), len(office.rows(attention))) == (texts, items)
    (answer,) = [row for row in office.rows(messages) if row.author == "administration"]
    assert answer.delivery_detail == "answered, and 2 of 4 parts read"


# --- A landline -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("caller", "texts", "items"), [(MOBILE, 1, 0), (LANDLINE, 0, 1)])
def test_an_answer_that_a_landline_did_not_hear_comes_before_a_person(office, caller, texts, items):
    entry = office.answer(office.case(caller))
    office.drain()
    office.call_back(entry, office.entry(entry).provider_id, "completed")
    office.drain()

    assert (len(office.provider.texts), len(office.rows(attention))) == (texts, items)
    assert [row.outbox_id for row in office.rows(attention)] == [entry.id] * items


@pytest.mark.parametrize(("caller", "texts", "state"), [(MOBILE, 1, "done"), (LANDLINE, 0, "held")])
def test_a_landline_gets_no_texts_and_the_record_says_so(office, caller, texts, state):
    case = office.case(caller)
    with office.house.engine.begin() as connection:
        store(connection, [Administration("water", {"fr": "Eaux"})])
        answers.assign(connection, case, "water", by="t", reasons=["x"], now=office.now)
    office.drain()

    assert len(office.provider.texts) == texts
    (notice,) = [row for row in office.rows(outbox) if row.kind == "notify"]
    assert (notice.state, "landline" in notice.last_error) == (state, not texts)
    sent = [row for row in office.rows(messages) if row.author == "system"]
    assert len(sent) == texts
    assert office.rows(attention) == []


# --- A callback that never came -------------------------------------------------------------------


def called(office, word):
    """An entry whose call ended so, and nobody told us; the provider may be asked by now."""
    entry = office.answer(office.case())
    office.drain()
    office.provider.calls[0]["status"] = word
    office.now += timedelta(minutes=16)
    return entry


def test_a_busy_line_of_which_no_callback_told_is_called_again(office):
    entry = called(office, "busy")
    office.ask_after_calls()
    office.ask_after_calls()

    assert office.entry(entry).delivery_status == DeliveryStatus.DEFERRED
    (again,) = [row for row in office.rows(outbox) if row.payload.get("call") == 2]
    assert again.not_before == office.now + timedelta(minutes=30)


def test_an_unheard_call_of_which_no_callback_told_leads_to_a_text(office):
    entry = called(office, "completed")
    office.ask_after_calls()
    office.call_back(entry, office.entry(entry).provider_id, "completed")  # late, and nothing more

    assert office.entry(entry).delivery_status == DeliveryStatus.FAILED
    assert [row.channel for row in office.rows(outbox) if row.kind == "notify"] == ["sms"]


@pytest.mark.parametrize("word", ["queued", "ringing", "in-progress"])
def test_a_call_that_still_lasts_is_left_alone_for_a_day(office, word):
    entry = called(office, word)
    assert office.ask_after_calls() == 0
    assert office.entry(entry).delivery_status == DeliveryStatus.QUEUED
    office.now += timedelta(days=1)
    office.ask_after_calls()

    assert office.entry(entry).delivery_status == DeliveryStatus.FAILED
    assert [row.channel for row in office.rows(outbox) if row.kind == "notify"] == ["sms"]


def test_a_provider_that_cannot_be_asked_is_asked_again_and_never_for_ever(office):
    entry = called(office, "busy")
    office.provider.reachable = False
    assert office.ask_after_calls() == 0
    office.now += timedelta(days=1)
    office.ask_after_calls()

    assert office.entry(entry).delivery_status == DeliveryStatus.FAILED


def test_a_call_that_the_provider_does_not_know_has_failed(office):
    entry = called(office, "completed")
    office.provider.calls.clear()
    office.ask_after_calls()

    assert office.entry(entry).delivery_status == DeliveryStatus.FAILED


def test_calls_whose_end_is_known_or_young_are_not_asked_after(office):
    case = office.case()
    heard = office.answer(case)
    office.drain()
    sid = office.entry(heard).provider_id
    office.press(heard, sid, office.pick_up(heard, sid), case.tracking_code)
    office.now += timedelta(minutes=16)
    young = office.answer(case)
    office.drain()
    office.provider.asked.clear()

    assert office.ask_after_calls() == 0
    assert office.provider.asked == []
    assert office.entry(heard).delivery_status == DeliveryStatus.DELIVERED
    assert office.entry(young).delivery_status == DeliveryStatus.QUEUED
