# SPDX-License-Identifier: MIT
"""Mails damaged on purpose, without end and always the same for a seed.

Guided by coverage: a damaged mail that makes the reader run lines which none before it reached
becomes a seed itself. Lines are traced on a sample only, because tracing is slow.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from channels.errors import MalformedMessage
from channels.mail.mime import read
from channels.message import InboundMessage
from guichet_testing.bombs import BOMBS

ARABIC = "السلام عليكم، أشتكي من انقطاع الماء في حينا منذ أسبوع"
_ROOM = str(Path(sys.modules["channels.mail.mime"].__file__ or "").parent)
_SIZE_LIMIT = 200_000
_Damage = Callable[[bytes, random.Random, list[bytes]], bytes]
_CHARSETS = (
    b"utf-8", b"windows-1256", b"iso-8859-6", b"us-ascii", b"utf-16", b"utf-7", b"x-mac-arabic",
    b"cp720", b"cp864", b"uft-8", b"ansi_x3.110-1983", b"x-unknown", b"iso-gb2312", b"iso-2022-jp",
    b"idna", b"", b"\xff\x00", b"punycode", b"unicode_escape", b"hz", b"big5",
)  # fmt: skip
_TYPES = (
    b"text/html", b"text/plain", b"multipart/mixed; boundary=b", b"message/rfc822",
    b"application/ms-tnef", b"text/calendar", b"application/pkcs7-mime", b"multipart/report",
    b"message/delivery-status", b"text/enriched", b"multipart/alternative",
)  # fmt: skip
_CHARSET = re.compile(rb"charset=\"?[\w.-]*", re.IGNORECASE)
_TYPE = re.compile(rb"content-type:[^\r\n;]*", re.IGNORECASE)
_BOUNDARY = re.compile(rb"boundary=\"?([^\r\n\";]{1,70})", re.IGNORECASE)
_ENCODING = re.compile(rb"content-transfer-encoding:[^\r\n]*", re.IGNORECASE)
_PIECES = (
    b"\r\n\r\n", b"\n", b"\r", b"\x00", b"--", b"=?utf-8?B?", b"?=", b"=ED=A0=80", b"+2AA-",
    b"begin 644 a\n#0V%T\n`\nend\n",
    b"-----BEGIN PGP SIGNED MESSAGE-----\n\n", b"<!--", b"<script>",
    b"BEGIN:VEVENT\r\n", b"filename*0*=utf-7''+2AA-;", b"\x78\x9f\x3e\x22", b"\xff\xfe",
)  # fmt: skip


def own_seeds() -> list[bytes]:
    """Mails of every shape that the reader knows, small."""
    head = "From: Amina <a@b>\r\nSubject: =?utf-8?B?2YXYp9ih?=\r\nMessage-ID: <1@b>\r\n"
    page = f"<html><body><p dir=rtl>{ARABIC}</p><ul><li>a<li>b</ul></body></html>"
    parts = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + ARABIC + "\r\n"
    paged = parts + f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n--b--"
    files = (
        parts + "--b\r\nContent-Type: message/rfc822\r\n\r\n" + head + "\r\nAutre\r\n--b\r\n"
        "Content-Type: image/png; name*0*=utf-8''%D9%85;\r\n name*1=.png\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n--b\r\nContent-Type: text/calendar"
        "\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n"
        "DTSTART;TZID=Africa/Casablanca:20261123T100000\r\nEND:VEVENT\r\n--b--\r\n"
    )
    bodies = [
        ("text/plain; charset=windows-1256", ARABIC.encode("cp1256")),
        ("text/plain; charset=iso-8859-6", ARABIC.encode("iso8859-6")),
        ("text/plain; charset=iso-8859-1", "Éclairage cassé à Aïn Sebaâ".encode("cp1252")),
        ("text/plain; charset=utf-16", ARABIC.encode("utf-16")),
        ("text/html; charset=utf-8", page.encode()),
        ("multipart/alternative; boundary=b", paged.encode()),
        ("multipart/mixed; boundary=b", files.encode()),
        ("multipart/signed; boundary=b", files.encode()),
    ]
    made = [
        head.encode() + b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
        for kind, body in bodies
    ]
    return made + [BOMBS[name](2_000) for name in ("winmail", "sealed", "uuencode", "calendar")]


def corpus_seeds(corpora: Path) -> list[bytes]:
    """The mails of the public sets that are small enough to be read by the thousand."""
    paths = sorted(path for path in corpora.rglob("*") if path.suffix in (".eml", ".raw"))
    seeds = [path.read_bytes() for path in paths if path.stat().st_size < _SIZE_LIMIT // 4]
    for path in sorted(corpora.rglob("*.tnef")):
        if path.stat().st_size < _SIZE_LIMIT // 2:
            head = b"From: a@b\r\nContent-Type: application/ms-tnef\r\n\r\n"
            seeds.append(head + path.read_bytes())
    return seeds


def mutations(
    seeds: list[bytes], count: int, seed: int, *, traced_every: int = 0
) -> Iterator[bytes]:
    """``count`` damaged mails.

    Args:
        seeds: whole mails.
        count: how many to make.
        seed: of the chance that makes them.
        traced_every: trace each so-manieth mail for lines not reached before; 0: none.
    """
    chance = random.Random(seed)
    pool = list(seeds)
    reached: set[tuple[str, int, int]] = set()
    for number in range(count):
        mail = chance.choice(pool)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
            mail = chance.choice(_DAMAGES)(mail, chance, pool)[:_SIZE_LIMIT]
        if traced_every and number % traced_every == 0:
            new = arcs(mail) - reached
            if new:
                reached |= new
                pool.append(mail)
        yield mail


def arcs(mail: bytes) -> set[tuple[str, int, int]]:
    """The pairs of lines of the mail room that follow one another while ``mail`` is read."""
    found: set[tuple[str, int, int]] = set()
    last: dict[int, int] = {}

    def local(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            number = frame.f_lineno
            found.add((frame.f_code.co_filename, last.get(id(frame), 0), number))
            last[id(frame)] = number
        return local

    def entered(frame: FrameType, _event: str, _argument: Any) -> Any:
        return local if frame.f_code.co_filename.startswith(_ROOM) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        opened(mail)
    except MalformedMessage:
        pass
    finally:
        sys.settrace(before)
    return found


def opened(mail: bytes) -> InboundMessage:
    """Read a mail as the door does."""
    return read(mail, envelope_from="a@example.org", envelope_to=("complaints@g.example",))


def unclean(message: InboundMessage) -> str:
    """Which field of a message no database would take, or ``""``."""
    told = {
        "text": message.text,
        "full_text": message.full_text,
        "subject": message.subject,
        "message_id": message.message_id,
        "recipient": message.recipient,
        "sender": message.sender.value + message.sender.display_name,
        "references": "".join((*message.references, *message.in_reply_to)),
        "files": "".join(file.filename + file.media_type for file in message.attachments),
        "fields": "".join(message.fields.values()),
        "incomplete": message.incomplete,
    }
    for name, value in told.items():
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            return name
    return ""


# The damages


def _flip(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    damaged = bytearray(mail)
    for _ in range(chance.choice((1, 3, 20))):
        if damaged:
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def _span(mail: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(mail) + 1)
    return start, min(len(mail), start + chance.choice((1, 10, 100, 1000)))


def _truncate(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    return mail[: chance.randrange(len(mail) + 1)]


def _delete(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    start, end = _span(mail, chance)
    return mail[:start] + mail[end:]


def _repeat(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    start, end = _span(mail, chance)
    return mail[:end] + mail[start:end] * chance.choice((1, 5, 50)) + mail[end:]


def _insert(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    at = chance.randrange(len(mail) + 1)
    return mail[:at] + chance.choice(_PIECES) + mail[at:]


def _splice(mail: bytes, chance: random.Random, pool: list[bytes]) -> bytes:
    other = chance.choice(pool)
    return mail[: chance.randrange(len(mail) + 1)] + other[chance.randrange(len(other) + 1) :]


def _swap(pattern: re.Pattern[bytes], prefix: bytes, values: tuple[bytes, ...]) -> _Damage:
    def swap(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
        value = prefix + chance.choice(values)
        return pattern.sub(lambda _match: value, mail, count=chance.choice((0, 1)))

    return swap


def _boundaries(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    match = _BOUNDARY.search(mail)
    if match is None:
        return b"Content-Type: multipart/mixed; boundary=b\r\n" + mail
    name = match[1]
    game = chance.randrange(4)
    if game == 0:
        return mail.replace(b"--" + name + b"--", b"")
    if game == 1:
        return mail.replace(b"--" + name, b"--" + name[:-1])
    if game == 2:
        return mail.replace(b"\n--" + name, b"\n--" + name + b"x", 1)
    return mail.replace(b"\n--" + name, b"\n\n--" + name + b"\n--" + name)


def _line_ends(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    ending = chance.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n \r\n", b"\x0b"))
    return mail.replace(b"\r\n", b"\n").replace(b"\n", ending)


def _header_bomb(mail: bytes, chance: random.Random, _pool: list[bytes]) -> bytes:
    name = chance.choice((b"From: ", b"To: ", b"Subject: ", b"References: ", b"X: ", b"Date: "))
    piece = chance.choice((b"a@b, ", b"=?utf-8?q?a?= ", b"(", b'"', b"<", b" \r\n ", b"\xe9", b"9"))
    return name + piece * chance.choice((10, 1000, 20_000)) + b"\r\n" + mail


_DAMAGES: tuple[_Damage, ...] = (
    _flip,
    _truncate,
    _delete,
    _repeat,
    _insert,
    _splice,
    _boundaries,
    _line_ends,
    _header_bomb,
    _swap(_CHARSET, b"charset=", _CHARSETS),
    _swap(_TYPE, b"Content-Type: ", _TYPES),
    _swap(
        _ENCODING,
        b"Content-Transfer-Encoding: ",
        (b"base64", b"quoted-printable", b"x-uuencode", b"8bit", b"none"),
    ),
)
