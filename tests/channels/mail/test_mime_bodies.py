# SPDX-License-Identifier: MIT
"""Which words of a mail are its text, and what becomes of everything beside them."""

import pytest

from channels.mail.html_text import html_text
from channels.mail.mime import read
from channels.message import InboundMessage

HEAD = b"From: a@example.org\r\nSubject: x\r\n"


def mail(content_type: str, body: str | bytes) -> InboundMessage:
    raw = body if isinstance(body, bytes) else body.encode()
    whole = HEAD + b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw
    return read(whole, envelope_from="a@example.org", envelope_to=("c@g.example",))


def multipart(kind: str, *pieces: str) -> InboundMessage:
    body = "".join(f"--b\r\n{piece}\r\n" for piece in pieces)
    return mail(f"multipart/{kind}; boundary=b", f"{body}--b--\r\n")


def text(words: str) -> str:
    return f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}"


PAGE = "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Page</p>"


@pytest.mark.parametrize(
    "words",
    [
        "Your mail client does not show HTML.",
        "Votre messagerie ne peut pas afficher le HTML",
        "برنامج البريد لا يعرض HTML",
        " ",
    ],
)
def test_a_text_that_only_points_at_the_page_gives_way_to_it(words):
    assert multipart("alternative", text(words), PAGE).text == "Page"


def test_several_texts_are_joined_in_order():
    assert multipart("mixed", text("one"), PAGE, text("two")).text == "one\n\nPage\n\ntwo"


def test_a_forwarded_mail_is_found_and_is_no_words_of_the_sender():
    enclosed = f"Content-Type: message/rfc822\r\n\r\nSubject: Fuite\r\n{text('Autre')}"

    message = multipart("mixed", text("Voir"), enclosed)
    alone = multipart("mixed", enclosed)

    assert message.text == "Voir"
    assert message.full_text.startswith("Voir\n\n____")
    assert message.full_text.endswith("Fuite\n\nAutre")
    assert "Autre" in alone.text
    assert message.attachments[0].media_type == "message/rfc822"


def test_an_invitation_is_a_line_and_a_file():
    event = (
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n"
        "BEGIN:VEVENT\r\nSUMMARY:Réunion\\, eau\r\nLOCATION:Fès\r\n"
        "DTSTART;TZID=Africa/Casablanca:20261123T100000\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    message = multipart("mixed", text("Venez"), event)

    assert message.text == "Venez\n\nREQUEST, Réunion, eau, Fès, 2026-11-23 10:00"
    assert message.attachments[0].filename == "invite.ics"


def test_signed_mail_is_read_and_its_signature_kept():
    message = multipart(
        "signed", text("Mots"), "Content-Type: application/pgp-signature\r\n\r\nsignature"
    )
    assert message.text == "Mots"
    assert message.attachments[0].filename == "signature.asc"
    assert message.incomplete == ""


@pytest.mark.parametrize("indefinite", [False, True])
def test_a_mail_inside_a_signature_is_read(indefinite):
    inside = b"Content-Type: text/plain\r\n\r\nMots"
    octets = bytes((4, len(inside))) + inside
    if indefinite:
        octets = b"\x24\x80" + bytes((4, 10)) + inside[:10]
        octets += bytes((4, len(inside) - 10)) + inside[10:] + b"\0\0"
    data = bytes.fromhex("3080") + bytes.fromhex("06092a864886f70d010701a080") + octets
    content = bytes.fromhex("308006092a864886f70d010702a0803080020101") + data

    message = mail("application/pkcs7-mime; smime-type=signed-data", content)

    assert message.text == "Mots"
    assert message.attachments[0].filename == "smime.p7m"


def test_encrypted_mail_says_so():
    content = bytes.fromhex("308006092a864886f70d010703a080")
    assert "encrypted" in mail("application/pkcs7-mime", content).incomplete
    assert "encrypted" in multipart("encrypted", text("Version: 1")).incomplete
    armour = "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----"
    assert "encrypted" in mail("text/plain", armour).incomplete


def test_clear_signed_words_lose_their_armour_only_when_it_is_whole():
    whole = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nMots\n- -- fin\n"
        "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    )
    assert mail("text/plain", whole).text == "Mots\n-- fin"
    assert mail("text/plain", whole[:60]).text == whole[:60].strip()


def test_uuencoded_files_are_files():
    message = mail("text/plain", "Voici\nbegin 644 eau.txt\n#0V%T\n`\nend\nMerci\n")
    assert message.text == "Voici\n\nMerci"
    assert [(one.filename, one.content) for one in message.attachments] == [("eau.txt", b"Cat")]
    assert mail("text/plain", "begin 644 plainte\nla rue\n").text == "begin 644 plainte\nla rue"


def test_words_declared_as_base64_that_are_none_are_kept():
    raw = HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nLa rue est sombre depuis un mois\r\n"
    assert read(raw, envelope_from="", envelope_to=()).text == "La rue est sombre depuis un mois"


def test_an_unknown_charset_is_noted():
    assert mail("text/plain; charset=x-none", "é").incomplete == "unknown charset: x-none"


def test_comments_inside_comments_do_not_hide_the_sender():
    raw = b"From: " + b"(" * 500 + b" a@example.org\r\n\r\nx"
    assert read(raw, envelope_from="", envelope_to=()).sender.value == "a@example.org"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<p dir=rtl>انقطاع <b>الماء</b> منذ 3 أيام</p>", "انقطاع الماء منذ 3 أيام"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<ul><li>a<li>b</ul>", "  * a\n  * b"),
        ("<ol><li>a</li><li>b</li></ol>", "  1. a\n  2. b"),
        ("<a href='https://e.example'>lien</a>", "lien"),
        ("x<script>y</script><style>z</style>w", "xw"),
        ("<head><title>t</title></head><body>b", "b"),
        ("a <script> b", "a b"),
        ("a <!-- b", "a <!-- b"),
        ("1 < 2 &amp; 3 &eacute;", "1 < 2 & 3 é"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc"),
        ("<p>a</p><blockquote type=cite><p>b<br>c</p></blockquote><p>d</p>", "a\n\n> b\n> c\n\nd"),
        ("<blockquote class='gmail_quote'>a<pre>b\nc</pre></blockquote>d", "> a\n\n> b\n> c\n\nd"),
        ("<blockquote cite='mid:x'>a<blockquote>b</blockquote></blockquote>c", "> a\n> b\nc"),
        # People's own indentation quotes nobody.
        ("<blockquote style='margin: 0 0 0 40px'>a</blockquote>b", "a\nb"),
    ],
)
def test_pages_become_text(page, words):
    assert html_text(page) == words


def test_answers_between_the_quoted_words_of_a_page_are_kept():
    page = (
        "<p>Bonjour,</p><div>Le 03/03/2026 à 14:22, Guichet a écrit :<br></div>"
        "<blockquote type='cite'><p>Quelle rue ?</p></blockquote><p>Rue Oqba.</p>"
        "<blockquote type='cite'><p>Depuis quand ?</p></blockquote><p>Lundi.</p>"
    )
    raw = f"Subject: Re: x\nContent-Type: text/html; charset=utf-8\n\n{page}".encode()
    new = (
        "Bonjour, Le 03/03/2026 à 14:22, Guichet a écrit : > Quelle rue ? Rue Oqba. "
        "> Depuis quand ? Lundi."
    )
    assert " ".join(read(raw, envelope_from="", envelope_to=()).text.split()) == new
