# SPDX-License-Identifier: MIT
"""What is new in a reply.

Our own marker line stands in every mail we send: where it comes back, the cut is exact whatever
the client. Elsewhere a short list of separators, in French, Arabic and English. When unsure, keep:
quoted words wrongly kept are a blemish, a citizen's words wrongly cut are a loss (promise 5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.mail.separators import (
    attribution,
    is_forwarded,
    is_header_block,
    is_mobile_signature,
    is_original,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The line above which people answer, by BCP 47 tag. Every outgoing mail carries one.
MARKER_LINES: Mapping[str, str] = {
    "fr": "-- répondre au-dessus de cette ligne --",
    "ar": "الرد فوق هذا السطر",
    "en": "-- reply above this line --",
}
MARKERS: tuple[str, ...] = tuple(MARKER_LINES.values())

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_DIRECTION_MARKS = ("\u200f", "\u200e", "\u202b", "\u2067")
_QUOTE = re.compile(r"^\s*(?:[>|]\s?)+")
_AROUND_MARKER = " \t*_-–—=#\xa0"
_LONGEST_SIGNATURE = 10
_SIGNATURE_DELIMITER = re.compile(r"--[ ]?\r?")


def new_text(full: str, markers: Sequence[str] = MARKERS) -> str:
    """Return what the sender wrote above what they answer.

    Args:
        full: the whole readable text.
        markers: our own marker lines.

    Returns:
        a part of ``full`` without outer blank lines; all of it where a cut would leave nothing, or
        where new words may stand below or between the quoted ones.
    """
    whole = full.strip()
    above = above_marker(whole, markers)
    # A signature below the quoted words is no answer to them.
    lines = _without_outer_signature((whole if above is None else above).split("\n"))
    end = _first_separator(lines)
    if end is not None:
        lines = lines[:end]
    below = _below_a_quote_at_the_top(lines)
    left = list(_without_signature(_without_mobile_signature(below)))
    while left and not visible(left[-1]):
        left.pop()
    kept = "\n".join(left).strip()
    return kept or whole


def above_marker(full: str, markers: Sequence[str] = MARKERS) -> str | None:
    """Return what stands above our own marker line; ``None`` without one, or when unsure."""
    if not any(marker.strip(_AROUND_MARKER) in full for marker in markers) and not (
        any(mark in full for mark in _DIRECTION_MARKS)
        and any(marker.strip(_AROUND_MARKER) in _INVISIBLE.sub("", full) for marker in markers)
    ):
        return None
    wanted = {_plain(marker) for marker in markers}
    lines = full.split("\n")
    for number, line in enumerate(lines):
        if _plain(line) not in wanted:
            continue
        above = "\n".join(lines[:number])
        quoted = _QUOTE.match(line) is not None
        if quoted and _answers_below(lines[number:]):
            return None
        without_attribution = lines[: _attribution_at_end(lines[:number])]
        if not any(visible(entry) for entry in without_attribution):
            return None
        return above
    return None


def _answers_below(lines: Sequence[str]) -> bool:
    """Whether unquoted words follow a quoted line: an answer below or between the quoted words."""
    return any(visible(line) and not _QUOTE.match(line) for line in lines)


def _attribution_at_end(lines: Sequence[str]) -> int:
    end = _first_separator(list(lines), certain=True)
    return len(lines) if end is None else end


def _first_separator(lines: Sequence[str], *, certain: bool = False) -> int | None:
    """The first line of what is quoted, or ``None``.

    ``certain``: that this is a reply is already known, so an attribution alone at the top counts.
    """
    page = _Page(lines)
    for number, text in enumerate(page.texts):
        if not text or page.quoted[number]:
            if number == page.trailing_quote:
                return number if number or certain else None
            continue
        if is_forwarded(text):
            return None
        if is_header_block(page.texts, number) or is_original(text):
            return number
        length = page.attribution(number)
        if length and not page.interleaved(number + length):
            # At the top it is no cut: the answer may be below.
            if not certain and not any(page.texts[:number]):
                continue
            return number
    return None


class _Page:
    """Lines with what is known of each, read once from the end: work grows with their number."""

    def __init__(self, lines: Sequence[str]) -> None:
        count = len(lines)
        self.texts = [visible(line) for line in lines]
        self.quoted = [_QUOTE.match(line) is not None for line in lines]
        self.trailing_quote: int | None = None
        self._last_unquoted = -1
        self._next_quote = [count] * (count + 1)
        self._quote_follows = [True] * (count + 1)
        for number in range(count - 1, -1, -1):
            self._next_quote[number] = (
                number if self.quoted[number] else self._next_quote[number + 1]
            )
            self._quote_follows[number] = self._quote_follows[number + 1]
            if self.quoted[number]:
                self._quote_follows[number] = True
                if self._last_unquoted < 0:
                    self.trailing_quote = number
            elif self.texts[number]:
                self._quote_follows[number] = False
                self._last_unquoted = max(self._last_unquoted, number)

    def attribution(self, number: int) -> int:
        """How many lines an attribution takes that begins at this line; 0: none."""
        return attribution(self.texts, number, quote_follows=self._quote_follows)

    def interleaved(self, number: int) -> bool:
        """Unquoted words below or between quoted ones, from a line on: the answer may be there."""
        return self._next_quote[number] < self._last_unquoted


def _below_a_quote_at_the_top(lines: Sequence[str]) -> Sequence[str]:
    """Leave out an attribution, and its quoted lines, where a text begins with them.

    Quoted lines go only where nothing is quoted further down: between two quotes it is not plain
    what answers what.
    """
    page = _Page(lines)
    start = next((number for number, text in enumerate(page.texts) if text), len(lines))
    length = page.attribution(start) if start < len(lines) else 0
    if not length:
        return lines
    below = start + length
    while below < len(lines) and (page.quoted[below] or not page.texts[below]):
        below += 1
    if not any(page.quoted[start:below]):
        return lines[below:]
    return lines if any(page.quoted[below:]) else lines[below:]


def _without_outer_signature(lines: Sequence[str]) -> Sequence[str]:
    """Leave out the signature at the end of all, where somebody's own words stand above it."""
    shorter = _without_signature(_without_mobile_signature(lines))
    return shorter if _answers_below(shorter) else lines


def _without_signature(lines: Sequence[str]) -> Sequence[str]:
    """Leave out a short signature under its delimiter line ``-- `` (RFC 3676, 4.3)."""
    for number in range(len(lines) - 1, max(len(lines) - 1 - _LONGEST_SIGNATURE, 0), -1):
        if _SIGNATURE_DELIMITER.fullmatch(lines[number].translate({0xA0: " "})):
            return lines[:number] if any(map(visible, lines[:number])) else lines
    return lines


def _without_mobile_signature(lines: Sequence[str]) -> Sequence[str]:
    end = len(lines)
    while end and not visible(lines[end - 1]):
        end -= 1
    if end > 1 and is_mobile_signature(visible(lines[end - 1])):
        return lines[: end - 1]
    return lines


def _plain(line: str) -> str:
    """A line without quote marks, dashes and emphasis, for comparison with a marker."""
    text = _QUOTE.sub("", _INVISIBLE.sub("", line)).strip(_AROUND_MARKER)
    return " ".join(text.split()).casefold()
