# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a line of a mail stays one line here
"""Quoted mail in many languages and clients; a person's words in the same shapes are kept."""

import sys

import pytest

from channels.mail.reply import new_text

NEW = {
    "fr": "Bonjour,\nla fuite coule encore rue des Tanneurs.",
    "ar": "السلام عليكم،\nالماء مقطوع منذ ثلاثة أيام.",
    "ary": "الزبل باقي مراكم قدام الدار، عافاكم",
    "en": "Hello,\nthe bridge is still closed.",
}
ADDRESS = "desk@town.example"

HEADS = {
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
}

ATTRIBUTIONS = [
    f"Am Mo., 2. März 2026 um 10:00 Uhr schrieb Amt <{ADDRESS}>:",
    f"Amt Stadt <{ADDRESS}> schrieb am Mo., 2. März 2026 um\n10:00:",
    f"Am 02.03.2026 10:00 schrieb „Amt“ <{ADDRESS}\n>:",
    "Am 02.03.2026 um 10:00 schrieb Amt Stadt:",
    f"El lun, 2 mar 2026 a las 10:00, Oficina (<{ADDRESS}>) escribió:",
    f"Il giorno lun 2 mar 2026 alle ore 10:00 Ufficio <{ADDRESS}> ha\nscritto:",
    f"Op ma 2 mrt 2026 om 10:00 schreef Loket <{ADDRESS}>:",
    f"Em seg., 2 de mar. de 2026 às 10:00, Balcão <{ADDRESS}>\nescreveu:",
    f"W dniu pon., 2.03.2026 o 10:00 Urząd <{ADDRESS}> napisał(a):",
    f"man. 2. mar. 2026 kl. 10:00 skrev Kontor <{ADDRESS}>:",
    f"Den mån 2 mars 2026 kl 10:00 skrev Kontor <\n{ADDRESS}>:",
    f"ma 2. maalisk. 2026 klo 10.00 Virasto ({ADDRESS}) kirjoitti:",
    f"po 2. 3. 2026 v 10:00 odesílatel Úřad <{ADDRESS}> napsal:",
    f"пн, 2 мар. 2026 г. в 10:00, пользователь Город <{ADDRESS}> написал:",
    f"Büro <{ADDRESS}>, 2 Mar 2026 Pzt, 10:00 tarihinde şunu yazdı:",
    f"2026年3月2日(月) 10:00 窓口 <{ADDRESS}>:",
    f"于2026年3月2日 10:00，窗口 <{ADDRESS}> 写道：",
    f"2026년 3월 2일 (월) 오전 10:00, 창구 <{ADDRESS}>님이 작성:",
    f"On Mon, 2 Mar 2026 at 10:00 Town Desk\n\n<\nmailto:Town Desk <{ADDRESS}>\n> wrote:",
    "On Monday, 2 March 2026 10:00:00 UTC+1, Town Desk <javascript:;> wrote:",
    f"---- On Mon, 02 Mar 2026 10:00:00 +0100 Desk <{ADDRESS}> wrote ----",
    f"2026-03-02 10:00 GMT+01:00 Desk <{ADDRESS}>:",
    f"2026/3/2 Desk <{ADDRESS}>",
    f"Le lun. 2 mars\n2026 à 10:00, Guichet\n<{ADDRESS}>\na écrit :",
]


@pytest.mark.parametrize("words", NEW.values(), ids=NEW)
@pytest.mark.parametrize("above", ["", "________________________________\n"])
@pytest.mark.parametrize("labels", HEADS.values(), ids=HEADS)
def test_outlook_heads(words, above, labels):
    sender, sent, recipient, subject = labels
    head = (
        f"{sender}: Guichet <{ADDRESS}>\n{sent}: 2.3.2026 10:00\n{recipient}: Amina\n{subject}: x"
    )

    assert new_text(f"{words}\n\n{above}{head}\n\nBonjour") == words


@pytest.mark.parametrize("words", NEW.values(), ids=NEW)
@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quoted", ["> Hello\n> Bye", "Hello\nBye"])
def test_attributions(words, attribution, quoted):
    assert new_text(f"{words}\n\n{attribution}\n\n{quoted}") == words


@pytest.mark.parametrize(
    "line",
    [
        "-------- Message d’origine --------",
        "-------- الرسالة الأصلية --------",
        "-------- Ursprüngliche Nachricht --------",
        "-------- Mensaje original --------",
        "-------- Messaggio originale --------",
        "-------- Oorspronkelijk bericht --------",
        "-------- Исходное сообщение --------",
        "-------- Oryginalna wiadomość --------",
        "-------- Ursprungligt meddelande --------",
        "-------- Alkuperäinen viesti --------",
        "-------- 元のメッセージ --------",
        "------------------ 原始邮件 ------------------",
    ],
)
def test_original_message(line):
    assert new_text(f"{NEW['ar']}\n\n{line}\nX\n\nHello") == NEW["ar"]


@pytest.mark.parametrize(
    "advertisement",
    [
        "Sent from my iPhone",
        "Sent via BlackBerry from the network",
        "Get Outlook for Android",
        "Envoyé depuis mon mobile Orange",
        "أرسلت من هاتفي",
        "Gesendet von Outlook für iOS",
        "Von meinem iPhone gesendet",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "从我的 iPhone 发送",
        "나의 iPhone에서 보냄",
        "Envoyé avec Spark",
        "\u2063Télécharger BlueMail pour Android \u200b",
        "Envoyé de ma tablette Samsung",
        "Envoyé depuis l’application mail Orange",
        "Envoyé à partir d’Outlook pour Android<https://aka.ms/x>",
        "Provenance : Courrier pour Windows 10",
        "Gesendet von meinem Handy",
        "Gesendet mit der Telekom Mail App",
        "Scarica Outlook per iOS",
        "تم إرسالها من هاتف Huawei الخاص بي",
        "Yahoo Mail: Search, Organize, Conquer",
    ],
)
def test_advertisements(advertisement):
    assert new_text(f"{NEW['fr']}\n\n{advertisement}\n\nGet Outlook for iOS") == NEW["fr"]


@pytest.mark.parametrize(
    "last",
    [
        "Envoyé par courrier recommandé le 12 mars",
        "Envoyé par Orange Maroc en janvier",
        "Envoyé via le portail mobile de la commune",
        "Envoyé via mon compte Gmail le 3 mars",
        "envoyé par la mairie sur mon téléphone",
        "Envoyé depuis le bureau de poste",
        "Sent by the Honorable judge",
        "Sent from the office by a mobile crew",
        "Versendet mit der Post",
        "Enviado por correo certificado",
        "تم إرسالها عبر البريد المضمون",
        "أرسلت عبر بريد المغرب",
    ],
)
def test_how_a_person_sent_something_is_no_advertisement(last):
    assert new_text(f"{NEW['fr']}\n\n{last}") == f"{NEW['fr']}\n\n{last}"


@pytest.mark.parametrize(
    "quoted",
    [
        # A telephone sets the quoted words on the line of their attribution.
        f"On Tue, Mar 3, 2026 at 14:22, City Desk<{ADDRESS}> wrote:   Hello there",
        f"Le mar., mars 3 2026 à 14:22, Guichet<{ADDRESS}> a écrit :   Bonjour à vous",
        f"----- Mail d'origine -----\nDe: G <{ADDRESS}>\nÀ: A\nObjet: x\n\nBonjour",
        f"{'=' * 40}\nMessage du : 03/03/2026 14:22\nDe : G <{ADDRESS}>\nA : A\nSujet : x\n\nBonjour",
        f"Date: Tue, 3 Mar 2026 14:22:10 +0100\nFrom: {ADDRESS}\nTo: a@b.example\nSubject: x\n\nHello",
        f">>> Desk <{ADDRESS}> 3/3/2026 2:22 PM >>>\nHello Ann",
        (
            f"On Tue, Mar 3, 2026 at 2:22 PM G <{ADDRESS}> wrote:\n\n> Hello\n\n"
            "This e-mail is confidential and intended only for the addressee."
        ),
        (
            f"Le mar. 3 mars 2026 à 14:22, G <{ADDRESS}> a écrit :\n> Bonjour\n\n"
            "Ce message et ses pièces jointes sont destinés\nau seul usage du destinataire."
        ),
    ],
)
def test_heads_of_further_programs(quoted):
    assert new_text(f"{NEW['fr']}\n\n{quoted}") == NEW["fr"]


@pytest.mark.parametrize("rule", ["--", "—", "___", "____________________"])
def test_a_signature_tells_where_to_reach(rule):
    signature = f"{rule}\nAmina\nTél. 05 00 00 00 00"

    assert new_text(f"{NEW['fr']}\n\n{signature}") == NEW["fr"]


def test_other_heads():
    sent_first = (
        f"envoyé : 2 mars 2026 à 10:00\nde : G <{ADDRESS}>\nà : Amina\nobjet : x\n\nBonjour"
    )
    hotmail = f"Date: Mon, 2 Mar 2026 10:00\nSubject: x\nFrom: {ADDRESS}\nTo: a@b.example\n\nHello"

    assert new_text(f"{NEW['en']}\n\n{sent_first}") == NEW["en"]
    assert new_text(f"{NEW['en']}\n\n{hotmail}") == NEW["en"]
    assert new_text(f"{NEW['en']}\n\nTown Desk wrote:\n> Hello") == NEW["en"]
    assert new_text(f"{NEW['en']}\n\nاقتباس من G <{ADDRESS}> بتاريخ 2026/03/02:\n> س") == NEW["en"]


@pytest.mark.parametrize(
    "head",
    [
        f"-----Original Message-----\nFrom: D <{ADDRESS}>\nTo: a@b.example\nSent: 2 March 2026 10:00\nSubject: x\n> Hello",
        f"> ____________\n> Date: Mon, 2 Mar 2026 10:00\n> From: {ADDRESS}\n> To: a@b.example\n> Subject: x\n> Hello",
        f"> On Mon, 2 Mar 2026 at 10:00 Desk <{ADDRESS}> wrote:\n>\n> Hello",
    ],
)
def test_the_answer_below_what_is_named(head):
    assert new_text(f"{head}\n\n{NEW['ary']}") == NEW["ary"]


@pytest.mark.parametrize(
    "text",
    [
        # A person's own letter head, list or story.
        "Bonjour,\nDe : Amina\nÀ : la commune\nObjet : plainte\n\nLe trottoir est cassé.",
        "سلام\nمن: أمينة\nإلى: الجماعة\nالموضوع: شكاية\n\nالرصيف مكسور.",
        "Hallo,\nVon: Fes\nAn: Rabat\nDatum: 2. März\n\nDer Zug fiel aus.",
        "Ciao,\nDa: Fes\nA: Rabat\nData: 2 marzo\n\nIl treno non parte.",
        "Bonjour.\nLe 3 mars, le service a écrit :\nrevenez demain.",
        "Bonjour.\nLe 3 mars 2026 à 10:00, le service a écrit :\nrevenez demain.",
        "Bonjour.\nLe 3 mars, le service a écrit : revenez demain.",
        "سلام.\nفي 3 مارس كتبت المصلحة:\nارجعوا غدا.",
        "سلام\nنهار 3 مارس 2026 كتب ليا الموظف:\nرجع غدا",
        "Hello.\nOn 3 March 2026 the office wrote:\ncome back.",
        "Guten Tag.\nAm 3. März 2026 um 10:00 schrieb Herr Amt:\nkommen Sie morgen.",
        "Bonjour.\nLe 12/02/2026 à 10:30, un agent est venu.\nLe 14/02/2026 à 9:00, la fuite a repris.",
        f"Ils étaient deux :\nécrire à {ADDRESS} depuis 2024 :\nsans réponse.",
        # Rules and dashes that part one's own words.
        "Premier point.\n___\nSecond point : 12, rue des Puits.",
        "Bonjour\n—\nAppelez-moi au tél. 05 00 00 00 00.",
        "Bonjour\n___\nLieu du trou :\nprès de www.souk.example",
        "Je l'ai envoyé de la poste mobile, sans réponse depuis.\nMerci",
        # Answers between quoted lines, and the lines between them.
        f"Voici.\n\nOn Monday, G <{ADDRESS}> wrote:\n> Where?\nHere\n> When?\nNow",
        f"> On Monday, G <{ADDRESS}> wrote:\n> Where?\nHere\n> When?\nNow",
        # An answer below the quoted words that begins like a notice.
        f"Voici.\n\nOn Monday, G <{ADDRESS}> wrote:\n> Where?\n\nThis message is confidential.\n\nIn Fes.",
        f"Le 3 mars à 14:22, écrivez à {ADDRESS} :  rien ne vient.\nMerci.",
        # What is forwarded is the complaint.
        f"Voyez.\n\n-------- Message transféré --------\nDe : G <{ADDRESS}>\nEnvoyé : 2 mars 2026 10:00\nÀ : A\nObjet : x\n\nNon",
        f"Hier.\n\n-------- Weitergeleitete Nachricht --------\nVon: G <{ADDRESS}>\nGesendet: 2.3.2026\nAn: A\nBetreff: x\n\nNein",
        f"---------- Пересылаемое сообщение ---------\nОт: G <{ADDRESS}>\nДата: 2.3.2026 10:00\nКому: A\nТема: x\n\nНет",
    ],
)
def test_traps_lose_no_word(text):
    assert new_text(text) == text


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
        "> \n",
        "   \n",
        "On \n",
        "<\n> wrote:\n",
        "Town Desk wrote:\n",
        f"Sent: 2 March 2026 10:00\nFrom: {ADDRESS}\n",
        "Sent from my iPhone\n",
        f"Amt <{ADDRESS}> schrieb am Mo., 2. März 2026\n",
        "-----Original Message-----\n",
        "—\nA\nwww.a.example\n",
    ],
)
def test_work_grows_with_the_number_of_lines(piece):
    once, twice = calls(piece * 1_500), calls(piece * 3_000)

    assert twice < once * 2.2


@pytest.mark.parametrize(
    "piece", [">\n", "De : x\n", "On \n", "On 3\n", "Le 3 mars 2026, G <a@b.example>\n"]
)
def test_a_text_of_very_many_lines_is_kept_at_once(piece):
    text = f"{NEW['fr']}\n{piece * 20_000}fin"

    assert new_text(text) == text
    assert calls(text) < 100


def test_our_marker_cuts_a_text_of_very_many_lines():
    long = "Une ligne\n" * 12_000

    assert new_text(f"{long}\n-- reply above this line --\n> x") == long.strip()


def test_an_attribution_is_found_below_very_many_dates():
    dates = "\n".join(f"Le {day % 28 + 1} mars 2026 : fuite" for day in range(1_000))

    assert new_text(f"{dates}\n\nOn Mon, 2 Mar 2026 at 10:00 D <{ADDRESS}> wrote:\n\n> x") == dates
