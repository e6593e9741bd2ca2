# SPDX-License-Identifier: MIT
"""Labelled mail of our own: automatic answers, and complaints that look like them.

Each complaint is a subject and a text, each in several envelopes (headers, envelope sender).
``answerable`` says that no field forbids an automatic answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from channels.mail.autoreply import auto_submitted
from channels.mail.mime import _named_headers, read
from channels.mail.parts import parse


@dataclass(frozen=True)
class Labelled:
    """A mail with what it is."""

    name: str
    raw: bytes
    envelope_from: str
    answerable: bool


# Subject, fields, text. An empty envelope sender is the field Return-Path: <>.
AUTO_REPLIES = [
    ("Absence du bureau : Votre plainte", {}, "Je suis absent jusqu'au 3 mai."),
    ("Réponse automatique : Dossier AB12", {}, "Je suis actuellement en congé, de retour lundi."),
    ("Réponse automatique", {}, "Nous avons bien reçu votre message et vous répondrons."),
    ("Message d'absence", {}, "Bonjour, je serai absente la semaine prochaine."),
    ("Réponse automatique: Re: Eau", {"X-Auto-Response-Suppress": "All"}, "Service fermé."),
    ("Re: Votre dossier", {"Auto-Submitted": "auto-replied"}, "Bureau fermé ce jour."),
    ("Re: Votre dossier", {"Auto-Submitted": "auto-replied (vacation)"}, "Fermé."),
    ("Re: Route", {"Precedence": "auto_reply"}, "Le service est fermé."),
    ("Re: Route", {"X-Autoreply": "yes"}, "Le service est fermé."),
    ("Re: Route", {"X-Autorespond": "Route"}, "Le service est fermé."),
    ("Re: Route", {"X-Autoresponder": "1"}, "Le service est fermé."),
    ("Accusé de réception", {}, "Nous accusons réception de votre courriel."),
    ("Accusé de réception : Eau", {"Return-Path": "<>"}, "Nous avons bien reçu votre courriel."),
    ("Votre message", {"Return-Path": "<>"}, "Je suis hors du bureau jusqu'à jeudi."),
    ("Absente du bureau", {}, "Je suis absente, écrivez à l'accueil."),
    ("En congé", {}, "Je suis en congé jusqu'au 20 août."),
    ("Notification d'absence", {}, "Nous sommes absents. Ceci est un message automatique."),
    ("Fermeture annuelle", {}, "Nos bureaux sont fermés. Reprise le 2 septembre."),
    ("Out of office: Water", {}, "I am out of the office until Monday."),
    ("Out of Office", {}, "I will be away until 4 June."),
    ("Automatic reply: Water", {}, "I'm currently on annual leave."),
    ("Automatic reply: Water", {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"}, "Back soon."),
    ("Autoreply", {}, "This is an automated message."),
    ("Auto: Road", {"Return-Path": "<>"}, "Thank you for writing."),
    ("Vacation reply", {}, "I am on vacation."),
    ("Re: Road", {"X-Vacation": "yes"}, "Back on Monday."),
    ("Re: Road", {"Auto-Submitted": "auto-generated"}, "Ticket opened."),
    ("Re: Road", {"X-Mail-Autoreply": "yes"}, "Back on Monday."),
    ("We received your request", {}, "We have received your request. Do not reply to this mail."),
    ("On leave", {}, "I am away till the 9th."),
    ("رد تلقائي: شكاية", {}, "أنا خارج المكتب حتى يوم الاثنين."),
    ("رد تلقائي", {}, "هذه رسالة تلقائية، يرجى عدم الرد عليها."),
    ("خارج المكتب", {}, "سأكون خارج المكتب هذا الأسبوع."),
    ("خارج المكتب: شكاية", {"Return-Path": "<>"}, "أنا في إجازة."),
    ("رد آلي: الماء", {}, "توصلنا برسالتكم وسنجيبكم قريبا."),
    ("الرد التلقائي", {"Auto-Submitted": "auto-replied"}, "شكرا."),
    ("إشعار بالتوصل", {}, "لقد تم التوصل برسالتكم."),
    ("في إجازة", {}, "أنا في إجازة إلى غاية الأسبوع المقبل."),
    ("جواب تلقائي: طلب", {}, "هذا جواب تلقائي."),
    ("رد: طلب", {"Return-Path": "<>"}, "إنني حاليا خارج المكتب."),
    ("غائب عن المكتب", {}, "سأعود يوم الخميس."),
    ("رد: طلب", {"X-Autoreply-From": "a@b.example"}, "المكتب مغلق."),
]

COMPLAINTS = [
    ("Colis non distribué", "Mon colis n'a pas été distribué depuis trois semaines."),
    ("Échec de la distribution du courrier", "Le facteur ne passe plus dans notre rue."),
    ("Absence de médecin", "Il n'y a plus de médecin au dispensaire depuis un mois."),
    ("Absence du bureau de poste", "Le bureau de poste a disparu de notre quartier."),
    ("Absence du bureau : état civil fermé", "Personne au guichet d'état civil depuis lundi."),
    ("Absence d'eau", "Pendant mon absence, l'eau a été coupée sans avis."),
    ("Distributeur automatique en panne", "Le distributeur automatique de la gare est cassé."),
    ("Réponse automatique et rien d'autre", "Je reçois toujours la même réponse, sans suite."),
    ("Re: Automatic reply: Road", "Thank you, but the road is still broken."),
    ("Re: Réponse automatique : Eau", "Merci, mais la fuite est toujours là."),
    ("Undelivered parcel", "My parcel was never delivered by the post office."),
    ("Undelivered: my pension letter", "The letter about my pension never came."),
    ("Delivery failed three times", "The courier failed to deliver the medicine three times."),
    ("Mail delivery problem in our street", "No mail has been delivered to us since May."),
    ("Out of office hours nobody answers", "The emergency line is silent at night."),
    ("Fwd: Undelivered Mail Returned to Sender", "Your office's address refuses my mails. Why?"),
    ("Courrier retourné, adresse inconnue", "Mes lettres recommandées sont renvoyées sans motif."),
    ("Lampadaire éteint", "Le lampadaire devant l'école ne marche plus."),
    ("غياب الطبيب", "لا يوجد طبيب في المستوصف منذ شهر."),
    ("تعذر تسليم الطرد", "الطرد ديالي ما وصلش هادي تلت سيمانات."),
    ("خارج المكتب لا أحد يجيب", "الموظف دائما خارج مكتبه ولا أحد يستقبلنا."),
    ("رد تلقائي فقط ولا حل", "أتوصل بنفس الجواب كل مرة والماء مقطوع."),
    ("الضو مقطوع", "الضو مقطوع علينا من البارح وحتى واحد ما جاوب."),
    ("lma m9to3", "Salam, lma m9to3 3lina hadi 3 iyam f derb, 3afak chi 7al."),
    ("chikaya 3la tri9", "Tri9 mkherba w ta wa7ed ma ja ychouf, mochkil kbir."),
    ("Retard de livraison", "La livraison des livres scolaires est retardée depuis deux mois."),
    ("", "La poubelle de notre rue n'est pas vidée."),
]

# Name, sender, envelope sender, further fields, whether an automatic answer is allowed.
ENVELOPES: list[tuple[str, str, str, dict[str, str], bool]] = [
    ("plain", "a@mail.example", "a@mail.example", {}, True),
    ("phone", "a@mail.example", "a@mail.example", {"X-Mailer": "Phone Mail"}, True),
    ("declared", "a@mail.example", "a@mail.example", {"Auto-Submitted": "no"}, True),
    ("suppress none", "a@m.example", "a@m.example", {"X-Auto-Response-Suppress": "None"}, True),
    ("urgent", "a@mail.example", "a@mail.example", {"Precedence": "first-class"}, True),
    ("answer", "a@mail.example", "a@mail.example", {"In-Reply-To": "<x@g.example>"}, True),
    ("form", "noreply@form.example", "noreply@form.example", {"Reply-To": "a@m.example"}, False),
    ("relay", "a@mail.example", "", {}, False),
    ("list", "a@mail.example", "l-bounces@l.example", {"List-Id": "<l.example>"}, False),
    ("bulk", "a@mail.example", "a@mail.example", {"Precedence": "bulk"}, False),
    ("suppress", "a@m.example", "a@m.example", {"X-Auto-Response-Suppress": "All"}, False),
]


def _mail(sender: str, subject: str, fields: dict[str, str], text: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "complaints@g.example", subject
    for name, value in fields.items():
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


def automatic() -> list[Labelled]:
    """The automatic answers."""
    return [
        Labelled(
            f"{at} {subject}",
            _mail("office@city.example", subject, fields, text),
            "" if fields.get("Return-Path") == "<>" else "office@city.example",
            answerable=False,
        )
        for at, (subject, fields, text) in enumerate(AUTO_REPLIES)
    ]


def ordinary() -> list[Labelled]:
    """Each complaint in each envelope."""
    return [
        Labelled(f"{subject} ({name})", _mail(sender, subject, fields, text), path, answerable)
        for subject, text in COMPLAINTS
        for name, sender, path, fields, answerable in ENVELOPES
    ]


def kinds(raw: bytes, envelope_from: str) -> tuple[str, str]:
    """What a mail is taken for: as the reader says now, and with its text weighed too."""
    message = read(raw, envelope_from=envelope_from, envelope_to=("complaints@g.example",))
    headers = _named_headers(parse(raw).headers, envelope_from, "")
    return message.auto_submitted, auto_submitted(headers, message.full_text)
