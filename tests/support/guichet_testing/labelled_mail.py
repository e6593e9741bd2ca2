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
    ("En vacances", {}, "Je suis en vacances. Contactez l'accueil de la mairie."),
    ("Merci pour votre message", {}, "Nous avons bien reçu votre demande."),
    ("Thank you for contacting us", {}, "This is an automated response."),
    ("Re: Road", {"X-Auto-Reply-From": "a@b.example"}, "Closed."),
    ("غياب", {}, "أنا غائبة عن المكتب، سأعود يوم الاثنين."),
    ("Automatische Antwort: Wasser", {}, "Ich bin bis zum 4. Juni nicht im Büro."),
    ("Abwesenheit", {}, "Ich bin im Urlaub. Bis zum 3. Mai vertritt mich das Sekretariat."),
    ("Respuesta automática: agua", {}, "Estoy fuera de la oficina hasta el lunes."),
    ("Resposta automática", {}, "Esta é uma mensagem automática."),
    ("Risposta automatica: acqua", {}, "Sono fuori ufficio fino al 3 maggio."),
    ("Afwezig", {}, "Ik ben deze week afwezig en maandag terug op kantoor."),
    ("Odpowiedź automatyczna: woda", {}, "Jestem na urlopie do dnia 4 czerwca."),
    ("Автоответ: вода", {}, "Это автоматическое сообщение."),
    ("自動返信: 水道", {}, "このメールは自動返信です。"),
    ("自动回复: 供水", {}, "我正在休假，周一回来。"),
    ("[Auto-Reply] Eau", {}, "Ceci est une réponse automatique. Votre message a bien été reçu."),
    ("Re: Eau", {"X-Auto-Response-Suppress": "All"}, "I am out of the office until 9 March."),
    ("[N° 44] Eau", {"Precedence": "bulk"}, "Votre demande a bien été enregistrée."),
    ("Congés", {}, "Bonjour, je suis en congés jusqu'au 20 mars. Veuillez contacter l'accueil."),
    ("I am on vacation", {}, "I am on vacation until 15 March."),
    ("Merci de nous avoir contactés", {}, "Cet e-mail est envoyé automatiquement."),
    ("Autosvar: Vatten", {}, "Jag är borta till den 15 mars."),
    ("Otomatik Yanıt: su", {}, "15 Mart'a kadar ofis dışındayım."),
    ("Réponse automatique", {}, "Votre demande a été prise en compte et sera traitée sous peu."),
    ("Absence", {"X-Auto-Response-Suppress": "All"}, "Bonjour, absente jusqu'au 20 mars."),
    ("Message reçu", {}, "Votre message a bien été reçu. Réponse sous 15 jours."),
    ("Your request has been received", {}, "Your request (#44) has been received."),
    ("إشعار بالاستلام", {}, "تم تسجيل طلبكم تحت رقم 44."),
    ("رد آلي", {}, "شكرا لتواصلكم معنا. تم استلام طلبكم."),
    ("Abwesend: Re: Wasser", {}, "Ich bin im Urlaub bis 15. März."),
]

# What it is, sender, envelope sender, subject, fields, text, what it is to be taken for.
OTHER_MACHINES: list[tuple[str, str, str, str, dict[str, str], str, str]] = [
    *(
        (what, "amina@mail.example", "amina@mail.example", subject, {}, text, "auto-generated")
        for what, subject, text in (
            ("read receipt", "Lu : Votre dossier", "Votre message a été lu le 3 mai."),
            ("read receipt", "Read: Your case", "Your message was read on Monday."),
            ("read receipt", "Gelesen: Wasser", "Ihre Nachricht wurde am 3. Mai gelesen."),
            ("read receipt", "Leído: agua", "El mensaje fue leído el lunes."),
            ("read receipt", "تمت القراءة: شكاية", "تمت قراءة رسالتك يوم الاثنين."),
        )
    ),
    *(
        (what, sender, path, subject, {}, text, "auto-generated")
        for what, sender, path, subject, text in (
            (
                "abuse report",
                "staff@hotmail.com",
                "x@h.example",
                "complaint about message from",
                "",
            ),
            ("challenge", "noreply@f.example", "x@f.example", "Please", "Verify you are a human."),
            (
                "challenge",
                "a@m.example",
                "",
                "Demande",
                "Votre message est en attente de validation.",
            ),
            (
                "challenge",
                "x@mailinblack.example",
                "x@m.example",
                "?",
                "Vous authentifier: message.",
            ),
            (
                "challenge",
                "a@m.example",
                "a@m.example",
                "Re: Eau",
                "MailInBlack me protège. Cliquez ici afin que votre message me soit remis.",
            ),
            (
                "challenge",
                "filtre@f.example",
                "",
                "Votre message",
                "Pour que votre message soit distribué, cliquez ici.",
            ),
        )
    ),
    *(
        ("newsletter", "news@shop.example", "b@shop.example", subject, fields, text, "bulk")
        for subject, fields, text in (
            ("Nos offres", {"List-Unsubscribe": "<mailto:u@shop.example>"}, "Tout à moitié prix."),
            ("Lettre du quartier", {"List-Id": "<l.example>"}, "La réunion est jeudi."),
            ("Circulaire", {"Precedence": "bulk"}, "Les horaires changent."),
            ("[liste] L'eau", {"Precedence": "list"}, "Chez nous aussi, l'eau est coupée."),
        )
    ),
    *(
        ("late notice", "MAILER-DAEMON@mx.example", "", subject, {}, text, "bounce")
        for subject, text in (
            ("Delayed Mail (still being retried)", "This is a warning message only."),
            ("Remise différée", "Votre message n'a pas encore été remis."),
            ("Nachricht", "Ihre Nachricht wurde noch nicht zugestellt."),
            ("Correo", "Su mensaje todavía no se ha podido entregar."),
            ("تأخر التسليم", "ستستمر المحاولات لمدة يومين."),
        )
    ),
    *(
        ("bounce", sender, "", subject, {}, text, "bounce")
        for sender, subject, text in (
            ("postmaster@mx.example", "Non remis : Eau", "Échec de la remise à ces destinataires."),
            ("a@mx.example", "NOTICE: mail delivery status.", "Unknown user."),
            ("postmaster@mx.example", "Unzustellbar: Wasser", "Diagnoseinformationen"),
            ("postmaster@mx.example", "No se puede entregar: agua", "Buzón lleno."),
            ("postmaster@mx.example", "Non recapitabile: acqua", "Casella piena."),
            ("postmaster@mx.example", "Não é possível entregar: água", "Caixa cheia."),
            ("postmaster@mx.example", "Onbestelbaar: water", "Onbekend adres."),
            ("postmaster@mx.example", "Niedostarczone: woda", "Nieznany adres."),
            ("postmaster@mx.example", "Не удается доставить: вода", "Адрес не найден."),
            ("postmaster@mx.example", "配信不能: 水道", "宛先が見つかりません。"),
            ("postmaster@mx.example", "系统退信", "邮件无法投递。"),
            ("postmaster@mx.example", "تعذر تسليم الرسالة", "العنوان غير موجود."),
        )
    ),
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
    ("Absence du médecin", "Je suis venue trois fois, le médecin est absent jusqu'à nouvel ordre."),
    ("Out of office", "The registrar is never in the office. I am told to come back each week."),
    ("Out of Office: nobody at the counter", "Nobody was at the counter on Monday."),
    ("Accusé de réception", "Ma lettre recommandée avec accusé de réception reste sans réponse."),
    ("Absence", "L'enseignant de mon fils est absent depuis un mois, sans remplaçant."),
    ("En congé", "Je suis en congé de maternité et mes indemnités ne sont pas versées."),
    ("En vacances", "Pendant que j'étais en vacances, on a coupé mon compteur."),
    ("Message d'absence", "Le répondeur de la commune dit toujours la même chose."),
    ("Courrier non distribué", "Votre facteur ne distribue plus rien, mon courrier est perdu."),
    ("Colis : non distribué, retourné", "Le colis est revenu à l'expéditeur sans avis de passage."),
    ("Mail perdu", "J'ai écrit trois fois, mon mail n'a pas été reçu par vos services."),
    ("Message non lu", "Personne ne lit nos messages, la fuite continue."),
    ("Re: [4821-0937-5516] Votre plainte est enregistrée", "Merci, mais rien n'a changé."),
    ("We received your letter, they say", "They say so each month, and the road stays broken."),
    ("Delivery status of my passport", "The passport was sent in May and never came."),
    ("Read: the meter is wrong", "The reading of my meter is wrong for the third time."),
    ("غياب", "الأستاذ غائب منذ شهر والتلاميذ بلا دروس."),
    ("في عطلة", "المستوصف مغلق كل عطلة ولا توجد مداومة."),
    ("إشعار بالاستلام", "لم أتوصل بأي إشعار بالاستلام بعد إيداع ملفي."),
    ("الطرد لم يتم تسليمه", "لم يتم تسليم الطرد رغم الأداء منذ شهر."),
    ("البريد ما كيوصلش", "الرسائل ما كتوصلش لحومتنا هادي شهرين."),
    ("lbrya mawsalatch", "Salam, lbarid ma kaywslnach, 3ayit mn lmsalih dyalkom."),
    ("jawab automatique", "Kandwi m3akom w kayjini ghir jawab automatique, bla 7al."),
    ("Ausente", "El médico está ausente desde hace un mes."),
    ("Auto : endommagée par un trou", "Mon auto est au garage, je suis en déplacement sans elle."),
    ("Vacation", "The rental next door is noisy every night."),
    ("Congés annuels des éboueurs", "Les éboueurs sont en congés et les poubelles débordent."),
    ("Message reçu", "J'ai reçu un message disant que ma demande est rejetée. Pourquoi ?"),
    ("Demande enregistrée", "Ma demande enregistrée sous 4455 n'a pas avancé."),
    ("Merci pour votre message", "Merci, mais le problème n'est pas résolu."),
    ("Votre demande a bien été reçue", "C'est ce que dit votre site, et depuis deux mois rien."),
    ("Re: Votre plainte", "Nous avons bien reçu votre courriel, mais il ne nous satisfait pas."),
    ("Re: Votre plainte", "Je suis absent jusqu'à vendredi, mais le trou est toujours là."),
    ("تم استلام طلبكم", "هذا ما قيل لي منذ عام ولم يحدث شيء. المرجو التدخل."),
    ("Je suis absent", "Je suis absent de la liste électorale alors que j'ai voté en 2021."),
    (
        "Plainte contre un robot",
        "On m'écrit merci de ne pas répondre. À qui écrire ?",
    ),
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


def other_machines() -> list[tuple[str, str, Labelled]]:
    """Other mail of machines: what it is, what it is to be taken for, and the mail."""
    return [
        (
            what,
            verdict,
            Labelled(f"{what}: {subject}", _mail(sender, subject, fields, text), path, False),
        )
        for what, sender, path, subject, fields, text, verdict in OTHER_MACHINES
    ]


def kinds(raw: bytes, envelope_from: str) -> tuple[str, str]:
    """What a mail is taken for: by its header fields alone, and as the reader says."""
    message = read(raw, envelope_from=envelope_from, envelope_to=("complaints@g.example",))
    headers = _named_headers(parse(raw).headers, envelope_from, "")
    return auto_submitted(headers), message.auto_submitted
