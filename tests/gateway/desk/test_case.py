# SPDX-License-Identifier: MIT
"""The list and the case: who sees which, and what is done to them."""

import itertools
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from normalizer.tracking_code import display
from tracker import register
from tracker.models import attachments, cases, decisions, messages, outbox

EVERYBODY = ("agent", "supervisor", "triage", "operator", "auditor")
LATER = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def replied(desk, case, browser, text="Nous réparons demain.", **form):
    last = desk.rows(
        select(messages.c.id).where(messages.c.case_id == case.id).order_by(messages.c.date)
    )[-1][0]
    return browser.post(f"/desk/cases/{case.id}/reply", {"text": text, "last": str(last), **form})


def test_an_agent_sees_only_the_own_administration(desk):
    own, other = desk.case(administration="sante"), desk.case(administration="eau")
    nobodys = desk.case()
    agent, triage = desk.client("agent"), desk.client("triage")

    listed, all_listed = agent.text("/desk/?status=all"), triage.text("/desk/?status=all")

    for case, visible in ((own, True), (other, False), (nobodys, False)):
        assert (display(case.tracking_code) in listed) is visible
        assert display(case.tracking_code) in all_listed
        assert agent.get(f"/desk/cases/{case.id}").status_code == (200 if visible else 404)
        assert triage.get(f"/desk/cases/{case.id}").status_code == 200


@pytest.mark.parametrize(
    ("who", "deed"),
    list(itertools.product(EVERYBODY, ("reply", "note", "status", "assign"))),
)
def test_the_matrix_of_roles(desk, who, deed):
    case = desk.case(administration="sante", status="referred")
    other = desk.case(administration="eau", status="referred")
    form = {
        "reply": {"text": "Bonjour"},
        "note": {"text": "À voir"},
        "status": {"status": "in_progress"},
        "assign": {"administration": "eau", "reason": "eau potable"},
    }[deed]
    may = who != "auditor" and not (who == "agent" and deed == "assign")
    sees_all = who in ("triage", "operator", "auditor")
    browser = desk.client(who)

    own_answer = (
        replied(desk, case, browser)
        if deed == "reply"
        else browser.post(f"/desk/cases/{case.id}/{deed}", form)
    )
    other_answer = browser.post(f"/desk/cases/{other.id}/{deed}", form)
    page = browser.get(f"/desk/cases/{other.id}" if sees_all else f"/desk/cases/{case.id}")

    assert own_answer.status_code == (302 if may else 403)
    if not sees_all:
        assert other_answer.status_code == 404
    elif not may:
        assert other_answer.status_code == 403
    if page.status_code == 200:
        assert (f'/{deed}"' in page.text) is may


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_triage_and_operator_see_what_needs_a_person(desk, who):
    browser = desk.client(who)

    allowed = who in ("triage", "operator")

    assert browser.get("/desk/attention").status_code == (200 if allowed else 403)
    assert ("/desk/attention" in browser.text("/desk/")) is allowed


def test_a_reply_becomes_a_message_and_leaves_by_the_persons_channel(desk):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")
    page = agent.text(f"/desk/cases/{case.id}")
    assert "SMS" in page
    assert "+212•••78" in page
    assert "+212612345678" not in page

    assert replied(desk, case, agent).status_code == 302

    sent = desk.one(select(messages).where(messages.c.direction == "outbound"))
    entry = desk.one(select(outbox).where(outbox.c.kind == "reply"))
    now = desk.one(select(cases).where(cases.c.id == case.id))
    assert (sent.author, sent.author_name, sent.sender) == (
        "administration",
        "agent@example.org",
        "sante",
    )
    assert (entry.channel, entry.recipient, entry.message_id) == ("sms", "+212612345678", sent.id)
    assert now.status == "answered"
    shown = agent.text(f"/desk/cases/{case.id}")
    assert "The reply is on its way." in shown
    assert "Nous réparons demain." in shown
    assert "Waiting to be sent" in shown


def test_files_go_along_with_a_reply_by_mail_only(desk):
    by_mail = desk.case(
        administration="sante",
        status="referred",
        channel="email",
        contact_scheme="mailto",
        contact_value="amina@mail.example",
    )
    by_text = desk.case(administration="sante", status="referred")
    desk.house.settings.relay.max_attachment_bytes = 2_000_000
    agent = desk.client("agent")
    assert 'type="file"' in agent.text(f"/desk/cases/{by_mail.id}")
    assert 'type="file"' not in agent.text(f"/desk/cases/{by_text.id}")

    def files(*sizes):
        return [(BytesIO(b"x" * size), f"../plan {n}.pdf") for n, size in enumerate(sizes)]

    too_big = replied(desk, by_mail, agent, files=files(1_000_001, 1_000_001))
    too_many = replied(desk, by_mail, agent, files=files(*[1] * 6))
    no_mail = replied(desk, by_text, agent, files=files(10))
    assert [one.status_code for one in (too_big, too_many, no_mail)] == [422] * 3
    assert "may have \u20682\u2069 MB" in too_big.text or "2 MB" in too_big.text
    assert "Nous réparons demain." in too_big.text, "the words are kept"
    assert "Files can only go along by mail." in no_mail.text
    assert desk.rows(select(outbox)) == []

    assert replied(desk, by_mail, agent, files=files(10, 20)).status_code == 302
    kept = desk.rows(select(attachments).order_by(attachments.c.position))
    assert [(row.filename, row.media_type, row.size) for row in kept] == [
        ("plan 0.pdf", "application/pdf", 10),
        ("plan 1.pdf", "application/pdf", 20),
    ]
    assert "plan 1.pdf" in agent.text(f"/desk/cases/{by_mail.id}")


def test_a_question_waits_for_the_citizen_and_an_answer_may_close(desk):
    asked = desk.case(administration="sante", status="referred")
    closed = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")

    replied(desk, asked, agent, "Quelle rue ?", then="waiting")
    replied(desk, closed, agent, then="closed")

    states = {row.id: row.status for row in desk.rows(select(cases))}
    assert (states[asked.id], states[closed.id]) == ("waiting_for_citizen", "closed")


def test_a_second_click_sends_nothing_and_keeps_the_text(desk):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")
    first = desk.one(select(messages.c.id).where(messages.c.case_id == case.id))[0]
    form = {"text": "Une seule fois", "last": str(first)}

    agent.post(f"/desk/cases/{case.id}/reply", form)
    desk.clock.turn(seconds=1)
    again = agent.post(f"/desk/cases/{case.id}/reply", form)

    assert again.status_code == 409
    assert "Somebody has written here meanwhile" in again.text
    assert "Une seule fois</textarea>" in again.text
    assert len(desk.rows(select(outbox))) == 1


def test_a_note_stays_in_the_house(desk):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")

    agent.post(f"/desk/cases/{case.id}/note", {"text": "Appeler le technicien"})

    note = desk.one(select(messages).where(messages.c.direction == "internal"))
    assert note.text == "Appeler le technicien"
    assert desk.rows(select(outbox)) == []
    assert "the citizen never sees it" in agent.text(f"/desk/cases/{case.id}")


def test_only_allowed_moves_are_offered_and_taken(desk):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")
    page = agent.text(f"/desk/cases/{case.id}")

    refused = agent.post(f"/desk/cases/{case.id}/status", {"status": "closed"})
    nonsense = agent.post(f"/desk/cases/{case.id}/status", {"status": "<b>"})
    taken = agent.post(f"/desk/cases/{case.id}/status", {"status": "in_progress"})

    assert 'value="in_progress"' in page
    assert 'value="received"' not in page
    assert (refused.status_code, nonsense.status_code, taken.status_code) == (409, 422, 302)
    entry = desk.one(select(outbox))
    assert (entry.kind, entry.payload["status"]) == ("notify", "in_progress")


def test_handing_over_keeps_the_clock_and_takes_the_case_away(desk):
    case = desk.case(administration="sante", status="referred")
    supervisor = desk.client("supervisor")
    url = f"/desk/cases/{case.id}/assign"

    assert supervisor.post(url, {"administration": "eau"}).status_code == 422
    assert supervisor.post(url, {"administration": "x", "reason": "y"}).status_code == 422
    done = supervisor.post(url, {"administration": "eau", "reason": "réseau d'eau"})

    now = desk.one(select(cases).where(cases.c.id == case.id))
    decision = desk.one(select(decisions))
    assert done.location == "/desk/"
    assert (now.administration, now.expected_datetime) == ("eau", case.expected_datetime)
    assert (decision.decided_by, decision.reasons) == ("supervisor@example.org", ["réseau d'eau"])
    assert supervisor.get(f"/desk/cases/{case.id}").status_code == 404
    refer = desk.one(select(outbox).where(outbox.c.kind == "refer"))
    assert (refer.recipient, refer.channel) == ("eau", "desk")


def test_a_case_is_found_by_its_code_in_any_digits(desk):
    case = desk.case(administration="sante")
    other = desk.case(administration="eau")
    agent = desk.client("agent")
    code = case.tracking_code
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)

    for typed in (code, display(code), display(code).translate(LATER), f" {code} "):
        found = agent.post("/desk/search", {"code": typed})
        assert found.location == f"/desk/cases/{case.id}"
    foreign = agent.post("/desk/search", {"code": other.tracking_code})
    missing = agent.post("/desk/search", {"code": "nothing"})

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert "No case of yours has this code" in foreign.text
    assert "No case of yours has this code" in missing.text
    assert "typing slip" in agent.post("/desk/search", {"code": slip}).text


def test_filters_and_pages(desk):
    now = desk.clock()
    late = desk.case(expected_datetime=now - timedelta(days=3))
    today = desk.case(expected_datetime=now + timedelta(hours=2))
    done = desk.case(status="closed", expected_datetime=now - timedelta(days=3))
    for _ in range(25):
        desk.case(expected_datetime=now + timedelta(days=30))
    triage = desk.client("triage")

    first, second = triage.text("/desk/"), triage.text("/desk/?page=2")
    overdue, closed = triage.text("/desk/?overdue=1"), triage.text("/desk/?status=closed")

    assert "27 cases" in first
    assert display(late.tracking_code) in first
    assert "Overdue by 3 days" in first
    assert "Due today" in first
    assert "Page 2 of 2" in second.translate({0x2068: None, 0x2069: None})
    assert display(late.tracking_code) in overdue
    assert display(today.tracking_code) not in overdue
    assert display(done.tracking_code) not in overdue
    assert display(done.tracking_code) in closed
    for odd in (
        "/desk/?page=-1",
        "/desk/?page=x",
        "/desk/?status=%3Cscript%3E",
        "/desk/?page=99999999",
    ):
        assert triage.get(odd).status_code == 200


XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_what_people_write_is_never_markup(desk, language):
    case = desk.case(
        administration="sante",
        status="referred",
        subject=XSS,
        description=XSS,
        location=XSS,
        contact_name=XSS,
        language=XSS[:16],
    )
    browser = desk.client("supervisor", language)
    browser.post(f"/desk/cases/{case.id}/note", {"text": XSS})
    with desk.house.engine.begin() as connection:
        message = register.add_message(
            connection,
            case.id,
            {
                "direction": "outbound",
                "author": "system",
                "channel": "sms",
                "text": XSS,
                "full_text": XSS * 2,
                "incomplete": XSS,
                "date": desk.clock(),
                "delivery_status": "failed",
                "delivery_detail": XSS,
            },
        )
        register.add_attachments(
            connection,
            message,
            [{"filename": XSS, "media_type": XSS, "content": b"x", "transcript_state": "done"}],
        )
        connection.execute(attachments.update().values(transcript=XSS))

    for path in (f"/desk/cases/{case.id}", "/desk/?status=all"):
        page = browser.text(path)
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page
    searched = browser.post("/desk/search", {"code": XSS})
    assert "<script" not in searched.text


def test_a_failed_message_says_why_in_plain_words(desk):
    case = desk.case(administration="sante")
    with desk.house.engine.begin() as connection:
        register.add_message(
            connection,
            case.id,
            {
                "direction": "outbound",
                "author": "administration",
                "channel": "sms",
                "text": "…",
                "date": desk.clock(),
                "delivery_status": "failed",
                "delivery_detail": "undelivered 30003",
            },
        )

    page = desk.client("agent").text(f"/desk/cases/{case.id}")

    assert "Not delivered" in page
    assert "the phone is off or out of reach" in page


def test_when_nothing_can_be_stored_the_text_is_kept(desk, monkeypatch):
    case = desk.case(administration="sante", status="referred")
    agent = desk.client("agent")
    token = agent.token()

    def away(*_args, **_values):
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr("sqlalchemy.engine.default.DefaultDialect.do_commit", away)
    answer = agent.client.post(
        f"/desk/cases/{case.id}/reply",
        data={"csrf_token": token, "text": "Une longue réponse <b>", "last": "x", "then": "closed"},
        headers=agent.headers,
    )

    assert answer.status_code == 503
    assert "Une longue réponse &lt;b&gt;" in answer.text
    assert 'name="then" value="closed"' in answer.text
    assert f'action="/desk/cases/{case.id}/reply"' in answer.text
    assert answer.headers["Retry-After"]
    assert "disk full" not in answer.text


def test_when_even_reading_fails_the_page_still_stands(desk, monkeypatch):
    agent = desk.client("agent")

    def away(*_args, **_values):
        raise OperationalError("SELECT", {}, Exception("server is away"))

    monkeypatch.setattr("tracker.users.find", away)
    answer = agent.get("/desk/")

    assert answer.status_code == 503
    assert "Not saved yet" in answer.text


def test_nothing_of_the_desk_is_cached(desk):
    assert desk.client("agent").get("/desk/").headers["Cache-Control"] == "private, no-store"
