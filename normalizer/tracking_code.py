# SPDX-License-Identifier: MIT
"""The tracking code: 11 random digits and a Damm check digit, shown in groups of four.

Digits only, so that it can be keyed on any telephone and read aloud in any language. The Damm
algorithm finds every single wrong digit and every swap of neighbours (docs/decisions).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from stdnum import damm

from normalizer.text import ascii_digits

LENGTH = 12

_CANDIDATE = re.compile(
    r"(?<![\w+])[\dOoIlL](?:[\s\u00a0.\-\u2010-\u2015\u2212_/]{0,3}[\dOoIlL]){11}(?!\w)"
)
_SEPARATORS = re.compile(r"[^\dOoIlL]")
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "L": "1"})
_MINIMUM_REAL_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text holds of a code.

    Attributes:
        code: 12 digits with a right check digit, or ``None``.
        slip: whether it holds 12 digits whose check digit is wrong (a typing slip).
        rest: the text without those digits.
    """

    code: str | None
    slip: bool
    rest: str


def new_code(calling_code: str) -> str:
    """Draw a new code of 12 digits.

    It begins neither with 0, as national telephone numbers do, nor with the country's calling code.
    """
    while True:
        body = f"{secrets.randbelow(9) + 1}{secrets.randbelow(10**10):010d}"
        if not body.startswith(calling_code):
            return body + damm.calc_check_digit(body)


def is_valid(code: str) -> bool:
    """Whether ``code`` is 12 ASCII digits with a right check digit."""
    return (
        len(code) == LENGTH and code.isascii() and code.isdigit() and code[0] != "0"
    ) and damm.is_valid(code)


def display(code: str) -> str:
    """Show a code in groups of four: ``4821-0937-5518``."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def read(text: str) -> Reading:
    """Find a code in ``text``, in any digit script, with separators and O/I/l for 0/1.

    A valid code wins over a slip, the first over a later one. A number of another length is
    neither: nothing is ever read from a part of a longer run of digits.
    """
    folded = ascii_digits(text)
    slip = False
    rest = folded
    for match in _CANDIDATE.finditer(folded):
        if sum(c.isdigit() for c in match.group()) < _MINIMUM_REAL_DIGITS:
            continue
        digits = _SEPARATORS.sub("", match.group()).translate(_LOOKALIKES)
        remaining = (folded[: match.start()] + " " + folded[match.end() :]).strip()
        if is_valid(digits):
            return Reading(digits, slip=False, rest=remaining)
        if not slip:
            slip, rest = True, remaining
    return Reading(None, slip=slip, rest=rest)
