# SPDX-License-Identifier: MIT
"""Finding one administration among 2,000 at the desk, without a script."""

import html
import re

import pytest
from sqlalchemy import select

from gateway.desk.choosing import only_one
from tracker import answers, blind_checks, learning
from tracker.learning import Suggestion
from tracker.models import administrations, attention, cases, routing_labels

MANY = 2_000
NAMES = {"sante": "Ministère de la Santé", "fes": "Commune de Fès", "fes-2": "Commune de Fès 2"}


@pytest.fixture
def crowded(desk):
    """2,000 communes beside the administrations that are there."""
    rows = [
        {
            "slug": f"commune-{number:04}",
            "names": {"fr": f"Commune de Béni {number}", "ar": f"جماعة بني {number}"},
            "outlet": "desk",
        }
        for number in range(MANY)
    ]
    with desk.house.engine.begin() as connection:
        connection.execute(administrations.insert(), rows)
    return desk


def offered(page):
    """What the one list of a page offers."""
    return [html.unescape(one) for one in re.findall(r'<option value="([^"]+)">', page)]


def handed(desk, browser, case, typed):
    answer = browser.post(
        f"/desk/cases/{case.id}/assign", {"administration": typed, "reason": "de son ressort"}
    )
    row = desk.one(select(cases).where(cases.c.id == case.id))
    return answer.status_code, row.administration


def test_a_page_offers_2000_administrations_once_however_many_fields_it_has(crowded):
    case = crowded.case()
    page = crowded.client("triage").text(f"/desk/cases/{case.id}")

    assert "<script" not in page
    assert (page.count("<datalist"), page.count("(commune-0042)")) == (1, 1)
    fields = dict(re.findall(r'<input id="([^"]+)"[^>]*list="([^"]+)"', page))
    assert {"administration", "divide-1", "divide-2", "divide-3"} <= fields.keys()
    assert set(fields.values()) == {"administrations-on-record"}
    assert page.count('id="administrations-on-record"') == 1


def test_needs_a_person_offers_them_once_as_well(crowded):
    browser = crowded.client("triage")
    page = browser.text("/desk/attention")
    assert (page.count("<datalist"), page.count("(commune-0042)")) == (1, 1)


def test_few_administrations_stay_a_list(desk):
    case = desk.case()
    page = desk.client("triage").text(f"/desk/cases/{case.id}")
    assert "<datalist" not in page
    assert '<select id="administration"' in page


@pytest.mark.parametrize(
    ("language", "name"), [("fr", "commune de beni 42"), ("ar", "جماعه بني 42")]
)
def test_what_is_offered_a_slug_and_a_name_as_typed_hand_a_case_over(crowded, language, name):
    browser = crowded.client("triage", language)
    page = browser.text(f"/desk/cases/{crowded.case().id}")
    (from_the_list,) = [one for one in offered(page) if "(commune-0042)" in one]

    for typed in (from_the_list, "commune-0042", name):
        told = handed(crowded, browser, crowded.case(), typed)
        assert told == (302, "commune-0042"), typed


@pytest.mark.parametrize("typed", ["Béni", "no such thing", "", "(commune-9999)", "<b>(x)</b>"])
def test_what_fits_several_or_none_hands_nothing_over_and_is_shown_again(crowded, typed):
    browser, case = crowded.client("triage"), crowded.case()
    assert handed(crowded, browser, case, typed) == (422, None)
    answer = browser.post(
        f"/desk/cases/{case.id}/assign", {"administration": typed, "reason": "de son ressort"}
    )
    assert "<b>(x)" not in answer.text
    assert f'value="{html.escape(typed)}"' in answer.text


def test_the_only_one_with_these_words_in_its_name_is_meant():
    assert only_one("santé", NAMES) == only_one("  MINISTERE  de la sante ", NAMES) == "sante"
    assert only_one("Commune de Fès", NAMES) == "fes"  # another one begins so, none is called so
    assert only_one("commune", NAMES) == only_one("port", NAMES) == ""


def test_a_blind_check_may_say_that_it_is_nobodys_by_typing_too(crowded):
    case = crowded.case(description="Le juge a tort")
    with crowded.house.engine.begin() as connection:
        said = Suggestion(case.description, "fr", [("eau", 0.9)], administration="eau")
        learning.suggest(connection, case.id, said, now=crowded.clock())
        answers.assign(
            connection, case, "eau", by="rules", reasons=["…"], now=crowded.clock(), label=None
        )
        blind_checks.ask(connection, case.id, "eau", at=crowded.clock())
    browser = crowded.client("triage")
    page = browser.text("/desk/attention")
    (nobodys,) = [one for one in offered(page) if "(person:court)" in one]
    item = crowded.one(select(attention).where(attention.c.reason == "blind_check"))

    judged = browser.post(f"/desk/attention/{item.id}/judge", {"administration": nobodys})
    assert judged.status_code == 302
    (label,) = crowded.rows(select(routing_labels))
    assert (label.kind, label.label) == ("blind_check", "person:court")
