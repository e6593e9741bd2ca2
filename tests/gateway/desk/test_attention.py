# SPDX-License-Identifier: MIT
"""*Needs a person*: every reason has an action that works, and none works twice."""

import pytest
from sqlalchemy import select

from channels.channel import Accepted, Refused, TryLater
from gateway import replay
from gateway.desk.excerpt import glance
from normalizer.tracking_code import display
from tracker import attention, outbox, register
from tracker.identity import new_id
from tracker.models import AttentionReason as R
from tracker.models import (
    DeliveryState,
    OutboxKind,
    attachments,
    cases,
    deliveries,
    messages,
)
from tracker.models import attention as items
from tracker.models import outbox as entries

PAGE = "/desk/attention"


def delivery(desk, body=b"Body=Bonjour&From=%2B212611111111", channel="sms"):
    delivery_id = new_id()
    with desk.house.engine.begin() as connection:
        connection.execute(
            deliveries.insert().values(
                id=delivery_id,
                channel=channel,
                idempotency_key=str(delivery_id),
                received_at=desk.clock(),
                peer="",
                state=str(DeliveryState.HELD),
                headers={},
                body=body,
            )
        )
    return delivery_id


def item(desk, reason, detail="why", **values):
    with desk.house.engine.begin() as connection:
        return attention.open_item(connection, reason, detail, at=desk.clock(), **values)


def row(desk, item_id):
    return desk.one(select(items).where(items.c.id == item_id))


def failed_entry(desk, case, kind=OutboxKind.REPLY, **values):
    with desk.house.engine.begin() as connection:
        entry_id = outbox.put(
            connection,
            kind,
            f"x:{new_id()}",
            now=desk.clock(),
            channel="sms",
            recipient_scheme="tel",
            recipient="+212612345678",
            case_id=case.id,
            **values,
        )
        connection.execute(entries.update().values(state="failed", last_error="gone (30005)"))
    return entry_id


def test_an_unrouted_case_is_assigned(desk):
    case = desk.case(status="triage")
    item_id = item(
        desk,
        R.UNROUTED,
        case_id=case.id,
        data={"candidates": [{"administration": "eau", "reasons": ["words: eau"]}]},
    )
    triage = desk.client("triage")
    page = triage.text(PAGE)
    assert "No administration found" in page
    assert "words: eau" in page

    nothing = triage.post(f"{PAGE}/{item_id}/assign", {"administration": "", "reason": "parce que"})
    done = triage.post(f"{PAGE}/{item_id}/assign", {"administration": "eau", "reason": "réseau"})

    assert nothing.status_code == 422
    assert "parce que" in nothing.text
    assert done.status_code == 302
    assert desk.one(select(cases.c.administration, cases.c.status)) == ("eau", "referred")
    assert row(desk, item_id).resolved_by == "triage@example.org"
    assert "The case is assigned." in triage.text(PAGE)
    again = triage.post(f"{PAGE}/{item_id}/assign", {"administration": "sante"})
    assert again.status_code == 302
    assert "settled this already" in triage.text(PAGE)
    assert desk.one(select(cases.c.administration))[0] == "eau"


def test_a_held_delivery_shows_what_it_says_and_is_attached(desk, monkeypatch):
    case = desk.case()
    item_id = item(desk, R.HELD, delivery_id=delivery(desk), data={"guess": case.tracking_code})
    asked = []

    def attach(house, delivery_id, code, by):
        asked.append((delivery_id, code, by))
        return Accepted(code)

    monkeypatch.setattr(replay, "attach", attach)
    triage = desk.client("triage")
    page = triage.text(PAGE)
    assert "Bonjour" in page
    assert f'value="{display(case.tracking_code)}"' in page
    assert "+212611111111" not in page

    wrong = triage.post(f"{PAGE}/{item_id}/attach", {"code": "999"})
    done = triage.post(f"{PAGE}/{item_id}/attach", {"code": display(case.tracking_code)})

    assert wrong.status_code == 422
    assert done.status_code == 302
    assert asked == [(row(desk, item_id).delivery_id, case.tracking_code, "triage@example.org")]
    assert row(desk, item_id).action == "attached"


def test_a_missed_call_becomes_a_case_with_a_note(desk, monkeypatch):
    item_id = item(desk, R.MISSED, delivery_id=delivery(desk, b"From=%2B212611111111", "voice"))
    case = desk.case(channel="voice")
    monkeypatch.setattr(replay, "open_case", lambda *_: Accepted(case.tracking_code))

    done = desk.client("operator").post(
        f"{PAGE}/{item_id}/open", {"text": "Elle rappellera demain"}
    )

    assert done.status_code == 302
    note = desk.one(select(messages).where(messages.c.direction == "internal"))
    assert (note.case_id, note.text) == (case.id, "Elle rappellera demain")
    assert row(desk, item_id).action == "case_opened"


@pytest.mark.parametrize(
    ("result", "status", "settled"),
    [
        (Accepted("123"), 302, True),
        (Refused("it still cannot be read"), 422, False),
        (Accepted(None, state="quarantined"), 422, False),
        (TryLater(), 503, False),
    ],
)
def test_a_quarantined_delivery_is_replayed(desk, monkeypatch, result, status, settled):
    item_id = item(
        desk, R.QUARANTINED, delivery_id=delivery(desk, b"From: a@b.example\r\n\r\n\xff", "email")
    )
    monkeypatch.setattr(replay, "replay", lambda *_: result)
    operator = desk.client("operator")
    assert "/raw" in operator.text(PAGE)

    answer = operator.post(f"{PAGE}/{item_id}/replay")

    assert answer.status_code == status
    assert (row(desk, item_id).resolved_at is not None) is settled


def test_an_undelivered_answer_goes_another_way_without_its_words(desk):
    case = desk.case(status="answered", administration="sante")
    entry_id = failed_entry(desk, case)
    item_id = item(desk, R.UNDELIVERED, case_id=case.id, outbox_id=entry_id)
    triage = desk.client("triage")
    page = triage.text(PAGE)
    assert "this number does not exist" in page
    assert "+212612345678" not in page
    url = f"{PAGE}/{item_id}/send"

    for form, told in (
        ({}, "Choose by which way"),
        ({"way": "email", "address": "x"}, "no email address"),
        ({"way": "sms", "address": "12"}, "no valid telephone number"),
        ({"way": "77"}, "Choose by which way"),
    ):
        answer = triage.post(url, form)
        assert answer.status_code == 422
        assert told in answer.text
    assert triage.post(url, {"way": "email", "address": "a@example.org"}).status_code == 302

    sent = desk.one(select(entries).where(entries.c.state == "due"))
    assert (sent.kind, sent.channel, sent.recipient_scheme, sent.recipient) == (
        "notify",
        "email",
        "mailto",
        "a@example.org",
    )
    assert sent.payload == {"notice": "have_answer"}
    assert row(desk, item_id).action == "sent_another_way"


def test_a_known_way_and_a_typed_number_are_read(desk):
    case = desk.case(status="answered")
    first = item(desk, R.UNDELIVERED, case_id=case.id, outbox_id=failed_entry(desk, case))
    second = item(
        desk,
        R.UNDELIVERED,
        case_id=case.id,
        outbox_id=failed_entry(
            desk, case, OutboxKind.NOTIFY, payload={"notice": "status", "status": "closed"}
        ),
    )
    triage = desk.client("triage")

    triage.post(f"{PAGE}/{first}/send", {"way": "0"})
    triage.post(f"{PAGE}/{second}/send", {"way": "voice", "address": "٠٦ ١٢ ٣٤ ٥٦ ٧٩"})

    sent = desk.rows(select(entries).where(entries.c.state == "due").order_by(entries.c.id))
    assert [(row.channel, row.recipient, row.payload) for row in sent] == [
        ("sms", "+212612345678", {"notice": "have_answer"}),
        ("voice", "+212612345679", {"notice": "status", "status": "closed"}),
    ]


def test_a_recording_is_listened_to_and_written_down(desk):
    case = desk.case(channel="voice", description="", status="received")
    message = desk.one(select(messages.c.id))[0]
    with desk.house.engine.begin() as connection:
        register.add_attachments(
            connection,
            message,
            [
                {
                    "filename": "r.wav",
                    "media_type": "audio/wav",
                    "content": b"RIFF....WAVEfmt ",
                    "transcript_state": "awaiting",
                }
            ],
        )
    item_id = item(desk, R.UNTRANSCRIBED, case_id=case.id)
    file_id = desk.one(select(attachments.c.id))[0]
    triage = desk.client("triage")
    assert f"/desk/attachments/{file_id}" in triage.text(PAGE)
    url = f"{PAGE}/{item_id}/transcribe"

    assert triage.post(url, {"file": str(file_id), "transcript": " "}).status_code == 422
    assert triage.post(url, {"file": str(case.id), "transcript": "x"}).status_code == 422
    done = triage.post(url, {"file": str(file_id), "transcript": "الما مقطوع"})

    assert done.status_code == 302
    file = desk.one(select(attachments))
    assert (file.transcript, file.transcript_state) == ("الما مقطوع", "done")
    assert file.transcript_data == {"typed_by": "triage@example.org"}
    route = desk.one(select(entries))
    assert (route.kind, route.payload) == ("route", {"transcript": "الما مقطوع"})
    assert row(desk, item_id).action == "transcribed"


@pytest.mark.parametrize("reason", list(R))
def test_every_reason_may_be_taken_off_the_list_by_its_people_only(desk, reason):
    case = desk.case()
    item_id = item(desk, reason, case_id=case.id)
    url = f"{PAGE}/{item_id}/handled"

    for who in ("agent", "supervisor", "auditor"):
        assert desk.client(who).post(url).status_code == 403
    triage = desk.client("triage", "ar")
    assert triage.text(PAGE)
    assert triage.post(url).status_code == 302

    assert row(desk, item_id).action == "handled"
    assert triage.post(f"{PAGE}/{new_id()}/handled").status_code == 302


def test_an_action_that_does_not_fit_the_reason_does_not_exist(desk):
    item_id = item(desk, R.MISSED, delivery_id=delivery(desk))

    triage = desk.client("triage")

    assert triage.post(f"{PAGE}/{item_id}/replay").status_code == 404
    assert triage.post(f"{PAGE}/{item_id}/nonsense").status_code == 404


def test_what_a_stranger_sent_is_never_markup(desk):
    item(
        desk,
        R.QUARANTINED,
        "<script>",
        delivery_id=delivery(desk, b"Body=%3Cscript%3Ealert(1)%3C/script%3E&From=%3Cimg%3E"),
    )

    page = desk.client("triage").text(PAGE)

    assert "<script" not in page
    assert "<img>" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("channel", "body", "sender", "text"),
    [
        ("sms", b"Body=Salam&From=%2B2126", "+2126", "Salam"),
        ("email", b"From: A <a@b.example>\r\nSubject: S\r\n\r\nwords", "a@b.example", "S\nwords"),
        ("email", b"", "", ""),
        ("sms", b"\xff\xfe\x00" * 9, "", None),
        ("email", b"Content-Type: text/plain; charset=nope\r\n\r\n\xff\xff", "", None),
        ("email", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x", "", None),
        ("voice", b"&".join(b"a=%d" % n for n in range(900)), "", None),
    ],
)
def test_a_glance_is_total(channel, body, sender, text):
    seen = glance(channel, body)

    assert seen.sender == sender
    assert len(seen.text) <= 601
    if text is not None:
        assert seen.text == text


def test_a_held_text_really_becomes_a_case_and_really_joins_one(desk):
    known = desk.case()
    triage = desk.client("triage")
    body = b"MessageSid=SM%d&From=%%2B212611111111&To=%%2B212500000000&Body=Pas+d%%27eau+ici"
    first = item(desk, R.HELD, delivery_id=delivery(desk, body % 1))
    second = item(desk, R.HELD, delivery_id=delivery(desk, body % 2))

    opened = triage.post(f"{PAGE}/{first}/open")
    joined = triage.post(f"{PAGE}/{second}/attach", {"code": known.tracking_code})

    assert (opened.status_code, joined.status_code) == (302, 302)
    new = desk.one(select(cases).where(cases.c.id != known.id))
    assert (new.description, new.contact_value) == ("Pas d'eau ici", "+212611111111")
    texts = desk.rows(select(messages.c.text).where(messages.c.case_id == known.id))
    assert sorted(text for (text,) in texts) == ["Pas d'eau depuis lundi", "Pas d'eau ici"]
    assert row(desk, first).resolved_by == "triage@example.org"
    assert row(desk, second).resolved_by == "triage@example.org"
