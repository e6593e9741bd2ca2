# SPDX-License-Identifier: MIT
"""Whether a text tells of somebody in danger now: then they are told the right number at once.

A help, never a judge: it adds a text and a place at the top of a list, and takes nothing away.
The words, and those that tell that all is over or only feared, stand in ``emergency.toml``.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from normalizer.text import fold
from normalizer.transliteration import to_arabic

#: Characters of a text that are looked at: who is in danger says so first.
LOOKED_AT = 2_000
ENOUGH = 3
_ARABIZI = "ary-Latn"
_ARABIC = re.compile("[\u0600-\u06ff]")
_NO_WORD = re.compile(r"[^\w!]+")
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")
_SHOUT = re.compile(" ?(!+)")
#: Letters that phrases are found by.
_START = 3
_PREFIX = "(?:[وف])?(?:[بلك])?(?:ال|ل)?"
_GAP = r"(?:\S+ ){0,3}?"


@dataclass(frozen=True, slots=True)
class Danger:
    """What was read of danger in a text.

    Attributes:
        points: of all groups together.
        groups: names of those that were found, in the order of the data.
    """

    points: int
    groups: tuple[str, ...]

    @property
    def now(self) -> bool:
        """Whether it is told as happening now."""
        return self.points >= ENOUGH


@dataclass(frozen=True, slots=True)
class _Phrase:
    group: str
    key: str
    pattern: str


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Points by group, and the phrases by the first letters of their longest run of letters."""

    points: dict[str, int]
    phrases: dict[str, list[_Phrase]]


def read(text: str, language: str = "") -> Danger:
    """Look for danger in a text. Never raises.

    Args:
        text: as it was written.
        language: its BCP 47 tag where it is known: Darija in Latin letters, which everybody spells
            differently, is looked at in Arabic ones as well.
    """
    text = text[:LOOKED_AT]
    spellings = [_words(text)]
    if language == _ARABIZI:
        spellings.append(_words(to_arabic(text)))
    lexicon = _lexicon()
    found: set[str] = set()
    for words in spellings:
        for start in {words[at : at + _START] for at in range(len(words) - _START + 1)}:
            for phrase in lexicon.phrases.get(start, ()):
                # A plain search for its longest letters first: nearly every phrase ends there.
                known = phrase.group in found or phrase.key not in words
                if not known and _compiled(phrase.pattern).search(words):
                    found.add(phrase.group)
    groups = tuple(name for name in lexicon.points if name in found)
    return Danger(sum(lexicon.points[name] for name in groups), groups)


def in_danger(text: str, language: str = "") -> bool:
    """Whether a text tells of somebody in danger now."""
    return read(text, language).now


def _words(text: str) -> str:
    folded = fold(text).replace("'", " ").replace("\u2019", " ")
    spaced = _NO_WORD.sub(" ", _DRAWN_OUT.sub(r"\1", folded))
    return f" {_SHOUT.sub(_shouted, spaced)} "


def _shouted(match: re.Match[str]) -> str:
    return " !! " if len(match[1]) > 1 else " "


@cache
def _lexicon() -> _Lexicon:
    source = resources.files("normalizer") / "emergency.toml"
    tables = tomllib.loads(source.read_text(encoding="utf-8"))["groups"]
    lexicon = _Lexicon({name: table["points"] for name, table in tables.items()}, {})
    for name, table in tables.items():
        for language, phrases in table.items():
            if language == "points":
                continue
            for phrase in phrases:
                key, pattern = _phrase(phrase)
                lexicon.phrases.setdefault(key[:_START], []).append(_Phrase(name, key, pattern))
    return lexicon


def preload() -> None:
    """Read the words now, so that no citizen's message waits for them."""
    _lexicon()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when its letters first stand in a text; all of them take half a second."""
    return re.compile(pattern)


def _phrase(phrase: str) -> tuple[str, str]:
    """A phrase of the data as the letters that it is looked for by, and its pattern."""
    pattern, keys = " ", []
    for word in fold(phrase).split():
        if word == "_":
            pattern += _GAP
            continue
        # An Arabic word may have letters before it, so that no space stands there.
        arabic = bool(_ARABIC.match(word))
        keys += (f"{word} " if arabic else f" {word} ").split("*")
        letters = re.escape(word).replace(r"\*", r"\w*")
        pattern += f"{_PREFIX if arabic else ''}{letters} "
    return max(keys, key=len), pattern
