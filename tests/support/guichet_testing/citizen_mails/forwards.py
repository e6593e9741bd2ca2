# SPDX-License-Identifier: MIT
"""Forwarded mail: what is forwarded is the complaint, or its proof, and must be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.clients import OUTLOOK_HEADS, prefixed
from guichet_testing.citizen_mails.envelope import (
    CITIZENS,
    ENCODINGS,
    attached,
    entity,
    multipart,
    sent,
)
from guichet_testing.citizen_mails.pages import blocks, lines

_LETTERS = {
    "fr": "Madame,\nVotre demande de branchement est rejetée : le quartier n'est pas desservi.\n"
    "Le directeur de l'agence",
    "ar": "السيدة المحترمة،\nنأسف لإخباركم برفض طلب الربط بشبكة الماء.\nمدير الوكالة",
    "en": "Dear customer,\nYour request for a connection has been refused.\nThe head of the branch",
}


@dataclass(frozen=True)
class Forward:
    """A client's way to forward: its subject, the comment above, the head, the mark of lines."""

    name: str
    language: str
    subject: str
    comment: str
    head: str
    prefix: str = ""
    threaded: bool = False


_F = "Agence de l'eau <agence@eau.example>"
_FORWARDS = (
    Forward(
        "gmail",
        "fr",
        "Fwd: Demande de branchement",
        "Bonjour, voici la réponse de l'agence. Je conteste ce refus.",
        f"---------- Forwarded message ---------\nDe : {_F}\nDate: mar. 3 mars 2026 à 12:00\n"
        "Subject: Demande de branchement\nTo: <citoyenne.sale@courriel.example>\n\n",
        threaded=True,
    ),
    Forward(
        "gmail",
        "ar",
        "Fwd: طلب الربط",
        "أرفق لكم جواب الوكالة، وأنا أعترض عليه.",
        "---------- Forwarded message ---------\nمن: \u202aوكالة الماء\u202c\u200f "
        "<\u202aagence@eau.example\u202c\u200f>\nDate: الثلاثاء، 3 مارس 2026 في 12:00 م\n"
        "Subject: طلب الربط\nTo: <mouwatin.fes@barid.test>\n\n",
        threaded=True,
    ),
    Forward(
        "gmail",
        "en",
        "Fwd: Connection",
        "",
        f"---------- Forwarded message ---------\nFrom: {_F}\nDate: Tue, Mar 3, 2026 at 12:00 PM\n"
        "Subject: Connection\nTo: <resident.agadir@mail.test>\n\n",
        threaded=True,
    ),
    Forward(
        "outlook",
        "fr",
        "TR: Demande de branchement",
        "Pour suite à donner, s'il vous plaît.",
        OUTLOOK_HEADS["fr"] + "\n",
    ),
    Forward(
        "outlook-threaded",
        "fr",
        "TR : Demande de branchement",
        "Je vous transmets ce courrier que je ne comprends pas.",
        OUTLOOK_HEADS["fr"] + "\n",
        threaded=True,
    ),
    Forward(
        "outlook",
        "ar",
        "إعادة توجيه: طلب الربط",
        "المرجو الاطلاع على هذا الجواب.",
        OUTLOOK_HEADS["ar"] + "\n",
        threaded=True,
    ),
    Forward(
        "outlook",
        "en",
        "FW: Connection",
        "See below what they wrote to us.",
        "________________________________\n" + OUTLOOK_HEADS["en"] + "\n",
        threaded=True,
    ),
    Forward(
        "iphone",
        "fr",
        "Tr : Demande de branchement",
        "شوفو آش جاوبوني.\n\nEnvoyé de mon iPhone",
        f"Début du message transféré :\n\n> De: {_F}\n> Date: 3 mars 2026 à 12:00:00 UTC+1\n"
        "> À: citoyenne.sale@courriel.example\n> Objet: Demande de branchement\n> ",
        "> ",
    ),
    Forward(
        "iphone",
        "ar",
        "إعادة توجيه: طلب الربط",
        "هذا ما توصلت به.",
        f"بداية الرسالة المعاد توجيهها:\n\n> من: {_F}\n> التاريخ: ٣ مارس ٢٠٢٦، ١٢:٠٠ م\n"
        "> إلى: mouwatin.fes@barid.test\n> الموضوع: طلب الربط\n> ",
        "> ",
        threaded=True,
    ),
    Forward(
        "iphone",
        "en",
        "Fwd: Connection",
        "Please help, I do not understand the answer.",
        f"Begin forwarded message:\n\n> From: {_F}\n> Date: 3 March 2026 at 12:00:00 GMT+1\n"
        "> To: resident.agadir@mail.test\n> Subject: Connection\n> ",
        "> ",
        threaded=True,
    ),
    Forward(
        "thunderbird",
        "fr",
        "Fwd: Demande de branchement",
        "Refus sans aucun motif sérieux.",
        "-------- Message transféré --------\nSujet : \tDemande de branchement\n"
        f"Date : \tTue, 3 Mar 2026 12:00:00 +0100\nDe : \t{_F}\n"
        "Pour : \tcitoyenne.sale@courriel.example\n\n",
    ),
    Forward(
        "thunderbird",
        "ar",
        "Fwd: طلب الربط",
        "رفض بدون تعليل.",
        "-------- الرسالة المُعاد توجيهها --------\nالموضوع: \tطلب الربط\n"
        f"التاريخ: \tTue, 3 Mar 2026 12:00:00 +0100\nمن: \t{_F}\n"
        "إلى: \tmouwatin.fes@barid.test\n\n",
    ),
    Forward(
        "yahoo",
        "fr",
        "Tr : Demande de branchement",
        "Ci-dessous leur réponse.",
        f" ----- Message transféré -----De : {_F}À : citoyenne.sale@courriel.example\n"
        "Envoyé : mardi 3 mars 2026 à 12:00:00 UTC+1Objet : Demande de branchement\n ",
    ),
    Forward(
        "zimbra",
        "fr",
        "Fwd: Demande de branchement",
        "Je demande un nouvel examen.",
        f"----- Mail transféré -----\nDe: {_F}\nÀ: citoyenne.sale@courriel.example\n"
        "Envoyé: Mardi 3 Mars 2026 12:00:00\nObjet: Demande de branchement\n",
    ),
    Forward(
        "samsung",
        "ar",
        "إعادة توجيه: طلب الربط",
        "هادا هو الجواب ديالهم.",
        f"-------- الرسالة الأصلية --------\nمن: {_F}\nالتاريخ: ٣\u200f/٣\u200f/٢٠٢٦  ١٢:٠٠ م\n"
        "إلى: mouwatin.fes@barid.test\nالموضوع: طلب الربط\n",
        threaded=True,
    ),
)


def mails() -> Iterator[CitizenMail]:
    """Forwarded in plain text, in a page, as a file."""
    for at, one in enumerate(_FORWARDS):
        letter = _LETTERS[one.language]
        body = f"{one.comment}\n\n{one.head}\n{prefixed(one.prefix, letter)}\n"
        comment = one.comment.removesuffix("\n\nEnvoyé de mon iPhone")
        said = f"{comment}\n\n{letter}"
        without_mobile = body.replace("Envoyé de mon iPhone\n", "")
        yield sent(
            f"forward/{one.name}/{one.language}",
            entity(body, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=one.subject,
            language=one.language,
            new_text=(said, body, without_mobile, _bare(without_mobile)),
            whole=body,
            answers=one.threaded,
        )
    yield from _in_pages()
    yield _as_a_file()


def _bare(text: str) -> str:
    """A text without the marks before its lines."""
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in text.split("\n"))


def _in_pages() -> Iterator[CitizenMail]:
    head_fr = OUTLOOK_HEADS["fr"]
    head_ar = OUTLOOK_HEADS["ar"]
    gmail_head = (
        "---------- Forwarded message ---------\nDe : Agence <agence@eau.example>\n"
        "Date: mar. 3 mars 2026 à 12:00\nSubject: Demande de branchement\n"
        "To: <citoyenne.sale@courriel.example>"
    )
    pages = (
        (
            "outlook-web",
            "fr",
            "TR: Demande de branchement",
            "Je conteste ce refus.",
            head_fr,
            (
                '<hr tabindex="-1" style="display:inline-block; width:98%">'
                f'<div id="divRplyFwdMsg" dir="ltr">{lines(head_fr)}</div>'
            ),
        ),
        (
            "outlook-web",
            "ar",
            "إعادة توجيه: طلب الربط",
            "أعترض على هذا القرار.",
            head_ar,
            (
                '<hr tabindex="-1" style="display:inline-block; width:98%">'
                f'<div id="divRplyFwdMsg" dir="rtl">{lines(head_ar)}</div>'
            ),
        ),
        (
            "gmail",
            "fr",
            "Fwd: Demande de branchement",
            "Voici leur réponse.",
            gmail_head,
            (
                f'<br><div class="gmail_quote"><div class="gmail_attr">{lines(gmail_head)}</div>'
                "<br><br>"
            ),
        ),
    )
    for at, (name, language, subject, comment, head, opening) in enumerate(pages):
        letter = _LETTERS[language]
        yield sent(
            f"forward page/{name}/{language}",
            entity(
                f"<html><body>{blocks(comment)}{opening}<div>{lines(letter)}</div></body></html>",
                "text/html",
                encoding=ENCODINGS[at % 3],
            ),
            citizen=CITIZENS[at],
            subject=subject,
            language=language,
            new_text=(f"{comment}\n{letter}", f"{comment}\n{head}\n{letter}"),
            whole=f"{comment}\n{head}\n{letter}",
            answers=True,
        )


def _as_a_file() -> CitizenMail:
    inner = (
        b"From: agence@eau.example\r\nSubject: Refus\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + _LETTERS["fr"].encode()
    )
    comment = "Vous trouverez leur courrier en pièce jointe."
    head = 'Content-Type: application/pdf; name="courrier.pdf"\r\n'
    head += 'Content-Disposition: attachment; filename="courrier.pdf"\r\n'
    head += "Content-Transfer-Encoding: base64"
    return sent(
        "forward/as a file/fr",
        multipart("mixed", entity(comment), attached(head, b"%PDF-1.4 " + inner)),
        citizen=CITIZENS[0],
        subject="TR: Refus",
        language="fr",
        new_text=comment,
        attachments=(("courrier.pdf", b"%PDF-1.4 " + inner),),
    )
