# SPDX-License-Identifier: MIT
"""What is weighed of a short text as a whole: its words, their letters and roles, what is around.

Each feature has a name and an amount. Those of the words count the less, the more words there are
(:func:`share`). ``normalizer/intent_training.py`` learns a weight for each;
:mod:`normalizer.intent_model` adds the weights up, word by word, as people say the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from normalizer import tracking_code
from normalizer.intent_words import Role, lexicon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEGINNING, END = "<", ">"
#: Digits of a code with one left out or one too many, and of the groups that a code is shown in.
_NEARLY, _GROUP = (tracking_code.LENGTH - 1, tracking_code.LENGTH + 1), 4
#: Runs of letters within a word, its two ends marked, and the letters of a word that are looked at.
_RUNS, _LONGEST_WORD = (2, 3, 4, 5), 20
#: How much roles weigh beside letters, of a word and of two side by side.
_ROLE, _ROLES_SIDE_BY_SIDE = 0.7, 1.5
_UNKNOWN = "?"
_MOST_WORDS = 16
#: Numbers longer than this look alike.
_DIGITS = 9
#: Words before a code that are told apart.
_MOST_BEFORE = 2
_ROLES = tuple((int(role), role.name) for role in Role)
#: Sets of roles whose names are remembered.
_REMEMBERED = 4_000
#: As if it were a role: the text begins or ends here.
EDGE = -1


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the words of a text.

    Attributes:
        words: how many there are.
        code: whether there is a tracking code.
        slip: whether there is one with a typing slip.
        before: words before the code.
        asked: whether there is a question mark.
        cried: whether there is an exclamation mark.
        earlier: whether the words speak of an earlier complaint.
    """

    words: int
    code: bool = False
    slip: bool = False
    before: int = 0
    asked: bool = False
    cried: bool = False
    earlier: bool = False


def seen(
    text: str, reading: tracking_code.Reading, words: Sequence[str], *, calling_code: str
) -> Around:
    """What stands around the words of a text.

    Args:
        text: as it came.
        reading: what it holds of a code.
        words: folded, those beside the code.
        calling_code: of the country: a number that begins with it has no slip.
    """
    return Around(
        words=len(words),
        code=reading.code is not None,
        slip=reading.slip or (reading.code is None and _is_nearly_code(words, calling_code)),
        before=len(reading.before.split()),
        asked="?" in text or "؟" in text,
        cried="!" in text,
        earlier=lexicon().told_before([*words]),
    )


def _is_nearly_code(words: Sequence[str], calling_code: str) -> bool:
    """Whether a number, in one piece or in fours, has a digit less or more than a code."""
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and words[end].isdigit():
            end += 1
        digits = "".join(words[at:end])
        if len(digits) in _NEARLY and (end - at == 1 or len(words[at]) == _GROUP):
            other = digits.startswith("0") or bool(calling_code and digits.startswith(calling_code))
            named = any(
                lexicon().roles(word) & Role.NUMBERED for word in words[max(at - 3, 0) : at]
            )
            if not other and not named:
                return True
        at = end + 1
    return False


def shaped(words: Sequence[str]) -> list[str]:
    """The words with every number made noughts."""
    return ["0" * min(len(word), _DIGITS) if word.isdigit() else word for word in words]


def share(words: Sequence[str]) -> float:
    """How much one word of so many counts."""
    return float((len(words) + 1) ** -0.5)


def of_word(word: str, roles: int) -> Iterator[tuple[str, float]]:
    """What is weighed of one folded word, and how much of it there is."""
    yield f"={word}", 1.0
    marked = f"^{word[:_LONGEST_WORD]}$"
    amount = 2 * (len(word) + 2) ** -0.5
    for length in _RUNS:
        for at in range(len(marked) - length + 1):
            yield marked[at : at + length], amount
    for name in _names(roles):
        yield f"r:{name}", _ROLE if roles else 1.0


def of_phrase(roles: int) -> Iterator[tuple[str, float]]:
    """What is weighed of a phrase beside its words."""
    for name in _names(roles):
        yield f"p:{name}", _ROLE


def side_by_side(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each two words side by side, the first and the last word too."""
    before = BEGINNING
    for word in words:
        yield before, word
        before = word
    yield before, END


def of_roles(first: int, second: int) -> Iterator[tuple[str, float]]:
    """What is weighed of the roles of two words side by side."""
    before, after = _names(first), _names(second)
    amount = _ROLES_SIDE_BY_SIDE / (len(before) * len(after))
    for one in before:
        for other in after:
            yield f"R:{one} {other}", amount


def of_surroundings(around: Around) -> Iterator[tuple[str, float]]:
    """What is weighed beside the words."""
    if around.slip:
        yield "#slip", 1.0
    if around.code or around.slip:
        yield "#code", 1.0
        yield f"#before {min(around.before, _MOST_BEFORE)}", 0.5
    if around.asked:
        yield "#asked", 1.0
    if around.cried:
        yield "#cried", 0.5
    if around.earlier:
        yield "#earlier", 1.0
    yield f"#words {min(around.words, _MOST_WORDS)}", 0.5


def phrases(words: Sequence[str]) -> list[int]:
    """The roles of each phrase of several words."""
    units = lexicon().units([*words], unknown=len(words)) or []
    return [unit.roles for unit in units if unit.words > 1]


@lru_cache(_REMEMBERED)
def _names(roles: int) -> tuple[str, ...]:
    if roles == EDGE:
        return (BEGINNING,)
    return tuple(name for role, name in _ROLES if roles & role) or (_UNKNOWN,)
