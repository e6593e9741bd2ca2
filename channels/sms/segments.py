# SPDX-License-Identifier: MIT
"""How many segments a text costs, and where it may be cut (3GPP TS 23.038, TS 23.040).

GSM-7: 160 septets alone, 153 in each part of several. UCS-2: 70 and 67 UTF-16 units. One character
outside the GSM alphabet (ç, ê, ’, any Arabic letter) turns the whole text into UCS-2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

#: The default alphabet of TS 23.038, 6.2.1 (escape 0x1B left out: it is no character).
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Its extension table (6.2.1.1): an escape and a character, two septets that never part.
EXTENDED = frozenset("^{}\\[~]|€\f")

_ONE_PART = {"gsm7": 160, "ucs2": 70}
_OF_SEVERAL = {"gsm7": 153, "ucs2": 67}
_HIGHEST_OF_ONE_UNIT = 0xFFFF
#: A tracking code as we write it, with the isolates around it: nobody can key half a code.
_CODE = re.compile(r"\u2066?(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}(?!\d)\u2069?")


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Length:
    """What a text costs.

    Attributes:
        encoding: GSM-7 where every character is in its alphabet, else UCS-2.
        units: septets or UTF-16 units.
        segments: messages it is carried in; 0 for an empty text.
    """

    encoding: Encoding
    units: int
    segments: int


def encoding_of(text: str) -> Encoding:
    """The encoding that ``text`` needs."""
    fits = all(character in BASIC or character in EXTENDED for character in text)
    return Encoding.GSM7 if fits else Encoding.UCS2


def length(text: str) -> Length:
    """Count exactly, as we cut: no pair and no tracking code lies across the end of a segment.

    A provider that cuts by itself, and keeps pairs alone together, never needs more.
    """
    encoding = encoding_of(text)
    units = sum(_units(character, encoding) for character in text)
    if units <= _ONE_PART[encoding]:
        return Length(encoding, units, 1 if text else 0)
    parts = concatenated(text, encoding, _OF_SEVERAL[encoding])
    return Length(encoding, units, len(parts))


def split(text: str, limit: int) -> list[str]:
    """Cut a text into messages of at most ``limit`` segments each.

    A cut falls after white space where there is any in the last half of a piece; never inside a
    surrogate pair, an escape pair or a tracking code. The pieces joined are the text.

    Args:
        text: any text; an empty one gives no piece.
        limit: segments of one message, at least 1.
    """
    if limit < 1:
        raise ValueError("a message has at least one segment")
    codes = [match.span() for match in _CODE.finditer(text)]
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = _furthest(text, start, limit)
        if end < len(text):
            end = _cut(text, start, end, codes)
        pieces.append(text[start:end])
        start = end
    return pieces


def concatenated(text: str, encoding: Encoding, room: int) -> list[str]:
    """Cut one long text into the parts that a phone joins again.

    A cut falls as late as it can, but never inside a surrogate pair, an escape pair or a tracking
    code (unless a code alone is longer than ``room``).

    Args:
        text: any text; an empty one gives no part.
        encoding: how all of its parts travel.
        room: septets or UTF-16 units of one part beside its header.
    """
    codes = [match.span() for match in _CODE.finditer(text)]
    parts: list[str] = []
    start = 0
    while start < len(text):
        end, filled = start, 0
        while end < len(text) and filled + _units(text[end], encoding) <= room:
            filled += _units(text[end], encoding)
            end += 1
        for first, after in codes:
            if start < first < end < after:
                end = first
        if end == start:
            raise ValueError("a part has room for one character at least")
        parts.append(text[start:end])
        start = end
    return parts


def _units(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in EXTENDED else 1
    return 2 if ord(character) > _HIGHEST_OF_ONE_UNIT else 1


def _furthest(text: str, start: int, limit: int) -> int:
    """The last end at which ``text[start:end]`` fits; each piece has an encoding of its own."""
    low, high = start + 1, min(len(text), start + _OF_SEVERAL[Encoding.GSM7] * max(limit, 2))
    while low < high:  # the cost never falls as the piece grows
        middle = (low + high + 1) // 2
        if length(text[start:middle]).segments <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, start: int, end: int, codes: list[tuple[int, int]]) -> int:
    for first, after in codes:
        if first < end < after and first > start:
            end = first
    for position in range(end, start + (end - start) // 2, -1):
        inside = any(first < position < after for first, after in codes)
        if text[position - 1].isspace() and not inside:
            return position
    return end
