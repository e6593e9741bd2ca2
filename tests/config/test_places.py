# SPDX-License-Identifier: MIT
"""Places belong to the country's profile: an invented country has its own, or none."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config import country
from dispatcher.administration import Administration
from dispatcher.routing.gazetteer import BadPlaces
from dispatcher.routing.recipient import Recipient, Recipients
from gateway.routing import places_of

PROFILE = """
region = "XA"
calling_code = "990"
timezone = "Pacific/Kiritimati"
default_language = "ka"
languages = ["ka", "fr"]
forward_days = 4
answer_days = 21
emergency_numbers = ["555"]
example_mobile = "+990700000001"
{more}
[next_recourse]
ka = "ომბუდსმენი"
"""
PLACES = """id,kind,parent,name_fr,name_ka,latitude,longitude
north,region,,Nord,ჩრდილოეთი,,
port,commune,north,Le Port,ფოთი,10.0,20.0
"""


@pytest.fixture
def profile(tmp_path: Path):
    """Write a profile with these further lines, and load it."""

    def write(more: str = "", places: str = PLACES) -> country.Country:
        (tmp_path / "xa.toml").write_text(PROFILE.format(more=more), encoding="utf-8")
        (tmp_path / "places-xa.csv").write_text(places, encoding="utf-8")
        return country.load("xa", tmp_path)

    return write


def test_the_file_stands_beside_the_profile(profile, tmp_path):
    land = profile('places = "places-xa.csv"')
    places = places_of(land)
    register = {
        "water": Administration("water", {"ka": "წყალი"}),
        "water-port": Administration(
            "water-port", {"ka": "ფოთის წყალი"}, matters=("water",), places=("port",)
        ),
    }

    assert land.places == tmp_path / "places-xa.csv"
    for text, location in (("წყალი არ მოდის, ფოთი", ""), ("წყალი", "10.0500, 20.0500")):
        found = places.named_in(text, location)
        told = Recipients(register, places).of("water", found)
        assert (told.slug, told.confirmed) == ("water-port", True)


def test_how_far_a_pin_may_be_stands_in_the_profile(profile):
    pin = "10.5000, 20.0000"

    assert places_of(profile('places = "places-xa.csv"')).named_in("", pin) == ()
    wide = profile('places = "places-xa.csv"\nplace_within_km = 80')
    assert [one.id for one in places_of(wide).named_in("", pin)] == ["port"]
    with pytest.raises(ValidationError, match="place_within_km"):
        profile("place_within_km = 0")


def test_a_country_without_a_gazetteer_has_no_places_and_still_routes(profile):
    places = places_of(profile())
    water = Administration("water", {"ka": "წყალი"})

    assert len(places) == 0
    assert places.named_in("Casablanca", "33.57, -7.59") == ()
    assert Recipients({"water": water}, places).of("water", ()) == Recipient(
        "water", None, confirmed=True
    )


def test_a_wrong_file_is_told_by_row_and_a_missing_one_by_its_name(profile):
    with pytest.raises(BadPlaces, match="row 2: kind village is none of"):
        places_of(profile('places = "places-xa.csv"', PLACES.replace("region", "village")))
    with pytest.raises(OSError, match="nowhere"):
        places_of(profile('places = "nowhere.csv"'))


def test_the_shipped_profile_has_its_gazetteer():
    assert "casablanca" in places_of(country.load("ma"))
