# SPDX-License-Identifier: MIT
"""How mail systems name themselves, and what they write above and into their notices.

Systems write English whatever the reader's language; Exchange, Domino and the large providers
write the account's. Nothing here is a verdict: ``bounce`` weighs these signs against each other.
"""

from __future__ import annotations

import re

#: A sender that is a mail system, by its address or the name beside it.
SYSTEM = re.compile(
    r"\b(?:mailer[-_. ]?daemon|post[-_. ]?master|postmaestro|mail[-_ ]?deliver(?:y|ies)?|mdaemon"
    r"|bounces?|mail[-_. ]?system|mail administrator|microsoftexchange[0-9a-f]+|mmdf"
    r"|courier mail server|delivery subsystem|interscan)\b"
    r"|نظام (?:تسليم )?البريد|مدير البريد|почтовая (?:система|служба)|система доставки",
    re.IGNORECASE,
)
#: Names that persons carry as well: only a whole title or a system's own words count beside them.
LIKELY_SYSTEM = re.compile(
    r"\b(?:system administrator|administrateur (?:du )?syst[èe]me|systemadministrator"
    r"|administrador del sistema|mail server|serveur de messagerie|sysadmin)\b",
    re.IGNORECASE,
)
NO_REPLY = re.compile(r"\b(?:no|do[-_.]?not|ne[-_.]?pas)[-_.]?(?:reply|repondre)\b", re.IGNORECASE)
ANSWER = re.compile(
    r"\s*(?:re|rép|aw|sv|tr|fwd?|wg|rv|res|odp|رد|إعادة توجيه)\s*[:：]", re.IGNORECASE
)
#: Titles that mail systems write and persons do not.
TITLE = re.compile(
    r"\s*(?:\[bounce\]|undeliver(?:able\s*:|(?:ed|able)(?: mail| message)?\s*(?:$|returned|:\s*\"))"
    r"|(?:notice|warning)\s*:\s*(?:mail delivery status|delayed mail|message|could not send)"
    r"|mail delivery (?:fail|status|system|delay|problem\s*(?:$|:))"
    r"|(?:mail )?delivery (?:status )?notification"
    r"|delivery[ _](?:failure|failed|error|report|status|has failed|delayed|incomplete)"
    r"\s*(?:$|[:(]|report|notice|notification|- )|failure notice|failure delivery|failed mail\b"
    r"|returned mail|returned to sender\s*:|mail could not be delivered"
    r"|(?:sorry, )?(?:your )?message could not be delivered|mail system error"
    r"|nondeliverable mail|(?:permanent |message )?delivery failure|non[- ]?delivery"
    r"|message delivery (?:fail|status|delay|has failed)|delayed mail|mail not delivered"
    r"|message status - undeliver|rejected mail|undelivered mail|there was an error sending your"
    r"|message (?:you sent )?blocked|could not send message"
    r"|non[ _]remis\s*[:_]|notification d['’]état de (?:la )?(?:remise|distribution)"
    r"|(?:message|courriel) non (?:remis|distribué|délivré)\s*(?:$|:)|courrier non remis\s*(?:$|:)"
    r"|échec de (?:la )?(?:remise|distribution|livraison) (?:du|de votre) (?:message|courriel|mail)"
    r"|remise (?:retardée|différée)\s*(?:$|:)"
    r"|unzustellbar\s*:|benachrichtigung zum übermittlungsstatus|nachricht nicht zugestellt"
    r"|mensaje no entregad|no se puede entregar\s*:|correo (?:no entregado|devuelto)\s*(?:$|:)"
    r"|notificación del? estado de(?: la)? entrega|não é possível entregar\s*:"
    r"|não entregue\s*:|mensagem não entregue|notificação de status de entrega"
    r"|non recapitabile\s*:|impossibile recapitare|messaggio non (?:recapitat|consegnat)"
    r"|mancata consegna|onbestelbaar\s*:|niet te bezorgen\s*:|kan niet worden bezorgd\s*:"
    r"|niedostarczone\s*:|nie można dostarczyć\s*:|не удается доставить\s*:|недоставленное"
    r"|недоставлено\s*:|сообщение не доставлено|teslim edilemedi\s*:|nedoručitelné\s*:"
    r"|kan ikke leveres\s*:|det går inte att leverera\s*:|配信不能|無法傳遞|无法送达|未傳遞"
    r"|系统退信|系統退信|メール(?:配信|送信)(?:エラー|に失敗)|メッセージを配信できません"
    r"|تعذّ?ر (?:ال)?تسليم\s*(?:الرسالة|رسالتك|البريد|:)|إشعار (?:ب)?حالة التسليم"
    r"|غير قابلة? للتسليم\s*:|فشل تسليم (?:الرسالة|البريد))",
    re.IGNORECASE,
)
#: Titles that also stand above a complaint.
HINT = re.compile(
    r"undeliver|deliver(?:y|ed)?\b.{0,80}\b(?:fail|status|error|problem|delay|notif|incomplete)"
    r"|deliver(?:y|ing)\b.{0,20}message|fail(?:ure|ed)?\b.{0,80}\b(?:notice|deliver|notif)"
    r"|\bfail(?:ure|ed)?\s*$|returned mail|returned to sender|bounced?\b"
    r"|mail (?:system )?error|non (?:remis|distribu|délivr)|remise (?:retardée|différée)"
    r"|échec de (?:la )?(?:remise|distribution|livraison)"
    r"|could not (?:be )?(?:deliver|send|sent)|not be delivered|mail could not|delayed mail"
    r"|unzustellbar|nicht zugestellt|zustell(?:ung|fehler)|no entregad|devuelto|não entregue"
    r"|devolvid|non recapit|mancat[ao] consegna|onbestelbaar|niet bezorgd|niedostarcz|nie dostarcz"
    r"|недостав|не достав|возвращ|メールエラー|配[信送](?:でき|不能|エラー|に失敗)|送信エラー"
    r"|(?:تعذر|تعذّر|فشل|تأخر) (?:ال)?تسليم|لم يتم (?:ال)?تسليم|退信|退回|投递失败|無法傳|无法投递",
    re.IGNORECASE,
)
#: What known mail systems say, each in its own words.
SAID = re.compile(
    # qmail, Exim, Postfix, Sendmail, Courier, PowerMTA, OpenSMTPD
    r"this is the \S{0,40}qmail|(?:wasn't|unable) (?:able )?to deliver (?:your|the|this) (?:mess"
    r"age|mail|e-?mail)|unable to deliver message to"
    r"|created automatically by (?:the )?mail delivery|could not be delivered to one or more"
    r"|this is the mail (?:system|server) (?:at|on)\b|this is the \S{1,60} program at host"
    r"|hello, this is the mail server|this is the mailer-daemon"
    r"|permanent fatal errors|transcript of session follows|had delivery problems"
    r"|this is a delivery status notification|error message below:|trouble delivering your message"
    # Exchange, Outlook
    r"|did not reach (?:the following|some or all)|delivery has failed to these"
    r"|delivery (?:to the following recipients?|is delayed to)"
    r"|diagnostic information for administrators|generating server\s*:"
    r"|échec de la remise (?:à|pour) ces|n['’]est pas parvenu à|serveur de génération\s*:"
    r"|informations de diagnostic (?:pour|à l)|diagnoseinformationen für administratoren"
    r"|fehler bei der nachrichtenzustellung|no se pudo entregar el mensaje a"
    r"|información de diagnóstico para|informações de diagnóstico para"
    r"|informazioni di diagnostica per|diagnostische gegevens voor|генерирующий сервер"
    r"|管理者向けの診断情報|معلومات التشخيص (?:للمسؤول|الخاصة)"
    # Notes, GroupWise, Gmail, and what many share
    r"|delivery[ _]failure\s*:|undeliverable to the following|failed permanently"
    r"|technical details of (?:permanent|temporary)|address couldn't be found"
    r"|(?:message|mail) (?:wasn['’]t|was not|has not been|could not be|couldn't be|cannot be) "
    r"(?:delivered|sent)|failure reasons|rejected by a remote mail server"
    r"|(?:mail|message)[^\n]{0,120}\s+could not be delivered to"
    r"|(?:following|these) (?:recipients?|address(?:es)?)\b[^.\n]{0,40}(?:fail|reject|undeliver)"
    r"|could not be delivered to\s*:?\s*<|could not be delivered because of"
    r"|(?:final-recipient|diagnostic-code)\s*:|user mailbox exceeds allowed size"
    r"|(?:recipient|destination) address rejected|\b55[0-4][ -]5\.\d{1,3}\.\d{1,3}\b"
    # French, Arabic, German, Spanish, Portuguese, Italian, Dutch, Polish, Russian
    r"|votre (?:message|courriel|mail)\b[^\n]{0,120}n['’]a pas (?:pu être|été) "
    r"(?:remis|délivré|distribué|livré|acheminé)"
    r"|(?:تعذّ?ر|لم يتم|فشل) (?:في )?تسليم (?:الرسالة|رسالتك|البريد)"
    r"|لم (?:تصل|يتم توصيل) رسالتك إلى"
    r"|nachricht[^\n]{0,120}nicht (?:an \S{1,80} )?(?:zugestellt|übermittelt)"
    r"|mensaje[^\n]{0,120}no (?:se ha podido|se pudo|pudo|fue|ha sido) (?:ser )?entreg"
    r"|mensagem[^\n]{0,120}não (?:pôde|foi) (?:ser )?entreg"
    r"|messaggio[^\n]{0,120}non (?:è stato|può essere|è stato possibile) (?:consegn|recapit)"
    r"|bericht[^\n]{0,120}niet (?:worden )?(?:afgeleverd|bezorgd)"
    r"|wiadomoś[^\n]{0,120}nie (?:została|mogła|można)[^\n]{0,20}dostarcz"
    r"|(?:письмо|сообщение)[^\n]{0,120}не (?:может быть|было|удалось)[^\n]{0,10}достав"
    # Japanese, Chinese
    r"|送信できませんでした|配[信送]できません|お届けできません|配信に失敗|宛先が見つかりません"
    r"|(?:无法|未能|無法)(?:投递|送达|发送|傳遞|傳送|送達)|(?:邮件|郵件)(?:被)?(?:退回|退信)",
    re.IGNORECASE,
)
LATE = re.compile(
    r"has not (?:yet )?been delivered (?:yet|to|after)|not yet been delivered"
    r"|will (?:continue|keep) (?:to )?(?:try|retry)|delivery attempts will continue"
    r"|this is a warning message only|do not need to resend|delivery (?:is|has been) delayed"
    r"|(?:message|delivery)[^.\n]{0,40}\bdelayed\b|still being retried|will be retried"
    r"|could not send message for past|delivery (?:incomplete|delay)"
    r"|n['’]a pas encore (?:été|pu être)|remise (?:retardée|différée)"
    r"|(?:tentatives|essais) (?:de remise )?(?:se poursui|continu)"
    r"|inutile de (?:le )?renvoyer|la remise (?:est|a été) retardée"
    r"|(?:تأخر|تأخير) (?:ال)?تسليم|ستستمر المحاول|لم يتم تسليم\S{0,3} \S{0,20} ?بعد"
    r"|wird weiter versucht|noch nicht zugestellt|zustellung (?:ist )?verzögert"
    r"|(?:todavía|aún) no se ha (?:podido )?entreg|entrega (?:retrasada|demorada)"
    r"|ainda não foi entreg|entrega (?:está )?atrasada|non è ancora stato (?:consegn|recapit)"
    r"|nog niet (?:afgeleverd|bezorgd)|jeszcze nie została dostarcz|пока не (?:было )?доставлен"
    r"|(?:配信|送信)が遅(?:れて|延)|(?:延迟|延遲)(?:投递|传递|傳遞)|将继续尝试|將繼續嘗試",
    re.IGNORECASE,
)
#: Amazon SES by SNS: the event itself, or the event as a quoted string.
NOTIFICATION = re.compile(
    r"\\?\"(?:notificationType|eventType)\\?\"\s*:\s*\\?\"(Bounce|Complaint)\\?\""
)
