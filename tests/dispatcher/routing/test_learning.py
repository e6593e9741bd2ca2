# SPDX-License-Identifier: MIT
"""What confirmed decisions teach: rules switched off, thresholds, models only if not worse."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.routing.learning import (
    COMPARISON,
    POOL,
    Comparison,
    Count,
    Labels,
    count_rules,
    learnt_until,
    new_to,
    rows_of,
    teach,
    thresholds_of,
    with_confirmed,
)
from dispatcher.routing.rules import Router, Rule
from dispatcher.routing.training import Row, train

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
PLAIN = Labels({}, frozenset())
WATER = ("eau coupée", "fuite d'eau", "robinet sec", "compteur d'eau", "facture d'eau")
ROADS = ("route abîmée", "nid de poule", "chaussée effondrée", "trottoir cassé", "pont fermé")
HEALTH = (
    "hôpital fermé",
    "médecin absent",
    "médicaments manquants",
    "urgences pleines",
    "ambulance",
)


@dataclass(frozen=True)
class Decided:
    """A confirmed decision, as the record has it."""

    text: str
    labels: tuple[str, ...]
    at: datetime = NOW
    reference: str = "482109375512"
    first: str = ""
    margin: float = 0.0
    model: str = ""
    rule: str = ""
    spoken: str = "fr"


def texts(label, phrases, count):
    """So many different texts of a label."""
    towns = (
        "Rabat",
        "Salé",
        "Fès",
        "Oujda",
        "Safi",
        "Agadir",
        "Taza",
        "Settat",
        "Nador",
        "Kénitra",
    )
    return [
        (f"{phrases[at % len(phrases)]} depuis {at + 2} jours à {towns[at % len(towns)]}", label)
        for at in range(count)
    ]


def decided(some, *, days=0.0, **values):
    return [
        Decided(text, (label,), NOW - timedelta(days=days) + timedelta(seconds=at), **values)
        for at, (text, label) in enumerate(some)
    ]


SEED = [
    Row(text, (label,), "fr")
    for text, label in (*texts("eau", WATER, 10), *texts("equipement", ROADS, 10))
]


# --- Labels ---------------------------------------------------------------------------------------


def test_bodies_of_a_place_are_learnt_under_the_one_that_has_examples():
    basin = ("bassin-hydraulique",)
    labels = Labels(
        {"abh-sebou": basin, "abh-tensift": basin, "abh-souss": basin, "commune-fes": ("commune",)},
        frozenset({"abh-tensift", "eau", "commune-fes"}),
    )
    assert labels.of("abh-sebou") == "abh-tensift"
    assert labels.of("abh-tensift") == "abh-tensift"
    assert labels.of("eau") == "eau"
    assert labels.right("abh-souss", ["abh-sebou"])
    assert not labels.right("commune-fes", ["abh-sebou"])
    assert not labels.right("eau", ["equipement"])
    (row,) = rows_of([Decided("x", ("abh-sebou", "abh-souss"))], labels)
    assert row.labels == ("abh-tensift",)
    assert row.reference == "482109375512"


def test_without_examples_one_of_them_is_chosen_and_always_the_same():
    labels = Labels({"b": ("m",), "a": ("m",)}, frozenset())
    assert labels.of("a") == labels.of("b") == "a"


# --- Rules ----------------------------------------------------------------------------------------

RULE = Rule("eau", (("fuite",),), 2.0, precision=0.97, measured=40)
OWN = Rule("eau", (("robinet",),), 2.0)


def decides_alone(rules):
    return Router(rules).decide("une fuite devant ma porte").certain


def counts(rule, right, of):
    some = [Decided("x", ("eau" if at < right else "sante",), rule=rule.key) for at in range(of)]
    return count_rules(some, PLAIN)


def test_a_rule_is_counted_where_it_spoke_loudest():
    assert counts(RULE, 3, 5) == {RULE.key: Count(3, 5)}
    assert count_rules([Decided("x", ("eau",))], PLAIN) == {}


@pytest.mark.parametrize(
    ("right", "of", "alone", "kept"),
    [
        (0, 0, True, True),
        (0, 9, True, True),  # too few to judge it
        (9, 10, True, True),
        (8, 10, False, True),  # below the floor: it only proposes
        (17, 20, False, True),
        (4, 10, False, False),  # more often wrong than right
    ],
)
def test_a_rule_is_switched_off_below_the_floor(right, of, alone, kept):
    rules = with_confirmed([RULE], counts(RULE, right, of), floor=0.9, least=10)
    assert decides_alone(rules) is alone
    assert bool(rules) is kept


def test_a_rule_without_a_measured_precision_decides_when_fifty_people_bore_it_out():
    def alone(right, of):
        rules = with_confirmed([OWN], counts(OWN, right, of))
        return Router(rules).decide("robinet").certain

    assert not alone(40, 40)
    assert alone(50, 50)
    assert not alone(45, 50)  # nine of ten, but the lower bound is below


# --- Promotion ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comparison", "may", "why"),
    [
        (Comparison(""), True, "no model was in force"),
        (Comparison("m1", 49, 10, 49), False, "49 confirmed decisions are new"),
        (Comparison("m1", 50, 40, 40, 3, 3), True, "not worse"),
        (Comparison("m1", 50, 40, 41, 2, 3), True, "3 by the new one alone"),
        (Comparison("m1", 50, 40, 39, 3, 2), False, "worse than the model in force: of 50"),
    ],
)
def test_only_what_is_not_worse_on_enough_decisions_is_promoted(comparison, may, why):
    told = comparison.verdict(least=50)
    assert told[0] is may
    assert why in told[1]
    assert Comparison.from_json(comparison.as_json()) == comparison


@pytest.fixture(scope="module")
def seed_model():
    return train(SEED, seed=True, now=NOW - timedelta(days=30))


def test_a_model_learns_what_people_decided_and_is_promoted_for_it(seed_model):
    """Health was unknown to the seed model: people sent those texts there."""
    some = decided([*texts("sante", HEALTH, 40), *texts("eau", WATER[::-1], 20)], days=2)
    told: list[str] = []
    taught = teach(SEED, some, PLAIN, seed_model, now=NOW, least=50, tell=told.append)
    comparison = taught.comparison

    assert comparison.judged == 60
    assert comparison.old == seed_model.manifest.version
    assert comparison.new_right > comparison.old_right
    assert comparison.new_right - comparison.old_right == (
        comparison.only_new - comparison.only_old
    )
    assert comparison.verdict(50)[0]
    assert taught.model.guess("hôpital fermé, ambulance absente").labels[0] == "sante"
    assert learnt_until(taught.model) == some[-1].at
    assert new_to(taught.model, some) == []
    assert taught.model.manifest.figures[COMPARISON] == comparison.as_json()
    assert len(taught.model.manifest.figures[POOL]) == 60
    assert not taught.model.manifest.figures["seed"]
    assert told


def test_a_model_taught_wrongly_is_not_promoted(seed_model):
    """Labels drawn by lot teach nothing: on the texts that it has not seen it is worse."""
    right = decided([*texts("eau", WATER, 30), *texts("equipement", ROADS, 30)], days=1)
    swapped = [
        replace(one, labels=("equipement" if one.labels == ("eau",) else "eau",), at=NOW)
        for one in decided([*texts("eau", WATER, 90), *texts("equipement", ROADS, 90)], days=20)
    ]
    old_news = [replace(one, at=NOW - timedelta(days=20)) for one in swapped]
    taught = teach(SEED, [*old_news, *right], PLAIN, seed_model, now=NOW, least=50)

    assert taught.comparison.judged == 60  # the latest week alone
    assert taught.comparison.new_right < taught.comparison.old_right
    may, why = taught.comparison.verdict(50)
    assert not may
    assert "worse" in why


def test_where_the_latest_week_has_too_few_all_that_is_new_is_judged(seed_model):
    some = decided(texts("eau", WATER, 30), days=20) + decided(texts("sante", HEALTH, 10), days=1)
    taught = teach(SEED, some, PLAIN, seed_model, now=NOW, least=30)
    assert taught.comparison.judged == 40


def test_what_the_model_in_force_had_learnt_judges_nothing(seed_model):
    before = decided(texts("sante", HEALTH, 30), days=9)
    first = teach(SEED, before, PLAIN, seed_model, now=NOW - timedelta(days=8)).model
    after = decided(texts("sante", HEALTH[::-1], 12), days=1)
    taught = teach(SEED, [*before, *after], PLAIN, first, now=NOW)

    assert taught.comparison.judged == 12
    assert not taught.comparison.verdict(50)[0]


# --- Thresholds -----------------------------------------------------------------------------------


def spoken(model, right, of):
    """Decisions of the model itself on cases that came after it had learnt."""
    return [
        Decided(
            f"texte {at}",
            ("eau" if at < right else "sante",),
            NOW + timedelta(minutes=at),
            first="eau",
            margin=2.0 if at < right else 0.5 - 0.02 * (at - right),
            model=model.manifest.version,
        )
        for at in range(of)
    ]


def test_there_are_no_thresholds_before_fifty_decisions_are_confirmed(seed_model):
    assert thresholds_of(seed_model, spoken(seed_model, 49, 49), PLAIN, 0.9) is None
    found = thresholds_of(seed_model, spoken(seed_model, 60, 80), PLAIN, 0.9)
    assert found is not None
    assert found.confirmed == 80
    assert found.permit(2.0, "eau", "fr")
    assert not found.permit(0.1, "eau", "fr")
    assert not found.permit(2.0, "eau", "ar")  # nothing is known of that language


def test_what_another_model_said_sets_no_threshold(seed_model):
    others = [replace(one, model="another") for one in spoken(seed_model, 60, 60)]
    assert thresholds_of(seed_model, others, PLAIN, 0.9) is None


def test_the_twins_of_a_new_model_speak_for_it(seed_model):
    some = decided([*texts("sante", HEALTH, 40), *texts("eau", WATER, 40)], days=2)
    model = teach(SEED, some, PLAIN, seed_model, now=NOW).model
    found = thresholds_of(model, some, PLAIN, 0.8)

    assert found is not None
    assert found.confirmed == 80
    assert found.overall is not None
