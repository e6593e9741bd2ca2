# SPDX-License-Identifier: MIT
"""Moroccan Darija from Latin letters and digits into Arabic ones, and back for training copies.

Both ways end in one pass over the words of a text. The words whose spelling no letter tells (short
vowels that are written, emphatic letters, loans) stand in ``transliteration.toml``.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from normalizer.arabizi import assimilated, clitics, is_number, letters, quantity, skeleton
from normalizer.latin_copy import Hand, article, spelt
from normalizer.text import ascii_digits, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What becomes of the French words inside: written as they sound, or left as they are.
French = Literal["sound", "keep"]

#: A letter more in a word than this is not looked at: no word of a language is longer.
_LONGEST = 60
_SPACES = re.compile(r"(\s+)")
_LATIN_RUN = re.compile("[0-9A-Za-z\u00c0-\u024f\u0250-\u02af\u1e00-\u1eff]+")
#: Words of one letter that are written in one with the next word in Arabic letters.
_CLITICS = {
    "f": "ف",
    "b": "ب",
    "w": "و",
    "l": "ال",
    "el": "ال",
    "al": "ال",
    "F": "ف",
    "L": "ال",
    "W": "و",
    "B": "ب",
}
_JOINERS = frozenset((" ", "'", "\u2019", "-"))
#: و ف ب ل before a word, with or without its article; at least two letters stay.
_PREFIXED = re.compile("(لل|[وفبل](?=ال))?(ال)?(.{2,})")
_PREPOSITIONS = {"و": "w", "ف": "f", "ب": "b", "ل": "l", "لل": "l"}
_MARKS = re.compile("[\u064b-\u065f\u0670\u0640]")
_ARABIC_RUN = re.compile("[\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u06d5]+")
_ARABIC_SIGNS = str.maketrans({"،": ",", "؛": ";", "؟": "?", "٪": "%", "٫": ",", "٬": " "})
#: Signs of French spelling that the spelling of Darija lacks.
_FRENCH = re.compile(
    "[\u00e0\u00e2\u00e8\u00e9\u00ea\u00eb\u00ee\u00ef\u00f4\u00fb\u00f9\u00e7]|eau|tion|sion|ment$|qu|oi|eu[rxs]?$|[aeiou]n[ct]e"
    "|x$|..ique$|able$|elle$|ette$|[^aeiou]re$|age$|ance$|ence$|ise?r$|i[eo]n$|ie$|ure?$|ph|aire$"
)


@dataclass(frozen=True, slots=True)
class _Words:
    """The word list, both ways.

    Attributes:
        arabic: a spelling in Latin letters → the word in Arabic ones.
        skeletons: the same by what all spellings of a word have in common.
        latin: a word in Arabic letters, folded → its spellings, the most usual first.
        french: short French words that no sign of spelling tells.
    """

    arabic: dict[str, str]
    skeletons: dict[str, str]
    latin: dict[str, tuple[str, ...]]
    french: frozenset[str]


@cache
def _words() -> _Words:
    file = resources.files("normalizer") / "transliteration.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    arabic: dict[str, str] = {}
    skeletons: dict[str, str] = {}
    latin: dict[str, tuple[str, ...]] = {}
    for word, spellings in data["words"].items():
        latin[fold(word)] = tuple(spellings.split())
        for one in spellings.split():
            arabic.setdefault(one, word)
            skeletons.setdefault(skeleton(one), word)
    return _Words(arabic, skeletons, latin, frozenset(data["french"]["words"].split()))


def preload() -> None:
    """Read the word list now, so that no citizen's message waits for it."""
    _words()


def to_arabic(text: str, *, french: French = "sound") -> str:
    """A copy of ``text`` with its Latin letters, and the digits among them, as Arabic letters.

    Amounts, dates, telephone numbers, codes and addresses of the net stay as they are, and so does
    whatever is no Latin letter. Never raises; the work grows with the length of the text.

    Args:
        text: in any script; meant for Darija in Latin letters.
        french: what becomes of words that look French. As they sound, they meet the loans that
            Moroccans write in Arabic letters; left, the French texts a classifier has seen: to be
            preferred where nothing else shows it the text as it was written.
    """
    made: list[str] = []
    clitic = ""
    for part in _parts(text):
        if not _LATIN_RUN.fullmatch(part):
            if clitic and part not in _JOINERS:
                made.append(clitic)
                clitic = ""
            if not clitic:
                made.append(part)
            continue
        if part in _CLITICS:
            clitic += _CLITICS[part]
            continue
        made.append(_joined(clitic, _word(part, french)))
        clitic = ""
    made.append(clitic)
    return "".join(made)


def _parts(text: str) -> Iterator[str]:
    """The runs of Latin letters and digits, and what stands between them, in order."""
    for chunk in _SPACES.split(text):
        if "@" in chunk or "://" in chunk or chunk.lower().startswith("www."):
            yield f"{chunk}"
            continue
        at = 0
        for found in _LATIN_RUN.finditer(chunk):
            if found.start() > at:
                yield chunk[at : found.start()]
            yield found.group()
            at = found.end()
        if at < len(chunk):
            yield chunk[at:]


def _joined(clitic: str, word: str) -> str:
    """A preposition or an article that stood apart, written in one with its word."""
    if not clitic or not _ARABIC_RUN.match(word):
        return f"{clitic} {word}" if clitic else word
    if word.startswith("ال"):
        clitic = clitic.removesuffix("ال")
    return clitic + word


def _word(written: str, french: French) -> str:
    """One run of Latin letters and digits in Arabic letters, or as it is."""
    if written.isdecimal() or len(written) > _LONGEST:
        return written
    word = unicodedata.normalize("NFC", written.lower())
    if (known := _words().arabic.get(word)) is not None:
        return known
    if (doubled := assimilated(word)) and (known := _known(doubled)) is not None:
        return "ال" + known.removeprefix("ال")
    if (known := _known(word)) is not None:
        return known
    if is_number(word):
        number, unit = quantity(word)
        return f"{number} {known}" if unit and (known := _known(unit)) else written
    if word in _words().french or _FRENCH.search(word):
        return written if french == "keep" else letters(word, french=True)
    parted = next(clitics(word), None)
    for before, rest, after in clitics(word):
        known = _known(rest)
        if known is not None:
            if before.endswith("ال"):
                known = known.removeprefix("ال")
            return before + known + after
    before, rest, after = parted or ("", word, "")
    return before + letters(rest) + after


def _known(word: str) -> str | None:
    words = _words()
    return words.arabic.get(word) or words.skeletons.get(skeleton(word))


def to_latin(text: str, draw: random.Random) -> str:
    """A copy of ``text`` with its Arabic letters in Latin ones, as one Moroccan might write it.

    Digits of Arabic script become 0-9; nothing else but Arabic letters, their marks and signs
    changes. The same state of ``draw`` gives the same copy. Never raises; linear.

    Args:
        text: in any script; meant for Darija in Arabic letters.
        draw: chooses the habits of the hand, and among the spellings of each word.
    """
    hand = Hand.drawn(draw)
    plain = ascii_digits(_MARKS.sub("", text).translate(_ARABIC_SIGNS))
    return _ARABIC_RUN.sub(lambda found: _in_latin(found.group(), hand, draw), plain)


def _in_latin(word: str, hand: Hand, draw: random.Random) -> str:
    if listed := _listed(word, hand, draw):
        return listed
    before = ""
    parted = _PREFIXED.fullmatch(word)
    if parted is None:
        return spelt(word, hand, draw)
    preposition, with_article, rest = parted.groups()
    if preposition:
        before = _PREPOSITIONS[preposition] + (" " if hand.parts else "")
    taken = 0
    if with_article or preposition == "لل":
        sign, taken = article(rest, hand)
        before += sign
    if not taken and (listed := _listed(rest, hand, draw)):
        return before + listed
    return before + spelt(rest[taken:], hand, draw)


def _listed(word: str, hand: Hand, draw: random.Random) -> str:
    """A spelling of ``word`` from the list, the first as often as all others; or nothing."""
    spellings = _words().latin.get(fold(word), ())
    if not spellings or draw.random() >= hand.listed:
        return ""
    return spellings[0] if draw.random() < 1 / 2 else draw.choice(spellings)
