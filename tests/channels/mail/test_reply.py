# SPDX-License-Identifier: MIT
"""What is new in a reply, in the shapes that clients write."""

import sys

import pytest

from channels.mail.reply import MARKER_LINES, above_marker, new_text

NEW = "Merci, mais le lampadaire est toujours cassé.\n\nAmina"
NEW_AR = "شكرا، لكن المصباح ما زال معطلا.\n\nأمينة"

QUOTED = [
    "2026-11-23 10:00 GMT+01:00 Guichet <a@b.example>:\n\n> Bonjour",
    "Le lun. 23 nov. 2026 à 10:00, Guichet <case+1.a@guichet.example> a écrit :\n\n> Bonjour\n> Fin",  # noqa: E501
    (
        "Le lun. 23 nov. 2026 à 10:00, Guichet\n<case+482109375511.abcdefghijklmnop@guichet.example> a\n"  # noqa: E501
        "écrit :\n\n> Bonjour"
    ),
    "Le 23 nov. 2026 à 10:00, Guichet <a@b.example> a écrit :\n\n\nBonjour, votre réponse",
    "On Mon, Nov 23, 2026 at 10:00 AM Guichet <a@b.example> wrote:\n\n> Hello\n>\n> Bye",
    "De : Guichet <a@b.example>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : Amina\nObjet : Suivi\n\nBon",  # noqa: E501
    "________________________________\nDe : Guichet\nEnvoyé : lundi\nÀ : Amina\nObjet : x\n\nBon",
    "-----Message d'origine-----\nDe : Guichet\n\nBonjour",
    "From: Guichet <a@b.example>\nSent: Monday, November 23, 2026\nTo: Amina\nSubject: x\n\nHi",
    "*From:* Guichet <a@b.example>\n*Date:* Monday\n*To:* Amina\n*Subject:* x\n\nHi",
    "-----Original Message-----\nFrom: Guichet\n\nHi",
    "> Bonjour\n> Fin",
    (
        "\u200fفي الاثنين، ٢٣ نوفمبر ٢٠٢٦ في ١٠:٠٠ ص تمت كتابة ما يلي بواسطة \u202aGuichet\u202c\u200f"  # noqa: E501
        " <\u202aa@b.example\u202c>:\u200f\n\n> مرحبا"
    ),
    "في ٢٣ نوفمبر ٢٠٢٦، الساعة ١٠:٠٠ ص، كتب Guichet <a@b.example>:\n\n\u200f> مرحبا",
    "من: Guichet <a@b.example>\nتم الإرسال: الاثنين، ٢٣ نوفمبر ٢٠٢٦\nإلى: أمينة\nالموضوع: متابعة\n\nمرحبا",  # noqa: E501
    "\u200f----- الرسالة الأصلية -----\nمن: Guichet\n\nمرحبا",
]


@pytest.mark.parametrize("words", [NEW, NEW_AR])
@pytest.mark.parametrize("quoted", QUOTED)
def test_clients_shapes(words, quoted):
    assert new_text(f"{words}\n\n{quoted}\n") == words


@pytest.mark.parametrize("marker", MARKER_LINES.values())
@pytest.mark.parametrize("prefix", ["", "> ", ">> ", "\u200f> ", "| "])
def test_our_marker_cuts_whatever_the_client(marker, prefix):
    text = f"{NEW}\n\nЗдравствуйте, написал кто-то:\n{prefix}{marker}\n{prefix}Bonjour"

    assert new_text(text) == f"{NEW}\n\nЗдравствуйте, написал кто-то:"


def test_our_marker_and_an_attribution_above_it():
    text = f"{NEW}\n\nLe 23 nov. 2026 à 10:00, G <a@b.example> a écrit :\n\n> {MARKER_LINES['fr']}\n> x"  # noqa: E501

    assert new_text(text) == NEW


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (
            "Le 23 nov. 2026 à 10:00, G <a@b.example> a écrit :\n> Où est-ce ?\n\nRue Hassan II",
            "Rue Hassan II",
        ),
        (
            "في 23 نوفمبر 2026 10:00، كتب G <a@b.example>:\n> أين؟\n\nشارع الحسن الثاني",
            "شارع الحسن الثاني",
        ),
        ("Merci beaucoup.\n\n-- \nSalma\n0612345678", "Merci beaucoup."),
        # In whatever language: a time, a mail address, a colon, then what is quoted.
        (
            "Merci.\n\n2026-11-23 10:00 GMT+01:00 Guichet <\ncase@g.example>:\n\n> Où ?",
            "Merci.",
        ),
    ],
)
def test_what_is_plainly_new(text, new):
    assert new_text(text) == new


@pytest.mark.parametrize(
    "text",
    [
        # Answers between the quoted words, or below what nobody introduced.
        f"> {MARKER_LINES['fr']}\n> Où est-ce ?\n\nRue Hassan II",
        "Bonjour\n\n> Où est-ce ?\nRue Hassan II\n> Depuis quand ?\nHier",
        "Voici.\n\nOn Monday, G <a@b.example> wrote:\n> Where?\nHere\n> When?\nNow",
        # A forwarded mail is what the person sends us.
        (
            "Voyez ceci.\n\n---------- Forwarded message ----------\nFrom: X <x@example.org>\nDate: y\n"  # noqa: E501
            "Subject: z\nTo: w\n\nLa lettre"
        ),
        "Voyez.\n\n---------- الرسالة المعاد توجيهها ----------\nمن: س\nالتاريخ: ص\nإلى: ع\n\nنص",
        # Nothing above: unsure.
        "> tout est cité",
        "De : moi\nÀ : vous\nObjet : plainte\n\nMa plainte",
        # Words that only look like separators.
        "Mon adresse est a@b.example et le guichet ouvre à 10:00 :\nil était fermé.",
        "Il manque trois choses --\nla clé, la porte, le toit.",
        "Le directeur a écrit : revenez demain. Je reviens.",
        "On the wall somebody wrote: help",
        "من: الحي المحمدي أكتب إليكم",
        "كتب لي الموظف: ارجع غدا",
        "Le maire\na écrit :\nrien ne sera fait.",
        "-- \nAmina",
    ],
)
def test_unsure_is_kept(text):
    assert new_text(text) == text


def test_a_telephones_signature_is_left_out():
    assert new_text("Bonjour\n\nEnvoyé de mon iPhone\n\n> x") == "Bonjour"
    assert new_text("Envoyé de mon iPhone") == "Envoyé de mon iPhone"


def test_no_marker():
    assert above_marker("Bonjour") is None


def calls(text):
    """How many functions run while a text is read, those of the interpreter too."""
    count = 0

    def counted(_frame, event, _called):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        new_text(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "> x\ny\n",
        "On a\n",
        "De : x\n",
        "__________\n",
        "__________\n\n",
        "Le 3 mars 2026 à 10:00, G <a@b.example>\n",
        "Le 3 mars 2026 à 10:00, G <a@b.example> a écrit :\n> x\ny\n",
        "-- \n",
        "في 1\n",
        "Date: x\nSubject: y\n",
    ],
)
def test_work_grows_with_the_number_of_lines(piece):
    once, twice = calls(piece * 1_500), calls(piece * 3_000)

    assert twice < once * 2.2


@pytest.mark.parametrize(
    "long",
    [
        f"Le 3 mars 2026 à 10:00, {'G ' * 300}<a@b.example> a écrit :",
        f"-----{' ' * 500}Message d'origine-----",
        f"Message transféré {'x' * 500}",
        f"{'_' * 500}\nOù ?",
        f"Envoyé de mon iPhone{'!' * 500}",
    ],
)
def test_a_long_line_is_no_separator(long):
    # No expression sees more than 400 characters of a line: none can be made slow by one.
    assert new_text(f"Bonjour\n{long}\nRue Hassan II") == f"Bonjour\n{long}\nRue Hassan II"


@pytest.mark.parametrize(
    "unit", ["Le ", "-", "_ ", "> ", "a@", "1:00 ", "*", "من ", "\u200f", "From "]
)
def test_a_megabyte_on_one_line_is_kept(unit):
    text = f"Bonjour\n{unit * (1_000_000 // len(unit))}x:\nfin"

    assert new_text(text) == text
