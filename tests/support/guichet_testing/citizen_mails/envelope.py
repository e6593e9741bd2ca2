# SPDX-License-Identifier: MIT
"""From fields and words to the bytes of a mail, without the care of a library: as clients err."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterable
from dataclasses import dataclass

from guichet_testing.citizen_mails.citizen_mail import CitizenMail, folded

ENCODINGS = ("quoted-printable", "base64", "8bit")
GUICHET = "plaintes@guichet.example"


@dataclass(frozen=True)
class Citizen:
    """Who writes: an address and a name that belongs to nobody."""

    address: str
    display_name: str


CITIZENS = (
    Citizen("citoyenne.sale@courriel.example", "Citoyenne de Salé"),
    Citizen("mouwatin.fes@barid.test", "مواطن من فاس"),
    Citizen("resident.agadir@mail.test", "Resident of Agadir"),
    Citizen("mouwatina.tanja@barid.test", "مواطنة من طنجة"),
    Citizen("habitant_oujda@courriel.example", "Habitant d’Oujda"),
    Citizen("weld-lhouma@mail.test", "Weld L7ouma"),
)


def b_word(text: str, charset: str = "utf-8", named: str = "") -> str:
    """An encoded word (RFC 2047), base64."""
    return f"=?{named or charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


def q_word(text: str, charset: str = "utf-8", named: str = "") -> str:
    """An encoded word (RFC 2047), quoted-printable."""
    letters = (
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"={byte:02X}"
        for byte in text.encode(charset)
    )
    return f"=?{named or charset}?Q?{''.join(letters).replace('=20', '_')}?="


def field(text: str) -> str:
    """A field's words: bare in ASCII, else in encoded words that each hold whole characters."""
    if text.isascii():
        return text
    pieces = [text[at : at + 14] for at in range(0, len(text), 14)]
    return "\r\n ".join(b_word(piece) for piece in pieces)


def entity(
    text: str,
    media_type: str = "text/plain",
    *,
    charset: str = "utf-8",
    declared: str | None = None,
    encoding: str = "quoted-printable",
) -> bytes:
    """A part of text: its fields and its encoded words. ``declared=""`` declares no charset."""
    label = charset if declared is None else declared
    octets = text.replace("\n", "\r\n").encode(charset)
    if encoding == "quoted-printable":
        octets = b"".join(quopri.encodestring(line) for line in octets.splitlines(keepends=True))
    elif encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    parameter = f"; charset={label}" if label else ""
    head = f"Content-Type: {media_type}{parameter}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + octets


def attached(head: str | bytes, content: bytes) -> bytes:
    """A file: its fields as given, its content in base64."""
    octets = head.encode() if isinstance(head, str) else head
    return octets + b"\r\n\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n")


def multipart(subtype: str, *parts: bytes) -> bytes:
    """Several parts in one (RFC 2046, 5.1)."""
    edge = f"edge-{subtype}-{len(parts)}"
    body = b"".join(f"--{edge}\r\n".encode() + part + b"\r\n" for part in parts)
    head = f'Content-Type: multipart/{subtype}; boundary="{edge}"\r\n\r\n'.encode()
    return head + body + f"--{edge}--\r\n".encode()


def sent(
    name: str,
    content: bytes,
    *,
    citizen: Citizen,
    subject: str,
    language: str,
    new_text: str | Iterable[str],
    whole: str = "",
    charset: str = "utf-8",
    answers: bool = False,
    from_field: str | bytes = "",
    subject_field: str | bytes = "",
    kept: str = "",
    attachments: tuple[tuple[str, bytes], ...] = (),
) -> CitizenMail:
    """A whole mail. ``answers`` sets In-Reply-To and References, as a client does."""
    accepted = (new_text,) if isinstance(new_text, str) else tuple(new_text)
    fields: list[tuple[str, str | bytes]] = [
        ("From", from_field or f"{field(citizen.display_name)} <{citizen.address}>"),
        ("To", f"Guichet <{GUICHET}>"),
        ("Subject", subject_field or field(subject)),
        ("Date", "Wed, 04 Mar 2026 09:30:00 +0100"),
        ("Message-ID", f"<{name.replace('/', '.').replace(' ', '-')}@client.example>"),
        ("MIME-Version", "1.0"),
    ]
    if answers:
        fields += [
            ("In-Reply-To", "<notice.1@guichet.example>"),
            ("References", "<notice.0@guichet.example>\r\n <notice.1@guichet.example>"),
        ]
    head = b"".join(
        key.encode() + b": " + (value.encode() if isinstance(value, str) else value) + b"\r\n"
        for key, value in fields
    )
    return CitizenMail(
        name=name,
        raw=head + content,
        envelope_from=citizen.address,
        sender=citizen.address,
        display_name=citizen.display_name,
        subject=subject,
        charset=charset,
        language=language,
        new_text=accepted,
        kept=tuple(folded(kept or accepted[0])),
        whole=whole or accepted[0],
        attachments=attachments,
    )
