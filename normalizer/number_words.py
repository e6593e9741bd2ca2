# SPDX-License-Identifier: MIT
"""The number words of French, English, Arabic and Darija in both scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from normalizer.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_UNITS = {
    0: "zéro zero oh nul nil nought صفر زيرو صيفر سيفر",
    1: "un une one احد احدى واحد واحدة وحدة الواحد",
    2: "deux two اثنا اثني اثنان اثنين اثنتان اثنتين اثنتا اثنتي اتنان اتنين جوج زوج تنين ثنين",
    3: "trois three ثلاثة ثلاث تلاتة تلاثة ثلاتة تلات تلت ثلث ثلت",
    4: "quatre four أربعة أربع ربعة اربعا ربع",
    5: "cinq five خمسة خمس",
    6: "six ستة ست",
    7: "sept seven سبعة سبع",
    8: "huit eight ثمانية ثماني ثمان تمنية تمانية ثمنية تمن ثمن تماني تمان",
    9: "neuf nine niner تسعة تسع تسعود",
}
_TEENS = {
    10: "dix ten عشرة",
    11: "onze eleven حداش احداش حضاش حطاش",
    12: "douze twelve طناش اطناش تناش اتناش",
    13: "treize thirteen تلطاش ثلطاش تلتاش تلتطاش تلاتاش",
    14: "quatorze fourteen ربعطاش ربعتاش اربعطاش",
    15: "quinze fifteen خمسطاش خمستاش",
    16: "seize sixteen سطاش ستاش سطعش",
    17: "seventeen سبعطاش سبعتاش",
    18: "eighteen تمنطاش تمنتاش ثمنطاش",
    19: "nineteen تسعطاش تسعتاش",
}
_TENS = {
    20: "vingt vingts twenty",
    30: "trente thirty",
    40: "quarante forty fourty",
    50: "cinquante fifty",
    60: "soixante sixty",
    70: "septante seventy",
    80: "huitante octante eighty",
    90: "nonante ninety",
}
#: Said after the unit: "eight and forty".
_TENS_AFTER = {
    20: "عشرون عشرين",
    30: "ثلاثون ثلاثين تلاتين تلاثين ثلاتين تلاتون",
    40: "أربعون أربعين ربعين",
    50: "خمسون خمسين",
    60: "ستون ستين",
    70: "سبعون سبعين",
    80: "ثمانون ثمانين تمانين تمنين تمانون",
    90: "تسعون تسعين",
}
#: Darija in Latin letters, each word in its fullest spelling: the others follow from it.
_ARABIZI_UNITS = {
    0: "sifr sifir ziro ziyro",
    1: "wa7ed wa7d wa7da",
    2: "jouj zouj tnin tnayn",
    3: "tlata telt tlat",
    4: "reb3a reb3 arba3a rba3",
    5: "khamsa khems",
    6: "setta sett sitta",
    7: "seb3a seb3",
    8: "tmenya temn tmanya temenya",
    9: "tes3oud tes3a tes3",
}
_ARABIZI_TEENS = {
    10: "3echra",
    11: "7edach 7dach",
    12: "tnach tenach",
    13: "teltach telttach",
    14: "rbe3tach reb3tach arba3tach",
    15: "khmestach khemstach",
    16: "settach",
    17: "sbe3tach seb3tach",
    18: "tmentach temntach",
    19: "tse3tach tes3tach",
}
_ARABIZI_TENS = {
    20: "3echrin",
    30: "tlatin",
    40: "reb3in arb3in",
    50: "khamsin",
    60: "settin",
    70: "seb3in",
    80: "tmanin temanin",
    90: "tes3in",
}
_ARABIZI_STEMS = {3: "telt", 4: "reb3", 5: "khems", 6: "sett", 7: "seb3", 8: "temn", 9: "tes3"}
_STEMS = {
    3: "ثلاث ثلث تلت تلات ثلت",
    4: "أربع ربع",
    5: "خمس",
    6: "ست",
    7: "سبع",
    8: "ثماني ثمان تمن ثمن تمان تمني",
    9: "تسع",
}
_HUNDRED_JOINED = "مائة مئة مية ميات"
_HUNDRED = f"cent cents hundred hundreds مئات {_HUNDRED_JOINED}"
_ARABIZI_HUNDRED = "miya mya mia"
#: 200 in one word.
_TWO_HUNDRED = "مائتان مائتين مئتان مئتين ميتين ميتان مائتا مائتي مئتا مئتي"
_ARABIZI_TWO_HUNDRED = "mitin mitayn myatin miyatin"
_THOUSAND = "mille mil thousand ألف آلاف الاف ألفا"
_ARABIZI_THOUSAND = "alf alaf"
_TWO_THOUSAND = "ألفان ألفين"
_ARABIZI_TWO_THOUSAND = "alfin alfayn"
_ARABIZI_SOUNDS = {
    "kh": ("kh", "5", "x"),
    "ch": ("ch", "sh"),
    "ou": ("ou", "o", "u"),
    "3": ("3", "a", "3a", ""),
    "7": ("7", "h"),
    "a": ("a", "e", ""),
    "e": ("e", "a", "i", ""),
    "i": ("i", "e"),
    "ay": ("ay", "ai", "ey"),
    "ya": ("ya", "ia", "iya", "ja"),
    "mya": ("mya", "mia", "miya"),
    "tt": ("tt", "t"),
}
_ARABIZI_LETTERS = re.compile("mya|kh|ch|ou|ay|ya|tt|.")
_SHORTEST = 3
_FRENCH_TEN = "dix"
_AND = "et and w u و"
_TEEN_MARK = "عشر عشره"
_TIMES = {2: "double", 3: "triple treble"}
_BREAK = "tiret trait union dash minus شرطة ناقص puis ثم point espace space"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: what kind of number word it is (``u t d h m a`` …), and its value.

    ``u`` unit, ``t`` ten to nineteen, ``d`` a ten before its unit, ``e`` a ten after it, ``h``
    hundred, ``c`` hundreds in one word, ``m`` thousand, ``g`` thousands in one word, ``a`` "and".
    """

    kind: str
    value: int
    digits: str = ""


def _table() -> dict[str, tuple[Token, ...]]:
    table: dict[str, list[Token]] = {}

    def enter(words: str, token: Token) -> None:
        for word in words.split():
            known = table.setdefault(fold(word), [])
            if token not in known:
                known.append(token)

    for kind, values in (
        *(("u", _UNITS), ("t", _TEENS), ("d", _TENS), ("e", _TENS_AFTER), ("x", _TIMES)),
        *(("c", {200: _TWO_HUNDRED}), ("g", {2000: _TWO_THOUSAND})),
    ):
        for value, words in values.items():
            enter(words, Token(kind, value))
    for kind, words in (
        ("h", _HUNDRED),
        ("m", _THOUSAND),
        ("a", _AND),
        ("k", _TEEN_MARK),
        ("f", _FRENCH_TEN),
        *(("q", "quatre"), ("v", "vingt vingts")),  # "four twenty" is no eighty
        ("s", f"{_BREAK} , ; . ، ؛ / |"),
    ):
        enter(words, Token(kind, 0))
    _enter_merged(enter)
    _enter_arabizi(enter, frozenset(table))
    table["\n"] = [Token("s", 0)]
    return {word: tuple(tokens) for word, tokens in table.items()}


def _enter_merged(enter: Callable[[str, Token], None]) -> None:
    """خمسمائة and its like."""
    for value, stems in _STEMS.items():
        for stem in stems.split():
            for hundred in _HUNDRED_JOINED.split():
                enter(f"{stem}{hundred}", Token("c", value * 100))


def _enter_arabizi(enter: Callable[[str, Token], None], known: frozenset[str]) -> None:
    """Darija in Latin letters; a word of another language keeps its meaning."""
    merged = {value * 100: f"{stem}emya {stem}mya" for value, stem in _ARABIZI_STEMS.items()}
    for kind, values in (
        *(("u", _ARABIZI_UNITS), ("t", _ARABIZI_TEENS), ("e", _ARABIZI_TENS)),
        *(("h", {0: _ARABIZI_HUNDRED}), ("m", {0: _ARABIZI_THOUSAND}), ("c", merged)),
        *(("c", {200: _ARABIZI_TWO_HUNDRED}), ("g", {2000: _ARABIZI_TWO_THOUSAND})),
    ):
        for value, words in values.items():
            for spelling in _spellings(words):
                if spelling not in known:
                    enter(spelling, Token(kind, value))


def _spellings(words: str) -> Iterator[str]:
    """Every spelling of Darija words in Latin letters: 5amsa, khmsa, xamsa."""
    for word in words.split():
        letters = _ARABIZI_LETTERS.findall(word)
        for chosen in product(*(_ARABIZI_SOUNDS.get(letter, (letter,)) for letter in letters)):
            spelling = "".join(chosen)
            if len(spelling) >= _SHORTEST:
                yield spelling


WORDS = _table()
