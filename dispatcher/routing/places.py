# SPDX-License-Identifier: MIT
"""Which places a text names, in any script and spelling; or which lies nearest to a map pin.

A false alarm sends a complaint to the wrong town, so a name that is a word of its own too counts
only with a cue beside it, one that is only similar needs a cue as well, and a street called after a
town tells where only when nothing else does. Pure: no files, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import cos, hypot, radians

from dispatcher.routing.gazetteer import Place, PlaceKind
from dispatcher.routing.place_index import CERTAINTY, FIRST, Hit, PlaceIndex
from dispatcher.routing.place_words import Cue, words_of
from normalizer.text import ascii_digits

_DEGREES = re.compile(r"(?<![\d.])(-?\d{1,2}\.\d{2,})\s*[,;]\s*(-?\d{1,3}\.\d{2,})(?![\d.])")
_KM_A_DEGREE = 111.2
#: A text is looked at so far: longer ones name their place early, and cost grows with length.
LOOKED_AT = 4000
_QUARTER_KM = 4.0
_IN_THE_FORM, _BY_PIN, _BESIDE_ANOTHER, _ONE_OF_SEVERAL = 0.97, 0.9, 0.7, 0.6


@dataclass(frozen=True, slots=True)
class PlaceFound:
    """A place that was named.

    Attributes:
        id: of the gazetteer.
        words: as the citizen wrote it; for a map pin its degrees.
        certainty: from 0 to 1; by rank, it is no frequency.
    """

    id: str
    words: str
    certainty: float


class Places:
    """The places of a country.

    Args:
        places: rows of the gazetteer.
        within_km: how far from a pin the nearest known place may be.
    """

    def __init__(self, places: Iterable[Place], *, within_km: float = 30.0) -> None:
        self._places = {place.id: place for place in places}
        self._within_km = within_km
        self._index = PlaceIndex(self._places.values())
        self._chains = {identity: tuple(self._above(identity)) for identity in self._places}

    @classmethod
    def load(cls, places: Iterable[Place]) -> Places:
        """Make them of the rows of a gazetteer."""
        return cls(places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, identity: object) -> bool:
        return identity in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def place(self, identity: str) -> Place | None:
        """The row of a place."""
        return self._places.get(identity)

    def lies_in(self, identity: str) -> tuple[str, ...]:
        """The ids of what a place lies in, itself first, then outwards, its river basin last."""
        return self._chains.get(identity, ())

    def named_in(self, text: str, location: str = "") -> tuple[PlaceFound, ...]:
        """The places that a text names, the surest first.

        Args:
            text: in any language and script.
            location: what a form's field says, or a shared pin: names and degrees.

        Returns:
            each place once; what another one found lies in is left out.
        """
        if not self._places:
            return ()
        found = [*self._pinned(location), *self._found(location, in_a_form=True)]
        found = self._narrowed(found) or self._narrowed(
            [*self._pinned(text), *self._found(text, in_a_form=False)]
        )
        return tuple(sorted(found, key=lambda one: -one.certainty))

    def nearest(self, latitude: float, longitude: float) -> PlaceFound | None:
        """The known town, or quarter, nearest to a point in degrees (WGS 84); ``None``: too far."""
        best: dict[PlaceKind, tuple[float, str]] = {}
        for place in self._places.values():
            if place.degrees is None or place.kind not in FIRST[:2]:
                continue
            north, east = place.degrees[0] - latitude, place.degrees[1] - longitude
            far = hypot(north, east * cos(radians(latitude))) * _KM_A_DEGREE
            best[place.kind] = min(best.get(place.kind, (far, place.id)), (far, place.id))
        words = f"{latitude:.4f}, {longitude:.4f}"
        quarter = best.get(PlaceKind.QUARTER)
        town = best.get(PlaceKind.COMMUNE)
        if quarter and quarter[0] <= _QUARTER_KM and (town is None or quarter[0] < town[0]):
            return PlaceFound(quarter[1], words, _BY_PIN)
        if town is None or town[0] > self._within_km:
            return None
        return PlaceFound(town[1], words, _BY_PIN - town[0] / self._within_km / 4)

    # --- By words ---------------------------------------------------------------------------------

    def _pinned(self, text: str) -> Iterator[PlaceFound]:
        for latitude, longitude in _DEGREES.findall(ascii_digits(text[:LOOKED_AT])):
            found = self.nearest(float(latitude), float(longitude))
            if found is not None:
                yield found

    def _found(self, text: str, *, in_a_form: bool) -> list[PlaceFound]:
        words = words_of(text[:LOOKED_AT])
        hits = self._index.hits(words)
        sure = [hit for hit in hits if hit.enough or in_a_form]
        no_street = [hit for hit in sure if hit.certainty > CERTAINTY[Cue.STREET]]
        beside = [
            hit._replace(certainty=_BESIDE_ANOTHER)
            for hit in hits
            if hit not in sure
            and any(
                self._neighbours(hit, other, other in no_street)
                for other in hits
                if other != hit and (other in no_street or other not in sure)
            )
        ]
        found: list[PlaceFound] = []
        for hit in chain(sure, beside):
            said = " ".join(word.raw for word in words[hit.start : hit.end])
            ids = self._meant(hit, [other for other in sure if other is not hit])
            certainty = hit.certainty if len(ids) == 1 else hit.certainty * _ONE_OF_SEVERAL
            if in_a_form and hit.certainty > CERTAINTY[Cue.STREET]:
                certainty *= _IN_THE_FORM / hit.certainty
            found.extend(PlaceFound(one, said, round(certainty, 3)) for one in ids)
        return found

    # --- One among another ------------------------------------------------------------------------

    def _meant(self, hit: Hit, others: Sequence[Hit]) -> tuple[str, ...]:
        """Of several places of one name, those that go with what else is named."""
        if len(hit.ids) == 1:
            return hit.ids
        around = {above for other in others for one in other.ids for above in self.lies_in(one)}
        ranked = {one: len(around.intersection(self.lies_in(one)[1:])) for one in hit.ids}
        most = max(ranked.values())
        return tuple(one for one, shared in ranked.items() if shared == most)

    def _neighbours(self, hit: Hit, other: Hit, sure: bool) -> bool:  # noqa: FBT001
        """Whether two names stand side by side and belong together.

        Beside a sure one a shared region is enough ("Rabat, Salé"); of two unsure ones, one must
        lie in the other ("hay Salam Salé").
        """
        if min(abs(hit.start - other.end), abs(other.start - hit.end)) > 1:
            return False
        for one in hit.ids:
            for beside in other.ids:
                here, there = self.lies_in(one), self.lies_in(beside)
                if one == beside:
                    continue
                if beside in here or one in there or (sure and set(here[1:]) & set(there[1:])):
                    return True
        return False

    def _narrowed(self, found: Sequence[PlaceFound]) -> list[PlaceFound]:
        """Each place once, without what others lie in, and streets only where nothing else is."""
        kept: dict[str, PlaceFound] = {}
        for one in found:
            if one.id not in kept or kept[one.id].certainty < one.certainty:
                kept[one.id] = one
        if any(one.certainty > CERTAINTY[Cue.STREET] for one in kept.values()):
            kept = {k: v for k, v in kept.items() if v.certainty > CERTAINTY[Cue.STREET]}
        outer = {above for identity in kept for above in self.lies_in(identity)[1:]}
        inner = [
            replace(
                one, certainty=max(kept[k].certainty for k in self.lies_in(one.id) if k in kept)
            )
            for one in kept.values()
            if one.id not in outer
        ]
        towns = {k for k in kept if self._places[k].kind is PlaceKind.COMMUNE}
        return [
            one
            for one in inner
            if not towns
            or self._places[one.id].kind is not PlaceKind.QUARTER
            or towns.intersection(self.lies_in(one.id))
        ]

    def _above(self, identity: str) -> Iterator[str]:
        seen: list[str] = []
        basin, here = "", self._places.get(identity)
        while here is not None and here.id not in seen:
            seen.append(here.id)
            basin = basin or here.basin
            here = self._places.get(here.parent)
        yield from seen
        if basin:
            yield basin
