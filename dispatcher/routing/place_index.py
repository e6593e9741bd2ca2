# SPDX-License-Identifier: MIT
"""The names of places by their letters: where in a text one stands, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import chain
from typing import NamedTuple

from dispatcher.routing.gazetteer import Place, PlaceKind
from dispatcher.routing.place_words import Cue, Form, Name, Word, cue_of, names_of
from normalizer.spelling import consonants, near, squeezed, without_one

#: A name whose key is shorter has too many neighbours to be recognised misspelt.
_SHORTEST_MISSPELT = 7
_LONG = 9
_SHORTEST_PART = 3
#: A shorter key without its exact letters is like too many words.
_SHORTEST_LEVELLED = 5
_MOST_PARTS_MISSPELT = 3
#: Without a word for its kind, a name is first that of a town.
FIRST = (
    PlaceKind.COMMUNE,
    PlaceKind.QUARTER,
    PlaceKind.PROVINCE,
    PlaceKind.REGION,
    PlaceKind.RIVER,
    PlaceKind.BASIN,
)
CERTAINTY = {
    Cue.STREET: 0.35,
    Cue.NONE: 0.8,
    Cue.CAPITAL: 0.85,
    Cue.PREPOSITION: 0.9,
    Cue.KIND: 0.95,
}


class _Match(IntEnum):
    """How well the letters fit."""

    NEAR = 0
    LEVELLED = 1
    EXACT = 2


_LESS = {_Match.EXACT: 0.0, _Match.LEVELLED: 0.05, _Match.NEAR: 0.25}


class Hit(NamedTuple):
    """A name found in a text.

    Attributes:
        start: index of its first word.
        end: index after its last word.
        ids: the places of that name.
        certainty: from 0 to 1.
        enough: whether the cue that it needs stands beside it.
    """

    start: int
    end: int
    ids: tuple[str, ...]
    certainty: float
    enough: bool


class PlaceIndex:
    """Finds names in texts. What a text costs grows with its length, not with the gazetteer.

    Args:
        places: rows of the gazetteer.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._kinds: dict[str, PlaceKind] = {}
        self._names: dict[str, list[Name]] = {}
        for place in places:
            self._kinds[place.id] = place.kind
            for key, name in names_of(place):
                self._names.setdefault(key, []).append(name)
        #: Every beginning of a key: a text is read on from a word only as long as it is one.
        self._beginnings = {key[:end] for key in self._names for end in range(1, len(key))}
        self._misspelt: dict[str, list[str]] = {}
        for key in self._names:
            if len(key) >= _SHORTEST_MISSPELT:
                for shorter in without_one(key):
                    self._misspelt.setdefault(shorter, []).append(key)

    def hits(self, words: Sequence[Word]) -> list[Hit]:
        """The names in a text, from left to right, none over another."""
        found: list[Hit] = []
        start = 0
        while start < len(words):
            hit = self._at(words, start)
            if hit is not None:
                found.append(hit)
            start = hit.end if hit is not None else start + 1
        return found

    def _at(self, words: Sequence[Word], start: int) -> Hit | None:
        """The longest name that begins at a word; one that lacks its cue only when none has."""
        lacking: Hit | None = None
        for end, form, key in sorted(self._spelt(words, start), key=lambda one: -one[0]):
            hit = self._chosen(key, words, start, end, form, _Match.LEVELLED)
            if hit is not None and hit.enough:
                return hit
            lacking = lacking or hit
        return lacking or self._misspelt_at(words, start)

    def _spelt(self, words: Sequence[Word], start: int) -> Iterator[tuple[int, Form, str]]:
        """Where names end that begin at a word, with the reading of that word and the key."""
        for form in words[start].forms:
            key = ""
            for end in range(start + 1, len(words) + 1):
                key = squeezed(key + (words[end - 1].bare_key if key else form.key))
                if key in self._names:
                    yield end, form, key
                if key not in self._beginnings:
                    break

    def _misspelt_at(self, words: Sequence[Word], start: int) -> Hit | None:
        """A name with one wrong letter; only after a cue."""
        for form in words[start].forms:
            key = ""
            for end in range(start + 1, min(len(words), start + _MOST_PARTS_MISSPELT) + 1):
                key = squeezed(key + (words[end - 1].bare_key if key else form.key))
                if len(key) < _SHORTEST_MISSPELT:
                    continue
                if cue_of(words, start, end)[0] < Cue.PREPOSITION and not form.preposition:
                    break
                tried = chain.from_iterable(self._misspelt.get(k, ()) for k in without_one(key))
                for other in sorted(set(tried)):
                    if _alike(key, other):
                        hit = self._chosen(other, words, start, end, form, _Match.NEAR)
                        if hit is not None and hit.enough:
                            return hit
        return None

    def _chosen(
        self, key: str, words: Sequence[Word], start: int, end: int, form: Form, match: _Match
    ) -> Hit | None:
        """The places of one key that fit what is written, with what is beside it."""
        inside = words[start:end]
        exact = form.exact + "".join(word.bare for word in inside[1:])
        pieces = len(inside) > 1 and any(len(word.bare) < _SHORTEST_PART for word in inside)
        fits: dict[str, tuple[_Match, Cue]] = {}
        for name in self._names[key]:
            if pieces and name.parts != len(inside):
                continue  # "l'arraché" is not Larache
            here = _Match.EXACT if match and name.exact == exact else match
            glued = form.preposition and form.exact.isascii()
            if glued and here is not _Match.EXACT and len(key) < _SHORTEST_LEVELLED:
                continue  # "ba9a" (still) is not "b Akka"
            needs = name.needs
            short = here is _Match.LEVELLED and len(key) < _SHORTEST_LEVELLED
            if short and needs > Cue.NONE:
                continue  # a word itself, and misspelt: "au sous-sol" is not the Souss
            if here is _Match.NEAR or short or (name.article and not form.article):
                needs = max(needs, Cue.PREPOSITION)
            if needs is Cue.PREPOSITION and here and name.parts == len(inside) == 1:
                needs = Cue.CAPITAL  # of two words it may be a person's name: "Ben Ahmed"
            known = fits.get(name.place)
            if known is None or (here, -needs) > (known[0], -known[1]):
                fits[name.place] = here, needs
        if not fits:
            return None
        cue, kind = cue_of(words, start, end)
        if form.preposition and Cue.STREET < cue < Cue.PREPOSITION:
            cue = Cue.PREPOSITION
        best = max(here for here, _ in fits.values())
        ids = self._of_kind([one for one, fit in fits.items() if fit[0] is best], kind)
        enough = cue is Cue.STREET or cue >= min(fits[one][1] for one in ids)
        return Hit(start, end, ids, CERTAINTY[cue] - _LESS[best], enough)

    def _of_kind(self, ids: Sequence[str], kind: PlaceKind | None) -> tuple[str, ...]:
        for wanted in (kind, *FIRST):
            fitting = tuple(one for one in ids if self._kinds[one] is wanted)
            if fitting:
                return fitting
        return tuple(ids)


def _alike(key: str, other: str) -> bool:
    """Whether one letter differs; in a short name no consonant for another ("Birmanie")."""
    if not near(key, other):
        return False
    long = min(len(key), len(other)) >= _LONG
    return long or len(key) != len(other) or consonants(key) == consonants(other)
