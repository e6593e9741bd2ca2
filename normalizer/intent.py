# SPDX-License-Identifier: MIT
"""What a short text wants: its status, help, silence; all else is a complaint or a follow-up.

When unsure, keep (design, promise 5): rules that know every word of a text decide first
(:mod:`normalizer.intent_rules`). What they would file may still be a command in words that nobody
thought of: then the text as a whole is weighed (:mod:`normalizer.intent_model`).
"""

from __future__ import annotations

from normalizer import tracking_code
from normalizer.intent_model import model
from normalizer.intent_rules import by_rules, words_of
from normalizer.intent_words import Role, any_of, lexicon
from normalizer.understanding import CONTENT, Intent, Understanding

__all__ = ["CONTENT", "Intent", "Understanding", "preload", "understand"]

#: Most words of a text that is looked at as a whole, and how likely a command must be.
_MOST_LIKELY_WORDS, _LIKELY, _SURE_BESIDE_CODE = 16, 0.5, 0.6
#: How likely news must be: against a question of odd words, and against another complaint.
_CERTAIN, _FOLLOWS = 0.8, 0.33
#: How likely a command must be where words speak of an earlier complaint.
_AGAINST_A_FOLLOW_UP = 0.75
#: Some must be likelier: "thanks" may be bitter, and who wants no texts gets none any more.
_SURE = {
    Intent.HELP: 0.65,
    Intent.THANKS: 0.75,
    Intent.OPT_OUT: 0.7,
    Intent.OPT_IN: 0.7,
}
#: Beside these, thanks are only courtesy.
_GRIEF = any_of(Role.CONTENT, Role.TROUBLE, Role.NOT, Role.NUMBERED)
#: What ends texts without "not" beside it.
_ENDING = any_of(Role.STOP, Role.REMOVE, Role.UNSUBSCRIBE)
#: Of which roles a text needs a word to be a command, whatever it looks like. A greeting or noise
#: with a word that nobody knows is none: it may be all there is of a complaint.
_NEEDED = {
    Intent.STATUS_QUERY: any_of(
        *(Role.QUESTION, Role.SEEK, Role.CASE, Role.TRACK, Role.ANSWER, Role.DONE)
    ),
    Intent.HELP: any_of(
        *(Role.HELP, Role.HOW, Role.LODGE, Role.SERVICE, Role.IDENTITY, Role.QUESTION)
    ),
    Intent.OPT_OUT: _ENDING | any_of(Role.MESSAGE, Role.SEND, Role.RECEIVE),
    Intent.OPT_IN: any_of(Role.START, Role.RECEIVE),
    Intent.THANKS: any_of(Role.THANKS, Role.PRAISE),
}


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
    # What the rules know word for word is not looked at again, and what is long is content.
    known = found.intent not in CONTENT and not found.odd
    if known or len(words) > _MOST_LIKELY_WORDS or reading.slip:
        return found
    likely = _likely(words, found, asked=asked)
    odd = found.code is not None and likely not in CONTENT
    return Understanding(likely, found.code, found.codes, odd=odd)


def _likely(words: list[str], filed: Understanding, *, asked: bool) -> Intent:
    """What a text looks like as a whole, where the rules would file it or let odd words pass.

    A command has a word that it needs, and is likely; else it stays what it is, or is told to be of
    an earlier case.
    """
    mask = 0
    for word in words:
        mask |= lexicon().roles(word)
    code = filed.code is not None
    possible = [one for one, roles in _NEEDED.items() if mask & roles]
    if not mask & _ENDING and not mask & Role.NOT and Intent.OPT_OUT in possible:
        possible.remove(Intent.OPT_OUT)  # "I want your messages again"
    if code:  # which is written in a question or in news, seldom in another command
        possible = [Intent.STATUS_QUERY, *({Intent.THANKS} & {*possible})]
    told = _is_told(words, mask, code=code, asked=asked)
    if told or not (code or _may_ask(words, mask, asked=asked)):
        possible = [one for one in possible if one is not Intent.STATUS_QUERY]
    if mask & (Role.NOT | Role.TROUBLE) and not mask & Role.HOW:
        possible = [one for one in possible if one is not Intent.HELP]
    if told and filed.odd:
        return Intent.FOLLOW_UP
    if not possible:
        return filed.intent
    chances = model().chances(words, code=code, asked=asked)
    best = max(possible, key=chances.__getitem__)
    if filed.odd:
        return Intent.FOLLOW_UP if chances[Intent.FOLLOW_UP] > _CERTAIN else filed.intent
    sure = _SURE_BESIDE_CODE if code else _SURE.get(best, _LIKELY)
    if filed.intent is Intent.FOLLOW_UP and not code:
        sure = max(sure, _AGAINST_A_FOLLOW_UP)  # it says of itself that it is news
    if chances[best] > sure and not (best is Intent.THANKS and mask & _GRIEF):
        return best
    earlier = chances[Intent.FOLLOW_UP] > _FOLLOWS
    return Intent.FOLLOW_UP if earlier else filed.intent


def _is_told(words: list[str], mask: int, *, code: bool, asked: bool) -> bool:
    """Whether nothing is asked: what is not yet done, or something that is added."""
    if asked or mask & Role.QUESTION or (not code and mask & Role.LABEL):
        return False  # "I no longer have my code" asks for it
    return bool(mask & (Role.NOT | Role.TROUBLE)) or lexicon().told_before(words)


def _may_ask(words: list[str], mask: int, *, asked: bool) -> bool:
    """Whether a text without a code may ask for the state of a case or for its answer.

    With a number it is of a bill, a telephone, a day: no case of ours.
    """
    named = mask & (Role.CASE | Role.TRACK) or (
        mask & Role.ANSWER and (asked or mask & (Role.QUESTION | Role.EXISTING))
    )
    return bool(named) and not mask & Role.NUMBERED and not any(map(_is_number, words))


def _is_number(word: str) -> bool:
    return len(word) > 1 and word.isdigit()
