# SPDX-License-Identifier: MIT
"""The words that mail clients set around quoted mail, by BCP 47 tag or by group of languages.

Each value is a piece of a regular expression, its alternatives parted by ``|``; none repeats
without a bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: First words of an attribution: "Le ... a écrit :".
STARTS: Mapping[str, str] = {
    "fr": "le|il y a",
    "ar": "في|بتاريخ|بتأريخ|يوم|كتب|كتبت",
    "en": "on",
    "de": "am|mo|di|mi|do|fr|sa|so",
    "es": "el",
    "it": "il|in data",
    "nl": "op",
    "pt": "em|a",
    "pl": "dnia|w dniu|pon|wt|śr|czw|pt|sob|niedz",
    "cs": "dne|po|út|st|čt|pá|ne",
    "scandinavian": "den|d|på|mandag|måndag|tirsdag|tisdag|onsdag|torsdag|fredag|lørdag|lördag"
    "|søndag|söndag|man|mån|tir|tis|ons|tor|tors|fre|lør|lör|søn|sön",
    "fi": "ma|ti|ke|to|pe|la|su",
    "ru": "понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|пн|вт|ср|чт|пт|сб|вс",
    "uk": "понеділок|вівторок|середа|четвер|пʼятниця|субота|неділя",
    "ro": "în|pe",
    "el": "στις",
    "vi": "vào",
    "id": "pada",
}

#: What somebody did, in alphabets that part words by blanks.
VERBS: Mapping[str, str] = {
    "fr": "a [ée]crit|ont [ée]crit",
    "ar": "كتبت?|كتبَ|كتابة|أرسلت?|جاء",
    "en": "wrote",
    "de": "schrieb",
    "es": "escribi[óo]",
    "pt": "escreveu",
    "it": "ha scritto",
    "nl": "schreef|heeft geschreven",
    "scandinavian": "skrev|skrifaði",
    "fi": "kirjoitti",
    "pl": "napisał[ao]?|pisze",
    "cs": "napsala?|napísala?",
    "hu": "írta|ezt írta",
    "ro": "a scris",
    "tr": "yazdı|yazmış",
    "ru": "написала?|пишет|писала?",
    "uk": "написав|пише",
    "bg": "написа",
    "south slavic": "napisao|je pisao|je napisal[ao]?",
    "baltic": "rašė|rakstīja|kirjutas",
    "el": "έγραψε",
    "he": "כתבה?|מאת",
    "ca": "va escriure",
    "vi": "đã viết",
    "id": "menulis",
}
#: The same where words are not parted.
VERBS_UNPARTED = "写道|寫道|写道|書きました|のメール|さんは書|작성|님이|เขียน"

#: Fields of a quoted head, by kind: French, Arabic, English, then others.
FIELDS: Mapping[str, str] = {
    "from": "de|exp[ée]diteur|من|المرسل|from|von|absender|da|mittente|remitente|van|afzender"
    "|fra|från|avsändare|lähettäjä|kimden|gönderen|od|nadawca|от|от кого|від|feladó|de la"
    "|από|מאת|差出人|发件人|寄件者|寄件人|보낸 ?사람",
    "sent": "envoy[ée](?: le| par)?|message du|تم الإرسال|(?:أ|أُ)رسلت?|تاريخ الإرسال|الإرسال"
    "|sent|sent on|gesendet(?: am)?|enviado(?: el| em| a)?|enviada(?: em)?|inviato(?: il)?"
    "|verzonden|skickat|sendt|lähetetty|gönderilme(?: tarihi)?|gönderildi|gönderim"
    "|odesláno|odoslané|wysłan[oey]|отправлено|надіслано|elküldve|küldve|trimis|στάλθηκε|נשלח"
    "|送信日時|发送时间|發送時間|傳送時間|寄件日期|보낸 ?날짜|보냄",
    "date": "date|التاريخ|تاريخ|datum|data|fecha|дата|dato|päiväys|päivämäärä|tarih|dátum"
    "|ημερομηνία|日付|日時|日期|날짜",
    "to": "[àa]|destinataires?|إلى|الى|to|an|empfänger|para|destinatario|aan|till|til"
    "|vastaanottaja|kime|alıcı|komu|pro|do|кому|címzett|către|προς|אל|宛先|收件人|收件者"
    "|받는 ?사람",
    "copy": "cc|copie(?: à)?|نسخة(?: إلى)?|kopie|kopia|kopi|kopio|bilgi|dw|копия|másolatot kap"
    "|抄送|副本|참조",
    "subject": "objet|sujet|الموضوع|subject|betreff|asunto|assunto|oggetto|onderwerp|ämne|emne"
    "|aihe|konu|předmět|predmet|temat|тема|tárgy|subiect|θέμα|נושא|件名|主题|主旨|제목",
    "answer": "répondre à|الرد على|reply-to|antwort an|responder a|rispondi a",
}

ORIGINALS = frozenset(
    {
        "message d'origine",
        "message original",
        "message initial",
        "mail original",
        "e-mail d'origine",
        "courriel original",
        "الرسالة الأصلية",
        "رسالة أصلية",
        "original message",
        "original email",
        "original appointment",
        "reply message",
        "ursprüngliche nachricht",
        "ursprüngliche mail",
        "originalnachricht",
        "original-nachricht",
        "mensaje original",
        "mensagem original",
        "messaggio originale",
        "oorspronkelijk bericht",
        "origineel bericht",
        "ursprungligt meddelande",
        "originalmeddelande",
        "oprindelig meddelelse",
        "opprinnelig melding",
        "original meddelelse",
        "alkuperäinen viesti",
        "özgün ileti",
        "orijinal mesaj",
        "původní zpráva",
        "původní e-mail",
        "pôvodná správa",
        "oryginalna wiadomość",
        "wiadomość oryginalna",
        "исходное сообщение",
        "оригинальное сообщение",
        "eredeti üzenet",
        "mesaj original",
        "αρχικό μήνυμα",
        "הודעה מקורית",
        "元のメッセージ",
        "原始邮件",
        "原始郵件",
        "원본 메시지",
        "원본 메일",
    }
)

#: What follows is forwarded: the sender wants it read.
FORWARDED = (
    r"forwarded (?:message|by)|begin forwarded|message (?:transféré|réexpédié|transmis)"
    r"|début du message (?:réexpédié|transféré)|(?:الرسالة|رسالة) (?:المعاد توجيهها|معاد توجيهها"
    r"|محولة|المحولة|مُعاد توجيهها)|بدء الرسالة المُ?عاد توجيهها"
    r"|weitergeleitete nachricht|mensaje reenviado|mensagem (?:encaminhada|reencaminhada)"
    r"|messaggio inoltrato|doorgestuurd bericht|vidarebefordra[td]|videresendt|välitetty viesti"
    r"|iletilen (?:ileti|mesaj)|(?:wiadomość przekazana|przekazana wiadomość)"
    r"|(?:пересылаемое|пересланное) (?:сообщение|письмо)|přeposlaná zpráva"
    r"|转发的?邮件|轉寄郵件|転送(?:された)?(?:メッセージ|メール)|전달된 메시지"
)

#: One of these, in lower case, stands in each of them: a cheap first test.
FORWARDED_STEMS = (
    "forward",
    "transf",
    "réexp",
    "transmis",
    "توجيه",
    "محول",
    "weitergel",
    "reenv",
    "encamin",
    "inoltr",
    "doorgest",
    "vidarebef",
    "videresen",
    "välite",
    "ileti",
    "przekaz",
    "пересы",
    "пересл",
    "přepos",
    "转发",
    "轉寄",
    "転送",
    "전달",
)

#: Names of telephones and mail programs that stand in their own advertisements.
CLIENTS = (
    "iphone|ipad|ipod|samsung|galaxy|huawei|xiaomi|redmi|oppo\\b|nokia|blackberry|android|xperia"
    "|realme|oneplus|tecno\\b|infinix|outlook|yahoo|gmail|hotmail|proton|posteo|aol\\b|windows "
    "?(?:phone|mail|10|11)|(?:mail|courrier|posta|correo) (?:pour|for|für|per|para) windows"
    "|mail (?:pour|for|für)|airmail|sparrow|k-9|spark\\b|mailspring|fairemail|tutanota|mymail"
    "|zimbra|thunderbird|roundcube|gmx\\b|bluemail|typeapp|mail app\\b|puhelime|телефона|айфона"
    "|ياهو|جالاكسي|سامسونج|الآيفون|آيفون|هاتفي|جهازي|هواوي|أندرويد"
    "|(?:هاتف|جهاز)[^.،]{0,30} الخاص بي"
)
#: Their common names: only one's own telephone is an advertisement's.
OWN_DEVICE = (
    "(?:mon|ma|my|meine[mr]?|mi|mio|meu|minha|mijn|min|mit|mitt) (?:[^\\s.,;:]{1,20} ){0,2}"
    "(?:smartphone|mobile|mobiltelefon|mobilgerät|handy|móvil|celular|cellulare|telefoon|telefono"
    "|teléfono|telefone|telefon|téléphone|phone|portable|appareil|tablette|tablet|dispositivo)"
)
#: Mail programs of those who sell telephone lines.
LINE_SELLERS = (
    "(?:mail|messagerie|webmail|appli(?:cation)?) (?:de |d['’])?(?:mail )?"
    "(?:orange|sfr|free|bouygues)"
    "|(?:orange|sfr|free|bouygues) (?:mail|messagerie)"
)
#: What a mail program is offered for.
SYSTEMS = "android|ios|iphone|ipad|windows|mac(?:os)?|mobile|desktop|your (?:phone|mobile)"
#: "Sent from", before what the client calls itself. What is sent *by* somebody is a person's word.
SENT_FROM = (
    r"sent (?:from|via|with|using|on)(?: my| the)?|provenance ?:"
    r"|envoyé (?:de(?:puis)?|à partir d[e'’]|avec|via)"
    r"|(?:أُ?رسلت?|مُ?رسلة?|تم الإرسال|تم الارسال|تم إرسالها)(?: هذه الرسالة)? (?:من|باستخدام|عبر)"
    r"|(?:diese nachricht wurde )?(?:gesendet(?: von| mit)?|von (?:meinem|unterwegs)|versendet)"
    r"|enviad[oa] (?:desde|do|da|de|a partir|com|con|via)|inviato (?:da|dal|con|tramite)"
    r"|verzonden (?:vanaf|met|via|vanuit|met)|verstuurd (?:vanaf|met|via)"
    r"|skickat från|sendt fra|lähetetty|wysłan[oey] (?:z|ze|za)|odesláno z|отправлено (?:с|из|со)"
    r"|trimis (?:de pe|din)|elküldve|στάλθηκε από|gönderildi"
)
#: How the confidentiality notices of companies begin.
DISCLAIMER = (
    r"(?:this|the information (?:contained )?in this) (?:e-?mail|message|communication)\b.{0,200}"
    r"(?:confidential|privileged|intended (?:only|solely))"
    r"|(?:ce|cet) (?:message|courriel|e-?mail)\b.{0,200}"
    r"(?:confidentiel|destin(?:é|ataire)|exclusif)"
    r"|les informations contenues dans (?:ce|cet) (?:message|courriel|e-?mail)"
    r"|diese (?:e-?mail|nachricht)\b.{0,200}vertraulich"
    r"|este (?:mensaje|correo)\b.{0,200}confidencial"
    r"|(?:هذه الرسالة|هذا البريد)\b.{0,200}سري"
)
