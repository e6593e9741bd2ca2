# SPDX-License-Identifier: MIT
"""What ties administrations together: parents, and who does what where. Faults told by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dispatcher.administration import Administration


def faults_between(
    register: Mapping[str, Administration],
    rows: Mapping[str, int],
    places: Collection[str] | None,
) -> Iterator[tuple[int, str]]:
    """Each fault that one row alone does not show, with its row.

    Args:
        register: the administrations whose rows are right by themselves.
        rows: the row of every slug, also of a wrong one: its children are not told of it again.
        places: ids of the gazetteer; ``None``: places are not checked.
    """
    served: dict[tuple[str, str], str] = {}
    told: set[str] = set()
    for one in register.values():
        row = rows[one.slug]
        if one.parent and one.parent not in rows:
            yield row, f"parent {one.parent} is unknown"
        circle = _circle(one, register)
        if circle and not told.intersection(circle):
            told.update(circle)
            yield row, f"its parents go round in a circle ({' → '.join([*circle, circle[0]])})"
        if places is not None:
            for place in one.places:
                if place not in places:
                    yield row, f"place {place} is not in the gazetteer"
        for matter in one.matters or (one.slug,):
            for place in dict.fromkeys(one.places):
                other = served.setdefault((matter, place), one.slug)
                if other != one.slug:
                    yield (
                        row,
                        f"{matter} at {place} is the matter of {other} already (row {rows[other]})",
                    )


def _circle(one: Administration, register: Mapping[str, Administration]) -> list[str]:
    """The slugs from an administration up to itself again, or nothing."""
    above = [one.slug]
    parent = register.get(one.parent or "")
    while parent is not None and parent.slug not in above:
        above.append(parent.slug)
        parent = register.get(parent.parent or "")
    return above if parent is not None and parent.slug == one.slug else []
