# SPDX-License-Identifier: MIT
"""The desk's page of figures: counts that the record bears out, and who may see whose."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from config.settings import Settings
from gateway.legal_clock import LegalClock, terms_of
from tracker import answers, blind_checks, figures, learning, trainings
from tracker.learning import Suggestion
from tracker.models import TrainingState, cases
from tracker.models import attention as items


def fetched(connection, case_id):
    """The row of a case."""
    return connection.execute(select(cases).where(cases.c.id == case_id)).one()


def sent(desk, slug, *, rule=""):
    """A case that the machine gave to an administration."""
    case = desk.case()
    with desk.house.engine.begin() as connection:
        suggestion = Suggestion(
            case.description, "fr", [(slug, 0.9)], model="m1", rule=rule, administration=slug
        )
        learning.suggest(connection, case.id, suggestion, now=desk.clock())
        answers.assign(
            connection,
            case,
            slug,
            by="rules",
            reasons=["…"],
            now=desk.clock(),
            source=figures.MACHINE,
            label=None,
        )
    return case


def people(desk, case, slug):
    """People hand a case to an administration."""
    desk.clock.turn(minutes=1)
    with desk.house.engine.begin() as connection:
        fresh = fetched(connection, case.id)
        answers.assign(connection, fresh, slug, by="t@x", reasons=["…"], now=desk.clock())


def checked(desk, case, label):
    with desk.house.engine.begin() as connection:
        fresh = fetched(connection, case.id)
        blind_checks.ask(connection, case.id, fresh.administration, at=desk.clock())
        row = connection.execute(items.select().where(items.c.case_id == case.id)).one()
        blind_checks.judge(connection, row, fresh, label, by="t@x", now=desk.clock())


def counted(desk, **kwargs):
    with desk.house.engine.begin() as connection:
        return figures.count(connection, since=desk.clock() - timedelta(days=30), **kwargs)


@pytest.fixture
def busy(desk):
    """Four cases: three sent by the machine (one of them moved on), one given by people."""
    first, second, moved = (sent(desk, "eau", rule="eau/0a1b2c3d") for _ in range(3))
    by_people = desk.case()
    people(desk, by_people, "sante")
    people(desk, moved, "sante")
    checked(desk, first, "eau")
    checked(desk, second, "sante")
    return desk, first


def test_counts_are_those_of_the_record(busy):
    desk, first = busy
    legal = LegalClock(
        desk.house.engine, terms_of(desk.house.country, Settings(profile="demo")), desk.clock
    )
    legal.round()
    desk.clock.turn(days=4)
    with desk.house.engine.begin() as connection:
        fresh = fetched(connection, first.id)
        answers.answer_case(
            connection, fresh, "Oui.", author_name="A", administration="eau", now=desk.clock()
        )
    desk.clock.turn(minutes=2)
    legal.round()

    found = counted(desk)
    eau, sante, total = found.administrations["eau"], found.administrations["sante"], found.total
    assert (eau.assigned, eau.stayed, eau.reassignments, eau.automatic) == (3, 2, 1, 3)
    assert (sante.assigned, sante.stayed, sante.automatic) == (1, 1, 0)
    assert (eau.checked, eau.agreed) == (2, 1)
    assert (total.assigned, total.stayed, total.checked) == (4, 3, 2)
    assert found.rules == {"eau/0a1b2c3d": (2, 1)}
    assert eau.median_days == pytest.approx(4, abs=0.01)
    assert sante.median_days is None
    assert set(counted(desk, administration="sante").administrations) == {"sante"}
    desk.clock.turn(days=40)
    assert counted(desk).total.assigned == 0


def test_the_page_tells_shares_with_counts_and_intervals(busy):
    desk, _ = busy
    page = desk.client("triage").text("/desk/figures").replace("\u2066", "").replace("\u2069", "")

    assert "75%" in page  # three of four stayed
    assert "1/2" in page
    assert "1%–99%" in page
    assert "eau/0a1b2c3d" in page


def test_each_sees_what_is_theirs(busy):
    desk, _ = busy
    with desk.house.engine.begin() as connection:
        begun = trainings.begin(connection, by="scheduler", now=desk.clock(), night="2026-11-24")
        trainings.end(
            connection,
            begun,
            TrainingState.NOT_PROMOTED,
            now=desk.clock(),
            detail="worse than the model in force",
            version="m2",
        )
    supervisor, auditor = desk.client("supervisor"), desk.client("auditor")

    assert desk.client("agent").get("/desk/figures").status_code == 403
    assert "/desk/figures" not in desk.client("agent").text("/desk/")
    own = supervisor.text("/desk/figures")
    assert "Ministère de la santé" in own
    assert "Office de l&#39;eau" not in own
    assert "worse than" not in own
    everything = auditor.text("/desk/figures?days=30")
    assert "Office de l&#39;eau" in everything
    assert "worse than the model in force" in everything
    assert "not put in force" in everything
    assert desk.client().get("/desk/figures").status_code == 302


def test_an_empty_record_makes_a_page_without_shares(desk):
    page = desk.client("operator").text("/desk/figures?days=7")
    assert "Figures" in page
    assert "0%" not in page
    assert "100%" not in page


def test_the_page_is_right_to_left_in_arabic_and_its_figures_keep_their_order(busy):
    desk, _ = busy
    page = desk.client("triage", "ar").text("/desk/figures")
    assert 'dir="rtl"' in page
    assert "صواب من أول مرة" in page
    assert "\u20661/2\u2069" in page
