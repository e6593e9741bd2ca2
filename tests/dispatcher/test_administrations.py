# SPDX-License-Identifier: MIT
"""The register of recipients on both databases: imported as often as wanted, named by the day."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select

from dispatcher.administration import (
    Administration,
    Contacts,
    FormerName,
    OutletName,
    Stored,
    is_empty,
    load_all,
    load_some,
    store,
)
from dispatcher.administration_csv import read_csv
from dispatcher.routing.gazetteer import Place, PlaceKind
from dispatcher.routing.places import Places
from dispatcher.routing.recipient import Recipient, Recipients
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import administrations

SHIPPED = Path(__file__).parents[2] / "config/administrations.csv"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty register on either database."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


# --- Importing ------------------------------------------------------------------------------------


def test_an_import_twice_adds_nothing_and_changes_nothing(engine):
    register = read_csv(SHIPPED)

    with engine.begin() as connection:
        assert len(store(connection, register).added) == 100
    with engine.begin() as connection:
        before = load_all(connection)
        assert store(connection, register) == Stored((), {})
        assert load_all(connection) == before == {one.slug: one for one in register}


def test_an_import_changes_what_differs_and_keeps_every_slug(engine):
    """What the second file leaves out stays: cases on record name it."""
    water, power = Administration("water", {"fr": "Eau"}), Administration("power", {"fr": "Watt"})
    renamed = replace(water, names={"fr": "Office de l'eau"}, outlet=OutletName.BLACKHOLE)
    with engine.begin() as connection:
        store(connection, [water, power])

    with engine.begin() as connection:
        done = store(connection, [renamed, Administration("roads", {"fr": "Routes"})])
    assert done == Stored(("roads",), {"water": ("names", "outlet")})

    with engine.begin() as connection:
        register = load_all(connection)
    assert sorted(register) == ["power", "roads", "water"]
    assert (register["water"].name("fr"), register["water"].outlet) == (
        "Office de l'eau",
        "blackhole",
    )
    assert register["power"].name("fr") == "Watt"


def test_an_import_brings_back_what_was_put_aside(engine):
    water = Administration("water", {"fr": "Eau"})
    with engine.begin() as connection:
        store(connection, [water])
        connection.execute(administrations.update().values(active=False))
        assert load_all(connection) == {}

    with engine.begin() as connection:
        assert store(connection, [water]) == Stored((), {"water": ("active",)})

    with engine.begin() as connection:
        assert list(load_all(connection)) == ["water"]
        assert connection.scalar(select(func.count()).select_from(administrations)) == 1


# --- Names and their days -------------------------------------------------------------------------

RENAMED = Administration(
    "digital",
    {"fr": "Ministère du Numérique", "ar": "وزارة الرقمنة"},
    competence={},
    names_former=(
        FormerName("fr", "Secrétariat au Numérique", date(2021, 10, 6)),
        FormerName("fr", "Ministère délégué", date(2024, 10, 23), date(2021, 10, 7)),
    ),
    matters=("numerique",),
    places=("nord",),
    calendar="nord",
    contacts=Contacts("3737", "https://digital.example", "1, rue du Puits"),
)


@pytest.mark.parametrize(
    ("on", "french", "arabic"),
    [
        (date(2021, 10, 6), "Secrétariat au Numérique", "وزارة الرقمنة"),
        (date(2021, 10, 7), "Ministère délégué", "وزارة الرقمنة"),
        (date(2024, 10, 23), "Ministère délégué", "وزارة الرقمنة"),
        (date(2024, 10, 24), "Ministère du Numérique", "وزارة الرقمنة"),
        (None, "Ministère du Numérique", "وزارة الرقمنة"),
    ],
)
def test_the_name_is_the_one_valid_on_the_day(on, french, arabic):
    assert RENAMED.name("fr", on) == french
    assert RENAMED.name("ar", on) == arabic
    assert RENAMED.name("en", on) == french
    if on is not None:
        assert RENAMED.named_on(on).name("fr") == french


def test_what_is_stored_is_loaded_whole_and_for_a_batch_under_the_names_of_the_day(engine):
    with engine.begin() as connection:
        assert is_empty(connection)
        store(connection, [RENAMED, Administration("water", {"fr": "Eau"})])

    with engine.connect() as connection:
        assert not is_empty(connection)
        assert load_all(connection)["digital"] == RENAMED
        some = load_some(connection, ["digital", "nobody"], date(2022, 1, 1))
        assert load_some(connection, [], date(2022, 1, 1)) == {}
    assert list(some) == ["digital"]
    assert some["digital"].name("fr") == "Ministère délégué"
    assert some["digital"].places == ("nord",)


# --- A whole country ------------------------------------------------------------------------------

COMMUNES, DEPARTMENTS, BODIES = 1590, 38, 116


@pytest.fixture
def country(tmp_path: Path) -> tuple[Path, Places]:
    """A generated register of a country's size: departments, bodies, communes each at its place."""
    file = tmp_path / "country.csv"
    rows = [("commune", "Commune (sans lieu)", "", "", "")]
    rows += [(f"department-{n}", f"Département {n}", "", "", "") for n in range(DEPARTMENTS)]
    rows += [(f"body-{n}", f"Organisme {n}", f"department-{n % 38}", "", "") for n in range(BODIES)]
    rows += [
        (f"commune-{n}", f"Commune de Ville{n}", "commune", "commune;etat-civil", f"town-{n}")
        for n in range(COMMUNES)
    ]
    rows += [(f"annex-{n}", f"Annexe {n}", f"commune-{n}", "", "") for n in range(255)]
    rows.append(("etat-civil", "État civil (sans lieu)", "commune", "", ""))
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("slug", "name_fr", "parent", "matter", "place"))
        writer.writerows(rows)
    towns = [
        Place(f"town-{n}", PlaceKind.COMMUNE, {"fr": f"Ville{_letters(n)}"})
        for n in range(COMMUNES)
    ]
    return file, Places.load(towns)


def _letters(number: int) -> str:
    """A number as letters that no spelling levels: each a syllable of its own."""
    return "".join(
        ("ban", "dar", "fil", "gom", "jun", "kar", "lim", "mut", "nod", "rab")[int(d)]
        for d in f"{number:04d}"
    )


def test_a_register_of_two_thousand_rows_is_imported_and_a_commune_chosen_by_matter_and_place(
    engine, country
):
    file, places = country
    register = read_csv(file, frozenset(places))
    assert len(register) == 2001
    told: list[int] = []
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_connection, _cursor, statement, *_):
        statements.append(statement)

    with engine.begin() as connection:
        done = store(connection, register, told.append)
    imported = len(statements)
    with engine.connect() as connection:
        loaded = load_all(connection)

    assert (len(done.added), sum(told), len(loaded)) == (2001, 2001, 2001)
    assert imported <= 60  # by hundreds, not one by one
    recipients = Recipients(loaded, places)
    text = f"Pas d'éclairage à Ville{_letters(1234)} depuis un mois"
    found = places.named_in(text)
    assert [one.id for one in found] == ["town-1234"]
    reason = f"“Ville{_letters(1234)}” is named"
    for slug in ("commune", "etat-civil"):
        assert recipients.of(slug, found) == Recipient("commune-1234", reason, confirmed=True)
    assert recipients.of("commune", ()) == Recipient("commune", None, confirmed=False)
