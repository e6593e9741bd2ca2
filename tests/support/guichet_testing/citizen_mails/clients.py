# SPDX-License-Identifier: MIT
"""How mail clients set the words they quote: the head above them, the mark before each line.

Written from what these clients send, in French, Arabic and English, with their marks of direction
(U+200F, U+202A…U+202C, U+2067…U+2069) and Arabic-Indic digits.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """A client in one language.

    Attributes:
        name: the program.
        language: the language its own words are in.
        head: the lines above quoted words in plain text.
        prefix: what stands before each quoted line in plain text; ``""`` for nothing.
        head_quoted: whether the head bears the prefix as well.
        answer: what it sets before the subject of an answer.
        advert: the signature it adds by itself, or ``""``.
    """

    name: str
    language: str
    head: str
    prefix: str = "> "
    head_quoted: bool = False
    answer: str = "Re: "
    advert: str = ""


_G = "Guichet <plaintes@guichet.example>"
_RULE = "________________________________"


def _block(*lines: str, above: str = "") -> str:
    return "\n".join((above, *lines) if above else lines)


OUTLOOK_HEADS = {
    "fr": _block(
        f"De : {_G}",
        "Envoyé : mardi 3 mars 2026 12:00",
        "À : citoyenne.sale@courriel.example",
        "Objet : Votre plainte",
    ),
    "ar": _block(
        f"من: {_G}",
        "تم الإرسال: الثلاثاء، 3 مارس، 2026 12:00 م",
        "إلى: mouwatin.fes@barid.test",
        "الموضوع: شكايتكم",
    ),
    "en": _block(
        f"From: {_G}",
        "Sent: Tuesday, March 3, 2026 12:00 PM",
        "To: resident.agadir@mail.test",
        "Subject: Your complaint",
    ),
}
_ORIGINAL = {
    "fr": "-----Message d'origine-----",
    "ar": "-----الرسالة الأصلية-----",
    "en": "-----Original Message-----",
}
_OUTLOOK_ANSWER = {"fr": "RE : ", "ar": "رد: ", "en": "RE: "}
_OUTLOOK_ADVERT = {
    "fr": "Télécharger Outlook pour Android<https://aka.ms/AAb9ysg>",
    "ar": "الحصول على Outlook لـ Android<https://aka.ms/AAb9ysg>",
    "en": "Get Outlook for Android<https://aka.ms/AAb9ysg>",
}

CLIENTS = (
    Client(
        "gmail-web",
        "fr",
        "Le mar. 3 mars 2026 à 12:00, Guichet <plaintes@guichet.example> a\nécrit :",
    ),
    Client(
        "gmail-web",
        "ar",
        "في الثلاثاء، 3 مارس 2026 في 12:00 م تمت كتابة ما يلي بواسطة \u202aGuichet\u202c\u200f\n"
        "<\u202aplaintes@guichet.example\u202c\u200f>:",
        answer="رد: ",
    ),
    Client(
        "gmail-web",
        "en",
        "On Tue, Mar 3, 2026 at 12:00 PM Guichet <plaintes@guichet.example>\nwrote:",
    ),
    Client("gmail-android", "fr", f"Le mar. 3 mars 2026, 12:00, {_G} a écrit :"),
    Client(
        "gmail-android",
        "ar",
        "في الثلاثاء، ٣ مارس ٢٠٢٦، ١٢:٠٠ م \u202aGuichet\u202c\u200f "
        "<\u202aplaintes@guichet.example\u202c\u200f> كتب:",
    ),
    Client(
        "gmail-android",
        "en",
        "On Tue, 3 Mar 2026, 12:00 Guichet, <plaintes@guichet.example> wrote:",
    ),
    *(
        Client("outlook-desktop", tag, OUTLOOK_HEADS[tag], "", answer=_OUTLOOK_ANSWER[tag])
        for tag in ("fr", "ar", "en")
    ),
    *(
        Client(
            "outlook-desktop-plain",
            tag,
            _block(head, above=_ORIGINAL[tag]),
            "",
            answer=_OUTLOOK_ANSWER[tag],
        )
        for tag, head in OUTLOOK_HEADS.items()
    ),
    *(
        Client("outlook-web", tag, _block(head, above=_RULE), "", answer=_OUTLOOK_ANSWER[tag])
        for tag, head in OUTLOOK_HEADS.items()
    ),
    *(
        Client(
            "outlook-mobile",
            tag,
            _block(head, above=_RULE),
            "",
            answer=_OUTLOOK_ANSWER[tag],
            advert=_OUTLOOK_ADVERT[tag],
        )
        for tag, head in OUTLOOK_HEADS.items()
    ),
    Client(
        "iphone",
        "fr",
        f"Le 3 mars 2026 à 12:00, {_G} a écrit :\n",
        head_quoted=True,
        answer="Rép : ",
        advert="Envoyé de mon iPhone",
    ),
    Client(
        "iphone",
        "ar",
        f"\u200fفي ٣ مارس ٢٠٢٦، الساعة ١٢:٠٠ م، كتب/كتبت \u2068{_G}\u2069:\n",
        head_quoted=True,
        answer="رد: ",
        advert="أرسلت من الـ iPhone",
    ),
    Client(
        "iphone",
        "en",
        f"On 3 Mar 2026, at 12:00, {_G} wrote:\n",
        head_quoted=True,
        advert="Sent from my iPhone",
    ),
    Client("apple-mail", "fr", f"Le 3 mars 2026 à 12:00, {_G} a écrit :\n"),
    Client(
        "apple-mail",
        "ar",
        "في ٣ مارس ٢٠٢٦، الساعة ١٢:٠٠ كتب Guichet \u202b<plaintes@guichet.example>\u202c:\n",
        answer="رد: ",
    ),
    Client("apple-mail", "en", f"On Mar 3, 2026, at 12:00 PM, {_G} wrote:\n"),
    Client(
        "samsung",
        "fr",
        _block(
            "-------- Message d'origine --------",
            f"De : {_G} ",
            "Date : 03/03/2026  12:00  (GMT+01:00) ",
            "À : citoyenne.sale@courriel.example ",
            "Objet : Votre plainte ",
        ),
        "",
        advert="Envoyé depuis mon smartphone Samsung Galaxy.",
    ),
    Client(
        "samsung",
        "ar",
        _block(
            "-------- الرسالة الأصلية --------",
            f"من: {_G} ",
            "التاريخ: ٣\u200f/٣\u200f/٢٠٢٦  ١٢:٠٠ م  (GMT+01:00) ",
            "إلى: mouwatin.fes@barid.test ",
            "الموضوع: شكايتكم ",
        ),
        "",
        answer="رد: ",
        advert="تم الإرسال من هاتفي Samsung",
    ),
    Client(
        "samsung",
        "en",
        _block(
            "-------- Original message --------",
            f"From: {_G} ",
            "Date: 03/03/2026  12:00  (GMT+01:00) ",
            "To: resident.agadir@mail.test ",
            "Subject: Your complaint ",
        ),
        "",
        advert="Sent from my Galaxy",
    ),
    Client("yahoo", "fr", f"    Le mardi 3 mars 2026 à 12:00:00 UTC+1, {_G} a écrit :  \n ", "  "),
    Client(
        "yahoo", "ar", f"    في الثلاثاء، 3 مارس 2026 12:00:00 م غرينتش+1، كتب {_G}:  \n ", "  "
    ),
    Client(
        "yahoo", "en", f"    On Tuesday, March 3, 2026 at 12:00:00 PM GMT+1, {_G} wrote:  \n ", "  "
    ),
    Client(
        "yahoo-android",
        "fr",
        "Le mar. 3 mars 2026 à 12:00, Guichet\n<plaintes@guichet.example> a écrit : ",
        "  ",
        advert="Envoyé à partir de Yahoo Mail pour Android",
    ),
    Client(
        "yahoo-android",
        "ar",
        "في الثلاثاء، مارس 3، 2026 في 12:00 م، كتب Guichet\n<plaintes@guichet.example>: ",
        "  ",
        advert="تم الإرسال من Yahoo Mail على Android",
    ),
    Client("thunderbird", "fr", "Le 03/03/2026 à 12:00, Guichet a écrit :"),
    Client("thunderbird", "ar", "في 3\u200f/3\u200f/2026 12:00، كتب Guichet:"),
    Client("thunderbird", "en", "On 03/03/2026 12:00, Guichet wrote:"),
    Client(
        "zimbra",
        "fr",
        _block(
            "----- Mail original -----",
            'De: "Guichet" <plaintes@guichet.example>',
            'À: "Citoyenne" <citoyenne.sale@courriel.example>',
            "Envoyé: Mardi 3 Mars 2026 12:00:00",
            "Objet: Votre plainte",
        ),
        "",
    ),
    Client(
        "zimbra",
        "ar",
        _block(
            "----- الرسالة الأصلية -----",
            'من: "Guichet" <plaintes@guichet.example>',
            "إلى: mouwatin.fes@barid.test",
            "تاريخ الإرسال: الثلاثاء، 3 مارس 2026 12:00:00",
            "الموضوع: شكايتكم",
        ),
        "",
        answer="رد: ",
    ),
    Client(
        "zimbra",
        "en",
        _block(
            "----- Original Message -----",
            'From: "Guichet" <plaintes@guichet.example>',
            "To: resident.agadir@mail.test",
            "Sent: Tuesday, March 3, 2026 12:00:00 PM",
            "Subject: Your complaint",
        ),
        "> ",
    ),
    Client("roundcube", "fr", "Le 2026-03-03 12:00, Guichet a écrit :"),
    Client("roundcube", "ar", "في 2026-03-03 12:00، كتب Guichet:"),
    Client("roundcube", "en", "On 2026-03-03 12:00, Guichet wrote:"),
    Client(
        "hotmail",
        "fr",
        _block(
            "Date: Tue, 3 Mar 2026 12:00:00 +0100",
            "From: plaintes@guichet.example",
            "To: citoyenne.sale@courriel.example",
            "Subject: Votre plainte",
            above=_RULE,
        ),
        "> ",
        head_quoted=True,
        answer="RE: ",
    ),
    Client(
        "hotmail",
        "ar",
        _block(
            "From: plaintes@guichet.example",
            "To: mouwatin.fes@barid.test",
            "Subject: شكايتكم",
            "Date: Tue, 3 Mar 2026 12:00:00 +0100",
            above="\u200f" + _RULE,
        ),
        "",
        answer="RE: ",
    ),
    Client(
        "orange",
        "fr",
        _block(
            "Message du 03/03/26 12:00",
            'De : "Guichet" <plaintes@guichet.example>',
            "A : citoyenne.sale@courriel.example",
            "Copie à : ",
            "Objet : Votre plainte",
            " ",
        ),
        "> ",
        head_quoted=True,
        answer="re: ",
    ),
    Client(
        "orange-new",
        "fr",
        _block(
            "envoyé : 3 mars 2026 à 12:00",
            "de : Guichet <plaintes@guichet.example>",
            "à : citoyenne.sale@courriel.example",
            "objet : Votre plainte",
            "",
            "",
        ),
        "",
        answer="re: ",
    ),
    Client("unknown", "fr", f"Message de {_G}, 03/03/2026 12:00 :"),
    Client("unknown", "ar", f"اقتباس من {_G} بتاريخ 2026/03/03:"),
    Client("unknown", "en", f"{_G} (2026-03-03 12:00):", "| "),
    Client(
        "gmail-web",
        "es",
        "El mar, 3 mar 2026 a las 12:00, Guichet\n(<plaintes@guichet.example>) escribió:",
    ),
    Client(
        "gmail-web", "nl", "Op di 3 mrt 2026 om 12:00 schreef Guichet\n<plaintes@guichet.example>:"
    ),
    Client("thunderbird", "de", "Am 03.03.2026 um 12:00 schrieb Guichet:"),
    Client(
        "iphone",
        "it",
        f"Il giorno 3 mar 2026, alle ore 12:00, {_G} ha scritto:\n",
        head_quoted=True,
        advert="Inviato da iPhone",
    ),
)


def client(name: str, language: str) -> Client:
    """The client of this name in this language."""
    return next(one for one in CLIENTS if (one.name, one.language) == (name, language))


def quoting(one: Client, quoted: str) -> str:
    """The head and the quoted words, as the client sets them in plain text."""
    if one.head_quoted:
        return prefixed(one.prefix, f"{one.head}\n{quoted}")
    gap = "" if one.prefix else "\n"
    return f"{one.head}\n{gap}{prefixed(one.prefix, quoted)}"


def prefixed(prefix: str, text: str) -> str:
    """A text with a mark before each line."""
    if not prefix.strip():
        return "\n".join(prefix + line for line in text.split("\n"))
    return "\n".join((prefix + line).rstrip() for line in text.split("\n"))


def in_plain_text(one: Client, new: str, quoted: str) -> str:
    """An answer above what it answers."""
    advert = f"\n\n{one.advert}" if one.advert else ""
    return f"{new}{advert}\n\n{quoting(one, quoted)}\n"
