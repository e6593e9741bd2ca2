# SPDX-License-Identifier: MIT
"""Which language a text is in: by script first, then by words that settle it, then by weights.

Mixed texts have the tag of the language that holds them together: Darija with French words in it is
Darija. The tags are BCP 47: ``ar``, ``ary`` (Darija), ``ary-Latn`` (Darija in Latin letters and
digits), ``fr``, ``en``, ``zgh`` (Amazigh in Tifinagh), ``zgh-Latn``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from normalizer.language_model import models, words
from normalizer.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from normalizer.language_model import Model

#: How much of a text is looked at; more changes no answer and costs time on the hot path.
LOOKED_AT = 200

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_TIFINAGH = re.compile("[\u2d30-\u2d7f]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u0250-\u02af\u1e00-\u1eff]")
_FEWEST_LETTERS = 3


def detect(text: str, default: str = "fr") -> str:
    """The BCP 47 tag of ``text``, or ``default`` when it has next to no letters or known words."""
    return tagged(text, default, models())


def tagged(text: str, default: str, by_script: Mapping[str, Model]) -> str:
    """As :func:`detect`, with models that need not be the shipped ones."""
    sample = text[:LOOKED_AT]
    if sample.isascii():
        arabic = tifinagh = 0
        latin = sum(map(str.isalpha, sample))
    else:
        arabic, tifinagh = len(_ARABIC.findall(sample)), len(_TIFINAGH.findall(sample))
        latin = len(_LATIN.findall(sample))
    if tifinagh and tifinagh >= max(arabic, latin):
        return "zgh"
    if arabic and arabic * 2 >= latin:
        found = words(sample, "arabic")
        if not _decisive().isdisjoint(found):
            return "ary"
        return by_script["arabic"].best(found) or "ar"
    if latin < _FEWEST_LETTERS:
        return default
    return by_script["latin"].best(words(sample, "latin")) or default


def preload() -> None:
    """Load the weights now, so that no citizen's message waits for them."""
    models()
    _decisive()


@cache
def _decisive() -> frozenset[str]:
    """Darija words of which one is enough, also with the prefixes و and ف."""
    file = resources.files("normalizer") / "language_words.toml"
    lists: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    known = [fold(word) for word in lists["ary-decisive"].split()]
    return frozenset(prefix + word for prefix in ("", "و", "ف") for word in known)
