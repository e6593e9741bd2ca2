# SPDX-License-Identifier: MIT
"""What people decide at the desk: who may give up, divide, link, send elsewhere."""

import itertools
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from normalizer.tracking_code import display
from tracker import attention, register, users
from tracker.models import (
    AttentionReason,
    Role,
    attachments,
    case_links,
    cases,
    messages,
    outbox,
    transfers,
)

EVERYBODY = ("agent", "supervisor", "triage", "operator", "auditor", "above")
SEE_ALL = ("triage", "operator", "auditor", "above")


@pytest.fixture(autouse=True)
def person_above(desk):
    """A supervisor of no administration: above all of them."""
    with desk.house.engine.begin() as connection:
        users.add(
            connection,
            email="above@example.org",
            password_hash=desk.passwords.hash("a long enough pass phrase"),
            role=Role.SUPERVISOR,
            administration=None,
            now=desk.clock(),
        )


def now_of(desk, case):
    return desk.one(select(cases).where(cases.c.id == case.id))


def waiting(desk, case, **more):
    """Put a case on the list *Needs a person*."""
    with desk.house.engine.begin() as connection:
        return attention.open_item(
            connection,
            AttentionReason.UNROUTED,
            "no rule matches these words",
            at=desk.clock(),
            case_id=case.id,
            **more,
        )


def given_up(desk, browser, case, reason="Pas de notre ressort", slug=""):
    return browser.post(
        f"/desk/cases/{case.id}/give-up", {"reason": reason, "administration": slug}
    )


@pytest.mark.parametrize(
    ("who", "deed"),
    list(itertools.product(EVERYBODY, ("give-up", "divide", "elsewhere", "link"))),
)
def test_the_matrix_of_roles(desk, who, deed):
    own = {"administration": "sante", "status": "referred"}
    case = desk.case(**(own if deed in ("give-up", "link") else {}))
    other = desk.case(**own)
    form = {
        "give-up": {"reason": "non"},
        "divide": {"administrations": ["sante", "eau"], "reason": "les deux"},
        "elsewhere": {"kind": "court"},
        "link": {"other": str(other.id), "state": "linked", "score": "0.7"},
    }[deed]
    may = {
        "give-up": ("agent", "supervisor"),
        "divide": ("triage", "operator", "above"),
        "elsewhere": ("triage", "operator", "above"),
        "link": tuple(one for one in EVERYBODY if one != "auditor"),
    }[deed]
    hidden = deed in ("divide", "elsewhere") and who not in SEE_ALL

    answer = desk.client(who).post(f"/desk/cases/{case.id}/{deed}", form)

    assert answer.status_code == (404 if hidden else 302 if who in may else 403)


def test_what_an_agent_gives_up_goes_to_triage_with_the_reason_and_never_to_the_citizen(desk):
    case = desk.case(administration="sante", status="referred")
    agent, triage = desk.client("agent"), desk.client("triage")

    assert given_up(desk, agent, case, "").status_code == 422
    assert given_up(desk, agent, case, "C'est de l'eau", "eau").status_code == 302

    assert "The case is given up" in agent.text("/desk/")
    assert agent.get(f"/desk/cases/{case.id}").status_code == 404
    assert desk.rows(select(outbox)) == []
    listed = triage.text("/desk/attention")
    for words in ("Given up by an administration", "C&#39;est de l&#39;eau", "Office de l&#39;eau"):
        assert words in listed
    page = triage.text(f"/desk/cases/{case.id}")
    assert "Proposed:" in page
    token = {"administration": "eau", "reason": "C'est de l'eau"}
    assert triage.post(f"/desk/cases/{case.id}/assign", token).status_code == 302
    told = desk.one(select(outbox).where(outbox.c.kind == "notify"))
    assert told.payload == {"notice": "transferred", "administration": "eau"}
    assert now_of(desk, case).expected_datetime == case.expected_datetime


def test_a_third_transfer_is_decided_by_a_person_above_alone(desk):
    case = desk.case(administration="sante", status="referred")
    triage, above = desk.client("triage"), desk.client("above")
    for slug in ("eau", "sante"):
        form = {"administration": slug, "reason": "à eux"}
        assert triage.post(f"/desk/cases/{case.id}/assign", form).status_code == 302
    assert now_of(desk, case).administration == "sante"

    form = {"administration": "eau", "reason": "encore"}
    supervisor = desk.client("supervisor")
    assert supervisor.post(f"/desk/cases/{case.id}/assign", form).status_code == 302
    assert "a supervisor will decide" in supervisor.text("/desk/")
    assert (now_of(desk, case).status, now_of(desk, case).administration) == ("triage", None)

    refused = triage.post(f"/desk/cases/{case.id}/assign", form)
    assert refused.status_code == 422
    assert "Only a supervisor above the administrations" in refused.text
    listed = triage.text("/desk/attention")
    assert "Third transfer" in listed
    assert not re.search(r"/desk/attention/[0-9a-f-]+/", listed)
    assert re.search(r"/desk/attention/[0-9a-f-]+/assign", above.text("/desk/attention"))
    assert above.post(f"/desk/cases/{case.id}/assign", form).status_code == 302
    assert now_of(desk, case).administration == "eau"
    rows = desk.rows(select(transfers).order_by(transfers.c.number))
    assert [(row.from_administration, row.to_administration) for row in rows] == [
        ("sante", "eau"),
        ("eau", "sante"),
        ("sante", "eau"),
    ]
    page = above.text(f"/desk/cases/{case.id}")
    assert page.count("<q dir=") == 3


def test_the_status_form_is_no_way_back_to_the_citizen(desk):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")
    offered = re.findall(r'<option value="([a-z_]+)"', agent.text(f"/desk/cases/{case.id}"))

    for status in ("out_of_competence", "triage"):
        assert status not in offered
        answer = agent.post(f"/desk/cases/{case.id}/status", {"status": status})
        assert answer.status_code == 422
    assert now_of(desk, case).status == "referred"


def test_a_case_is_divided_and_each_administration_sees_its_part_and_the_citizens_words(desk):
    case = desk.case(status="triage")
    triage, agent = desk.client("triage"), desk.client("agent")
    few = {"administrations": ["sante", "", "sante"], "reason": "les deux"}
    assert triage.post(f"/desk/cases/{case.id}/divide", few).status_code == 422
    both = {"administrations": ["sante", "eau"], "reason": "les deux"}
    assert triage.post(f"/desk/cases/{case.id}/divide", both).status_code == 302

    parts = desk.rows(select(cases).where(cases.c.parent_case == case.id))
    own = next(part for part in parts if part.administration == "sante")
    theirs = next(part for part in parts if part.administration == "eau")
    parent = triage.text(f"/desk/cases/{case.id}")
    assert "Each administration" in parent
    page = agent.text(f"/desk/cases/{own.id}")
    assert "Pas d&#39;eau depuis lundi" in page
    assert display(case.tracking_code) in page
    assert "+212•••78" in page
    assert agent.get(f"/desk/cases/{theirs.id}").status_code == 404
    assert agent.get(f"/desk/cases/{case.id}").status_code == 404
    said = desk.one(select(messages.c.id).where(messages.c.case_id == case.id))
    form = {"text": "Nous venons.", "last": str(said.id)}
    assert agent.post(f"/desk/cases/{own.id}/reply", form).status_code == 302
    assert "Nous venons." in agent.text(f"/desk/cases/{own.id}")
    assert "Nous venons." in triage.text(f"/desk/cases/{case.id}")
    assert "Nous venons." not in triage.text(f"/desk/cases/{theirs.id}")
    assert (now_of(desk, own).status, now_of(desk, case).status) == ("answered", "in_progress")


def test_a_part_has_the_files_of_the_whole(desk):
    case = desk.case(status="triage")
    said = desk.one(select(messages.c.id).where(messages.c.case_id == case.id))
    with desk.house.engine.begin() as connection:
        file = {"filename": "a.jpg", "media_type": "image/jpeg", "content": b"picture"}
        register.add_attachments(connection, said.id, [file])
    file_id = desk.one(select(attachments.c.id)).id
    agent = desk.client("agent")
    assert agent.get(f"/desk/attachments/{file_id}").status_code == 404
    both = {"administrations": ["sante", "eau"], "reason": "les deux"}
    assert desk.client("triage").post(f"/desk/cases/{case.id}/divide", both).status_code == 302
    assert agent.get(f"/desk/attachments/{file_id}").data == b"picture"


def test_where_else_to_turn_is_shown_first_and_told_after_a_person_said_so(desk):
    case = desk.case(status="triage")
    waiting(desk, case)
    triage = desk.client("triage")

    assert f"/desk/cases/{case.id}/elsewhere" in triage.text("/desk/attention")
    preview = triage.text(f"/desk/cases/{case.id}/elsewhere?kind=court")
    assert "greffe du tribunal" in preview
    assert now_of(desk, case).status == "triage"
    assert desk.rows(select(outbox)) == []
    assert triage.get(f"/desk/cases/{case.id}/elsewhere?kind=moon").status_code == 400

    answer = triage.post(f"/desk/cases/{case.id}/elsewhere", {"kind": "court"})
    assert answer.status_code == 302
    assert now_of(desk, case).status == "out_of_competence"
    entry = desk.one(select(outbox))
    assert (entry.kind, entry.payload["notice"]) == ("notify", "elsewhere_court")
    assert "Nothing" in triage.text("/desk/attention")
    desk.clock.turn(minutes=1)
    again = triage.post(f"/desk/cases/{case.id}/elsewhere", {"kind": "none"})
    assert again.status_code == 302
    assert len(desk.rows(select(outbox))) == 1


def test_cases_that_look_alike_are_proposed_and_linked_by_a_person(desk):
    words = "La rue des Orangers est sans éclairage depuis le début du mois"
    case = desk.case(administration="sante", status="referred", description=words)
    like = desk.case(
        administration="sante", status="referred", description=f"Bonjour, {words.lower()} merci"
    )
    desk.case(administration="sante", status="referred", description="Le médecin est absent")
    desk.case(administration="eau", status="referred", description=words)
    late = desk.clock() - timedelta(days=60)
    desk.case(administration="sante", status="referred", description=words, requested_datetime=late)
    agent = desk.client("agent")

    page = agent.text(f"/desk/cases/{case.id}")
    assert re.findall(r'name="other" value="([^"]+)"', page) == [str(like.id)]
    form = {"other": str(like.id), "state": "linked", "score": "0.91"}
    assert agent.post(f"/desk/cases/{case.id}/link", form).status_code == 302
    for one, other in ((case, like), (like, case)):
        shown = agent.text(f"/desk/cases/{one.id}")
        assert "Linked with" in shown
        assert display(other.tracking_code) in shown
        assert 'name="other"' not in shown
    assert desk.one(select(case_links.c.state)).state == "linked"
    assert {now_of(desk, one).tracking_code for one in (case, like)} == {
        case.tracking_code,
        like.tracking_code,
    }


def test_a_case_of_somebody_elses_is_linked_with_nothing(desk):
    case = desk.case(administration="sante", status="referred")
    hidden = desk.case(administration="eau", status="referred")
    form = {"other": str(hidden.id), "state": "linked", "score": "1"}

    assert desk.client("agent").post(f"/desk/cases/{case.id}/link", form).status_code == 404
    assert desk.rows(select(case_links)) == []


def test_people_in_danger_stand_first(desk):
    waiting(desk, desk.case())
    desk.clock.turn(hours=1)
    waiting(desk, desk.case(description="au feu"), urgent=True)

    page = desk.client("triage").text("/desk/attention")

    names = [name.strip() for name in re.findall(r'<h2 id="item-[^>]+>([^<]+)', page)]
    assert names[0] == "Somebody may be in danger"
    assert len(names) == 2


def test_a_proposed_administration_is_one_click_away_on_the_case(desk):
    case = desk.case(status="triage")
    found = [{"administration": "eau", "reasons": ["“eau” is named", "like a decided case"]}]
    waiting(desk, case, data={"candidates": found})
    triage = desk.client("triage")

    page = triage.text(f"/desk/cases/{case.id}")
    for reason in found[0]["reasons"]:
        assert f"<li><bdi>{reason}</bdi></li>" in page.replace("\u2068", "").replace("\u2069", "")
    form = dict(
        re.findall(
            r'name="(administration|reason)" value="([^"]*)"',
            page[page.index("proposals-title") :],
        )[:2]
    )
    assert form["administration"] == "eau"
    assert triage.post(f"/desk/cases/{case.id}/assign", form).status_code == 302
    assert now_of(desk, case).administration == "eau"
