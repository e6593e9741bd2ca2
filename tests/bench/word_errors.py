# SPDX-License-Identifier: MIT
"""Word error rate: words alone count, however they are written.

Case, punctuation, hyphens and accents (the published texts leave many out) are no errors, and
neither is a number in digits, together or one by one ("1234", "1, 2, 3, 4"). A wrong ending is one,
also where it sounds alike.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_NUMBERS = [
    "zero",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
]
_IN_WORDS = {str(number): word for number, word in enumerate(_NUMBERS)}
_DIGITS = {word: str(number) for number, word in enumerate(_NUMBERS[:10])}


def words_of(text: str, hyphen: str = " ") -> list[str]:
    """The words of a text, folded; a hyphen parts words, or joins them (``""``)."""
    bare = unicodedata.normalize("NFD", text.lower().replace("œ", "oe").replace("-", hyphen))
    letters = "".join(c for c in bare if unicodedata.category(c) != "Mn")
    return [_IN_WORDS.get(word, word) for word in _WORD.findall(letters)]


def in_one(words: list[str]) -> list[str]:
    """The words with digits that follow one another as one number."""
    joined: list[str] = []
    alone = False
    for word in words:
        digit = _DIGITS.get(word)
        if digit and alone:
            joined[-1] += digit
        else:
            joined.append(digit or word)
        alone = bool(digit)
    return [_IN_WORDS.get(word, word) for word in joined]


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Words to put in, leave out or change to get from ``heard`` to ``said``; and words said.

    Compound words are written with a hyphen, apart or as one, and digits too: the best fit counts.
    """
    wanted = words_of(said)
    ways = [(words_of(said, a), words_of(heard, b)) for a in (" ", "") for b in (" ", "")]
    ways += [(in_one(one), in_one(other)) for one, other in ways]
    return min(_distance(one, other) for one, other in ways), len(wanted)


def _distance(wanted: list[str], found: list[str]) -> int:
    row = list(range(len(found) + 1))
    for number, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], number
        for position, other in enumerate(found, 1):
            change = diagonal + (word != other)
            diagonal = row[position]
            row[position] = min(row[position] + 1, row[position - 1] + 1, change)
    return row[-1]
