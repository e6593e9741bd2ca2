# SPDX-License-Identifier: MIT
"""The desk's page of deadlines: what is due soon and overdue, to whom it belongs."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from config.settings import Settings
from gateway.legal_clock import LegalClock, terms_of
from normalizer.tracking_code import display
from tracker import answers
from tracker.models import administrations, cases


@pytest.fixture
def legal(desk):
    terms = terms_of(desk.house.country, Settings(profile="demo"))
    with desk.house.engine.begin() as connection:
        connection.execute(
            administrations.update().where(administrations.c.slug == "eau").values(parent="sante")
        )
    return LegalClock(desk.house.engine, terms, desk.clock)


def opened(desk, slug, days):
    """A case of an administration whose answer is due in so many days."""
    now = desk.clock()
    due = now + timedelta(days=days)
    case = desk.case(expected_datetime=due, forward_by=now + timedelta(days=90))
    with desk.house.engine.begin() as connection:
        answers.assign(connection, case, slug, by="triage", reasons=["…"], now=now)
    return desk.one(select(cases).where(cases.c.id == case.id))


def code(case):
    return display(case.tracking_code)


def test_overdue_and_soon_stand_apart_and_each_sees_their_own(desk, legal):
    late, soon, far = (code(opened(desk, "sante", days)) for days in (3, 12, 200))
    other = code(opened(desk, "eau", 4))
    legal.round()
    desk.clock.turn(days=8)
    legal.round()
    agent, triage = desk.client("agent"), desk.client("triage")

    overdue, upcoming = agent.text("/desk/deadlines"), agent.text("/desk/deadlines?show=soon")
    assert late in overdue
    assert late not in upcoming
    assert soon in upcoming
    assert soon not in overdue
    assert far not in overdue + upcoming
    assert other not in overdue + upcoming
    assert "Reasoned answer" in overdue
    assert all(one in triage.text("/desk/deadlines") for one in (late, other))


def test_what_was_escalated_is_seen_above_without_a_way_into_the_case(desk, legal):
    other = code(opened(desk, "eau", 1))
    legal.round()
    desk.clock.turn(days=9)
    legal.round()
    page = desk.client("agent").text("/desk/deadlines")

    assert other in page
    assert "Told to" in page
    assert "/desk/cases/" not in page


def test_what_is_answered_is_on_neither_list(desk, legal):
    case = opened(desk, "sante", 3)
    legal.round()
    with desk.house.engine.begin() as connection:
        answers.answer_case(
            connection, case, "Oui.", author_name="A", administration="sante", now=desk.clock()
        )
    desk.clock.turn(days=8)
    legal.round()

    assert code(case) not in desk.client("triage").text("/desk/deadlines")


def test_the_page_is_right_to_left_in_arabic_with_its_codes_isolated(desk, legal):
    case = opened(desk, "sante", 3)
    legal.round()
    desk.clock.turn(days=5)
    page = desk.client("agent", "ar").text("/desk/deadlines")

    assert 'dir="rtl"' in page
    assert "جواب معلل" in page
    assert re.search(rf'<bdi[^>]*dir="ltr"[^>]*>{code(case)}</bdi>', page)


def test_many_deadlines_come_in_pages(desk, legal):
    for _ in range(27):
        opened(desk, "sante", 2)
    legal.round()
    desk.clock.turn(days=6)
    first, second = (
        desk.client("agent").text(f"/desk/deadlines?page={number}") for number in (1, 2)
    )

    assert first.count("<bdi") > second.count("<bdi")
    assert "27 deadlines" in first.replace("\u2068", "").replace("\u2069", "")
    assert desk.client().get("/desk/deadlines").status_code == 302


def test_the_timeline_of_a_case_tells_the_steps(desk, legal):
    case = opened(desk, "sante", 2)
    legal.round()
    desk.clock.turn(days=5)
    legal.round()
    page = desk.client("agent").text(f"/desk/cases/{case.id}")

    assert "Deadline passed" in page
