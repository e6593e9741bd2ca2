# SPDX-License-Identifier: MIT
"""The door for texts: signed in, committed, answered; everything else refused or kept."""

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from twilio.request_validator import RequestValidator

from channels.twilio_account import Form
from channels.twilio_signature import ALGORITHMS, signature, signed_parameters
from gateway.inbound.unsigned import last_refusal
from tracker.identity import new_id
from tracker.models import (
    OutboxKind,
    attachments,
    cases,
    deliveries,
    messages,
    opt_outs,
    outbox,
)
from tracker.outbox import put

PATH = "/inbound/sms/twilio"
BASE = "https://guichet.example"
SHARED_KEY = "the-shared-key"


def text(body="Il n'y a plus d'eau à Agdal depuis hier", sid=None, **more):
    return {
        "MessageSid": sid or f"SM{uuid4().hex}",
        "From": "+212612345678",
        "To": "+212537000000",
        "Body": body,
        "NumMedia": "0",
        "FromCity": "",
    } | more


def test_a_text_becomes_a_case_and_is_answered_with_an_empty_document(door):
    answer = door.post(PATH, text())

    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert answer.text.endswith("<Response/>")
    (case,) = door.rows(cases)
    assert (case.channel, case.contact_value) == ("sms", "+212612345678")
    (delivery,) = door.rows(deliveries)
    assert delivery.url == BASE + PATH
    assert "X-Twilio-Signature" not in delivery.headers


def test_a_raw_query_is_signed_as_it_came(door):
    answer = door.post(f"{PATH}?b=%C3%A9&a=1&a=", text())

    assert answer.status_code == 200


def test_fifty_equal_webhooks_at_once_make_one_case_and_get_one_answer(door):
    form = text(sid="SM" + "1" * 32)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: door_post(door, form), range(50)))

    assert set(answers) == {(200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')}
    assert len(door.rows(cases)) == len(door.rows(deliveries)) == 1


def door_post(door, form):
    """One request by a client of its own, as clients are not shared between threads."""
    signature = RequestValidator("the-auth-token").compute_signature(BASE + PATH, form)
    with door.app.test_client() as client:
        answer = client.post(PATH, data=form, headers={"X-Twilio-Signature": signature})
        return answer.status_code, answer.text


def test_a_wrong_signature_is_refused_in_one_line_and_nothing_is_kept(door):
    answer = door.post(PATH, text(), signature="wrong")

    assert answer.status_code == 403
    assert answer.mimetype == "text/plain"
    assert answer.text.count("\n") == 1
    assert door.rows(deliveries) == []


def shared(form, key=SHARED_KEY, algorithm="HMAC_SHA256"):
    """A signature by a shared key, and the header that says so."""
    signed = signed_parameters(form.items())
    settings = f"key=webhooks_sharedkey_1,algorithm={algorithm}"
    return {
        "signature": signature(key, BASE + PATH, signed, ALGORITHMS[algorithm]),
        "headers": {"X-Twilio-Webhooks-Signature-Settings": settings},
    }


def test_a_shared_key_signs_with_sha256(door):
    form = text()

    assert door.post(PATH, form, **shared(form)).status_code == 200
    assert len(door.rows(cases)) == 1


def test_the_header_of_a_shared_key_opens_no_door_for_an_auth_token(door):
    form = text()

    for key, algorithm in (("the-auth-token", "HMAC_SHA256"), ("the-auth-token", "HMAC_SHA1")):
        assert door.post(PATH, form, **shared(form, key, algorithm)).status_code == 403
    assert door.rows(deliveries) == []


def test_behind_a_proxy_the_public_url_is_what_was_signed(door):
    """Whatever Host, scheme and forwarding headers the request arrives with."""
    told = {
        "Host": "10.0.0.7:8080",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
    }

    assert door.post(PATH, text(), headers=told).status_code == 200
    elsewhere = RequestValidator("the-auth-token").compute_signature(
        f"https://evil.example{PATH}", form := text()
    )
    assert door.post(PATH, form, headers=told, signature=elsewhere).status_code == 403
    assert len(door.rows(cases)) == 1


def test_repeated_and_blank_fields_are_signed_as_they_came(door):
    pairs = [*text(FromCity="", FromZip="").items(), ("Extra", "b"), ("Extra", "a"), ("New", "")]
    signed = RequestValidator("the-auth-token").compute_signature(BASE + PATH, Form(pairs))

    assert door.post(PATH, {}, data=urlencode(pairs), signature=signed).status_code == 200


def test_a_replay_is_answered_alike_and_files_nothing(door):
    form = text()
    answers = [door.post(PATH, form) for _ in range(3)]

    assert {(one.status_code, one.text) for one in answers} == {(200, answers[0].text)}
    assert len(door.rows(cases)) == len(door.rows(deliveries)) == 1


def test_only_a_post_goes_through_the_door(door):
    """Other methods get Flask's own answer, with the headers of a page."""
    refused = door.client.get(PATH)

    assert refused.status_code == 405
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert door.post(PATH, text()).headers["X-Content-Type-Options"] == "nosniff"


def test_a_door_that_fails_answers_500(door):
    def fail(_environ):
        raise RuntimeError("an error of ours")

    door.app.doors[PATH] = fail

    assert (door.post(PATH, text()).status_code, door.rows(deliveries)) == (500, [])


def test_why_a_signature_does_not_fit_is_kept_for_the_doctor(door, tmp_path):
    """A genuine request for another address is told; a fitting one forgets it; a forgery cannot."""
    form = text()
    elsewhere = RequestValidator("the-auth-token").compute_signature(
        f"https://old.example{PATH}", form
    )
    told = {"X-Forwarded-Host": "old.example"}
    assert door.post(PATH, form, headers=told, signature=elsewhere).status_code == 403
    kept = last_refusal(tmp_path)
    assert kept is not None
    assert (kept.fault, kept.proven) == ("address", True)
    assert "https://old.example" in kept.sentence
    assert "+212612345678" not in (tmp_path / "refused-signature.json").read_text()

    assert door.post(PATH, text()).status_code == 200
    assert last_refusal(tmp_path) is None


def test_a_big_body_is_refused(door):
    assert door.post(PATH, text("x" * 10_000)).status_code == 413
    assert door.rows(deliveries) == []


@pytest.mark.parametrize("data", [b"\x00\xff\xfe", b"", b"%", b"=&=&"])
def test_garbage_is_refused(door, data):
    assert door.post(PATH, text(), data=data).status_code == 403


def test_what_is_verified_but_unreadable_is_kept(door):
    answer = door.post(PATH, {"Surprise": "1"})
    again = door.post(PATH, {"Surprise": "1"})
    nobody = door.post(PATH, {"MessageSid": "SM1", "Body": "x"})

    assert answer.status_code == again.status_code == nobody.status_code == 200
    assert [row.state for row in door.rows(deliveries)] == ["quarantined", "quarantined"]


def test_json_with_its_hash_is_kept_too(door):
    body = b'{"a": 1}'
    url = f"{PATH}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    answer = door.post(url, {}, data=body, content_type="application/json")

    assert answer.status_code == 200
    assert door.rows(deliveries)[0].state == "quarantined"


def test_whatsapp_comes_through_the_same_door_and_goes_back_as_whatsapp(door):
    door.post(PATH, text(From="whatsapp:+212612345678", To="whatsapp:+212537000000"))

    (case,) = door.rows(cases)
    assert (case.channel, case.contact_value) == ("whatsapp", "+212612345678")


def test_whatsapp_tells_name_place_and_what_it_answers(door):
    pin = {"Body": "", "Latitude": "33.9716", "Longitude": "-6.8498", "Address": "Av. Hassan II"}
    who = {"From": "whatsapp:+212612345678", "ProfileName": " Amina  B. ", "WaId": "212612345678"}
    assert door.post(PATH, text(**pin, **who)).status_code == 200

    (case,) = door.rows(cases)
    assert case.location == case.description == "Av. Hassan II · 33.9716, -6.8498"
    assert case.contact_name == "Amina B."


def test_media_of_a_foreign_address_are_never_asked_for(door):
    """Only its two ids are taken from the URL; what has none is told, and the words are filed."""
    media = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    form = text(
        NumMedia="2",
        MediaUrl0=f"https://evil.example{media}",
        MediaContentType0="image/jpeg",
        MediaUrl1="http://169.254.169.254/latest",
    )
    assert door.post(PATH, form).status_code == 200

    (file,) = door.rows(attachments)
    assert file.fetch_url == "twilio-media:MM1/ME1"
    (message,) = door.rows(messages)
    assert "1 attached file" in message.incomplete


def test_a_recipient_who_opted_out_is_remembered_from_a_callback(door, entry):
    """21610 comes late, too; and a delivered text takes nothing back."""
    path = f"/receipts/sms/twilio/{entry}"
    told = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "21610"}

    assert door.post(path, told).status_code == 204
    assert door.post(path, told).status_code == 204
    assert [(row.channel, row.recipient) for row in door.rows(opt_outs)] == [
        ("sms", "+212612345678")
    ]


def test_an_opt_out_makes_no_case(door):
    assert door.post(PATH, text("STOP", OptOutType="STOP")).status_code == 200
    assert door.rows(cases) == []


def test_a_locked_database_is_told_and_the_text_is_filed_afterwards(door, tmp_path):
    form = text()
    lock = sqlite3.connect(tmp_path / "guichet.sqlite3", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    refused = door.post(PATH, form)
    lock.execute("ROLLBACK")
    lock.close()
    filed = door.post(PATH, form)

    assert (refused.status_code, filed.status_code) == (503, 200)
    assert refused.headers["Retry-After"] == "30"
    assert len(door.rows(cases)) == 1


@pytest.fixture
def entry(door):
    """A text of ours that is about to be sent."""
    with door.house.engine.begin() as connection:
        return put(
            connection,
            OutboxKind.NOTIFY,
            f"test:{new_id()}",
            now=door.house.clock(),
            channel="sms",
            recipient_scheme="tel",
            recipient="+212612345678",
        )


def test_receipts_move_forward_and_never_back(door, entry):
    path = f"/receipts/sms/twilio/{entry}"
    told = []
    for word in ("delivered", "sent", "delivered"):
        answer = door.post(path, {"MessageSid": "SM1", "MessageStatus": word})
        told.append((answer.status_code, door.rows(outbox)[0].delivery_status))

    assert told == [(204, "delivered")] * 3
    assert door.rows(outbox)[0].provider_id == "SM1"


def test_a_receipt_of_an_unknown_entry_changes_nothing(door):
    path = f"/receipts/sms/twilio/{uuid4()}"

    assert door.post(path, {"MessageSid": "SM1", "MessageStatus": "sent"}).status_code == 204
    assert door.post(path, {"MessageSid": "SM1"}, signature="x").status_code == 403
    assert door.post(path, {"MessageSid": "SM1", "MessageStatus": "?"}).status_code == 400


def test_a_receipt_that_cannot_be_stored_is_told(door, entry, tmp_path):
    lock = sqlite3.connect(tmp_path / "guichet.sqlite3", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    answer = door.post(
        f"/receipts/sms/twilio/{entry}", {"MessageSid": "SM1", "MessageStatus": "sent"}
    )
    lock.execute("ROLLBACK")
    lock.close()

    assert answer.status_code == 503
