# SPDX-License-Identifier: MIT
"""What a short text wants: its status, help, silence; all else is a complaint or a follow-up.

When unsure, keep (design, promise 5): rules that know every word of a text decide first
(:mod:`normalizer.intent_rules`). What they would file may still be a command in words that nobody
thought of: then the text as a whole is weighed (:mod:`normalizer.intent_model`), and is a command
if that is likely. It is odd unless it has a word of that command's own and none of a trouble:
whoever acts on it keeps an odd text, whatever it looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from normalizer import tracking_code
from normalizer.intent_features import Around, phrases, seen
from normalizer.intent_model import model
from normalizer.intent_rules import MOST_SEEN, by_rules, words_of
from normalizer.intent_words import Role, any_of, lexicon
from normalizer.understanding import CONTENT, Intent, Understanding

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTENT", "Intent", "Understanding", "preload", "understand"]

#: How likely it must be that a text is to be answered and not filed; beside a code, in words that
#: nobody asks with as well (a question in odd words is kept beside its answer).
_LIKELY = 0.6
#: Where it asks beside a code with a slip: its writer is told of the slip and may write again.
_ASKS_BESIDE_SLIP = 0.3
#: The same where it tells what is not yet done, and where no word speaks for that command.
_TELLS, _NO_WORD_FOR_IT = 0.8, 0.8
#: In a text of more words than most commands have.
_LONG, _MANY_WORDS = 0.9, 16
#: Where a word or a number speaks of a trouble.
_TROUBLED = 0.95
#: Thanks beside a code may be only polite.
_THANKS_BESIDE_CODE = 0.7
#: What drops a person's words, or ends texts, must be likely by itself.
_BY_ITSELF, _SOMEWHAT = 0.4, 0.45
_DROPPING = (Intent.NOISE, Intent.THANKS, Intent.OPT_OUT, Intent.OPT_IN)
#: Words for carriers: beside one, a greeting is not all that is meant.
_FOR_CARRIERS = any_of(Role.STOP, Role.UNSUBSCRIBE, Role.REMOVE, Role.START, Role.YES)
#: How likely news must be against another complaint, and where the rules take it for news.
_FOLLOWS, _FOLLOWS_AS_RULED = 0.33, 0.1
_NEWS = any_of(Role.TROUBLE, Role.NOT)
_TROUBLE = any_of(Role.TROUBLE, Role.NOT, Role.NUMBERED)
#: The roles that speak for each command.
_WORDS_FOR = {
    Intent.STATUS_QUERY: any_of(
        *(Role.QUESTION, Role.SEEK, Role.CASE, Role.TRACK, Role.ANSWER, Role.DONE)
    ),
    Intent.HELP: any_of(
        *(Role.HELP, Role.HOW, Role.LODGE, Role.SERVICE, Role.IDENTITY, Role.QUESTION)
    ),
    Intent.OPT_OUT: any_of(
        *(Role.STOP, Role.REMOVE, Role.UNSUBSCRIBE, Role.MESSAGE, Role.SEND, Role.RECEIVE)
    ),
    Intent.OPT_IN: any_of(Role.START, Role.RECEIVE, Role.MESSAGE),
    Intent.THANKS: any_of(Role.THANKS, Role.PRAISE),
    Intent.GREETING: int(Role.GREETING),
    Intent.NOISE: int(Role.NOISE),
}
#: What a text needs a word of to be answered without being kept; a greeting or noise in words that
#: nobody knows never is: they may be all there is of a complaint.
_NEEDED: Mapping[Intent, int] = {
    intent: roles
    for intent, roles in _WORDS_FOR.items()
    if intent not in (Intent.GREETING, Intent.NOISE)
}
#: How likely it must be by itself then.
_SURE = {Intent.HELP: 0.65, Intent.THANKS: 0.75, Intent.OPT_OUT: 0.7, Intent.OPT_IN: 0.7}
_AGAINST_A_FOLLOW_UP = 0.75
#: Beside these, thanks are only courtesy.
_GRIEF = any_of(Role.CONTENT, Role.TROUBLE, Role.NOT, Role.NUMBERED)
#: What ends texts without "not" beside it.
_ENDING = any_of(Role.STOP, Role.REMOVE, Role.UNSUBSCRIBE)


def preload() -> None:
    """Read words and weights now rather than at the first text (0.4 s)."""
    lexicon()
    model()


def understand(text: str, *, calling_code: str = "") -> Understanding:
    """Understand one short text (SMS, subjectless mail).

    Args:
        text: as it came, any script.
        calling_code: of the country: a number that begins with it is no code.
    """
    reading = tracking_code.read(text, calling_code=calling_code)
    words, asked = words_of(reading.rest), "?" in text or "؟" in text
    found = by_rules(text, reading, words, calling_code=calling_code, asked=asked)
    # What the rules know word for word is not looked at again, nor what is long, nor a number that
    # is told to be another thing's.
    known = found.intent not in CONTENT and not found.odd
    other = reading.code is not None and found.code is None
    if known or other or len(words) > MOST_SEEN:
        return found
    around = seen(text, reading, words, calling_code=calling_code)
    chances = model().chances(words, around, phrases(words))
    mask = 0
    for word in words:
        mask |= lexicon().roles(word)
    whole = _Whole(words, mask, around, found.intent, chances)
    likely = _likely(whole)
    odd = likely not in CONTENT and (found.code is not None or not _is_sure(likely, whole))
    typo = around.slip and likely is Intent.STATUS_QUERY
    return Understanding(likely, found.code, found.codes, typo=typo, odd=odd)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A text as a whole: its words, all their roles, what is around, the rules' word, chances."""

    words: list[str]
    mask: int
    around: Around
    ruled: Intent
    chances: Mapping[str, float]


def _likely(whole: _Whole) -> Intent:
    """What a text looks like as a whole."""
    words, mask, around, ruled = whole.words, whole.mask, whole.around, whole.ruled
    chances = whole.chances
    content = sum(chances[one] for one in CONTENT)
    answered = 1 - content
    follows = _FOLLOWS_AS_RULED if ruled is Intent.FOLLOW_UP else _FOLLOWS
    earlier = chances[Intent.FOLLOW_UP] > follows * content
    filed = Intent.FOLLOW_UP if earlier else Intent.COMPLAINT
    told = not around.asked and not mask & Role.QUESTION
    told = told and (around.earlier or bool(mask & _NEWS))
    if around.code or around.slip:  # what is beside a code is of its case, or content
        thanks = around.code and chances[Intent.THANKS] > _THANKS_BESIDE_CODE
        best = Intent.THANKS if thanks else Intent.STATUS_QUERY
        if around.slip and mask & Role.NUMBERED:
            return ruled  # the number of a bill, a meter, a card
        asks = around.slip and (around.asked or mask & Role.QUESTION)
        if answered > (_TELLS if told else _ASKS_BESIDE_SLIP if asks else _LIKELY):
            return best
        return Intent.FOLLOW_UP if around.code else filed
    best = max(_WORDS_FOR, key=chances.__getitem__)
    if best in _DROPPING and chances[best] < _BY_ITSELF:
        best = max((Intent.STATUS_QUERY, Intent.HELP), key=chances.__getitem__)
    if chances[best] < _SOMEWHAT or (best is Intent.GREETING and mask & _FOR_CARRIERS):
        return filed
    needed = _LIKELY
    if told and best is not Intent.OPT_OUT:
        needed = _TELLS
    if not mask & _WORDS_FOR[best]:
        needed = max(needed, _NO_WORD_FOR_IT)
    if len(words) > _MANY_WORDS:
        needed = max(needed, _LONG)
    if _may_be_trouble(best, words, mask):
        needed = _TROUBLED
    return best if answered > needed else filed


def _is_sure(likely: Intent, whole: _Whole) -> bool:
    """Whether a text without a code is that command and may be answered without being kept."""
    mask, around = whole.mask, whole.around
    if around.slip or not mask & _NEEDED.get(likely, 0):
        return False
    told = not around.asked and not mask & (Role.QUESTION | Role.LABEL)
    told = told and (around.earlier or bool(mask & _NEWS))
    sure = _SURE.get(likely, _LIKELY)
    if whole.ruled is Intent.FOLLOW_UP:
        sure = max(sure, _AGAINST_A_FOLLOW_UP)  # it says of itself that it is news
    if whole.chances[likely] <= sure:
        return False
    match likely:
        case Intent.STATUS_QUERY:
            return not told and _may_ask(whole.words, mask, asked=around.asked)
        case Intent.HELP:
            return bool(mask & Role.HOW) or not mask & _NEWS
        case Intent.THANKS:
            return not mask & _GRIEF
        case Intent.OPT_OUT | Intent.OPT_IN:
            ending = mask & _ENDING or (mask & Role.NOT and likely is Intent.OPT_OUT)
            starting = likely is Intent.OPT_IN and mask & Role.START
            return bool(ending or starting) and not mask & (Role.TROUBLE | Role.CONTENT)
        case _:
            return False


def _may_ask(words: list[str], mask: int, *, asked: bool) -> bool:
    """Whether a text without a code may ask for the state of a case or for its answer.

    With a number it is of a bill, a telephone, a day: no case of ours.
    """
    named = mask & (Role.CASE | Role.TRACK) or (
        mask & Role.ANSWER and (asked or mask & (Role.QUESTION | Role.EXISTING))
    )
    return bool(named) and not mask & Role.NUMBERED and not any(map(_is_number, words))


def _may_be_trouble(command: Intent, words: list[str], mask: int) -> bool:
    """Whether a word or a number is odd in that command, and may be what a complaint is about."""
    match command:
        case Intent.STATUS_QUERY:  # of a bill, a telephone, a day
            return bool(mask & Role.NUMBERED) or any(map(_is_number, words))
        case Intent.HELP:
            return bool(mask & (_TROUBLE | Role.CONTENT)) and not mask & Role.HOW
        case Intent.THANKS:
            return bool(mask & _TROUBLE or (mask & Role.CONTENT and not mask & Role.SOLVED))
        case Intent.NOISE | Intent.GREETING:
            return bool(mask & (_TROUBLE | Role.CONTENT))
        case _:
            return False


def _is_number(word: str) -> bool:
    return len(word) > 1 and word.isdigit()
