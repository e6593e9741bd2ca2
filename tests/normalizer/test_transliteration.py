# SPDX-License-Identifier: MIT
"""Darija from Latin letters into Arabic ones and back: words, numbers, and whatever may come."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from normalizer.arabizi import skeleton
from normalizer.text import ascii_digits, fold
from normalizer.transliteration import to_arabic, to_latin

ARABIC = re.compile("[\u0621-\u064a]")
LATIN = re.compile("[A-Za-z]")
ARABIC_TEXT = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةى ،؟٠١٢٣٤٥٦٧٨٩"


@pytest.mark.parametrize(
    ("latin", "arabic"),
    [
        ("lma m9tou3 3lina", "الما مقطوع علينا"),
        ("ma kaynch tbib f sbitar", "ما كاينش طبيب فسبيطار"),
        ("makaynch do f zn9a", "ما كاينش ضو فزنقة"),
        ("bghit n3ref chkoun lmas2oul", "بغيت نعرف شكون المسؤول"),
        ("lgharama ghalya bezzaf", "الغرامة غالية بزاف"),
        ("kaygolo liya sir w ji", "كيقولو ليا سير وجي"),
        ("ssou9 ddrari nnas", "السوق الدراري الناس"),
        ("l 7anout, l'7anout, el-7anout, l7anout", "الحانوت, الحانوت, الحانوت, الحانوت"),
        ("khobz 5obz", "خبز خبز"),
        ("chkara shkara", "شكارة شكارة"),
        ("6bib 8add", "طبيب هاد"),
        ("mabghawch y9elbouna", "ما بغاوش يقلبونا"),
        ("W9EF 3LA LKHDMA", "وقف على الخدمة"),
    ],
)
def test_darija_in_latin_letters_is_written_as_moroccans_write_it(latin: str, arabic: str) -> None:
    assert to_arabic(latin) == arabic


@pytest.mark.parametrize(
    "number",
    [
        *("500", "3", "2024", "12/03/2025", "9.5", "0612345678", "06 12 34 56 78", "+212612345678"),
        *("AB123456", "2h30", "9h", "15h", "4G", "5G", "3eme", "7ème", "R+5", "4471-0023-9921"),
        *(
            "30%",
            "n°3",
            "3km",
            "12345abc",
            "a@b3.ma",
            "https://x.ma/3la?7=9",
            "www.3la.ma",
            "٣ ٧ ٩",
        ),
    ],
)
def test_digits_that_are_numbers_stay_digits(number: str) -> None:
    made = to_arabic(f"khlest {number} f lbaladiya")
    assert re.findall(r"\d", made) == re.findall(r"\d", number)


def test_an_amount_may_be_written_in_one_with_its_unit() -> None:
    assert to_arabic("500dh w 3ans w 2snin w 40drhm") == "500 درهم و 3ans و 2 سنين و 40 درهم"


def test_french_words_are_written_as_they_sound_or_left() -> None:
    text = "l'administration ma jawbatch 3la la réclamation"
    assert not LATIN.search(to_arabic(text))
    kept = to_arabic(text, french="keep")
    assert "administration" in kept
    assert "réclamation" in kept
    assert "على" in kept


@given(st.text(max_size=300))
@example("\ud800 3la \x00 l' l' l'")
@example("f f f f l l l l")
def test_whatever_comes_both_ways_give_a_text(text: str) -> None:
    made = to_arabic(text)
    assert made == to_arabic(text)
    assert to_arabic(text, french="keep") == to_arabic(text, french="keep")
    latin = to_latin(text, random.Random(7))
    assert latin == to_latin(text, random.Random(7))


@given(st.text(alphabet="abcdefghijklmnopqrstuwyz 3795286'", max_size=200))
def test_what_has_been_transliterated_is_not_changed_again(text: str) -> None:
    once = to_arabic(text)
    assert LATIN.search(once) or to_arabic(once) == once


@given(
    st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةى ،؟٠١٢٣٤٥٦٧٨٩", max_size=200),
    st.integers(),
)
def test_a_latin_copy_has_no_arabic_letter_and_the_same_numbers(text: str, seed: int) -> None:
    made = to_latin(text, random.Random(seed))
    assert not ARABIC.search(made)
    numbers = [n for n in ascii_digits(text).split() if n.isdecimal()]
    for number in numbers:
        assert number in made


@given(st.lists(st.integers(0, 10**12), max_size=12), st.sampled_from([" ", ", ", "/", ".", "-"]))
def test_numbers_survive_both_ways(numbers: list[int], sign: str) -> None:
    text = sign.join(map(str, numbers))
    assert to_arabic(text) == text
    assert to_latin(text, random.Random(1)) == text


def test_a_text_without_the_letters_in_question_is_left_alone() -> None:
    assert to_arabic("الماء مقطوع، 3 أيام ٣") == "الماء مقطوع، 3 أيام ٣"
    assert to_latin("lma m9tou3", random.Random(2)) == "lma m9tou3"
    assert to_latin("ⴰⵎⴰⵏ", random.Random(2)) == "ⴰⵎⴰⵏ"


def test_one_text_gets_several_spellings_and_one_hand_keeps_to_its_own() -> None:
    text = "العافية شعلات فالغابة وما جاش اللي يطفيها، الحرارة طالعة والريح كيزيد"
    copies = {to_latin(text, random.Random(seed)) for seed in range(40)}
    assert len(copies) > 30
    assert any("7" in copy for copy in copies)
    assert any("7" not in copy for copy in copies)


def test_a_latin_copy_goes_back_to_its_words() -> None:
    text = "بغيت نعرف علاش الما مقطوع على الحومة ديالنا والجيران ما عندهمش"
    back = [fold(to_arabic(to_latin(text, random.Random(seed)))).split() for seed in range(30)]
    kept = [sum(word in words for word in fold(text).split()) for words in back]
    assert sum(kept) / len(kept) >= 0.7 * len(text.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [("bzaf", "bezzaf"), ("mouchkil", "moshkil"), ("khedma", "5dma"), ("dial", "dyal")],
)
def test_spellings_of_one_word_share_a_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize("unit", ["a", "3", "ma", "l'", "ch", "kay", "f ", "é", "@", "ا", "و"])
def test_a_very_long_text_comes_to_an_end(unit: str) -> None:
    """A pattern that looks again and again from each place would take hours here."""
    text = unit * 200_000
    assert to_arabic(text)
    assert to_latin(text, random.Random(3))
