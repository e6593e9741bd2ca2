# SPDX-License-Identifier: MIT
"""Segments are counted as the network counts them, and nothing is cut in two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import EXTENDED, Encoding, concatenated, encoding_of, length, split

CODE = "4821-0937-5512"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", Encoding.GSM7, 0, 0),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM7, 306, 3),
        ("éèàù", Encoding.GSM7, 4, 1),
        ("reçue à l’hôtel", Encoding.UCS2, 15, 1),
        ("ش" * 70, Encoding.UCS2, 70, 1),
        ("ش" * 71, Encoding.UCS2, 71, 2),
        ("ⵣ" * 67 * 2, Encoding.UCS2, 134, 2),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
        ("`", Encoding.UCS2, 1, 1),
        ("ش" * 120 + CODE, Encoding.UCS2, 134, 2),
        ("ش" * 60 + CODE + "ش" * 60, Encoding.UCS2, 134, 3),
    ],
)
def test_a_text_costs_what_the_network_says(text, encoding, units, segments):
    counted = length(text)

    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)


TEXTS = st.text(st.sampled_from("a é€[]{}شⵣ😀ç\n0123456789-"), max_size=400)


@given(TEXTS, st.integers(1, 4))
def test_pieces_joined_are_the_text_and_each_fits(text, limit):
    pieces = split(text, limit)

    assert "".join(pieces) == text
    assert all(piece and length(piece).segments <= limit for piece in pieces)


@given(st.integers(0, 400), st.sampled_from("aش "), st.booleans())
def test_a_code_is_never_cut(before, filler, isolated):
    code = f"\u2066{CODE}\u2069" if isolated else CODE
    text = filler * before + " " + code + " " + filler * 200

    assert any(code in piece for piece in split(text, 1))


#: Texts with codes anywhere in them, among all that must not be cut either.
WITH_CODES = st.lists(
    st.one_of(
        st.text(st.sampled_from("a é€[]{}شⵣ😀ç\n"), max_size=90),
        st.sampled_from([f" {CODE} ", f" \u2066{CODE}\u2069 ", "482109375512", "4821 0937 5512"]),
    ),
    max_size=8,
).map("".join)
_WRITTEN = re.compile(r"\u2066?(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}(?!\d)\u2069?")


def cuts_of(pieces):
    """Where the pieces were cut apart."""
    at = 0
    for piece in pieces[:-1]:
        at += len(piece)
        yield at


@given(WITH_CODES, st.integers(1, 4))
def test_no_cut_of_a_message_is_inside_a_code(text, limit):
    pieces = split(text, limit)

    assert "".join(pieces) == text
    for match in _WRITTEN.finditer(text):
        assert not any(match.start() < at < match.end() for at in cuts_of(pieces))


@given(WITH_CODES, st.booleans())
def test_no_cut_of_a_segment_is_inside_a_code_or_a_pair(text, wide):
    encoding = Encoding.UCS2 if wide else encoding_of(text)
    room = 67 if encoding is Encoding.UCS2 else 153
    pieces = concatenated(text, encoding, room)

    assert "".join(pieces) == text
    for piece in pieces:
        octets = piece.encode("utf-16-be")
        assert octets.decode("utf-16-be") == piece  # half a surrogate pair does not decode
        septets = sum(2 if one in EXTENDED else 1 for one in piece)
        assert (len(octets) // 2 if encoding is Encoding.UCS2 else septets) <= room
    for match in _WRITTEN.finditer(text):
        assert not any(match.start() < at < match.end() for at in cuts_of(pieces))
    if encoding is encoding_of(text):
        assert length(text).segments <= max(1, len(pieces))


def test_a_cut_falls_between_words():
    pieces = split("mot " * 100, 1)

    assert all(piece.endswith("mot ") for piece in pieces)


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        split("a", 0)
