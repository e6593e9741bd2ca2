# SPDX-License-Identifier: MIT
"""The machine decides alone only where evidence bears it: of all, of a language, of a body."""

import random
from math import comb

import pytest

from dispatcher.routing.thresholds import FEWEST, Confirmed, Thresholds, fit, lower_bound


def confirmed(count, right, margin=1.0, administration="eau", language="fr"):
    return [Confirmed(margin, administration, language, at < right) for at in range(count)]


def test_the_lower_bound_is_that_of_clopper_and_pearson():
    # One-sided: the p at which so many right ones or more happen one time in ten.
    assert lower_bound(50, 50) == pytest.approx(0.1 ** (1 / 50))
    assert lower_bound(0, 50) == 0.0
    share = lower_bound(45, 50)
    chances = [comb(50, n) * share**n * (1 - share) ** (50 - n) for n in range(45, 51)]
    assert sum(chances) == pytest.approx(0.1)


def test_without_enough_evidence_nothing_is_decided():
    thresholds = fit(confirmed(FEWEST - 1, FEWEST - 1), 0.9)

    assert thresholds.overall is None
    assert not thresholds.permit(100.0, "eau", "fr")
    assert not Thresholds(0.9).permit(100.0, "eau", "fr")


def test_a_margin_below_which_too_many_are_wrong_is_not_enough():
    thresholds = fit([*confirmed(100, 100, 2.0), *confirmed(100, 50, 1.0)], 0.9)

    assert thresholds.permit(2.0, "eau", "fr")
    assert not thresholds.permit(1.0, "eau", "fr")


def test_a_language_that_was_never_confirmed_is_never_automatic():
    thresholds = fit(confirmed(200, 200), 0.9)

    assert thresholds.permit(1.0, "eau", "fr")
    assert not thresholds.permit(1.0, "eau", "ary-Latn")


def test_an_administration_that_is_often_wrong_has_its_own_threshold():
    some = [*confirmed(900, 900), *confirmed(60, 40, administration="poste")]
    thresholds = fit(some, 0.9)

    assert thresholds.permit(1.0, "eau", "fr")
    assert not thresholds.permit(1.0, "poste", "fr")


def test_administrations_with_little_evidence_share_a_threshold():
    few = [one for n in range(10) for one in confirmed(10, 10, administration=f"a{n}")]
    wrong = [one for n in range(10) for one in confirmed(10, 6, administration=f"a{n}")]

    assert fit([*confirmed(900, 900), *few], 0.9).permit(1.0, "a3", "fr")
    assert not fit([*confirmed(900, 900), *wrong], 0.9).permit(1.0, "a3", "fr")
    assert not fit(confirmed(900, 900), 0.9).permit(1.0, "never seen", "fr")


def test_the_target_is_met_on_new_decisions_in_most_draws():
    """Margins that tell how sure: the share of right ones grows with them."""
    met = 0
    for seed in range(40):
        draw = random.Random(seed)

        def some(count, draw=draw):
            margins = [draw.random() for _ in range(count)]
            return [Confirmed(m, "eau", "fr", draw.random() < 0.5 + m / 2) for m in margins]

        thresholds = fit(some(800), 0.9)
        new = [one for one in some(4000) if thresholds.permit(one.margin, "eau", "fr")]
        met += not new or sum(one.right for one in new) / len(new) >= 0.9
    assert met >= 28


def test_thresholds_survive_the_manifest():
    thresholds = fit([*confirmed(100, 100, 2.0), *confirmed(100, 50, 1.0)], 0.9)

    assert Thresholds.from_json(thresholds.as_json()) == thresholds
