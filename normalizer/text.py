# SPDX-License-Identifier: MIT
"""Text as it may be stored and compared: no surrogates, no NUL, digits of every script alike."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_BAD = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Replace what no database takes (lone surrogates, NUL) by U+FFFD; everything else is kept."""
    if "\0" not in text:
        if text.isascii():
            return text
        try:  # a sixth of what a search for surrogates costs
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _BAD.sub("\ufffd", text)


def fold(text: str) -> str:
    """Make a copy for comparing words: NFKD, no marks, no format characters, case-folded.

    Arabic letter variants that people interchange (أ إ آ → ا, ى → ي, ة → ه) become one.
    """
    if text.isascii():
        return text.lower()
    if len(text) > _LONG and len(text.encode("utf-8", "surrogatepass")) < _MOSTLY_ASCII * len(text):
        return _BEYOND_ASCII.sub(lambda run: run.group().translate(_FOLDED), text.lower())
    return text.translate(_FOLDED)


#: A long text of Latin letters with some accents is folded run by run.
_LONG, _MOSTLY_ASCII = 64, 1.25
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")


#: Tifinagh as its Latin spelling without marks: emphatic letters are not told apart.
_VARIANTS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": None}
    | {"ⵥ": "ⵣ", "ⵟ": "ⵜ", "ⴹ": "ⴷ", "ⵕ": "ⵔ", "ⵚ": "ⵙ", "ⵯ": None}
)
#: Characters whose folded form is remembered; a text of odd ones must not fill the memory.
_REMEMBERED = 20_000


class _Folded(dict[int, str]):
    """What each character becomes, worked out when it is first met: four times as fast.

    Character by character is the same as the whole text: NFKD only orders marks, which go.
    """

    def __missing__(self, point: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(point)).casefold()
        kept = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
        folded = kept.translate(_VARIANTS)
        if len(self) < _REMEMBERED:
            self[point] = folded
        return folded


_FOLDED = _Folded()


def ascii_digits(text: str) -> str:
    """Turn decimal digits of every script (٠-٩, ۰-۹, full width) into 0-9, dropping bidi marks.

    NFKC does not do this for Arabic-Indic digits; ``unicodedata.decimal`` does. The marks of
    keycap emoji go as well.
    """
    if text.isascii():
        return text
    odd, table = _digits()
    text = odd.sub(lambda match: table[match.group()], text)
    return _BEYOND.sub(_beyond, text) if _BEYOND.search(text) else text


#: Characters outside the basic plane: emoji mostly, and the digits of some scripts.
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_KEYCAP = ("\ufe0f", "\u20e3")


def _beyond(match: re.Match[str]) -> str:
    value = unicodedata.decimal(match.group(), None)
    return match.group() if value is None else str(value)


@cache
def _digits() -> tuple[re.Pattern[str], dict[str, str]]:
    """Every decimal digit and format character of the basic plane beyond ASCII.

    Not of the other planes: with those, :mod:`re` tries the characters one after another.
    """
    table: dict[str, str] = dict.fromkeys(_KEYCAP, "")
    for point in range(0x80, 0x10000):
        character = chr(point)
        category = unicodedata.category(character)
        if category == "Nd":
            table[character] = str(unicodedata.decimal(character))
        elif category == "Cf":
            table[character] = ""
    return re.compile(f"[{''.join(map(re.escape, table))}]"), table


def excerpt(text: str, length: int = 80) -> str:
    """The first ``length`` characters of ``text`` on one line, with an ellipsis when cut."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
