# SPDX-License-Identifier: MIT
"""What the classifier sees of a text: alike for what people write alike, whole for any input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.routing import stems
from dispatcher.routing.features import LOOKED_AT, VIEWS, Concepts, read, words_of

CONCEPTS = Concepts.of(
    {"water": ["eau", "الماء", "lma", "aman"], "bill": ["facture d'eau", "فاتورة", "fatora"]}
)


@pytest.mark.parametrize(
    ("one", "other"),
    [("compteurs", "compteur"), ("nationales", "national"), ("autorisations", "autoriser")],
)
def test_the_forms_of_a_french_word_have_one_stem(one, other):
    assert stems.french(one) == stems.french(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("والمستشفي", "مستشفي"), ("بالمدرسه", "مدرسه"), ("كيخدمو", "خدمو"), ("ماخدموش", "خدمو")],
)
def test_the_forms_of_an_arabic_word_have_one_stem(one, other):
    assert stems.darija(one) == stems.darija(other)


@pytest.mark.parametrize(("one", "other"), [("الصابون", "سبون"), ("قهوه", "كهوه"), ("ضرب", "درب")])
def test_spellings_that_are_mixed_up_have_the_same_consonants(one, other):
    assert stems.skeleton(one) == stems.skeleton(other)


def test_a_word_of_vowels_alone_stays():
    assert stems.skeleton("او") == "او"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Plus d'EAU depuis hier", "fr"),
        ("انقطع الماء عن الحي", "ar"),
        ("lma ma9to3 3lina", "ary-Latn"),
        ("ⴰⵎⴰⵏ ⵓⵔ ⵍⵍⵉⵏ", "zgh"),
        ("aman ur llin", "zgh-Latn"),
    ],
)
def test_a_concept_is_found_in_every_language(text, language):
    assert "=water" in read(text, language, CONCEPTS).views["concepts"]


def test_a_phrase_names_its_concept_only_as_a_whole():
    assert "=bill" in read("ma facture d'eau", "fr", CONCEPTS).views["concepts"]
    assert "=bill" not in read("une facture et de l'eau", "fr", CONCEPTS).views["concepts"]


def test_arabizi_meets_what_arabic_letters_have_taught():
    latin = read("fin wsel lmilaf dyali", "ary-Latn")
    arabic = read("فين وصل الملف ديالي", "ary")

    assert set(latin.views["consonants"]) & set(arabic.views["consonants"])
    assert not read("fin wsel lmilaf dyali", "fr").views["consonants"]


def test_features_tell_the_words_as_they_were_written():
    written = read("Les COMPTEURS d'Eau", "fr", CONCEPTS).written

    assert (
        written["compt"] == "COMPTEURS" if "compt" in written else "COMPTEURS" in written.values()
    )
    assert written["=water"] == "Eau"


def test_numbers_are_one_word_in_every_script():
    assert words_of("12 ٣٤ 5.6") == ["0", "0", "0", "0"]


def test_a_long_text_costs_no_more_than_its_beginning():
    text = "eau " * LOOKED_AT

    assert len(words_of(text)) == LOOKED_AT // 4


@settings(deadline=None)  # the first text loads the words of each language
@given(st.text(st.sampled_from("eau l'3afak الماء٣³ǅ\u200f\ud800ⴰⵎ \n-9½İ"), max_size=120))
def test_every_text_can_be_read(text):
    for language in ("", "ary-Latn"):
        assert read(text, language, CONCEPTS).views.keys() == VIEWS.keys()
