# SPDX-License-Identifier: MIT
"""What a short text wants: its status, help, silence; all else is a complaint or a follow-up.

When unsure, keep (design, promise 5): a text is a status query only when nothing but the code and
words such as "suivi" stand in it; "stop à la corruption" is a complaint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from normalizer import tracking_code
from normalizer.text import ascii_digits, fold


class Intent(StrEnum):
    """What a text wants."""

    STATUS_QUERY = "status_query"
    SLIP = "slip"
    HELP = "help"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    GREETING = "greeting"
    CONTENT = "content"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Understanding:
    """A short text, understood.

    Attributes:
        intent: what it wants.
        code: the tracking code in it, or ``None``.
    """

    intent: Intent
    code: str | None


def _words(*lists: str) -> frozenset[str]:
    return frozenset(fold(word) for words in lists for word in words.split())


#: Words that may stand beside a code in a status query.
_STATUS_WORDS = _words(
    "suivi suivre statut etat dossier plainte reclamation code numero no n ma mon de la le du svp",
    "status track tracking case complaint my number of please the",
    "تتبع حالة شكاية شكايتي رمز رقم ملف ملفي كود فين وصلات من فضلك",
    "tatabo3 chikaya chikayti fin wslat ramz",
)
_HELP_WORDS = _words("aide help مساعدة مساعده 3awnoni")
#: The whole text, nothing else. Carriers act on the English ones themselves.
_OPT_OUT = _words("stop stopall unsubscribe arret arreter توقف الغاء")
_OPT_IN = _words("start unstop reprendre ابدأ")
_GREETINGS = _words(
    "bonjour salut bonsoir salam slm merci hello hi thanks thank you",
    "السلام عليكم سلام شكرا مرحبا صباح مساء الخير",
)
_WORD = re.compile(r"[^\W_]+")


def understand(text: str) -> Understanding:
    """Understand one short text (SMS, subjectless mail).

    Args:
        text: as it came, any script.
    """
    reading = tracking_code.read(text)
    # Lazily: a long text is content from its first other word on, without looking at the rest.
    words = (match.group() for match in _WORD.finditer(ascii_digits(reading.rest)))
    if reading.code or reading.slip:
        if all(fold(word) in _STATUS_WORDS for word in words):
            intent = Intent.STATUS_QUERY if reading.code else Intent.SLIP
            return Understanding(intent, reading.code)
        return Understanding(Intent.CONTENT, reading.code)
    first = [fold(word) for word in islice(words, 2)]
    if not first:
        return Understanding(Intent.NOISE if not text.strip() else Intent.CONTENT, None)
    if len(first) == 1:
        for vocabulary, intent in (
            (_OPT_OUT, Intent.OPT_OUT),
            (_OPT_IN, Intent.OPT_IN),
            (_HELP_WORDS, Intent.HELP),
        ):
            if first[0] in vocabulary:
                return Understanding(intent, None)
    if all(word in _GREETINGS for word in first) and all(fold(w) in _GREETINGS for w in words):
        return Understanding(Intent.GREETING, None)
    return Understanding(Intent.CONTENT, None)
