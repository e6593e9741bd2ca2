# SPDX-License-Identifier: MIT
"""The shipped rules on texts as citizens write them: sent where they belong, or left to a person.

The router is put together as ``gateway/wiring.py`` does it: the file's rules, then the register's
own words.
"""

from pathlib import Path

import pytest

from dispatcher.administration_csv import read_csv
from dispatcher.routing.rules import Router, of_administrations, read_toml

CONFIG = Path(__file__).parents[2] / "config"
REGISTER = read_csv(CONFIG / "administrations.csv")
RULES = read_toml(CONFIG / "routing.toml")
ROUTER = Router([*RULES, *of_administrations(REGISTER)])

ROUTED = {
    "fr": [
        ("Bonjour, nous n'avons plus d'eau au troisième étage depuis lundi", "onee-eau"),
        ("Ma facture d'eau a triplé alors que la maison est vide", "onee-eau"),
        ("Lydec m'a envoyé une facture d'eau de 4 000 dirhams", "srm"),
        ("La RADEEMA a posé un compteur qui tourne tout seul", "regies"),
        ("Deux coupures de courant par jour, mon frigo est grillé", "onee-electricite"),
        ("Un poteau électrique penche sur le toit du voisin", "onee-electricite"),
        ("Le lampadaire devant l'école est éteint depuis un mois", "commune"),
        ("Les ordures s'entassent au coin, personne ne passe", "commune"),
        ("J'attends mon permis de construire depuis huit mois", "commune"),
        ("Un café occupe tout le trottoir, les poussettes vont sur la chaussée", "commune"),
        ("Une bande de chiens errants attaque les enfants le matin", "hygiene-commune"),
        ("La route nationale 8 est pleine de trous après le pont", "equipement-eau"),
        ("Mon prénom est mal écrit sur mon acte de naissance", "etat-civil"),
        ("Ma carte nationale devait être prête en mars, toujours rien", "dgsn"),
        ("Je suis étudiant sénégalais et ma carte de séjour n'arrive pas", "dgsn"),
        ("Mon passeport est demandé depuis six semaines", "prefecture-province"),
        ("Le consulat à Lyon ne donne aucun rendez-vous pour mon passeport", "affaires-etrangeres"),
        ("Le caïd ne veut pas signer ma demande", "interieur"),
        ("Le transport scolaire laisse nos filles à 5 km du douar", "prefecture-province"),
        ("Le directeur de l'école refuse d'inscrire mon fils", "aref"),
        ("Ma bourse universitaire n'a pas été versée ce trimestre", "onousc"),
        ("La faculté a perdu ma copie d'examen", "enseignement-superieur"),
        ("Aux urgences de l'hôpital on m'a laissée six heures sur une chaise", "sante"),
        ("Mon opération au CHU est repoussée pour la quatrième fois", "chu"),
        ("La CNSS ne rembourse pas l'accouchement de ma femme à l'hôpital", "cnss"),
        ("La CNOPS garde mon dossier depuis janvier", "cnops"),
        ("Ma mère, veuve, attend sa pension civile de la CMR", "cmr"),
        ("Les impôts me réclament une somme déjà payée", "dgi"),
        ("Mon colis est bloqué à la douane sans explication", "adii"),
        ("La conservation foncière a perdu ma réquisition", "ancfcc"),
        ("Le tribunal reporte l'audience pour la septième fois", "justice"),
        ("Mon frère, détenu à Kénitra, ne reçoit pas ses médicaments", "prisons"),
        ("J'ai réussi l'examen, mais mon permis de conduire n'arrive pas", "narsa"),
        ("Le train de 18 h pour Kénitra a deux heures de retard", "oncf"),
        ("À la gare routière on vend les billets au noir", "transport"),
        ("Le péage a débité deux fois mon abonnement", "adm"),
        ("Mon vol a été annulé et personne ne rembourse", "aviation-civile"),
        ("Une lettre recommandée a disparu au bureau de poste", "poste"),
        ("La fibre optique promise par Inwi n'est pas installée", "anrt"),
        ("J'ai été licencié sans préavis après douze ans", "emploi"),
        ("L'Anapec a effacé mon inscription", "anapec"),
        ("Des gens coupent la forêt de cèdres la nuit", "anef"),
        ("La fumée de l'usine nous étouffe, les enfants toussent", "environnement"),
        ("L'agence urbaine ne répond pas pour ma note de renseignements", "urbanisme-agences"),
        ("Notre bidonville est rasé, mais pas de relogement pour ma famille", "habitat"),
        ("J'ai acheté en ligne un téléphone, le vendeur ne répond plus", "industrie-commerce"),
        ("Ma banque prélève des frais que je n'ai jamais acceptés", "bank-al-maghrib"),
        ("La compagnie d'assurance refuse de payer après l'accident", "acaps"),
        ("On nous a coupé l'électricité sans prévenir", "onee-electricite"),
        ("Il n'y a plus de lumière dans la rue depuis l'Aïd", "commune"),
        ("Un nid de poule sur l'autoroute a crevé mes pneus", "adm"),
        ("La taxe communale sur mon terrain non bâti a doublé", "fiscalite-locale"),
        ("Vol à l'arraché près de la gare, personne ne patrouille", "dgsn"),
        ("Le compte Massar de ma fille est vide", "education"),
        ("L'OFPPT ne délivre pas mon diplôme", "ofppt"),
        ("La clinique a gardé un chèque de garantie", "anam"),
        ("Ma retraite RCAR est coupée depuis avril", "rcar"),
        ("On refuse à mon fils son attestation de handicap", "solidarite"),
        ("Mon salaire de fonctionnaire n'est pas versé", "tgr"),
        ("L'orge subventionnée n'est jamais arrivée chez nous", "agriculture"),
        ("L'eau d'irrigation ne vient plus jusqu'aux oliviers", "orms"),
        ("Le bateau de pêche de mon père est bloqué sans motif", "peche"),
        ("Le supermarché vend de la viande avariée", "onssa"),
        ("Les pompiers sont arrivés deux heures après", "protection-civile"),
        ("La bouteille de gaz se vend 60 dirhams chez nous", "energie"),
    ],
    "ar": [
        ("انقطاع الماء عن حينا منذ أسبوع دون أي إشعار", "onee-eau"),
        ("انقطاع الكهرباء يتكرر كل ليلة في الدوار", "onee-electricite"),
        ("شركة ليديك تطالبني بفاتورة ماء لا تخصني", "srm"),
        ("الإنارة العمومية معطلة في شارعنا", "commune"),
        ("الأزبال متراكمة قرب المدرسة", "commune"),
        ("تأخر تسليم رخصة البناء رغم اكتمال الملف", "commune"),
        ("يوجد خطأ في اسمي بعقد الازدياد", "etat-civil"),
        ("لم أتسلم بطاقتي بعد، والبطاقة الوطنية القديمة انتهت", "dgsn"),
        ("طلبت جواز السفر منذ شهرين ولم يصل", "prefecture-province"),
        ("القنصلية في باريس لا ترد على الهاتف", "affaires-etrangeres"),
        ("غياب النقل المدرسي يحرم بناتنا من الدراسة", "prefecture-province"),
        ("لم أتوصل بالمنحة الجامعية هذه السنة", "onousc"),
        ("سوء الاستقبال في مستشفى الحسن الثاني", "sante"),
        ("الضمان الاجتماعي لم يعوضني عن ملف المرض", "cnss"),
        ("ملف تقاعدي عالق لدى الصندوق المغربي للتقاعد", "cmr"),
        ("توصلت بضريبة عن محل أغلقته منذ سنوات", "dgi"),
        ("المحافظة العقارية تماطل في تسليم الرسم العقاري", "ancfcc"),
        ("المحكمة تؤجل قضيتي منذ أربع سنوات", "justice"),
        ("لم تصلني رخصة السياقة بعد النجاح", "narsa"),
        ("تأخر القطار ساعتين دون اعتذار", "oncf"),
        ("صبيب الأنترنت ضعيف جدا في قريتنا", "anrt"),
        ("مفتش الشغل لم يتدخل بعد شكايتي", "emploi"),
        ("دخان المصنع يخنق السكان", "environnement"),
        ("المسجد القريب مغلق منذ ثلاث سنوات", "habous"),
        ("الخنازير البرية دمرت محصولنا", "anef"),
        ("الوكالة الحضرية ترفض ملفي بلا سبب", "urbanisme-agences"),
        ("المؤشر الاجتماعي ارتفع وحرمنا", "rnp-rsu"),
    ],
    "ary": [
        ("الما مقطوع علينا هادي ثلث أيام", "onee-eau"),
        ("قطعو علينا الضو بلا ما يعلمونا", "onee-electricite"),
        ("الزبل عامر فالحومة وحتى واحد ما كيجي", "commune"),
        ("مشيت للسبيطار ومكاينش الطبيب", "sante"),
        ("الطوبيس ما كيوقفش فالمحطة ديالنا", "commune"),
        ("خداو ليا الطوموبيل فالديوانة", "adii"),
        ("البيرمي ديالي هادي عام وهو ما خرج", "narsa"),
        ("مقدم الحومة بغا الرشوة باش يعطيني الورقة", "interieur"),
        ("البوسطة ضيعات ليا الطرد", "poste"),
        ("التران ديما معطل", "oncf"),
    ],
    "ary-Latn": [
        ("lma ma9to3 3lina hadi simana", "onee-eau"),
        ("makaynch do f douar kaml", "onee-electricite"),
        ("zbel 3amr f derb o 7ta wa7d ma kayji", "commune"),
        ("mchit l sbitar o ma kaynch tbib", "sante"),
        ("bghit lpaspor dyali hadi chahrayn", "prefecture-province"),
        ("lcnss ma khalsatnich f congé", "cnss"),
        ("lpermi dyali ba9i ma wsel", "narsa"),
        ("lmin7a ba9a ma tza3dat", "onousc"),
        ("sr9oni f zn9a o lbolis ma darou walo", "dgsn"),
        ("internet t9il bzaf had chhar", "anrt"),
        ("l9onsoliya f madrid ma kaytjawbouch", "affaires-etrangeres"),
        ("lmahkama kat2ajjel lia lmilaf kol mera", "justice"),
    ],
    "en": [
        ("There is no water in our building since Friday", "onee-eau"),
        ("The power cut lasted two days", "onee-electricite"),
        ("Nobody collects the garbage in our street", "commune"),
        ("The hospital turned my mother away", "sante"),
        ("My residence permit is four months late", "dgsn"),
        ("My parcel never arrived", "poste"),
        ("The train was three hours late", "oncf"),
        ("Customs keep my car at the border", "adii"),
        ("My bank closed my account without a word", "bank-al-maghrib"),
        ("My driving licence was never sent", "narsa"),
    ],
}

ABSTAINED = [
    # Nothing that says whose matter it is
    "Bonjour, je voudrais porter plainte",
    "Personne ne me répond, c'est inadmissible",
    "Je suis en train de perdre patience",
    "Il gare sa voiture devant chez moi tous les soirs",
    "Mon voisin fait du bruit toute la nuit",
    "Merci beaucoup pour votre aide",
    "L'agent au guichet a été très impoli avec moi",
    "عندي مشكل كبير وما عرفت لمن نمشي",
    "لدي شكاية مهمة وأرجو الرد",
    "السلام عليكم، أريد معرفة مآل ملفي",
    "الطلب المقدم لم يجب عنه أحد",
    "عفاكم عاونوني راني محتاج",
    "salam, 3afak bghit n3ref chno ndir",
    "ma lqit 7ta 7ad ihder m3aya",
    "I am very unhappy with your services",
    "Please call me back as soon as possible",
    # A body that several share
    "Ma facture ONEE est trop chère",
    "Mon AMO ne marche pas",
    "Je n'ai toujours pas touché ma retraite",
    "Le grand taxi a doublé son prix",
    "L'égout déborde devant la maison",
    "J'ai besoin d'une autorisation pour creuser un puits",
    "معاش والدي لم يصل هذا الشهر",
    "الواد الحار فايض قدام الدار",
    # Two subjects, and neither leads
    "Coupure d'eau et d'électricité depuis hier",
    "انقطاع الماء والكهرباء في الحي",
    "الكهرباء والماء مقطوعان",
    "La CNSS et la CNOPS se renvoient mon dossier",
    "Incendie dans la forêt, personne ne vient",
    "L'école demande une carte nationale pour chaque parent",
    "Ma banque a perdu ma carte d'identité",
    "Entre Lydec et la RADEEMA, qui doit réparer ?",
    "Mon permis de construire est perdu entre la mairie et l'agence urbaine",
    "فاتورة الماء والكهرباء مرتفعة جدا",
    # Words that look alike
    "La gendarmerie de mon village ne prend pas ma plainte",
    "Ma greffe de rein est prévue en mai",
    "عندي دورة في تحفيظ القرآن",
    "سجلت ابني عبر الإنترنت ولم أتلق جوابا",
    "Je fais une demande de visa Schengen",
    "البريد الإلكتروني لا يعمل عندي",
    # A place is only where it happened
    "Un homme vend du tabac devant l'école",
    "سرقوا دراجتي أمام البنك",
    "Grosse fuite devant la mosquée",
]


def in_every_language() -> list[tuple[str, str]]:
    return [pair for pairs in ROUTED.values() for pair in pairs]


def test_every_rule_names_an_administration_of_the_register():
    slugs = {one.slug for one in REGISTER}

    assert [rule.administration for rule in RULES if rule.administration not in slugs] == []


def test_no_phrase_stands_for_two_administrations():
    """The same words for two would be a draw that the file itself makes."""
    owners: dict[tuple[str, ...], set[str]] = {}
    for rule in RULES:
        for phrase in rule.phrases:
            owners.setdefault(phrase, set()).add(rule.administration)

    assert {phrase: slugs for phrase, slugs in owners.items() if len(slugs) > 1} == {}


def test_no_phrase_stands_twice():
    """A phrase that is read alike twice weighs by the heavier rule alone: the other is dead."""
    phrases = [(rule.administration, phrase) for rule in RULES for phrase in rule.phrases]

    assert sorted({one for one in phrases if phrases.count(one) > 1}) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.administration}-{rule.weight:g}")
def test_a_phrase_alone_reaches_its_own_administration(rule):
    """None sends its own words elsewhere; one that weighs less than a subject may leave it open."""
    allowed = {rule.administration} if rule.weight >= 2 else {rule.administration, None}
    chosen = {phrase: ROUTER.decide(" ".join(phrase)).administration for phrase in rule.phrases}

    assert {phrase: slug for phrase, slug in chosen.items() if slug not in allowed} == {}


def test_every_administration_with_a_rule_is_reached_by_one_of_its_phrases():
    reached = {
        rule.administration
        for rule in RULES
        for phrase in rule.phrases
        if ROUTER.decide(" ".join(phrase)).administration == rule.administration
    }

    assert {rule.administration for rule in RULES} - reached == set()


def test_the_words_of_the_register_never_send_elsewhere():
    """Each thing that the register says of an administration goes there, or to a person."""
    wrong = {}
    for one in REGISTER:
        for listed in (one.competence or {}).values():
            for words in listed:
                chosen = ROUTER.decide(words).administration
                if chosen not in (one.slug, None):
                    wrong[words] = (one.slug, chosen)

    assert wrong == {}


@pytest.mark.parametrize(("text", "administration"), in_every_language())
def test_a_plain_complaint_goes_where_it_belongs(text, administration):
    assert ROUTER.decide(text).administration == administration


def test_every_administration_with_a_rule_is_tried_by_a_text():
    tried = {slug for _, slug in in_every_language()}

    assert {rule.administration for rule in RULES} - tried == set()


@pytest.mark.parametrize("text", ABSTAINED)
def test_what_is_unclear_is_left_to_a_person(text):
    assert ROUTER.decide(text).administration is None
