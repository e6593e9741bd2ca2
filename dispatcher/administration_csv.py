# SPDX-License-Identifier: MIT
"""The register as a CSV file: read whole or not at all, each error told by its row.

``slug`` and ``name_fr`` are required; every other column may be missing or empty, and one that
nobody knows is passed over. A cell with several values separates them by ``;``.

- ``name_<tag>``: what it is called now; ``names_former``: what it was called, each as
  ``2021-10-07/2024-10-23 fr: Name``, both days included, ``..`` before the slash for "always".
- ``kind``, ``parent`` (a slug), ``competence_<tag>`` (words for routing).
- ``matter``: keys of what it does (empty: its slug); ``place``: ids of the gazetteer it serves
  (empty: the whole country). Both together say who is responsible where.
- ``outlet`` with its ``email`` or ``webhook_url``; ``calendar``; ``phone``, ``website``,
  ``address``.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from dispatcher.administration import Administration, Contacts, FormerName, OutletName
from dispatcher.administration_links import faults_between

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

Cells = "Mapping[str, str | None]"

#: What the table holds, in characters; and what no honest cell exceeds.
LONGEST = {
    "slug": 64,
    "kind": 32,
    "parent": 64,
    "calendar": 64,
    "email": 254,
    "phone": 200,
    "website": 2000,
    "webhook_url": 2000,
    "address": 500,
}
_LONGEST_NAME = 300
_LONGEST_CELL = 20_000
_SLUG = re.compile(r"\S+")
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_HTTPS = re.compile(r"https://[^\s/@:?#]+\.[^\s/@:?#.]{2,}(?::\d{1,5})?(?:[/?#]\S*)?")
_PHONE = re.compile(r"\+?[0-9](?:[ .-]?[0-9]){1,16}")
_FORMER = re.compile(
    r"(\.\.|[^/\s]+)/([^/\s]+)\s+([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*:\s*(.+)", re.DOTALL
)
_NEEDS = {OutletName.MAIL: "email", OutletName.WEBHOOK: "webhook_url"} | {
    OutletName.OPEN311: "webhook_url"
}
#: Columns that are read beside ``name_*`` and ``competence_*``.
_READ = {*LONGEST, "names_former", "matter", "place", "outlet"}
#: Word lists that every administration has, empty or not.
_ALWAYS = ("fr", "ar", "ary-Latn")


class BadRegister(ValueError):  # noqa: N818
    """The CSV has errors; ``errors`` tells each by its row."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


def read_csv(path: Path, places: Collection[str] | None = None) -> list[Administration]:
    """Read a register from a CSV file in UTF-8.

    Args:
        path: the file.
        places: ids of the gazetteer, to check ``place`` by; ``None``: not checked.

    Raises:
        BadRegister: with one sentence for each error; the header is row 1.
    """
    found: dict[str, Administration] = {}
    rows: dict[str, int] = {}
    errors: list[tuple[int, str]] = []
    number = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = {"slug", "name_fr"} - set(reader.fieldnames or ())
            if missing:
                raise BadRegister([f"row 1: no column {' and no column '.join(sorted(missing))}"])
            for row in reader:
                number += 1
                slug, faults = _cell(row, "slug"), _faults(row)
                if slug in rows and slug:
                    faults.append(f"the slug {slug} stands twice (row {rows[slug]})")
                if not faults:
                    found[slug] = _of(row)
                errors.extend((number, fault) for fault in faults)
                rows.setdefault(slug, number)
    except csv.Error as error:
        errors.append((number + 1, f"{error}; nothing after it was read"))
    except UnicodeDecodeError as error:
        raise BadRegister(["the file is not written in UTF-8; save it as “CSV UTF-8”"]) from error
    errors.extend(faults_between(found, rows, places))
    if errors:
        raise BadRegister([f"row {row}: {fault}" for row, fault in sorted(errors)])
    return list(found.values())


def unread_columns(path: Path) -> list[str]:
    """The columns of a file that nothing reads: a slip of the pen, or the operator's own."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    prefixes = ("name_", "competence_")
    return [name for name in header if name not in _READ and not name.startswith(prefixes)]


def _cell(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()


def _list(row: Mapping[str, str | None], column: str) -> list[str]:
    return [word.strip() for word in _cell(row, column).split(";") if word.strip()]


def _tagged(row: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    """The columns ``<prefix><tag>`` by BCP 47 tag: ``competence_ary_latn`` is ``ary-Latn``."""
    found = {}
    for column in row:
        if column and column.startswith(prefix):
            language, *rest = column.removeprefix(prefix).split("_")
            subtags = [part.title() if len(part) == len("Latn") else part.upper() for part in rest]
            found["-".join([language, *subtags])] = column
    return found


def _faults(row: Mapping[str, str | None]) -> list[str]:
    """Everything that is wrong with one row by itself."""
    slug, outlet = _cell(row, "slug"), _cell(row, "outlet") or "desk"
    if None in row:  # where the reader keeps the cells that no column names
        return ["more cells than columns; a text with a comma stands in quotes"]
    if not slug or not _cell(row, "name_fr"):
        return ["slug and name_fr are required"]
    faults = _too_long(row)
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST["slug"]:
        faults.insert(0, f"the slug “{slug[:80]}” has a space or more than 64 characters")
    if outlet not in list(OutletName):
        faults.append(f"outlet {outlet} is none of {', '.join(OutletName)}")
    elif OutletName(outlet) in _NEEDS and not _cell(row, _NEEDS[OutletName(outlet)]):
        needed = _NEEDS[OutletName(outlet)]
        faults.append(f"outlet {outlet} needs {'an email' if needed == 'email' else f'a {needed}'}")
    email = _cell(row, "email")
    if email and not (email.isascii() and _EMAIL.fullmatch(email)):
        faults.append(f"“{email}” is no email address")
    for column in ("webhook_url", "website"):
        if _cell(row, column) and not _HTTPS.fullmatch(_cell(row, column)):
            faults.append(
                f"{column} “{_cell(row, column)}” is no address that begins with https://"
            )
    faults.extend(
        f"“{number}” is no telephone number"
        for number in _list(row, "phone")
        if not _PHONE.fullmatch(number)
    )
    for column in ("matter", "place"):
        faults.extend(
            f"{column} “{key}” is not made of a-z, 0-9 and hyphens"
            for key in _list(row, column)
            if not _KEY.fullmatch(key)
        )
    if _cell(row, "calendar") and not _KEY.fullmatch(_cell(row, "calendar")):
        faults.append(f"calendar “{_cell(row, 'calendar')}” is not made of a-z, 0-9 and hyphens")
    return [*faults, *_dates(row)]


def _too_long(row: Mapping[str, str | None]) -> list[str]:
    most = LONGEST | dict.fromkeys(_tagged(row, "name_").values(), _LONGEST_NAME)
    del most["slug"]  # told by its own sentence
    return [
        f"{column} has more than {most.get(column, _LONGEST_CELL)} characters"
        for column, value in row.items()
        if column != "slug" and len((value or "").strip()) > most.get(column, _LONGEST_CELL)
    ]


def _dates(row: Mapping[str, str | None]) -> list[str]:
    """What is wrong with the names it had."""
    faults, read = [], []
    for written in _list(row, "names_former"):
        try:
            read.append(_former(written))
        except ValueError as error:
            faults.append(f"names_former: {error}")
    for one, other in combinations(read, 2):
        first, last = sorted((one, other), key=lambda name: name.until)
        if one.language == other.language and last.held(first.until):
            faults.append(
                f"names_former: “{first.name}” and “{last.name}” ({one.language}) held both "
                f"on {first.until}"
            )
    return faults


def _former(written: str) -> FormerName:
    """Read one name with its days.

    Raises:
        ValueError: with what is wrong.
    """
    match = _FORMER.fullmatch(written)
    if match is None:
        raise ValueError(f"“{written}” is not written as 2021-10-07/2024-10-23 fr: Name")
    first, last, language, name = match.groups()
    since = None if first == ".." else _day(first)
    until = _day(last)
    if since is not None and since > until:
        raise ValueError(f"“{name}” begins on {since}, after its end on {until}")
    return FormerName(language, name.strip(), until, since)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise ValueError(f"{written} is no day (year-month-day, 2024-10-23)") from error


def _of(row: Mapping[str, str | None]) -> Administration:
    names = {tag: _cell(row, column) for tag, column in _tagged(row, "name_").items()}
    words = {tag: _list(row, column) for tag, column in _tagged(row, "competence_").items()}
    return Administration(
        slug=_cell(row, "slug"),
        names={tag: text for tag, text in names.items() if text},
        kind=_cell(row, "kind"),
        parent=_cell(row, "parent") or None,
        competence={tag: words.get(tag, []) for tag in (*_ALWAYS, *words)},
        outlet=OutletName(_cell(row, "outlet") or "desk"),
        email=_cell(row, "email"),
        webhook_url=_cell(row, "webhook_url"),
        names_former=tuple(_former(written) for written in _list(row, "names_former")),
        matters=tuple(_list(row, "matter")),
        places=tuple(_list(row, "place")),
        calendar=_cell(row, "calendar"),
        contacts=Contacts(_cell(row, "phone"), _cell(row, "website"), _cell(row, "address")),
    )
