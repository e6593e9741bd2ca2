# SPDX-License-Identifier: MIT
"""The gazetteer as a CSV: each error by its row, and what the shipped one holds."""

from collections import Counter
from pathlib import Path

import pytest

from dispatcher.routing.gazetteer import BadPlaces, Place, PlaceKind, read_places
from dispatcher.routing.places import Places

SHIPPED = Path(__file__).parents[3] / "config/places.csv"
HEADER = (
    "id,kind,parent,name_fr,name_ka,spellings,needs_preposition,needs_kind,latitude,longitude,basin"
)
NORTH = "north,region,,Nord,,,,,,,"


@pytest.fixture
def csv_file(tmp_path: Path):
    """Write a CSV of these lines and return its path."""

    def write(*lines: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / "places.csv"
        file.write_bytes("\n".join(lines).encode(encoding))
        return file

    return write


def test_every_column_is_read(csv_file):
    row = "port,commune,north,Le Port,პორტი,Porto; Puerto,Porto,Puerto,1.5,-170.25,sea"
    file = csv_file(HEADER, NORTH, "sea,basin,,Mer,,,,,,,", row)

    assert read_places(file)[2] == Place(
        "port",
        PlaceKind.COMMUNE,
        {"fr": "Le Port", "ka": "პორტი"},
        "north",
        ("Porto", "Puerto"),
        ("Porto",),
        ("Puerto",),
        (1.5, -170.25),
        "sea",
    )


def test_three_columns_are_enough(csv_file):
    assert read_places(csv_file("id,kind,name_fr", "x,river,X")) == [
        Place("x", PlaceKind.RIVER, {"fr": "X"})
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("Le Port,commune,,Port,,,,,,,", "the id “Le Port” is not made of a-z, 0-9 and hyphens"),
        ("port,village,,Port,,,,,,,", "kind village is none of region, province, commune"),
        ("port,,,Port,,,,,,,", "kind (empty) is none of"),
        ("port,commune,,,,,,,,,", "name_fr is required"),
        ("north,commune,,Port,,,,,,,", "the id north stands twice (row 2)"),
        ("port,commune,,Port,,,,,1,,", "latitude and longitude stand together or not at all"),
        ("port,commune,,Port,,,,,91,0,", "latitude “91” is no number from -90 to 90"),
        ("port,commune,,Port,,,,,1,east,", "longitude “east” is no number from -180 to 180"),
        ("port,commune,,Port,,,,,nan,0,", "latitude “nan” is no number"),
        ("port,commune,,Port,,,Bort,,,,", "“Bort” needs a word before it, but is none of"),
        ("port,commune,south,Port,,,,,,,", "parent south is unknown"),
        ("port,commune,,Port,,,,,,,sea", "basin sea is unknown"),
        ("port,commune,,Port,,,,,,,north", "basin north is a region, no basin"),
        ("port,commune,port,Port,,,,,,,", "its parents go round in a circle (port → port)"),
        ("port,commune,,Port,,,,,,,,", "more cells than columns"),
        ('port,commune,,"Port', "unexpected end of data"),
    ],
)
def test_an_error_is_told_by_its_row(csv_file, row, told):
    with pytest.raises(BadPlaces) as caught:
        read_places(csv_file(HEADER, NORTH, row))

    assert caught.value.errors[0].startswith(f"row 3: {told}")


def test_a_file_without_its_columns_or_in_another_encoding_is_told(csv_file):
    with pytest.raises(BadPlaces, match="no column id, kind"):
        read_places(csv_file("slug,name_fr", "a,A"))
    with pytest.raises(BadPlaces, match="UTF-8"):
        read_places(csv_file("id,kind,name_fr", "a,commune,Salé", encoding="cp1252"))


def test_the_shipped_gazetteer_is_whole():
    rows = read_places(SHIPPED)
    places = Places.load(rows)
    kinds = Counter(str(row.kind) for row in rows)

    assert (kinds["region"], kinds["province"], kinds["basin"]) == (12, 75, 10)
    assert kinds["commune"] >= 300
    assert [row.id for row in rows if not row.names.get("ar")] == []
    # Every town and quarter lies in a province, every province in a region.
    regions = {row.id for row in rows if row.kind == "region"}
    inside = [row.id for row in rows if row.kind in ("province", "commune", "quarter")]
    assert [one for one in inside if not regions.intersection(places.lies_in(one))] == []


def test_the_shipped_degrees_are_those_of_the_country():
    pins = {row.id: row.degrees for row in read_places(SHIPPED) if row.degrees}

    assert len(pins) > 150
    assert {one: at for one, at in pins.items() if not 20 < at[0] < 36} == {}
    assert {one: at for one, at in pins.items() if not -18 < at[1] < -0.9} == {}


def test_every_shipped_name_is_found_by_itself_in_the_field_of_a_form():
    """A name that another place bears too may lead there; a name that leads nowhere is a fault."""
    rows = read_places(SHIPPED)
    places = Places.load(rows)

    lost = [
        (row.id, name)
        for row in rows
        for name in row.written
        if not places.named_in("", location=name)
    ]

    assert lost == []
