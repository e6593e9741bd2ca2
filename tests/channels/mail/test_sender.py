# SPDX-License-Identifier: MIT
"""Submission to a relay: a real aiosmtpd sink that answers what the test tells it to."""

import email
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy

import pytest
from aiosmtpd.controller import Controller

from channels.errors import Rejected, Throttled, Uncertain, Unreachable
from channels.mail.html_text import html_text
from channels.mail.sender import RelayChannel
from channels.message import (
    Address,
    AddressScheme,
    Attachment,
    ChannelName,
    DeliveryStatus,
    OutboundMessage,
)


class Sink:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.answers: list[str] = []
        self.rcpt = "250 Ok"
        self.peers: set[object] = set()
        self.silent = False

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):
        self.peers.add(session.peer)
        if self.silent:
            server.transport.abort()
            return "250 never heard"
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.answers.pop(0) if self.answers else "250 Ok"


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def relay(sink) -> Iterator[RelayChannel]:
    controller = Controller(sink, hostname="127.0.0.1", port=0)
    # Controller asks for a fixed port; find a free one first.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = probe.getsockname()[1]
    controller.start()
    channel = RelayChannel(
        host="127.0.0.1",
        port=controller.port,
        tls="none",
        sender="complaints@guichet.example",
        timeout_seconds=5,
        hostname="guichet.example",
        clock=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC),
    )
    yield channel
    channel.close()
    controller.stop()


def message(**changes: object) -> OutboundMessage:
    values: dict = {
        "idempotency_key": "0190-1",
        "channel": ChannelName.EMAIL,
        "recipient": Address(AddressScheme.MAILTO, "amina@example.org", "أمينة"),
        "text": "شكايتكم رقم ٤٨٢١\nتوصلنا بها.\n.\n..",
        "language": "ar",
        "subject": "توصلنا بشكايتكم المتعلقة بالإنارة العمومية في شارع الحسن الثاني بالدار البيضاء",
        "message_id": "0190-1@guichet.example",
        "in_reply_to": "1@example.org",
        "references": ("0@example.org", "1@example.org"),
        "reply_to": "case+482109375511.abcdefghijklmnop@guichet.example",
        "auto_submitted": "auto-replied",
    }
    return OutboundMessage(**(values | changes))


def test_writes_a_whole_mail(relay, sink):
    receipt = relay.send(message())

    assert receipt.delivery_status is DeliveryStatus.SENT
    assert receipt.provider_id == "0190-1@guichet.example"
    path, recipients, raw = sink.mails[0]
    assert path == "case+482109375511.abcdefghijklmnop@guichet.example"
    assert recipients == ["amina@example.org"]
    assert raw.isascii()
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == message().subject
    assert mail["To"].addresses[0].display_name == "أمينة"
    assert mail["Message-ID"] == "<0190-1@guichet.example>"
    assert mail["In-Reply-To"] == "<1@example.org>"
    assert mail["References"].split() == ["<0@example.org>", "<1@example.org>"]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Content-Language"] == "ar"
    assert mail["Date"].datetime == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert mail.get_content_type() == "multipart/alternative"
    plain, page = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == message().text
    assert page.get_content_type() == "text/html"
    assert '<div lang="ar" dir="rtl">' in page.get_content()
    assert html_text(page.get_content()).split() == message().text.split()
    assert not [name for name in mail if name.startswith("List-")]


def test_the_connection_is_kept_and_opened_again(relay, sink):
    relay.send(message())
    relay.send(message())
    assert len(sink.peers) == 1

    relay._connection.sock.shutdown(socket.SHUT_RDWR)
    relay.send(message())

    assert len(sink.peers) == 2
    assert len(sink.mails) == 3


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, "case+482109375511.abcdefghijklmnop@guichet.example"),
        ({"reply_to": ""}, "<>"),
        ({"reply_to": "", "auto_submitted": "no"}, "complaints@guichet.example"),
    ],
)
def test_envelope_sender(relay, sink, changes, path):
    relay.send(message(**changes))

    assert sink.mails[0][0] == path


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("451 4.3.0 later", Throttled),
        ("452 full", Throttled),
        ("454 no", Unreachable),
        ("550 5.7.1 no", Rejected),
        ("554 no", Rejected),
    ],
)
def test_answers_become_errors_and_the_next_mail_goes(relay, sink, answer, error):
    sink.answers.append(answer)
    with pytest.raises(error) as refused:
        relay.send(message())
    assert refused.value.code == answer[:3]
    sink.rcpt = answer
    with pytest.raises(error):
        relay.send(message())

    sink.rcpt = "250 Ok"
    assert relay.send(message()).delivery_status is DeliveryStatus.SENT


def test_silence_after_the_final_dot_is_uncertain(relay, sink):
    sink.silent = True

    with pytest.raises(Uncertain):
        relay.send(message())
    sink.silent = False
    assert relay.send(message()).delivery_status is DeliveryStatus.SENT


def test_nobody_there_is_unreachable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    channel = RelayChannel(host="127.0.0.1", port=port, tls="none", sender="a@example.org")

    with pytest.raises(Unreachable):
        channel.send(message())


def test_a_relay_without_starttls_is_never_sent_clear_text(relay, sink):
    relay._tls = "starttls"

    with pytest.raises(Unreachable):
        relay.send(message())
    assert not sink.mails


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\r\nBcc: b@example.org"},
        {"message_id": "a\r\nBcc: b@example.org"},
        {"recipient": Address(AddressScheme.MAILTO, "a@example.org\r\nBcc: b@example.org")},
        {"recipient": Address(AddressScheme.MAILTO, "no address")},
    ],
)
def test_line_breaks_in_fields_are_refused(relay, sink, changes):
    with pytest.raises(Rejected):
        relay.send(message(**changes))
    assert not sink.mails


def test_attachments_and_many_threads(relay, sink):
    file = Attachment("صورة.jpg", "image/jpeg", b"\xff\xd8")
    threads = [
        threading.Thread(target=relay.send, args=(message(attachments=(file,)),)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sink.mails) == 5
    mail = email.message_from_bytes(sink.mails[0][2], policy=policy.default)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["صورة.jpg"]
    assert mail["Content-Language"] == "ar"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/jpeg",
    ]
