# SPDX-License-Identifier: MIT
"""Answers in plain text: above the quoted words, below them, between them, above our marker."""

from __future__ import annotations

from collections.abc import Iterator

from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.clients import (
    CLIENTS,
    Client,
    client,
    in_plain_text,
    prefixed,
    quoting,
)
from guichet_testing.citizen_mails.envelope import CITIZENS, ENCODINGS, entity, sent
from guichet_testing.citizen_mails.words import ANSWERS, MARKERS, NOTICES, Words


def mails() -> Iterator[CitizenMail]:
    """All of them."""
    yield from _above()
    yield from _with_signature()
    yield from _below()
    yield from _between()
    yield from _above_our_marker()


def notice(one: Client) -> str:
    """What a citizen with this client was told."""
    return NOTICES.get(one.language, NOTICES["fr"])


def charset_for(text: str, at: int) -> str:
    """A charset that can write the text; not always UTF-8."""
    wanted = ("utf-8", "windows-1256", "utf-8", "windows-1252", "iso-8859-6", "iso-8859-15")[at % 6]
    try:
        text.encode(wanted)
    except UnicodeEncodeError:
        return "utf-8"
    return wanted


def _above() -> Iterator[CitizenMail]:
    for at, one in enumerate(CLIENTS):
        words = ANSWERS[at % len(ANSWERS)]
        body = in_plain_text(one, words.text, notice(one))
        charset = charset_for(body, at)
        yield sent(
            f"above/{one.name}/{one.language}",
            entity(body, charset=charset, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=f"{one.answer}{words.subject}",
            language=words.language,
            new_text=words.text,
            whole=body,
            charset=charset,
            answers=at % 5 != 4,
        )


#: A signature of the citizen's own, as its client sets it apart.
_SIGNATURES = (
    ("thunderbird", "fr", "-- \nCitoyenne de Salé\nQuartier des Orangers, Salé"),
    ("thunderbird", "ar", "-- \nمواطن من فاس\nحي السلام، فاس"),
    ("roundcube", "en", "-- \nResident of Agadir\nTenants' association, block 9"),
    ("outlook-desktop", "fr", "Cordialement,\n\nCitoyenne de Salé\nAssociation du quartier"),
    ("outlook-desktop", "ar", "مع أطيب التحيات،\n\nمواطنة من طنجة"),
    ("outlook-web", "en", "Kind regards,\nResident of Agadir"),
    ("gmail-web", "fr", "-- \nHabitant d’Oujda\nTél. 05 00 00 00 00"),
    ("zimbra", "fr", "Bien à vous,\nHabitant d’Oujda"),
    ("gmail-android", "ar", "وتقبلوا فائق الاحترام والتقدير\nمواطن من فاس"),
    ("apple-mail", "fr", "Respectueusement\nCitoyenne de Salé"),
)


def _with_signature() -> Iterator[CitizenMail]:
    for at, (name, language, signature) in enumerate(_SIGNATURES):
        one, words = client(name, language), ANSWERS[(at * 5 + 2) % len(ANSWERS)]
        signed = f"{words.text}\n\n{signature}"
        body = in_plain_text(one, signed, notice(one))
        undelimited = signature.removeprefix("-- \n")
        yield sent(
            f"signed/{name}/{language}",
            entity(body, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=f"{one.answer}{words.subject}",
            language=words.language,
            new_text=(words.text, signed, f"{words.text}\n\n{undelimited}"),
            whole=body,
            answers=True,
        )


def _below() -> Iterator[CitizenMail]:
    marked = [one for one in CLIENTS if one.prefix.strip() and not one.advert]
    for at, one in enumerate(marked):
        words = ANSWERS[(at * 7 + 3) % len(ANSWERS)]
        body = f"{quoting(one, notice(one))}\n\n{words.text}\n"
        yield sent(
            f"below/{one.name}/{one.language}",
            entity(body, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=f"{one.answer}{words.subject}",
            language=words.language,
            new_text=words.text,
            whole=body,
            answers=True,
        )


#: Questions of the administration, each with the citizen's answer right below it.
_DIALOGUES = (
    (
        "gmail-web",
        "fr",
        "fr",
        (
            ("Quelle est votre adresse exacte ?", "12, rue des Écoles, deuxième étage."),
            ("Depuis quand l'eau est-elle coupée ?", "Depuis le 21 février au matin."),
        ),
    ),
    (
        "thunderbird",
        "fr",
        "ary",
        (
            ("Quel est le numéro du compteur ?", "الرقم ديال الكونتور هو 88104."),
            ("Avez-vous reçu une facture ?", "لا، ما توصلت بحتى فاتورة هاد العام."),
        ),
    ),
    (
        "thunderbird",
        "ar",
        "ar",
        (
            ("ما هو رقم الملف لدى الصندوق؟", "رقم الملف هو 4471 على ما أذكر."),
            ("هل سلمتم كل الوثائق؟", "نعم، سلمتها كلها يوم 2 فبراير."),
        ),
    ),
    (
        "roundcube",
        "en",
        "en",
        (
            ("Which hospital was it?", "The provincial one, emergency entrance."),
            ("Do you have the receipts?", "Yes, both, I can send copies."),
        ),
    ),
    (
        "apple-mail",
        "ar",
        "mul",
        (
            ("ما اسم المدرسة؟", "Collège Ibn Khaldoun، قرب المسجد الكبير."),
            ("كم عدد التلاميذ في القسم؟", "Ils sont 52 élèves, والله العظيم."),
        ),
    ),
    (
        "gmail-android",
        "fr",
        "ary-Latn",
        (
            ("Où se trouve la route endommagée ?", "Mn jiht souk l9dim, 9ddam lferran."),
            ("Y a-t-il eu des accidents ?", "Ah, jouj had chher."),
        ),
    ),
    (
        "unknown",
        "ar",
        "ar",
        (
            ("ما تاريخ الجلسة؟", "كانت يوم 17 فبراير."),
            ("متى توصلتم بالاستدعاء؟", "يوم 25 فبراير، أي بعد الجلسة."),
        ),
    ),
    (
        "apple-mail",
        "en",
        "fr",
        (
            ("Which office did you go to?", "Celle du centre-ville, guichet 3."),
            ("What did they tell you?", "De revenir avec un extrait d'acte de naissance."),
        ),
    ),
)


def _between() -> Iterator[CitizenMail]:
    for at, (name, language, spoken, turns) in enumerate(_DIALOGUES):
        one = client(name, language)
        interleaved = "\n\n".join(f"{prefixed(one.prefix, ask)}\n\n{told}" for ask, told in turns)
        body = f"{one.head}\n{interleaved}\n"
        yield sent(
            f"between/{name}/{language}",
            entity(body, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=f"{one.answer}GU-2026-0042",
            language=spoken,
            new_text=("\n".join(told for _, told in turns), interleaved, body),
            whole=body,
            answers=True,
        )


_MARKED_BY = (
    ("gmail-web", "fr"),
    ("gmail-android", "ar"),
    ("outlook-desktop", "fr"),
    ("outlook-desktop", "ar"),
    ("outlook-mobile", "ar"),
    ("iphone", "fr"),
    ("iphone", "ar"),
    ("samsung", "ar"),
    ("yahoo", "en"),
    ("orange", "fr"),
    ("unknown", "en"),
    ("zimbra", "ar"),
)


def _above_our_marker() -> Iterator[CitizenMail]:
    for at, (name, language) in enumerate(_MARKED_BY):
        one, words = client(name, language), ANSWERS[(at * 5 + 1) % len(ANSWERS)]
        body = in_plain_text(one, words.text, f"{MARKERS[language]}\n\n{notice(one)}")
        yield sent(
            f"marker/{name}/{language}",
            entity(body, encoding=ENCODINGS[(at + 1) % 3]),
            citizen=CITIZENS[(at + 2) % len(CITIZENS)],
            subject=f"{one.answer}{words.subject} [GU-2026-0042]",
            language=words.language,
            new_text=words.text,
            whole=body,
            answers=True,
        )
    yield from _marker_alone()


def _marker_alone() -> Iterator[CitizenMail]:
    """A client that no list knows: only our own marker tells where its quote begins."""
    words: Words = ANSWERS[1]
    body = f"{words.text}\n\n{MARKERS['ar']}\n\n{NOTICES['ar']}\n"
    yield sent(
        "marker/without any head/ar",
        entity(body),
        citizen=CITIZENS[1],
        subject=f"رد: {words.subject}",
        language=words.language,
        new_text=words.text,
        whole=body,
        answers=True,
    )
