# SPDX-License-Identifier: MIT
"""The tracking code: drawn, shown, and read however people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import tracking_code
from normalizer.intent import Intent, understand

CODE = "482109375512"


def valid_code() -> str:
    """A code that passes its check."""
    return tracking_code.new_code("212")


@given(st.integers(0, 11), st.integers(1, 9))
def test_every_wrong_digit_is_found(position: int, shift: int) -> None:
    """One wrong digit never passes for another case's code."""
    code = valid_code()
    wrong = code[:position] + str((int(code[position]) + shift) % 10) + code[position + 1 :]

    assert not tracking_code.is_valid(wrong)


@given(st.integers(0, 10))
def test_every_swap_of_neighbours_is_found(position: int) -> None:
    """Two neighbours swapped never pass, unless they are alike."""
    code = valid_code()
    a, b = code[position], code[position + 1]
    swapped = code[:position] + b + a + code[position + 2 :]

    assert (a == b) or not tracking_code.is_valid(swapped)


def test_a_code_begins_neither_with_zero_nor_with_the_calling_code() -> None:
    """So that telephone numbers are not taken for codes."""
    for _ in range(3000):
        code = valid_code()
        assert code[0] != "0"
        assert not code.startswith("212")


@pytest.mark.parametrize(
    "write",
    [
        lambda code: code,
        tracking_code.display,
        " ".join,
        lambda code: code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda code: code.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        lambda code: code.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        lambda code: "\u2066" + tracking_code.display(code) + "\u2069",
        lambda code: code.replace("0", "O"),
        lambda code: code.replace("1", "l"),
        lambda code: "suivi " + tracking_code.display(code) + " svp",
        lambda code: "رمز " + code,
    ],
)
def test_it_is_read_however_it_is_written(write) -> None:
    """Digits of every script, separators, marks and look-alikes."""
    code = valid_code()

    assert understand(write(code)).intent is Intent.STATUS_QUERY
    assert understand(write(code)).code == code


@pytest.mark.parametrize(
    "text", ["+212612345678", "1234567890123", "00212612345678", "12345678901"]
)
def test_other_numbers_are_no_code(text: str) -> None:
    """A telephone number or a longer run of digits is neither a code nor a slip."""
    reading = tracking_code.read(text)

    assert reading.code is None
    assert not reading.slip


def test_a_wrong_check_digit_alone_is_a_slip() -> None:
    """Nothing but the digits: told as a typing slip."""
    code = valid_code()
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

    assert understand(wrong).typo
    assert understand(f"Je me plains de la facture {wrong}").intent is Intent.COMPLAINT


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("stop à la corruption", Intent.COMPLAINT),
        ("STOP", Intent.OPT_OUT),
        ("aide", Intent.HELP),
        ("السلام عليكم", Intent.GREETING),
        ("السلام عليكم الماء مقطوع", Intent.COMPLAINT),
        ("", Intent.NOISE),
        ("Merci", Intent.THANKS),
    ],
)
def test_short_texts(text: str, intent: Intent) -> None:
    """When unsure, keep: only a text that is nothing else is a command."""
    assert understand(text).intent is intent
