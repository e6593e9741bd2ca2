# SPDX-License-Identifier: MIT
"""How the words of a text speak for its language: weights of their letters, counted from examples.

``language_model.json`` holds, for each script, the tags and for each feature of a word (the word
itself, its runs of two to four letters) one weight a tag, in hundredths of a natural logarithm.
``normalizer/language_training.py`` writes it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from normalizer.arabizi import is_number
from normalizer.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FILE = "language_model.json"
#: The tags of each script, in the order of their weights.
TAGS = {"latin": ("fr", "en", "ary-Latn", "zgh-Latn"), "arabic": ("ar", "ary")}
#: Words whose weights are remembered; function words come back in every text.
REMEMBERED = 20_000

_RUNS = (2, 3, 4)
_LONGEST_WORD = 24
_LATIN_WORD = re.compile("[0-9A-Za-z\u00c0-\u024f\u0250-\u02af\u1e00-\u1eff]+")
_ARABIC_WORD = re.compile("[\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u06d5]+")


def words(text: str, script: str) -> list[str]:
    """The words of ``text`` in ``script`` (``latin``, ``arabic``), as the weights know them.

    Numbers, codes and addresses of the net are left out: they are of no language.
    """
    if "@" in text or "//" in text:
        text = " ".join(part for part in text.split() if "@" not in part and "//" not in part)
    if script == "arabic":
        return _ARABIC_WORD.findall(fold(text))
    found = _LATIN_WORD.findall(unicodedata.normalize("NFC", text).lower())
    return [word for word in found if not is_number(word)]


def features(word: str) -> Iterator[str]:
    """What is weighed of a word: itself, and its runs of letters with its two ends marked."""
    yield f"={word}"
    marked = f"^{word[:_LONGEST_WORD]}$"
    for length in _RUNS:
        for at in range(len(marked) - length + 1):
            yield marked[at : at + length]


class Model:
    """The weights of one script.

    Args:
        tags: the tags the weights are for.
        weights: a feature → one weight a tag.
    """

    def __init__(self, tags: Sequence[str], weights: Mapping[str, Sequence[int]]) -> None:
        self.tags = tuple(tags)
        self._weights = weights
        self._none = (0.0,) * len(self.tags)
        self._word = lru_cache(REMEMBERED)(self._weigh)

    def scores(self, found: Sequence[str]) -> tuple[float, ...]:
        """How much ``found``, the words of a text, speak for each tag; all 0 for unknown words."""
        if not found:
            return self._none
        return tuple(map(sum, zip(*map(self._word, found), strict=True)))

    def best(self, found: Sequence[str]) -> str | None:
        """The tag that ``found`` speaks for most; nothing when it speaks for none."""
        scores = self.scores(found)
        highest = max(scores)
        return self.tags[scores.index(highest)] if any(scores) else None

    def _weigh(self, word: str) -> tuple[float, ...]:
        known = [self._weights[one] for one in features(word) if one in self._weights]
        if not known:
            return self._none
        # Longer words have more runs of letters, which say the same thing more than once.
        share = (len(word) + 2) ** -0.5
        return tuple(sum(column) * share for column in zip(*known, strict=True))


@cache
def models() -> dict[str, Model]:
    """The shipped models by script, read once."""
    file = resources.files("normalizer") / FILE
    return from_data(json.loads(file.read_text(encoding="utf-8")))


def from_data(data: Mapping[str, Any]) -> dict[str, Model]:
    """The models of what :func:`normalizer.language_training.train` gives."""
    return {
        script: Model(
            data[script]["tags"],
            {one: tuple(weights) for one, weights in data[script]["weights"].items()},
        )
        for script in TAGS
    }
