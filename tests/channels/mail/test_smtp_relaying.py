# SPDX-License-Identifier: MIT
"""The mail door is no relay, and nothing is smuggled through it: neither in nor out."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from channels.errors import Rejected
from channels.mail.limits import Limits
from channels.mail.sender import RelayChannel
from channels.message import Address, AddressScheme, ChannelName, OutboundMessage
from guichet_testing.mail_door import DOMAIN, MAIL, MAILBOX, Intake, Peer, peer, serving

EVIL = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<" + MAILBOX.encode() + b">\r\nDATA\r\nevil\r\n"


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def client(intake) -> Iterator[Peer]:
    with serving(intake, Limits(max_errors=100)) as port, peer(port) as line:
        yield line


#: Each is refused, or taken as what it is: mail for ourselves.
FOREIGN = [
    "<somebody@elsewhere.example>",
    "<complaints@elsewhere.example>",
    f"<complaints@{DOMAIN}.elsewhere.example>",
    f"<complaints@elsewhere.{DOMAIN}>",
    f"<complaints@x{DOMAIN}>",
    f"<somebody%elsewhere.example@{DOMAIN}>",
    f"<complaints%elsewhere.example@{DOMAIN}>",
    f"<elsewhere.example!somebody@{DOMAIN}>",
    f"<{DOMAIN}!complaints@elsewhere.example>",
    f"<@{DOMAIN}:somebody@elsewhere.example>",
    f"<@{DOMAIN},@other.example:somebody@elsewhere.example>",
    f'<"somebody@elsewhere.example"@{DOMAIN}>',
    f'<"complaints@elsewhere.example"@{DOMAIN}>',
    f"<somebody@elsewhere.example@{DOMAIN}>",
    f"<complaints@{DOMAIN}@elsewhere.example>",
    '<"complaints@guichet.example"@elsewhere.example>',
    "<complaints@[127.0.0.1]>",
    "<complaints@[IPv6:::1]>",
    "<somebody@[192.0.2.1]>",
    "<complaints@localhost>",
    "<complaints@127.0.0.1>",
    "<complaints>",
    "<complaints@>",
    "<@>",
    "<>",
    f"<@{DOMAIN}>",
    f"<\u0441omplaints@{DOMAIN}>",
    f"<complaints@{DOMAIN},somebody@elsewhere.example>",
    f"<complaints@{DOMAIN}> <somebody@elsewhere.example>",
    f"<complaints@{DOMAIN};elsewhere.example>",
    f"<complaints\0@{DOMAIN}>",
    f"<complaints@{DOMAIN}\0.elsewhere.example>",
    f"<|/bin/sh@{DOMAIN}>",
    f'<"|/bin/sh"@{DOMAIN}>',
    f"<{'(' * 450}@{DOMAIN}>",
    "postmaster@elsewhere.example",
    "<postmaster@elsewhere.example>",
    f"<postmaster@{DOMAIN}@elsewhere.example>",
    "somebody@elsewhere.example",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_never_an_open_relay(client, intake, path):
    client.say("EHLO here")
    client.say("MAIL FROM:<a@example.org>")

    assert client.say(f"RCPT TO:{path}")[:3] in {"501", "550", "553", "555"}
    assert client.say("DATA").startswith("503 "), "no recipient was taken"
    assert not intake.seen


@pytest.mark.parametrize(
    "path",
    [
        f"<@relay.example:{MAILBOX}>",
        f"<@a.example,@b.example:{MAILBOX}>",
        f'<"complaints"@{DOMAIN}>',
        f"<complaints@{DOMAIN}.>",
        f" <{MAILBOX}>",
        MAILBOX,
        f"<{MAILBOX}",
        "<Postmaster>",
    ],
)
def test_odd_ways_to_write_our_own_address(client, intake, path):
    client.say("EHLO here")
    client.say("MAIL FROM:<>")

    assert client.say(f"RCPT TO:{path}").startswith("250 ")
    client.say("DATA")
    assert client.say(MAIL + ".").startswith("250 ")
    recipients = intake.seen[0][0].headers["envelope-to"]
    assert "relay" not in recipients
    assert recipients.rstrip(".").lower() in (MAILBOX, "postmaster")


def test_an_address_beyond_ascii_is_kept(client, intake):
    client.say("EHLO here")
    assert client.say("MAIL FROM:<شكوى@مثال.example> SMTPUTF8").startswith("250 ")
    client.say(f"RCPT TO:<{MAILBOX}>")
    client.say("DATA")
    assert client.say(MAIL + ".").startswith("250 ")
    assert intake.seen[0][0].headers["envelope-from"] == "شكوى@مثال.example"


@pytest.mark.parametrize(
    "mark",
    [
        *(b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n"),
        *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n", b"\n\n.\n\n", b"\r\n. \r\n"),
    ],
)
def test_nothing_is_smuggled_in(client, intake, mark):
    raw = MAIL.encode() + b"x" + mark + EVIL
    client.begin_data()

    stuffed = raw.replace(b"\r\n.", b"\r\n..") if mark == b"\r\n. \r\n" else raw
    assert client.say(stuffed + b".").startswith("250 ")
    assert client.say("NOOP").startswith("250 "), "nothing else was answered"
    assert len(intake.seen) == 1
    assert intake.seen[0][0].headers["envelope-from"] == "a@example.org"
    kept = intake.seen[0][0].body
    # The dot that begins a line after CRLF is taken off (RFC 5321, 4.5.2); all else stays.
    assert kept == stuffed.replace(b"\r\n.", b"\r\n")


@pytest.mark.parametrize("mark", ["\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r\n"])
def test_nothing_smuggled_leaves_us(mark):
    intake = Intake()
    words = f"Bonjour{mark}{EVIL.decode()}fin\r.\n\0\u2028."
    with serving(intake) as port:
        relay = RelayChannel(host="127.0.0.1", port=port, tls="none", sender=f"us@{DOMAIN}")
        relay.send(
            OutboundMessage(
                idempotency_key="1",
                channel=ChannelName.EMAIL,
                recipient=Address(AddressScheme.MAILTO, MAILBOX),
                subject="Dossier",
                text=words,
                language="fr",
            )
        )
        relay.close()
    assert len(intake.seen) == 1
    raw = intake.seen[0][0].body
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\0" not in raw
    message = intake.seen[0][1]
    assert message is not None
    assert "evil@example.org" in message.full_text, "the words are all there"


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\r\n\r\n"])
@pytest.mark.parametrize("place", ["subject", "display_name", "recipient", "in_reply_to"])
def test_no_header_field_is_added_by_words(place, breaks):
    intake = Intake()
    evil = f"Eau{breaks}Bcc: evil@example.org"
    address = Address(
        AddressScheme.MAILTO,
        f"{MAILBOX}{breaks}Bcc: evil@example.org" if place == "recipient" else MAILBOX,
        evil if place == "display_name" else "",
    )
    with serving(intake) as port:
        relay = RelayChannel(host="127.0.0.1", port=port, tls="none", sender=f"us@{DOMAIN}")
        message = OutboundMessage(
            idempotency_key="1",
            channel=ChannelName.EMAIL,
            recipient=address,
            subject=evil if place == "subject" else "Eau",
            text="Bonjour",
            language="fr",
            in_reply_to=evil if place == "in_reply_to" else "",
        )
        with suppress(Rejected):  # not to send it is as good
            relay.send(message)
        relay.close()
    for delivery, _ in intake.seen:
        head = delivery.body.split(b"\r\n\r\n")[0]
        assert not any(line.lower().startswith(b"bcc") for line in head.splitlines())
