# SPDX-License-Identifier: MIT
"""How one hand writes Darija in Latin letters: the spellings it keeps to through a whole text."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

_CONSONANTS = {
    "ب": "b", "ت": "t", "ث": "t", "ج": "j", "د": "d", "ذ": "d", "ر": "r", "ز": "z", "س": "s",
    "ص": "s", "ض": "d", "ظ": "d", "ف": "f", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h",
    "پ": "p", "ڤ": "v", "گ": "g", "ݣ": "g", "ڭ": "g", "چ": "ch", "ک": "k", "ۋ": "v", "ھ": "h",
}  # fmt: skip
_VOWELS = {"ا": "a", "أ": "a", "إ": "i", "آ": "a", "ى": "a", "ة": "a", "ٱ": "a"}
_HAMZAS = "ءؤئ"
_SUN = frozenset("تثدذرزسشصضطظلن")
_BEFORE_A_VOWEL = frozenset("اأآىةوي")
#: A run of consonants that no Moroccan says without a vowel between.
_RUN = re.compile(r"[b-df-hj-np-tvxz2-9]{3,}|[b-df-hj-np-tvxz2-9]{2}$")
_SIGN = re.compile("kh|gh|ch|sh|.")


@dataclass(frozen=True, slots=True)
class Hand:
    """The habits of one writer.

    Attributes:
        signs: Arabic letters that have several Latin signs → the one this hand uses.
        article: how ال is written before a letter that keeps it.
        doubles: whether ال before a sun letter doubles it (``ssbitar``) or is ``l``.
        parts: whether prepositions stand apart (``f lmdina``).
        fills: how often a short vowel is written where three consonants meet, from 0 to 1.
        listed: how often a word of the word list is taken from it, from 0 to 1.
    """

    signs: dict[str, str]
    article: str
    doubles: bool
    parts: bool
    fills: float
    listed: float

    @classmethod
    def drawn(cls, draw: random.Random) -> Hand:
        """A hand whose habits ``draw`` chooses; digits are used by two in three."""
        digits = draw.random() < 2 / 3
        signs = {
            "ع": "3" if digits or draw.random() < 1 / 2 else "a",
            "ح": "7" if digits and draw.random() < 3 / 4 else "h",
            "ق": draw.choice("99q" if digits else "kqq9"),
            "خ": draw.choice(("kh", "kh", "5") if digits else ("kh",)),
            "غ": "gh",
            "ش": draw.choice(("ch", "ch", "ch", "sh")),
            "ط": draw.choice("ttt6" if digits else "t"),
            "ء": "2" if digits and draw.random() < 1 / 2 else "",
            "u": draw.choice(("ou", "o", "o", "u")),
        }
        return cls(
            signs=signs,
            article=draw.choice(("l", "l", "l", "el", "al")),
            doubles=draw.random() < 1 / 3,
            parts=draw.random() < 1 / 2,
            fills=draw.choice((0.2, 0.6, 1.0)),
            listed=draw.choice((0.5, 0.8, 1.0)),
        )


def article(following: str, hand: Hand) -> tuple[str, int]:
    """ال before ``following`` in Latin letters, and how many of its letters that has taken."""
    if following[:1] in _SUN and hand.doubles:
        sign = _CONSONANTS.get(following[0]) or hand.signs.get(following[0], "")
        return sign + sign, 1
    return hand.article, 0


def spelt(word: str, hand: Hand, draw: random.Random) -> str:
    """``word``, in Arabic letters without marks, letter by letter; other signs stay as they are."""
    made: list[str] = []
    for at, letter in enumerate(word):
        if letter in _CONSONANTS:
            made.append(_CONSONANTS[letter])
        elif letter in "وي":
            made.append(_semivowel(word, at, hand))
        elif letter in _VOWELS:
            made.append(_VOWELS[letter])
        elif letter in _HAMZAS:
            made.append(hand.signs["ء"])
        else:
            made.append(hand.signs.get(letter, letter))
    return _RUN.sub(lambda found: _filled(found.group(), hand, draw), "".join(made))


def _semivowel(word: str, at: int, hand: Hand) -> str:
    before, after = word[at - 1 : at], word[at + 1 : at + 2]
    consonant, vowel = ("w", hand.signs["u"]) if word[at] == "و" else ("y", "i")
    if at == 0 or after in _BEFORE_A_VOWEL - {"و", "ي"} or before in ("ا", "أ", "آ"):
        return consonant
    return vowel


def _filled(run: str, hand: Hand, draw: random.Random) -> str:
    signs = _SIGN.findall(run)
    if len(signs) == 1 or draw.random() >= hand.fills:
        return run
    return "".join((*signs[:-1], "e", signs[-1]))
