# SPDX-License-Identifier: MIT
"""Reasons are read in the desk's language, whatever the record keeps."""

import re
from zoneinfo import ZoneInfo

import pytest

from config.wording import Wording
from dispatcher.routing.decision import PERSON_REASONS
from gateway.desk.showing import Showing

NAMES = {"commune": "Commune", "chu": "Centre hospitalier"}
KEPT = {
    "“éclairage” is named": ("named", "éclairage"),
    "“rue”, “Salé” speak for it": ("weighed", "Salé"),
    "like “les lampes sont éteintes”": ("like", "les lampes sont éteintes"),
    "“Salé” lies in Rabat-Salé": ("lies_in", "Salé"),
    "“Midelt” lies in the Moulouya basin": ("basin", "Moulouya"),
    "“Oujda” lies outside its places": ("outside", "Oujda"),
    "“Salé” and “Fès” have different ones": ("different", "Fès"),
    "not clear enough between commune, chu": ("unclear", "Centre hospitalier"),
    "not sure enough of chu": ("unsure", "Centre hospitalier"),
    "which one depends on the place, and no place is clear": ("no_place", ""),
    "nothing known is named": ("nothing", ""),
    "no rule matches these words": ("nothing", ""),
    "a person decides on texts like this one": ("person", ""),
} | dict.fromkeys(PERSON_REASONS.values(), ("", ""))


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording()


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("kept", KEPT)
def test_every_reason_has_its_words(wording, language, kept):
    told = Showing(wording, language, "MA", ZoneInfo("Africa/Casablanca")).reason(kept, NAMES)
    key, said = KEPT[kept]

    assert said in told
    assert "{" not in told
    if language == "ar":
        assert re.search("[\u0600-\u06ff]", told)
    if language == "fr":
        assert told != kept
    if key:
        assert wording.has(language, f"desk.why.{key}")


def test_a_clerk_s_own_words_stay(wording):
    show = Showing(wording, "fr", "MA", ZoneInfo("Africa/Casablanca"))

    assert show.reason("le préfet l’a demandé", NAMES) == "le préfet l’a demandé"
