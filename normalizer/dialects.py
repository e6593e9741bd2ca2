# SPDX-License-Identifier: MIT
"""Darija in both scripts and Tamazight in Latin letters, told by words that no neighbour has.

Statistical models of languages do not know them: they take Darija in Latin letters for English. The
Tamazight words want a native's review.
"""

from __future__ import annotations

import re

from normalizer.text import fold

_WORD = re.compile(r"[^\W_]+")


def _words(written: str) -> frozenset[str]:
    return frozenset(fold(word) for word in written.split())


_DARIJA = _words(
    """عاونوني عاونونا حبسو وقفو نسيت الكود لكود باركا باراكا تصيفطو مالها لاباس ايه ديال ديالي
    ديالنا ديالكم ديالو ديالها ديالهم ديالك واش فين فينهي فيناهي كاين كاينة كاينين ماكاين مكاين
    ماكاينش مكاينش بزاف هاد هادي هادشي هاذ راه راها راهم راني راهوم غادي غاديين دابا علاش كيفاش
    شنو اشنو اش آش شكون شحال مزيان والو باش اللي بغيت بغينا بغا بغات باغي باغيين خاصنا خاصني
    خصنا باقي باقا كنتسنى كنتسناو تسنيت حيت حيتاش زنقتنا حومة الحومة حومتنا سبيطار السبيطار
    طوبيس الطوبيس ضو الضو الما لما بلاصة البلاصة درب الدرب صيفط صيفطت صيفطو صافي عافاك عفاك
    عافاكم خويا خوتي لقينا لقيت دري الدري دراري الدراري المقدم القايد عاود عاودو هضرت هضرنا شي
    جا جاو جات مشا مشيت مشينا درت درنا دار داير دايرة عطاني عطاونا عطيوني شوف شوفو قالو گالو
    قالي گالي هادو حنا نتوما هوما معانا عندنا بلا حدا حداه الواد الزبل زبل ديور الديور فلوس
    الفلوس خدام خدامة خدامين كيدير كيديرو كيجي مابغاوش مابغاش ماجاش ماجاوش واخا ايوا حشومة عيينا
    عييت قطعو تقطع تقطعات طايح طايحة خاسر خاسرة خسر عليا علينا كلشي بصح فالليل بحال"""
)
#: "ما … ش" in one word, and a verb of the present: كيقول.
_NEGATED, _PRESENT = (
    re.compile("(?:ما|م)?[\u0621-\u064a]{3,}ش"),
    re.compile("ك[ين][\u0621-\u064a]{3,}"),
)
_NO_PRESENT = ("كيلو", "كيميا", "كيفي", "كيان", "كنيس", "كناي")

_ARABIZI = _words(
    """dyal dyali dyalna dyalkom dyalo dyalha dial diali dialna wach wash wesh fin feen finahiya
    kayn kayna kaina kayen makayn makaynch makaynach walo walou oualou bzaf bezzaf bezaf bghit
    bghina bgha baghi baghya had hadi hadchi hada hadou lli rah raha rahom rani rahna ghadi
    ghadin daba kifach kifash chno chnou chnu achno ach ash chkoun chhal mzyan mezyan bach mazal
    mazala ba9i baqi zanqa zanka tobis sbitar zbel zebl chikaya chikayti chokran khoya khouya
    khoti afak sift sifto siftou dert derna drna mcha mchat mchina jaw jat jawna jawbouni hna
    homa ntouma ntoma m3a wakha safi nhar simana chhar drari derb mdina lma rechwa khdam khdama
    khasni khasna khassna ghir bhal kolchi bsa7 ola wlla hit ta7ed hed bla kima dak dik hadak
    chwiya bzzaf slm salam lah inchallah hchouma tkhsr khaser tri9 triq zn9a hafra hofra blasa
    flous lflous tbib ma3ndnach machi mashi dar darou nta nti howa hiya kanchki chkit chof chouf
    chofo goul gal galo golo kan kanet kanou bghaw"""
)
#: Letters written as digits (wa7ed, 3la), an article on a consonant (lmdrasa), "ma … ch".
_DIGIT_LETTERS = re.compile(r"(?=\w*[a-z])(?:[a-z]*[3579][a-z]+\w*|[a-z]+[23579]\w*)")
_ORDINAL = re.compile(
    r"\d+(?:e|er|eme|eres?|h|hr?s?|dhs?|mad|km|cm|mm?|kg|g|st|nd|rd|th|am|pm|j|x|g|a|b|c|d)\d*"
)
_ARTICLE, _NEGATED_LATIN = re.compile(r"l[bcdfghjkmnpqrstvwxz379]\w{2,}"), re.compile(r"ma\w{2,}ch")
#: A word of more is a number.
_MOST_DIGITS = 4
_NO_DARIJA = frozenset(("match", "march", "llc", "mach", "ltd", "mars"))

_TAMAZIGHT = _words(
    """azul azoul tanmmirt tanmirt tanemmirt aman waman ur urta illa illi llan llant tlla ulac gh
    ghr inu inw nnegh nngh tmazirt udwwar adwwar aghrum asggwas igran ayt abrid ibrdan ubrid
    ixsr xsrn iga nga tga righ nra mani manik mayd matta milmi tigmmi tayafut asmmum ass assa
    yan yat sin kra zund akal tamunt tinml tinmel amussu sg zg dar darngh aws iyi awsi tamttant
    tamghart argaz imdanen middn mddn bahra wahli hati ad da is mamnk agllid afulki ighli usun
    asidd trisinti anlmad inlmadn amsgnaf asgnaf tasgnaft azrf izrfan tifawin lkm tlkm fk fkat
    ssutrgh uznagh yudja ukan dinna ghid ghin ghilad lkhla s nkki nkni kiyi ntta nttat wad wid
    tad tid maxx acku ac a t tufat"""
)
_FRENCH = _words(
    """le la les de du des un une est et dans pour pas nous je il elle on vous ne ma mon mes ce
    cette au aux sur avec en qui que plus ou sans depuis j l d n a votre notre bonjour merci svp"""
)
_ENGLISH = _words(
    """the a an is are of to in for and not no my our we i you it this that on with from has have
    been was were at there please hello thanks your"""
)


def dialect_of(text: str, *, arabic: bool) -> str:
    """``ary``, ``ary-Latn`` or ``zgh-Latn``; ``""`` where nothing tells of one of them.

    Args:
        text: the beginning of a text.
        arabic: whether it is in Arabic letters.
    """
    words = [fold(word) for word in _WORD.findall(text)]
    if arabic:
        return "ary" if any(map(_is_darija, words)) else ""
    darija = sum(map(_is_arabizi, words))
    tamazight = sum(word in _TAMAZIGHT for word in words)
    others = max(sum(word in known for word in words) for known in (_FRENCH, _ENGLISH))
    if tamazight > max(darija, others) and 3 * tamazight >= len(words):
        return "zgh-Latn"
    return (
        "ary-Latn" if darija > others or (darija and 4 * darija >= len(words) > others * 2) else ""
    )


def _is_darija(word: str) -> bool:
    bare = word[1:] if word[:1] in ("و", "ف", "ب", "ل") else word
    if word in _DARIJA or bare in _DARIJA:
        return True
    if word.startswith("ما") and _NEGATED.fullmatch(word):
        return True
    return _PRESENT.fullmatch(word) is not None and not word.startswith(_NO_PRESENT)


def _is_arabizi(word: str) -> bool:
    if word in _ARABIZI:
        return True
    if word in _NO_DARIJA or _ORDINAL.fullmatch(word) or sum(map(str.isdigit, word)) > _MOST_DIGITS:
        return False
    return any(form.fullmatch(word) for form in (_DIGIT_LETTERS, _ARTICLE, _NEGATED_LATIN))
