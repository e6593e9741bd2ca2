# SPDX-License-Identifier: MIT
"""The lines that mail clients put between new and quoted words, by language.

Every test here takes at most ``LONGEST`` characters: a longer line is somebody's text, and no
expression can be made slow by it. Lines come as ``visible`` gives them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Longest separator in characters, its line breaks folded.
LONGEST = 400
_MOST_LINES = 8
_HEADER_LINES = 10

# Marks that clients put around right-to-left words, and a mail tracker's dot at the end.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u1427]")

#: First words of an attribution: "Le ... a écrit :".
_STARTS: Mapping[str, str] = {
    "fr": "le|il y a",
    "ar": "في|بتاريخ|بتأريخ|يوم|كتب|كتبت",
    "en": "on",
    "others": "el|am|il|op|em|dnia|den|dne|lördag|понедельник|вторник|среда|четверг|пятница",
}
#: What somebody did.
_VERBS: Mapping[str, str] = {
    "fr": "a [ée]crit|ont [ée]crit",
    "ar": "كتبت?|كتبَ|كتابة|أرسلت?|جاء",
    "en": "wrote",
    "others": "schrieb|escribi[óo]|escreveu|ha scritto|schreef|skrev|napisał|napisała|napsal"
    "|a scris|kirjoitti|írta|yazdı|написала?|пишет",
}
_ORIGINALS = frozenset(
    {
        "message d'origine",
        "message d’origine",
        "message original",
        "message initial",
        "mail original",
        "e-mail d'origine",
        "e-mail d’origine",
        "الرسالة الأصلية",
        "رسالة أصلية",
        "original message",
        "original appointment",
        "ursprüngliche nachricht",
        "mensaje original",
        "mensagem original",
        "messaggio originale",
    }
)
#: Fields of a quoted head, by kind: French, Arabic, English, then others.
_FIELDS: Mapping[str, str] = {
    "from": "de|exp[ée]diteur|من|المرسل|from|von|от",
    "sent": "envoy[ée](?: le| par)?|تم الإرسال|(?:أ|أُ)رسلت?|تاريخ الإرسال|الإرسال|sent"
    "|gesendet|enviado(?: el)?|отправлено",
    "date": "date|التاريخ|تاريخ|datum|fecha|дата",
    "to": "[àa]|destinataires?|إلى|الى|to|an|para|кому",
    "copy": "cc|copie(?: à)?|نسخة(?: إلى)?",
    "subject": "objet|sujet|الموضوع|subject|betreff|asunto|oggetto|тема",
    "answer": "répondre à|الرد على|reply-to",
}
_FIELD = re.compile(
    r"\*{0,2}\s{0,3}(?:"
    + "|".join(f"(?P<{kind}>{labels})" for kind, labels in _FIELDS.items())
    + r")\s{0,3}\*{0,2}\s{0,3}[:：]",
    re.IGNORECASE,
)
_START = re.compile(rf"(?:-{{2,6}} ?)?(?:(?:{'|'.join(_STARTS.values())})\b|\d)", re.IGNORECASE)
_SAID = re.compile(rf"\b(?:{'|'.join(_VERBS.values())})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@\"(\[:]{1,100}@[^\s<>@\")\]:]{1,100}")
_TIME = re.compile(r"\b\d{1,2}(?:[:.]|\s?h\s?)\d{2}\b")
#: As clients set it, before the name; people rarely do.
_TIME_AND_COMMA = re.compile(r"\b\d{1,2}[:.]\d{2}\b[^,،]{0,20}[,،]")
_YEAR = re.compile(r"\b\d{4}\b|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{2}\b")
_DATE_AND_ADDRESS = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}\b[^<>]{1,200}<[^<>\s@]+@[^<>\s@]+>")
_SENTENCE_ENDS = (".", "!", "?", "؟", "…")
_ENDS = (":", "：", "--")
_DECORATION = " \t*_-–—=#:"
_RULE = re.compile(r"[_\-=]{10,}")
_FORWARDED = re.compile(
    r"forwarded (?:message|by)|begin forwarded|message (?:transféré|réexpédié|transmis)"
    r"|début du message (?:réexpédié|transféré)|(?:الرسالة|رسالة) (?:المعاد توجيهها|معاد توجيهها"
    r"|محولة|المحولة|مُعاد توجيهها)|بدء الرسالة المُ?عاد توجيهها",
    re.IGNORECASE,
)
_CLIENTS = (
    "iphone|ipad|samsung|galaxy|huawei|xiaomi|oppo|android|outlook|yahoo|gmail|hotmail|orange|proton"
    "|mail pour|mail for|courrier|smartphone|mobile|portable|téléphone|bluemail|sfr|free"
    "|ياهو|جالاكسي|سامسونج|الآيفون|آيفون|هاتفي|جهازي|هواوي|أندرويد|بريد"
)
_MOBILE = re.compile(
    rf"(?:sent from (?:my|outlook|yahoo|mail|samsung)\b.{{0,60}}|get outlook for .{{0,40}}"
    rf"|envoyé (?:de(?:puis)?|à partir|avec) .{{0,40}}(?:{_CLIENTS}).{{0,40}}"
    rf"|(?:télécharge[rz]|obtenir|obtenez) outlook pour .{{0,40}}"
    rf"|الحصول على outlook ل.{{0,40}}"
    rf"|(?:أُ?رسلت?|مُ?رسلة?|تم الإرسال|تم الارسال|تم إرسالها)(?: هذه الرسالة)?"
    rf" (?:من|باستخدام|عبر) .{{0,40}}(?:{_CLIENTS}).{{0,40}})",
    re.IGNORECASE,
)


def visible(line: str) -> str:
    """A line without marks of direction and outer blanks."""
    return _INVISIBLE.sub("", line).replace("\xa0", " ").replace("\u202f", " ").strip()


def is_original(text: str) -> bool:
    """Whether a line says that the original message follows: "-----Message d'origine-----"."""
    if len(text) > LONGEST:
        return False
    bare = text.strip(_DECORATION)
    dashes = len(text) - len(bare) > 1 or any("\u0600" <= letter <= "\u06ff" for letter in bare)
    return dashes and bare.casefold() in _ORIGINALS


def is_forwarded(text: str) -> bool:
    """Whether a line says that what follows is forwarded: the sender wants it read."""
    return len(text) <= LONGEST and _FORWARDED.search(text) is not None


def is_mobile_signature(text: str) -> bool:
    """Whether a line is a client's own advertisement: "Envoyé de mon iPhone"."""
    return len(text) <= LONGEST and _MOBILE.fullmatch(text) is not None


def is_header_block(texts: Sequence[str], number: int) -> bool:
    """Whether From, Sent, To and Subject stand here, perhaps under a rule.

    From, To and a date alone are no head: people tell so of a journey.
    """
    if _is_rule(texts[number]):
        following = range(number + 1, min(number + 4, len(texts)))
        number = next((index for index in following if texts[index]), number)
    first = _field(texts[number])
    if first is None:
        return False
    kinds, address = _head(texts, number)
    if first == "from":
        return _is_complete(kinds, address=address)
    if not (address and {"from", "to", "subject"} <= kinds and kinds & {"sent", "date"}):
        return False
    # Where a head is complete from its From on, what stands above it is a person's own list.
    later = range(number + 1, min(number + _HEADER_LINES, len(texts)))
    start = next((index for index in later if _field(texts[index]) == "from"), None)
    if start is None:
        return False
    kinds, address = _head(texts, start)
    return not _is_complete(kinds, address=address)


def _head(texts: Sequence[str], number: int) -> tuple[set[str], bool]:
    """The kinds of field that follow from a line on, and whether one holds a mail address."""
    kinds: set[str] = set()
    address = False
    for text in texts[number : number + _HEADER_LINES]:
        kind = _field(text)
        if kind in kinds:
            break  # Another head begins.
        if kind:
            kinds.add(kind)
            address = address or _ADDRESS.search(text[:LONGEST]) is not None
    return kinds, address


def _is_complete(kinds: set[str], *, address: bool) -> bool:
    return len(kinds) > 2 and (address or bool(kinds & {"subject", "sent"}))  # noqa: PLR2004 - of four


def attribution(texts: Sequence[str], number: int, *, quote_follows: Sequence[bool]) -> int:
    """How many lines an attribution takes that begins here; 0: none.

    ``quote_follows[n]``: whether the first words from line n on are quoted, or there are none.
    A verb is not enough, people write it too: a mail address, or a date with a client's comma
    after the time or with quoted words below, must stand beside it.
    """
    joined = ""
    for length in range(1, min(_MOST_LINES, len(texts) - number) + 1):
        text = texts[number + length - 1]
        if length > 1 and not text:
            continue
        joined = f"{joined} {text}".lstrip()
        if not joined or len(joined) > LONGEST:
            return 0
        if _attributes(joined, below_is_quoted=quote_follows[number + length]):
            return 0 if _begins_later(texts, number, length) else length
        if length == 1 and not (
            _START.match(text) and any(map(str.isdigit, text)) and not text.endswith(_SENTENCE_ENDS)
        ):
            return 0
    return 0


def _attributes(joined: str, *, below_is_quoted: bool) -> bool:
    if _DATE_AND_ADDRESS.fullmatch(joined):
        return True
    if not joined.endswith(_ENDS):
        return False
    address = _ADDRESS.search(joined) is not None
    time = _TIME.search(joined) is not None
    if not _SAID.search(joined):
        # In whatever language: a time, a mail address, a colon.
        return address and time and not joined.endswith("--") and _YEAR.search(joined) is not None
    dated = _YEAR.search(joined) is not None
    return address or (dated and (below_is_quoted or _TIME_AND_COMMA.search(joined) is not None))


def _begins_later(texts: Sequence[str], number: int, length: int) -> bool:
    """Whether a later line begins the same attribution: "On attend." is then a person's line."""
    for start in range(number + 1, number + length):
        rest = " ".join(filter(None, texts[start : number + length]))
        if (
            _START.match(texts[start])
            and _TIME.search(rest)
            and _YEAR.search(rest)
            and _attributes(rest, below_is_quoted=False)
        ):
            return True
    return False


def _field(text: str) -> str | None:
    found = _FIELD.match(text)
    return found.lastgroup if found else None


def _is_rule(text: str) -> bool:
    return len(text) <= LONGEST and _RULE.fullmatch(text) is not None
