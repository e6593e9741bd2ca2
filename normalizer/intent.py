# SPDX-License-Identifier: MIT
"""What a short text wants: its status, help, silence; all else is a complaint or a follow-up.

When unsure, keep (design, promise 5): a text is a status query only when nothing but the code and
words such as "suivi" stand in it; "stop à la corruption" is a complaint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from normalizer import intent_words as words_of
from normalizer import tracking_code
from normalizer.text import ascii_digits, fold


class Intent(StrEnum):
    """What a text wants."""

    STATUS_QUERY = "status_query"
    HELP = "help"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    GREETING = "greeting"
    THANKS = "thanks"
    COMPLAINT = "complaint"
    FOLLOW_UP = "follow_up"
    NOISE = "noise"


#: What is filed: a person's own words.
CONTENT = (Intent.COMPLAINT, Intent.FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class Understanding:
    """A short text, understood.

    Attributes:
        intent: what it wants.
        code: the first tracking code in it, or ``None``.
        codes: every tracking code in it.
        typo: whether it asks by a code with a typing slip.
    """

    intent: Intent
    code: str | None = None
    codes: tuple[str, ...] = ()
    typo: bool = False


_WORD = re.compile(r"[^\W_]+")
#: More words than any of the vocabularies allows: such a text is content.
_MOST_WORDS = 16
_FEWEST_DIGITS, _MOST_SLIPS = 8, 2
_LENGTHS = range(tracking_code.LENGTH - 2, tracking_code.LENGTH + 3)
_ROWS = ("qwertyuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "wxcvbn")
_ROW_LENGTH = 4
#: Characters of a text that are searched for words about an earlier complaint.
_EARLIER_LIMIT = 500


def understand(text: str, *, calling_code: str = "") -> Understanding:
    """Understand one short text (SMS, subjectless mail).

    Args:
        text: as it came, any script.
        calling_code: of the country: a number that begins with it is no code.
    """
    reading = tracking_code.read(text, calling_code=calling_code)
    # Lazily: a long text is content from its first words on, without looking at the rest.
    matches = _WORD.finditer(ascii_digits(reading.rest))
    words = [fold(match.group()) for match in islice(matches, _MOST_WORDS)]
    if reading.code:
        return Understanding(_beside_code(words), reading.code, reading.codes)
    if reading.slip and all(_asks(word) for word in words):
        return Understanding(Intent.STATUS_QUERY, typo=True)
    if reading.slip:  # beside other words those digits are words, too
        return Understanding(of_words(text))
    if _is_slip(words, calling_code):
        return Understanding(Intent.STATUS_QUERY, typo=True)
    return Understanding(_without_code(text, words))


def _beside_code(words: list[str]) -> Intent:
    """What is wanted of the case that is named."""
    if all(_asks(word) for word in words):
        return Intent.STATUS_QUERY
    if words_of.THANKS.covers(words):
        return Intent.THANKS
    return Intent.FOLLOW_UP


def _asks(word: str) -> bool:
    return word in words_of.STATUS.anchors or word in words_of.STATUS.fillers


def _without_code(text: str, words: list[str]) -> Intent:
    if not words or _is_noise(words):
        return Intent.NOISE
    if len(words) == 1 and words[0] in words_of.OPT_IN:
        return Intent.OPT_IN
    if words_of.OPT_OUT.covers(words) or _no_more(words):
        return Intent.OPT_OUT
    for vocabulary, intent in (
        (words_of.GREETING, Intent.GREETING),
        (words_of.THANKS, Intent.THANKS),
    ):
        if vocabulary.covers(words):
            return intent
    if _wants_help(words):
        return Intent.HELP
    if words_of.STATUS.covers(words):
        return Intent.STATUS_QUERY
    return of_words(text)


def _wants_help(words: list[str]) -> bool:
    if not words_of.HELP.covers(words):
        return False
    said = set(words)
    return bool(said & words_of.HELP_TOPICS) or bool(
        said & words_of.HELP_HOW and said & words_of.HELP_WHAT
    )


def _no_more(words: list[str]) -> bool:
    """Whether it says "do not send me texts any more", and nothing else."""
    nots, sends, fillers = words_of.NO_MORE
    said = set(words)
    return bool(said & nots and said & sends) and said <= nots | sends | fillers


def _is_noise(words: list[str]) -> bool:
    return all(word in words_of.NOISE or _is_mash(word) for word in words)


def _is_mash(word: str) -> bool:
    """One letter, one letter again and again, or a run along the keyboard."""
    if len(word) == 1 and not word.isdigit():
        return True
    if len(word) > 2 and len(set(word)) == 1:  # noqa: PLR2004 - "ok" and "la" are words
        return True
    return len(word) >= _ROW_LENGTH and any(word in row or word in row[::-1] for row in _ROWS)


def _is_slip(words: list[str], calling_code: str) -> bool:
    """A code with a digit too few, too many, or a wrong letter, and at most words that ask."""
    rest = [word for word in words if not _asks(word)]
    joined = "".join(rest)
    digits = sum(letter.isdigit() for letter in joined)
    if (
        digits < _FEWEST_DIGITS
        or len(joined) - digits > _MOST_SLIPS
        or len(joined) not in _LENGTHS
        or not joined.isalnum()
        or not joined.isascii()
    ):
        return False
    telephone = joined.startswith("0") or bool(calling_code and joined.startswith(calling_code))
    asked = any(word in words_of.STATUS.anchors for word in words)
    in_fours = len(rest) > 1 and len(rest[0]) == 4  # noqa: PLR2004 - as we show them
    return not telephone and (asked or in_fours or len(rest) == 1)


def of_words(text: str) -> Intent:
    """A complaint, or a follow-up where it speaks of an earlier one of its sender's."""
    plain = f" {' '.join(_WORD.findall(fold(text[:_EARLIER_LIMIT])))} "
    earlier = any(f" {phrase} " in plain for phrase in words_of.EARLIER)
    return Intent.FOLLOW_UP if earlier else Intent.COMPLAINT
