# SPDX-License-Identifier: MIT
"""Words without their endings and clitics, and their bare consonants: light, for comparing alone.

A stem here need not be a word. It only has to be the same for the forms of one word, and cheap:
no dictionary, no morphology, one pass over a folded word (:func:`normalizer.text.fold`).
"""

from __future__ import annotations

import re
from functools import lru_cache

_CACHED = 65_536

# --- French (and harmless to English) -------------------------------------------------------------


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


_FRENCH_ENDINGS = _words(
    "issements issement ements ement ations ation ateurs ateur atrices atrice elles elle iques",
    "ique istes iste eurs eur euses euse aires aire ives ifs ive if ites ite ales aux ale al",
    "ees ee es er ez e s x",
)
_SHORTEST_FRENCH = 4

#: Words that stand in every text and tell nothing of its matter, folded.
STOP_WORDS = frozenset(
    _words(
        "le la les l d de du des un une et en a au aux pour par sur dans avec ou ne n pas que qu",
        "qui ce c cette ces son sa ses leur leurs est sont plus je j il elle on nous vous ils",
        "elles me m te t se s y the of to in and is are my for it i with on at",
        "في من علي الي عن مع هذا هذه التي الذي ان انا هو هي ما لا لم قد كان و او ثم",
        "ديال د ف ب ل لي ليا اللي هاد هادا هادي راه را شي حتي باش",
        "dyal dial b lia had hadi hada rah ra chi hta bach w o",
    )
)


@lru_cache(_CACHED)
def french(word: str) -> str:
    """A French word without its ending: ``compteurs`` and ``compteur`` are one."""
    for ending in _FRENCH_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_FRENCH:
            return word[: -len(ending)]
    return word


# --- Arabic and Darija ----------------------------------------------------------------------------

_ARABIC_PREFIXES = ("وال", "فال", "بال", "كال", "لل", "ال", "و", "ف", "ب", "ل")
#: The present (كي, كت, كن, ت) and the future (غادي, غا) of Darija stand before the verb.
_DARIJA_PREFIXES = ("ماكي", "ماكت", "ماكن", "غادي", "كاي", "كات", "كان", "كي", "كت", "كن", "غا")
_ARABIC_ENDINGS = (
    "تها", "تهم", "هم", "ها", "نا", "كم", "ات", "ين", "ون", "تي", "تو", "وش", "ه", "ي", "ك",
)  # fmt: skip
_SHORTEST_ARABIC = 3


@lru_cache(_CACHED)
def arabic(word: str) -> str:
    """An Arabic word without clitics, article and ending; Darija's verb markers go as well."""
    for prefix in _ARABIC_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_ARABIC:
            word = word[len(prefix) :]
            break
    for ending in _ARABIC_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_ARABIC:
            return word[: -len(ending)]
    return word


@lru_cache(_CACHED)
def darija(word: str) -> str:
    """An Arabic stem without the markers of a Darija verb: ``ما…ش``, كي, كت, كن, غادي."""
    if word.startswith("ما") and word.endswith("ش") and len(word) > _SHORTEST_ARABIC + 2:
        word = word[2:-1]
    for prefix in _DARIJA_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_ARABIC:
            return arabic(word[len(prefix) :])
    return arabic(word)


# --- Consonants -----------------------------------------------------------------------------------

#: Letters that Moroccans write for one another, and those that a Latin spelling leaves out.
_MERGED = str.maketrans(
    {
        **dict.fromkeys("ص", "س"), **dict.fromkeys("طث", "ت"), **dict.fromkeys("ضذظ", "د"),
        **dict.fromkeys("حة", "ه"), **dict.fromkeys("قڭگ", "ك"), **dict.fromkeys("ڤ", "ف"),
        **dict.fromkeys("پ", "ب"), **dict.fromkeys("اويىعءئؤأإآ"),
    }
)  # fmt: skip
_ARTICLES = ("وال", "فال", "بال", "كال", "لل", "ال")
_SHORTEST_SKELETON = 2
_DOUBLED = re.compile(r"(.)\1+")


@lru_cache(_CACHED)
def skeleton(word: str) -> str:
    """The consonants of an Arabic word, with letters that are mixed up in writing made one.

    Long vowels, ع and hamza go, since a text in Latin letters and one in Arabic letters (and two
    people) disagree on them; a word of vowels alone stays as it is.
    """
    bare = word
    for prefix in _ARTICLES:
        if bare.startswith(prefix) and len(bare) - len(prefix) >= _SHORTEST_SKELETON:
            bare = bare[len(prefix) :]
            break
    return _DOUBLED.sub(r"\1", bare.translate(_MERGED)) or word
