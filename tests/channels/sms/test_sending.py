# SPDX-License-Identifier: MIT
"""The official SDK against a server of Twilio's shape: every end has its place in the tree."""

import json
import logging
import socket
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from channels.channel import Channel
from channels.errors import OptedOut, Rejected, Throttled, Uncertain, Unreachable
from channels.message import (
    Address,
    AddressScheme,
    ChannelName,
    DeliveryStatus,
    OutboundMessage,
)
from channels.sms.twilio import TwilioSms, text_digest
from channels.voice.twilio import TwilioVoice

NUMBER = "+212612345678"
SENT = {"sid": "SM1", "status": "queued", "direction": "outbound-api", "body": "Bonjour"}


class FakeTwilio(ThreadingHTTPServer):
    """Answers each request with ``answer`` and keeps what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Any = (201, SENT, {})
        self.asked: list[Any] = []
        self.hang = threading.Event()
        self.hanging = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeTwilio

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((self.command, self.path, parse_qs(body)))
        if self.server.hanging:
            self.server.hang.wait(5)
            return
        status, answer, headers = self.server.answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def twilio():
    server = FakeTwilio()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.hang.set()
    server.shutdown()
    server.server_close()


def of(kind, url):
    return kind(
        account_sid="AC1",
        auth_token="t",
        sender="+212537000000",
        public_base_url="https://guichet.example",
        api_base_url=url,
        timeout_seconds=0.4,
    )


def text(channel=ChannelName.SMS):
    return OutboundMessage("0-1", channel, Address(AddressScheme.TEL, NUMBER), "Bonjour", "fr")


def test_a_text_goes_once_with_our_id_in_its_callback(twilio, monkeypatch):
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    channel = of(TwilioSms, twilio.url)
    receipt = channel.send(text())

    assert isinstance(channel, Channel)
    assert (receipt.provider_id, receipt.delivery_status) == ("SM1", DeliveryStatus.QUEUED)
    ((method, path, form),) = twilio.asked
    assert (method, path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert form == {
        "To": [NUMBER],
        "From": ["+212537000000"],
        "Body": ["Bonjour"],
        "StatusCallback": ["https://guichet.example/receipts/sms/twilio/0-1"],
    }


def test_whatsapp_numbers_bear_their_prefix(twilio):
    of(TwilioSms, twilio.url).send(text(ChannelName.WHATSAPP))

    form = twilio.asked[0][2]
    assert form["To"] == [f"whatsapp:{NUMBER}"]
    assert form["From"] == ["whatsapp:+212537000000"]


@pytest.mark.parametrize(
    ("status", "code", "leaf"),
    [
        (400, 21610, OptedOut),
        (400, 21211, Rejected),
        (400, 21614, Rejected),
        (400, 99999, Rejected),
        (400, 21611, Throttled),
        (401, 20003, Unreachable),
        (429, 20429, Throttled),
        (500, 20500, Uncertain),
        (500, None, Uncertain),
        (502, None, Uncertain),
        (503, 20503, Unreachable),
    ],
)
def test_an_error_has_one_place_in_the_tree_and_names_no_number(twilio, status, code, leaf):
    problem = {"message": f"no {NUMBER}", "status": status} | ({"code": code} if code else {})
    twilio.answer = (status, problem, {"Retry-After": "7"} if status == 429 else {})

    with pytest.raises(leaf) as caught:
        of(TwilioSms, twilio.url).send(text())
    assert type(caught.value) is leaf
    assert NUMBER not in str(caught.value)
    assert len(twilio.asked) == 1
    if status == 429:
        assert caught.value.retry_after == 7


def test_silence_after_sending_is_uncertain_and_nothing_is_repeated(twilio):
    twilio.hanging = True

    with pytest.raises(Uncertain):
        of(TwilioSms, twilio.url).send(text())
    time.sleep(0.1)
    assert len(twilio.asked) == 1


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b"[]", b"null"])
def test_an_answer_that_tells_nothing_is_uncertain(twilio, answer):
    twilio.answer = (201, answer, {})

    with pytest.raises(Uncertain):
        of(TwilioSms, twilio.url).send(text())


def test_nobody_listening_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    with pytest.raises(Unreachable):
        of(TwilioSms, f"http://127.0.0.1:{port}").send(text())


def test_no_number_reaches_the_log(twilio, caplog):
    caplog.set_level(logging.DEBUG)
    channel = of(TwilioSms, twilio.url)
    channel.send(text())
    twilio.answer = (200, {"messages": [], "next_page_uri": None}, {})
    channel.reconcile(NUMBER, datetime(2026, 3, 1, tzinfo=UTC), "x")

    assert NUMBER.strip("+") not in caplog.text


@pytest.mark.parametrize(("body", "found"), [("Bonjour", "SM1"), ("Autre", None)])
def test_a_text_is_found_again_by_its_words(twilio, body, found):
    twilio.answer = (200, {"messages": [SENT], "next_page_uri": None}, {})
    since = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert of(TwilioSms, twilio.url).reconcile(NUMBER, since, text_digest(body)) == found
    query = parse_qs(urlsplit(twilio.asked[0][1]).query)
    assert query["To"] == [NUMBER]
    assert query["DateSent>"] == ["2026-03-01T11:59:00Z"]


def test_a_text_that_is_anothers_is_not_found_again(twilio):
    """The oldest of equal texts that no other message of ours has; none, when all are taken."""
    rows = [SENT | {"sid": f"SM{number}"} for number in (3, 2, 1)]  # the newest first
    twilio.answer = (200, {"messages": rows, "next_page_uri": None}, {})
    since, digest = datetime(2026, 3, 1, 12, tzinfo=UTC), text_digest("Bonjour")
    asked = []

    def reconciled(*taken):
        def known(number, sids):
            asked.append((number, list(sids)))
            return taken

        channel = TwilioSms(
            account_sid="AC1",
            auth_token="t",
            sender="+212537000000",
            public_base_url="https://guichet.example",
            api_base_url=twilio.url,
            taken=known,
        )
        return channel.reconcile(NUMBER, since, digest)

    assert reconciled() == "SM1"
    assert reconciled("SM1") == "SM2"
    assert reconciled("SM1", "SM2", "SM3") is None
    assert asked[0] == (NUMBER, ["SM3", "SM2", "SM1"])


def test_a_call_is_placed_and_fetches_its_words_from_us(twilio):
    twilio.answer = (201, {"sid": "CA1", "status": "queued"}, {})
    message = OutboundMessage(
        "0-1", ChannelName.VOICE, Address(AddressScheme.TEL, NUMBER), "the answer", "fr"
    )
    receipt = of(TwilioVoice, twilio.url).send(message)

    assert receipt.provider_id == "CA1"
    form = twilio.asked[0][2]
    assert form["Url"] == ["https://guichet.example/inbound/voice/twilio/answer/0-1"]
    assert form["StatusCallback"] == ["https://guichet.example/receipts/voice/twilio/0-1"]
    assert "the answer" not in str(form)


def test_who_called_is_asked_of_the_provider(twilio):
    twilio.answer = (200, {"sid": "CA1", "from": NUMBER, "to": "+2125"}, {})

    assert of(TwilioVoice, twilio.url).parties("CA1") == (NUMBER, "+2125")


def test_a_gateway_without_an_account_still_starts():
    TwilioSms(account_sid="", auth_token="", sender="", public_base_url="")
