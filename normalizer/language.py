# SPDX-License-Identifier: MIT
"""Which language a text is in: by script first, then by a library among the Latin ones."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import Protocol, cast

from normalizer.dialects import dialect_of

#: How much of a text is looked at; more changes no answer and costs time on the hot path.
LOOKED_AT = 200

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_TIFINAGH = re.compile("[\u2d30-\u2d7f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_FEWEST_LETTERS = 3
_LOADING = Lock()


class _Classifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def detect(text: str, default: str = "fr") -> str:
    """The BCP 47 tag of ``text``; ``default`` when unsure.

    ``ar``, ``fr``, ``en``, ``ary`` and ``ary-Latn`` (Darija), ``zgh`` and ``zgh-Latn`` (Tamazight).
    """
    sample = text[:LOOKED_AT]
    arabic, tifinagh = len(_ARABIC.findall(sample)), len(_TIFINAGH.findall(sample))
    latin = len(_LATIN.findall(sample))
    if tifinagh and tifinagh >= max(arabic, latin):
        return "zgh"
    if arabic and arabic * 2 >= latin:
        return dialect_of(sample, arabic=True) or "ar"
    if latin < _FEWEST_LETTERS:
        return default
    dialect = dialect_of(sample, arabic=False)
    if dialect:
        return dialect
    with _LOADING:  # a cache alone lets every thread of a fresh process load a model of its own
        classifier = _classifier()
    return classifier.classify(sample)[0]


def preload() -> None:
    """Load the model now, so that no citizen's message waits for it."""
    with _LOADING:
        _classifier()


@cache
def _classifier() -> _Classifier:
    """Load the library's model once, on first use; it stays in memory."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(["fr", "en"])
    return cast("_Classifier", identifier)
