# SPDX-License-Identifier: MIT
"""Citizens' own words that look like a client's: nothing of them may be cut."""

from __future__ import annotations

from collections.abc import Iterator

from guichet_testing.citizen_mails.citizen_mail import CitizenMail
from guichet_testing.citizen_mails.clients import client, in_plain_text
from guichet_testing.citizen_mails.envelope import CITIZENS, ENCODINGS, entity, sent
from guichet_testing.citizen_mails.words import NOTICES

#: In an answer, above truly quoted words: what it is, client, its language, words' language, words.
_IN_ANSWERS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "a journey from and to",
        "gmail-web",
        "fr",
        "fr",
        (
            "Voici le trajet supprimé :\nDe : la gare routière\nÀ : l'hôpital provincial\n"
            "Durée : deux heures à pied\n\nQuand le bus reviendra-t-il ?"
        ),
    ),
    (
        "a journey from and to",
        "iphone",
        "ar",
        "ar",
        "هذا هو الخط الذي ألغي:\nمن: المحطة الطرقية\nإلى: المستشفى الإقليمي\n\nمتى تعود الحافلة؟",
    ),
    (
        "what I wrote on the 3rd",
        "outlook-desktop",
        "fr",
        "fr",
        (
            "Le 3 mars j'ai écrit à la commune :\nle trottoir est cassé et personne ne vient.\n"
            "Depuis, aucune réponse."
        ),
    ),
    (
        "what the agent wrote on the 3rd",
        "thunderbird",
        "fr",
        "fr",
        (
            "Le 3 mars 2026, votre agent m'a écrit : « revenez lundi avec la facture ».\n"
            "Je suis revenue lundi et le bureau était fermé."
        ),
    ),
    (
        "on Monday I wrote",
        "gmail-android",
        "en",
        "en",
        "On Monday I wrote to the office in town:\nnobody answered.\n\nOn Friday I called in vain.",
    ),
    (
        "the employee wrote to me",
        "gmail-web",
        "ar",
        "ar",
        "كتب لي الموظف:\nالملف ناقص وعليك إحضار عقد الازدياد.\n\nوقد أحضرته قبل شهر، فما العمل؟",
    ),
    (
        "the employee wrote to me on a date",
        "outlook-web",
        "ar",
        "ar",
        "في 3 مارس كتب لي الموظف أن الملف جاهز.\nولما ذهبت قالوا إنه ضاع.",
    ),
    (
        "the chief wrote to me",
        "samsung",
        "fr",
        "ary",
        "القايد كتب ليا فالورقة: سير حتى تجيب شهادة السكنى.\nجبتها ليه وقال ليا ما بقاتش صالحة.",
    ),
    (
        "a list with dashes",
        "iphone",
        "fr",
        "fr",
        (
            "Il manque toujours :\n- l'eau au deuxième étage\n- la lumière dans l'escalier\n"
            "- le gardien\n\nMerci de tout réparer."
        ),
    ),
    (
        "a list with dashes",
        "thunderbird",
        "ar",
        "ar",
        "ما زلنا نعاني من:\n- انقطاع الماء\n- ضعف الصبيب\n- رائحة كريهة\n\nفمتى ينتهي هذا؟",
    ),
    (
        "digits alone",
        "gmail-android",
        "fr",
        "fr",
        "Voici les relevés :\n88104\n88190\n88275\n\n0500000000",
    ),
    ("digits alone", "gmail-web", "ar", "ar", "رقم العداد:\n٨٨١٠٤\nرقم الهاتف:\n٠٥٠٠٠٠٠٠٠٠"),
    ("one word", "gmail-android", "fr", "fr", "Oui"),
    ("one word", "iphone", "ar", "ary", "واخا"),
    ("one word", "outlook-mobile", "en", "en", "No."),
    (
        "words after the greeting",
        "outlook-desktop",
        "fr",
        "fr",
        (
            "L'eau est revenue.\n\nCordialement\n\nP.-S. : la facture de mars est fausse, 412 DH "
            "au lieu de 41."
        ),
    ),
    (
        "words after the greeting",
        "gmail-web",
        "ar",
        "ar",
        "عاد الماء والحمد لله.\n\nمع التحية\n\nملاحظة: فاتورة فبراير ما زالت خاطئة.",
    ),
    (
        "the administration's words in marks",
        "yahoo",
        "fr",
        "fr",
        (
            "Vous m'écrivez : « le problème est réglé le 27 février ».\nFaux : la rue est inondée, "
            "et j'ai des photos du 2 mars."
        ),
    ),
    (
        "the administration's words in marks",
        "roundcube",
        "ar",
        "ar",
        "كتبتم في جوابكم: «تم إصلاح العطب».\nهذا غير صحيح، فالعطب ما زال قائما إلى اليوم.",
    ),
    (
        "sent from a telephone, in a sentence",
        "outlook-web",
        "fr",
        "fr",
        (
            "La photo a été envoyée de mon iPhone le 2 mars.\nEnvoyé de la poste : le pli n° 77.\n"
            "Les deux sont restés sans suite."
        ),
    ),
    (
        "original message, in a sentence",
        "zimbra",
        "fr",
        "fr",
        "Mon message d'origine parlait de deux rues.\nVous n'en citez qu'une : et la rue 15 ?",
    ),
    (
        "a heading between dashes",
        "gmail-web",
        "fr",
        "fr",
        (
            "--- Premier problème ---\nL'eau est coupée.\n\n--- Deuxième problème ---\n"
            "La facture est fausse."
        ),
    ),
    (
        "a form with rules",
        "outlook-desktop-plain",
        "fr",
        "fr",
        (
            "Nom : ____________ (je n'ai pas compris)\nQuartier : Orangers\nCompteur : 8810\n\n"
            "Est-ce complet ?"
        ),
    ),
    (
        "a letter's heading",
        "gmail-web",
        "fr",
        "fr",
        (
            "Objet : réclamation contre une facture\nRéf : GU-2026-0042\n\nMonsieur le Directeur,\n"
            "Je maintiens ma réclamation."
        ),
    ),
    (
        "a letter's heading",
        "gmail-android",
        "ar",
        "ar",
        "الموضوع: شكاية\nالمرجع: GU-2026-0042\n\nسيدي المدير،\nأؤكد لكم شكايتي السابقة.",
    ),
    (
        "an address and a link",
        "thunderbird",
        "en",
        "en",
        (
            "The form at https://forms.example/pass?step=3 fails.\nI wrote to agence@eau.example "
            "on 3 March: no answer."
        ),
    ),
    (
        "thanks, then the matter",
        "outlook-mobile",
        "fr",
        "fr",
        "Merci.\n\nMais le lampadaire du n° 9 est encore éteint, et celui du n° 11 aussi.",
    ),
    (
        "date at the beginning of a line",
        "orange",
        "fr",
        "fr",
        "Le 12/02/2026 à 10:30, un technicien est passé.\nLe 14/02/2026 à 9:00, la fuite a repris.",
    ),
    (
        "hours at the beginning of a line",
        "gmail-web",
        "en",
        "ary-Latn",
        "F 3 mars 2026 m3a 12:00 ja technicien.\nGal liya l9ada machi dyalo, w mcha.",
    ),
)

#: Alone in a first complaint: what it is, words' language, subject, words.
_IN_COMPLAINTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "a whole letter's heading",
        "fr",
        "Réclamation",
        (
            "De : Citoyenne de Salé\nÀ : Monsieur le président de la commune\nDate : 3 mars 2026\n"
            "Objet : éclairage public\n\nMonsieur le président,\nNotre rue est sans lumière.\n\n"
            "Cordialement,\nCitoyenne de Salé"
        ),
    ),
    (
        "a whole letter's heading",
        "ar",
        "شكاية",
        (
            "من: مواطن من فاس\nإلى: السيد رئيس الجماعة\nالتاريخ: 3 مارس 2026\nالموضوع: الإنارة\n\n"
            "السيد الرئيس،\nزنقتنا بلا إنارة منذ شهر.\n\nوتقبلوا فائق التقدير."
        ),
    ),
    (
        "items marked as a quote",
        "fr",
        "Trois défauts",
        "Je signale :\n> lampadaire 9 éteint\n> lampadaire 11 cassé\n> banc arraché\nMerci.",
    ),
    ("items marked as a quote", "ar", "أعطاب", "أبلغ عن:\n> عمود مكسور\n> بالوعة مفتوحة\nوشكرا."),
    (
        "a rule of two dashes",
        "fr",
        "Deux plaintes",
        "Première plainte : l'école n'a pas d'eau.\n-- \nDeuxième plainte : la route est coupée.",
    ),
    (
        "a rule of many",
        "en",
        "Two complaints",
        "First: the bus is late.\n________________________________\nSecond: the stop has no roof.",
    ),
    (
        "the agent wrote",
        "fr",
        "Refus",
        (
            "Le 3 mars 2026 à 12:00, l'agent a écrit :\n"
            "dossier refusé, sans tampon.\nJe demande pourquoi."
        ),
    ),
    (
        "the employee wrote",
        "ar",
        "رفض",
        ("في 3 مارس 2026، الساعة 12:00 كتب الموظف:\nالملف مرفوض.\nأطلب معرفة السبب."),
    ),
    (
        "a sentence that begins with From",
        "en",
        "Train",
        (
            "From: Rabat\nTo: Casablanca\n"
            "Sent: two letters, no answer\nSubject: the 7:30 train never comes.\n\nPlease act."
        ),
    ),
    (
        "the answer of another office, pasted",
        "fr",
        "Réponse de l'agence",
        (
            "Voici ce que l'agence m'a répondu :\n\n-----Message d'origine-----\n"
            "De : Agence <agence@eau.example>\nEnvoyé : lundi 2 mars 2026 10:00\nObjet : Refus\n\n"
            "Votre demande est refusée.\n\nJe conteste."
        ),
    ),
    ("only digits", "ar", "رقم العداد", "88104\n88190"),
    (
        "marks of direction",
        "ar",
        "شكاية",
        ("\u202bالسلام عليكم،\u202c\n\u200fرقم الملف: \u2066GU-2026-0042\u2069\nأين وصلت شكايتي؟"),
    ),
    (
        "sent from my telephone",
        "fr",
        "Lampadaire",
        "Le lampadaire du n° 9 est éteint depuis le 1er mars.\n\nEnvoyé de mon iPhone",
    ),
)


def mails() -> Iterator[CitizenMail]:
    """In answers, and in first complaints."""
    for at, (trap, name, tag, language, words) in enumerate(_IN_ANSWERS):
        one = client(name, tag)
        body = in_plain_text(one, words, NOTICES[tag])
        yield sent(
            f"trap/{trap}/{name}/{tag}",
            entity(body, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=f"{one.answer}GU-2026-0042",
            language=language,
            new_text=words,
            whole=body,
            answers=True,
        )
    for at, (trap, language, subject, words) in enumerate(_IN_COMPLAINTS):
        without_advert = words.removesuffix("\n\nEnvoyé de mon iPhone")
        yield sent(
            f"trap/{trap}/first/{language}",
            entity(words, encoding=ENCODINGS[at % 3]),
            citizen=CITIZENS[at % len(CITIZENS)],
            subject=subject,
            language=language,
            new_text=(without_advert, words),
            whole=words,
        )
