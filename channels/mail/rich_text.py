# SPDX-License-Identifier: MIT
"""The words of rich text, compressed as Outlook sends it (MS-OXRTFCP, MS-OXRTFEX)."""

from __future__ import annotations

import re
import struct

from channels.mail.charset import decode
from channels.mail.html_text import html_text

#: Bytes of rich text that are unpacked.
RICH_TEXT_LIMIT = 1_000_000

_PRELOADED = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_WINDOW = 4096
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
#: Groups that hold no words of the text.
_SILENT = frozenset(
    (
        b"fonttbl",
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"generator",
        b"themedata",
        b"objdata",
    )
)
_WRITTEN = {b"par": "\n", b"line": "\n", b"tab": "\t", b"cell": "\t", b"row": "\n"}
_DEPTH_LIMIT = 500


def unpack(content: bytes) -> bytes:
    """Undo the compression of MS-OXRTFCP; what was unpacked where it breaks off. Never raises."""
    if len(content) < 16:  # noqa: PLR2004 - its header
        return b""
    size = min(struct.unpack_from("<I", content, 4)[0], RICH_TEXT_LIMIT)
    if content[8:12] == _PLAIN:
        return content[16 : 16 + size]
    if content[8:12] != _COMPRESSED:
        return b""
    out = bytearray(_PRELOADED)
    wanted = len(_PRELOADED) + size
    position = 16
    while position < len(content) and len(out) < wanted:
        flags = content[position]
        position += 1
        for bit in range(8):
            if position >= len(content) or len(out) >= wanted:
                break
            if not flags >> bit & 1:
                out.append(content[position])
                position += 1
                continue
            if position + 1 >= len(content):
                position = len(content)
                break
            pair = content[position] << 8 | content[position + 1]
            position += 2
            back = (len(out) - (pair >> 4)) % _WINDOW
            if back == 0:  # the mark of the end
                return bytes(out[len(_PRELOADED) :])
            for _ in range((pair & 15) + 2):
                out.append(out[-back] if back <= len(out) else 0x20)
    return bytes(out[len(_PRELOADED) : wanted])


def rich_words(source: bytes) -> str:
    """The words of RTF; of HTML inside RTF, the words of its page. Total and linear."""
    begin = source[:4096]
    found = re.search(rb"\\ansicpg(\d{3,5})", begin)
    writer = _Writer(f"cp{found[1].decode()}" if found else "cp1252", b"\\fromhtml" in begin)
    for match in _TOKEN.finditer(source[:RICH_TEXT_LIMIT]):
        writer.take(match)
    text = writer.text().encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return html_text(text) if writer.is_page else text.strip()


class _Writer:
    """Keeps what is said outside of silent groups."""

    def __init__(self, charset: str, is_page: bool) -> None:  # noqa: FBT001 - of this file alone
        self.is_page = is_page
        self._charset = charset
        self._pieces: list[str] = []
        self._raw = bytearray()
        self._silent = [False]
        self._twice = False
        self._skip = 0

    def take(self, match: re.Match[bytes]) -> None:
        """Take one token: a word of control, a byte, a sign, a brace, or plain text."""
        word, number, byte, sign, brace, plain = match.groups()
        if brace:
            self._group(opening=brace == b"{")
        elif sign == b"*" or word in _SILENT:
            self._silent[-1] = True
        elif word == b"htmltag" and self.is_page:
            self._silent[-1] = False
        elif word == b"htmlrtf" and self.is_page:
            self._twice = number != b"0"
        elif not self._silent[-1] and not self._twice:
            self._say(word, number, bytes.fromhex(byte.decode()) if byte else plain or _sign(sign))

    def _group(self, *, opening: bool) -> None:
        if opening and len(self._silent) < _DEPTH_LIMIT:
            self._silent.append(self._silent[-1])
        elif not opening and len(self._silent) > 1:
            self._silent.pop()

    def _say(self, word: bytes | None, number: bytes | None, content: bytes) -> None:
        if word == b"u" and number:
            self._flush()
            self._pieces.append(chr(int(number) % 0x10000))
            self._skip = 1
        elif word in _WRITTEN:
            self._flush()
            self._pieces.append(_WRITTEN[word])
        elif content:
            self._raw += content[self._skip :]
            self._skip = 0

    def _flush(self) -> None:
        if self._raw:
            self._pieces.append(decode(bytes(self._raw), self._charset))
            self._raw.clear()

    def text(self) -> str:
        """All that was said."""
        self._flush()
        return "".join(self._pieces)


def _sign(sign: bytes | None) -> bytes:
    if sign == b"~":
        return b"\xa0"
    return sign if sign in (b"\\", b"{", b"}", b"\n") else b""
