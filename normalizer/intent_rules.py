# SPDX-License-Identifier: MIT
"""What the words of a short text say that it wants, one by one.

A text is a command only when every word of it has a role in that command, and those that make it
one are there; "stop à la corruption" is a complaint. Beside a valid code a few odd words are let
pass in a question.
"""

from __future__ import annotations

import re
from functools import lru_cache

from normalizer import tracking_code
from normalizer.intent_words import Role, Unit, any_of, lexicon
from normalizer.keystrokes import is_mash
from normalizer.text import fold
from normalizer.understanding import Intent, Understanding

_is_mash = lru_cache(maxsize=20_000)(is_mash)
_WORD = re.compile(r"[^\W_]+")
_DIGIT = re.compile(r"\d")
#: More words than any command has that rules know: such a text is content.
_MOST_WORDS = 24
#: Words of a text that are looked at.
MOST_SEEN = 48
_FEWEST_DIGITS, _MOST_SLIPS = 8, 2
_LENGTHS = range(tracking_code.LENGTH - 2, tracking_code.LENGTH + 3)
#: Beside a code one unknown word of so many letters is let pass in a question of so many words.
_ODD_LETTERS, _ODD_AMONG = 7, 8
#: Where it plainly asks, so many of any length, in twice as many words.
_ODD_WORDS = 3
#: Words before a number that may say what it is the number of.
_NEAR_WORDS = 3
#: Letters of words that say nothing there: "compteur d'eau n°".
_LITTLE = 2
#: Words of a bare "stop" or "start", which says no more.
_BARE = 5
#: Characters of a text that are searched for words about an earlier complaint.
_EARLIER_LIMIT = 500

_COURTESY = (
    *(Role.GREETING, Role.ADDRESS, Role.POLITE, Role.THANKS, Role.FUNCTION, Role.MINE, Role.YOURS),
)

_SOCIAL = any_of(*_COURTESY)
_STATUS = _SOCIAL | any_of(
    *(Role.QUESTION, Role.SEEK, Role.CASE, Role.TRACK, Role.ANSWER, Role.EXISTING)
)
_ASKING = any_of(Role.QUESTION, Role.SEEK, Role.TRACK)
_HELP = _SOCIAL | any_of(
    *(Role.QUESTION, Role.SEEK, Role.HOW, Role.LODGE, Role.SERVICE, Role.IDENTITY),
    *(Role.CASE, Role.HELP, Role.WANT, Role.MATTER),
)
_THANKS = _SOCIAL | any_of(Role.PRAISE, Role.NOISE, Role.YES)
#: What thanks may tell: that something is right again, and what.
_NEWS = any_of(Role.SOLVED, Role.CONTENT, Role.EXISTING)
_GREETING = any_of(Role.GREETING, Role.ADDRESS, Role.POLITE, Role.FUNCTION, Role.NOISE)
_BARE_WORDS = any_of(Role.POLITE, Role.FUNCTION, Role.ADDRESS, Role.THANKS, Role.AGAIN)
_OPT_OUT = _SOCIAL | any_of(
    *(Role.STOP, Role.REMOVE, Role.MESSAGE, Role.SEND, Role.NOT, Role.AGAIN, Role.WANT),
    *(Role.RECEIVE, Role.LIST, Role.SEEK, Role.NOISE, Role.UNSUBSCRIBE),
)
_OPT_IN = _SOCIAL | any_of(
    *(Role.START, Role.MESSAGE, Role.RECEIVE, Role.WANT, Role.AGAIN, Role.SEEK, Role.LIST),
)
_NOISE = any_of(Role.NOISE, Role.YES, Role.ADDRESS, Role.POLITE, Role.FUNCTION)
#: Who the others are when "not" is told of them: "vous n'envoyez pas" is a complaint.
_STATEMENT = re.compile(r"\b(?:vous ne?|vous m|you (?:do|don|did|never|are|have|keep)|ils? ne?)\b")


def words_of(text: str) -> list[str]:
    """The folded words of a text; of one with more than are looked at, the first ones."""
    # Folded before it is cut into words: a mark on an Arabic letter is no part of a word to `re`.
    first = text.split(maxsplit=MOST_SEEN + 1)
    if len(first) > MOST_SEEN + 1:
        words = _WORD.findall(" ".join(map(fold, first[:-1])))
        if len(words) > MOST_SEEN:
            return words
    return _WORD.findall(fold(text))


def by_rules(
    text: str,
    reading: tracking_code.Reading,
    words: list[str],
    *,
    calling_code: str,
    asked: bool,
) -> Understanding:
    """What the rules alone make of a text.

    Args:
        text: as it came.
        reading: what it holds of a code.
        words: those beside the code.
        calling_code: of the country.
        asked: whether there is a question mark.
    """
    if reading.code:
        intent, odd = _beside_code(words, asked=asked)
        if intent is Intent.FOLLOW_UP and _is_of_another_thing(reading):
            return Understanding(of_words(text))
        return Understanding(intent, reading.code, reading.codes, odd=odd)
    if reading.slip:
        if (units := _units(words)) is not None and _covers(units, _status_roles(units, asked)):
            return Understanding(Intent.STATUS_QUERY, typo=True)
        return Understanding(of_words(text))  # beside other words those digits are words, too
    if _DIGIT.search(reading.rest) and _is_slip(words, calling_code):
        return Understanding(Intent.STATUS_QUERY, typo=True)
    return Understanding(_without_code(text, words, asked=asked))


def _units(words: list[str], unknown: int = 0) -> list[Unit] | None:
    return lexicon().units(words, unknown) if len(words) <= _MOST_WORDS else None


def _covers(units: list[Unit], roles: int) -> bool:
    return all(unit.is_one_of(roles) for unit in units)


def _has(units: list[Unit], *roles: Role) -> bool:
    mask = any_of(*roles)
    return any(unit.does(mask) for unit in units)


def _status_roles(units: list[Unit], asked: bool) -> int:  # noqa: FBT001
    """What may stand in a question for the state: "is it done?" is one, "it is done" is news."""
    done = Role.DONE | Role.SOLVED if asked or _has(units, Role.QUESTION) else 0
    return _STATUS | Role.MATTER | done


def _beside_code(words: list[str], *, asked: bool) -> tuple[Intent, bool]:
    """What is wanted of the case that is named, and whether unknown words were let pass."""
    units = _units(words, unknown=_ODD_WORDS)
    if units is None or (len(units) == 1 and units[0].roles & Role.HELP):
        return Intent.FOLLOW_UP, False
    odd = [unit.text for unit in units if not unit.roles]
    known = [unit for unit in units if unit.roles]
    if odd and not _are_let_pass(odd, len(words), known, asked=asked):
        return Intent.FOLLOW_UP, False
    if not odd and _thanks_for_it(units):
        return Intent.THANKS, False
    if _covers(known, _status_roles(known, asked)):
        return Intent.STATUS_QUERY, bool(odd)
    return Intent.FOLLOW_UP, False


def _is_of_another_thing(reading: tracking_code.Reading) -> bool:
    """Whether the only code in a person's own words is the number of a bill, a meter, a card.

    One number of twelve digits in ten has a right check digit. Ours is shown in fours.
    """
    if not reading.in_one_piece or len(reading.codes) > 1:
        return False
    near = [word for word in _WORD.findall(fold(reading.before)) if len(word) > _LITTLE]
    near = near[-_NEAR_WORDS:]
    roles = [lexicon().roles(word) for word in near]
    named = any(role & Role.NUMBERED for role in roles)
    return named and not any(role & (Role.CASE | Role.ANSWER) for role in roles)


def _thanks_for_it(units: list[Unit]) -> bool:
    """Thanks that come first and say for what; a bare "merci" beside a code is only polite."""
    first = next((at for at, unit in enumerate(units) if unit.roles & Role.THANKS), None)
    if first is None or not _covers(units, _THANKS | Role.ANSWER):
        return False
    asked = any(unit.roles & (_ASKING | Role.CASE) for unit in units[:first])
    return not asked and not _covers(units, _SOCIAL)


def _are_let_pass(odd: list[str], words: int, known: list[Unit], *, asked: bool) -> bool:
    """Whether unknown words leave a question a question: one short one, or a few beside its words.

    A question has a mark or a word that asks for the state, and names the case or wants to know.
    """
    news = any_of(Role.CONTENT, Role.TROUBLE, Role.NOT)
    # "ma" is French for "my" and Darija for "not".
    if any(unit.does(news) and not unit.roles & Role.MINE for unit in known):
        return False
    if not all(map(str.isalpha, odd)):
        return False
    asking = [unit for unit in known if unit.roles & _ASKING]
    if len(odd) == 1 and len(odd[0]) <= _ODD_LETTERS and words <= _ODD_AMONG and asking:
        return True
    state = any_of(Role.QUESTION, Role.TRACK)
    for_it = any(unit.roles & state and not unit.roles & Role.LABEL for unit in known)
    plain = _has(known, Role.CASE, Role.SEEK) or (asked and bool(asking))
    return (asked or for_it) and plain and words <= 2 * _ODD_AMONG


def _without_code(text: str, words: list[str], *, asked: bool) -> Intent:
    if not words:
        return Intent.HELP if asked else Intent.NOISE  # "?"
    if all(map(_is_mash, words)):
        return Intent.NOISE
    units = _units([word for word in words if len(word) == 1 or not _is_mash(word)])
    if units is None:
        return _of_words(words) if len(words) <= _MOST_WORDS else of_words(text)
    found = (
        _silence(units, words)
        or _courtesy(units)
        or _help(units, words)
        or _state(units, asked=asked)
        or _of_words(words)
    )
    if found is Intent.COMPLAINT and _is_still_waiting(units):
        return Intent.FOLLOW_UP
    return found


def _silence(units: list[Unit], words: list[str]) -> Intent | None:
    """Whether it wants no more texts, or wants them again."""
    if _covers(units, _OPT_OUT) and _wants_out(units, words):
        return Intent.OPT_OUT
    if _covers(units, _OPT_IN) and _wants_in(units, words):
        return Intent.OPT_IN
    return None


def _wants_out(units: list[Unit], words: list[str]) -> bool:
    if _has(units, Role.UNSUBSCRIBE):
        return True
    if _has(units, Role.STOP):
        if len(words) <= _BARE and _covers(units, _BARE_WORDS | Role.STOP):
            return True
        if _has(units, Role.MESSAGE, Role.SEND, Role.LIST):
            return True
    if _has(units, Role.REMOVE) and (
        _has(units, Role.MESSAGE, Role.LIST)
        or any(unit.words > 1 and unit.roles & Role.REMOVE for unit in units)
    ):
        return True
    if not _has(units, Role.NOT) or _STATEMENT.search(" ".join(words)):
        return False
    if _has(units, Role.MESSAGE):
        return _has(units, Role.SEND, Role.WANT, Role.AGAIN, Role.RECEIVE)
    return _has(units, Role.SEND) or (_has(units, Role.WANT) and _has(units, Role.RECEIVE))


def _wants_in(units: list[Unit], words: list[str]) -> bool:
    if _has(units, Role.START):
        bare = len(words) <= _BARE and _covers(units, _BARE_WORDS | Role.START | Role.WANT)
        return bare or _has(units, Role.MESSAGE, Role.RECEIVE, Role.LIST)
    return _has(units, Role.WANT) and _has(units, Role.RECEIVE) and _has(units, Role.MESSAGE)


def _courtesy(units: list[Unit]) -> Intent | None:
    """Noise, a greeting, thanks: nothing to file."""
    noise = sum(bool(unit.roles & (Role.NOISE | Role.YES)) for unit in units)
    if 2 * noise >= len(units) and _covers(units, _NOISE) and not _has(units, Role.THANKS):
        return Intent.NOISE
    grieved = any(
        unit.roles & Role.TROUBLE and not unit.roles & (_SOCIAL | Role.PRAISE) for unit in units
    )
    if grieved:
        return None
    if _has(units, Role.GREETING) and _covers(units, _GREETING):
        return Intent.GREETING
    first = next((at for at, unit in enumerate(units) if unit.roles & Role.THANKS), None)
    if first is None:
        return None
    needs = any(
        unit.roles & (Role.HELP | Role.SEEK) and not unit.roles & _SOCIAL for unit in units[:first]
    )
    if not needs and _covers(units, _THANKS):
        return Intent.THANKS
    for_what = units[first + 1].roles & Role.FUNCTION if first + 1 < len(units) else 0
    about = _THANKS | any_of(Role.CASE, Role.TRACK, Role.ANSWER, Role.DONE, Role.MATTER)
    if not needs and for_what and not _has(units, Role.QUESTION) and _covers(units, about):
        return Intent.THANKS
    if _has(units, Role.SOLVED) and _covers(units, about | _NEWS) and not _has(units, Role.SEEK):
        return Intent.THANKS
    return None


def _help(units: list[Unit], words: list[str]) -> Intent | None:
    """Whether it asks how the service is used, or what it is."""
    if not _covers(units, _HELP):
        return None
    lodge, case = _has(units, Role.LODGE), _has(units, Role.CASE)
    service = any(unit.roles & Role.SERVICE and not unit.roles & Role.TRACK for unit in units)
    if _has(units, Role.HOW):
        how = any(unit.words > 1 and unit.roles & Role.HOW for unit in units)
        named = case or _has(units, Role.TRACK)
        if lodge or (service and not case) or (how and not named):
            return Intent.HELP
    if (
        lodge
        and case
        and _has(units, Role.WANT, Role.SEEK)
        and not _has(units, Role.MINE, Role.OWN)
    ):
        return Intent.HELP  # "I want to file a complaint", and nothing of which
    if _has(units, Role.IDENTITY) and not case and not _has(units, Role.MINE):
        asked = any(unit.words > 1 and unit.roles & Role.IDENTITY for unit in units)
        if asked or _has(units, Role.SERVICE) or len(words) <= 2:  # noqa: PLR2004 - "شكون نتوما"
            return Intent.HELP
    help_roles = _SOCIAL | any_of(
        *(Role.HELP, Role.SEEK, Role.QUESTION, Role.WANT, Role.SERVICE, Role.LODGE)
    )
    if _has(units, Role.HELP) and ((lodge and case) or _covers(units, help_roles)):
        return Intent.HELP
    return None


def _state(units: list[Unit], *, asked: bool) -> Intent | None:
    """Whether it asks for the state of a case that it does not name."""
    if not _covers(units, _status_roles(units, asked)):
        return None
    if any(unit.roles & Role.TRACK for unit in units):
        return Intent.STATUS_QUERY
    if not _has(units, Role.CASE):
        # "When will I get an answer?"
        answer = any(unit.roles & Role.ANSWER for unit in units)
        return Intent.STATUS_QUERY if answer and _has(units, Role.QUESTION) else None
    known = _has(units, Role.QUESTION, Role.OWN, Role.MINE, Role.ANSWER)
    return Intent.STATUS_QUERY if known or asked else None


def _is_still_waiting(units: list[Unit]) -> bool:
    """A case or an answer, and that there is none: "chikaya walou", "toujours pas de réponse"."""
    return (
        _has(units, Role.TROUBLE)
        and _has(units, Role.CASE, Role.ANSWER)
        and _covers(units, _STATUS | Role.TROUBLE | Role.DONE)
    )


def _is_slip(words: list[str], calling_code: str) -> bool:
    """A code with a digit too few, too many, or a wrong letter, and at most words that ask."""
    rest = [word for word in words if not lexicon().roles(word) & (_STATUS | Role.MATTER)]
    joined = "".join(rest)
    digits = sum(letter.isdigit() for letter in joined)
    if (
        digits < _FEWEST_DIGITS
        or len(joined) - digits > _MOST_SLIPS
        or len(joined) not in _LENGTHS
        or not joined.isalnum()
        or not joined.isascii()
    ):
        return False
    telephone = joined.startswith("0") or bool(calling_code and joined.startswith(calling_code))
    asked = any(lexicon().roles(word) & (Role.CASE | _ASKING) for word in words)
    in_fours = len(rest) > 1 and len(rest[0]) == 4  # noqa: PLR2004 - as we show them
    return not telephone and (asked or in_fours or len(rest) == 1)


def of_words(text: str) -> Intent:
    """A complaint, or a follow-up where it speaks of an earlier one of its sender's."""
    return _of_words(_WORD.findall(fold(text[:_EARLIER_LIMIT])))


def _of_words(words: list[str]) -> Intent:
    if lexicon().told_before(words) or _names_own_case(words):
        return Intent.FOLLOW_UP
    return Intent.COMPLAINT


def _names_own_case(words: list[str]) -> bool:
    """Whether "ma plainte" or شكايتي stands there, but not "my complaint is about".

    Nor "mon dossier de bourse": that is another office's.
    """
    known = lexicon()
    for at, word in enumerate(words):
        roles = known.exact(word)
        if not roles & Role.CASE:
            continue
        before = known.exact(words[at - 1]) if at else 0
        after = words[at + 1] if at + 1 < len(words) else ""
        mine = roles & Role.OWN or before & Role.MINE or known.exact(after) & Role.MINE
        elsewhere = roles & Role.PAPER and after in _OF
        elsewhere = elsewhere or not _REFUSED.isdisjoint(words[max(at - 4, 0) : at])
        if mine and not elsewhere and not known.exact(after) & Role.ABOUT:
            return True
    return False


#: Before a case that another office would not take.
_REFUSED = frozenset(
    map(
        fold, ("refuse", "refusé", "refusent", "refused", "refuses", "رفض", "رفضت", "رفضو", "رفضوا")
    )
)
#: Before a word about another office's file.
_OF = frozenset(("de", "d", "du", "des", "of", "for", "pour"))
