# SPDX-License-Identifier: MIT
"""Digits said in words, as a transcript writes them: French, Arabic, Darija and English.

People read a code digit by digit, in pairs ("quarante-huit, vingt et un") or in groups of four
("quatre mille huit cent vingt et un"). A run of such words can often be cut in several ways; all
are given, the likeliest first, and the caller's check digit decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from normalizer.text import ascii_digits, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Most readings of one run that are tried.
_MOST = 400
_MOST_WORDS = 40
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[,;.،؛/|\n]")

_UNITS = {
    0: "zéro zero oh nul sifr ziro صفر زيرو صيفر",
    1: "un une one احد احدى wahed wahd wa7ed wa7d واحد واحدة وحدة الواحد",
    2: "deux two jouj juj jooj zouj tnin اثنا اثني اثنان اثنين اثنتان اثنتين جوج زوج تنين ثنين",
    3: "trois three tlata tlata tleta ثلاثة ثلاث تلاتة تلاثة ثلاتة",
    4: "quatre four reb3a rab3a rb3a arba3a أربعة أربع ربعة اربعا",
    5: "cinq five khamsa khmsa 5amsa خمسة خمس",
    6: "six setta stta sitta ستة ست سته",
    7: "sept seven seb3a sb3a sab3a سبعة سبع",
    8: "huit eight tmnya tmenya tmanya ثمانية ثماني تمنية تمانية ثمنية ثمان",
    9: "neuf nine tes3oud ts3oud tes3a تسعة تسع تسعود",
}
_TEENS = {
    10: "dix ten 3echra 3chra عشرة",
    11: "onze eleven hdach 7dach حداش احداش",
    12: "douze twelve tnach طناش اطناش",
    13: "treize thirteen telttach تلطاش ثلطاش",
    14: "quatorze fourteen rbe3tach ربعطاش",
    15: "quinze fifteen khmestach خمسطاش",
    16: "seize sixteen settach سطاش ستاش",
    17: "seventeen sbe3tach سبعطاش",
    18: "eighteen tmentach تمنطاش",
    19: "nineteen tse3tach تسعطاش",
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
    20: "3echrin 3chrin عشرون عشرين",
    30: "tlatin ثلاثون ثلاثين تلاتين",
    40: "reb3in rb3in أربعون أربعين ربعين",
    50: "khamsin خمسون خمسين",
    60: "settin ستون ستين",
    70: "seb3in سبعون سبعين",
    80: "tmanin ثمانون ثمانين تمانين",
    90: "tes3in تسعون تسعين",
}
_FRENCH_TEN = "dix"
_HUNDRED = "cent cents hundred مائة مئة مية ميه"
_THOUSAND = "mille thousand ألف آلاف الف"
_AND = "et and w u و"
_TEEN_MARK = "عشر عشره"
_AFTER_DIX = (7, 8, 9)
_TIMES = {2: "double", 3: "triple"}
_BREAK = "tiret trait union dash minus شرطة ناقص puis ثم point espace space"


@dataclass(frozen=True, slots=True)
class _Token:
    """One word: what kind of number word it is (``u t d h m a`` …), and its value."""

    kind: str
    value: int
    digits: str = ""


def _table() -> dict[str, tuple[_Token, ...]]:
    table: dict[str, list[_Token]] = {}

    def enter(words: str, token: _Token) -> None:
        for word in words.split():
            known = table.setdefault(fold(word), [])
            if token not in known:
                known.append(token)

    valued = (("u", _UNITS), ("t", _TEENS), ("d", _TENS), ("e", _TENS_AFTER), ("x", _TIMES))
    for kind, values in valued:
        for value, words in values.items():
            enter(words, _Token(kind, value))
    for kind, words in (
        ("h", _HUNDRED),
        ("m", _THOUSAND),
        ("a", _AND),
        ("k", _TEEN_MARK),
        ("f", _FRENCH_TEN),
        ("s", f"{_BREAK} , ; . ، ؛ / |"),
    ):
        enter(words, _Token(kind, 0))
    table["\n"] = [_Token("s", 0)]
    return {word: tuple(tokens) for word, tokens in table.items()}


_WORDS = _table()
_NUMBER_KINDS = frozenset("utdehmn")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A run of number words.

    Attributes:
        start: index of its first character.
        end: index after its last one.
        readings: digit strings that it may mean, the likeliest first.
    """

    start: int
    end: int
    readings: tuple[str, ...]


def runs(text: str, digits: int) -> Iterator[Spoken]:
    """The runs of number words that may mean ``digits`` digits.

    Args:
        text: as written; digits of any script may stand among the words.
        digits: how many digits a reading must have.
    """
    plain = ascii_digits(text)
    run: list[tuple[tuple[_Token, ...], int, int]] = []
    for match in _WORD.finditer(plain):
        for tokens in _tokens(match.group()):
            if tokens is None:
                yield from _finish(run, digits)
                run = []
            else:
                run.append((tokens, match.start(), match.end()))
    yield from _finish(run, digits)


def _tokens(word: str) -> Iterator[tuple[_Token, ...] | None]:
    """What one word is; an Arabic "and" is written onto the next word."""
    if word.isdigit():
        yield (_Token("n", 0, word),)
        return
    folded = fold(word)
    known = _WORDS.get(folded)
    if known is None and folded.startswith("و") and folded[1:] in _WORDS:
        yield (_Token("a", 0),)
        known = _WORDS[folded[1:]]
    yield known


def _finish(run: list[tuple[tuple[_Token, ...], int, int]], digits: int) -> Iterator[Spoken]:
    while run and not any(token.kind in _NUMBER_KINDS | {"x"} for token in run[0][0]):
        run = run[1:]
    while run and not any(token.kind in _NUMBER_KINDS | {"k"} for token in run[-1][0]):
        run = run[:-1]
    words = sum(all(token.kind not in "ns" for token in tokens) for tokens, _, _ in run)
    if not words or len(run) > _MOST_WORDS:
        return
    spoken = [tokens for tokens, _, _ in run]
    found = tuple(dict.fromkeys(islice(_readings(spoken, digits), _MOST)))
    if found:
        yield Spoken(run[0][1], run[-1][2], found)


def _readings(tokens: list[tuple[_Token, ...]], digits: int) -> Iterator[str]:
    """Every way to read the tokens as exactly ``digits`` digits, the likeliest first."""
    steps = [list(_steps(tokens, at)) for at in range(len(tokens))]
    # How many digits can still come from each place on: no dead end is walked twice.
    lengths: list[set[int]] = [set() for _ in tokens]
    lengths.append({0})
    for at in range(len(tokens) - 1, -1, -1):
        for end, said in steps[at]:
            lengths[at] |= {len(said) + more for more in lengths[end] if len(said) + more <= digits}

    def read(at: int, left: int) -> Iterator[str]:
        if at == len(tokens):
            yield ""
            return
        for end, said in steps[at]:
            if left - len(said) in lengths[end]:
                for rest in read(end, left - len(said)):
                    yield said + rest

    if digits in lengths[0]:
        yield from read(0, digits)


def _steps(tokens: list[tuple[_Token, ...]], at: int) -> Iterator[tuple[int, str]]:
    """What may be read next, and where it ends; an "and" or a comma may be passed over."""
    yield from _numbers(tokens, at)
    if _is(tokens, at, "a") is not None or _is(tokens, at, "s") is not None:
        yield at + 1, ""


def _numbers(tokens: list[tuple[_Token, ...]], at: int) -> Iterator[tuple[int, str]]:
    """The numbers that may begin here, the longest first: where they end, and their digits."""
    plain = _is(tokens, at, "n")
    if plain is not None:
        yield at + 1, plain.digits
        return
    times = _is(tokens, at, "x")
    if times is not None:
        unit = _is(tokens, at + 1, "u")
        if unit is not None:
            yield at + 2, str(unit.value) * times.value
        return
    found = sorted(set(_to_9999(tokens, at)), reverse=True)
    for end, value in found:
        yield end, str(value)


def _to_9999(tokens: list[tuple[_Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    yield from _above(tokens, at, "m", 1000, _to_999)
    yield from _to_999(tokens, at)


def _to_999(tokens: list[tuple[_Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    yield from _above(tokens, at, "h", 100, _to_99)
    yield from _to_99(tokens, at)


def _above(
    tokens: list[tuple[_Token, ...]],
    at: int,
    mark: str,
    size: int,
    below: Callable[[list[tuple[_Token, ...]], int], Iterator[tuple[int, int]]],
) -> Iterator[tuple[int, int]]:
    """Hundreds or thousands: how many, the word itself, and what follows."""
    unit = _is(tokens, at, "u")
    place, many = (at + 1, unit.value) if unit is not None else (at, 1)
    if _is(tokens, place, mark) is None or not many:
        return
    yield place + 1, many * size
    start = place + 1 + (_is(tokens, place + 1, "a") is not None)
    for end, value in below(tokens, start):
        yield end, many * size + value


def _to_99(tokens: list[tuple[_Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    unit, teen, ten = (_is(tokens, at, kind) for kind in "utd")
    if unit is not None:
        yield at + 1, unit.value
        if _is(tokens, at + 1, "k") is not None and unit.value:
            yield at + 2, 10 + unit.value  # خمسة عشر
        after = _is(tokens, at + 2, "e")
        if _is(tokens, at + 1, "a") is not None and after is not None:
            yield at + 3, after.value + unit.value  # ثمانية وأربعون
        twenty = _is(tokens, at + 1, "d")
        if unit.value == 4 and twenty is not None and twenty.value == 20:  # noqa: PLR2004 - quatre-vingts
            yield at + 2, 80
            yield from _with_less(tokens, at + 2, 80)
    if teen is not None:
        yield at + 1, teen.value
        more = _is(tokens, at + 1, "u")
        if _is(tokens, at, "f") is not None and more is not None and more.value in _AFTER_DIX:
            yield at + 2, 10 + more.value
    alone = _is(tokens, at, "e")
    if alone is not None:
        yield at + 1, alone.value
    if ten is not None:
        yield at + 1, ten.value
        yield from _with_less(tokens, at + 1, ten.value)


def _with_less(tokens: list[tuple[_Token, ...]], at: int, ten: int) -> Iterator[tuple[int, int]]:
    """What may follow a ten: a unit, and in French a teen after sixty and eighty."""
    place = at + (_is(tokens, at, "a") is not None)
    unit, teen = _is(tokens, place, "u"), _is(tokens, place, "t")
    if unit is not None and unit.value:
        yield place + 1, ten + unit.value
    if teen is not None and ten in (60, 80):
        yield place + 1, ten + teen.value
        more = _is(tokens, place + 1, "u")
        if _is(tokens, place, "f") is not None and more is not None and more.value in _AFTER_DIX:
            yield place + 2, ten + 10 + more.value


def _is(tokens: list[tuple[_Token, ...]], at: int, kind: str) -> _Token | None:
    if at >= len(tokens):
        return None
    return next((token for token in tokens[at] if token.kind == kind), None)
