# SPDX-License-Identifier: MIT
"""One word, many spellings: what is left of a folded word when they are levelled."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWN_OUT = re.compile(r"(.)\1{2,}")
_DOUBLED = re.compile(r"(.)\1+")
_SILENT = re.compile(r"(?:ent|[estxz])+\Z")
_ARABIZI_SOUNDS = (
    *(("3", "a"), ("7", "h"), ("9", "k"), ("5", "kh"), ("8", "h"), ("2", "a"), ("4", "gh")),
    *(("sh", "c"), ("ch", "c"), ("x", "c"), ("kh", "x"), ("gh", "g"), ("dj", "j"), ("ou", "u")),
    *(("q", "k"), ("ck", "k"), ("ph", "f"), ("ss", "s"), ("z", "z"), ("p", "b"), ("v", "f")),
)
_ALIKE = str.maketrans({"o": "u", "e": "i", "y": "i"})
_VOWELS = re.compile(r"(?<=.)[aeiouy]|^[aeiou]")
_ANY_VOWEL = re.compile(r"[aeiouy]")
#: Words that are remembered: people say the same things.
_REMEMBERED = 20_000


def squeezed(word: str) -> str:
    """A word with every run of one letter made one letter."""
    return _DOUBLED.sub(r"\1", word)


def levelled(word: str) -> str:
    """A Darija word in Latin letters in one of its spellings: 7 as h, sh as ch, ou and o as u."""
    for written, sound in _ARABIZI_SOUNDS:
        word = word.replace(written, sound)
    return squeezed(word.translate(_ALIKE))


def consonants(word: str) -> str:
    """What is left of such a word without its vowels.

    A y counts as a vowel but at the beginning; an h at the end is not heard.
    """
    return skeleton(word, first=True).rstrip("h")


@lru_cache(maxsize=_REMEMBERED)
def skeleton(word: str, *, first: bool) -> str:
    """The consonants of one word of a phrase, with an h at its end; ``first``: it begins it."""
    for written, sound in _ARABIZI_SOUNDS:
        word = word.replace(written, sound)
    return squeezed((_VOWELS if first else _ANY_VOWEL).sub("", word))


def sound(word: str) -> str:
    """A French or English word without doubled letters and its silent end."""
    return _SILENT.sub("", squeezed(word)) or word


def near(word: str, other: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two neighbours are swapped."""
    if abs(len(word) - len(other)) > 1:
        return False
    at = next((i for i, pair in enumerate(zip(word, other, strict=False)) if pair[0] != pair[1]), 0)
    mine, theirs = word[at:], other[at:]
    return (
        mine[1:] == theirs[1:]
        or mine[1:] == theirs
        or mine == theirs[1:]
        or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    )


def without_one(word: str) -> Iterator[str]:
    """The word itself, then without each of its letters but the first."""
    yield word
    for at in range(1, len(word)):  # a first letter is seldom wrong
        yield word[:at] + word[at + 1 :]
