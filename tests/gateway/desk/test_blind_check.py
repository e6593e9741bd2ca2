# SPDX-License-Identifier: MIT
"""A blind check at the desk: the text without the machine's choice, then a second look."""

import pytest
from sqlalchemy import select

from tracker import answers, blind_checks, learning
from tracker.learning import Suggestion
from tracker.models import attention as items
from tracker.models import cases, routing_labels
from tracker.models import transfers as transfers_table

PAGE = "/desk/attention"


@pytest.fixture
def asked(desk):
    """A case that the machine gave to eau and that a person shall check."""
    case = desk.case(description="Les médicaments manquent au dispensaire")
    with desk.house.engine.begin() as connection:
        learning.suggest(
            connection,
            case.id,
            Suggestion(case.description, "fr", [("eau", 0.9)], administration="eau"),
            now=desk.clock(),
        )
        answers.assign(
            connection, case, "eau", by="rules", reasons=["…"], now=desk.clock(), label=None
        )
        blind_checks.ask(connection, case.id, "eau", at=desk.clock())
    return desk, case


def item(desk):
    return desk.one(select(items).where(items.c.reason == "blind_check"))


def act(desk, browser, action, **form):
    return browser.post(f"{PAGE}/{item(desk).id}/{action}", form)


def labels(desk):
    return [
        (row.kind, row.label)
        for row in desk.rows(select(routing_labels).order_by(routing_labels.c.id))
    ]


def test_the_page_shows_the_words_and_not_the_machines_choice(asked):
    desk, case = asked
    page = desk.client("triage").text(PAGE)
    shown = page[page.index("<article") : page.index("</article>")]

    assert "Les médicaments manquent" in shown
    assert "Blind check" in shown
    assert str(case.id) not in shown
    assert case.tracking_code[:4] not in shown
    # Both administrations may be chosen; neither stands before the other but by name.
    assert shown.index("Ministère de la santé") < shown.index("Office de l&#39;eau")
    assert shown.count("Office de l&#39;eau") == 1
    assert shown.count(" selected") == shown.count('value="" selected')


def test_the_same_choice_takes_it_off_the_list(asked):
    desk, _ = asked
    assert act(desk, desk.client("triage"), "judge", administration="eau").status_code == 302

    assert labels(desk) == [("blind_check", "eau")]
    assert item(desk).action == "agreed"


@pytest.mark.parametrize("typed", ["", "nowhere", "person:whatever"])
def test_what_is_no_choice_is_told_and_kept_out(asked, typed):
    desk, _ = asked
    answer = act(desk, desk.client("triage"), "judge", administration=typed)

    assert answer.status_code == 422
    assert "Choose an administration" in answer.text
    assert labels(desk) == []


def test_another_choice_is_looked_at_again_and_then_corrects_the_machine(asked):
    desk, case = asked
    triage = desk.client("triage")
    act(desk, triage, "judge", administration="sante")
    page = triage.text(PAGE)
    assert "The machine chose" in page
    assert str(case.id) in page
    assert desk.one(select(cases.c.administration)).administration == "eau"

    assert act(desk, triage, "correct").status_code == 302
    assert desk.one(select(cases.c.administration)).administration == "sante"
    assert desk.rows(select(transfers_table)) == []
    assert labels(desk) == [("blind_check", "sante"), ("correction", "sante")]
    assert item(desk).action == "corrected"


def test_the_machine_may_be_right_after_all(asked):
    desk, _ = asked
    triage = desk.client("triage")
    act(desk, triage, "judge", administration="person:court")
    page = triage.text(PAGE)
    assert "a court must decide" in page
    assert "/correct" not in page

    act(desk, triage, "stand")
    assert labels(desk) == [("blind_check", "person:court"), ("confirmation", "eau")]
    assert item(desk).action == "stands"


def test_an_answered_case_is_not_handed_on(asked):
    desk, case = asked
    triage = desk.client("triage")
    act(desk, triage, "judge", administration="sante")
    with desk.house.engine.begin() as connection:
        fresh = connection.execute(select(cases).where(cases.c.id == case.id)).one()
        answers.answer_case(
            connection, fresh, "Oui.", author_name="A", administration="eau", now=desk.clock()
        )

    refused = act(desk, triage, "correct")
    assert refused.status_code == 422
    assert "settled or moved" in refused.text
    assert desk.one(select(cases.c.administration)).administration == "eau"


def test_it_cannot_be_corrected_before_it_was_judged(asked):
    desk, _ = asked
    assert act(desk, desk.client("triage"), "correct").status_code == 404
    assert act(desk, desk.client("agent"), "judge", administration="eau").status_code == 403


def test_the_page_is_right_to_left_in_arabic(asked):
    desk, _ = asked
    page = desk.client("triage", "ar").text(PAGE)
    assert 'dir="rtl"' in page
    assert "مراقبة دون اطلاع" in page
