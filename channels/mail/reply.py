# SPDX-License-Identifier: MIT
"""What is new in a reply.

Our own marker line stands in every mail we send: where it comes back, the cut is exact whatever
the client. Elsewhere a short list of separators, in French, Arabic and English. When unsure, keep:
quoted words wrongly kept are a blemish, a citizen's words wrongly cut are a loss (promise 5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The line above which people answer, by BCP 47 tag. Every outgoing mail carries one.
MARKER_LINES: Mapping[str, str] = {
    "fr": "-- répondre au-dessus de cette ligne --",
    "ar": "الرد فوق هذا السطر",
    "en": "-- reply above this line --",
}
MARKERS: tuple[str, ...] = tuple(MARKER_LINES.values())

# Marks that clients put around right-to-left words and that carry no meaning of their own.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_DIRECTION_MARKS = ("\u200f", "\u200e", "\u202b", "\u2067")
_QUOTE = re.compile(r"^\s*(?:[>|]\s?)+")
_AROUND_MARKER = " \t*_-–—=#\xa0"
_LONGEST_ATTRIBUTION = 400
_LONGEST_SIGNATURE = 10
_SIGNATURE_DELIMITER = re.compile(r"--[ ]?\r?")

_ATTRIBUTION = re.compile(
    r"(?:(?:le|il y a)\b.{4,300}\ba [ée]crit"
    r"|on\b.{4,300}\bwrote"
    r"|\d{4}[-/]\d{1,2}[-/]\d{1,2}\b.{2,200}<\s*[^<>\s]+@[^<>\s]+>"
    r"|.{2,200}<[^<>\s]+@[^<>\s]+>.{0,80}\b(?:wrote|a [ée]crit)"
    r"|(?:في|بتاريخ|يوم|بتأريخ)\b.{4,300}\b(?:كتب|كتبت|تمت كتابة|كتابة|أرسل|جاء)\b.{0,200}"
    r"|(?:كتب|كتبت)\b.{2,200}(?:في|بتاريخ)\b.{2,200}"
    r"|(?:el\b.{4,300}\bescribi[óo]|am\b.{4,300}\bschrieb\b.{0,100}))\s*[:：]",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(
    r"(?:(?:le|il y a|on|el|am|il|op|em|dnia|den|في|بتاريخ|يوم|بتأريخ|كتب|كتبت)\b|\d{1,4}[-./ ])",
    re.IGNORECASE,
)
#: In whatever language: a time and a mail address on one line that ends with a colon.
_TIME = re.compile(r"\b\d{1,2}[:.]\d{2}\b")
_ADDRESS_AND_COLON = re.compile(r"[<\"(\[\s]\s*[^\s<>@]+@[^\s<>@]+[>\")\]]?.{0,60}[:：]\Z")
_ORIGINAL = re.compile(
    r"[-_=\s]{2,}\s*(?:original message|original appointment|message d['’]origine"
    r"|message original|message initial|الرسالة الأصلية|رسالة أصلية|mensaje original)\s*[-_=:\s]*",
    re.IGNORECASE,
)
_ORIGINAL_ARABIC = re.compile(r"[-_=\s]*الرسالة الأصلية[-_=:\s]*")
_FORWARDED = re.compile(
    r"forwarded (?:message|by)|begin forwarded|message (?:transféré|réexpédié|transmis)"
    r"|début du message (?:réexpédié|transféré)|(?:الرسالة|رسالة) (?:المعاد توجيهها|معاد توجيهها"
    r"|محولة|المحولة|مُعاد توجيهها)|بدء الرسالة المُ?عاد توجيهها",
    re.IGNORECASE,
)
_FIELD_FROM = re.compile(r"\*?\s*(?:from|de|exp[ée]diteur|من|المرسل)\s*\*?\s*[:：]", re.IGNORECASE)
_FIELD_OTHER = re.compile(
    r"\*?\s*(?:sent|date|to|cc|subject|envoy[ée](?: le| par)?|[àa]|objet|répondre à|reply-to"
    r"|تم الإرسال|أرسلت|أُرسلت|تاريخ الإرسال|الإرسال|التاريخ|تاريخ|إلى|نسخة|الموضوع)\s*\*?\s*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_\-=]{10,}")
_MOBILE_SIGNATURE = re.compile(
    r"(?:sent from (?:my|outlook|yahoo|mail)\b.{0,60}|get outlook for .{0,40}"
    r"|envoyé (?:de(?:puis)? mon|à partir de|depuis|avec)\b.{0,60}|télécharger outlook pour .{0,40}"
    r"|(?:أ|تم ال|مُ?)?رسل(?:ت)?(?: هذه الرسالة)? من (?:ال|جهاز|هاتف|iPhone|يا?هو).{0,60})",
    re.IGNORECASE,
)


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
    lines = (whole if above is None else above).split("\n")
    end = _first_separator(lines)
    if end is not None:
        lines = lines[:end]
    below = _below_a_quote_at_the_top(lines)
    kept = "\n".join(_without_signature(_without_mobile_signature(below))).strip()
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
        if not any(_visible(entry) for entry in without_attribution):
            return None
        return above
    return None


def _answers_below(lines: Sequence[str]) -> bool:
    """Whether unquoted words follow a quoted line: an answer below or between the quoted words."""
    return any(_visible(line) and not _QUOTE.match(line) for line in lines)


def _attribution_at_end(lines: Sequence[str]) -> int:
    end = _first_separator(list(lines), certain=True)
    return len(lines) if end is None else end


def _first_separator(lines: Sequence[str], *, certain: bool = False) -> int | None:
    """The first line of what is quoted, or ``None``.

    ``certain``: that this is a reply is already known, so an attribution alone at the top counts.
    """
    quoted_from = _trailing_quote(lines)
    for number, line in enumerate(lines):
        text = _visible(line)
        if not text or _QUOTE.match(line):
            if number == quoted_from:
                return number if number or certain else None
            continue
        if _FORWARDED.search(text):
            return None
        if _is_header_block(lines, number) or _is_original(text):
            return number
        length = _attribution(lines, number)
        if length and not _interleaved(lines[number + length :]):
            return number
    return None


def _is_original(text: str) -> bool:
    return bool(_ORIGINAL.fullmatch(text) or _ORIGINAL_ARABIC.fullmatch(text))


def _is_header_block(lines: Sequence[str], number: int) -> bool:
    """Outlook's From / Sent / To / Subject, perhaps under a rule."""
    text = _visible(lines[number])
    if _RULE.fullmatch(text):
        following = [index for index in range(number + 1, len(lines)) if _visible(lines[index])]
        return bool(following) and _is_header_block(lines, following[0])
    if not _FIELD_FROM.match(text):
        return False
    window = [_visible(line) for line in lines[number + 1 : number + 10]]
    return sum(1 for entry in window if _FIELD_OTHER.match(entry)) >= 2  # noqa: PLR2004 - of four


def _attribution(lines: Sequence[str], number: int) -> int:
    """How many lines an attribution takes that begins here: 0 to 4."""
    first = _visible(lines[number])
    if "@" not in first and not _ATTRIBUTION_START.match(first):
        return 0
    joined = ""
    for length, line in enumerate(lines[number : number + 4], start=1):
        text = _visible(line)
        if not text:
            return 0
        joined = f"{joined} {text}".strip()
        if len(joined) > _LONGEST_ATTRIBUTION:
            return 0
        if _ATTRIBUTION.fullmatch(joined) or (
            _TIME.search(joined) and _ADDRESS_AND_COLON.search(joined)
        ):
            return length
    return 0


def _interleaved(after: Sequence[str]) -> bool:
    """Quoted lines with unquoted words below or between them: the answer may be there."""
    quoted = [index for index, line in enumerate(after) if _QUOTE.match(line)]
    return bool(quoted) and _answers_below(after[quoted[0] :])


def _trailing_quote(lines: Sequence[str]) -> int | None:
    """Where the quoted lines begin that fill the text to its end."""
    start: int | None = None
    for number in range(len(lines) - 1, -1, -1):
        if _QUOTE.match(lines[number]):
            start = number
        elif _visible(lines[number]):
            break
    return start


def _below_a_quote_at_the_top(lines: Sequence[str]) -> Sequence[str]:
    """Leave out an attribution and its quoted lines where a text begins with them.

    Only where nothing is quoted further down: between two quotes it is not plain what answers what.
    """
    start = next((number for number, line in enumerate(lines) if _visible(line)), 0)
    length = _attribution(lines, start) if start < len(lines) else 0
    if not length:
        return lines
    below = start + length
    while below < len(lines) and (_QUOTE.match(lines[below]) or not _visible(lines[below])):
        below += 1
    after = lines[below:]
    quoted = below > start + length and any(_QUOTE.match(line) for line in lines[start:below])
    if not quoted or any(_QUOTE.match(line) for line in after):
        return lines
    return after if any(_visible(line) for line in after) else lines


def _without_signature(lines: Sequence[str]) -> Sequence[str]:
    """Leave out a short signature under its delimiter line ``-- `` (RFC 3676, 4.3)."""
    for number in range(len(lines) - 1, max(len(lines) - 1 - _LONGEST_SIGNATURE, 0), -1):
        if _SIGNATURE_DELIMITER.fullmatch(lines[number].translate({0xA0: " "})):
            return lines[:number] if any(map(_visible, lines[:number])) else lines
    return lines


def _without_mobile_signature(lines: Sequence[str]) -> Sequence[str]:
    end = len(lines)
    while end and not _visible(lines[end - 1]):
        end -= 1
    if end > 1 and _MOBILE_SIGNATURE.fullmatch(_visible(lines[end - 1])):
        return lines[: end - 1]
    return lines


def _visible(line: str) -> str:
    return _INVISIBLE.sub("", line).replace("\xa0", " ").strip()


def _plain(line: str) -> str:
    """A line without quote marks, dashes and emphasis, for comparison with a marker."""
    text = _QUOTE.sub("", _INVISIBLE.sub("", line)).strip(_AROUND_MARKER)
    return " ".join(text.split()).casefold()
