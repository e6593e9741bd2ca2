# SPDX-License-Identifier: MIT
"""The official SDK against the simulated provider."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

CITIZEN, OURS = "+212612345678", "+212520000000"
CALLBACK = "https://guichet.example/receipts/sms/twilio/outbox-1"


@pytest.fixture
def client(simulator, settings):
    return client_with(simulator, settings.twilio.auth_tokens[0].get_secret_value(), settings)


def client_with(simulator, token, settings):
    client = Client(
        settings.twilio.account_sid,
        token,
        http_client=TwilioHttpClient(timeout=5),
        environment={"_": ""},
    )
    client.api.base_url = simulator.url
    return client


def test_a_text_is_taken_and_its_way_is_reported_signed_and_in_order(client, gateway):
    message = client.messages.create(
        to=CITIZEN, from_=OURS, body="تم تسجيل شكايتكم", status_callback=CALLBACK
    )

    assert message.sid.startswith("SM")
    assert message.status == "queued"
    assert message.direction == "outbound-api"
    assert message.date_created.tzinfo is not None
    forms = gateway.wait_for("/receipts/sms/twilio/outbox-1", 3)
    assert sorted(form["MessageStatus"] for form in forms) == ["delivered", "queued", "sent"]
    assert {form["MessageSid"] for form in forms} == {message.sid}
    assert client.messages(message.sid).fetch().status == "delivered"


def test_a_number_that_cannot_be_reached_is_told_in_a_callback(client, gateway):
    client.messages.create(to="+212612340001", from_=OURS, body="x", status_callback=CALLBACK)

    forms = gateway.wait_for("/receipts/sms/twilio/outbox-1", 3)

    assert [form["ErrorCode"] for form in forms if "ErrorCode" in form] == ["30003"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"to": "0612345678"}, 21211),
        ({"body": ""}, 21602),
        ({"from_": ""}, 21603),
        ({"to": "+212612340000"}, 21610),
        ({"body": "x" * 1601}, 21617),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_error(client, words, code):
    with pytest.raises(TwilioRestException) as refusal:
        client.messages.create(**({"to": CITIZEN, "from_": OURS, "body": "x"} | words))

    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_a_wrong_token_is_not_let_in(simulator, settings):
    with pytest.raises(TwilioRestException) as refusal:
        client_with(simulator, "wrong", settings).messages("SM1").fetch()

    assert (refusal.value.status, refusal.value.code) == (401, 20003)


def test_texts_are_listed_by_number_and_date_over_several_pages(client, simulator, gateway):
    for number in range(7):
        simulator.world.telephone.text(CITIZEN, f"text {number}", webhook=False)
    client.messages.create(to=CITIZEN, from_=OURS, body="ours")
    before = datetime.now(UTC) - timedelta(minutes=1)

    found = client.messages.list(to=OURS, date_sent_after=before, page_size=3)

    assert [message.body for message in found] == [f"text {n}" for n in (6, 5, 4, 3, 2, 1, 0)]
    assert found[0].direction == "inbound"
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert client.messages.list(to=OURS, date_sent_after=later) == []
    assert client.messages.list(to=OURS, date_sent_before=before) == []
    assert len(client.messages.list(to=OURS, date_sent=datetime.now(UTC))) == 7


def test_who_sent_stop_gets_nothing_until_start(client, simulator, gateway):
    simulator.world.telephone.text(CITIZEN, "stop")

    assert gateway.at("/inbound/sms/twilio")[0]["OptOutType"] == "STOP"
    with pytest.raises(TwilioRestException) as refusal:
        client.messages.create(to=CITIZEN, from_=OURS, body="x")
    assert refusal.value.code == 21610

    simulator.world.telephone.text(CITIZEN, "START")

    assert client.messages.create(to=CITIZEN, from_=OURS, body="x").sid


def test_a_placed_call_rings_is_answered_and_told(client, simulator, gateway):
    gateway.documents["/out/1"] = '<Say language="fr-FR">Vous avez une réponse.</Say>'
    call = client.calls.create(
        to=CITIZEN,
        from_=OURS,
        url="https://guichet.example/out/1?s=a%2Fb",
        status_callback="https://guichet.example/done",
        status_callback_event=["ringing", "answered", "completed"],
    )

    assert call.status == "queued"
    assert client.calls(call.sid).fetch().status == "ringing"
    gateway.wait_for("/done", 1)
    answered = simulator.world.calls.answer(call.sid)

    assert [one.text for one in answered.heard if one.kind == "say"] == ["Vous avez une réponse."]
    statuses = [form["CallStatus"] for form in gateway.wait_for("/done", 3)]
    assert sorted(statuses) == ["completed", "in-progress", "ringing"]
    assert gateway.at("/out/1")[0]["Direction"] == "outbound-api"
    assert client.calls.list(to=CITIZEN)[0].status == "completed"


def test_a_telephone_may_answer_by_itself(client, simulator, gateway):
    simulator.world.state.answer_by_itself(on=True)
    gateway.documents["/out"] = (
        '<Gather action="/code"><Say>Votre code</Say></Gather><Say>Au revoir</Say>'
    )
    call = client.calls.create(
        to=CITIZEN,
        from_=OURS,
        url="https://guichet.example/out",
        status_callback="https://guichet.example/done",
    )

    assert gateway.wait_for("/done")[0]["CallStatus"] == "completed"
    heard = simulator.world.state.calls.get(call.sid).heard
    assert [one.text for one in heard if one.kind == "say"] == ["Votre code", "Au revoir"]


def test_a_busy_telephone_is_told(client, gateway):
    client.calls.create(
        to="+212612340002",
        from_=OURS,
        url="https://guichet.example/out",
        status_callback="https://guichet.example/done",
    )

    assert gateway.wait_for("/done")[0]["CallStatus"] == "busy"


def test_a_recording_is_fetched_with_basic_auth_only(client, simulator, gateway, settings):
    gateway.documents["/inbound/voice/twilio"] = '<Record action="/recorded"/>'
    call = simulator.world.calls.speak(simulator.world.calls.dial(CITIZEN).sid)
    sid = call.recordings[0]
    path = f"/2010-04-01/Accounts/{settings.twilio.account_sid}/Recordings/{sid}.wav"
    account = (settings.twilio.account_sid, settings.twilio.auth_tokens[0].get_secret_value())

    sound = httpx.get(simulator.url + path, auth=account, trust_env=False)

    assert sound.content[:4] == b"RIFF"
    assert sound.headers["content-type"].startswith("audio/")
    assert httpx.get(simulator.url + path, trust_env=False).status_code == 401
    assert [one.sid for one in client.recordings.list(call_sid=call.sid)] == [sid]
