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
class _Group:
    name: str
    points: int
    phrases: tuple[tuple[str, re.Pattern[str]], ...]


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
    found = [g for g in _groups() if any(_is_in(g, words) for words in spellings)]
    return Danger(sum(group.points for group in found), tuple(group.name for group in found))


def in_danger(text: str, language: str = "") -> bool:
    """Whether a text tells of somebody in danger now."""
    return read(text, language).now


def _words(text: str) -> str:
    folded = fold(text).replace("'", " ").replace("\u2019", " ")
    spaced = _NO_WORD.sub(" ", _DRAWN_OUT.sub(r"\1", folded))
    return f" {_SHOUT.sub(_shouted, spaced)} "


def _shouted(match: re.Match[str]) -> str:
    return " !! " if len(match[1]) > 1 else " "


def _is_in(group: _Group, words: str) -> bool:
    # A plain search for its longest letters first: nearly every phrase ends there.
    return any(key in words and pattern.search(words) for key, pattern in group.phrases)


@cache
def _groups() -> tuple[_Group, ...]:
    source = resources.files("normalizer") / "emergency.toml"
    tables = tomllib.loads(source.read_text(encoding="utf-8"))["groups"]
    return tuple(
        _Group(
            name,
            table["points"],
            tuple(
                _phrase(phrase)
                for language, phrases in table.items()
                if language != "points"
                for phrase in phrases
            ),
        )
        for name, table in tables.items()
    )


def preload() -> None:
    """Read the words now, so that no citizen's message waits for them."""
    _groups()


def _phrase(phrase: str) -> tuple[str, re.Pattern[str]]:
    """A phrase of the data as its longest run of letters and its pattern."""
    pattern = " "
    for word in fold(phrase).split():
        if word == "_":
            pattern += _GAP
            continue
        letters = re.escape(word).replace(r"\*", r"\w*")
        pattern += f"{_PREFIX if _ARABIC.match(word) else ''}{letters} "
    runs = re.split(r"[\s*_]+", fold(phrase))
    return max(runs, key=len), re.compile(pattern)
