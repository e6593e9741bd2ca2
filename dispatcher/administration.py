# SPDX-License-Identifier: MIT
"""Administrations: the recipients of cases. The database is the truth; a CSV fills it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker.models import administrations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection


#: What the table holds.
_SLUG = re.compile(r"\S{1,64}")
_LONGEST_KIND = 32


class OutletName(StrEnum):
    """How a case reaches an administration."""

    DESK = "desk"
    MAIL = "mail"
    WEBHOOK = "webhook"
    OPEN311 = "open311"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, slots=True)
class Administration:
    """A recipient of cases.

    Attributes:
        slug: public identifier, never changed.
        names: by BCP 47 tag.
        kind: ministry, agency, company …
        parent: slug of the body above, or ``None``.
        competence: words by BCP 47 tag, for routing.
        outlet: how a case reaches it.
        email: its registered address, or ``""``.
        webhook_url: where signed webhooks go, or ``""``.
    """

    slug: str
    names: Mapping[str, str]
    kind: str = ""
    parent: str | None = None
    competence: Mapping[str, Sequence[str]] | None = None
    outlet: OutletName = OutletName.DESK
    email: str = ""
    webhook_url: str = ""

    def name(self, language: str) -> str:
        """Its name in ``language``, else in French, else its slug."""
        return self.names.get(language) or self.names.get("fr") or self.slug


class BadRegister(ValueError):  # noqa: N818
    """The CSV has errors; ``errors`` tells each by its row."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


def read_csv(path: Path) -> list[Administration]:
    """Read a register from a CSV file in UTF-8.

    Only ``slug`` and ``name_fr`` are required; unknown columns are kept out without complaint.

    Raises:
        BadRegister: with one sentence for each wrong row; the header is row 1.
    """
    found: dict[str, Administration] = {}
    rows: dict[str, int] = {}
    errors: list[str] = []
    number = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = {"slug", "name_fr"} - set(reader.fieldnames or ())
            if missing:
                raise BadRegister([f"row 1: no column {' and no column '.join(sorted(missing))}"])
            for row in reader:
                number += 1
                slug, fault = _cell(row, "slug"), _fault(row)
                if not fault and slug in rows:
                    fault = f"the slug {slug} stands twice (row {rows[slug]})"
                if fault:
                    errors.append(f"row {number}: {fault}")
                else:
                    found[slug] = _of(row)
                rows.setdefault(slug, number)
    except csv.Error as error:
        errors.append(f"row {number + 1}: {error}; nothing after it was read")
    except UnicodeDecodeError as error:
        raise BadRegister(["the file is not written in UTF-8; save it as “CSV UTF-8”"]) from error
    errors.extend(
        f"row {rows[administration.slug]}: parent {administration.parent} is unknown"
        for administration in found.values()
        if administration.parent and administration.parent not in rows
    )
    if errors:
        raise BadRegister(errors)
    return list(found.values())


def _cell(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()


def _fault(row: Mapping[str, str | None]) -> str:
    """What is wrong with one row, or ``""``."""
    slug, outlet = _cell(row, "slug"), _cell(row, "outlet") or "desk"
    if None in row:  # where the reader keeps the cells that no column names
        return "more cells than columns; a text with a comma stands in quotes"
    if not slug or not _cell(row, "name_fr"):
        return "slug and name_fr are required"
    if not _SLUG.fullmatch(slug):
        return f"the slug “{slug}” has a space or more than 64 characters"
    if outlet not in list(OutletName):
        return f"outlet {outlet} is none of {', '.join(OutletName)}"
    if outlet == "mail" and "@" not in _cell(row, "email"):
        return "outlet mail needs an email"
    if len(_cell(row, "kind")) > _LONGEST_KIND:
        return f"kind has more than {_LONGEST_KIND} characters"
    return ""


def _of(row: Mapping[str, str | None]) -> Administration:
    def words(column: str) -> list[str]:
        return [word.strip() for word in _cell(row, column).split(";") if word.strip()]

    names = {tag: _cell(row, f"name_{tag}") for tag in ("fr", "ar", "en")}
    return Administration(
        slug=_cell(row, "slug"),
        names={tag: text for tag, text in names.items() if text},
        kind=_cell(row, "kind"),
        parent=_cell(row, "parent") or None,
        competence={
            "fr": words("competence_fr"),
            "ar": words("competence_ar"),
            "ary-Latn": words("competence_ary_latn"),
        },
        outlet=OutletName(_cell(row, "outlet") or "desk"),
        email=_cell(row, "email"),
        webhook_url=_cell(row, "webhook_url"),
    )


def store(connection: Connection, register: Sequence[Administration]) -> tuple[int, int]:
    """Add or change administrations; none is ever deleted.

    Returns:
        how many were added and how many changed.
    """
    known = {row.slug: row for row in connection.execute(select(administrations))}
    added = changed = 0
    for administration in register:
        values: dict[str, Any] = {
            "names": dict(administration.names),
            "kind": administration.kind,
            "parent": administration.parent,
            "competence": {k: list(v) for k, v in (administration.competence or {}).items()},
            "outlet": str(administration.outlet),
            "email": administration.email,
            "webhook_url": administration.webhook_url,
            "active": True,
        }
        row = known.get(administration.slug)
        if row is not None:
            if all(getattr(row, column) == value for column, value in values.items()):
                continue
            connection.execute(
                administrations.update()
                .where(administrations.c.slug == administration.slug)
                .values(**values),
            )
            changed += 1
        else:
            connection.execute(administrations.insert().values(slug=administration.slug, **values))
            added += 1
    return added, changed


def load_all(connection: Connection) -> dict[str, Administration]:
    """Every active administration by its slug."""
    rows = connection.execute(select(administrations).where(administrations.c.active))
    return {
        row.slug: Administration(
            row.slug,
            row.names,
            row.kind,
            row.parent,
            row.competence,
            OutletName(row.outlet),
            row.email,
            row.webhook_url,
        )
        for row in rows
    }
