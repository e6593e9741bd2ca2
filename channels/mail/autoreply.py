# SPDX-License-Identifier: MIT
"""Did a person write this, or a machine? (RFC 3834, RFC 3464, RFC 2919, and what machines do.).

A machine's mail is never answered automatically; it is still filed where it may be a complaint
(design, promises 5 and 11), so a doubtful sign never says more than ``bulk``. The words of a mail
are looked at only where its fields or its subject hint at a machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.mail.address import TOKEN_LENGTH
from channels.mail.bounce import first, is_bounce, nameless, report_type, subject_of
from channels.mail.notice import is_notice
from channels.mail.reply import MARKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["auto_submitted", "is_list", "report_type"]

# An automatic answer tells its business at once; what comes later may be quoted.
_OPENING = 1500
_AT_ONCE = 400
_END = r"\s*(?:$|[:：]|[-–—]\s)"

# What programs write before a colon, or alone. The same words inside a sentence are a person's.
_AUTO_SUBJECT = re.compile(
    r"\s*\[?(?:auto(?:matic|mated)?[ -]?(?:reply|response|replied|answer)|autoreply|auto"
    r"|out of (?:the )?office (?:auto[ -]?reply|reply|message|autoreply)"
    r"|vacation(?: reply| response)?|r[ée]ponse automatique|automatische antwort|automatisch"
    r"(?:e)? (?:antwoord|beantwoording)|abwesenheitsnotiz|abwesenheitsassistent"
    r"|respuesta automática|resposta automática|risposta automatica|odpowiedź automatyczna"
    r"|autoodpowiedź|автоматический ответ|автоответ|自動(?:応答|返信|回覆|答复)|自动(?:回复|答复)"
    r"|رد تلقائي|ردّ تلقائي|رد آلي|الرد التلقائي|الرد الآلي|إجابة تلقائية|جواب تلقائي)\]?" + _END,
    re.IGNORECASE,
)
# What stands above complaints as well ("Absence du bureau de poste").
_AWAY_SUBJECT = re.compile(
    r"\s*(?:absence du bureau|absente? du bureau|message d['’]absence|notification d['’]absence"
    r"|absence|absente?|en (?:congés?|vacances)|i am (?:away|out of)|away from|away|on leave"
    r"|on vacation|out of (?:the )?office|ooo"
    r"|accusé de réception(?: de votre \w+)?|we (?:have )?received your \w+"
    r"|(?:thank you|thanks) for (?:your (?:e-?mail|message|request)|contacting us)"
    r"|merci (?:pour|de) votre (?:message|courriel|mail)"
    r"|nous avons (?:bien )?reçu votre \w+|abwesend|abwesenheit|nicht im büro|im urlaub"
    r"|fuera de (?:la )?oficina|ausente|ausencia|fora do escritório|ausência|fuori (?:sede|ufficio)"
    r"|assente|afwezig(?:heid)?|niet aanwezig|poza biurem|нет на (?:месте|работе)|не в офисе"
    r"|в отпуске|不在(?:通知|のお知らせ)|外出|休假|不在办公室|不在辦公室"
    r"|خارج المكتب|في إجازة|في عطلة|غائب|غياب|غائبة? عن (?:المكتب|العمل)"
    r"|إشعار (?:ب)?(?:الاستلام|التوصل))" + _END,
    re.IGNORECASE,
)
# The sender is away. Persons write this too, of themselves and in passing.
_AWAY = re.compile(
    r"(?:je (?:suis|serai)|nous sommes)(?: actuellement| momentanément)?(?: absente?s?| en (?:"
    r"congés?|vacances)| en déplacement| indisponible| hors du bureau)"
    r"|i(?: am|['’]m|['’]ll be| will be) (?:currently )?(?:out of|away|on (?:annual )?leave|on "
    r"vacation|on holiday)|ich bin (?:derzeit |zur ?zeit |bis )?[^\n]{0,30}(?:nicht (?:im|am|"
    r"erreichbar)|abwesend|im urlaub)|(?:estoy|estaré|me encuentro) (?:fuera de|de vacaciones"
    r"|ausente)|(?:estou|estarei) (?:fora|de férias|ausente)|(?:sono|sarò) (?:fuori|assente|in "
    r"ferie)|ik ben [^.\n]{0,30}(?:afwezig|niet aanwezig|met vakantie)|jestem [^.\n]{0,20}(?:poza "
    r"biurem|na urlopie|nieobecn)|(?:нахожусь в отпуске|меня нет на|отсутствую)"
    r"|不在にして(?:おり|い)ます|休暇(?:を|中)|(?:正在|目前)?休假|不在办公室|不在辦公室"
    r"|(?:أنا|إنني|سأكون|أكون)[^.\n]{0,20}(?:خارج المكتب|في إجازة|في عطلة|غائبة?)"
    r"|(?:سأعود|عودتي) (?:إلى (?:المكتب|العمل) )?(?:يوم|بتاريخ|في)",
    re.IGNORECASE,
)
# Away from an office: nobody says that to a counter but a machine.
_OFFICE = re.compile(
    r"hors du bureau|out of (?:the )?office|nicht im büro|fuera de la oficina"
    r"|fora do escritório|fuori (?:sede|ufficio)|poza biurem|不在办公室|不在辦公室|خارج المكتب",
    re.IGNORECASE,
)
# Until when, and whom to ask meanwhile: with the absence, an announcement.
_MEANWHILE = re.compile(
    r"\b(?:until|till|back (?:on|in|soon|at)|return(?:ing)? (?:on|to)|jusqu['’]|de retour|mon "
    r"retour|reprise|semaine prochaine|contactez|écrivez|adressez|veuillez (?:contacter|écrire)"
    r"|en cas d['’]urgence|urgent (?:matters|cases)|please contact|bis (?:zum|einschließlich)"
    r"|hasta el|volveré|regres|até (?:o dia|dia)|retorno|fino al|rientr|tot en met|terug op|wracam"
    r"|do dnia|вернусь|по \d)|[まに]で|返信|(?:回来|返回)"
    r"|حتى|إلى غاية|ابتداء|سأعود|عودتي|الأسبوع|للتواصل|الاتصال ب",
    re.IGNORECASE,
)
# What only an automatic answer says.
_ROBOT = re.compile(
    r"(?:ceci|ce) (?:est|message est)[^.\n]{0,20} (?:un message |une réponse )?"
    r"(?:automatique|généré automatiquement)|merci de ne pas (?:y )?répondre|ne pas répondre à ce"
    r"|nous (?:accusons réception|avons bien reçu) (?:de )?votre"
    r"|this is an? auto(?:mated|matic|matically)|do not reply to this"
    r"|we have received your (?:message|e-?mail|request)"
    r"|diese (?:e-?mail|nachricht) wurde automatisch|automatisch (?:erzeugt|generiert|erstellt)"
    r"|wir haben ihre (?:nachricht|anfrage|e-?mail) erhalten"
    r"|(?:este|esta|esto) es un[ao]? (?:mensaje|respuesta) automátic|hemos recibido su"
    r"|est[ae] é uma (?:mensagem|resposta) automática|recebemos (?:a )?sua mensagem"
    r"|questo è un messaggio automatico|abbiamo ricevuto (?:il )?(?:suo|tuo|vostro|la sua)"
    r"|dit is een automatisch|wij hebben uw (?:bericht|e-?mail) ontvangen|wiadomość (?:została )?"
    r"wygenerowana automatycznie|это автоматическ|ваше (?:письмо|сообщение) (?:получено|принято)"
    r"|自動(?:返信|送信|配信)(?:メール|です|されて)|自动(?:回复|发送)|自動(?:回覆|發送)"
    r"|(?:هذا|هذه)[^.\n]{0,20}(?:رد|رسالة|جواب) (?:تلقائية?|آلية?|أوتوماتيكية?)"
    r"|(?:يرجى|المرجو) عدم الرد"
    r"|(?:لقد )?(?:توصلنا|تم استلام|تم التوصل) (?:ب)?(?:رسالتكم|رسالتك)",
    re.IGNORECASE,
)
_AUTO_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-autogenerated",
    "x-vacation",
    "x-autoreply-domain",
    "x-auto-responder",
    "x-mail-autoresponder",
    "x-auto-reply-from",
    "x-fc-machinegenerated",
)
# Ticket systems mark what they send, so that two of them do not answer each other for ever.
_LOOP_FIELDS = ("x-rt-loop-prevention", "x-otrs-loop", "x-ms-exchange-inbox-rules-loop")
#: Fields beyond ``Subject``, ``From`` and ``Content-Type`` that are weighed, by name or beginning.
WEIGHED_FIELDS = (
    *("auto", "x-auto", "x-vac", "x-fail", "x-mail", "prec", "list-"),
    *("x-fc-m", "x-ms-exchange-message-is-ndr", *_LOOP_FIELDS),
)
# A case's address at any gateway of this kind writes: a notice that lost its fields on its way.
_CASE_SENDER = re.compile(rf"\bcase\+[0-9]{{12}}\.[a-z2-7]{{{TOKEN_LENGTH}}}@", re.IGNORECASE)
_MARKER_WORDS = tuple(marker.strip("- ") for marker in MARKERS)


def auto_submitted(headers: Mapping[str, Sequence[str]], text: str = "") -> str:
    """Say what kind of sender a mail shows.

    Args:
        headers: field bodies by field name in lower case; ``return-path`` holds the envelope
            sender in angle brackets where it is known (``<>`` when empty).
        text: the readable text of the mail; ``""`` where only the fields are known. It settles
            what the fields leave open.

    Returns:
        ``"no"`` (a person), ``"auto-replied"``, ``"auto-generated"`` (RFC 3834; also read receipts,
        abuse reports and challenges), ``"bounce"`` (RFC 3464 and its look-alikes, also of mail
        that is only late) or ``"bulk"`` (lists, circulars and doubtful signs: a person's words
        perhaps, but never to be answered by a machine).
    """
    if is_bounce(headers, text):
        return "bounce"
    if is_notice(headers, text):
        return "auto-generated"
    declared = first(headers, "auto-submitted").partition(";")[0].partition("(")[0].strip().lower()
    if declared and declared != "no":
        return "auto-replied" if declared == "auto-replied" else "auto-generated"
    precedence = first(headers, "precedence").strip().lower()
    if precedence in ("auto_reply", "auto-reply") or any(map(_says_yes(headers), _AUTO_FIELDS)):
        return "auto-replied"
    silent = nameless(headers) or _bulk(headers, precedence) or _of_our_kind(headers, text)
    return _by_words(headers, text[:_OPENING], silent=silent)


def _by_words(headers: Mapping[str, Sequence[str]], opening: str, *, silent: bool) -> str:
    """Judge by the words; ``silent`` when the fields already forbid an automatic answer."""
    subject = subject_of(headers)
    title = bool(_AUTO_SUBJECT.match(subject))
    away = not title and bool(_AWAY_SUBJECT.match(subject))
    wordless = not opening.strip()
    if title and (silent or wordless or _AWAY.search(opening) or _ROBOT.search(opening)):
        return "auto-replied"
    if away and _announces(opening):
        return "auto-replied"
    if nameless(headers) and _announces(opening, at_office=bool(_OFFICE.search(subject))):
        return "auto-replied"
    # A machine's title above a person's words, or above none: filed, not answered.
    doubtful = title or (away and wordless)
    return "bulk" if silent or doubtful else "no"


def _announces(opening: str, *, at_office: bool = False) -> bool:
    """Whether it begins with an announcement of an absence, or says that a machine wrote it.

    ``at_office``: the subject speaks of an absence from an office.
    """
    at_once = opening[:_AT_ONCE]
    if _ROBOT.search(at_once):
        return True
    if not _AWAY.search(at_once):
        return False
    return at_office or bool(_OFFICE.search(at_once) or _MEANWHILE.search(opening))


def _of_our_kind(headers: Mapping[str, Sequence[str]], text: str) -> bool:
    """Whether a gateway like this one wrote it: from a case's address, or under its marker line.

    A person's answer stands above the marker, or quotes it.
    """
    if _CASE_SENDER.search(first(headers, "from")):
        return True
    line = text[:200].lstrip("\ufeff\u200e\u200f\u202a\u202b\u2067\u2066 \t\r\n-*_=#")
    return line.startswith(_MARKER_WORDS)


def _says_yes(headers: Mapping[str, Sequence[str]]) -> Callable[[str], bool]:
    return lambda name: (
        name in headers and first(headers, name).strip().lower() not in ("no", "false", "none", "0")
    )


def _bulk(headers: Mapping[str, Sequence[str]], precedence: str) -> bool:
    if precedence in ("bulk", "list", "junk") or is_list(headers):
        return True
    if any(name in headers for name in _LOOP_FIELDS):
        return True
    suppress = first(headers, "x-auto-response-suppress").lower()
    return any(word in suppress for word in ("all", "oof", "autoreply"))


def is_list(headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether any ``List-*`` field (RFC 2369, RFC 2919) is there."""
    return any(name.startswith("list-") for name in headers)
