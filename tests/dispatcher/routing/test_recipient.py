# SPDX-License-Identifier: MIT
"""Who is responsible at a place: the matter by content, the body by place, with reasons."""

from pathlib import Path

import pytest

from dispatcher.administration import Administration
from dispatcher.administration_csv import read_csv
from dispatcher.routing.gazetteer import read_places
from dispatcher.routing.places import Places
from dispatcher.routing.recipient import Recipient, Recipients

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load(read_places(CONFIG / "places.csv"))


@pytest.fixture(scope="module")
def shipped(places) -> Recipients:
    """The register as it is shipped: basin agencies are bound to places, nothing else is."""
    return Recipients({one.slug: one for one in read_csv(CONFIG / "administrations.csv")}, places)


@pytest.fixture(scope="module")
def local(places) -> Recipients:
    """A register with two communes, a quarter's annex and an academy of a region."""
    rows = [
        Administration("commune", {"fr": "Commune"}),
        Administration("etat-civil", {"fr": "État civil"}),
        Administration("cnss", {"fr": "Caisse"}),
        Administration(
            "commune-casablanca",
            {"fr": "Commune de Casablanca"},
            matters=("commune", "etat-civil"),
            places=("casablanca",),
        ),
        Administration(
            "annexe-maarif",
            {"fr": "Annexe du Maârif"},
            matters=("etat-civil",),
            places=("maarif", "anfa"),
        ),
        Administration("commune-fes", {"fr": "Fès"}, matters=("commune",), places=("fes",)),
        Administration("aref-fes", {"fr": "Académie"}, matters=("aref",), places=("fes-meknes",)),
        Administration("aref", {"fr": "Académies"}),
    ]
    return Recipients({one.slug: one for one in rows}, places)


@pytest.mark.parametrize(
    ("text", "slug", "reason"),
    [
        ("forage refusé à Kénitra", "abh-sebou", "“Kénitra” lies in the Sebou basin"),
        ("crue de l'oued Sebou", "abh-sebou", "“Sebou” lies in the Sebou basin"),
        ("puits à sec à Taroudant", "abh-souss-massa", "“Taroudant” lies in the Souss-Massa basin"),
        ("nappe du Souss épuisée", "abh-souss-massa", "“Souss” is named"),
        ("بئر بدون رخصة بمراكش", "abh-tensift", "“بمراكش” lies in the Tensift basin"),
        ("bir f wejda", "abh-moulouya", "“wejda” lies in the Moulouya basin"),
        ("رمال واد أم الربيع", "abh-oum-errabia", "“أم الربيع” lies in the Oum Er-Rbia basin"),
        ("puits à Tétouan", "abh-loukkos", "“Tétouan” lies in the Loukkos basin"),
        (
            "forage à Berrechid",
            "abh-bouregreg",
            "“Berrechid” lies in the Bouregreg et Chaouia basin",
        ),
    ],
)
def test_whichever_basin_agency_the_content_chose_the_place_names_the_right_one(
    places, shipped, text, slug, reason
):
    found = places.named_in(text)

    for chosen in ("abh-sebou", "abh-tensift"):
        told = shipped.of(chosen, found)
        assert (told.slug, told.confirmed) == (slug, True)
        assert told.reason.replace("is named", "lies in the Souss-Massa basin") in (
            reason,
            reason.replace("is named", "lies in the Souss-Massa basin"),
        )


def test_a_basin_agency_without_a_place_or_outside_its_basins_is_for_a_person(places, shipped):
    assert shipped.of("abh-sebou", ()) == Recipient("abh-sebou", None, confirmed=False)
    outside = shipped.of("abh-sebou", places.named_in("puits à Dakhla"))
    assert outside == Recipient("abh-sebou", "“Dakhla” lies outside its places", confirmed=False)


def test_places_that_lead_to_different_ones_are_for_a_person(places, shipped):
    found = places.named_in("je vis à Fès, le puits est à Agadir")

    told = shipped.of("abh-souss-massa", found)

    assert (told.slug, told.confirmed) == ("abh-souss-massa", False)
    assert told.reason == "“Fès” and “Agadir” have different ones"
    # Two towns of one basin are no contradiction.
    assert shipped.of("abh-sebou", places.named_in("de Fès à Meknès")).confirmed


def test_the_field_of_a_form_outweighs_a_place_in_passing(places, local):
    found = places.named_in("comme à Fès", location="Casablanca")

    assert local.of("commune", found) == Recipient(
        "commune-casablanca", "“Casablanca” is named", confirmed=True
    )


def test_a_commune_is_chosen_by_matter_and_place(places, local):
    for text in ("à Casablanca", "f casa", "في الدار البيضاء"):
        assert local.of("commune", places.named_in(text)).slug == "commune-casablanca"
        assert local.of("etat-civil", places.named_in(text)).slug == "commune-casablanca"
    quarter = places.named_in("éclairage à Sidi Moumen")
    assert local.of("commune", quarter) == Recipient(
        "commune-casablanca", "“Sidi Moumen” lies in Casablanca", confirmed=True
    )


def test_the_most_local_body_goes_before_the_town(places, local):
    at_maarif = places.named_in("acte de naissance au Maârif")

    assert local.of("etat-civil", at_maarif).slug == "annexe-maarif"
    assert local.of("commune", at_maarif).slug == "commune-casablanca"


def test_a_body_of_a_region_serves_the_towns_in_it(places, local):
    assert local.of("aref", places.named_in("école à Taza")) == Recipient(
        "aref-fes", "“Taza” lies in Fès-Meknès", confirmed=True
    )


def test_where_the_register_has_no_row_the_general_one_stands(places, local):
    assert local.of("commune", places.named_in("à Tanger")) == Recipient(
        "commune", None, confirmed=True
    )
    assert local.of("commune", ()) == Recipient("commune", None, confirmed=False)
    assert local.of("etat-civil", places.named_in("à Fès")) == Recipient(
        "etat-civil", None, confirmed=True
    )


def test_a_body_of_the_whole_country_needs_no_place(places, local):
    expected = Recipient("cnss", None, confirmed=True)
    assert local.of("cnss", ()) == local.of("cnss", places.named_in("à Fès")) == expected
    assert local.of("nobody", ()) == Recipient("nobody", None, confirmed=False)
