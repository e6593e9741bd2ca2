# SPDX-License-Identifier: MIT
"""The register of recipients: a CSV whose errors are told by row, imported as often as wanted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from dispatcher.administration import (
    Administration,
    BadRegister,
    OutletName,
    load_all,
    read_csv,
    store,
)
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import administrations

SHIPPED = Path(__file__).parents[2] / "config/administrations.csv"


@pytest.fixture
def csv_file(tmp_path: Path):
    """Write a CSV of these lines and return its path."""

    def write(*lines: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / "administrations.csv"
        file.write_bytes("\n".join(lines).encode(encoding))
        return file

    return write


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty register on either database."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def errors_of(file: Path) -> tuple[str, ...]:
    with pytest.raises(BadRegister) as caught:
        read_csv(file)
    return tuple(caught.value.errors)


# --- Reading --------------------------------------------------------------------------------------


def test_only_slug_and_name_fr_are_needed(csv_file):
    (found,) = read_csv(csv_file("slug,name_fr", "eau,Office de l'eau"))

    assert found == Administration(
        "eau",
        {"fr": "Office de l'eau"},
        competence={"fr": [], "ar": [], "ary-Latn": []},
        outlet=OutletName.DESK,
    )
    assert found.name("ar") == found.name("fr") == "Office de l'eau"


def test_every_column_is_read(csv_file):
    header = (
        "slug,name_fr,name_ar,name_en,kind,parent,competence_fr,competence_ar,competence_ary_latn,"
        "outlet,email,webhook_url"
    )
    file = csv_file(
        header,
        "min,Ministère,,,,,,,,,,",
        'eau,"Office, eau",الماء,Water,agence,min,eau; robinet ;,الماء,lma,mail,eau@example.org,',
    )

    found = read_csv(file)[1]

    assert found == Administration(
        "eau",
        {"fr": "Office, eau", "ar": "الماء", "en": "Water"},
        kind="agence",
        parent="min",
        competence={"fr": ["eau", "robinet"], "ar": ["الماء"], "ary-Latn": ["lma"]},
        outlet=OutletName.MAIL,
        email="eau@example.org",
    )


def test_an_unknown_column_is_passed_over(csv_file):
    (found,) = read_csv(csv_file("slug,telephone,name_fr", "eau,0537,Eau"))

    assert found.names == {"fr": "Eau"}


def test_the_mark_that_spreadsheets_put_first_is_no_part_of_a_name(csv_file):
    assert len(read_csv(csv_file("slug,name_fr", "eau,Eau", encoding="utf-8-sig"))) == 1


def test_a_parent_may_stand_below_its_child(csv_file):
    file = csv_file("slug,name_fr,parent", "child,Enfant,parent", "parent,Parent,")

    assert [one.parent for one in read_csv(file)] == ["parent", None]


HEADER = "slug,name_fr,outlet,email,parent,kind"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",Sans slug,,,,", "row 3: slug and name_fr are required"),
        ("sans-nom,,,,,", "row 3: slug and name_fr are required"),
        ("eau,Encore,,,,", "row 3: the slug eau stands twice (row 2)"),
        ("a b,Espace,,,,", "row 3: the slug “a b” has a space or more than 64 characters"),
        ("fax,Fax,fax,,,", "row 3: outlet fax is none of desk, mail, webhook, open311, blackhole"),
        ("courriel,Courriel,mail,,,", "row 3: outlet mail needs an email"),
        ("enfant,Enfant,,,personne,", "row 3: parent personne is unknown"),
        ("v,Office, de l'eau,,,,", "row 3: more cells than columns"),
        (f"k,Sorte,,,,{'k' * 33}", "row 3: kind has more than 32 characters"),
        ('q,"Guillemets,,,,', "row 3: unexpected end of data"),
    ],
)
def test_an_error_is_told_by_its_row(csv_file, row, told):
    (error,) = errors_of(csv_file(HEADER, "eau,Eau,,,,", row))

    assert error.startswith(told)


def test_all_errors_are_told_at_once_and_a_parent_in_a_wrong_row_is_no_second_one(csv_file):
    file = csv_file(HEADER, "eau,Eau,fax,,,", ",,,,,", "fils,Fils,,,eau,", "bien,Bien,desk,,,")

    assert [error.partition(":")[0] for error in errors_of(file)] == ["row 2", "row 3"]


@pytest.mark.parametrize("lines", [(), ("slug;name_fr", "eau;Eau"), ("eau,Eau",), ("slug", "eau")])
def test_a_file_without_the_two_columns_is_told_by_its_first_row(csv_file, lines):
    (error,) = errors_of(csv_file(*lines))

    assert error.startswith("row 1: no column name_fr")


def test_another_encoding_is_told(csv_file):
    file = csv_file("slug,name_fr", "sante,Santé", encoding="cp1252")

    assert "UTF-8" in errors_of(file)[0]


def test_the_shipped_register_has_a_name_in_every_language_of_the_pages():
    register = read_csv(SHIPPED)

    assert len(register) == 100
    assert [one.slug for one in register if not {"fr", "ar", "en"} <= one.names.keys()] == []


# --- Importing ------------------------------------------------------------------------------------


def test_an_import_twice_adds_nothing_and_changes_nothing(engine):
    register = read_csv(SHIPPED)

    with engine.begin() as connection:
        assert store(connection, register) == (100, 0)
    with engine.begin() as connection:
        before = load_all(connection)
        assert store(connection, register) == (0, 0)
        assert load_all(connection) == before == {one.slug: one for one in register}


def test_an_import_changes_what_differs_and_keeps_every_slug(engine):
    """What the second file leaves out stays: cases on record name it."""
    water, power = Administration("water", {"fr": "Eau"}), Administration("power", {"fr": "Watt"})
    renamed = replace(water, names={"fr": "Office de l'eau"}, outlet=OutletName.BLACKHOLE)
    with engine.begin() as connection:
        store(connection, [water, power])

    with engine.begin() as connection:
        assert store(connection, [renamed, Administration("roads", {"fr": "Routes"})]) == (1, 1)

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
        assert store(connection, [water]) == (0, 1)

    with engine.begin() as connection:
        assert list(load_all(connection)) == ["water"]
        assert connection.scalar(select(func.count()).select_from(administrations)) == 1
