# SPDX-License-Identifier: MIT
"""Content-Transfer-Encoding (RFC 2045, 6) undone: total, linear, in C wherever it is much."""

from __future__ import annotations

import binascii
import re

#: Pieces of base64 with padding of their own that are read one by one; the rest is read as one.
PIECE_LIMIT = 1_000
#: Files of uuencode that one text may hold.
FILE_LIMIT = 50

_LONGEST_WORD = 25
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_NO_BASE64 = bytes(byte for byte in range(256) if byte not in _ALPHABET + b"=")
_PADDING = re.compile(rb"=+")
_BEGIN = re.compile(rb"^begin(?:-base64)? ?[0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_END = re.compile(rb"^(?:end|====)[ \t]*\r?$", re.MULTILINE)
_UU_LINE = re.compile(rb"[^\n]+")
_UU_LETTERS = re.compile(rb"[ -`]+")
#: Blocks that turn out to be no files before the rest is left as text.
_BROKEN_FILES = 5
#: Lines of uuencode have 61 letters; a block of lines shorter than this is none.
_SHORTEST_LINE = 20


def undo(content: bytes, encoding: str) -> bytes:
    """The bytes that were encoded; what no encoding explains stays as it is."""
    if encoding == "base64":
        # Words with spaces between them were never encoded, whatever the header says.
        return content if content.count(b" ") * _LONGEST_WORD > len(content) else base64(content)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        files, _ = uuencoded_files(content)
        return files[0][1] if files else content
    return content


def base64(content: bytes) -> bytes:
    """Base64 with strange bytes in it, padding in its middle, none at its end (RFC 4648)."""
    clean = content.translate(None, _NO_BASE64)
    if b"=" in clean.rstrip(b"="):
        pieces = _PADDING.split(clean, PIECE_LIMIT)
        pieces[-1] = pieces[-1].replace(b"=", b"")
        return b"".join(map(_piece, pieces))
    return _piece(clean.rstrip(b"="))


def _piece(clean: bytes) -> bytes:
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def encoded_word(encoding: str, payload: bytes) -> bytes:
    """The bytes of one RFC 2047 word, ``B`` or ``Q``."""
    if encoding in "bB":
        return base64(payload.translate(_URL_SAFE))
    return binascii.a2b_qp(payload, header=True)


def uuencoded_files(content: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Take the files of uuencode (POSIX) out of a text.

    Returns:
        the files as name and bytes, and the text without them. A block that is not well formed
        to its end stays text.
    """
    files: list[tuple[bytes, bytes]] = []
    kept: list[bytes] = []
    position = 0
    broken = 0
    while len(files) < FILE_LIMIT and broken < _BROKEN_FILES:
        begin = _BEGIN.search(content, position)
        if begin is None:
            break
        end = _END.search(content, begin.end())
        if end is None:
            break
        decoded = _uudecode(content[begin.end() : end.start()])
        if decoded is None:
            broken += 1
            kept.append(content[position : begin.end()])
            position = begin.end()
            continue
        kept.append(content[position : begin.start()])
        files.append((begin[1].strip(), decoded))
        position = end.end()
    kept.append(content[position:])
    return files, b"".join(kept)


def _uudecode(block: bytes) -> bytes | None:
    if block.count(b"\n") * _SHORTEST_LINE > len(block) + 1_000:
        return None
    decoded = bytearray()
    for match in _UU_LINE.finditer(block):
        line = match[0].rstrip(b"\r")
        if not line:
            continue
        if _UU_LETTERS.fullmatch(line) is None:
            return None
        # Lines whose trailing spaces were lost on the way are filled up by the library.
        size = (line[0] - 32) & 63
        try:
            decoded += binascii.a2b_uu(line[: 1 + (size + 2) // 3 * 4])
        except binascii.Error:
            return None
    return bytes(decoded)
