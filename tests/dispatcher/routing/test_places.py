# SPDX-License-Identifier: MIT
"""Places in texts: every script and spelling, and the words that only look like places."""

from pathlib import Path

import pytest

from dispatcher.routing.gazetteer import Place, PlaceKind, read_places
from dispatcher.routing.places import Places

SHIPPED = Path(__file__).parents[3] / "config/places.csv"


@pytest.fixture(scope="module")
def morocco() -> Places:
    """The shipped gazetteer."""
    return Places.load(read_places(SHIPPED))


def ids(places: Places, text: str, location: str = "") -> list[str]:
    return [one.id for one in places.named_in(text, location)]


# --- Spellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Les ordures débordent à Casablanca", "casablanca"),
        ("makaynch lma f casa hadi simana", "casablanca"),
        ("zbel f dar lbida", "casablanca"),
        ("الأزبال في الدار البيضاء", "casablanca"),
        ("الزبل فالدار البيضا", "casablanca"),
        ("الزبل فكازا عامر", "casablanca"),
        ("ⴰⵎⴰⵏ ⴳ ⴽⴰⵣⴰ", "casablanca"),
        ("no water in Fez since Monday", "fes"),
        ("coupure a fes", "fes"),
        ("انقطاع الماء بفاس", "fes"),
        ("ضو طافي وبفاس كاملة", "fes"),
        ("f merrakech trottoir mherres", "marrakech"),
        ("f mrakch", "marrakech"),
        ("انقطاع الضو فمراكش", "marrakech"),
        ("tanja", "tanger"),
        ("the street lights in Tangier", "tanger"),
        ("f l9nitra", "kenitra"),
        ("قنطرة القنيطرة مهرسة", "kenitra"),
        ("la commune rurale de Ait Ourir", "ait-ourir"),
        ("جماعة أيت أورير", "ait-ourir"),
        ("بني ملال", "beni-mellal"),
        ("benimellal", "beni-mellal"),
        ("Béni-Mellal", "beni-mellal"),
        ("f l3youn makaynch lma", "laayoune"),
        ("مدينة العيون", "laayoune"),
        ("الماء بأكادير", "agadir"),
        ("الماء بأڭادير", "agadir"),
        ("سِيدِي قَاسِم", "sidi-kacem"),
        ("الرّباط", "rabat"),
        ("région de Souss-Massa", "souss-massa"),
        ("province de Berkane", "province-berkane"),
        ("إقليم بركان", "province-berkane"),
        ("crue de l'oued N'Fis", "oued-nfis"),
        ("فيضان واد سوس", "oued-souss"),
        ("فيضان وادي إيناون", "oued-inaouene"),
        ("nappe du Saïss", "bassin-sebou"),
    ],
)
def test_a_place_is_found_in_its_spellings(morocco, text, place):
    assert ids(morocco, text) == [place]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("à Khouribgua", "khouribga"),
        ("à Essaouria", "essaouira"),
        ("à Mohammeddia", "mohammedia"),
        ("à Ouarzazatte", "ouarzazate"),
        ("ville de Marackech", "marrakech"),
        ("في مدينة الدار البيظاء", "casablanca"),
    ],
)
def test_a_misspelt_name_is_found_after_a_cue_and_less_surely(morocco, text, place):
    (found,) = morocco.named_in(text)
    (right,) = morocco.named_in(f"à {morocco.place(place).names['fr']}")

    assert found.id == place
    assert found.certainty <= right.certainty


# --- False alarms ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "c'est sale et ça pue",
        "la rue est sale, très sale",
        "safi baraka men lhdra",
        "بغيت نشري طوموبيل جديدة",
        "السيارة الجديدة لا تعمل",
        "المدينة الجديدة بلا ماء",
        "وجع في العيون",
        "طبيب العيون غائب",
        "وزارة الداخلية لا تجيب",
        "نقطة الولوج الداخلة في الصفقة",
        "vol à l'arraché devant la gare",
        "je ne sais pas quoi faire",
        "riad de la medina annulé",
        "ba9a 3ndi lfatora",
        "القنطرة مهرسة وخطيرة",
        "في مراكز الصحة لا يوجد طبيب",
        "il a disparu en Birmanie",
        "tata dyali mrida",
        "moquette mouillée au sous-sol",
        "Monsieur Ben Ahmed ne répond pas",
        "le robinet est en bas de la maison",
        "صلا الفجر",
        "",
        "…",
        "12345",
    ],
)
def test_a_word_that_only_looks_like_a_place_is_none(morocco, text):
    assert ids(morocco, text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("les ordures à Salé", "sale"),
        ("l'air est sale ; j'habite Salé", "sale"),
        ("Rabat, Salé et Témara", "sale"),
        ("f safi makayn ma", "safi"),
        ("انقطع الماء في الجديدة", "el-jadida"),
        ("ville de Berkane", "berkane"),
        ("الماء مقطوع في الداخلة", "dakhla"),
    ],
)
def test_with_a_cue_the_same_word_is_a_place(morocco, text, place):
    assert place in ids(morocco, text)


def test_a_street_called_after_a_town_tells_where_only_when_nothing_else_does(morocco):
    assert ids(morocco, "trou dans la rue de Fès à Casablanca") == ["casablanca"]
    assert ids(morocco, "حفرة في شارع فاس بطنجة") == ["tanger"]
    (alone,) = morocco.named_in("accident sur la route de Meknès")
    assert alone.id == "meknes"
    assert alone.certainty < 0.5


# --- One among several ----------------------------------------------------------------------------


def test_the_inner_place_stands_for_what_it_lies_in(morocco):
    assert ids(morocco, "Aïn Sebaâ, Casablanca, région de Casablanca-Settat") == ["ain-sebaa"]
    assert ids(morocco, "hay salam salé") == ["hay-salam"]


def test_of_two_places_of_one_name_the_one_goes_that_lies_in_what_else_is_named(morocco):
    assert ids(morocco, "Hay Mohammadi, Agadir") == ["hay-mohammadi-agadir"]
    both = morocco.named_in("poubelles à Hay Mohammadi")
    assert {one.id for one in both} == {"hay-mohammadi", "hay-mohammadi-agadir"}
    assert all(one.certainty < 0.6 for one in both)


def test_a_quarter_of_another_town_than_the_one_named_is_none(morocco):
    """Agdal is a quarter of Rabat in the gazetteer; Marrakech has one of the same name."""
    assert ids(morocco, "Agdal à Marrakech") == ["marrakech"]


def test_two_towns_are_both_told(morocco):
    assert set(ids(morocco, "de Taliouine à Taroudant")) == {"taliouine", "taroudant"}


def test_what_a_place_lies_in_goes_outwards_to_its_basin(morocco):
    assert morocco.lies_in("maarif") == (
        "maarif",
        "casablanca",
        "prefecture-casablanca",
        "casablanca-settat",
        "bassin-bouregreg",
    )
    assert morocco.lies_in("missour")[-1] == "bassin-moulouya"  # its own, not its province's
    assert morocco.lies_in("atlantis") == ()


# --- The form's field and the map pin -------------------------------------------------------------


def test_the_field_of_a_form_needs_no_cue_and_goes_before_the_text(morocco):
    (found,) = morocco.named_in("je paie mes impôts à Fès", location="sale")

    assert (found.id, found.words) == ("sale", "sale")
    assert found.certainty > 0.95
    assert ids(morocco, "à Fès", location="près du four") == ["fes"]
    assert ids(morocco, "", location="12, rue de Fès, Casablanca") == ["casablanca"]


@pytest.mark.parametrize(
    ("pin", "place"),
    [
        ("34.0209, -6.8416", "rabat"),
        ("Chez moi · Rue 5 · 33.571, -7.631", "maarif"),
        ("٣٣٫٨٩٥", None),
        ("31.62950, -7.98110", "marrakech"),
        ("48.8566, 2.3522", None),
        ("0.0, 0.0", None),
    ],
)
def test_a_map_pin_is_the_nearest_known_place(morocco, pin, place):
    assert ids(morocco, "", location=pin) == ([place] if place else [])


def test_how_far_a_pin_may_be_is_a_value_of_the_country():
    town = Place("town", PlaceKind.COMMUNE, {"fr": "Ville"}, degrees=(10.0, 20.0))
    pin = "10.4000, 20.0000"  # 44 km to the north

    assert ids(Places([town], within_km=30), "", pin) == []
    assert ids(Places([town], within_km=50), "", pin) == ["town"]


def test_another_countrys_script_is_read_as_well():
    """No kind, preposition or clitic of its languages is known: the bare names still are."""
    north = Place("north", PlaceKind.REGION, {"fr": "Nord", "ka": "ჩრდილოეთი"})
    port = Place("port", PlaceKind.COMMUNE, {"fr": "Le Port", "ka": "ფოთი"}, parent="north")

    assert ids(Places.load([north, port]), "წყალი არ მოდის, ფოთი, ჩრდილოეთი") == ["port"]
    assert ids(Places.load([]), "ფოთი") == []


def test_a_long_text_is_read_to_a_bound(morocco):
    assert ids(morocco, "mot " * 2000 + "à Casablanca") == []
    assert ids(morocco, "à Casablanca" + " mot" * 2000) == ["casablanca"]
