# SPDX-License-Identifier: MIT
"""The gazetteer: a country's places as rows of a CSV, each with its names in every script.

Columns (``id``, ``kind`` and ``name_fr`` are required, the others may be missing or empty):

- ``id``: a slug, never changed; ``kind``: one of :class:`PlaceKind`.
- ``parent``: id of the place it lies in.
- ``name_fr``, ``name_ar`` … ``name_<tag>``: what it is called, by BCP 47 tag.
- ``spellings``: further ways it is written, in any script, separated by ``;``.
- ``needs_preposition``: those of its names that are words of their own too ("salé", الجديدة): they
  count only after a preposition of place, or with a capital inside a sentence.
- ``needs_kind``: those that count only beside a word such as "ville" or مدينة.
- ``latitude``, ``longitude``: degrees (WGS 84), both or neither.
- ``basin``: id of the river basin it lies in; empty: its parent's.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from normalizer.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_ID = 64
_FARTHEST = {"latitude": 90.0, "longitude": 180.0}


class PlaceKind(StrEnum):
    """What sort of place it is."""

    REGION = "region"
    PROVINCE = "province"
    COMMUNE = "commune"
    QUARTER = "quarter"
    BASIN = "basin"
    RIVER = "river"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a citizen may name.

    Attributes:
        id: slug.
        kind: region, province, commune …
        names: by BCP 47 tag; at least ``fr``.
        parent: id of the place it lies in, or ``""``.
        spellings: further ways it is written.
        needs_preposition: names that count only after a preposition of place.
        needs_kind: names that count only beside a word such as "ville".
        degrees: latitude and longitude (WGS 84), or ``None``.
        basin: id of the river basin it lies in, or ``""``: that of its parent.
    """

    id: str
    kind: PlaceKind
    names: Mapping[str, str]
    parent: str = ""
    spellings: tuple[str, ...] = ()
    needs_preposition: tuple[str, ...] = ()
    needs_kind: tuple[str, ...] = ()
    degrees: tuple[float, float] | None = None
    basin: str = ""

    @property
    def written(self) -> tuple[str, ...]:
        """Every way it is written, each once."""
        return tuple(dict.fromkeys((*self.names.values(), *self.spellings)))


class BadPlaces(ValueError):  # noqa: N818
    """The CSV has errors; ``errors`` tells each by its row."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


def read_places(path: Path) -> list[Place]:
    """Read a gazetteer from a CSV file in UTF-8.

    Raises:
        BadPlaces: with one sentence for each wrong row; the header is row 1.
        OSError: the file cannot be read.
    """
    found: dict[str, Place] = {}
    rows: dict[str, int] = {}
    errors: list[str] = []
    number = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = {"id", "kind", "name_fr"} - set(reader.fieldnames or ())
            if missing:
                raise BadPlaces([f"row 1: no column {', '.join(sorted(missing))}"])
            for row in reader:
                number += 1
                identity, fault = _cell(row, "id"), _fault(row)
                if not fault and identity in rows:
                    fault = f"the id {identity} stands twice (row {rows[identity]})"
                if fault:
                    errors.append(f"row {number}: {fault}")
                else:
                    found[identity] = _of(row)
                rows.setdefault(identity, number)
    except csv.Error as error:
        errors.append(f"row {number + 1}: {error}; nothing after it was read")
    except UnicodeDecodeError as error:
        raise BadPlaces(["the file is not written in UTF-8; save it as “CSV UTF-8”"]) from error
    for place in found.values():
        fault = _misplaced(place, found, rows)
        if fault:
            errors.append(f"row {rows[place.id]}: {fault}")
    if errors:
        raise BadPlaces(errors)
    return list(found.values())


def _cell(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()


def _words(row: Mapping[str, str | None], column: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in _cell(row, column).split(";") if word.strip())


def _fault(row: Mapping[str, str | None]) -> str:
    """What is wrong with one row by itself, or ``""``."""
    identity = _cell(row, "id")
    if None in row:  # where the reader keeps the cells that no column names
        return "more cells than columns; a text with a comma stands in quotes"
    if not _ID.fullmatch(identity) or len(identity) > _LONGEST_ID:
        return f"the id “{identity}” is not made of a-z, 0-9 and hyphens, at most {_LONGEST_ID}"
    if _cell(row, "kind") not in list(PlaceKind):
        return f"kind {_cell(row, 'kind') or '(empty)'} is none of {', '.join(PlaceKind)}"
    if not _cell(row, "name_fr"):
        return "name_fr is required"
    if bool(_cell(row, "latitude")) != bool(_cell(row, "longitude")):
        return "latitude and longitude stand together or not at all"
    for column, most in _FARTHEST.items():
        if not _within(_cell(row, column), most):
            return f"{column} “{_cell(row, column)}” is no number from -{most:g} to {most:g}"
    place = _of(row)
    written = {fold(name) for name in place.written}
    for name in (*place.needs_preposition, *place.needs_kind):
        if fold(name) not in written:
            return f"“{name}” needs a word before it, but is none of its names and spellings"
    return ""


def _within(value: str, most: float) -> bool:
    try:
        return not value or abs(float(value)) <= most
    except ValueError:
        return False


def _of(row: Mapping[str, str | None]) -> Place:
    names = {
        column.removeprefix("name_").replace("_", "-"): _cell(row, column)
        for column in row
        if column and column.startswith("name_") and _cell(row, column)
    }
    degrees = None
    if _cell(row, "latitude"):
        degrees = (float(_cell(row, "latitude")), float(_cell(row, "longitude")))
    return Place(
        _cell(row, "id"),
        PlaceKind(_cell(row, "kind")),
        names,
        _cell(row, "parent"),
        _words(row, "spellings"),
        _words(row, "needs_preposition"),
        _words(row, "needs_kind"),
        degrees,
        _cell(row, "basin"),
    )


def _misplaced(place: Place, found: Mapping[str, Place], rows: Mapping[str, int]) -> str:
    """What is wrong with where a place lies, or ``""``."""
    if place.parent and place.parent not in rows:
        return f"parent {place.parent} is unknown"
    if place.basin and place.basin not in rows:
        return f"basin {place.basin} is unknown"
    basin = found.get(place.basin)
    if basin is not None and basin.kind is not PlaceKind.BASIN:
        return f"basin {place.basin} is a {basin.kind}, no basin"
    seen, above = [place.id], place.parent
    while above in found:
        if above in seen:
            return f"its parents go round in a circle ({' → '.join([*seen, above])})"
        seen.append(above)
        above = found[above].parent
    return ""
