# SPDX-License-Identifier: MIT
"""Calls of ours: each answer is told once, whatever the provider loses on the way."""

from datetime import timedelta

from channels.message import DeliveryStatus
from tracker.models import outbox

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
    assert office.entry(entry).delivery_status == DeliveryStatus.SENT
