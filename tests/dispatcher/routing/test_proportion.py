# SPDX-License-Identifier: MIT
"""The interval of a share: exact, and as wide as few counts make it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dispatcher.routing.proportion import interval


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (10, 10, 0.6915, 1.0),  # Clopper and Pearson's own construction: 0.025 ** (1 / 10)
        (0, 10, 0.0, 0.3085),
        (19, 20, 0.7513, 0.9987),
        (90, 100, 0.8238, 0.9510),
    ],
)
def test_known_intervals(right, of, low, high):
    assert interval(right, of) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_at_each_end_what_was_counted_is_just_possible(counted):
    right, of = counted
    low, high = interval(right, of)
    assert low <= right / of <= high
    if right:
        assert binom.sf(right - 1, of, low) == pytest.approx(0.025, abs=1e-6)
    if right < of:
        assert binom.cdf(right, of, high) == pytest.approx(0.025, abs=1e-6)


def test_more_right_than_counted_is_refused():
    with pytest.raises(ValueError, match="5 of 4"):
        interval(5, 4)
