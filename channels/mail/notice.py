# SPDX-License-Identifier: MIT
"""Machine mail about mail: read receipts (RFC 8098), abuse reports (RFC 5965) and challenges.

A challenge asks the sender to prove to be a person. None of these is ever answered, and none says
that a mail of ours did not arrive.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.mail.bounce import NOTICE_LENGTH, first, nameless, report_type, subject_of
from channels.mail.bounce_words import NO_REPLY, NOTIFICATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ABUSE_SENDER = re.compile(
    r"staff@hotmail\.|feedbackloop|\bfbl|abuse[-_]?report|email[-_ ]?abuse|scomp@"
    r"|\bcomplaints?@aol",
    re.IGNORECASE,
)
_ABUSE_TITLE = re.compile(
    r"\s*(?:complaint about message from|e?-?mail (?:feedback|abuse) report|abuse report"
    r"|feedback report)",
    re.IGNORECASE,
)
_RECEIPT_TITLE = re.compile(
    r"\s*(?:lus?|non lus?|read|not read|gelesen|ungelesen|leído|letto|lida?|gelezen|przeczytano"
    r"|прочитано|開封済み|已读|已讀|accusé de lecture|confirmation de lecture|read receipt"
    r"|return receipt|lesebestätigung|confirmación de lectura|conferma di lettura"
    r"|تمت القراءة|مقروءة|إيصال (?:بال)?قراءة)\s*(?:[:：(]|$)",
    re.IGNORECASE,
)
_RECEIPT = re.compile(
    r"a été (?:lu|affiché|supprimé sans avoir été lu)\b|was read on|was (?:deleted without being )?"
    r"read|accusé de (?:réception|lecture) (?:du|de votre|pour le) (?:message|courriel|mail)"
    r"|this is a (?:return|read) receipt|return receipt for the (?:mail|message)"
    r"|wurde (?:am|um) [^\n]{0,40}gelesen|(?:fue|ha sido) leído|è stato letto|foi lida"
    r"|is gelezen op|開封され|已(?:被)?(?:阅读|閱讀)"
    r"|تمت قراءة (?:الرسالة|رسالتك)|تمت قراءتها",
    re.IGNORECASE,
)
_AT_ONCE = 400
#: Searched for as they are: one pattern of them all would cost more than the rest of the reading.
_CHALLENGERS = ("mailinblack", "spamarrest", "boxbe", "bluebottle", "spamenmoins", "tmda")
_CHALLENGE_WORD = re.compile(r"\bchallenge\b")
_CHALLENGE = re.compile(
    r"(?:confirm|verify) (?:that )?(?:you are (?:a )?(?:human|person|real)|your "
    r"(?:message|e?-?mail (?:message|address)) (?:to|so|before))"
    r"|(?:to|before) (?:have )?your (?:message|e-?mail) (?:is |to be |can be )?"
    r"(?:delivered|released),? (?:please|you must)|one[- ]time (?:sender )?verification"
    r"|(?:cliquez|cliquer)[^.\n]{0,80}(?:pour|afin)[^.\n]{0,60}(?:message|courriel|mail)[^.\n]{0,40}"
    r"(?:remis|délivré|transmis|distribué)|vous authentifier[^.\n]{0,80}(?:message|courriel|mail)"
    r"|(?:message|courriel|mail)[^.\n]{0,40}en attente (?:de validation|d['’]authentification)"
    r"|(?:pour|afin) que votre (?:message|courriel|mail)[^.\n]{0,40}(?:remis|délivré|transmis"
    r"|distribué)[^.\n]{0,40}(?:cliquez|authenti)"
    r"|(?:لتأكيد|تأكيد) (?:إرسال )?رسالتك",
    re.IGNORECASE,
)


def is_notice(headers: Mapping[str, Sequence[str]], text: str = "") -> bool:
    """Whether it is a read receipt, an abuse report or a challenge.

    Arguments as for :func:`channels.mail.bounce.is_bounce`.
    """
    if report_type(headers):
        return True
    subject, sender = subject_of(headers), first(headers, "from")
    if _ABUSE_SENDER.search(sender) and _ABUSE_TITLE.match(subject):
        return True
    silent = NO_REPLY.search(sender)
    if silent and NOTIFICATION.search(text[:NOTICE_LENGTH]):
        return True
    if _RECEIPT_TITLE.match(subject) and _RECEIPT.search(text[:NOTICE_LENGTH]):
        return True
    # Where a person's own address sends the challenge, the program names itself at once.
    challenger = silent or nameless(headers) or _names_challenger(f"{sender}\n{text[:_AT_ONCE]}")
    return bool(challenger and _CHALLENGE.search(text[:NOTICE_LENGTH]))


def _names_challenger(text: str) -> bool:
    small = text.lower()
    return any(name in small for name in _CHALLENGERS) or (
        "challenge" in small and _CHALLENGE_WORD.search(small) is not None
    )
