# SPDX-License-Identifier: MIT
"""Twilio's webhooks are verified by the official validator and read whole."""

import hashlib
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from channels.channel import Delivery
from channels.errors import MalformedMessage, UnverifiedRequest
from channels.message import AddressScheme, ChannelName, DeliveryStatus
from channels.sms.twilio import (
    form_of,
    idempotency_key,
    read_message,
    read_receipt,
    sender_of,
    verify,
)
from channels.twilio_account import Form

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://guichet.example/inbound/sms/twilio"
TOKEN = "t0ken"
PAIRS = [
    ("MessageSid", "SM" + "0" * 32),
    ("From", "+212612345678"),
    ("To", "+212537000000"),
    ("Body", "L'eau est coupée à Agdal ☔"),
    ("NumMedia", "0"),
    ("FromCity", ""),
    ("FromCountry", "MA"),
]


def delivery(pairs=PAIRS, url=URL, token=TOKEN, **headers):
    """A webhook signed as Twilio signs it."""
    signature = RequestValidator(token).compute_signature(url, Form(pairs))
    told = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature,
    } | headers
    return Delivery(ChannelName.SMS, "", NOW, "", told, urlencode(pairs).encode(), url)


def test_a_signed_form_passes_with_blank_and_repeated_fields():
    pairs = [*PAIRS, ("New", "b"), ("New", "a")]

    assert verify(delivery(pairs), [TOKEN], URL).pairs == tuple(pairs)


def test_any_token_of_the_list_may_have_signed():
    assert verify(delivery(token="old"), ["", "new", "old"], URL)


@pytest.mark.parametrize("query", ["?a=1&b=%C3%A9", "?a=", "?b=2&a=1"])
def test_the_query_is_signed_as_it_stands(query):
    assert verify(delivery(url=URL + query), [TOKEN], URL + query)


@pytest.mark.parametrize(
    ("change", "url", "tokens"),
    [
        ({"X-Twilio-Signature": ""}, URL, [TOKEN]),
        ({"X-Twilio-Signature": "é"}, URL, [TOKEN]),
        ({}, URL + "?x=1", [TOKEN]),
        ({}, URL.replace("https", "http"), [TOKEN]),
        ({}, "https://guichet.example:bad/inbound", [TOKEN]),
        ({}, URL, ["other"]),
        ({}, URL, []),
        ({}, URL, [""]),
        ({"Content-Type": "application/json"}, URL, [TOKEN]),
        ({"Content-Type": "application/json"}, URL + "?bodySHA256=00", [TOKEN]),
        # The header must not choose an algorithm of its own.
        ({"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}, URL, ["x"]),
    ],
)
def test_what_does_not_fit_is_refused(change, url, tokens):
    with pytest.raises(UnverifiedRequest):
        verify(delivery(**change), tokens, url)


def test_a_missing_signature_header_is_refused():
    bare = delivery()
    headers = {k: v for k, v in bare.headers.items() if k == "Content-Type"}
    unsigned = Delivery(ChannelName.SMS, "", NOW, "", headers, bare.body, URL)

    with pytest.raises(UnverifiedRequest):
        verify(unsigned, [TOKEN], URL)


def test_json_is_verified_by_the_hash_in_its_url():
    body = b'{"MessageSid":"SM1"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    sent = Delivery(ChannelName.SMS, "", NOW, "", headers, body, url)

    assert len(verify(sent, [TOKEN], url)) == 0
    other = Delivery(ChannelName.SMS, "", NOW, "", headers, body + b" ", url)
    with pytest.raises(UnverifiedRequest):
        verify(other, [TOKEN], url)


def test_a_body_that_is_no_text_is_refused_before_it_is_read():
    garbage = delivery()
    raw = Delivery(ChannelName.SMS, "", NOW, "", garbage.headers, b"\xff\x00%ff", URL)

    with pytest.raises(UnverifiedRequest):
        verify(raw, [TOKEN], URL)


def test_a_text_is_read_whole():
    form = Form(PAIRS)
    message = read_message(form, NOW, "MA")

    assert idempotency_key(form) == "sms:SM" + "0" * 32
    assert message.text == message.full_text == "L'eau est coupée à Agdal ☔"
    assert message.sender.value == "+212612345678"
    assert message.recipient == "+212537000000"
    assert (message.channel, message.date) == (ChannelName.SMS, NOW)
    assert message.fields == {"country": "MA"}


@pytest.mark.parametrize(
    ("raw", "scheme", "value"),
    [
        ("+212612345678", AddressScheme.TEL, "+212612345678"),
        ("whatsapp:+212612345678", AddressScheme.TEL, "+212612345678"),
        ("32665", AddressScheme.SHORT_CODE, "32665"),
        ("SUPPORT", AddressScheme.ALPHANUMERIC, "SUPPORT"),
        ("+٢١٢", AddressScheme.ALPHANUMERIC, "+٢١٢"),
    ],
)
def test_a_sender_is_a_number_a_short_code_or_a_name(raw, scheme, value):
    address = sender_of(raw)

    assert (address.scheme, address.value) == (scheme, value)


def test_whatsapp_is_a_channel_of_its_own():
    form = Form([("MessageSid", "SM1"), ("From", "whatsapp:+2126"), ("To", "whatsapp:+2125")])
    message = read_message(form, NOW, "MA")

    assert message.channel is ChannelName.WHATSAPP
    assert (message.sender.value, message.recipient) == ("+2126", "+2125")


def test_media_are_named_by_their_ids_and_never_by_a_foreign_url():
    api = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    form = Form(
        [
            ("MessageSid", "MM1"),
            ("From", "+2126"),
            ("NumMedia", "3"),
            ("MediaUrl0", api),
            ("MediaContentType0", "image/jpeg"),
            ("MediaUrl1", "http://169.254.169.254/latest/meta-data"),
        ]
    )
    message = read_message(form, NOW, "MA")

    assert [a.fetch_url for a in message.attachments] == ["twilio-media:MM1/ME1"]
    assert message.incomplete.startswith("2 ")


def test_an_opt_out_is_told():
    form = Form([*PAIRS, ("OptOutType", "STOP")])

    assert read_message(form, NOW, "MA").fields["opt_out_type"] == "STOP"


@pytest.mark.parametrize("pairs", [[("From", "+2126")], [("MessageSid", "SM1")], []])
def test_without_an_id_or_a_sender_it_cannot_be_read(pairs):
    with pytest.raises(MalformedMessage):
        read_message(Form(pairs), NOW, "MA")


@pytest.mark.parametrize(
    ("word", "code", "status", "detail"),
    [
        ("accepted", "", DeliveryStatus.QUEUED, "accepted"),
        ("sent", "", DeliveryStatus.SENT, "sent"),
        ("delivered", "", DeliveryStatus.DELIVERED, "delivered"),
        ("read", "", DeliveryStatus.READ, "read"),
        ("undelivered", "30003", DeliveryStatus.FAILED, "undelivered 30003"),
        ("failed", "not a code", DeliveryStatus.FAILED, "failed"),
        ("canceled", "", DeliveryStatus.FAILED, "canceled"),
    ],
)
def test_a_status_is_mapped(word, code, status, detail):
    form = Form([("MessageSid", "SM1"), ("MessageStatus", word), ("ErrorCode", code)])
    receipt = read_receipt(form)

    assert (receipt.provider_id, receipt.delivery_status, receipt.detail) == ("SM1", status, detail)


@pytest.mark.parametrize("word", ["", "received", "lost"])
def test_an_unknown_status_is_not_guessed(word):
    with pytest.raises(MalformedMessage):
        read_receipt(Form([("MessageSid", "SM1"), ("MessageStatus", word)]))


def test_a_form_keeps_blank_values_and_order():
    assert form_of(b"a=&b=1&a=2").pairs == (("a", ""), ("b", "1"), ("a", "2"))


def test_a_form_of_too_many_fields_is_not_read():
    with pytest.raises(MalformedMessage):
        form_of(b"&".join(b"a=1" for _ in range(1000)))
