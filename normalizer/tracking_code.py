# SPDX-License-Identifier: MIT
"""The tracking code: 11 random digits and a Damm check digit, shown in groups of four.

Digits only, so that it can be keyed on any telephone and read aloud in any language. The Damm
algorithm finds every single wrong digit and every swap of neighbours (docs/decisions).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stdnum import damm

from normalizer import spoken_digits
from normalizer.text import ascii_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = 12
#: Characters of a text that are searched for a code said in words.
SPOKEN_LIMIT = 1000

#: Digits that must be digits: of a code in one piece or in fours, and of one in other groups.
_FEWEST_REAL_DIGITS, _MINIMUM_REAL_DIGITS = 4, 8
# In a look-ahead, so that a run of digits is tried from each of its groups.
_CANDIDATE = re.compile(
    r"(?<![\d+])(?=([\dOoIlL](?:[\s\u00a0.\-\u2010-\u2015\u2212_/]{0,3}[\dOoIlL]){11})(?!\d))"
)
# Whether there are digits enough for a code at all: most texts have none, and this is cheap.
_ENOUGH = re.compile(rf"(?:\D*+\d){{{_FEWEST_REAL_DIGITS}}}")
_SEPARATORS = re.compile(r"[^\dOoIlL]+")
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "L": "1"})
_DATE = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2}(?!\d)")
# A number, and no word: "numero", "o" (and) and "3afak" (please) stand beside codes as well.
_DIGIT_BEFORE = re.compile(r"(?<![^\W\d_])\d[\dOoIl]*[ \u00a0.\-/]\Z")
_DIGIT_AFTER = re.compile(r"[ \u00a0.\-/,]\d+(?![^\W_])")
#: Characters before a code that are looked at.
_BEFORE = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text holds of a code.

    Attributes:
        code: 12 digits with a right check digit, or ``None``.
        slip: whether it holds 12 digits whose check digit is wrong (a typing slip).
        rest: the text without those digits.
        codes: every code in it, in order.
        before: what stands before the first one, at most 60 characters.
        in_one_piece: whether that one is twelve digits without anything between them.
    """

    code: str | None
    slip: bool
    rest: str
    codes: tuple[str, ...] = ()
    before: str = ""
    in_one_piece: bool = False


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


def read(text: str, *, calling_code: str = "") -> Reading:
    """Find codes in ``text``: digits of any script, with separators, O/I/l for 0/1, or in words.

    A valid code wins over a slip, the first over a later one. A number of another length is
    neither: nothing is ever read from a part of a longer run of digits.

    Args:
        text: as it came.
        calling_code: of the country: what begins with it is a telephone number, no code.
    """
    folded = ascii_digits(text)
    found: list[tuple[str, int, int]] = []
    slip: tuple[int, int] | None = None
    end = 0
    for start, stop, digits in _candidates(folded, calling_code):
        if start < end:
            continue
        if is_valid(digits):
            found.append((digits, start, stop))
            end = stop
        elif slip is None:
            slip = start, stop
    if not found and len(folded) <= SPOKEN_LIMIT:
        found = list(_spoken(folded, calling_code))
    if found:
        rest, codes = folded, tuple(dict.fromkeys(code for code, _, _ in found))
        for _, start, stop in reversed(found):
            rest = f"{rest[:start]} {rest[stop:]}"
        _, start, stop = found[0]
        return Reading(
            codes[0],
            slip=False,
            rest=rest.strip(),
            codes=codes,
            before=folded[max(0, start - _BEFORE) : start],
            in_one_piece=stop - start == LENGTH,
        )
    if slip is not None:
        rest = f"{folded[: slip[0]]} {folded[slip[1] :]}".strip()
        return Reading(None, slip=True, rest=rest)
    return Reading(None, slip=False, rest=folded)


def _candidates(folded: str, calling_code: str) -> Iterator[tuple[int, int, str]]:
    """What may be a code written in digits: start, end, and its 12 digits."""
    if _ENOUGH.match(folded) is None:
        return
    for match in _CANDIDATE.finditer(folded):
        written = match[1]
        start, stop = match.start(1), match.end(1)
        # Written onto a word ("suivi4821…") look-alikes would be letters of it.
        glued = folded[max(start - 1, 0) : start].isalpha() or folded[stop : stop + 1].isalpha()
        groups = [len(group) for group in _SEPARATORS.split(written)]
        usual = groups in ([LENGTH], [4, 4, 4])
        fewest = _FEWEST_REAL_DIGITS if usual else _MINIMUM_REAL_DIGITS
        if sum(c.isdigit() for c in written) < (LENGTH if glued else fewest):
            continue
        digits = _SEPARATORS.sub("", written).translate(_LOOKALIKES)
        if digits[0] == "0" or (calling_code and digits.startswith(calling_code)):
            continue
        if not usual and (
            _DATE.search(written)
            or _DIGIT_BEFORE.search(folded[max(0, start - _BEFORE) : start])
            or _DIGIT_AFTER.match(folded, stop)
        ):
            continue  # a date, or a part of a longer number
        yield start, stop, digits


def _spoken(folded: str, calling_code: str) -> Iterator[tuple[str, int, int]]:
    """Codes said in words, as a transcript has them."""
    for run in spoken_digits.runs(folded, LENGTH):
        for digits in run.readings:
            if is_valid(digits) and not (calling_code and digits.startswith(calling_code)):
                yield digits, run.start, run.end
                break
