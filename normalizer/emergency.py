# SPDX-License-Identifier: MIT
"""Whether a text tells of somebody in danger now: then they are told the right number at once.

A help, never a judge: it adds a text and a place at the top of a list, and takes nothing away.
The words, and those that tell that all is over or only feared, stand in ``emergency.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from normalizer.text import fold
from normalizer.transliteration import to_arabic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Characters of a text that are looked at: who is in danger says so first.
LOOKED_AT = 1_000
ENOUGH = 3
_ARABIZI = "ary-Latn"
_ARABIC = re.compile("[\u0600-\u06ff]")
_WORD_OR_SHOUT = re.compile(r"\w+|!+")
_NO_WORDS = {ord(c): " " for c in map(chr, range(128)) if not (c.isalnum() or c == "_")}
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")
_SHOUTED = "!!"
#: Words that are remembered without their drawn-out letters.
_REMEMBERED = 20_000
#: How many letters of a word phrases are found by.
_LETTERS = (1, 2, 3)
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
    """A phrase of the data.

    Attributes:
        group: what it tells of.
        rarest: letters that it must have, those that the fewest other phrases have.
        others: the letters of its other words.
        pattern: a regular expression.
    """

    group: str
    rarest: str
    others: tuple[str, ...]
    pattern: str


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Points by group, and the phrases by one word of theirs, by how much of it they tell.

    Attributes:
        points: of each group.
        words: phrases by a whole word.
        starts: by the first letters of a word.
        ends: by the last letters of a word.
        inside: by letters inside a word: Arabic ones, before which others may be written.
    """

    points: dict[str, int]
    words: dict[str, list[_Phrase]]
    starts: dict[str, list[_Phrase]]
    ends: dict[str, list[_Phrase]]
    inside: list[_Phrase]

    def add(self, phrase: _Phrase) -> None:
        """Put a phrase where its word is looked for."""
        key = phrase.rarest
        begins, ends = key.startswith(" "), key.endswith(" ")
        letters = key.strip()
        if begins and ends:
            self.words.setdefault(letters, []).append(phrase)
        elif not (begins or ends):
            if letters.isascii():
                message = f"a Latin word of the data has neither beginning nor end: *{letters}*"
                raise ValueError(message)
            self.inside.append(phrase)
        elif begins:
            self.starts.setdefault(letters[: _LETTERS[-1]], []).append(phrase)
        else:
            self.ends.setdefault(letters[-_LETTERS[-1] :], []).append(phrase)

    def likely(self, words: Iterable[str]) -> Iterator[_Phrase]:
        """The phrases of which a word may stand among these."""
        distinct = set(words)
        if not all(map(str.isascii, distinct)):
            yield from self.inside
        for table, letters in (
            (self.words, distinct),
            (self.starts, {word[:count] for word in distinct for count in _LETTERS}),
            (self.ends, {word[-count:] for word in distinct for count in _LETTERS}),
        ):
            for key in letters:
                yield from table.get(key, ())


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
        said = f" {' '.join(words)} "
        for phrase in lexicon.likely(words):
            # Plain searches for its letters first: nearly every phrase ends there.
            if phrase.rarest not in said or phrase.group in found:
                continue
            letters = all(key in said for key in phrase.others)
            if letters and _compiled(phrase.pattern).search(said):
                found.add(phrase.group)
    groups = tuple(name for name in lexicon.points if name in found)
    return Danger(sum(lexicon.points[name] for name in groups), groups)


def in_danger(text: str, language: str = "") -> bool:
    """Whether a text tells of somebody in danger now."""
    return read(text, language).now


def _words(text: str) -> list[str]:
    """The words, folded, and ``!!`` where somebody shouts."""
    folded = fold(text)
    if "!" not in folded and folded.isascii():  # half the time of looking for words
        return list(map(_plain, folded.translate(_NO_WORDS).split()))
    return list(filter(None, map(_plain, _WORD_OR_SHOUT.findall(folded))))


@lru_cache(_REMEMBERED)
def _plain(word: str) -> str:
    """A word without its drawn-out letters; one exclamation mark is nothing."""
    if word[0] == "!":
        return _SHOUTED if len(word) > 1 else ""
    return _DRAWN_OUT.sub(r"\1", word)


@cache
def _lexicon() -> _Lexicon:
    source = resources.files("normalizer") / "emergency.toml"
    tables = tomllib.loads(source.read_text(encoding="utf-8"))["groups"]
    lexicon = _Lexicon({name: table["points"] for name, table in tables.items()}, {}, {}, {}, [])
    phrases = [
        (name, *_phrase(phrase))
        for name, table in tables.items()
        for language, phrases in table.items()
        if language != "points"
        for phrase in phrases
    ]
    uses = Counter(key for _, keys, _ in phrases for key in keys)
    for name, keys, pattern in phrases:
        # By its word of the fewest phrases, then of the most letters: "depuis" is in every text.
        rarest = sorted(dict.fromkeys(keys), key=lambda key: (uses[key], -len(key)))
        lexicon.add(_Phrase(name, rarest[0], tuple(rarest[1:]), pattern))
    return lexicon


def preload() -> None:
    """Read the words now, so that no citizen's message waits for them."""
    _lexicon()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when its letters first stand in a text; all of them take half a second."""
    return re.compile(pattern)


def _phrase(phrase: str) -> tuple[list[str], str]:
    """A phrase of the data as the runs of letters that it must have, and its pattern."""
    pattern, keys = " ", []
    for word in fold(phrase).split():
        if word == "_":
            pattern += _GAP
            continue
        # An Arabic word may have letters before it, so that no space stands there.
        arabic = bool(_ARABIC.match(word))
        found = (f"{word} " if arabic else f" {word} ").split("*")
        keys += [max(found, key=len)]
        letters = re.escape(word).replace(r"\*", r"\w*")
        pattern += f"{_PREFIX if arabic else ''}{letters} "
    return keys, pattern
