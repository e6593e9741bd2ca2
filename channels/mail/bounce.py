# SPDX-License-Identifier: MIT
"""Notices of mail systems about mail of ours: not delivered, late, read, reported as unwanted.

RFC 3464 names the first; many systems still write free text. One sign never makes a bounce out of
a person's mail: words of a notice count only beside a sender that is no person (a mail system's
name, an empty return path), since citizens do complain about parcels and mails that never came.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A notice tells its business at once; what comes later may be the mail it quotes.
_NOTICE_LENGTH = 3000

_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?\s*([\w-]+)", re.IGNORECASE)
_SYSTEM = re.compile(
    r"\b(?:mailer[-_. ]?daemon|postmaster|postmaestro|mail[-_ ]?delivery|mdaemon|bounces?"
    r"|mail[-_. ]?system|mail administrator|microsoftexchange[0-9a-f]+|mmdf)\b",
    re.IGNORECASE,
)
_NO_REPLY = re.compile(r"\b(?:no|do[-_.]?not|ne[-_.]?pas)[-_.]?(?:reply|repondre)\b", re.IGNORECASE)
_ANSWER = re.compile(r"\s*(?:re|rép|aw|sv|tr|fwd?|wg|رد|إعادة توجيه)\s*[:：]", re.IGNORECASE)
# Titles that mail systems write and persons do not.
_TITLE = re.compile(
    r"\s*(?:undeliver(?:able\s*:|(?:ed|able)(?: mail| message)?\s*(?:$|returned))"
    r"|mail delivery (?:fail|status|system|problem\s*(?:$|:))"
    r"|(?:mail )?delivery (?:status )?notification"
    r"|delivery (?:failure|failed|error|report|has failed)"
    r"\s*(?:$|[:(]|report|notice|notification|- )|failure notice|failed mail\b"
    r"|returned mail|mail could not be delivered|message could not be delivered|mail system error"
    r"|warning: (?:message|could not send)|nondeliverable mail|(?:permanent )?delivery failure"
    r"|message delivery (?:fail|status|delay)|delayed mail|mail not delivered"
    r"|message status - undeliver|rejected mail|undelivered mail"
    r"|non remis\s*:|notification d['’]état de (?:la )?(?:remise|distribution)"
    r"|message non (?:remis|distribué)\s*(?:$|:)|courrier non (?:remis)\s*(?:$|:)"
    r"|échec de (?:la )?(?:remise|distribution) (?:du|de votre) (?:message|courriel|mail)"
    r"|unzustellbar\s*:|mensaje no entregad|não é possível entregar\s*:|no se puede entregar\s*:"
    r"|تعذّ?ر (?:ال)?تسليم\s*(?:الرسالة|:)|إشعار حالة التسليم)",
    re.IGNORECASE,
)
# Titles that also stand above a complaint.
_HINT = re.compile(
    r"undeliver|deliver(?:y|ed)?\b.*\b(?:fail|status|error|problem|delay|notif|incomplete)"
    r"|fail(?:ure|ed)\b.*\b(?:notice|deliver|notif)|returned mail|returned to sender"
    r"|mail (?:system )?error|non (?:remis|distribu)|échec de (?:la )?(?:remise|distribution)"
    r"|could not (?:be )?(?:deliver|send)|not be delivered|mail could not|delayed mail|unzustellbar"
    r"|no entregad|não entregue|メールエラー|配[信送](?:でき|不能|エラー)|送信エラー"
    r"|(?:تعذر|تعذّر|فشل) (?:ال)?تسليم|لم يتم (?:ال)?تسليم|退信",
    re.IGNORECASE,
)
# What known mail systems say, each in its own words.
_SAID = re.compile(
    # qmail, Exim, Postfix, Sendmail, Courier
    r"this is the \S{0,40}qmail|wasn't able to deliver your message"
    r"|created automatically by (?:the )?mail delivery|could not be delivered to one or more"
    r"|this is the mail system at|this is the \S{1,60} program at host"
    r"|permanent fatal errors|transcript of session follows|unable to deliver (?:your|the) message"
    # Exchange, Outlook
    r"|did not reach (?:the following|some or all)|delivery has failed to these"
    r"|delivery (?:to the following recipients?|is delayed to)"
    r"|diagnostic information for administrators|generating server\s*:"
    r"|échec de la remise (?:à|pour) ces|n['’]est pas parvenu à|serveur de génération\s*:"
    r"|informations de diagnostic (?:pour|à l)"
    # Notes, GroupWise, Gmail, and what many share
    r"|delivery failure\s*:|undeliverable to the following|failed permanently"
    r"|technical details of (?:permanent|temporary)|address couldn't be found"
    r"|message (?:wasn['’]t|was not|has not been|could not be|couldn't be|cannot be) delivered"
    r"|(?:mail|message)[^\n]{0,120}\s+could not be delivered to"
    r"|(?:following|these) (?:recipients?|address(?:es)?)\b[^.\n]{0,40}(?:fail|reject|undeliver)"
    r"|could not be delivered to\s*:?\s*<"
    # French, Arabic, German, Spanish, Portuguese, Italian, Japanese
    r"|votre (?:message|courriel|mail)\b[^\n]{0,120}n['’]a pas (?:pu être|été) "
    r"(?:remis|délivré|distribué|livré|acheminé)"
    r"|(?:تعذّ?ر|لم يتم|فشل) (?:في )?تسليم (?:الرسالة|رسالتك|البريد)"
    r"|nachricht[^\n]{0,120}nicht zugestellt|mensaje[^\n]{0,120}no (?:se ha podido|pudo|fue) entreg"
    r"|mensagem[^\n]{0,120}não (?:pôde|foi) (?:ser )?entreg|messaggio[^\n]{0,120}non (?:è stato|"
    r"può essere) (?:consegn|recapit)|送信できませんでした|配[信送]できません",
    re.IGNORECASE,
)
_LATE = re.compile(
    r"has not (?:yet )?been delivered (?:yet|to|after)|not yet been delivered"
    r"|will (?:continue|keep) (?:to )?(?:try|retry)|delivery attempts will continue"
    r"|this is a warning message only|do not need to resend|delivery (?:is|has been) delayed"
    r"|n['’]a pas encore (?:été|pu être)"
    r"|(?:tentatives|essais) (?:de remise )?(?:se poursui|continu)"
    r"|inutile de (?:le )?renvoyer|la remise (?:est|a été) retardée"
    r"|(?:تأخر|تأخير) (?:ال)?تسليم|ستستمر المحاول|wird weiter versucht",
    re.IGNORECASE,
)
_NOTIFICATION = re.compile(r"\"notificationType\"\s*:\s*\"(Bounce|Complaint)\"")
_ABUSE_SENDER = re.compile(
    r"staff@hotmail\.|feedbackloop|\bfbl|abuse[-_]?report|email[-_ ]?abuse|scomp@", re.IGNORECASE
)
_ABUSE_TITLE = re.compile(
    r"\s*(?:complaint about message from|e?-?mail (?:feedback|abuse) report|abuse report"
    r"|feedback report)",
    re.IGNORECASE,
)
_RECEIPT_TITLE = re.compile(
    r"\s*(?:lus?|non lus?|read|not read|gelesen|leído|accusé de lecture|read receipt"
    r"|return receipt|تمت القراءة|مقروءة|إيصال (?:بال)?قراءة)\s*(?:[:：(]|$)",
    re.IGNORECASE,
)
_RECEIPT = re.compile(
    r"a été lu le|was read on|was (?:deleted without being )?read|accusé de (?:réception|lecture) "
    r"(?:du|de votre|pour le) (?:message|courriel|mail)|this is a (?:return|read) receipt"
    r"|return receipt for the (?:mail|message)|تمت قراءة (?:الرسالة|رسالتك)|تمت قراءتها",
    re.IGNORECASE,
)
_CHALLENGER = re.compile(
    r"mailinblack|spamarrest|boxbe|bluebottle|spamenmoins|tmda|\bchallenge\b", re.IGNORECASE
)
_CHALLENGE = re.compile(
    r"(?:confirm|verify) (?:that )?(?:you are (?:a )?(?:human|person|real)|your "
    r"(?:message|e?-?mail (?:message|address)) (?:to|so|before))"
    r"|(?:to|before) (?:have )?your message (?:is |to be )?"
    r"(?:delivered|released),? (?:please|you must)|one[- ]time (?:sender )?verification"
    r"|(?:cliquez|cliquer)[^.\n]{0,80}(?:pour|afin)[^.\n]{0,60}(?:message|courriel|mail)[^.\n]{0,40}"
    r"(?:remis|délivré|transmis|distribué)|vous authentifier[^.\n]{0,80}(?:message|courriel|mail)"
    r"|(?:message|courriel|mail)[^.\n]{0,40}en attente (?:de validation|d['’]authentification)"
    r"|(?:لتأكيد|تأكيد) (?:إرسال )?رسالتك",
    re.IGNORECASE,
)


def first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    """The first body of a field, or ``""``."""
    values = headers.get(name)
    return values[0] if values else ""


def nameless(headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether the envelope sender is empty (RFC 5321, 4.5.5) or a mail system's bare name."""
    paths = {value.strip().lower() for value in headers.get("return-path", ())}
    return bool(paths & {"<>", "<mailer-daemon>"})


def report_type(headers: Mapping[str, Sequence[str]]) -> str:
    """The ``report-type`` of a ``multipart/report`` (RFC 6522) in lower case, or ``""``."""
    content_type = first(headers, "content-type").lower()
    if not content_type.lstrip().startswith("multipart/report"):
        return ""
    match = _REPORT_TYPE.search(content_type)
    return match[1] if match else "delivery-status"


def is_bounce(headers: Mapping[str, Sequence[str]], text: str = "") -> bool:
    """Whether a mail system says that a mail of ours did not arrive, or not yet.

    Args:
        headers: field bodies by field name in lower case, see ``autoreply.auto_submitted``.
        text: the readable text of the mail; ``""`` where only the fields are known.
    """
    if report_type(headers) in ("delivery-status", "global-delivery-status"):
        return True
    if "x-failed-recipients" in headers:
        return True
    subject, sender = first(headers, "subject"), first(headers, "from")
    said = bool(_SAID.search(text[:_NOTICE_LENGTH]) or _LATE.search(text[:_NOTICE_LENGTH]))
    hinted = bool(_HINT.search(subject) or _TITLE.match(subject))
    if _ANSWER.match(subject) and not said:
        return False
    if _SYSTEM.search(sender):
        return hinted or said
    if nameless(headers):
        return bool(_TITLE.match(subject)) or said
    if _NO_REPLY.search(sender):
        notification = _NOTIFICATION.search(text[:_NOTICE_LENGTH])
        return (notification is not None and notification[1] == "Bounce") or (hinted and said)
    return False


def free_text_action(headers: Mapping[str, Sequence[str]], text: str) -> str:
    """The RFC 3464 ``Action`` of a bounce that has no machine-readable part.

    Returns:
        ``"delayed"`` (late, not lost: nothing to do) or ``"failed"``.
    """
    late = _LATE.search(f"{first(headers, 'subject')}\n{text[:_NOTICE_LENGTH]}")
    return "delayed" if late else "failed"


def is_notice(headers: Mapping[str, Sequence[str]], text: str = "") -> bool:
    """Whether it is a read receipt (RFC 8098), an abuse report (RFC 5965) or a challenge.

    Arguments as for :func:`is_bounce`. A challenge asks the sender to prove to be a person.
    """
    if report_type(headers):
        return True
    subject, sender = first(headers, "subject"), first(headers, "from")
    if _ABUSE_SENDER.search(sender) and _ABUSE_TITLE.match(subject):
        return True
    start = text[:_NOTICE_LENGTH]
    if _NO_REPLY.search(sender) and _NOTIFICATION.search(start):
        return True
    if _RECEIPT_TITLE.match(subject) and _RECEIPT.search(start):
        return True
    challenger = _CHALLENGER.search(sender) or nameless(headers) or _NO_REPLY.search(sender)
    return bool(challenger and _CHALLENGE.search(start))
