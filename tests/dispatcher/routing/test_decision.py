# SPDX-License-Identifier: MIT
"""Rules, classifier and place together: at most three candidates, reasons, and when to abstain."""

from pathlib import Path

import pytest

from dispatcher.administration import Administration
from dispatcher.routing.decision import Decider
from dispatcher.routing.features import Concepts
from dispatcher.routing.gazetteer import read_places
from dispatcher.routing.places import Places
from dispatcher.routing.recipient import Recipients
from dispatcher.routing.rules import Router, Rule
from dispatcher.routing.thresholds import Confirmed, fit
from dispatcher.routing.training import Row, train

CONFIG = Path(__file__).parents[3] / "config"
CONCEPTS = Concepts.of({"water": ["eau", "الماء"], "cut": ["coupure", "coupée", "مقطوع"]})
TEXTS = {
    "eau": ["plus d'eau au robinet", "eau coupée", "facture d'eau", "الماء مقطوع"],
    "oncf": ["le train est en retard", "train supprimé", "القطار متأخر", "billet de train"],
    "sante": ["pas de médecin", "hôpital sans lit", "لا يوجد طبيب", "attente aux urgences"],
    "person:private": ["mon voisin m'insulte", "mon cousin me doit de l'argent", "جاري يسبني"],
    "person:none": ["merci beaucoup", "gagnez un téléphone", "شكرا لكم"],
}
ENDS = ["hier", "lundi", "svp", "depuis un mois", "الآن", "à Fès"]
ROWS = [
    Row(f"{text} {end}", (label,), reference=f"{text} {end}")
    for label, texts in TEXTS.items()
    for text in texts
    for end in ENDS
]
MODEL = train(ROWS, concepts=CONCEPTS)
SLUGS = {"eau", "oncf", "sante"}
SURE = Rule("eau", (("eau",),), 2.0, precision=0.95, measured=40)
WEAK = Rule("eau", (("eau",),), 2.0, precision=0.6, measured=40)
UNMEASURED = Rule("eau", (("eau",),), 2.0)


def decider(*rules, model=MODEL, **values):
    return Decider(Router(rules, concepts=CONCEPTS), lambda: model, SLUGS, **values)


def test_a_measured_rule_decides_where_the_classifier_agrees():
    decision = decider(SURE).decide("Plus d'eau au robinet depuis lundi")

    assert (decision.administration, decision.by) == ("eau", "rules")
    assert decision.reasons[0] == "“eau” is named"
    assert any("speak for it" in reason for reason in decision.reasons)
    assert any(reason.startswith("like “") for reason in decision.reasons)
    assert decision.rule == SURE.key
    assert (decision.first, decision.model) == ("eau", MODEL.manifest.version)
    assert decision.language == "fr"


@pytest.mark.parametrize("rule", [WEAK, UNMEASURED])
def test_a_rule_that_is_often_wrong_or_unmeasured_only_proposes(rule):
    decision = decider(rule).decide("Plus d'eau au robinet depuis lundi")

    assert decision.administration is None
    assert decision.candidates[0].administration == "eau"
    assert decision.reasons[0].startswith(("not clear enough", "not sure enough"))


def test_a_rule_does_not_decide_against_the_classifier():
    assert decider(SURE).decide("le train est en retard, il n'a pas d'eau").administration is None


def test_without_a_model_a_sure_rule_still_decides():
    assert decider(SURE, model=None).decide("eau").administration == "eau"
    assert decider(WEAK, model=None).decide("eau").administration is None
    nothing = decider(SURE, model=None).decide("bonjour")
    assert (nothing.candidates, nothing.reasons) == ((), ("nothing known is named",))


def test_a_rule_of_concepts_holds_in_every_language():
    rule = Rule("eau", (), 2.0, precision=0.95, measured=40, concepts=("cut", "water"))

    for text in ("Coupure d'eau hier", "الماء مقطوع الآن"):
        assert decider(rule).decide(text).administration == "eau"
    assert decider(rule).decide("de l'eau").administration is None


def test_the_classifier_alone_only_proposes_before_people_have_confirmed_enough():
    decision = decider().decide("le train est en retard")

    assert decision.administration is None
    assert next(one.administration for one in decision.candidates) == "oncf"


def test_the_classifier_decides_above_thresholds_set_on_confirmed_decisions():
    confirmed = [Confirmed(1.0, "oncf", "fr", right=True)] * 60
    thresholds = fit(confirmed, 0.9)
    decision = decider(thresholds=lambda: thresholds).decide("le train est en retard lundi")

    assert decision.margin > 1.0
    assert decision.administration == "oncf"
    assert decision.by == f"classifier {MODEL.manifest.version}"
    assert decider(thresholds=lambda: None).decide("le train est en retard").administration is None
    # The same words in a language of which nothing was confirmed.
    assert decider(thresholds=lambda: thresholds).decide("القطار متأخر").administration is None


@pytest.mark.parametrize(
    ("text", "label", "reason"),
    [
        ("mon voisin m'insulte hier, il a coupé mon eau", "person:private", "private people"),
        ("merci beaucoup svp", "person:none", "no complaint"),
        ("Au secours, la maison brûle, des gens sont dedans, eau", "person:emergency", "danger"),
    ],
)
def test_what_needs_a_person_goes_to_one(text, label, reason):
    decision = decider(SURE).decide(text)

    assert decision.administration is None
    assert decision.needs_person == label
    assert reason in decision.reasons[0]


def test_classes_that_need_a_person_are_never_candidates():
    for text in ("mon voisin m'insulte", "merci beaucoup", "x", ""):
        candidates = decider(SURE).decide(text).candidates
        assert {one.administration for one in candidates} <= SLUGS
        assert len(candidates) <= 3
        assert sum(one.score for one in candidates) <= 1.001


def test_the_place_chooses_among_bodies_that_do_the_same():
    register = {
        slug: Administration(slug, {"fr": slug}, matters=("eau",), places=(place,))
        for slug, place in (("eau", "casablanca"), ("eau-fes", "fes"))
    } | {slug: Administration(slug, {"fr": slug}) for slug in ("oncf", "sante")}
    places = Places(read_places(CONFIG / "places.csv"))
    local = decider(SURE, places=places, recipients=Recipients(register, places))

    there = local.decide("Plus d'eau au robinet à Fès")
    assert there.administration == "eau-fes"
    assert any("Fès" in reason for reason in there.reasons)
    assert local.decide("Plus d'eau au robinet", location="Fès").administration == "eau-fes"
    nowhere = local.decide("Plus d'eau au robinet")
    assert nowhere.administration is None
    assert "depends on the place" in nowhere.reasons[0]
