# SPDX-License-Identifier: MIT
"""How alike texts are: cosine of TF-IDF over letters, for proposing, never for merging. Pure.

Typing errors, another order and a greeting change little of it; the words that every text of the
same administration has weigh little.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from normalizer.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Characters of a text that are compared.
COMPARED = 600
_WORD = re.compile(r"[^\W_]+")
_SHORTEST, _LONGEST = 3, 4
Name = TypeVar("Name")


def grams(text: str) -> Counter[str]:
    """Runs of 3 and 4 letters within the words of a text, each word with a space on both sides."""
    counted: Counter[str] = Counter()
    for word in _WORD.findall(fold(text[:COMPARED])):
        padded = f" {word} "
        for size in range(_SHORTEST, _LONGEST + 1):
            counted.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    return counted


def near(
    text: str, others: Iterable[tuple[Name, str]], *, floor: float, most: int = 5
) -> list[tuple[Name, float]]:
    """The texts that are most like one.

    Args:
        text: the one.
        others: names and texts to compare it with.
        floor: least likeness, from 0 to 1.
        most: how many at most.

    Returns:
        names and likeness, the most alike first; empty for a text without words.
    """
    counted = [(name, grams(other)) for name, other in others]
    own = grams(text)
    present = Counter(gram for _, found in counted for gram in found)
    present.update(own.keys())
    total = len(counted) + 1
    weights = {gram: 1 + math.log((1 + total) / (1 + number)) for gram, number in present.items()}
    mine = _weighed(own, weights)
    found = [(name, _cosine(mine, _weighed(other, weights))) for name, other in counted]
    alike = [(name, likeness) for name, likeness in found if likeness >= floor]
    return sorted(alike, key=lambda one: -one[1])[:most]


def _weighed(counted: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    weighed = {gram: (1 + math.log(n)) * weights[gram] for gram, n in counted.items()}
    norm = math.sqrt(sum(value * value for value in weighed.values()))
    return {gram: value / norm for gram, value in weighed.items()} if norm else {}


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    small, large = sorted((one, other), key=len)
    return sum(value * large[gram] for gram, value in small.items() if gram in large)
