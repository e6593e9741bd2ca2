# SPDX-License-Identifier: MIT
"""The letters of Darija in Latin writing: which Arabic letter each stands for, and in which place.

Vowels decide most. A vowel of an open syllable is long and written (``bab`` → باب); one before two
consonants is short and is not (``madrasa`` → مدرسة), and ``e`` never is. Rules of our own, from how
Moroccans write; https://en.wikipedia.org/wiki/Arabic_chat_alphabet lists the digits.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGIT = re.compile(r"\d")
_MANY_DIGITS = re.compile(r"[014]|\d{3}")
_QUANTITY = re.compile(
    r"(\d+)(h\d{0,2}|dhs?|drhm|mad|da|eur|euros?|jrs?|jours?|j|mois|ans?|annees?|ann\u00e9es?"
    r"|semaines?|sem|heures?|mn|min|minutes?|s|sec|km|kms|kwh?|mm?|cm|m2|m3|ha|kg|g|go|mo|gb|mb|mbps"
    r"|l|pm|am|h|e|er|eme|\u00e8me|ieme|i\u00e8me|nd|nde|chhor|chhour|chhr|chhar|snin|iyam|yam"
    r"|ayam|nhar|lyali|merrat|mrat|d9ay9|dqiqa|days?|months?|years?|hours?|x|p)",
    re.IGNORECASE,
)
_DOUBLED = re.compile(r"([^\d])\1+")
_SUN = "dnrstzlcj"

#: Several signs that are one letter; "C" stands for ch, "K" for kh, "G" for gh and so on.
_COMPOUND = {
    "sch": "C", "ch": "C", "sh": "C", "kh": "5", "gh": "G", "th": "T", "dh": "D", "ph": "f",
    "dj": "j", "ck": "k", "ou": "u", "oo": "u", "ee": "i", "ai": "ay", "au": "aw", "ei": "i",
    "ey": "ay", "o": "u", "\u0263": "G", "\u025b": "3", "x": "ks",
}  # fmt: skip
_COMPOUNDS = re.compile("|".join(sorted(_COMPOUND, key=len, reverse=True)))
_FRENCH_SOUND = {
    "eaux": "u", "eau": "u", "aux": "u", "au": "u", "oi": "wa", "ou": "u", "ch": "C", "qu": "k",
    "ph": "f", "gn": "ny", "tion": "syun", "ssion": "syun", "sion": "zyun", "ill": "iy", "ai": "i",
    "ei": "i", "eu": "u", "ge": "j", "gi": "ji", "gy": "ji", "gu": "g", "ce": "se", "ci": "si",
    "cy": "si", "\u00e7": "s", "oo": "u", "th": "t", "ck": "k", "x": "ks", "h": "", "o": "u",
    "y": "i",
}  # fmt: skip
_FRENCH_SOUNDS = re.compile("|".join(sorted(_FRENCH_SOUND, key=len, reverse=True)))
_FRENCH_END = re.compile(r"(?:ents?|er|ez|et|[estxd])$")
_LETTER = "bcdfghjklmnpqrstvwxyz23456789CGTD"
_SOFT_C = re.compile("c(?=[eiy])")
#: A short vowel: before two consonants, the second of which begins another syllable.
_SHORT = re.compile(f"(?<=[^aiu2])[aiu](?=[{_LETTER}](?![wy])[{_LETTER}])")
#: The first vowel of nouns as gharama and wizara, their ending already parted.
_SHORT_FIRST = re.compile(f"^([{_LETTER}])[ai](?=[{_LETTER}]a[{_LETTER}]$)")
_HAMZA = re.compile("2(a|u|i|$)?")
_HAMZAS = {"a": "أ", "u": "ؤو", "i": "ئي", "": "ء", None: "ئ"}
_ARABIC = {
    "a": "ا", "b": "ب", "c": "ك", "d": "د", "e": "", "f": "ف", "g": "ك", "h": "ه", "i": "ي",
    "j": "ج", "k": "ك", "l": "ل", "m": "م", "n": "ن", "p": "ب", "q": "ق", "r": "ر", "s": "س",
    "t": "ت", "u": "و", "v": "ف", "w": "و", "y": "ي", "z": "ز", "3": "ع", "5": "خ", "6": "ط",
    "7": "ح", "8": "ه", "9": "ق", "C": "ش", "G": "غ", "T": "ت", "D": "ض", "'": "",
}  # fmt: skip
#: A written i- is an alef in nouns of Arabic (intikhab, islah), a ya in verbs (idir, ikoun).
_NOUN_OF_I = re.compile("i(?:n|s|m[^C]|[jCT3579dk])[^aeiou]|i[3d]a")
_LONG_WORD = 4

_ARTICLE = re.compile(r"(?:el|al|le|l)(?=[^aeiou\d\u00e9]|[23579])")
_PREPOSITION = re.compile(r"([fbw])(?:e|i)?(?=l[^aeiouly])")
_ASSIMILATED = re.compile(rf"e?((?:ch){{2}}|([{_SUN}])\2|cch|ssh)(?=.)")
_VERB = re.compile("k[ae]?(y|i(?=[^aeiouy])|n|t)(?=[^aeiou].)|ka(y|n|t)(?=.)")
_VERBS = {"y": "كي", "i": "كي", "n": "كن", "t": "كت"}
_NEGATED = re.compile("ma(?=[^aeiou]|i)(.{3,}?)(?:c|s)h(?:i)?$")


def is_number(word: str) -> bool:
    """Whether the digits of ``word``, lower case, are digits: an amount, an hour, a code.

    Those of a Darija word are letters: ``3la``, ``m9tou3``, ``9dim``.
    """
    if word.isalpha():
        return False
    if _QUANTITY.fullmatch(word) or _MANY_DIGITS.search(word):
        return True
    return _DIGIT.search(word) is not None and sum(map(str.isalpha, word)) <= 1


def quantity(word: str) -> tuple[str, str]:
    """Part a number from the unit that is written in one with it; two empty texts if there is none.

    >>> quantity("500dh"), quantity("3la")
    (('500', 'dh'), ('', ''))
    """
    found = _QUANTITY.fullmatch(word)
    return (found.group(1), found.group(2)) if found else ("", "")


def skeleton(word: str) -> str:
    """What the spellings of one word have in common: no e, nothing doubled, one sign a sound.

    >>> skeleton("bezzaf") == skeleton("bzaf"), skeleton("mouchkil") == skeleton("moshkil")
    (True, True)
    """
    word = _DOUBLED.sub(r"\1", word)
    word = _COMPOUNDS.sub(lambda found: _COMPOUND[found.group()], word)
    word = word.replace("q", "9").replace("w", "u").replace("y", "i").replace("'", "")
    bare = word.replace("e", "").replace("\u00e9", "i")
    return _DOUBLED.sub(r"\1", bare) or word


def assimilated(word: str) -> str:
    """What is left of ``word`` without an article that doubles its first letter, or nothing."""
    found = _ASSIMILATED.match(word)
    if found is None or len(word) < _LONG_WORD:
        return ""
    return word[found.end(1) - (2 if found.group(1).endswith("h") else 1) :]


def clitics(word: str) -> Iterator[tuple[str, str, str]]:
    """The ways to part ``word`` from what is written in one with it, the likeliest first.

    Yields:
        What stands before it in Arabic letters, the rest in Latin ones, what stands behind it.
    """
    if negated := _NEGATED.match(word):
        for before, rest, _ in clitics(negated.group(1)):
            yield f"ما {before}", rest, "ش"
        yield "ما ", negated.group(1), "ش"
    if (found := _VERB.match(word)) and len(word) - found.end() > 1:
        yield _VERBS[found.group(1) or found.group(2)], word[found.end() :], ""
    if (found := _PREPOSITION.match(word)) and len(word) >= _LONG_WORD:
        before = {"f": "ف", "b": "ب", "w": "و"}[found.group(1)]
        yield f"{before}ال", word[found.end() + 1 :], ""
    if doubled := assimilated(word):
        yield "ال", doubled, ""
    if (found := _ARTICLE.match(word)) and len(word) - found.end() > 1:
        yield "ال", word[found.end() :], ""


def letters(word: str, *, french: bool = False) -> str:
    """``word``, lower case, letter by letter; signs that are no letter of ours stay as they are."""
    if french:
        if len(word) > _LONG_WORD:
            word = _FRENCH_END.sub("", word)
        word = _FRENCH_SOUNDS.sub(lambda found: _FRENCH_SOUND[found.group()], word)
    word = _without_marks(word)
    word = _DOUBLED.sub(r"\1", _SOFT_C.sub("s", word))
    ending = ""
    if not french:
        word = _COMPOUNDS.sub(lambda found: _COMPOUND[found.group()], word)
        word, ending = _ending(word)
        word = _SHORT.sub("", _SHORT_FIRST.sub(r"\1", word) if ending else word)
    start = ""
    if word[:1] == "e":
        start, word = "ا", word[1:]
    elif word[:1] == "i" and len(word + ending) > 1:
        start, word = ("ا" if _NOUN_OF_I.match(word) else "ي"), word[1:]
    elif word[:1] == "u" and len(word + ending) > 1:
        start = "ا"
    word = _HAMZA.sub(lambda found: _HAMZAS[found.group(1)], word)
    return start + "".join(_ARABIC.get(sign, sign) for sign in word) + ending


def _ending(word: str) -> tuple[str, str]:
    """Part a feminine ending: -a behind a consonant of a longer word is written ة."""
    if len(word) < _LONG_WORD:
        return word, ""
    for written, arabic in (("iya", "ية"), ("ia", "ية"), ("ah", "ة"), ("a", "ة")):
        stem = word.removesuffix(written)
        if stem != word and stem[-1:] not in "aiu" and not stem.endswith(("n", "h")):
            return stem, arabic
        if stem != word and written in ("iya", "ia"):
            return stem, arabic
    return word, ""


def _without_marks(word: str) -> str:
    """``é`` as i, letters with other marks as without; ASCII needs no look."""
    if word.isascii():
        return word
    word = word.replace("\u00e9", "i").replace("\u00e8", "i").replace("\u00ea", "i")
    word = word.replace("\u1e25", "7").replace("\u1e6d", "6").replace("\u1e0d", "D")
    apart = unicodedata.normalize("NFD", word)
    return "".join(sign for sign in apart if unicodedata.category(sign) != "Mn")
