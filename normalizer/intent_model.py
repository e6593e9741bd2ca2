# SPDX-License-Identifier: MIT
"""How much a short text as a whole looks like each intent, where the rules are not certain.

``intent_model.json`` holds a bias and weights of the features of :mod:`normalizer.intent_features`;
of each feature one byte an intent, in base64. ``normalizer/intent_training.py`` writes it.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from normalizer.intent_features import (
    EDGE,
    Around,
    of_phrase,
    of_roles,
    of_surroundings,
    of_word,
    shaped,
    share,
    side_by_side,
)
from normalizer.intent_words import lexicon

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FILE = "intent_model.json"
#: Words whose weights are remembered, and other things.
_REMEMBERED_WORDS, _REMEMBERED = 20_000, 4_000
_NOTHING: dict[str, int] = {}
Row = tuple[float, ...]


class Model:
    """The weights.

    Args:
        intents: their names, in the order of the weights.
        bias: one weight an intent.
        features: their names, in the order of the weights.
        weights: one row a feature, one column an intent.
    """

    def __init__(
        self,
        intents: Sequence[str],
        bias: Sequence[float],
        features: Iterable[str],
        weights: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    ) -> None:
        self.intents = tuple(intents)
        self._bias = np.array(bias, dtype=np.float32)
        self._weights = weights
        self._row = {feature: at for at, feature in enumerate(features)}
        self._none = (0.0,) * len(self.intents)
        #: Of two words side by side: the first → the second → the row of its weights.
        self._after: dict[str, dict[str, int]] = {}
        for feature, at in self._row.items():
            if feature[:2] not in ("R:", "#b", "#w"):
                first, between, second = feature.partition(" ")
                if between:
                    self._after.setdefault(first, {})[second] = at
        self._word = lru_cache(_REMEMBERED_WORDS)(self._weigh_word)
        self._roles = lru_cache(_REMEMBERED)(self._weigh_roles)
        self._phrase = lru_cache(_REMEMBERED)(self._weigh_phrase)
        self._pair = lru_cache(_REMEMBERED)(self._weigh_row)
        self._around = lru_cache(_REMEMBERED)(self._weigh_surroundings)

    def chances(
        self, words: Sequence[str], around: Around, phrases: Iterable[int] = ()
    ) -> dict[str, float]:
        """How likely each intent is, by name; together 1.

        Args:
            words: folded, those of a code left out.
            around: what stands around them.
            phrases: the roles of each phrase.
        """
        words = shaped(words)
        rows = [self._word(word) for word in words]
        for first, second in side_by_side(words):
            at = self._after.get(first, _NOTHING).get(second)
            if at is not None:
                rows.append(self._pair(at))
        before = EDGE
        for word in words:
            roles = lexicon().roles(word)
            rows.append(self._roles(before, roles))
            before = roles
        rows.append(self._roles(before, EDGE))
        rows += map(self._phrase, phrases)
        one = share(words)
        totals = [
            weight + one * sum(column)
            for weight, *column in zip(self._around(around), *rows, strict=True)
        ]
        highest = max(totals)
        raised = [math.exp(total - highest) for total in totals]
        whole = sum(raised)
        return {name: part / whole for name, part in zip(self.intents, raised, strict=True)}

    def _weigh_word(self, word: str) -> Row:
        return self._sum(of_word(word, lexicon().roles(word)))

    def _weigh_roles(self, first: int, second: int) -> Row:
        return self._sum(of_roles(first, second))

    def _weigh_phrase(self, roles: int) -> Row:
        return self._sum(of_phrase(roles))

    def _weigh_row(self, at: int) -> Row:
        return tuple(self._weights[at].tolist())

    def _weigh_surroundings(self, around: Around) -> Row:
        beside = np.array(self._sum(of_surroundings(around)), dtype=np.float32)
        return tuple((self._bias + beside).tolist())

    def _sum(self, features: Iterable[tuple[str, float]]) -> Row:
        rows: list[int] = []
        amounts: list[float] = []
        for feature, amount in features:
            at = self._row.get(feature)
            if at is not None:
                rows.append(at)
                amounts.append(amount)
        if not rows:
            return self._none
        return tuple((np.array(amounts, dtype=np.float32) @ self._weights[rows]).tolist())


@cache
def model() -> Model:
    """The shipped weights, read once."""
    file = resources.files("normalizer") / FILE
    return from_data(json.loads(file.read_text(encoding="utf-8")))


def from_data(data: Mapping[str, Any]) -> Model:
    """The model of what :func:`normalizer.intent_training.train` gives."""
    written = data["weights"]
    steps = np.frombuffer(b"".join(map(b64decode, written.values())), dtype=np.int8)
    weights = steps.reshape(len(written), len(data["intents"])).astype(np.float32)
    return Model(data["intents"], data["bias"], written, weights * np.float32(data["step"]))
