# SPDX-License-Identifier: MIT
"""How much a short text as a whole looks like each intent, where the rules know too few words.

``intent_model.json`` holds a bias and weights, in hundredths of a natural logarithm: of a word, its
runs of two to four letters and its roles, of two words side by side, and of what stands around them
(a code, a question mark, the number of words). ``normalizer/intent_training.py`` writes it.
"""

from __future__ import annotations

import json
import math
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from normalizer.intent_words import Role, lexicon
from normalizer.language_model import features as letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FILE = "intent_model.json"
#: Words whose weights are remembered.
_REMEMBERED = 20_000
_BEGINNING, _END = "<", ">"
_NOTHING: dict[str, Sequence[int]] = {}
#: How much a word's roles weigh beside its letters.
_ROLE = 0.7
#: A word that stands in no table.
_UNKNOWN = "r:?"
_MOST_WORDS = 16
#: Numbers longer than this look alike.
_DIGITS = 9
_ROLES = tuple((int(role), f"r:{role.name}") for role in Role)


def of_word(word: str, roles: int) -> Iterator[tuple[str, float]]:
    """What is weighed of one folded word, and how much of it there is."""
    share = 2 * (len(word) + 2) ** -0.5
    for feature in letters(word):
        yield feature, share
    if not roles:
        yield _UNKNOWN, 1.0
    for role, name in _ROLES:
        if roles & role:
            yield name, _ROLE


def pairs(words: Sequence[str]) -> Iterator[str]:
    """Each two words side by side, the first and the last word too."""
    before = _BEGINNING
    for word in (*words, _END):
        yield f"{before} {word}"
        before = word


def around(words: int, *, code: bool, asked: bool) -> Iterator[tuple[str, float]]:
    """What is weighed of a text of so many words beside them."""
    if code:
        yield "#code", 1.0
    if asked:
        yield "#asked", 1.0
    yield f"#words {min(words, _MOST_WORDS)}", 0.5


def shaped(words: Sequence[str]) -> list[str]:
    """The words with every number made noughts."""
    return ["0" * min(len(word), _DIGITS) if word.isdigit() else word for word in words]


def share(words: Sequence[str]) -> float:
    """How much one word of so many counts."""
    return float((len(words) + 1) ** -0.5)


class Model:
    """The weights.

    Args:
        intents: their names, in the order of the weights.
        bias: one weight an intent.
        weights: a feature → one weight an intent.
    """

    def __init__(
        self,
        intents: Sequence[str],
        bias: Sequence[int],
        weights: Mapping[str, Sequence[int]],
    ) -> None:
        self.intents = tuple(intents)
        self._bias = tuple(bias)
        self._weights = weights
        self._none = (0.0,) * len(self.intents)
        #: Of two words side by side: the first → the second → its weights.
        self._after: dict[str, dict[str, Sequence[int]]] = {}
        for feature, row in weights.items():
            first, between, second = feature.partition(" ")
            if between and not feature.startswith("#"):
                self._after.setdefault(first, {})[second] = row
        self._word = lru_cache(_REMEMBERED)(self._weigh)
        self._around = lru_cache(_REMEMBERED)(self._stands)

    def chances(self, words: Sequence[str], *, code: bool, asked: bool) -> dict[str, float]:
        """How likely each intent is, by name; together 1.

        Args:
            words: folded, those of a code left out.
            code: whether there was one.
            asked: whether there is a question mark.
        """
        words = shaped(words)
        rows: list[Sequence[float]] = [self._word(word) for word in words]
        before = _BEGINNING
        for word in (*words, _END):
            row = self._after.get(before, _NOTHING).get(word)
            if row is not None:
                rows.append(row)
            before = word
        one = share(words)
        stands = self._around(len(words), code=code, asked=asked)
        totals = [
            weight + one * sum(column)
            for weight, *column in zip(stands, self._none, *rows, strict=True)
        ]
        highest = max(totals)
        raised = [math.exp((total - highest) / 100) for total in totals]
        whole = sum(raised)
        return {name: part / whole for name, part in zip(self.intents, raised, strict=True)}

    def _stands(self, words: int, *, code: bool, asked: bool) -> tuple[float, ...]:
        """What speaks for each intent beside the words of a text."""
        rows = [
            [amount * weight for weight in self._weights.get(feature, self._none)]
            for feature, amount in around(words, code=code, asked=asked)
        ]
        return tuple(map(sum, zip(self._bias, *rows, strict=True)))

    def _weigh(self, word: str) -> tuple[float, ...]:
        found = [
            (self._weights[feature], amount)
            for feature, amount in of_word(word, lexicon().roles(word))
            if feature in self._weights
        ]
        if not found:
            return self._none
        scaled = ([weight * amount for weight in weights] for weights, amount in found)
        return tuple(map(sum, zip(*scaled, strict=True)))


@cache
def model() -> Model:
    """The shipped weights, read once."""
    file = resources.files("normalizer") / FILE
    return from_data(json.loads(file.read_text(encoding="utf-8")))


def from_data(data: Mapping[str, Any]) -> Model:
    """The model of what :func:`normalizer.intent_training.train` gives."""
    weights = {one: tuple(row) for one, row in data["weights"].items()}
    return Model(data["intents"], data["bias"], weights)
