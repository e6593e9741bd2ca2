# SPDX-License-Identifier: MIT
"""Administrations: the recipients of cases. The database is the truth; a CSV fills it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from tracker.models import administrations

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

#: Rows in one statement of an import.
_TOGETHER = 200


class OutletName(StrEnum):
    """How a case reaches an administration."""

    DESK = "desk"
    MAIL = "mail"
    WEBHOOK = "webhook"
    OPEN311 = "open311"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, slots=True)
class FormerName:
    """What an administration was called, from one day to another, both included.

    Attributes:
        language: BCP 47 tag.
        name: in that language.
        until: the last day.
        since: the first day; ``None``: from the beginning.
    """

    language: str
    name: str
    until: date
    since: date | None = None

    def held(self, on: date) -> bool:
        """Whether it was the name on a day."""
        return on <= self.until and (self.since is None or self.since <= on)


@dataclass(frozen=True, slots=True)
class Contacts:
    """Where a citizen may turn to it.

    Attributes:
        phone: numbers as people dial them, or ``""``.
        website: an https URL, or ``""``.
        address: of its counter, or ``""``.
    """

    phone: str = ""
    website: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Administration:
    """A recipient of cases. What it does (``matters``) and where (``places``) are separate axes.

    Attributes:
        slug: public identifier, never changed.
        names: by BCP 47 tag, as it is called now.
        kind: ministry, agency, company …
        parent: slug of the body above, or ``None``.
        competence: words by BCP 47 tag, for routing.
        outlet: how a case reaches it.
        email: its registered address, or ``""``.
        webhook_url: where signed webhooks go, or ``""``.
        names_former: names it had, or will keep until a day to come.
        matters: keys of what it does; those that do the same at different places share one. Empty:
            its slug alone.
        places: ids of the places it serves; empty: the whole country.
        calendar: name of the calendar its days are counted by; ``""``: the country's.
        contacts: telephone, website, address.
    """

    slug: str
    names: Mapping[str, str]
    kind: str = ""
    parent: str | None = None
    competence: Mapping[str, Sequence[str]] | None = None
    outlet: OutletName = OutletName.DESK
    email: str = ""
    webhook_url: str = ""
    names_former: tuple[FormerName, ...] = ()
    matters: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    calendar: str = ""
    contacts: Contacts = field(default_factory=Contacts)

    def name(self, language: str, on: date | None = None) -> str:
        """Its name in ``language`` on a day (``None``: now), else in French, else its slug."""
        return name_on(self.names, self.names_former, language, on) or self.slug

    def named_on(self, on: date) -> Administration:
        """The same administration under the names it bears on a day."""
        held = {one.language: one.name for one in self.names_former if one.held(on)}
        return replace(self, names={**self.names, **held}) if held else self


def name_on(
    names: Mapping[str, str],
    former: Iterable[FormerName],
    language: str,
    on: date | None,
    otherwise: Sequence[str] = ("fr",),
) -> str:
    """The name in ``language`` that is valid on a day, else in one of the others, else ``""``.

    Args:
        names: by BCP 47 tag, as they are now.
        former: names with the days they held; with ``on``, one that held that day goes before.
        language: BCP 47 tag.
        on: the day; ``None``: the names as they are now.
        otherwise: tags to try where ``language`` has no name.
    """
    held = {one.language: one.name for one in former if on is not None and one.held(on)}
    for tag in (language, *otherwise):
        if held.get(tag) or names.get(tag):
            return held.get(tag) or names[tag]
    return ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import did.

    Attributes:
        added: slugs that are new.
        changed: by slug, the columns that became different.
    """

    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]


def store(
    connection: Connection,
    register: Sequence[Administration],
    progress: Callable[[int], object] = lambda _rows: None,
) -> Stored:
    """Add or change administrations; none is ever deleted.

    Args:
        connection: in a transaction.
        register: what is to be on record.
        progress: told after each statement how many rows more are done.

    Returns:
        what was added and what changed.
    """
    known = {row.slug: row for row in connection.execute(select(administrations))}
    new: list[dict[str, Any]] = []
    different: list[dict[str, Any]] = []
    changed: dict[str, tuple[str, ...]] = {}
    for administration in register:
        values = _values(administration)
        row = known.get(administration.slug)
        if row is None:
            new.append({"slug": administration.slug, **values})
            continue
        columns = tuple(name for name, value in values.items() if getattr(row, name) != value)
        if columns:
            different.append({"known_slug": administration.slug, **values})
            changed[administration.slug] = columns
    progress(len(register) - len(new) - len(different))
    update = administrations.update().where(administrations.c.slug == bindparam("known_slug"))
    for statement, rows in ((administrations.insert(), new), (update, different)):
        for start in range(0, len(rows), _TOGETHER):
            together = rows[start : start + _TOGETHER]
            connection.execute(statement, together)
            progress(len(together))
    return Stored(tuple(row["slug"] for row in new), changed)


def load_all(connection: Connection) -> dict[str, Administration]:
    """Every active administration by its slug."""
    rows = connection.execute(select(administrations).where(administrations.c.active))
    return {row.slug: _of(row) for row in rows}


def load_some(connection: Connection, slugs: Iterable[str], on: date) -> dict[str, Administration]:
    """The active administrations of these slugs, each under the names it bears on a day.

    What a batch needs, however long the register is.
    """
    wanted = set(slugs)
    if not wanted:
        return {}
    rows = connection.execute(
        select(administrations).where(administrations.c.active, administrations.c.slug.in_(wanted))
    )
    return {row.slug: _of(row).named_on(on) for row in rows}


def is_empty(connection: Connection) -> bool:
    """Whether no active administration is on record."""
    active = select(administrations.c.slug).where(administrations.c.active).limit(1)
    return connection.execute(active).first() is None


def former_names(stored: Iterable[Mapping[str, str]]) -> tuple[FormerName, ...]:
    """Dated names as the database holds them."""
    return tuple(
        FormerName(
            one["language"],
            one["name"],
            date.fromisoformat(one["until"]),
            date.fromisoformat(one["since"]) if one.get("since") else None,
        )
        for one in stored
    )


def _values(administration: Administration) -> dict[str, Any]:
    return {
        "names": dict(administration.names),
        "kind": administration.kind,
        "parent": administration.parent,
        "competence": {k: list(v) for k, v in (administration.competence or {}).items()},
        "outlet": str(administration.outlet),
        "email": administration.email,
        "webhook_url": administration.webhook_url,
        "names_former": [
            {
                "language": one.language,
                "name": one.name,
                "since": one.since.isoformat() if one.since else "",
                "until": one.until.isoformat(),
            }
            for one in administration.names_former
        ],
        "matters": list(administration.matters),
        "places": list(administration.places),
        "calendar": administration.calendar,
        "phone": administration.contacts.phone,
        "website": administration.contacts.website,
        "address": administration.contacts.address,
        "active": True,
    }


def _of(row: Row[Any]) -> Administration:
    return Administration(
        row.slug,
        row.names,
        row.kind,
        row.parent,
        row.competence,
        OutletName(row.outlet),
        row.email,
        row.webhook_url,
        former_names(row.names_former),
        tuple(row.matters),
        tuple(row.places),
        row.calendar,
        Contacts(row.phone, row.website, row.address),
    )
