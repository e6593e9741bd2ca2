# SPDX-License-Identifier: MIT
"""What automatic answers write, in the languages that they come in: titles and first sentences.

Persons write most of this too, of themselves and in passing: ``autoreply`` weighs it together with
the fields of the mail.
"""

from __future__ import annotations

import re

_END = r"\s*(?:$|[:：]|[-–—]\s)"

# What programs write before a colon, or alone. The same words inside a sentence are a person's.
_AUTO = (
    r"(?:auto(?:matic|mated)?[ -]?(?:reply|response|replied|answer)|autoreply"
    r"|out of (?:the )?office (?:auto[ -]?reply|reply|message|autoreply)"
    r"|vacation (?:reply|response)|r[ée]ponse automatique(?: d['’]absence)?"
    r"|message automatique(?: d['’]absence)?|automatische antwort|automatisch"
    r"(?:e)? (?:antwoord|beantwoording)|abwesenheitsnotiz|abwesenheitsassistent"
    r"|respuesta automática|resposta automática|risposta automatica|odpowiedź automatyczna"
    r"|autoodpowiedź|автоматический ответ|автоответ|自動(?:応答|返信|回覆|答复)|自动(?:回复|答复)"
    r"|autosvar|automati(?:skt?|sk) svar|automaattinen vastaus|otomatik (?:yanıt|cevap)"
    r"|automatická odpověď|automatikus válasz|răspuns automat|αυτόματη απάντηση"
    r"|автоматична відповідь"
    r"|ردّ? تلقائي|ردّ? آلي|الرد التلقائي|الرد الآلي|إجابة تلقائية|جواب تلقائي)"
)
AUTO_SUBJECT = re.compile(rf"\s*(?:\[{_AUTO}\]|{_AUTO}{_END})", re.IGNORECASE)
# English programs only: in French an "auto" is a car, and a blank stands before the colon.
WEAK_SUBJECT = re.compile(r"\s*auto:", re.IGNORECASE)
# What stands above complaints as well ("Absence du bureau de poste").
AWAY_SUBJECT = re.compile(
    r"\s*(?:absence du bureau|absente? du bureau|message d['’]absence|notification d['’]absence"
    r"|vacation|absence|absente?|(?:en )?(?:congés?|vacances)(?: annuels?| de maternité)?"
    r"|(?:je suis |actuellement )(?:absente?|en (?:congés?|vacances))"
    r"|(?:i am |i['’]m |currently )?(?:away(?: from(?: my| the)? \w+)?|on (?:\w+ )?leave"
    r"|on vacation|on holidays?|out of (?:the )?office)|ooo"
    r"|accusé de réception(?: (?:de votre \w+|automatique))?|we(?: have|['’]ve)? received your \w+"
    r"|(?:thank you|thanks) for (?:your (?:e-?mail|message|request|enquiry|inquiry)"
    r"|(?:contacting|writing to|reaching out to) us|getting in touch)"
    r"|your (?:e-?mail|message|request) (?:has been|was) received"
    r"|merci (?:pour|de) votre (?:message|courriel|mail|demande)"
    r"|merci de nous avoir (?:contactée?s?|écrit)"
    r"|votre (?:message|courriel|mail|demande) a (?:bien )?été (?:reçu|enregistré)e?"
    r"|(?:message|courriel|mail|demande) (?:bien )?(?:reçu|enregistré)e?"
    r"|nous avons (?:bien )?reçu votre \w+|abwesend|abwesenheit|nicht im büro|im urlaub"
    r"|fuera de (?:la )?oficina|ausente|ausencia|fora do escritório|ausência|fuori (?:sede|ufficio)"
    r"|assente|afwezig(?:heid)?|niet aanwezig|poza biurem|нет на (?:месте|работе)|не в офисе"
    r"|в отпуске|不在(?:通知|のお知らせ)|外出|休假|不在办公室|不在辦公室"
    r"|خارج المكتب|في إجازة|في عطلة|غائب|غياب|غائبة? عن (?:المكتب|العمل)"
    r"|إشعار (?:ب)?(?:الاستلام|التوصل))" + _END,
    re.IGNORECASE,
)
# The sender is away. Persons write this too, of themselves and in passing.
AWAY = re.compile(
    r"(?:^|[\n,.!] ?)(?:actuellement )?(?:absente?|en congés?),? (?:jusqu['’]|du \d|je )"
    r"|(?:je (?:suis|serai)|nous sommes)(?: actuellement| momentanément)?(?: absente?s?| en (?:"
    r"congés?|vacances)| en déplacement| indisponible| hors du bureau)"
    r"|i(?: am|['’]m|['’]ll be| will be) (?:currently )?(?:out of|away|on (?:annual )?leave|on "
    r"vacation|on holiday)|ich bin (?:derzeit |zur ?zeit |bis )?[^\n]{0,30}(?:nicht (?:im|am|"
    r"erreichbar)|abwesend|im urlaub)|(?:estoy|estaré|me encuentro) (?:fuera de|de vacaciones"
    r"|ausente)|(?:estou|estarei) (?:fora|de férias|ausente)|(?:sono|sarò) (?:fuori|assente|in "
    r"ferie)|ik ben [^.\n]{0,30}(?:afwezig|niet aanwezig|met vakantie)|jestem [^.\n]{0,20}(?:poza "
    r"biurem|na urlopie|nieobecn)|(?:нахожусь в отпуске|меня нет на|отсутствую)"
    r"|jag är (?:inte på|borta|på semester|ledig|tjänstledig)"
    r"|jeg er (?:ikke på|på ferie|bortreist|fraværende|ude af)|olen (?:lomalla|poissa)"
    r"|ofis dışında|izindeyim|yıllık izin|jsem (?:mimo kancelář|na dovolené)|szabadságon vagyok"
    r"|sunt (?:plecată?|în concediu)|εκτός γραφείου|у відпустці"
    r"|不在にして(?:おり|い)ます|休暇(?:を|中)|(?:正在|目前)?休假|不在办公室|不在辦公室"
    r"|(?:أنا|إنني|سأكون|أكون)[^.\n]{0,20}(?:خارج المكتب|في إجازة|في عطلة|غائبة?)"
    r"|(?:سأعود|عودتي) (?:إلى (?:المكتب|العمل) )?(?:يوم|بتاريخ|في)",
    re.IGNORECASE,
)
# What a counter writes of a mail that has just come. Persons do not, to a counter.
RECEIVED = re.compile(
    r"nous (?:accusons (?:bonne )?réception|avons bien reçu) (?:de )?votre "
    r"(?:message|courriel|e-?mail|mail|demande|requête|réclamation|plainte|correspondance)"
    r"|votre (?:message|courriel|mail|demande|requête)[^.\n]{0,40} a (?:bien )?été "
    r"(?:reçu|enregistré|prise? en (?:compte|charge))e?"
    r"|we(?: have|['’]ve) received your (?:message|e-?mail|request|enquiry|inquiry)"
    r"|your (?:message|e-?mail|request)[^.\n]{0,40} has been (?:received|registered|logged)"
    r"|wir haben ihre (?:nachricht|anfrage|e-?mail) erhalten|hemos recibido su"
    r"|recebemos (?:a )?sua mensagem|abbiamo ricevuto (?:il )?(?:suo|tuo|vostro|la sua)"
    r"|wij hebben uw (?:bericht|e-?mail) ontvangen|ваше (?:письмо|сообщение) (?:получено|принято)"
    r"|(?:لقد )?(?:توصلنا|تم استلام|تم التوصل|تم تسجيل) (?:ب)?(?:رسالتكم|رسالتك|طلبكم|طلبك)",
    re.IGNORECASE,
)
# Whoever goes on like this is no machine.
OBJECTS = re.compile(
    r"\b(?:mais|cependant|toutefois|pourtant|but|however|aber|pero|maar|tuttavia)\b"
    r"|لكن|إلا أن|غير أن",
    re.IGNORECASE,
)
# Away from an office: nobody says that to a counter but a machine.
OFFICE = re.compile(
    r"hors du bureau|out of (?:the )?office|nicht im büro|fuera de la oficina"
    r"|fora do escritório|fuori (?:sede|ufficio)|poza biurem|不在办公室|不在辦公室|خارج المكتب",
    re.IGNORECASE,
)
# Until when, and whom to ask meanwhile: with the absence, an announcement.
MEANWHILE = re.compile(
    r"\b(?:until|till|back (?:on|in|soon|at)|return(?:ing)? (?:on|to)|jusqu['’]|de retour|mon "
    r"retour|reprise|semaine prochaine|contactez|écrivez|adressez|veuillez (?:contacter|écrire)"
    r"|en cas d['’]urgence|urgent (?:matters|cases)|please contact|bis (?:zum|einschließlich|\d)"
    r"|hasta el|volveré|regres|até (?:o dia|dia)|retorno|fino al|rientr|tot en met|terug op|wracam"
    r"|do dnia|вернусь|по \d)|[まに]で|返信|(?:回来|返回)"
    r"|حتى|إلى غاية|ابتداء|سأعود|عودتي|الأسبوع|للتواصل|الاتصال ب",
    re.IGNORECASE,
)
# What only an automatic answer says.
ROBOT = re.compile(
    r"(?:ceci|ce) (?:est|message est)[^.\n]{0,20} (?:un message |une réponse )?"
    r"(?:automatique|généré automatiquement)"
    r"|(?:ce|cet) (?:e-?mail|courriel|mail|message) (?:est|a été) (?:envoyé|généré|adressé)"
    r" (?:de façon )?automatique(?:ment)?"
    r"|(?:^|[.,;:!\n] ?)merci de ne pas (?:y )?répondre|ne pas répondre à ce"
    r"|this is an? auto(?:mated|matic|matically)|do not reply to this"
    r"|diese (?:e-?mail|nachricht) wurde automatisch|automatisch (?:erzeugt|generiert|erstellt)"
    r"|wir haben ihre (?:nachricht|anfrage|e-?mail) erhalten"
    r"|(?:este|esta|esto) es un[ao]? (?:mensaje|respuesta) automátic|hemos recibido su"
    r"|est[ae] é uma (?:mensagem|resposta) automática|recebemos (?:a )?sua mensagem"
    r"|questo è un messaggio automatico|abbiamo ricevuto (?:il )?(?:suo|tuo|vostro|la sua)"
    r"|dit is een automatisch|wij hebben uw (?:bericht|e-?mail) ontvangen|wiadomość (?:została )?"
    r"wygenerowana automatycznie|это автоматическ|ваше (?:письмо|сообщение) (?:получено|принято)"
    r"|自動(?:返信|送信|配信)(?:メール|です|されて)|自动(?:回复|发送)|自動(?:回覆|發送)"
    r"|(?:هذا|هذه)[^.\n]{0,20}(?:رد|رسالة|جواب) (?:تلقائية?|آلية?|أوتوماتيكية?)"
    r"|(?:يرجى|المرجو) عدم الرد"
    r"|(?:لقد )?(?:توصلنا|تم استلام|تم التوصل) (?:ب)?(?:رسالتكم|رسالتك)",
    re.IGNORECASE,
)
