# SPDX-License-Identifier: MIT
"""Signed and encrypted mail, read as far as it can be without a key.

A signature is never checked here and proves nothing: only the words are looked for.
"""

from __future__ import annotations

import re

ENCRYPTED = "the mail is encrypted: its words cannot be read here"
UNREADABLE = "the mail is signed in a form that could not be opened"

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_ENVELOPED = (
    bytes.fromhex("06092a864886f70d010703"),
    bytes.fromhex("060b2a864886f70d0109100117"),
)
_OCTETS, _CONSTRUCTED_OCTETS, _OCTETS_INSIDE = 0x04, 0x24, 0xA0
_PIECES = 200_000
_DEPTH = 8
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "\n-----BEGIN PGP SIGNATURE-----"
_END = "\n-----END PGP SIGNATURE-----"
_ARMOUR_HEAD = re.compile(r"[ \t]*\r?\n(?:[A-Za-z]{1,20}: [^\n]{0,200}\n){0,9}\r?\n")
_DASHES = re.compile(r"^- (?=-|From )", re.MULTILINE)
PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"


def is_enveloped(content: bytes) -> bool:
    """Whether a CMS object (RFC 5652) holds encrypted content."""
    return any(kind in content[:64] for kind in _ENVELOPED)


def signed_content(content: bytes) -> bytes | None:
    """The MIME entity inside a signed CMS object (RFC 5652, 5), or ``None``.

    A light walk over DER or BER: behind the identifier ``data`` stands an explicit tag, in it the
    octets, whole or in pieces.
    """
    start = content.find(_SIGNED_DATA, 0, 64)
    at = content.find(_DATA, start, start + 4096) if start >= 0 else -1
    if at < 0:
        return None
    header = _header(content, at + len(_DATA))
    if header is None or header[0] != _OCTETS_INSIDE:
        return None
    pieces: list[bytes] = []
    return b"".join(pieces) if _octets(content, header[1], pieces, 0) >= 0 and pieces else None


def _header(content: bytes, position: int) -> tuple[int, int, int] | None:
    """Tag, where its value begins, and its length (-1: indefinite, X.690 8.1.3.6)."""
    if position + 2 > len(content):
        return None
    tag, length = content[position], content[position + 1]
    position += 2
    if length == 0x80:  # noqa: PLR2004
        return tag, position, -1
    if length > 0x80:  # noqa: PLR2004
        count = length & 0x7F
        if count > 4 or position + count > len(content):  # noqa: PLR2004 - four gigabytes
            return None
        length = int.from_bytes(content[position : position + count], "big")
        position += count
    return tag, position, length


def _octets(content: bytes, position: int, pieces: list[bytes], depth: int) -> int:
    """Collect one octet string; where it ends, -1 when it is none."""
    header = _header(content, position)
    if header is None or depth > _DEPTH or len(pieces) > _PIECES:
        return -1
    tag, begun, length = header
    if tag == _OCTETS and length >= 0:
        pieces.append(content[begun : begun + length])
        return begun + length
    if tag != _CONSTRUCTED_OCTETS:
        return -1
    end = len(content) if length < 0 else min(begun + length, len(content))
    while begun < end:
        if length < 0 and content[begun : begun + 2] == b"\x00\x00":
            return begun + 2
        begun = _octets(content, begun, pieces, depth + 1)
        if begun < 0:
            return -1
    return begun


def without_armour(text: str) -> str:
    """Clear-signed words (RFC 9580, 7) without what surrounds them; else the text as it is."""
    begun = text.find(_SIGNED)
    if begun < 0:
        return text
    head = _ARMOUR_HEAD.match(text, begun + len(_SIGNED))
    signature = text.find(_SIGNATURE, begun)
    end = text.find(_END, signature) if signature >= 0 else -1
    if head is None or end < 0 or signature < head.end() - 1:
        return text
    words = _DASHES.sub("", text[head.end() : signature + 1])
    return text[:begun] + words + text[end + len(_END) :].lstrip("\r\n")
