# SPDX-License-Identifier: MIT
"""The words of short texts, in French, Arabic, Darija in both scripts, Amazigh and English.

A text is what a list says only when *all* its words stand in the list's vocabulary and one of them
says it (an anchor); any other word makes it a complaint, which is filed (design, promise 5).
Amazigh words want a native's review.
"""

from __future__ import annotations

from dataclasses import dataclass

from normalizer.text import fold


def _words(*lists: str) -> frozenset[str]:
    return frozenset(fold(word) for words in lists for word in words.split())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one intent sounds like.

    Attributes:
        anchors: words that say it; one must be there.
        fillers: words that may stand around.
        longest: most words of such a text.
    """

    anchors: frozenset[str]
    fillers: frozenset[str]
    longest: int

    def covers(self, words: list[str]) -> bool:
        """Whether nothing but these words stands in a text, and one that says it."""
        return (
            0 < len(words) <= self.longest
            and any(word in self.anchors for word in words)
            and all(word in self.anchors or word in self.fillers for word in words)
        )


_POLITE = (
    "bonjour bonsoir salut svp stp s il vous plait merci d avance monsieur madame mr mme messieurs "
    "hello hi hey please thanks sir madam dear "
    "السلام عليكم سلام عليكوم مرحبا صباح مساء الخير النور من فضلك فضلكم عافاك عفاك الله يخليك "
    "المرجو رجاء شكرا سيدي سيدتي السيد "
    "salam slm assalam alaykoum 3alaykoum 3likom alikoum 3afak afak 3afakom lah ykhlik khouya "
    "ⴰⵣⵓⵍ azul ⵜⴰⵏⵎⵎⵉⵔⵜ tanmmirt tanmirt"
)
_PRONOUNS = (
    "le la les l de du des d un une ce cet cette ces mon ma mes votre vos notre nos je j tu vous "
    "moi me m nous on il elle que qu est et a à au en y pour par sur avec dans "
    "the a an my your our i you me we it is are was of to in on for with this that and do does "
    "في من على عن الى ل ب و هو هي هذا هذه هاد هادي ديالي ديال لي ليا انا انت انتم نتا نتوما "
    "f fi mn 3la l d dyal dyali dial diali li lia ana nta had hadi w o wach wash "
    "واش هل ا"
)

#: "Où en est ma plainte ?", "suivi", "رمز", "fin wslat chikaya dyali".
STATUS = Vocabulary(
    anchors=_words(
        "suivi suivre statut etat dossier plainte reclamation requete doleance code numero "
        "avancement "
        "reference ref",
        "status track tracking case complaint code number reference progress",
        "تتبع حالة حاله وضعية شكاية شكايتي شكوى شكواي تظلم طلبي رمز الرمز الكود كود رقم الرقم ملف "
        "ملفي الملف الشكاية مال مآل",
        "tatabo3 tatabou3 chikaya chikayti chikayati chkaya chkayti ramz lcode lkod dossier milaf "
        "milaff lmilaf wad3iya",
        "ⴰⵙⴷⴼⴰⵔ asdfar ⵜⵓⵜⵜⵔⴰ ⴰⵏⴳⴰⵍ angal ⵓⵟⵟⵓⵏ uttun addad ⴰⴷⴷⴰⴷ ⵜⴰⵢⴰⴼⵓⵜ",
    ),
    fillers=_words(
        _POLITE,
        _PRONOUNS,
        "ou où en est sont quel quelle quels comment connaitre savoir voir consulter verifier "
        "demande "
        "donner donnez envoyez envoyer dernier derniere nouvelles nouvelle n no num voici voila "
        "sous "
        "veux voudrais souhaite peux puis pouvez dire informer information svp retrouver oublie "
        "perdu",
        "where what how check know see want would like can could tell give send last latest "
        "find lost "
        "forgot here s news update",
        "اين أين فين وين ما ماهي ماهو شنو شنهي أشنو كيف كيفاش وصلات وصلت وصل بغيت اريد أريد "
        "معرفة نعرف "
        "اعرف أعرف اخر آخر جديد الجديد عطيني اعطوني أرسلوا صيفطو نسيت ضاع مني هاهو هنا وش فيها",
        "fin fen feen wslat wslate weslat wsel wsal chno chnou achno ach kifach bghit bghina n3ref "
        "na3ref jdid ljdid 3tini 3tiwni sift siftou nsit akhir",
        "ⵎⴰⵏⵉ mani ⵉⵍⵍⴰ illa ⵉⵏⵓ inu ⵎⴰⵢⴷ mayd",
    ),
    longest=14,
)

HELP = Vocabulary(
    anchors=_words(
        "aide aidez help info infos information informations renseignement renseignements menu",
        "assist assistance support instructions",
        "مساعدة مساعده ساعدوني معلومات معلومة عاونوني تعليمات",
        "3awnoni 3awnouni 3awnini mosa3ada musa3ada ma3loma ma3lomat",
        "ⵜⵉⵡⵉⵙⵉ tiwisi ⵜⴰⵡⵙⵙⵏⴰ ⴰⵡⵙ aws",
    )
    | _words(
        "comment ca marche fonctionne faire deposer plainte reclamation utiliser service porter",
        "how works work use file",
        "كيف كيفاش طريقة كيفية نشتكي أشتكي اشتكي نقدم أقدم تقديم ندير نحط وضع",
        "kifach kif kifash ndir nqadam n9adem nchki nechki nchtaki",
    ),
    fillers=_words(
        _POLITE,
        _PRONOUNS,
        "besoin quoi fait dois peut doit obtenir avoir se depose deposee une nouvelle sms texto "
        "message",
        "need get a complaint about some can does make submit send what",
        "احتاج أحتاج محتاج بغيت اريد أريد شكاية الشكاية شكوى هاد الخدمة خدمة عندي ممكن ماهي كتخدم",
        "bghit chikaya chkaya had service khdma katkhdem khdam momkin lchikaya chi",
    ),
    longest=10,
)
#: A plain "how" without what it is about says nothing; these must be there beside it.
HELP_ALONE = _words(
    "aide help menu info infos مساعدة مساعده معلومات 3awnoni tiwisi ⵜⵉⵡⵉⵙⵉ",
)
HELP_TOPICS = HELP_ALONE | _words(
    "aidez information informations renseignement renseignements assistance support instructions",
    "ساعدوني معلومة عاونوني تعليمات 3awnouni 3awnini mosa3ada musa3ada ma3loma ma3lomat aws ⴰⵡⵙ",
)
HELP_HOW = _words(
    "comment how كيف كيفاش طريقة كيفية kifach kif kifash",
)
HELP_WHAT = _words(
    "marche fonctionne deposer plainte reclamation utiliser service porter works work use file",
    "complaint نشتكي أشتكي اشتكي نقدم أقدم تقديم شكاية الشكاية شكوى وضع الخدمة خدمة كتخدم",
    "nqadam n9adem nchki nechki nchtaki chikaya chkaya lchikaya service khdma katkhdem",
)

THANKS = Vocabulary(
    anchors=_words(
        "merci mercis remercie remercions remerciements mrc",
        "thanks thank thx ty thankyou grateful",
        "شكرا شكراً مشكورين مشكور نشكركم أشكركم اشكركم بارك تبارك جزاكم جزيلا ممتن",
        "chokran choukran shukran chokrane merssi mersi barak tbarkallah jazakom",
        "ⵜⴰⵏⵎⵎⵉⵔⵜ tanmmirt tanmirt ⵜⴰⵏⵎⵉⵔⵜ",
    ),
    fillers=_words(
        _POLITE,
        _PRONOUNS,
        "beaucoup bien infiniment mille grand tres reponse aide rapidite efficacite travail bon "
        "bonne "
        "journee soiree continuation service equipe tout tous votre cordialement super parfait "
        "bravo",
        "much so very lot many your help reply answer quick good great work job team day all "
        "again god "
        "bless really appreciate appreciated well done",
        "الله فيك فيكم لك لكم خيرا كثيرا بزاف جدا على جوابكم ردكم مجهوداتكم مساعدتكم تعاونكم كل "
        "يرحم "
        "الوالدين يعطيكم الصحة لكل يحفظكم جوابك",
        "allah lah fik fikom 3la bzaf bezzaf jawab radd khir khayran yrhm yrham lwalidin "
        "walidin saha "
        "y3tikom ya3tikom sseha",
        "ⴰⵟⵟⴰⵙ attas bahra ⴱⴰⵀⵔⴰ",
    ),
    longest=14,
)

GREETING = Vocabulary(
    anchors=_words(
        "bonjour bonsoir salut coucou bjr slt bsr",
        "hello hi hey morning evening afternoon",
        "السلام سلام مرحبا صباح مساء أهلا اهلا",
        "salam slm assalam ssalam sbah lkhir ahlan azul ⴰⵣⵓⵍ",
    ),
    fillers=_words(
        "monsieur madame messieurs mesdames a tous vous allez bien ca va comment good sir madam "
        "there "
        "عليكم عليكوم ورحمة الله وبركاته تعالى الخير النور وسهلا بكم لباس لا باس كيداير "
        "alaykoum 3alaykoum 3likom alikoum 3lik wa rahmatou lah wa barakatouh labas bikhir nour msa"
    ),
    longest=8,
)

#: Carriers act on the English ones themselves.
OPT_OUT = Vocabulary(
    anchors=_words(
        "stop stopall unsubscribe optout arret arreter arretez desabonner desabonnez desabonnement "
        "desinscription desinscrire desinscrivez",
        "remove",
        "توقف توقفوا الغاء إلغاء ألغوا ألغي أوقفوا اوقفوا أوقف وقفو وقفوا حبسو حبس",
        "7bess 7bes habss hbes hbss we9fo wqfo wa9fo ilgha2 ilghae",
        "ⴱⴷⴷ bedd sbedd ⵙⴱⴷⴷ",
    ),
    fillers=_words(
        "sms msg messages message texto textos envoi envois d de m ma me mon les vos ces des "
        "svp stp "
        "merci moi liste plus ne notifications notification alertes abonnement l inscription",
        "the these your my texts text messaging sending send from me list please all to us "
        "subscription",
        "الرسائل رسائل رسالة الرسالة الاشتراك اشتراك اشتراكي عن ارسال إرسال لي من فضلكم ديالكم هاد "
        "الميساجات ميساجات عافاكم علي عليا الإشعارات",
        "lmsg lmessages msgat lmsajat sms 3liya 3lia liya had dyalkom 3afakom",
    ),
    longest=8,
)
#: "Ne m'envoyez plus de SMS": these together say it, where all other words are fillers.
NO_MORE = (
    _words("plus pas no not don't dont never عدم لا ما ma mat"),
    _words(
        "envoyez envoyer recevoir send sending text receive ترسلوا ترسلو ارسال إرسال تصيفطو "
        "تصيفطوش "
        "تصيفطوا ترسل نتوصل tsifto tsiftouch tsiftoch nsifto contactez contact"
    ),
    _words(
        "ne n m me moi je veux de sms message messages msg texto textos svp stp do don t any more "
        "anymore please your want to i لي ليا اي أي رسائل رسالة الرسائل مرة أخرى بعد الآن عافاكم "
        "ميساجات شي bqaw ba9i liya lia messages 3afakom chi mazal vous des les ces plus pas"
    ),
)

OPT_IN = _words("start unstop reprendre reabonner ابدأ استئناف بداية")

#: Nothing to file and nothing to answer.
NOISE = _words(
    "ok okay oki k dacc daccord d'accord oui non yes no test tests essai allo alo blabla hmm "
    "euh lol "
    "mdr haha hahaha hihi rien",
    "الو ألو نعم لا واخا اوكي اه آه تجربة اختبار ههه هههه ههههه امم",
    "wakha wakhha iyeh ah la aywa ayeh safi saafi",
    "d accord ca va testing",
)

#: "Ma plainte reste sans réponse": says that there is an earlier one, beside words of its own.
EARLIER = (
    "ma plainte",
    "ma reclamation",
    "mes reclamations",
    "ma requete",
    "mon dossier",
    "ma doleance",
    "ma precedente",
    "mon precedent",
    "suite a mon",
    "suite a ma",
    "j ai deja signale",
    "j ai deja depose",
    "j ai deja envoye",
    "deja reclame",
    "en complement",
    "pour completer",
    "j ajoute",
    "j ai oublie de preciser",
    "toujours pas de reponse",
    "toujours aucune reponse",
    "relance",
    "my complaint",
    "my previous",
    "my case",
    "my earlier",
    "already reported",
    "already complained",
    "following up",
    "follow up",
    "still no answer",
    "still no reply",
    "i forgot to mention",
    "شكايتي",
    "شكواي",
    "ملفي",
    "شكايه سابقه",
    "شكايتنا",
    "الشكايه ديالي",
    "الشكايه لي درت",
    "الشكايه اللي درت",
    "الشكايه لي حطيت",
    "اضافه الى شكايه",
    "بخصوص شكايه",
    "سبق لي ان",
    "سبق ان تقدمت",
    "تقدمت بشكايه",
    "مازال ما جاوبتوني",
    "مازال مكاين جواب",
    "لم اتلق اي رد",
    "لم اتوصل باي",
    "chikayti",
    "chikaya dyali",
    "chikaya diali",
    "chkaya dyali",
    "dossier dyali",
    "milaf dyali",
    "mazal majawbtouni",
    "mazal ma jawbtouni",
    "mazal ma kayn jawab",
    "chikaya li dert",
    "chikaya li drt",
)
