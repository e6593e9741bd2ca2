# SPDX-License-Identifier: MIT
"""From bytes to an InboundMessage: the shapes of real mail, and of no mail at all."""

import base64
import contextlib
import email
import re
import time
from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.errors import MalformedMessage
from channels.mail import parts
from channels.mail.mime import read
from channels.message import InboundMessage

ARABIC = "السلام عليكم، أشتكي من انقطاع الماء في حينا منذ أسبوع"


def mail(raw: bytes, sender: str = "amina@example.org") -> InboundMessage:
    return read(raw, envelope_from=sender, envelope_to=("complaints@guichet.example",))


def plain(
    body: bytes, content_type: str = "text/plain; charset=utf-8", extra: bytes = b""
) -> bytes:
    return (
        b"From: Amina <amina@Example.ORG>\r\nMessage-ID: <1@example.org>\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\nSubject: Plainte\r\n"
        + extra
        + b"Content-Type: "
        + content_type.encode()
        + b"\r\n\r\n"
        + body
    )


def test_reads_every_field():
    message = mail(
        plain(
            b"Bonjour\r\nla rue est sombre\r\n",
            extra=b"In-Reply-To: <a@b>\r\nReferences: <x@y>\r\n\t<a@b>\r\nList-Id: <l.example>\r\n",
        )
    )

    assert message.message_id == "1@example.org"
    assert message.date == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert message.sender.value == "amina@example.org"
    assert message.sender.display_name == "Amina"
    assert message.recipient == "complaints@guichet.example"
    assert message.subject == "Plainte"
    assert message.text == message.full_text == "Bonjour\nla rue est sombre"
    assert message.in_reply_to == ("a@b",)
    assert message.references == ("x@y", "a@b")
    assert message.auto_submitted == "bulk"
    assert message.fields == {"return_path": "amina@example.org", "list": "1"}
    assert message.incomplete == ""


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ARABIC.encode("cp1256"), "text/plain; charset=windows-1256"),
        (ARABIC.encode("cp1256"), "text/plain; charset=cp-1256"),
        (ARABIC.encode("cp1256"), "text/plain"),
        (ARABIC.encode("cp1256"), "text/plain; charset=utf-8"),
        (ARABIC.encode("cp1256"), "text/plain; charset=x-unknown"),
        (ARABIC.encode("iso8859-6"), 'text/plain; charset="ISO-8859-6-i"'),
        (ARABIC.encode(), "text/plain; charset=uft-8"),
        (ARABIC.encode(), "text/plain; charset=us-ascii"),
        (ARABIC.encode(), "text/plain; charset=idna"),
        (ARABIC.encode("utf-16"), "text/plain; charset=utf-16"),
    ],
)
def test_arabic_in_every_charset(body, content_type):
    assert mail(plain(body, content_type)).text == ARABIC


@pytest.mark.parametrize("charset", ["iso-8859-1", "ansi_x3.110-1983", "", "unicode_escape", "zip"])
def test_french_in_eight_bits(charset):
    text = "Éclairage cassé, d’où l’obscurité à Aïn Sebaâ"
    assert mail(plain(text.encode("cp1252"), f"text/plain; charset={charset}")).text == text


def test_one_broken_character_does_not_spoil_a_page():
    body = (ARABIC * 5).encode() + b"\xff"
    assert mail(plain(body)).text == ARABIC * 5 + "\ufffd"


def test_headers_in_raw_eight_bits_and_encoded_words():
    def subject(value: bytes) -> str:
        return mail(b"From: a@example.org\r\nSubject: " + value + b"\r\n\r\nx").subject

    encoded = base64.b64encode(ARABIC.encode())
    # Cut inside a character, as many senders do.
    raw = ARABIC.encode()
    first, second = base64.b64encode(raw[:15]), base64.b64encode(raw[15:])
    assert subject(b"=?utf-8?B?" + encoded + b"?=") == ARABIC
    assert subject(b"=?utf-8?B?" + first + b"?=\r\n =?UTF-8?B?" + second + b"?=") == ARABIC
    assert subject(ARABIC.encode()) == ARABIC
    assert subject(ARABIC.encode("cp1256")) == ARABIC
    assert subject(b"=?iso-8859-1?Q?R=E9p=E9t=E9_?= et =?utf-8?q?=C3=A9?=") == "Répété  et é"
    assert subject(b"=?x-none?B?broken") == "=?x-none?B?broken"
    assert subject(b"=?utf-8?b?w6k?=") == "é"


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("amina@example.org", "amina@example.org", ""),
        ("<amina@example.org>", "amina@example.org", ""),
        ('"B, Amina" <amina@example.org>', "amina@example.org", "B, Amina"),
        ("=?utf-8?B?2KPZhdmK2YbYqQ==?= <amina@example.org>", "amina@example.org", "أمينة"),
        ('"=?utf-8?B?2KPZhdmK2YbYqQ==?=" <amina@example.org>', "amina@example.org", "أمينة"),
        ("أمينة <amina@example.org>", "amina@example.org", "أمينة"),
        ("Amina <amina@example.org", "amina@example.org", "Amina"),
        ("amina@example.org (Amina)", "amina@example.org", "Amina"),
        ("Amina [amina@example.org]", "amina@example.org", "Amina ["),
        ("", "path@example.org", ""),
        ("nobody", "path@example.org", ""),
    ],
)
def test_senders(field, value, name):
    message = mail(b"From: " + field.encode() + b"\r\nSubject: x\r\n\r\nx", "path@example.org")

    assert (message.sender.value, message.sender.display_name) == (value, name)


def multipart(kind: str, *pieces: str) -> bytes:
    body = "".join(f"--b\r\n{piece}\r\n" for piece in pieces)
    return plain(f"{body}--b--\r\n".encode(), f"multipart/{kind}; boundary=b")


PNG = "Content-Type: image/png{}\r\nContent-Transfer-Encoding: base64\r\n{}\r\niVBORw0KGgo="


@pytest.mark.parametrize(
    ("typed", "disposition", "name"),
    [
        ("", "attachment; filename=a.png", "a.png"),
        ("", "attachment; filename*=UTF-8''%D8%B5%D9%88%D8%B1%D8%A9.png", "صورة.png"),
        (
            "",
            "attachment; filename*0*=UTF-8''%D8%B5%D9; filename*1*=%88%D8%B1%D8%A9.png",
            "صورة.png",
        ),
        ("", "attachment; filename*=windows-1256''%D5%E6%D1%C9.png", "صورة.png"),
        ("", 'attachment; filename="=?utf-8?B?2LXZiNix2KkucG5n?="', "صورة.png"),
        ("", 'attachment; filename="صورة.png"', "صورة.png"),
        ('; name="صورة.png"', "attachment", "صورة.png"),
        ("", 'attachment; filename="../../etc/x.png"', "../../etc/x.png"),
        ("", "inline", ""),
    ],
)
def test_attachment_names(typed, disposition, name):
    message = mail(
        multipart(
            "mixed",
            "Content-Type: text/plain\r\n\r\nVoir photo",
            PNG.format(typed, f"Content-Disposition: {disposition}\r\n"),
        )
    )

    assert message.text == "Voir photo"
    assert [(file.filename, file.media_type) for file in message.attachments] == [
        (name, "image/png")
    ]
    assert message.attachments[0].content == b"\x89PNG\r\n\x1a\n"
    assert message.incomplete == ""


def test_html_only_becomes_text():
    page = "<html><body><p>Bonjour,</p><p>la rue est <b>sombre</b>&nbsp;!</p><script>x()</script>"

    text = mail(plain(page.encode(), "text/html; charset=utf-8")).text

    assert "Bonjour," in text
    assert "la rue est sombre" in text
    assert "x()" not in text
    assert "<" not in text


def test_alternative_takes_the_plain_text_unless_it_is_blank():
    page = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Page</p>"

    assert (
        mail(multipart("alternative", "Content-Type: text/plain\r\n\r\nMots", page)).text == "Mots"
    )
    assert mail(multipart("alternative", "Content-Type: text/plain\r\n\r\n ", page)).text == "Page"


def test_an_enclosed_mail_is_an_attachment():
    message = mail(
        multipart(
            "mixed",
            "Content-Type: text/plain\r\n\r\nVoir",
            "Content-Type: message/rfc822\r\n\r\nFrom: x@example.org\r\nSubject: y\r\n\r\nAutre",
        )
    )

    assert message.text == "Voir"
    assert message.attachments[0].media_type == "message/rfc822"
    assert b"Autre" in message.attachments[0].content


def test_only_an_answer_is_cut():
    body = (
        b"Nouveau\r\n\r\nLe 23 nov. 2026 a 10:00, G <a@b.example> a \xc3\xa9crit :\r\n> Ancien\r\n"
    )

    assert mail(plain(body)).text == mail(plain(body)).full_text
    answer = mail(plain(body, extra=b"In-Reply-To: <a@b>\r\n"))
    assert answer.text == "Nouveau"
    assert "Ancien" in answer.full_text


def test_a_bounce_tells_what_it_is_about():
    raw = (
        b"From: MAILER-DAEMON@example.org\r\nSubject: Undelivered\r\nContent-Type: multipart/report;"  # noqa: E501
        b" report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <0190@guichet.example>\r\n\r\nx\r\n--b--\r\n"  # noqa: E501
    )

    message = mail(raw, "")

    assert message.auto_submitted == "bounce"
    assert message.fields == {
        "return_path": "",
        "bounce_action": "failed",
        "bounce_status": "5.1.1",
        "bounce_message_id": "0190@guichet.example",
    }


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\x00\xff" * 50, b"\x16\x03\x01\x02", b"hello"])
def test_no_mail_is_malformed(raw):
    with pytest.raises(MalformedMessage):
        mail(raw)


def test_nul_and_surrogates_never_come_out():
    message = mail(plain(b"a\x00b" + b"\xed\xa0\x80", extra=b"X: \x00\r\n"))

    assert message.text.startswith("ab")
    message.text.encode()
    assert mail(plain(b"+2AA-", "text/plain; charset=utf-7")).text.encode()


def test_hostile_mail_is_read_in_time_or_refused():
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(2000)
    )
    rfc822 = b"Content-Type: message/rfc822\r\n\r\n" * 2000
    hostile = [
        nested,
        rfc822,
        b"From: " + b"a@b, " * 200_000,
        b"From: " + b"(" * 100_000 + b"\r\n\r\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 15_000 + b"\r\n\r\nx",
        b"Date: " + b"9" * 100_000 + b"\r\nSubject: x\r\n\r\nx",
        b"A: b\r\n" * 40_000 + b"\r\nx",
        plain(b"--b\r\n\r\nx\r\n" * 20_000, "multipart/mixed; boundary=b"),
        plain(b"<div>" * 40_000, "text/html"),
        plain(b"x", "text/plain; " + "a=b; " * 20_000),
        plain(b"x" * 5_000_000),
    ]
    for raw in hostile:
        begun = time.process_time()
        with contextlib.suppress(MalformedMessage):
            mail(raw)
        assert time.process_time() - begun < 3, raw[:60]


PIECES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            b"\r\n",
            b"\n",
            b"\r\n\r\n",
            b"From: ",
            b"<a@b>",
            b"Subject: ",
            b"=?utf-8?B?",
            b"?=",
            b"--b",
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"Content-Type: text/html\r\n",
            b"--b--",
            b"Content-Type: message/rfc822\r\n",
            b"Content-Transfer-Encoding: base64\r\n",
            b"=ED=A0=80",
            b"Content-Disposition: attachment; filename*0*=utf-7''+2AA-\r\n",
            b"\xd8\x00",
            b"charset=utf-7",
            b"Date: ",
            b"99999",
            b"Content-Type: text/plain; charset=utf-16-le\r\n",
            b"begin 644 a\n",
        ]
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_any_bytes_are_a_message_or_malformed(raw):
    try:
        message = mail(raw)
    except MalformedMessage:
        return
    texts = [
        message.text,
        message.full_text,
        message.subject,
        message.message_id,
        message.recipient,
    ]
    texts += [message.sender.value, message.sender.display_name, *message.references]
    texts += [file.filename + file.media_type for file in message.attachments]
    for text in texts:
        text.encode()
        assert "\x00" not in text


@pytest.mark.parametrize("folder", ["machines", "mime"])
def test_public_sets_are_read_without_a_crash(corpora, folder):
    count = 0
    for path in sorted((corpora / folder).rglob("*")):
        if not path.is_file() or path.suffix in (".json", ".list", ".golden", ".tnef"):
            continue
        if "COPYING" in path.name:
            continue
        raw = path.read_bytes()
        count += 1
        try:
            message = mail(raw)
        except MalformedMessage:
            assert b":" not in raw.split(b"\n", 1)[0], path.name
            continue
        message.full_text.encode()
        message.subject.encode()
    assert count > 100


def test_the_tree_is_the_one_of_the_standard_library(corpora):
    """On every mail in which the library finds nothing wrong."""

    def ours(part: parts.Part) -> tuple[object, ...]:
        if part.children:
            return (part.media_type, *map(ours, part.children))
        if part.media_type.startswith("message/"):
            return (part.media_type,)
        return (part.media_type, part.content.replace(b"\r\n", b"\n").strip())

    def theirs(part: Message) -> tuple[object, ...]:
        # The library keeps what follows a type without a semicolon as part of the type.
        media_type = re.split(r"[^\w./+-]", part.get_content_type())[0]
        if media_type.startswith("message/"):
            return (media_type,)
        if part.is_multipart():
            return (media_type, *map(theirs, part.get_payload()))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        return (media_type, content.replace(b"\r\n", b"\n").strip())

    compared = differing = 0
    for path in sorted(corpora.rglob("*")):
        if path.suffix not in (".eml", ".raw"):
            continue
        message = email.message_from_bytes(path.read_bytes())
        if any(part.defects for part in message.walk()):
            continue
        try:
            tree = parts.parse(path.read_bytes())
        except MalformedMessage:
            continue
        compared += 1
        differing += ours(tree.root) != theirs(message)

    assert compared > 300
    assert differing <= compared // 100
