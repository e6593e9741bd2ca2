# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a line of a mail stays one line here
"""French, Arabic and Darija replies in the shapes of many mail clients: no word of theirs is cut."""

import re
from collections import Counter

import pytest

from channels.mail.reply import new_text

FR = "Bonjour,\nle trou devant l'école est toujours là.\nMerci"
FR_SHORT = "Oui, rue Hassan II, près du marché."
AR = "السلام عليكم،\nالحفرة أمام المدرسة ما زالت هناك.\nشكرا"
AR_SHORT = "نعم، شارع الحسن الثاني، قرب السوق."
DARIJA = "واخا، ولكن الضو باقي طافي فالزنقة ديالنا من 3 سيمانات"
ARABIZI = "salam, l7ofra mazal kayna 9dam lmdrassa, 3afakom dirou chi 7el"
COLONS = "Il manque :\n- la lampe : cassée depuis le 3 mars 2026 à 10:00\n- le câble"
JOURNEY = "Le bus ne passe plus.\nDe : Tanger\nÀ : Rabat\nDate : 3 mars"
JOURNEY_AR = "الحافلة لا تأتي.\nمن: طنجة\nإلى: الرباط\nالتاريخ: 3 مارس"
SAID = "Le chef a écrit :\nrevenez demain. Je suis revenue hier."
SAID_AR = "كتب لي الموظف:\nارجع غدا. ورجعت البارحة."

ADDRESS = "case+1.a@guichet.example"
GMAIL_FR = (
    f"Le lun. 23 nov. 2026 à 10:00, Guichet <{ADDRESS}> a écrit :\n\n> Bonjour\n> Où est-ce ?"
)
GMAIL_FR_WRAPPED = f"Le lun. 23 nov. 2026 à 10:00, Guichet\n<{ADDRESS}>\na écrit :\n\n> Bonjour"
GMAIL_AR = (
    "\u202bفي الاثنين، 23 نوفمبر 2026 في 10:00 ص تمت كتابة ما يلي بواسطة \u202aGuichet\u202c\u200f"
    f" <\u202a{ADDRESS}\u202c>:\u202c\n\n> مرحبا\n> أين؟"
)
GMAIL_AR_WRAPPED = f"في الاثنين، ٢٣ نوفمبر ٢٠٢٦ في ١٠:٠٠ ص تمت كتابة ما يلي بواسطة Guichet\n<{ADDRESS}>:\n\n> مرحبا"
GMAIL_EN = f"On Mon, Nov 23, 2026 at 10:00\u202fAM Guichet <{ADDRESS}> wrote:\n\n> Hello"
GMAIL_EN_WRAPPED = f"On Mon, Nov 23, 2026 at 10:00 AM Guichet <\n{ADDRESS}> wrote:\n\n> Hello"
APPLE_FR = f"> Le 23 nov. 2026 à 10:00, Guichet <{ADDRESS}> a écrit :\n> \n> Bonjour\n> "
IPHONE_FR = f"Envoyé de mon iPhone\n\n> Le 23 nov. 2026 à 10:00, Guichet <{ADDRESS}> a écrit :\n> \n> \ufeffBonjour"
IPHONE_AR = f"\u200fأُرسلت من الـ iPhone\n\n\u200fفي ٢٣\u200f/١١\u200f/٢٠٢٦، الساعة ١٠:٠٠ ص، كتب Guichet <{ADDRESS}>:\n\n> \u200fمرحبا"
IPHONE_AR_LATIN = f"تم الإرسال من الـ iPhone\n\nفي 23 نوفمبر 2026، الساعة 10:00 ص، كتب Guichet <{ADDRESS}>:\n\n> مرحبا"
OUTLOOK_FR = f"De : Guichet <{ADDRESS}>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : Amina\nObjet : RE: Suivi\n\nBonjour, où est-ce ?"
OUTLOOK_FR_RULE = f"________________________________\n{OUTLOOK_FR}"
OUTLOOK_FR_BOLD = f"*De :* Guichet <{ADDRESS}>\n*Envoyé :* lundi\n*À :* Amina\n*Cc :* x\n*Objet :* Suivi\n\nBonjour"
OUTLOOK_AR = f"من: Guichet <{ADDRESS}>\nتم الإرسال: الاثنين، ٢٣ نوفمبر ٢٠٢٦ ١٠:٠٠ ص\nإلى: أمينة\nالموضوع: رد: متابعة\n\nمرحبا"
OUTLOOK_AR_MARKS = "\u200f\u202bمن:\u202c Guichet\n\u200fتم الإرسال:\u200f الاثنين\n\u200fإلى: أمينة\n\u200fنسخة: س\n\u200fالموضوع: متابعة\n\nمرحبا"
OUTLOOK_EN = f"From: Guichet <{ADDRESS}>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Amina\nSubject: Re: x\n\nHello"
OUTLOOK_PHONE_FR = f"Obtenir Outlook pour Android\n{OUTLOOK_FR_RULE}"
OUTLOOK_PHONE_AR = f"الحصول على Outlook لـ iOS\n________________________________\n{OUTLOOK_AR}"
ORIGINAL_FR = (
    "-----Message d'origine-----\nDe : Guichet\nEnvoyé : lundi\nÀ : Amina\nObjet : x\n\nBonjour"
)
ORIGINAL_AR = "-----الرسالة الأصلية-----\nمن: Guichet\n\nمرحبا"
SAMSUNG_FR = f"Envoyé depuis mon smartphone Samsung Galaxy.\n\n-------- Message d’origine --------\nDe : Guichet <{ADDRESS}>\nDate : 23/11/2026 10:00 (GMT+01:00)\nÀ : Amina\nObjet : x\n\nBonjour"
SAMSUNG_AR = f"مُرسل من هاتف Samsung Galaxy الذكي\n\n-------- الرسالة الأصلية --------\nمن: Guichet <{ADDRESS}>\nالتاريخ: ٢٣\u200f/١١\u200f/٢٠٢٦ ١٠:٠٠\nإلى: أمينة\nالموضوع: متابعة\n\nمرحبا"
YAHOO_FR = f"Le lundi 23 novembre 2026 à 10:00:00 UTC+1, Guichet <{ADDRESS}> a écrit :\n\n\nBonjour,\noù est-ce ?"
YAHOO_AR = (
    f"في الاثنين، 23 نوفمبر 2026 في 10:00:00 ص غرينتش+1، كتب Guichet <{ADDRESS}>:\n\n\nمرحبا\nأين؟"
)
YAHOO_PHONE_FR = f"Envoyé à partir de Yahoo Mail pour Android\n\nLe lun. 23 nov. 2026 à 10:00, Guichet<{ADDRESS}> a écrit :   Bonjour".replace(
    " :   Bonjour", " :\nBonjour"
)
THUNDERBIRD_FR = "Le 23/11/2026 à 10:00, Guichet a écrit :\n> Bonjour\n> Fin"
THUNDERBIRD_AR = "في 23/11/2026 10:00، كتب Guichet:\n> مرحبا"
ZIMBRA_FR = f'----- Mail original -----\nDe: "Guichet" <{ADDRESS}>\nÀ: "Amina"\nEnvoyé: Lundi 23 Novembre 2026 10:00:00\nObjet: x\n\nBonjour'
ZIMBRA_RULE = f'De: "Guichet" <{ADDRESS}>\nÀ: "Amina" <x@y.example>\nEnvoyé: Lundi 23 Novembre 2026\nObjet: x\n\nBonjour'
ZOHO = f"---- Le lun., 23 nov. 2026 10:00:00 +0100 Guichet <{ADDRESS}> a écrit ----\n\nBonjour"
HOTMAIL = f"Date: Mon, 23 Nov 2026 10:00:00 +0100\nSubject: x\nFrom: {ADDRESS}\nTo: amina@y.example\n\nBonjour"
SIGNED = f"{GMAIL_FR}\n\n-- \nAmina\n0612345678"

CASES = [
    *((FR, quoted) for quoted in (GMAIL_FR, GMAIL_FR_WRAPPED, APPLE_FR, IPHONE_FR, OUTLOOK_FR)),
    *((FR, quoted) for quoted in (OUTLOOK_FR_RULE, OUTLOOK_FR_BOLD, OUTLOOK_PHONE_FR, ORIGINAL_FR)),
    *((FR_SHORT, quoted) for quoted in (SAMSUNG_FR, YAHOO_FR, YAHOO_PHONE_FR, THUNDERBIRD_FR)),
    *((FR_SHORT, quoted) for quoted in (ZIMBRA_FR, ZIMBRA_RULE, ZOHO, HOTMAIL, SIGNED)),
    *((AR, quoted) for quoted in (GMAIL_AR, GMAIL_AR_WRAPPED, IPHONE_AR, IPHONE_AR_LATIN)),
    *((AR, quoted) for quoted in (OUTLOOK_AR, OUTLOOK_AR_MARKS, OUTLOOK_PHONE_AR, ORIGINAL_AR)),
    *((AR_SHORT, quoted) for quoted in (SAMSUNG_AR, YAHOO_AR, THUNDERBIRD_AR, GMAIL_EN)),
    *((DARIJA, quoted) for quoted in (GMAIL_FR, IPHONE_AR, SAMSUNG_FR, OUTLOOK_AR, YAHOO_AR)),
    *((ARABIZI, quoted) for quoted in (GMAIL_EN_WRAPPED, GMAIL_FR, OUTLOOK_EN, IPHONE_FR)),
    *((COLONS, quoted) for quoted in (GMAIL_FR_WRAPPED, OUTLOOK_FR_RULE)),
    *((JOURNEY, quoted) for quoted in (GMAIL_FR, OUTLOOK_FR)),
    *((JOURNEY_AR, quoted) for quoted in (GMAIL_AR, OUTLOOK_AR)),
    *((SAID, quoted) for quoted in (GMAIL_FR, THUNDERBIRD_FR)),
    *((SAID_AR, quoted) for quoted in (IPHONE_AR, YAHOO_AR)),
    # "On" and "Le" begin a person's line too, right above the attribution.
    ("Merci.\nOn attend depuis 3 mois", f"{GMAIL_FR_WRAPPED}"),
]


@pytest.mark.parametrize(("words", "quoted"), CASES)
@pytest.mark.parametrize("between", ["\n\n", "\r\n\r\n", "\n"])
def test_the_new_words_and_nothing_else(words, quoted, between):
    ours = new_text(f"{words}{between}{quoted}\n")

    assert not Counter(words.split()) - Counter(ours.split())
    assert ours == words


def test_enough_cases():
    assert len(set(CASES)) >= 40


@pytest.mark.parametrize(
    "text",
    [
        f"{GMAIL_FR}\nRue Hassan II\n> Depuis quand ?\nHier",
        f"سلام\n{THUNDERBIRD_AR}\nشارع الحسن الثاني\n> متى؟\nالبارحة",
        JOURNEY,
        JOURNEY_AR,
        f"Bonjour.\n{SAID}",
        f"سلام.\n{SAID_AR}",
        "Bonjour.\nLe 3 mars 2026 le chef a écrit :\nrevenez demain.",
        "Bonjour.\nLe 3 mars 2026 à 10:00 le chef a écrit :\nrevenez demain.",
        "سلام.\nفي 3 مارس 2026 على 10:00 كتب لي الموظف:\nارجع غدا.",
        "La lampe est cassée.\nEnvoyé depuis trois mois sans réponse",
        "Premier point\n-----\nSecond point",
        "Voici l'adresse a@b.example :\nécrivez-moi",
    ],
)
def test_a_persons_own_words_are_kept(text):
    assert re.sub(r"\s+", " ", new_text(text)) == re.sub(r"\s+", " ", text)
