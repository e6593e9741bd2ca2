# SPDX-License-Identifier: MIT
"""Who is responsible at a place: content chooses the matter, the place chooses among its bodies.

Several administrations may do the same (``matters``) at different places (``places``): communes,
basin agencies, academies. The most local one that serves a place named takes the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatcher.routing.gazetteer import PlaceKind

if TYPE_CHECKING:
    from dispatcher.administration import Administration
    from dispatcher.routing.places import PlaceFound, Places

#: How much surer one place must be than another that leads elsewhere.
_CLEARLY_SURER = 0.15


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a case, as far as its place tells.

    Attributes:
        slug: the administration.
        reason: a sentence a clerk can read, or ``None`` when no place had a say.
        confirmed: ``False`` where it depends on the place and no place named decides it: a person
            does.
    """

    slug: str
    reason: str | None
    confirmed: bool


class Recipients:
    """Chooses among administrations that do the same at different places.

    Args:
        register: administrations by slug.
        places: the country's places.
    """

    def __init__(self, register: Mapping[str, Administration], places: Places) -> None:
        self._register = register
        self._places = places
        self._bound: dict[str, dict[str, str]] = {}
        for one in register.values():
            for matter in one.matters or (one.slug,):
                at = self._bound.setdefault(matter, {})
                for place in one.places:
                    at.setdefault(place, one.slug)

    def of(self, slug: str, found: Sequence[PlaceFound]) -> Recipient:
        """The administration that does at the places found what ``slug`` does.

        Args:
            slug: chosen by content.
            found: places named, the surest first.
        """
        one = self._register.get(slug)
        if one is None:
            return Recipient(slug, None, confirmed=False)
        matters = one.matters or (slug,)
        if not any(self._bound.get(matter) for matter in matters):
            return Recipient(slug, None, confirmed=True)
        if not found:
            return Recipient(slug, None, confirmed=False)
        there: dict[str, tuple[PlaceFound, str]] = {}
        for place in found:
            served = self._served(matters, place.id)
            if served is not None:
                there.setdefault(served[0], (place, served[1]))
        if not there:
            return self._nowhere(one, found[0])
        (best, (place, at)), *others = there.items()
        if others and place.certainty - others[0][1][0].certainty < _CLEARLY_SURER:
            both = " and ".join(f"“{seen.words}”" for seen, _ in there.values())
            chosen = slug if slug in there else best
            return Recipient(chosen, f"{both} have different ones", confirmed=False)
        return Recipient(best, self._reason(place, at), confirmed=True)

    def _served(self, matters: Iterable[str], identity: str) -> tuple[str, str] | None:
        """Who serves a place or the nearest one around it, and which place that is."""
        for above in self._places.lies_in(identity):
            for matter in matters:
                slug = self._bound.get(matter, {}).get(above)
                if slug is not None:
                    return slug, above
        return None

    def _nowhere(self, one: Administration, place: PlaceFound) -> Recipient:
        """No row of the register serves the place: the general one stands, a bound one does not."""
        if not one.places:
            return Recipient(one.slug, None, confirmed=True)
        return Recipient(one.slug, f"“{place.words}” lies outside its places", confirmed=False)

    def _reason(self, found: PlaceFound, at: str) -> str:
        place = self._places.place(at)
        name = place.names["fr"] if place is not None else at
        if place is not None and place.kind is PlaceKind.BASIN:
            return f"“{found.words}” lies in the {name} basin"
        return f"“{found.words}” is named" if found.id == at else f"“{found.words}” lies in {name}"
