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
    MOST_LINES,
    attribution,
    ends_an_address,
    head_length,
    is_disclaimer,
    is_forwarded,
    is_header_block,
    is_mobile_signature,
    is_original,
    is_rule,
    may_begin,
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
_LONGEST_LINE = 80
#: Longer texts are kept whole above our marker: nobody answers at such length by hand.
_MOST_LINES_READ = 10_000
#: Lines that begin like an attribution and may be followed over several lines, in one text.
_MOST_BEGUN = 300
_QUOTED_HEAD = 12
_SIGNATURE_RULE = re.compile("[-—–]{1,3}|[_—–]{2,79}")
_SENTENCE_ENDS = (".", "!", "?", "؟", "…")
#: A web or mail address, or a telephone number with its label.
_REACHED_AT = re.compile(
    r"https?://|\bwww\.|[^\s@]{1,64}@[^\s@]{1,100}\.|(?:t[eé]l|phone|mobile|gsm|fax|هاتف|الهاتف)\b"
    r".{0,10}\d{2}",
    re.IGNORECASE,
)
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
    read = whole if above is None else above
    if read.count("\n") > _MOST_LINES_READ:
        return read.strip() or whole
    lines = _without_disclaimer(_without_outer_signature(read.split("\n")))
    end = _first_separator(lines)
    if end is not None and any(map(visible, lines[:end])):
        lines = _without_rules(lines[:end])
    below = _below_a_quote_at_the_top(lines)
    left = list(_without_signature(_without_mobile_signature(below)))
    while left and not visible(left[-1]):
        left.pop()
    kept = "\n".join(left).strip()
    return kept or whole


def _without_rules(lines: Sequence[str]) -> Sequence[str]:
    """Leave out the strokes above what was cut off."""
    end = len(lines)
    while end and (not visible(lines[end - 1]) or is_rule(visible(lines[end - 1]))):
        end -= 1
    return lines[:end] or lines


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
        if not text or (page.quoted[number] and not is_original(text)):
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
        self.quoted = [
            _QUOTE.match(line) is not None and not ends_an_address(self.texts, number)
            for number, line in enumerate(lines)
        ]
        self.trailing_quote: int | None = None
        self._last_unquoted = -1
        self._begun = 0
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
        most_lines = MOST_LINES
        if may_begin(self.texts[number]):
            self._begun += 1
            if self._begun > _MOST_BEGUN:
                most_lines = 1
        return attribution(
            self.texts, number, quote_follows=self._quote_follows, most_lines=most_lines
        )

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
    if start == len(lines):
        return lines
    length = page.attribution(start)
    if not length and not page.quoted[start] and _is_head(page.texts, start):
        length = head_length(page.texts, start)
        if start + length == len(lines) or not page.quoted[start + length]:
            return lines
    if not length and not (page.quoted[start] and _names_whom_it_quotes(lines, start)):
        return lines
    below = start + length
    while below < len(lines) and (page.quoted[below] or not page.texts[below]):
        below += 1
    if not any(page.quoted[start:below]):
        return lines[below:]
    return lines if any(page.quoted[below:]) else lines[below:]


def _is_head(texts: Sequence[str], number: int) -> bool:
    return is_header_block(texts, number) or is_original(texts[number])


def _names_whom_it_quotes(lines: Sequence[str], start: int) -> bool:
    """Whether a quotation begins with a mail's head or an attribution, both quoted too."""
    inner = [visible(_QUOTE.sub("", line)) for line in lines[start : start + _QUOTED_HEAD]]
    first = next((number for number, text in enumerate(inner) if text), None)
    if first is None:
        return False
    return _is_head(inner, first) or bool(
        attribution(inner, first, quote_follows=[False] * (len(inner) + 1))
    )


def _without_outer_signature(lines: Sequence[str]) -> Sequence[str]:
    """Leave out the signature at the end of all, where somebody's own words stand above it."""
    shorter = _without_signature(_without_mobile_signature(lines))
    return shorter if _answers_below(shorter) else lines


def _without_disclaimer(lines: Sequence[str]) -> Sequence[str]:
    """Leave out a company's notice right below quoted words: it answers nothing."""
    begin = next(
        (
            number
            for number in range(len(lines) - 1, 0, -1)
            if is_disclaimer(visible(lines[number]))
        ),
        0,
    )
    above = begin
    while above and not visible(lines[above - 1]):
        above -= 1
    alone = all(map(visible, lines[begin:]))  # one paragraph: nobody answers below it
    return lines[:above] if above and alone and _QUOTE.match(lines[above - 1]) else lines


def _without_signature(lines: Sequence[str]) -> Sequence[str]:
    """Leave out a short signature under its delimiter line ``-- `` (RFC 3676, 4.3).

    Under a rule of another kind it must look like one: short lines, no sentence, and where to
    reach the sender.
    """
    for number in range(len(lines) - 1, max(len(lines) - 1 - _LONGEST_SIGNATURE, 0), -1):
        if _SIGNATURE_DELIMITER.fullmatch(lines[number].translate({0xA0: " "})) or (
            _SIGNATURE_RULE.fullmatch(lines[number].strip()[:_LONGEST_LINE])
            and _tells_who_signs(lines[number + 1 :])
        ):
            return lines[:number] if any(map(visible, lines[:number])) else lines
    return lines


def _tells_who_signs(lines: Sequence[str]) -> bool:
    texts = [text for text in map(visible, lines) if text]
    return (
        len(texts) > 1
        and all(len(text) < _LONGEST_LINE and not text.endswith(_SENTENCE_ENDS) for text in texts)
        and not texts[0].endswith((":", ","))
        and any(_REACHED_AT.search(text) for text in texts[1:])
    )


def _without_mobile_signature(lines: Sequence[str]) -> Sequence[str]:
    end = kept = len(lines)
    while end > 1:
        text = visible(lines[end - 1])
        if text and not is_mobile_signature(text):
            break
        end -= 1
        if text:
            kept = end
    return lines[:kept]


def _plain(line: str) -> str:
    """A line without quote marks, dashes and emphasis, for comparison with a marker."""
    text = _QUOTE.sub("", _INVISIBLE.sub("", line)).strip(_AROUND_MARKER)
    return " ".join(text.split()).casefold()
