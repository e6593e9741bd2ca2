# SPDX-License-Identifier: MIT
"""Mails made to cost a reader its time or its memory, each of a given size.

``python -m guichet_testing.bombs NAME BYTES`` reads one of them in a process of its own and prints
a line of JSON: the mail's size, CPU seconds, what the reading added to the peak of memory, and how
it ended.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable

from channels.errors import MalformedMessage
from channels.mail.mime import read

HEAD = b"From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"


def _typed(content_type: bytes, body: bytes, encoding: bytes = b"8bit") -> bytes:
    return (
        HEAD + b"Content-Type: " + content_type + b"\r\nContent-Transfer-Encoding: "
        + encoding + b"\r\n\r\n" + body
    )  # fmt: skip


def _filled(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def _page(piece: bytes, size: int) -> bytes:
    return _typed(b"text/html; charset=utf-8", _filled(piece, size))


def _mixed(body: bytes) -> bytes:
    return _typed(b"multipart/mixed; boundary=b", body)


def _nested(size: int) -> bytes:
    layers = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(45)
    )
    return HEAD + layers + b"\r\n" + _filled(b"--b\r\n", size)


def _mails(size: int) -> bytes:
    return HEAD + _filled(b"Content-Type: message/rfc822\r\n\r\nSubject: y\r\n", size) + b"\r\nx"


def _calendar(size: int) -> bytes:
    body = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + _filled(b"SUMMARY;a;b=c;d:x\r\n", size)
    return _typed(b"text/calendar", body)


def _winmail(size: int) -> bytes:
    properties = b"\xff\xff\xff\xff" + b"\x02\x10\x00\x10\xff\xff\xff\xff" + b"\0" * 8
    many = b"\x02\x05\x90\x00\x00\x00\x00\x00\x00\x00\x00"
    whole = b"\x01\x03\x90\x00\x00" + len(properties).to_bytes(4, "little") + properties + b"\0\0"
    return _typed(
        b"application/ms-tnef", b"\x78\x9f\x3e\x22\0\0" + whole + _filled(many, size), b"binary"
    )


def _sealed(size: int) -> bytes:
    head = bytes.fromhex("308006092a864886f70d010702a080308006092a864886f70d010701a0802480")
    return _typed(b"application/pkcs7-mime", head + _filled(b"\x04\x01a", size), b"binary")


BOMBS: dict[str, Callable[[int], bytes]] = {
    "many parts": lambda size: _mixed(_filled(b"--b\r\n\r\nx\r\n", size)),
    "empty parts": lambda size: _mixed(_filled(b"--b\n", size)),
    "false delimiters": lambda size: _mixed(b"--b\r\n\r\n" + _filled(b"--bx\n", size)),
    "no end": lambda size: _mixed(b"--b\r\n\r\n" + _filled(b"word\r\n", size)),
    "no delimiter": lambda size: _mixed(_filled(b"-\n", size)),
    "base64": lambda size: _typed(b"image/png", _filled(b"QUJD" * 19 + b"\r\n", size), b"base64"),
    "base64 in pieces": lambda size: _typed(b"image/png", _filled(b"QQ==", size), b"base64"),
    "quoted-printable": lambda size: _typed(
        b"text/plain", _filled(b"=", size), b"quoted-printable"
    ),
    "nested": _nested,
    "mails in mails": _mails,
    "tables": lambda size: _page(b"<table><tr><td>x", size),
    "lists": lambda size: _page(b"<ul><li>x", size),
    "one row": lambda size: _page(b"<td>x", size),
    "wide": lambda size: _page(b"<p style='padding-left:99999999px'>x<table><tr><td>", size),
    "quotation marks": lambda size: _page(b"<a \"'", size),
    "comments": lambda size: _page(b"<!--", size),
    "dashes": lambda size: _page(b"<!-- - -- ->", size),
    "scripts": lambda size: _page(b"<script>", size),
    "entities": lambda size: _page(b"&amp", size),
    "breaks": lambda size: _page(b"<br>", size),
    "one line": lambda size: _typed(b"text/plain", _filled(b"x", size)),
    "line ends": lambda size: _typed(b"text/plain", _filled(b"\n", size)),
    "carriage returns": lambda size: _typed(b"text/plain", _filled(b"\r", size)),
    "quotes": lambda size: _typed(b"text/plain", _filled(b"> a\n", size)),
    "spaces": lambda size: _typed(b"text/plain", _filled(b" ", size)),
    "eight bits": lambda size: _typed(b"text/plain", _filled(b"\xc7\xe1 \xe9t", size)),
    "utf-7": lambda size: _typed(b"text/plain; charset=utf-7", _filled(b"+2AA-", size)),
    "uuencode": lambda size: _typed(
        b"text/plain", _filled(b"begin 644 a\n#0V%T\n", size) + b"end\n"
    ),
    "uuencode lines": lambda size: _typed(
        b"text/plain", b"begin 644 a\n" + _filled(b"#0V%T\n", size) + b"end\n"
    ),
    "clear-signed": lambda size: _typed(
        b"text/plain", _filled(b"-----BEGIN PGP SIGNED MESSAGE-----\n\n", size)
    ),
    "header fields": lambda size: HEAD + _filled(b"X: y\r\n", size) + b"\r\nx",
    "header fields of a part": lambda size: _mixed(b"--b\r\n" + _filled(b"X: y\r\n", size)),
    "header fields in limits": lambda _size: HEAD + _filled(b"a:b\r\n", 250_000) + b"\r\nx",
    "folds": lambda _size: HEAD + b"X: y\r\n" + _filled(b" \r\n", 250_000) + b"\r\nx",
    "one field": lambda size: HEAD + b"X: " + _filled(b"y", size) + b"\r\n\r\nx",
    "recipients": lambda size: HEAD + b"To: " + _filled(b"a@b.example, ", size) + b"\r\n\r\nx",
    "recipients in limits": lambda _size: HEAD + b"To: " + _filled(b"a@b.example, ", 250_000)
    + b"\r\n\r\nx",
    "encoded words": lambda _size: b"From: a@b\r\nSubject: " + _filled(b"=?utf-8?q?a?= ", 250_000)
    + b"\r\n\r\nx",
    "broken words": lambda _size: b"From: a@b\r\nSubject: " + _filled(b"=?a?q?", 250_000)
    + b"\r\n\r\nx",
    "brackets": lambda _size: b"From: " + _filled(b'(<"', 250_000) + b"\r\n\r\nx",
    "references": lambda _size: HEAD + b"References: " + _filled(b"<a@b> ", 250_000) + b"\r\n\r\nx",
    "continuations": lambda _size: _typed(
        b"text/plain" + b"".join(b"; name*%d*=%%41" % n for n in range(10_000)), b"x"
    ),
    "parameters": lambda _size: _typed(b"text/plain" + b'; a="\\' * 40_000, b"x"),
    "calendar": _calendar,
    "winmail": _winmail,
    "sealed": _sealed,
}  # fmt: skip


def measured(raw: bytes) -> dict[str, object]:
    """Read ``raw`` twice: for the time, and (many times slower) for the memory."""
    gc.collect()
    began = time.process_time()
    ended = "read"
    try:
        read(raw, envelope_from="a@example.org", envelope_to=("b@example.org",))
    except MalformedMessage:
        ended = "malformed"
    seconds = time.process_time() - began
    gc.collect()
    tracemalloc.start()
    try:
        read(raw, envelope_from="a@example.org", envelope_to=("b@example.org",))
    except MalformedMessage:
        ended = "malformed"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "bytes": len(raw),
        "cpu_seconds": round(seconds, 3),
        "peak_bytes": peak,
        "resident_kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "ended": ended,
    }


if __name__ == "__main__":
    print(json.dumps(measured(BOMBS[sys.argv[1]](int(sys.argv[2])))))
