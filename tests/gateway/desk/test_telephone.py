# SPDX-License-Identifier: MIT
"""Who is to be called back can be: the number is shown to who asks, and it is kept who did."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest
from sqlalchemy import select

from channels.channel import Accepted, Delivery
from channels.message import ChannelName
from gateway.reading import read_delivery
from tracker import attention, outbox
from tracker.models import AttentionReason as R
from tracker.models import OutboxKind, case_events, cases, deliveries
from tracker.models import attention as items
from tracker.models import outbox as entries

PAGE = "/desk/attention"
CALLER = "+212612345678"
LINK = f'<a href="tel:{CALLER}"><bdi dir="ltr" class="code">{CALLER}</bdi></a>'


def hang_up(desk, caller=CALLER):
    sid = f"CA{uuid4().hex}"
    form = {"CallSid": sid, "From": caller, "To": "+212537000000", "CallStatus": "completed"}
    delivery = Delivery(
        ChannelName.VOICE,
        f"voice:{sid}:missed",
        desk.clock(),
        "",
        {"content-type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
    )
    message = read_delivery(delivery, desk.house.settings, desk.house.country)
    assert isinstance(desk.house.accept(delivery, message), Accepted)


def opened(desk, reason, **values):
    with desk.house.engine.begin() as connection:
        return attention.open_item(connection, reason, "why", at=desk.clock(), **values)


def failed_call(desk, case):
    with desk.house.engine.begin() as connection:
        entry_id = outbox.put(
            connection,
            OutboxKind.REPLY,
            f"x:{case.id}",
            now=desk.clock(),
            channel="voice",
            recipient_scheme="tel",
            recipient=CALLER,
            case_id=case.id,
        )
        connection.execute(entries.update().values(state="failed", last_error="no-answer"))
    return entry_id


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_number_of_a_missed_call_is_shown_and_the_look_is_kept(desk, language):
    hang_up(desk)
    (item,) = desk.rows(select(items))
    triage = desk.client("triage", language)
    assert CALLER not in triage.text(PAGE)

    shown = triage.post(f"{PAGE}/{item.id}/number")

    assert shown.status_code == 200
    assert LINK in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    (item,) = desk.rows(select(items))
    assert item.data["shown"] == [["triage@example.org", desk.clock().isoformat()]]
    assert item.resolved_at is None
    assert CALLER not in triage.text(PAGE)


@pytest.mark.parametrize("reason", [R.UNDELIVERED, R.UNFETCHED, R.UNTRANSCRIBED])
def test_whom_a_failed_call_was_for_is_shown_and_kept_on_the_timeline(desk, reason):
    case = desk.case(channel="voice", administration="sante")
    values = {"outbox_id": failed_call(desk, case)} if reason is R.UNDELIVERED else {}
    item_id = opened(desk, reason, case_id=case.id, **values)
    triage = desk.client("triage")

    assert LINK in triage.post(f"{PAGE}/{item_id}/number").text

    (look,) = desk.rows(
        select(case_events).where(case_events.c.type == "guichet.case.contact_shown")
    )
    assert (look.case_id, look.data) == (case.id, {"by": "triage@example.org"})
    assert "The number was shown to" in triage.text(f"/desk/cases/{case.id}")


def test_the_page_of_a_case_shows_it_to_the_same_people_alone(desk):
    case = desk.case(channel="voice", administration="sante")
    url = f"/desk/cases/{case.id}"
    triage = desk.client("triage")
    assert LINK in triage.post(f"{url}/number").text
    assert CALLER not in triage.text(url)

    hang_up(desk)
    (item,) = desk.rows(select(items))
    for who in ("agent", "supervisor", "auditor"):
        other = desk.client(who)
        assert other.post(f"{url}/number").status_code == 403
        assert other.post(f"{PAGE}/{item.id}/number").status_code == 403
        assert "Show the number" not in other.text(url)

    looks = desk.rows(select(case_events).where(case_events.c.type == "guichet.case.contact_shown"))
    assert len(looks) == 1


def test_a_withheld_number_is_told_and_none_is_made_up(desk):
    hang_up(desk, "anonymous")
    (item,) = desk.rows(select(items))
    triage = desk.client("triage")

    page = triage.text(PAGE)

    assert "The number was withheld" in page
    assert "Show the number" not in page
    assert triage.post(f"{PAGE}/{item.id}/number").status_code == 404
    assert desk.one(select(items)).data.get("shown") is None


def test_several_calls_are_one_item_and_one_that_came_meanwhile_is_seen_first(desk):
    hang_up(desk)
    triage = desk.client("triage")
    seen = {"calls": "1"}
    desk.clock.turn(minutes=5)
    hang_up(desk)
    desk.clock.turn(minutes=5)
    (item,) = desk.rows(select(items))
    page = triage.text(PAGE)
    assert "2 calls from this number" in page
    assert "5 minutes ago" in page
    assert 'name="calls" value="2"' in page

    early = triage.post(f"{PAGE}/{item.id}/handled", seen)
    assert early.status_code == 422
    assert "have called again" in early.text
    assert triage.post(f"{PAGE}/{item.id}/handled", {"calls": "2"}).status_code == 302

    assert desk.one(select(items)).action == "handled"


def test_a_case_opened_from_missed_calls_has_all_of_them(desk):
    for _ in range(3):
        hang_up(desk)
    (item,) = desk.rows(select(items))

    assert desk.client("triage").post(f"{PAGE}/{item.id}/open").status_code == 302

    case = desk.one(select(cases))
    assert {row.case_id for row in desk.rows(select(deliveries))} == {case.id}
    assert desk.one(select(items)).resolved_at is not None
