# SPDX-License-Identifier: MIT
"""Telephone numbers: how they are dialled, and which may receive texts."""

import pytest

from normalizer.phone import dialled, is_mobile


@pytest.mark.parametrize(
    ("number", "region", "digits"),
    [
        ("+212537000000", "MA", "0537000000"),
        ("+212612345678", "MA", "0612345678"),
        ("+33612345678", "MA", "0033612345678"),
        ("+15005550006", "MA", "0015005550006"),
        ("+34912345678", "ES", "912345678"),
        ("3737", "MA", "3737"),
        ("+2125", "MA", "2125"),
        ("GUICHET", "MA", ""),
        ("", "MA", ""),
    ],
)
def test_a_number_is_told_as_it_is_dialled(number, region, digits):
    assert dialled(number, region) == digits


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("+212612345678", True),
        ("+212712345678", True),
        ("+212537123456", False),
        ("+212800123456", False),
        ("+14155550123", True),  # a kind of its own in its country
        ("+212512345678", True),  # nobody can say
    ],
)
def test_texts_may_go_to_what_is_surely_no_landline(number, may):
    assert is_mobile(number) == may
