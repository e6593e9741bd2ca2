# SPDX-License-Identifier: MIT
"""The register as a CSV: every column read, every error told by its row in plain words."""

from datetime import date
from pathlib import Path

import pytest

from dispatcher.administration import Administration, Contacts, FormerName, OutletName
from dispatcher.administration_csv import BadRegister, read_csv, unread_columns
from dispatcher.routing.gazetteer import read_places

CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = CONFIG / "administrations.csv"


@pytest.fixture
def csv_file(tmp_path: Path):
    """Write a CSV of these lines and return its path."""

    def write(*lines: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / "administrations.csv"
        file.write_bytes("\n".join(lines).encode(encoding))
        return file

    return write


def errors_of(file: Path, places: frozenset[str] | None = None) -> tuple[str, ...]:
    with pytest.raises(BadRegister) as caught:
        read_csv(file, places)
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


# --- Names with their days, place, calendar, contacts --------------------------------------------


def test_names_place_calendar_and_contacts_are_read(csv_file):
    file = csv_file(
        "slug,name_fr,name_ka,names_former,matter,place,calendar,phone,website,address",
        'eau,Eau,წყალი,"../2021-10-06 fr: Régie : eau; 2021-10-07/2024-10-23 fr: Office;'
        '../2024-10-23 ka: ძველი",eau; forage,nord; sud,mines,+990 22 33 44; 3737,'
        'https://eau.example/contact,"1, rue du Puits"',
    )

    (found,) = read_csv(file, frozenset({"nord", "sud"}))

    assert found.names == {"fr": "Eau", "ka": "წყალი"}
    assert found.names_former == (
        FormerName("fr", "Régie : eau", date(2021, 10, 6)),
        FormerName("fr", "Office", date(2024, 10, 23), date(2021, 10, 7)),
        FormerName("ka", "ძველი", date(2024, 10, 23)),
    )
    assert (found.matters, found.places) == (("eau", "forage"), ("nord", "sud"))
    assert found.calendar == "mines"
    assert found.contacts == Contacts(
        "+990 22 33 44; 3737", "https://eau.example/contact", "1, rue du Puits"
    )


LINKS = (
    "slug,name_fr,parent,names_former,matter,place,calendar,phone,website,outlet,email,webhook_url"
)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("b,B,,,,,,,,webhook,,", "outlet webhook needs a webhook_url"),
        ("b,B,,,,,,,,open311,,", "outlet open311 needs a webhook_url"),
        ("b,B,,,,,,,,mail,no address,", "“no address” is no email address"),
        ("b,B,,,,,,,,,a@b,", "“a@b” is no email address"),
        ("b,B,,,,,,,,,a@exämple.org,", "“a@exämple.org” is no email address"),
        ("b,B,,,,,,,,webhook,,http://b.example/", "webhook_url “http://b.example/” is no address"),
        ("b,B,,,,,,,https://,,,", "website “https://” is no address that begins with https://"),
        ("b,B,,,,,,,https://u:p@b.example,,,", "website “https://u:p@b.example” is no address"),
        ("b,B,,,,,,call us,,,,", "“call us” is no telephone number"),
        ("b,B,,,,mars,,,,,,", "place mars is not in the gazetteer"),
        ("b,B,,,,Le Nord,,,,,,", "place “Le Nord” is not made of a-z, 0-9 and hyphens"),
        ("b,B,,,Eau potable,,,,,,,", "matter “Eau potable” is not made of a-z, 0-9 and hyphens"),
        ("b,B,,,,,Jours ouvrés,,,,,", "calendar “Jours ouvrés” is not made of"),
        ("b,B,,,puits,nord,,,,,,", "puits at nord is the matter of a already (row 2)"),
        ("b,B,b,,,,,,,,,", "its parents go round in a circle (b → b)"),
        (f"b,{'B' * 301},,,,,,,,,,", "name_fr has more than 300 characters"),
        (f"b,B,,,,,,{'1' * 201},,,,", "phone has more than 200 characters"),
        ("b,B,,2024 fr: A,,,,,,,,", "names_former: “2024 fr: A” is not written as"),
        ("b,B,,2024-02-30/2024-03-01 fr: A,,,,,,,,", "names_former: 2024-02-30 is no day"),
        (
            "b,B,,2024-03-02/2024-03-01 fr: A,,,,,,,,",
            "names_former: “A” begins on 2024-03-02, after",
        ),
        (
            "b,B,,../2024-03-01 fr: A; 2024-03-01/2025-01-01 fr: C,,,,,,,,",
            "names_former: “A” and “C” (fr) held both on 2024-03-01",
        ),
    ],
)
def test_an_error_of_the_further_columns_is_told_by_its_row(csv_file, row, told):
    file = csv_file(LINKS, "a,A,,,puits,nord,,,,,,", row)

    error = errors_of(file, frozenset({"nord"}))[0]

    assert error.startswith(f"row 3: {told}")


def test_every_fault_of_a_row_is_told_and_a_circle_once(csv_file):
    file = csv_file(
        LINKS, "a,A,c,,,,,,,,,", "b,B,a,,,,,,,,,", "c,C,b,,,,,,,,,", "d,D,,,,,,x,y,fax,z,"
    )

    errors = errors_of(file)

    assert errors == (
        "row 2: its parents go round in a circle (a → c → b → a)",
        "row 5: outlet fax is none of desk, mail, webhook, open311, blackhole",
        "row 5: website “y” is no address that begins with https://",
        "row 5: “x” is no telephone number",
        "row 5: “z” is no email address",
    )


def test_names_of_two_languages_and_one_after_another_may_stand(csv_file):
    file = csv_file(
        "slug,name_fr,names_former",
        "a,A,../2024-03-01 fr: B; 2024-03-02/2025-01-01 fr: C; ../2024-06-01 ar: د",
    )

    assert len(read_csv(file)[0].names_former) == 3


def test_a_column_that_nothing_reads_is_named(csv_file):
    file = csv_file("slug,name_fr,competence_ary_latn,telephone", "eau,Eau,lma,0537")

    assert unread_columns(file) == ["telephone"]
    assert (read_csv(file)[0].competence or {})["ary-Latn"] == ["lma"]


def test_the_shipped_register_fits_the_shipped_gazetteer():
    places = {place.id: place for place in read_places(CONFIG / "places.csv")}
    register = read_csv(SHIPPED, places)

    basins = [one for one in register if one.slug.startswith("abh-")]
    assert [one.matters for one in basins] == [("bassin-hydraulique",)] * 7
    assert {places[one.places[0]].kind for one in basins} == {"basin"}


def test_the_shipped_register_has_a_name_in_every_language_of_the_pages():
    register = read_csv(SHIPPED)

    assert len(register) == 100
    assert [one.slug for one in register if not {"fr", "ar", "en"} <= one.names.keys()] == []
