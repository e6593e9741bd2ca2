# SPDX-License-Identifier: MIT
"""What a gateway leaves behind outside its record, and a search for what must not be in it.

Traces are the output of its processes, the files of its data folder, all that its queue ever held
and its figures. The record itself (the database) is where citizens' words belong: it is no trace.
"""

from __future__ import annotations

import binascii
import json
import quopri
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis

RECORD = ("guichet.sqlite3", "valkey/appendonlydir/")
ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
#: What people and programs put between digits: spaces, dashes, dots, brackets, bidi marks.
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-.()/\u200e\u200f\u2066-\u2069\u00a0\u202f]+(?=\d)")
_CONTEXT = 90


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that was left behind: where it was found, and its bytes."""

    where: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Planted:
    """A value that must not be found.

    Attributes:
        what: what it is, for the message of a failing test.
        value: words, an address, a number in E.164, or digits as they are shown.
        kind: ``words``; ``number`` and ``code`` are looked for in every way to write digits;
            ``pin`` is too short for that and is looked for as a number of its own.
    """

    what: str
    value: str
    kind: str = "words"

    @property
    def spellings(self) -> tuple[str, ...]:
        """The value as a person might write it."""
        bare = re.sub(r"[+\-]", "", self.value)
        if self.kind == "number":
            national = bare.removeprefix("212")
            return (self.value, bare, f"0{national}", f"00{bare}")
        if self.kind == "code":
            return (self.value, bare)
        mailbox, at, _ = self.value.partition("@")
        return (self.value, mailbox) if at else (self.value,)


@dataclass(frozen=True, slots=True)
class Views:
    """The text of a trace in the three ways it is looked at."""

    exact: str
    folded: str
    digits: str

    @classmethod
    def of(cls, content: bytes) -> Views:
        """Any bytes."""
        exact = content.decode("utf-8", "replace").translate(ARABIC_DIGITS)
        # JSON inside JSON, or a representation inside a string: each layer doubles a backslash.
        folded = re.sub(r"\\+", r"\\", exact.casefold())
        return cls(exact, folded, _BETWEEN_DIGITS.sub("", folded))


def find(planted: Iterable[Planted], trace: Trace) -> list[str]:
    """Tell of every planted value that a trace holds, in whatever form, with what stands around."""
    views = Views.of(trace.content)
    found = []
    for one in planted:
        hit = _hit(one, views)
        if hit is not None:
            form, view, at = hit
            around = view[max(0, at - _CONTEXT) : at + _CONTEXT]
            found.append(f"{one.what} ({form}) in {trace.where}: …{around!r}…")
    return found


def _hit(one: Planted, views: Views) -> tuple[str, str, int] | None:
    if one.kind == "pin":
        # Six digits alone: neither a fraction of a second nor a part of an identifier.
        match = re.search(rf"(?<![0-9a-z.]){one.value}(?![0-9a-z])", views.folded)
        if match:
            return "plain", views.folded, match.start()
    elif one.kind in ("number", "code"):
        at = views.digits.find(one.spellings[1].removeprefix("212"))
        if at >= 0:
            return "digits", views.digits, at
    for spelling in one.spellings:
        raw = spelling.encode()
        for form, needle in _folded_forms(spelling):
            if one.kind == "pin" and form == "plain":
                continue
            at = views.folded.find(needle)
            if at >= 0:
                return form, views.folded, at
        for needle in _base64_forms(raw):
            for alphabet in (needle, needle.translate(str.maketrans("+/", "-_"))):
                at = views.exact.find(alphabet)
                if at >= 0:
                    return "base64", views.exact, at
    return None


def _folded_forms(spelling: str) -> Iterator[tuple[str, str]]:
    """How programs write a text: as it is, and as the usual encodings make it."""
    raw = spelling.encode()
    yield "plain", spelling.casefold()
    yield "hexadecimal", raw.hex()
    for form, text in (
        ("url-encoded", quote(spelling, safe="")),
        ("JSON", json.dumps(spelling)[1:-1]),
        ("bytes", repr(raw)[2:-1]),
        ("quoted-printable", quopri.encodestring(raw).decode()),
    ):
        if text != spelling:
            yield form, text.casefold()


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What base64 of any text that holds ``raw`` must hold, by where in it ``raw`` begins."""
    for ahead in range(3):
        text = b64encode(bytes(ahead) + raw).decode()
        yield text[-(-8 * ahead // 6) : 8 * (ahead + len(raw)) // 6]


def files(data_dir: Path) -> Iterator[Trace]:
    """Every file of a data folder but the record, with its name."""
    for path in sorted(data_dir.rglob("*")):
        name = str(path.relative_to(data_dir))
        if path.is_file() and not name.startswith(RECORD):
            yield Trace(f"file {name}", name.encode() + b"\n" + path.read_bytes())


def queue_history(data_dir: Path) -> Iterator[Trace]:
    """Every write the queue ever took, from its append-only file; packed words unpacked."""
    for path in sorted(data_dir.glob("valkey/**/*.aof")):
        for words in _commands(path.read_bytes()):
            yield Trace(f"queue: {words[0].decode()}", b"\n".join(_unpacked(words)))


def queue_now(url: str) -> Iterator[Trace]:
    """Every key that the queue holds now, with its whole value; packed words unpacked."""
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            words = [key, *_value(client, key)]
            yield Trace(f"queue key {key!r}", b"\n".join(_unpacked(words)))


def _value(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key).decode()
    if kind == "string":
        yield client.get(key) or b""
    elif kind == "hash":
        for pair in client.hgetall(key).items():
            yield from pair
    elif kind == "list":
        yield from client.lrange(key, 0, -1)
    elif kind == "set":
        yield from client.smembers(key)
    elif kind == "zset":
        yield from client.zrange(key, 0, -1)
    elif kind == "stream":
        for _, pairs in client.xrange(key):
            for pair in pairs.items():
                yield from pair
    elif kind != "none":  # it was there when the keys were listed, and has run out since
        raise AssertionError(f"a key of a kind that is not read here: {kind}")


def _commands(raw: bytes) -> Iterator[Sequence[bytes]]:
    """The commands of an append-only file: ``*2``, then twice ``$length`` and that many bytes."""
    stream = BytesIO(raw)
    while line := stream.readline():
        words = []
        for _ in range(int(line.removeprefix(b"*"))):
            size = int(stream.readline().removeprefix(b"$"))
            words.append(stream.read(size))
            stream.readline()
        yield words


def _unpacked(words: Iterable[bytes]) -> Iterator[bytes]:
    """Each word, and what is in it: RQ packs with zlib, in its results base64 around that."""
    for word in words:
        yield word
        for packed in (word, _from_base64(word)):
            try:
                yield zlib.decompress(packed)
            except zlib.error:
                continue


def _from_base64(word: bytes) -> bytes:
    try:
        return b64decode(word, validate=True)
    except binascii.Error:
        return b""
