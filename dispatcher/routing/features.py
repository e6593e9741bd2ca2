# SPDX-License-Identifier: MIT
"""What the classifier sees of a text: character n-grams, stems, consonants and concepts.

Each *view* is a list of features, weighted and normalised on its own (``training.py``), so that a
text in Latin letters, which has fewer of some, is not pushed aside by the others. A text in
Arabizi is read twice: as it stands, and as its copy in Arabic letters
(:mod:`normalizer.transliteration`), which meets what Darija in Arabic letters has taught.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from dispatcher.routing import stems
from normalizer.language import detect
from normalizer.text import ascii_digits, fold
from normalizer.transliteration import to_arabic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: Views by name, each with the least number of texts a feature must stand in to be learnt.
VIEWS: Mapping[str, int] = {"characters": 2, "words": 1, "consonants": 2, "concepts": 1}
#: A text is read so far: a longer letter names its matter before, and cost grows with length.
LOOKED_AT = 4000
SHORTEST, LONGEST = 2, 5
ARABIZI = "ary-Latn"

#: Amazigh is written in two scripts: what one has taught holds in the other. The letters of the
#: Latin copy are those that people type, without dots.
_TIFINAGH = str.maketrans(
    {
        "ⴰ": "a",
        "ⴱ": "b",
        "ⴳ": "g",
        "ⴷ": "d",
        "ⴹ": "d",
        "ⴻ": "e",
        "ⴼ": "f",
        "ⴽ": "k",
        "ⵀ": "h",
        "ⵃ": "h",
        "ⵄ": "a",
        "ⵅ": "kh",
        "ⵇ": "q",
        "ⵉ": "i",
        "ⵊ": "j",
        "ⵍ": "l",
        "ⵎ": "m",
        "ⵏ": "n",
        "ⵓ": "u",
        "ⵔ": "r",
        "ⵕ": "r",
        "ⵖ": "gh",
        "ⵙ": "s",
        "ⵚ": "s",
        "ⵛ": "ch",
        "ⵜ": "t",
        "ⵟ": "t",
        "ⵡ": "w",
        "ⵢ": "y",
        "ⵣ": "z",
        "ⵥ": "z",
        "ⵯ": "w",
        "ⴵ": "j",
        "ⵞ": "ch",
        "ⵠ": "v",
        "ⵒ": "p",
    }
)
_WORD = re.compile(r"[^\W_]+")
_ARABIC = re.compile("[\u0600-\u06ff]")
_CACHED = 65_536
_LONGEST_PHRASE = 3
_ENOUGH_CONSONANTS = 4


@dataclass(frozen=True, slots=True)
class Concepts:
    """Words of several languages that mean one thing, so that one language teaches another.

    Attributes:
        phrases: each phrase as its words, bare of what their forms differ by, with the names of
            its concepts.
    """

    phrases: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Mapping[str, Iterable[str]]) -> Concepts:
        """Make them of names and the phrases of each, in any language and script."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, phrases in words.items():
            for phrase in phrases:
                key = tuple(_meaning(word) for word in words_of(phrase))
                if key and name not in found.setdefault(key, []):
                    found[key].append(name)
        return cls({key: tuple(names) for key, names in found.items()})

    def named_in(self, bare: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """The concepts of a text in its order, each with the place of its first word and the end.

        The name of a concept begins with ``=``: no word does.
        """
        if self.phrases:
            for start in range(len(bare)):
                for length in range(1, min(_LONGEST_PHRASE, len(bare) - start) + 1):
                    end = start + length
                    for name in self.phrases.get(tuple(bare[start:end]), ()):
                        yield f"={name}", start, end


@dataclass(frozen=True, slots=True)
class Features:
    """A text as the classifier sees it.

    Attributes:
        language: BCP 47 tag.
        views: the features of each view, in the order and as often as they stand.
        written: the words that a feature was made of, as they stand in the text.
    """

    language: str
    views: Mapping[str, Sequence[str]]
    written: Mapping[str, str] = field(default_factory=dict)


def words_of(text: str) -> list[str]:
    """The folded words of a text; a number is ``0`` whatever it is, since no two are alike."""
    return [_folded(word) for word in _WORD.findall(ascii_digits(text[:LOOKED_AT]))]


@lru_cache(_CACHED)
def _folded(word: str) -> str:
    return "0" if word.isdecimal() else fold(word).translate(_TIFINAGH)


def read(text: str, language: str = "", concepts: Concepts | None = None) -> Features:
    """Read a text.

    Args:
        text: as the citizen wrote it.
        language: its BCP 47 tag; found out where it is not given.
        concepts: words that mean the same.
    """
    language = language or detect(text[:LOOKED_AT])
    latin: list[tuple[str, str]] = []
    arabic: list[tuple[str, str]] = []
    for word in _WORD.findall(ascii_digits(text[:LOOKED_AT])):
        folded = _folded(word)
        (arabic if _ARABIC.search(folded) else latin).append((folded, word))
    if language == ARABIZI and latin:
        written_so = [word for _, word in latin]
        copies = words_of(to_arabic(" ".join(written_so)))
        # Word for word, except where the copy joined two.
        arabic += zip(copies, written_so if len(copies) == len(latin) else copies, strict=True)
    characters = [part for word, _ in (*latin, *arabic) for part in _n_grams(word)]
    bare = [stems.skeleton(word) for word, _ in arabic if word not in stems.STOP_WORDS]
    consonants = [part for word, _ in arabic for part in _n_grams(stems.skeleton(word))]
    consonants += [f"#{word}" for word in bare]
    consonants += [f"#{one} {two}" for one, two in pairwise(bare)]
    meant: list[str] = []
    together: list[str] = []
    written: dict[str, str] = {}
    for half in (latin, arabic):
        stemmed = [(_stem(word), as_is) for word, as_is in half if word not in stems.STOP_WORDS]
        for stem, as_is in stemmed:
            together.append(stem)
            written.setdefault(stem, as_is)
        for (one, as_is), (two, too) in pairwise(stemmed):
            together.append(f"{one} {two}")
            written.setdefault(together[-1], f"{as_is} {too}")
        if concepts is not None:
            for name, start, end in concepts.named_in([_meaning(word) for word, _ in half]):
                meant.append(name)
                written.setdefault(name, " ".join(as_is for _, as_is in half[start:end]))
    views = {
        "characters": characters,
        "words": together,
        "consonants": consonants,
        "concepts": meant,
    }
    return Features(language, views, written)


def _stem(word: str) -> str:
    return stems.darija(word) if _ARABIC.search(word) else stems.french(word)


@lru_cache(_CACHED)
def _meaning(word: str) -> str:
    """A word as concepts are found by: its stem, in Arabic its consonants where they are enough."""
    if not _ARABIC.search(word):
        return stems.french(word)
    stem = stems.darija(word)
    bare = stems.skeleton(stem)
    return bare if len(bare) >= _ENOUGH_CONSONANTS else stem


@lru_cache(_CACHED)
def _n_grams(word: str) -> tuple[str, ...]:
    """Runs of 2 to 5 characters of a word between blanks; a shorter word once."""
    padded = f" {word} "
    length = len(padded)
    found: list[str] = []
    for size in range(SHORTEST, LONGEST + 1):
        if length <= size:
            found.append(padded)
            break
        found += [padded[start : start + size] for start in range(length - size + 1)]
    return tuple(found)
