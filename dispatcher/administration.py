# SPDX-License-Identifier: MIT
"""Administrations: the recipients of cases. The database is the truth; a CSV fills it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker.models import administrations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection


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
        BadRegister: with one sentence for each wrong row.
    """
    found: dict[str, Administration] = {}
    errors: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            slug, name = (row.get("slug") or "").strip(), (row.get("name_fr") or "").strip()
            outlet = (row.get("outlet") or "desk").strip()
            if not slug or not name:
                errors.append(f"row {number}: slug and name_fr are required")
            elif slug in found:
                errors.append(f"row {number}: the slug {slug} stands twice")
            elif outlet not in list(OutletName):
                errors.append(f"row {number}: outlet {outlet} is none of {', '.join(OutletName)}")
            elif outlet == "mail" and "@" not in (row.get("email") or ""):
                errors.append(f"row {number}: outlet mail needs an email")
            else:
                found[slug] = _of(row, slug, name, outlet)
    errors.extend(
        f"{administration.slug}: parent {administration.parent} is unknown"
        for administration in found.values()
        if administration.parent and administration.parent not in found
    )
    if errors:
        raise BadRegister(errors)
    return list(found.values())


def _of(row: Mapping[str, str | None], slug: str, name: str, outlet: str) -> Administration:
    def cell(column: str) -> str:
        return (row.get(column) or "").strip()

    def words(column: str) -> list[str]:
        return [word.strip() for word in cell(column).split(";") if word.strip()]

    names = {"fr": name, "ar": cell("name_ar"), "en": cell("name_en")}
    return Administration(
        slug=slug,
        names={tag: text for tag, text in names.items() if text},
        kind=cell("kind"),
        parent=cell("parent") or None,
        competence={
            "fr": words("competence_fr"),
            "ar": words("competence_ar"),
            "ary-Latn": words("competence_ary_latn"),
        },
        outlet=OutletName(outlet),
        email=cell("email"),
        webhook_url=cell("webhook_url"),
    )


def store(connection: Connection, register: Sequence[Administration]) -> tuple[int, int]:
    """Add or change administrations; none is ever deleted.

    Returns:
        how many were added and how many changed.
    """
    known = set(connection.scalars(select(administrations.c.slug)))
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
        if administration.slug in known:
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
