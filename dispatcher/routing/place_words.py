# SPDX-License-Identifier: MIT
"""The words around a place's name: prepositions, kinds of places, streets; and how names are keyed.

All words are folded (:func:`normalizer.text.fold`). They belong to the languages, not to a country.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from dispatcher.routing.gazetteer import Place, PlaceKind
from normalizer.spelling import levelled, squeezed
from normalizer.text import ascii_digits, fold

_PREPOSITIONS = (
    "a au aux de d du vers sur dans en pres entre depuis jusqu "
    "in at from near of to around "
    "f fi fel b l mn men dyal diyal dial dyel hda 7da l3nd "
    "n g gh ɣ ⵏ ⴳ ⵖ "
    "في ف ب من الي لي ديال د قرب نواحي بنواحي ناحيه بناحيه ضواحي بين حدا عند نحو"
)
#: After these a name is a place: French, English, Darija in Latin letters, Amazigh,
#: Arabic.
PREPOSITIONS = frozenset(_PREPOSITIONS.split())
_CONNECTORS = (
    "de d du des la le l el al of the dyal diyal urbaine rurale municipale "
    "ديال د القرويه الحضريه الترابيه قرويه حضريه"
)
#: Between a kind and its name: "commune rurale de", "مدينة ديال".
CONNECTORS = frozenset(_CONNECTORS.split())
_KINDS: dict[PlaceKind, str] = {
    PlaceKind.COMMUNE: "ville commune municipalite centre cite bourg village localite douar cercle "
    "mdina mdint madinat madina lmdina jma3a jma3at jama3a jama3at lbaladiya city town "
    "مدينه مدينت جماعه بلديه قريه بلده دوار دائره قياده مركز مدشر",
    PlaceKind.PROVINCE: "province prefecture 9lim i9lim l9lim 3amalat 3amala l3amala اقليم عماله",
    PlaceKind.REGION: "region wilaya jihat jiha ljiha جهه ولايه",
    PlaceKind.QUARTER: "quartier hay 7ay l7ay derb arrondissement district moqataa mo9ata3at "
    "7oumat houmat حي مقاطعه حومه درب",
    PlaceKind.RIVER: "oued fleuve riviere wad wed river affluent واد وادي نهر",
    PlaceKind.BASIN: "bassin basin nappe 7awd حوض فرشه",
}
#: Word → the kind of place it announces.
KINDS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_AFTER = "province region city district town river basin ville centre"
#: Those that may also follow a name: "Kenitra province", "Fès ville".
AFTER = frozenset(_AFTER.split())
_STREETS = (
    "rue ruelle avenue av ave bd bld boulevard blvd route rte autoroute ligne train "
    "street road zan9at zan9a zn9a zn9at zenqat chari3 charia tri9 tari9 "
    "شارع زنقه طريق محج قطار"
)
#: A name after these is a street's: it tells where only when nothing else does.
STREETS = frozenset(_STREETS.split())

_WORD = re.compile(r"[^\W_]+")
_ENDS_A_SENTENCE = re.compile(r"[.!?\n؟…]")
_MOST_CUE_WORDS = 4
_ARTICLES = frozenset(("el", "al", "l", "la", "le", "les", "lala"))
_ARABIC = re.compile("[\u0600-\u06ff]")
_ARABIC_LETTERS = str.maketrans(
    {"ء": None, "ئ": "ي", "ؤ": "و", "گ": "ك", "ڭ": "ك", "ݣ": "ك", "ڤ": "ف", "پ": "ب", "ظ": "ض"}
)
_SHORTEST_STEM = 3
_CLITICS = (
    *(
        (joined + before + article, bool(before), bool(article))
        for joined in ("", "و", "ف")
        for before in ("", "ب", "ل", "ك", "ف", "د")
        for article in ("", "ال")
        if joined + before + article and (not joined or joined != before)
    ),
    *((prefix, True, True) for prefix in ("لل", "ولل", "فال")),
    ("فل", True, True),
)


class Cue(IntEnum):
    """What stands beside a name, the weakest first."""

    STREET = 0
    NONE = 1
    CAPITAL = 2
    PREPOSITION = 3
    KIND = 4


class Form(NamedTuple):
    """One way to read a word of a text.

    Attributes:
        key: what names are found by.
        exact: the folded word itself, not levelled.
        preposition: a glued preposition stood before it.
        article: an article stood before it.
    """

    key: str
    exact: str
    preposition: bool
    article: bool


class Name(NamedTuple):
    """One way a place is written: its exact letters, how many words, which cue it needs."""

    place: str
    exact: str
    parts: int
    needs: Cue
    article: bool


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        raw: as written.
        forms: every way to read it, as it is first.
        bare: folded, without an article.
        bare_key: the key of that.
        opens: it begins a sentence, so its capital tells nothing.
    """

    raw: str
    forms: tuple[Form, ...]
    bare: str
    bare_key: str
    opens: bool

    @property
    def folded(self) -> str:
        """The word as it is, folded."""
        return self.forms[0].exact


def key_of(word: str) -> str:
    """What the spellings of a folded word have alike; in Arabic also ه and ا at its end."""
    if _ARABIC.search(word):
        levelled_word = word.translate(_ARABIC_LETTERS)
        return levelled_word[:-1] + "ا" if levelled_word.endswith("ه") else levelled_word
    return levelled(word) if word.isascii() else word


@lru_cache(maxsize=20_000)
def forms(word: str) -> tuple[Form, ...]:
    """Every way to read one word of a text, the word as it is first."""
    folded = fold(word)
    found = [Form(key_of(folded), folded, preposition=False, article=False)]
    if _ARABIC.search(folded):
        for prefix, preposition, article in _CLITICS:
            rest = folded[len(prefix) :]
            enough = len(rest) >= _SHORTEST_STEM - article or rest in KINDS
            if folded.startswith(prefix) and enough:
                found.append(Form(key_of(rest), rest, preposition, article))
    elif folded[:1] in ("l", "f", "b", "d") and len(folded) > _SHORTEST_STEM:
        rest = folded[1:]
        found.append(Form(key_of(rest), rest, folded[0] != "l", folded[0] == "l"))
    return tuple(found)


@lru_cache(maxsize=20_000)
def bare_of(word: str) -> tuple[str, str]:
    """A word folded and without an Arabic article, and the key of that."""
    found = _bare(fold(word))
    return found, key_of(found)


def is_article(word: str) -> bool:
    """Whether a folded word is an article that names are written with and without."""
    return word in _ARTICLES


def _bare(word: str) -> str:
    """A folded Arabic word without its article."""
    if word.startswith("ال") and len(word) > len("ال") + 1:
        return word[len("ال") :]
    return word


def names_of(place: Place) -> Iterator[tuple[str, Name]]:
    """Each key a place is found by."""
    with_kind = {fold(name) for name in place.needs_kind}
    with_preposition = {fold(name) for name in place.needs_preposition}
    for written in place.written:
        folded = fold(written)
        needs = Cue.NONE
        if folded in with_kind:
            needs = Cue.KIND
        elif folded in with_preposition:
            needs = Cue.PREPOSITION
        parts = [fold(word) for word in _WORD.findall(_unmarked(written))]
        shorter = [_bare(part) for part in parts]
        if len(shorter) > 1 and is_article(shorter[0]):
            yield (
                squeezed(key_of("".join(parts))),
                Name(place.id, "".join(parts), len(parts), needs, article=False),
            )
            shorter = shorter[1:]
        article = len(shorter) == 1 and shorter != parts
        exact = "".join(shorter)
        key = squeezed("".join(map(key_of, shorter)))
        yield key, Name(place.id, exact, len(shorter), needs, article)


def _unmarked(text: str) -> str:
    """A text without the marks on its letters that would cut words in two (tashkeel, tatweel)."""
    composed = unicodedata.normalize("NFC", text).replace("ـ", "")
    if composed.isascii():
        return composed
    return "".join(c for c in composed if unicodedata.category(c) not in ("Mn", "Cf"))


def words_of(text: str) -> list[Word]:
    """The words of a text; ``opens``: it begins a sentence, so its capital tells nothing."""
    text = _unmarked(ascii_digits(text))
    shouting = text.upper() == text
    words: list[Word] = []
    last = 0
    for match in _WORD.finditer(text):
        raw = match.group()
        opens = not words or shouting or bool(_ENDS_A_SENTENCE.search(text, last, match.start()))
        bare_word, bare_key = bare_of(raw)
        words.append(Word(raw, forms(raw), bare_word, bare_key, opens))
        last = match.end()
    return words


def cue_of(words: Sequence[Word], start: int, end: int) -> tuple[Cue, PlaceKind | None]:
    """What stands beside a name, and which kind of place it says."""
    preposition = False
    for word in reversed(words[max(0, start - _MOST_CUE_WORDS) : start]):
        readings = [form.exact for form in word.forms if not form.article]
        if any(reading in STREETS for reading in readings):
            return Cue.STREET, None
        for reading in readings:
            if reading in KINDS:
                return Cue.KIND, KINDS[reading]
        preposition = preposition or word.folded in PREPOSITIONS
        if word.folded not in CONNECTORS and not is_article(word.folded):
            break
    if end < len(words) and words[end].folded in AFTER:
        return Cue.KIND, KINDS[words[end].folded]
    if preposition:
        return Cue.PREPOSITION, None
    capital = words[start].raw[:1].isupper() and not words[start].opens
    return (Cue.CAPITAL if capital else Cue.NONE), None
