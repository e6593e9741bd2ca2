# SPDX-License-Identifier: MIT
"""What citizens write, in their languages, and what the administration wrote to them before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Words of a citizen: their language (see ``CitizenMail.language``), a subject, a text."""

    language: str
    subject: str
    text: str


#: Answers to a question or a notice of the administration.
ANSWERS = (
    Words(
        "fr",
        "Coupure d'eau",
        "Bonjour,\n\nNon, l'eau n'est toujours pas revenue depuis lundi.\n"
        "Nous sommes six familles dans l'immeuble dont deux malades.\n\nMerci d'envoyer quelqu'un.",
    ),
    Words(
        "ar",
        "انقطاع الماء",
        "السلام عليكم،\n\nالماء ما زال مقطوعا في حينا منذ أسبوع كامل.\n"
        "لم يحضر أي تقني رغم اتصالنا ثلاث مرات.\n\nالمرجو التدخل العاجل.",
    ),
    Words(
        "ary",
        "الضو",
        "سلام، الضو باقي كيتقطع كل ليلة مع العشرة.\nراه خسرات لينا الثلاجة، شكون غادي يخلصها؟",
    ),
    Words(
        "ary-Latn",
        "Tri9 khasra",
        "Salam, tri9 ba9a kif kanet, 7ta wa7ed ma ja.\n"
        "Lbar7 ta7 drari men lmotor. 3afak serbiw rah l7ala khayba bezaf.",
    ),
    Words(
        "en",
        "Street light",
        "Hello,\n\nThe light in front of the school is still broken.\n"
        "It has been dark for three weeks and children walk home at six.\n\nThank you.",
    ),
    Words(
        "mul",
        "Passeport",
        "Bonjour, السلام عليكم\n\nMon passeport n'est toujours pas prêt، "
        "قالوا لي في المقاطعة ارجع بعد العيد.\nJe voyage le 20 mars, عفاكم عاونوني.",
    ),
    Words(
        "fr",
        "Remboursement CNSS",
        "J'ai déposé le dossier n° 2026/1187 le 5 janvier, avec toutes "
        "les ordonnances.\nOn me demande maintenant une facture que j'ai déjà donnée.",
    ),
    Words(
        "ar",
        "الضمان الاجتماعي",
        "تحية طيبة، لم أتوصل بعد بتعويضات الضمان الاجتماعي عن شهر "
        "يناير.\nرقم الملف 4471 وقد سلمت كل الوثائق للوكالة.",
    ),
    Words(
        "ary",
        "سبيطار",
        "مشيت للسبيطار تلاتة المرات وكل مرة كيقولو ليا السكانير خاسر.\n"
        "عطاوني موعد حتى لشتنبر والواليدة ما تقدرش تسنى.",
    ),
    Words(
        "ary-Latn",
        "Madrasa",
        "Lmo3alim d math ma kaynch mn janvier, weldi f 6eme w 3ndo limti7an.\nWach kayn chi 7el?",
    ),
    Words(
        "fr",
        "Route défoncée",
        "La route entre le douar et le collège est coupée par l'oued.\n\n"
        "1. Le pont est tombé le 14 février.\n2. Le transport scolaire ne passe plus.\n\n"
        "Que doivent faire les élèves ?",
    ),
    Words(
        "ar",
        "المحكمة",
        "توصلت باستدعاء من المحكمة الابتدائية بعد فوات تاريخ الجلسة.\n"
        "أطلب معرفة كيفية تقديم طلب جديد، وشكرا على تعاونكم.",
    ),
    Words(
        "en",
        "Hospital bill",
        "I was billed twice for the same X-ray at the provincial hospital: "
        "250 dirhams on 2 February and again on 9 February.\nBoth receipts are at your disposal.",
    ),
    Words(
        "fr",
        "Ramassage des ordures",
        "Oui, c'est bien l'angle de l'avenue et de la rue 14.\n"
        "Le conteneur déborde, les chats et les rats s'en occupent.",
    ),
    Words(
        "ar",
        "الإنارة العمومية",
        "نعم، العنوان صحيح: زنقة 14 قرب المدرسة.\n"
        "خمسة أعمدة لا تشتغل، والزنقة مظلمة تماما بعد المغرب.",
    ),
    Words(
        "mul",
        "Wifi d lmaktaba",
        "Salam, la bibliothèque municipale est fermée le samedi, "
        "علاش؟\nFi lissan: kanou 7allin kol nhar.",
    ),
    Words(
        "ary",
        "الواد الحار",
        "الواد الحار فايض على الدرب من نهار الحد والريحة قتلاتنا.\n"
        "الدراري الصغار مرضو. جيبو الكاميو عفاكم.",
    ),
    Words(
        "en",
        "Birth certificate",
        "The name of the town is misspelt on the certificate I received "
        "yesterday.\nWhere do I send it back?",
    ),
)

#: First complaints, on their own.
COMPLAINTS = (
    Words(
        "fr",
        "Plainte : fuite d'eau",
        "Madame, Monsieur,\n\nUne fuite d'eau inonde le trottoir "
        "devant la pharmacie depuis dix jours.\nLe numéro d'urgence ne répond jamais.\n\n"
        "Je vous prie d'intervenir.",
    ),
    Words(
        "ar",
        "شكاية حول انقطاع الكهرباء",
        "السلام عليكم ورحمة الله،\n\nأتقدم إليكم بهذه الشكاية "
        "بخصوص الانقطاع المتكرر للكهرباء في دوارنا.\nالانقطاع يدوم من الثامنة إلى منتصف الليل، "
        "وقد أتلف أجهزتنا.\n\nوتقبلوا فائق الاحترام.",
    ),
    Words(
        "ary",
        "شكاية على الطريق",
        "السلام، الطريق ديال الدوار تخسرات بالشتا وما بقاش كيدوز "
        "الطوبيس.\nالدراري ديال المدرسة كيمشيو على رجليهم ساعة.",
    ),
    Words(
        "ary-Latn",
        "Chikaya 3la lma",
        "Salam 3likom, bghit nchki 3la lma li kayji sfer w fih "
        "ri7a.\nHadi 15 yom w 7na kanchriw lma mn l7anout. Chokran.",
    ),
    Words(
        "en",
        "Complaint: passport delay",
        "Dear Sir or Madam,\n\nI applied for my passport on "
        "12 January and have heard nothing since.\nThe tracking page shows an error.\n\n"
        "Please tell me what to do.",
    ),
    Words(
        "mul",
        "Hôpital شكاية",
        "Bonjour,\n\nA l'hôpital provincial on m'a refusé le scanner: "
        "الجهاز معطل منذ شهرين.\nMon père attend, والحالة ديالو كتزيد تصعاب.",
    ),
)

#: What stood in the administration's mail, by the language it was written in.
NOTICES = {
    "fr": "Bonjour,\nVotre plainte est enregistrée sous le numéro GU-2026-0042.\n"
    "Pouvez-vous nous indiquer si le problème persiste ?\nLe service des plaintes",
    "ar": "تحية طيبة،\nسجلت شكايتكم تحت رقم GU-2026-0042.\n"
    "هل يمكنكم إخبارنا إن كان المشكل قائما؟\nمصلحة الشكايات",
    "en": "Hello,\nYour complaint is registered under number GU-2026-0042.\n"
    "Can you tell us whether the problem persists?\nThe complaints office",
}

#: The line at the top of every mail of ours, by language.
MARKERS = {
    "fr": "-- répondre au-dessus de cette ligne --",
    "ar": "الرد فوق هذا السطر",
    "en": "-- reply above this line --",
}
