# SPDX-License-Identifier: MIT
"""Digits said in words, as a transcript writes them: French, Arabic, Darija and English.

People read a code digit by digit, in pairs ("quarante-huit, vingt et un") or in groups of four
("quatre mille huit cent vingt et un"). A run of such words can often be cut in several ways; all
are given, the likeliest first, and the caller's check digit decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from normalizer.number_words import WORDS, Token
from normalizer.text import ascii_digits, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Most readings of one run that are tried.
_MOST = 400
_MOST_WORDS = 40
_MOST_PLAIN = 6
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[,;.،؛/|\n]")

_PLAIN_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
#: Most digits that a word of a code stands for on the average: "mille" is four, six stand together.
_MOST_DIGITS = 5
#: Words that are remembered.
_REMEMBERED = 20_000

_HYPHENS = "-\u2010\u2011"
#: French seventeen to nineteen are said as ten and these.
_AFTER_DIX = (7, 8, 9)
_NUMBER_KINDS = frozenset("utdehmncg")


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


class _Said(NamedTuple):
    """One word of a run: what it may be, where it stands, whether a hyphen stands before it."""

    tokens: tuple[Token, ...]
    start: int
    end: int
    after_hyphen: bool


def runs(text: str, digits: int) -> Iterator[Spoken]:
    """The runs of number words that may mean ``digits`` digits.

    Args:
        text: as written; digits of any script may stand among the words.
        digits: how many digits a reading must have.
    """
    plain = ascii_digits(text)
    if sum(map(_is_said, _PLAIN_WORD.findall(plain))) * _MOST_DIGITS < digits:
        return
    run: list[_Said] = []
    for match in _WORD.finditer(plain):
        hyphen = plain[max(match.start() - 1, 0)] in _HYPHENS
        for tokens in _tokens(match.group()):
            if tokens is None:
                yield from _finish(run, digits)
                run = []
            else:
                run.append(_Said(tokens, match.start(), match.end(), hyphen))
    yield from _finish(run, digits)


@lru_cache(maxsize=_REMEMBERED)
def _is_said(word: str) -> bool:
    """Whether one word may be a number, or a part of one."""
    return any(
        tokens is not None and any(token.kind in _NUMBER_KINDS for token in tokens)
        for tokens in _tokens(word)
    )


def _tokens(word: str) -> Iterator[tuple[Token, ...] | None]:
    """What one word is; an Arabic "and" is written onto the next word."""
    if word.isdigit():
        # A transcript has a few digits at a time among its words; more are a number by themselves.
        yield (Token("n", 0, word),) if len(word) <= _MOST_PLAIN else None
        return
    folded = fold(word)
    known = WORDS.get(folded)
    if known is None and folded[:1] in ("و", "w") and folded[1:] in WORDS:
        yield (Token("a", 0),)
        known = WORDS[folded[1:]]
    yield known


def _finish(run: list[_Said], digits: int) -> Iterator[Spoken]:
    while run and not any(token.kind in _NUMBER_KINDS | {"x"} for token in run[0].tokens):
        run = run[1:]
    while run and not any(token.kind in _NUMBER_KINDS | {"k"} for token in run[-1].tokens):
        run = run[:-1]
    words = sum(all(token.kind not in "ns" for token in said.tokens) for said in run)
    if not words or len(run) > _MOST_WORDS:
        return
    spoken = [said.tokens for said in run]
    joined = [said.after_hyphen for said in run]
    found = islice(_readings(spoken, joined, digits), _MOST)
    readings = sorted(found, key=lambda reading: reading[0])
    if readings:
        # "quatre-vingts dix" is eighty and ten where six numbers of two digits make the code.
        likeliest = tuple(dict.fromkeys(said for _, said in readings))
        yield Spoken(run[0].start, run[-1].end, likeliest)


def _readings(
    tokens: list[tuple[Token, ...]], joined: list[bool], digits: int
) -> Iterator[tuple[int, str]]:
    """Every way to read the tokens as exactly ``digits`` digits, each with what speaks against it.

    That is how many numbers there are, and how often one ends within a word that has a hyphen.
    """
    steps = [list(_steps(tokens, at)) for at in range(len(tokens))]
    # How many digits can still come from each place on: no dead end is walked twice.
    lengths: list[set[int]] = [set() for _ in tokens]
    lengths.append({0})
    for at in range(len(tokens) - 1, -1, -1):
        for end, said in steps[at]:
            lengths[at] |= {len(said) + more for more in lengths[end] if len(said) + more <= digits}

    def read(at: int, left: int) -> Iterator[tuple[int, str]]:
        if at == len(tokens):
            yield 0, ""
            return
        for end, said in steps[at]:
            if left - len(said) in lengths[end]:
                torn = end < len(tokens) and joined[end]
                for against, rest in read(end, left - len(said)):
                    yield against + bool(said) + torn, said + rest

    if digits in lengths[0]:
        yield from read(0, digits)


def _steps(tokens: list[tuple[Token, ...]], at: int) -> Iterator[tuple[int, str]]:
    """What may be read next, and where it ends; an "and" or a comma may be passed over."""
    yield from _numbers(tokens, at)
    if _is(tokens, at, "a") is not None or _is(tokens, at, "s") is not None:
        yield at + 1, ""


def _numbers(tokens: list[tuple[Token, ...]], at: int) -> Iterator[tuple[int, str]]:
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


def _to_9999(tokens: list[tuple[Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    yield from _above(tokens, at, "m", "g", 1000, _to_999)
    yield from _to_999(tokens, at)


def _to_999(tokens: list[tuple[Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    yield from _above(tokens, at, "h", "c", 100, _to_99)
    yield from _to_99(tokens, at)


def _above(
    tokens: list[tuple[Token, ...]],
    at: int,
    mark: str,
    whole: str,
    size: int,
    below: Callable[[list[tuple[Token, ...]], int], Iterator[tuple[int, int]]],
) -> Iterator[tuple[int, int]]:
    """Hundreds or thousands: how many and the word itself, or both in one; and what follows."""
    unit, ready = _is(tokens, at, "u"), _is(tokens, at, whole)
    if ready is not None:
        place, amount = at, ready.value
    else:
        place, amount = (at + 1, unit.value * size) if unit is not None else (at, size)
        if _is(tokens, place, mark) is None or not amount:
            return
    yield place + 1, amount
    start = place + 1 + (_is(tokens, place + 1, "a") is not None)
    for end, value in below(tokens, start):
        yield end, amount + value


def _to_99(tokens: list[tuple[Token, ...]], at: int) -> Iterator[tuple[int, int]]:
    unit, teen, ten = (_is(tokens, at, kind) for kind in "utd")
    if unit is not None:
        yield at + 1, unit.value
        if _is(tokens, at + 1, "k") is not None and unit.value:
            yield at + 2, 10 + unit.value  # خمسة عشر
        after = _is(tokens, at + 2, "e")
        if _is(tokens, at + 1, "a") is not None and after is not None:
            yield at + 3, after.value + unit.value  # ثمانية وأربعون
        if _is(tokens, at, "q") is not None and _is(tokens, at + 1, "v") is not None:
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


def _with_less(tokens: list[tuple[Token, ...]], at: int, ten: int) -> Iterator[tuple[int, int]]:
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


def _is(tokens: list[tuple[Token, ...]], at: int, kind: str) -> Token | None:
    if at >= len(tokens):
        return None
    return next((token for token in tokens[at] if token.kind == kind), None)
