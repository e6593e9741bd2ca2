# SPDX-License-Identifier: MIT
"""The words of short texts, and what they do there, however they are spelt.

The words stand in ``intent_words.toml``. A word of a text is looked for as it is written, then
without drawn-out letters and Arabic prefixes or endings, then by its sound (a French word without
its silent end, a Darija word in Latin letters by its consonants), then with one wrong letter.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import IntEnum, auto
from functools import cache, lru_cache
from importlib import resources
from typing import TypeVar

from normalizer.spelling import (
    DRAWN_OUT,
    consonants,
    levelled,
    near,
    skeleton,
    sound,
    squeezed,
    without_one,
)
from normalizer.text import fold


class Role(IntEnum):
    """What a word may do in a text; the names are those of the tables in the data.

    One bit each. No IntFlag: every ``&`` with one of its members would make another member.
    """

    @staticmethod
    def _generate_next_value_(_name: str, _start: int, count: int, _last: list[int]) -> int:
        """Give each its own bit."""
        return 1 << count

    GREETING = auto()
    ADDRESS = auto()
    POLITE = auto()
    THANKS = auto()
    PRAISE = auto()
    FUNCTION = auto()
    MINE = auto()
    YOURS = auto()
    QUESTION = auto()
    SEEK = auto()
    CASE = auto()
    PAPER = auto()
    TRACK = auto()
    ANSWER = auto()
    DONE = auto()
    EXISTING = auto()
    MATTER = auto()
    TROUBLE = auto()
    HELP = auto()
    HOW = auto()
    LODGE = auto()
    SERVICE = auto()
    IDENTITY = auto()
    STOP = auto()
    UNSUBSCRIBE = auto()
    REMOVE = auto()
    LIST = auto()
    MESSAGE = auto()
    SEND = auto()
    RECEIVE = auto()
    WANT = auto()
    NOT = auto()
    AGAIN = auto()
    START = auto()
    NOISE = auto()
    YES = auto()
    FILED_BEFORE = auto()
    ABOUT = auto()
    CONTENT = auto()
    NUMBERED = auto()
    LABEL = auto()
    SOLVED = auto()
    #: A case that is the writer's own by its ending (شكايتي); no table of its own.
    OWN = auto()


def any_of(*roles: int) -> int:
    """One mask of several roles."""
    mask = 0
    for role in roles:
        mask |= role
    return mask


Key = TypeVar("Key")
_EUROPEAN, _ARABIZI, _AMAZIGH = ("fr", "en"), "latn", "zgh"
#: Most words of a phrase.
_LONGEST = 6
#: Words whose roles are remembered.
_REMEMBERED = 20_000
#: Letters that a word needs at least to be known by its sound, by its consonants or with a slip.
_SOUND, _CONSONANTS, _SLIP = 5, 4, 6
#: Consonants of a word and of a phrase that are enough to know it by.
_OF_A_WORD, _OF_A_PHRASE = 3, 6
#: Words of these roles take an Arabic article, preposition and possessive ending.
_NOUNS = Role.OWN | Role.CASE | Role.TRACK | Role.ANSWER | Role.MATTER
_NOUNS |= Role.SERVICE | Role.MESSAGE | Role.LIST
#: Others that take an article or a preposition.
_PREFIXED = Role.DONE | Role.SEEK | Role.CONTENT | Role.HELP | Role.LODGE | Role.YOURS
_PREFIXES = tuple("وال فال بال كال عال هال ولل لل ال و ف ب ل ك د ع".split())  # noqa: SIM905
_CONJUNCTIONS = ("و", "ف")
_OWN_ENDINGS, _ENDINGS = ("ي", "نا"), ("ي", "نا", "ك", "كم", "كوم", "ه", "هم", "ها")
#: What stands before and after a Darija verb: who, when (غت: "you will"), and "me", "us".
_TENSES = {
    "ary": (
        tuple("ت ن ي كت كن كي كات كان كاي غت غن غي غات غان غاي".split()),  # noqa: SIM905
        ("", "و", "ي", "ني", "نا", "وني", "ونا", "وها", "وه", "ولي", "وليا"),
    ),
    "latn": (
        tuple("t n y kat kan kay ghat ghan ghay gat gan".split()),  # noqa: SIM905
        ("", "o", "ou", "i", "ni", "na", "oni", "ouni", "ona", "ouna", "oha", "oliya"),
    ),
}
_PREPOSITIONS = ("l", "f", "b", "d", "w", "el", "al", "fl", "bl", "dl", "lil", "fel", "bel", "del")


def _add(table: dict[Key, int], key: Key, role: int) -> None:
    table[key] = table.get(key, 0) | role


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a phrase of a text.

    Attributes:
        roles: what it may do; none for a word that stands in no table.
        words: how many words it has.
        text: the words, folded.
        parts: what each word of a phrase may do by itself; none when one of them is unknown.
    """

    roles: int
    words: int
    text: str
    parts: tuple[int, ...] = ()

    def is_one_of(self, roles: int) -> bool:
        """Whether it, or each of its words, may do one of these."""
        if self.roles & roles:
            return True
        return bool(self.parts) and all(part & roles for part in self.parts)

    def does(self, roles: int) -> bool:
        """Whether it, or a word of it, does one of these."""
        return bool(self.roles & roles) or any(part & roles for part in self.parts)


class Lexicon:
    """Every word of the tables, by its spellings."""

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self._words: dict[str, int] = {}
        self._phrases: dict[tuple[str, ...], int] = {}
        self._first: dict[str, int] = {}
        self._sounds: dict[str, int] = {}
        self._levelled: dict[str, int] = {}
        self._consonants: dict[str, int] = {}
        self._phrase_consonants: dict[str, int] = {}
        self._slips: dict[str, set[str]] = {}
        verbs = tables.pop("verbs", {})
        for name, languages in tables.items():
            role = int(Role[name.upper()])
            for language, words in languages.items():
                for written in words.split():
                    self._enter([fold(word) for word in written.split("_") if word], language, role)
        self._own_cases()
        for name, words in verbs.items():
            language, _, role_name = name.partition("_")
            self._conjugate(words.split(), language, int(Role[role_name.upper()]))
        for word in list(self._words):
            if len(word) >= _SLIP:
                for key in without_one(word):
                    self._slips.setdefault(key, set()).add(word)
        self._beginnings = frozenset(
            key[:end] for key in self._phrase_consonants for end in range(len(key) + 1)
        )
        #: The roles of a folded word, however it is spelt; 0 for none. Remembered, as people say
        #: the same things.
        self.roles = lru_cache(maxsize=_REMEMBERED)(self._roles_of)
        self._opening = lru_cache(maxsize=_REMEMBERED)(self._opens)

    def _enter(self, words: list[str], language: str, role: int) -> None:
        joined = "".join(words)
        if len(words) > 1:
            _add(self._phrases, tuple(words), role)
            self._first[words[0]] = max(self._first.get(words[0], 0), len(words))
            if language == _ARABIZI and len(consonants(joined)) >= _OF_A_PHRASE:
                _add(self._phrase_consonants, consonants(joined), role)
            return
        _add(self._words, joined, role)
        if language in _EUROPEAN and len(joined) >= _SOUND:
            _add(self._sounds, sound(joined), role)
        if language in (_ARABIZI, _AMAZIGH) and joined.isascii() and len(joined) >= _CONSONANTS:
            _add(self._levelled, levelled(joined), role)
            if len(consonants(joined)) >= _OF_A_WORD:
                _add(self._consonants, consonants(joined), role)

    def _conjugate(self, verbs: list[str], language: str, role: int) -> None:
        """غتجاوبوني, ghatjawbouni: what people will do, do and shall do."""
        prefixes, endings = _TENSES[language]
        for verb in map(fold, verbs):
            for prefix in prefixes:
                for ending in endings:
                    word = f"{prefix}{verb}{ending}"
                    _add(self._words, word, role)
                    if language == _ARABIZI:
                        _add(self._levelled, levelled(word), role)

    def _own_cases(self) -> None:
        """شكايتي, f chikayti: the writer's own case, with every prefix."""
        for word, roles in list(self._words.items()):
            if not roles & Role.CASE:
                continue
            if "ا" <= word[0] <= "ي" and not word.startswith("ال"):
                stem = f"{word[:-1]}ت" if word.endswith("ه") else word
                for before in ("", "و", "ف", "ب", "ل", "ك"):
                    for ending in _ENDINGS:
                        mine = roles | (Role.OWN if ending in _OWN_ENDINGS else 0)
                        _add(self._words, f"{before}{stem}{ending}", mine)
            elif word.isascii() and word.endswith("ya"):
                for before in ("", "f", "b", "l", "d"):
                    for ending in ("ti", "ty", "tna"):
                        for case in (f"{before}{word[:-1]}{ending}", f"{before}{word}{ending}"):
                            _add(self._words, case, roles | Role.OWN)
                            _add(self._levelled, levelled(case), roles | Role.OWN)

    def exact(self, word: str) -> int:
        """The roles of a folded word as it is written; 0 for none."""
        return self._words.get(word, 0)

    def _roles_of(self, word: str) -> int:
        found = self._words.get(word)
        if found is not None:
            return found
        return self._loosely(word) or self._loosely_drawn_out(word)

    def _loosely_drawn_out(self, word: str) -> int:
        if not DRAWN_OUT.search(word):
            return 0
        for short in (DRAWN_OUT.sub(r"\1\1", word), DRAWN_OUT.sub(r"\1", word), squeezed(word)):
            found = self._words.get(short) or self._loosely(short)
            if found:
                return found
        return 0

    def _loosely(self, word: str) -> int:
        if not word.isascii():
            return self._without_clitics(word) or self._with_slip(word)
        found = 0
        if len(word) >= _SOUND:
            found = self._sounds.get(sound(word), 0)
        if not found and len(word) >= _CONSONANTS:
            found = self._levelled.get(levelled(word), 0)
            found = found or self._consonants.get(consonants(word), 0)
        for before in _PREPOSITIONS if not found else ():
            if word.startswith(before) and len(word) - len(before) >= _CONSONANTS:
                rest = word[len(before) :]
                found |= (
                    self._words.get(rest, 0)
                    or self._levelled.get(levelled(rest), 0)
                    or self._consonants.get(consonants(rest), 0)
                ) & _NOUNS
        return found or self._with_slip(word)

    def _without_clitics(self, word: str) -> int:
        """An Arabic word without "and", article, preposition and possessive ending."""
        for before in _PREFIXES:
            if word.startswith(before) and len(word) - len(before) > 1:
                rest = word[len(before) :]
                found = self._words.get(rest, 0) or self._words.get(f"ال{rest}", 0)
                if before not in _CONJUNCTIONS:
                    found &= _NOUNS | _PREFIXED
                if found:
                    return found
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) > 2:  # noqa: PLR2004 - a root has three
                stem = word[: -len(ending)]
                for end in (stem, f"{stem[:-1]}ه" if stem.endswith("ت") else stem):
                    found = self._words.get(end, 0) or self._bare(end)
                    if found & (_NOUNS | Role.SEEK):  # "send it": a verb takes one as well
                        return found & (_NOUNS | Role.SEEK | Role.PRAISE)
        return 0

    def _bare(self, word: str) -> int:
        for before in _PREFIXES:
            if word.startswith(before) and word[len(before) :] in self._words:
                return self._words[word[len(before) :]]
        return 0

    def _with_slip(self, word: str) -> int:
        if len(word) < _SLIP:
            return 0
        found = 0
        for key in without_one(word):
            for other in self._slips.get(key, ()):
                if near(word, other):
                    found |= self._words[other]
        return int(Role.CONTENT) if found & Role.CONTENT else found

    def units(self, words: list[str], unknown: int) -> list[Unit] | None:
        """The words and phrases of a text.

        Args:
            words: folded.
            unknown: how many words may stand in no table.

        Returns:
            the units in order, or ``None`` for a text with more unknown words.
        """
        found: list[Unit] = []
        at = 0
        while at < len(words):
            unit = self._phrase(words, at) or Unit(self.roles(words[at]), 1, words[at])
            if not unit.roles:
                unknown -= 1
                if unknown < 0:
                    return None
            found.append(unit)
            at += unit.words
        return found

    def _phrase(self, words: list[str], at: int) -> Unit | None:
        first, longest, by_sound = self._opening(words[at])
        for count in range(min(longest, len(words) - at), 1, -1):
            roles = self._phrases.get((first, *words[at + 1 : at + count]))
            if roles:
                return self._unit(words, at, count, roles)
        if not by_sound:
            return None
        found: Unit | None = None
        said = ""
        for count in range(1, min(_LONGEST, len(words) - at) + 1):
            word = words[at + count - 1]
            more = skeleton(word, first=count == 1) if word.isascii() else None
            if more is None:
                break
            said += more[1:] if said and more[:1] == said[-1] else more
            roles = self._phrase_consonants.get(said.rstrip("h"))
            if roles:
                found = self._unit(words, at, count, roles)
            if said not in self._beginnings:
                break
        return found

    def _opens(self, word: str) -> tuple[str, int, bool]:
        """How a word may begin a phrase.

        Returns:
            the word without "and", the most words of a phrase with it, and whether its consonants
            begin one.
        """
        longest = self._first.get(word, 0)
        if not longest and word[0] in _CONJUNCTIONS:
            word = word[1:]
            longest = self._first.get(word, 0)
        begins = skeleton(word, first=True) if word.isascii() else None
        return word, longest, begins in self._beginnings

    def _unit(self, words: list[str], at: int, count: int, roles: int) -> Unit:
        """A phrase may also do what its words do."""
        parts = tuple(self._words.get(word, 0) for word in words[at : at + count])
        return Unit(roles, count, " ".join(words[at : at + count]), parts if all(parts) else ())

    def told_before(self, words: list[str]) -> bool:
        """Whether "I have already complained" or "your answer" (جوابكم) stands among the words."""
        for at, word in enumerate(words):
            for first in (word, word[1:]) if word[:1] in _CONJUNCTIONS else (word,):
                if self._words.get(first, 0) & Role.FILED_BEFORE:
                    return True
                for count in range(2, self._first.get(first, 0) + 1):
                    said = (first, *words[at + 1 : at + count])
                    if self._phrases.get(said, 0) & Role.FILED_BEFORE:
                        return True
        return False


@cache
def lexicon() -> Lexicon:
    """The tables, read once."""
    source = resources.files("normalizer").joinpath("intent_words.toml")
    return Lexicon(tomllib.loads(source.read_text(encoding="utf-8")))
