# SPDX-License-Identifier: MIT
"""Routing by content: a choice tells the words it stands on; unsure, a person decides."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.administration import Administration
from dispatcher.administration_csv import read_csv
from dispatcher.routing.rules import (
    BadRules,
    Router,
    Rule,
    of_administrations,
    read_toml,
    unknown_slugs,
)

CONFIG = Path(__file__).parents[2] / "config"
REGISTER = read_csv(CONFIG / "administrations.csv")
SHIPPED = read_toml(CONFIG / "routing.toml")
ROUTER = Router([*SHIPPED, *of_administrations(REGISTER)])


@pytest.mark.parametrize(
    ("text", "administration", "named"),
    [
        # French
        ("Il n'y a pas d’eau depuis trois jours", "onee-eau", "pas d eau"),
        ("COUPURE DE COURANT dans tout le quartier", "onee-electricite", "coupure de courant"),
        ("Trois lampadaires sont cassés", "commune", "lampadaires"),
        ("l'hôpital m'a refusé un rendez-vous", "sante", "hopital"),
        ("Le train de 8 h n'est pas parti de la gare", "oncf", "train"),
        # Arabic, with clitics before the word, with and without hamza
        ("الماء الصالح للشرب مقطوع منذ يومين", "onee-eau", "الماء الصالح للشرب"),
        ("وبالمستشفى لا يوجد طبيب", "sante", "المستشفي"),
        ("الازبال في كل مكان", "commune", "الازبال"),
        ("انقطاع الكهرباء في الحي كله", "onee-electricite", "انقطاع الكهرباء"),
        # Darija in Arabic script and in Latin letters with digits
        ("مكاينش الطبيب فالمستشفى", "sante", "المستشفي"),
        ("zbel 3amr f zn9a", "commune", "zbel"),
        ("Sbitar mafihch tbib", "sante", "sbitar"),
        ("lma ma9to3 hadi simana", "onee-eau", "lma ma9to3"),
        ("bghit lakart dyali", "dgsn", "lakart"),
        # English
        ("There has been no water since Monday", "onee-eau", "no water"),
    ],
)
def test_a_choice_tells_the_words_it_stands_on(text, administration, named):
    decision = ROUTER.decide(text)

    assert decision.administration == administration
    assert f"“{named}” is named" in decision.reasons
    assert decision.candidates[0].administration == administration
    assert 0 < decision.confidence <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bonjour",
        "Je suis fatigué de tout ceci, aidez-moi",
        "لدي مشكلة كبيرة ولا أحد يجيب",
        "3afak 3awnoni rani m7tar",
        "Cette eau de toilette ne me plaît pas",
    ],
)
def test_where_no_word_is_known_nobody_is_chosen(text):
    decision = ROUTER.decide(text)

    assert (decision.administration, decision.confidence) == (None, 0.0)
    assert decision.candidates == ()
    assert decision.reasons == ("no rule matches these words",)


def test_a_draw_is_left_to_a_person_with_its_candidates():
    router = Router([Rule("water", (("eau",),), 1.0), Rule("power", (("courant",),), 1.0)])

    decision = router.decide("Ni eau ni courant")

    assert decision.administration is None
    assert decision.confidence == 0.5
    assert {one.administration for one in decision.candidates} == {"water", "power"}
    assert decision.reasons == ("not clear enough between water, power",)


def test_one_word_that_three_administrations_share_decides_nothing():
    decision = ROUTER.decide("mochkil f do")

    assert decision.administration is None
    assert len(decision.candidates) == 3
    assert "not clear enough" in decision.reasons[0]


def test_a_match_below_the_floor_or_without_a_lead_is_no_choice():
    weak = Router([Rule("water", (("eau",),), 0.4)])
    close = Router([Rule("water", (("eau",),), 1.2), Rule("power", (("panne",),), 1.0)])

    assert weak.decide("eau").administration is None
    assert close.decide("panne d'eau").administration is None
    assert close.decide("eau").administration == "water"


def test_at_most_three_candidates_the_best_first():
    rules = [Rule(f"a{n}", (("eau",),), float(n)) for n in range(1, 6)]

    scores = [one.score for one in Router(rules).decide("eau").candidates]

    assert scores == [5.0, 4.0, 3.0]


def test_a_phrase_that_two_rules_name_counts_once_by_the_heavier():
    """A rule of the file is not weakened because the administration's own words repeat it."""
    heavy, light = Rule("a", (("train",),), 2.0), Rule("a", (("train",),), 1.0)

    for rules in ([heavy, light], [light, heavy]):
        (candidate,) = Router(rules).decide("Le train").candidates
        assert (candidate.score, candidate.reasons) == (2.0, ("“train” is named",))


def test_words_of_a_phrase_must_stand_together_and_in_order():
    router = Router([Rule("water", (("coupure", "d", "eau"),), 1.0)])

    assert router.decide("une coupure d'eau").administration == "water"
    assert router.decide("l'eau après la coupure").administration is None
    assert router.decide("coupure hier, pas d'eau").administration is None


def test_the_words_of_an_administration_are_a_rule_in_every_language():
    register = [
        Administration("a", {"fr": "A"}, competence={"fr": ["Éclairage public"], "ar": ["الماء"]}),
        Administration("b", {"fr": "B"}, competence={"fr": ["…"]}),
        Administration("c", {"fr": "C"}),
    ]

    (rule,) = of_administrations(register)

    assert rule.administration == "a"
    assert set(rule.phrases) == {("eclairage", "public"), ("الماء",)}


@given(st.text(st.sampled_from("eau courant l'hôpitalالماء٣³ǅ\u200f\ud800 \n-9"), max_size=80))
def test_every_text_gets_a_decision(text):
    decision = ROUTER.decide(text)

    assert 0.0 <= decision.confidence <= 1.0
    assert decision.reasons
    assert len(decision.candidates) <= 3


# --- The file of rules ----------------------------------------------------------------------------


def test_the_shipped_rules_name_administrations_of_the_shipped_register():
    register = {one.slug: one for one in REGISTER}

    assert unknown_slugs(SHIPPED, register) == []
    assert unknown_slugs([Rule("nobody", (("eau",),), 1.0)], register) == ["nobody"]


def test_a_rule_without_a_weight_weighs_two(tmp_path):
    file = tmp_path / "routing.toml"
    file.write_text('[[rule]]\nadministration = "a"\nphrases = ["Pas d’eau"]\n', encoding="utf-8")

    assert read_toml(file) == [Rule("a", (("pas", "d", "eau"),), 2.0)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('phrases = ["eau"]', "needs an administration"),
        ('administration = "a"', "a list of phrases"),
        ('administration = "a"\nphrases = "eau"', "a list of phrases"),
        ('administration = "a"\nphrases = []', "a phrase has no word"),
        ('administration = "a"\nphrases = ["eau", "…"]', "a phrase has no word"),
        ('administration = "a"\nphrases = ["eau"]\nweight = 0', "weight is not a number above 0"),
        ('administration = "a"\nphrases = ["eau"]\nwieght = 1', "wieght is no key of a rule"),
    ],
)
def test_a_fault_of_the_file_is_told_by_the_number_of_its_rule(tmp_path, lines, told):
    file = tmp_path / "routing.toml"
    right = '[[rule]]\nadministration = "a"\nphrases = ["eau"]\n'
    file.write_text(f"{right}[[rule]]\n{lines}\n", encoding="utf-8")

    with pytest.raises(BadRules, match=f"^rule 2: .*{told}"):
        read_toml(file)
