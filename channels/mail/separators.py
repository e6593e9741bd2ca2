# SPDX-License-Identifier: MIT
"""The lines that mail clients put between new and quoted words, by language.

Every test here takes at most ``LONGEST`` characters: a longer line is somebody's text, and no
expression can be made slow by it. Lines come as ``visible`` gives them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.mail.quotation_words import (
    CLIENTS,
    DISCLAIMER,
    FIELDS,
    FORWARDED,
    FORWARDED_STEMS,
    LINE_SELLERS,
    ORIGINALS,
    OWN_DEVICE,
    SENT_FROM,
    STARTS,
    SYSTEMS,
    VERBS,
    VERBS_UNPARTED,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Longest separator in characters, its line breaks folded.
LONGEST = 400
#: Most lines of an attribution, blank ones among them.
MOST_LINES = 8
_HEADER_LINES = 10

# Marks that clients put around right-to-left words, and a mail tracker's dot at the end.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u1427]")

_FIELD = re.compile(
    r"\*{0,2}\s{0,3}(?:"
    + "|".join(f"(?P<{kind}>{labels})" for kind, labels in FIELDS.items())
    + r")\s{0,3}\*{0,2}\s{0,3}[:：]",
    re.IGNORECASE,
)
_START = re.compile(
    rf"(?:-{{2,6}} ?)?(?:(?:{'|'.join(STARTS.values())})\b|\d|[在于於])", re.IGNORECASE
)
_VERB = rf"(?:\b(?:{'|'.join(VERBS.values())})\b(?:\(a\))?|(?:{VERBS_UNPARTED}))"
_SAID = re.compile(_VERB, re.IGNORECASE)
#: "> wrote:" or ">:" alone: the end of a wrapped address, no quotation.
_TAIL = re.compile(rf">\s{{0,3}}(?:{_VERB})?\s{{0,3}}[:：]", re.IGNORECASE)
_NAME_SAID = re.compile(
    rf"(?P<name>[^,;:!?]{{1,60}}?)\s{{1,3}}{_VERB}\s{{0,3}}[:：]", re.IGNORECASE
)
_PRONOUNS = frozenset({"i", "he", "she", "they", "we", "you", "elle", "elles", "ils", "on", "er"})
_MOST_NAMES = 4
# Some clients leave a script's address in the place of the mail address.
_ADDRESS = re.compile(
    r"[^\s<>@\"(\[:]{1,100}@[^\s<>@\")\]:]{1,100}|<\s?(?:mailto|javascript):", re.IGNORECASE
)
_TIME = re.compile(r"(?<!\d)\d{1,2}(?:[:.]|\s?[hH]\s?)\d{2}(?!\d)")
#: As clients set it, before the name; people rarely do, and they put an article then.
_TIME_AND_COMMA = re.compile(
    r"(?<!\d)\d{1,2}[:.]\d{2}(?!\d)[^,،]{0,20}[,،](?!\s{0,3}(?:l[ea]s?|l['’]|une?|the|an?|mon|ma|mes"
    r"|notre|nos|votre|vos|our|your|my|der|die|das)\b)"
    r"|(?<!\d)\d{1,2}[:.]\d{2}(?: Uhr)? (?:schrieb|schreef|skrev) (?!Herrn?\b|Frau\b)[A-Z\"<]"
)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2}(?!\d)")
#: The second line of a date broken before its year.
_REST_OF_DATE = re.compile(r"\d{4}(?![-/.年\d])")
#: Two blanks part an attribution from quoted words on its own line, as a telephone sets them.
_BEFORE_WORDS = re.compile(r"(.{20,250}?[:：])\s{2,10}\S")
_DATE_AND_ADDRESS = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}\b[^<>]{1,200}<[^<>\s@]+@[^<>\s@]+>")
#: A point that ends no sentence: "3." and the abbreviations beside dates.
_ORDINAL = re.compile(r"(?:\b\d{1,2}|\bг|\bkl|\bUhr)\.\Z")
_SENTENCE_ENDS = (".", "!", "?", "؟", "…")
_ENDS = (":", "：", "--")
_DECORATION = " \t*_-–—=#:"
_RULE = re.compile(r"[_\-=]{10,}")
#: French clients have many words for it.
_ORIGINAL = re.compile(
    r"(?:message|e?-?mail|courriel|courrier|mél) "
    r"(?:d['’]origine|original|originel|initial|précédent)",
    re.IGNORECASE,
)
_FORWARDED = re.compile(FORWARDED, re.IGNORECASE)
_DISCLAIMER = re.compile(DISCLAIMER, re.IGNORECASE)
#: GroupWise encloses its attribution: ">>> Sara Alami <s@a.example> 03/03/2026 14:22 >>>".
_ENCLOSED = re.compile(
    r">>> (?=.{0,200}\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?=.{0,200}\d{1,2}[:.]\d{2}).{10,250} >>>"
)
_MOBILE = re.compile(
    rf"(?:(?:{SENT_FROM})(?:\s|\b)(?:(?!compte|account|حساب)[^.;,\d]){{0,35}}"
    rf"(?:{CLIENTS}|{LINE_SELLERS}).{{0,60}}"
    rf"|(?:{SENT_FROM}) (?:{OWN_DEVICE})\b.{{0,40}}"
    r"|sent from (?:my|outlook|yahoo|mail|samsung)\b.{0,60}"
    rf"|(?:get|download|télécharge[rz]|obtenir|obtenez) \S{{1,20}}(?: \S{{1,20}})? (?:for|pour)"
    rf" (?:{SYSTEMS}).{{0,40}}|الحصول على outlook ل.{{0,40}}"
    r"|yahoo mail ?: .{3,70}"
    r"|outlook (?:für|para|per|voor|för|til|для) .{0,20}"
    r"|(?:holen sie sich|obt[eé]n(?:er|ga|ha)?|ottieni|download|hämta|hent|pobierz|scarica|скачать)"
    r" outlook .{0,40}"
    rf"|(?:von|vom) meine[mr] .{{1,60}} gesendet\.?"
    rf"|(?:{CLIENTS}).{{0,20}}(?:から送信|에서 보냄|(?:dan|den) gönderildi)"
    rf"|(?:从|從|发自|發自|寄自|傳送自).{{0,20}}(?:{CLIENTS}).{{0,20}}"
    rf"|나의 .{{0,20}}에서 보냄)",
    re.IGNORECASE,
)


def visible(line: str) -> str:
    """A line without marks of direction and outer blanks."""
    return _INVISIBLE.sub("", line).replace("\xa0", " ").replace("\u202f", " ").strip()


def is_original(text: str) -> bool:
    """Whether a line says that the original message follows: "-----Message d'origine-----"."""
    if len(text) > LONGEST:
        return False
    if _ENCLOSED.fullmatch(text):
        return True
    bare = text.strip(_DECORATION).replace("’", "'")
    if bare.casefold() not in ORIGINALS and not _ORIGINAL.fullmatch(bare):
        return False
    return len(text) - len(bare) > 1 or any("\u0600" <= letter <= "\u06ff" for letter in bare)


def is_forwarded(text: str) -> bool:
    """Whether a line says that what follows is forwarded: the sender wants it read."""
    if len(text) > LONGEST:
        return False
    lowered = text.lower()
    return any(stem in lowered for stem in FORWARDED_STEMS) and bool(_FORWARDED.search(text))


def is_disclaimer(text: str) -> bool:
    """Whether a line begins the confidentiality notice that a company's mail system adds."""
    return _DISCLAIMER.match(text[:LONGEST]) is not None


def is_mobile_signature(text: str) -> bool:
    """Whether a line is a client's own advertisement: "Envoyé de mon iPhone"."""
    return len(text) <= LONGEST and _MOBILE.fullmatch(text) is not None


def is_header_block(texts: Sequence[str], number: int) -> bool:
    """Whether From, Sent, To and Subject stand here, perhaps under a rule.

    From, To and a date alone are no head: people tell so of a journey.
    """
    ruled = is_rule(texts[number])
    if ruled:
        following = range(number + 1, min(number + 4, len(texts)))
        number = next((index for index in following if texts[index]), number)
    first = _field(texts[number])
    if first is None:
        return False
    kinds, address = _head(texts, number)
    if first == "from":
        return _is_complete(kinds, address=address or ruled)
    if not (address and {"from", "to", "subject"} <= kinds and kinds & {"sent", "date"}):
        return False
    if (first == "sent" or (ruled and first == "date")) and _TIME.search(texts[number][:LONGEST]):
        return True
    # Where a head is complete from its From on, what stands above it is a person's own list; but
    # for the date that it lacks.
    later = range(number + 1, min(number + _HEADER_LINES, len(texts)))
    start = next((index for index in later if _field(texts[index]) == "from"), None)
    if start is None:
        return False
    kinds, address = _head(texts, start)
    if not _is_complete(kinds, address=address):
        return True
    undated = not kinds & {"sent", "date"}
    return undated and start == number + 1 and _dates(texts[number])


def head_length(texts: Sequence[str], number: int) -> int:
    """How many lines a head takes that begins here: a rule or an introduction, then its fields."""
    end = number
    if is_original(texts[end]) or is_rule(texts[end]):
        end += 1
    while end < len(texts) and end - number < _HEADER_LINES and _field(texts[end]):
        end += 1
    return end - number


def _dates(text: str) -> bool:
    return bool(_TIME.search(text[:LONGEST]) and _YEAR.search(text[:LONGEST]))


def _head(texts: Sequence[str], number: int) -> tuple[set[str], bool]:
    """The kinds of field that follow from a line on, and whether one is a client's for certain.

    A mail address is, and a date with a time: people give neither when they head a letter.
    """
    kinds: set[str] = set()
    address = False
    for text in texts[number : number + _HEADER_LINES]:
        kind = _field(text)
        if kind in kinds:
            break  # Another head begins.
        if kind:
            kinds.add(kind)
            pattern = _TIME if kind == "date" else _ADDRESS
            address = address or pattern.search(text[:LONGEST]) is not None
    return kinds, address


def _is_complete(kinds: set[str], *, address: bool) -> bool:
    if "sent" in kinds or (address and "subject" in kinds):
        return len(kinds) > 2  # noqa: PLR2004 - of four
    return address and {"from", "date", "to"} <= kinds


def attribution(
    texts: Sequence[str],
    number: int,
    *,
    quote_follows: Sequence[bool],
    most_lines: int = MOST_LINES,
) -> int:
    """How many lines an attribution takes that begins here; 0: none.

    ``quote_follows[n]``: whether the first words from line n on are quoted, or there are none.
    A verb is not enough, people write it too: a mail address, or a date with a client's comma
    after the time or with quoted words below, must stand beside it.
    """
    joined = ""
    for length in range(1, min(most_lines, len(texts) - number) + 1):
        text = texts[number + length - 1]
        if length > 1 and not text:
            continue
        if length > 1 and text.startswith(">") and not ends_an_address(texts, number + length - 1):
            return 0
        joined = f"{joined} {text}".lstrip()
        if not joined or len(joined) > LONGEST:
            return 0
        below = number + length
        if _attributes(joined, below_is_quoted=quote_follows[below]) or (
            _is_address_and_date(joined) and _is_right_above_a_quote(below, texts, quote_follows)
        ):
            return 0 if _begins_later(texts, number, length) else length
        if length == 1:
            if _is_right_above_a_quote(below, texts, quote_follows) and _is_name_said(text):
                return 1
            if most_lines == 1 or not may_begin(text):
                return 0
    return 0


def may_begin(text: str) -> bool:
    """Whether a line may be the first of an attribution broken over several lines."""
    if text.endswith(_SENTENCE_ENDS) and not _ORDINAL.search(text):
        return False
    if _START.match(text):
        return any(map(str.isdigit, text))
    if _ADDRESS.search(text) and _SAID.search(text):
        return True
    return _YEAR.search(text) is not None and _TIME.search(text) is not None


def _is_address_and_date(joined: str) -> bool:
    return (
        joined.endswith((":", "："))
        and _YEAR.search(joined) is not None
        and _ADDRESS.search(joined) is not None
    )


def _is_name_said(text: str) -> bool:
    """Whether a line is a name and a verb only: "Sara Alami wrote:"."""
    found = _NAME_SAID.fullmatch(text)
    if found is None or _START.match(text):
        return False
    names = found["name"].split()
    return (
        0 < len(names) <= _MOST_NAMES
        and all(not name[0].islower() for name in names)
        and names[0].casefold() not in _PRONOUNS
        and names[0][0].isascii()
    )


def _is_right_above_a_quote(
    below: int, texts: Sequence[str], quote_follows: Sequence[bool]
) -> bool:
    return below < len(texts) and bool(texts[below]) and quote_follows[below]


def ends_an_address(texts: Sequence[str], number: int) -> bool:
    """Whether a line "> wrote:" closes an address that is open above it, and quotes nothing."""
    if not _TAIL.fullmatch(texts[number][:LONGEST]):
        return False
    above = " ".join(texts[max(number - 4, 0) : number])[-LONGEST:]
    return above.count("<") > above.count(">") and not above.startswith(">")


def _attributes(joined: str, *, below_is_quoted: bool) -> bool:
    if "  " in joined and _is_before_words(joined):
        return True
    if _DATE_AND_ADDRESS.fullmatch(joined):
        return True
    if joined.endswith(">"):
        return bool(
            _START.match(joined)
            and _SAID.search(joined)
            and _YEAR.search(joined)
            and _TIME.search(joined)
            and _ADDRESS.search(joined)
        )
    if not joined.endswith(_ENDS):
        return False
    # The search for a verb costs most: it comes last.
    address = _ADDRESS.search(joined) is not None
    dated = _YEAR.search(joined) is not None
    if address and dated and not joined.endswith("--") and _TIME.search(joined):
        return True  # In whatever language: a time, a mail address, a colon.
    if not address and not (dated and (below_is_quoted or _TIME_AND_COMMA.search(joined))):
        return False
    return _SAID.search(joined) is not None


def _is_before_words(joined: str) -> bool:
    """Whether an attribution begins the line of the words it quotes."""
    parted = _BEFORE_WORDS.match(joined)
    return bool(
        parted
        and _START.match(parted[1])
        and _YEAR.search(parted[1])
        and _TIME.search(parted[1])
        and _ADDRESS.search(parted[1])
        and _SAID.search(parted[1])
    )


def _begins_later(texts: Sequence[str], number: int, length: int) -> bool:
    """Whether a later line begins the same attribution: "On attend." is then a person's line."""
    for start in range(number + 1, number + length):
        rest = " ".join(filter(None, texts[start : number + length]))
        if (
            _START.match(texts[start])
            and not _REST_OF_DATE.match(texts[start])
            and _TIME.search(rest)
            and _YEAR.search(rest)
            and _attributes(rest, below_is_quoted=False)
        ):
            return True
    return False


def _field(text: str) -> str | None:
    found = _FIELD.match(text)
    return found.lastgroup if found else None


def is_rule(text: str) -> bool:
    """Whether a line is nothing but a long stroke."""
    return len(text) <= LONGEST and _RULE.fullmatch(text) is not None
