# SPDX-License-Identifier: MIT
"""A long answer goes out in full up to a number of segments, then says how to read the rest."""

import re

from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import length
from dispatcher.long_answer import shortened

TAIL = "... Lire la suite: https://plaintes.ville.example code 4821-0937-5512 PIN 481516"
CODE = re.compile(r"(?<!\d)\d{4}-\d{4}-\d{4}(?!\d)")
WORDS = st.lists(
    st.one_of(
        st.text(st.sampled_from("a é€[]{}شⵣ😀ç\n"), max_size=60),
        st.sampled_from([" 7731-0045-2219 ", " demain ", " الماء "]),
    ),
    max_size=40,
).map("".join)


def test_what_fits_is_not_touched():
    text = "mot " * 76
    assert shortened(text, TAIL, 2) == text


def test_what_does_not_fit_ends_after_a_word_and_fills_what_it_may():
    text = "Votre demande est acceptée. " * 40
    told = shortened(text, TAIL, 3)

    assert told.endswith(TAIL)
    kept = told.removesuffix(TAIL)
    assert text.startswith(kept)
    assert text[len(kept)] == " "
    assert length(told).segments == 3
    assert length(told + "acceptée. ").units > 3 * 153


@given(WORDS, st.integers(2, 6))
def test_any_answer_fits_begins_as_written_and_keeps_its_codes_whole(text, most):
    told = shortened(text, TAIL, most)

    assert length(told).segments <= most
    if told == text:
        return
    assert length(text).segments > most
    assert told.endswith(TAIL)
    kept = told.removesuffix(TAIL)
    assert text.startswith(kept)
    assert not any(one.start() < len(kept) < one.end() for one in CODE.finditer(text))
