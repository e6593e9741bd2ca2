# SPDX-License-Identifier: MIT
"""Codes as people send them: in every digit script, in groups, with slips of O and l, in words."""

import random
import sys
import unicodedata
from collections.abc import Callable

import pytest

from normalizer.intent import Intent, understand
from normalizer.tracking_code import new_code

CALLING_CODE = "212"
FRAMES = (
    "{}",
    "le numero {}",
    "السلام عليكم الشكاية {} شكرا",
    "fin wslat {} 3afak",
    "status of {} please",
    "salam o {}",
)
#: The zero of every script that has decimal digits.
ZEROS = [point for point in range(sys.maxunicode + 1) if unicodedata.decimal(chr(point), None) == 0]
SEPARATORS = ("", "-", " ", "\u00a0", ".", "\u2011", "–")
WORDS = {
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "en": "zero one two three four five six seven eight nine",
    "ar": "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة",
    "ary": "صفر واحد جوج تلاتة ربعة خمسة ستة سبعة تمنية تسعود",
    "ary-Latn": "sifr wa7ed jouj tlata reb3a khamsa setta seb3a tmenya tes3oud",
}
UP_TO_16 = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze"
UP_TO_16 += " quinze seize"
FRENCH = UP_TO_16.split()
TENS = {
    1: "dix",
    2: "vingt",
    3: "trente",
    4: "quarante",
    5: "cinquante",
    6: "soixante",
    7: "soixante",
}
TENS |= {8: "quatre-vingt", 9: "quatre-vingt"}


def codes(count: int, seed: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The same valid codes in every run."""
    dice = random.Random(seed)
    monkeypatch.setattr("secrets.randbelow", dice.randrange)
    return [new_code(CALLING_CODE) for _ in range(count)]


def misread(written: Callable[[str], str], some: list[str]) -> list[str]:
    """The texts in which something else was read, or that were taken for no question."""
    wrong = []
    for code in some:
        for frame in FRAMES:
            text = frame.format(written(code))
            found = understand(text, calling_code=CALLING_CODE)
            if (found.codes, found.intent) != ((code,), Intent.STATUS_QUERY):
                wrong.append(f"{code} {text!r} {found}")
    return wrong


def in_script(digits: dict[int, str]) -> Callable[[str], str]:
    """Writes a code in the digits of one script."""
    return lambda code: code.translate(digits)


def below_hundred(number: int) -> str:
    """A French number as it is written."""
    if number < len(FRENCH):
        return FRENCH[number]
    ten, unit = divmod(number, 10)
    unit += 10 * (ten in (7, 9))
    if not unit:
        return TENS[ten] + "s" * (ten == 8)
    between = " et " if unit in (1, 11) and ten < 8 else "-"
    return TENS[ten] + between + (f"dix-{FRENCH[unit - 10]}" if unit > 16 else FRENCH[unit])


def test_every_digit_script_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    some = codes(len(ZEROS), "scripts", monkeypatch)
    wrong = []
    for zero, code in zip(ZEROS, some, strict=True):
        digits = {ord(str(value)): chr(zero + value) for value in range(10)}
        wrong += misread(in_script(digits), [code])

    assert len(ZEROS) > 60
    assert wrong == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 12])
@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_grouping_is_read(monkeypatch: pytest.MonkeyPatch, size: int, separator: str) -> None:
    def grouped(code: str) -> str:
        return separator.join(code[at : at + size] for at in range(0, 12, size))

    assert misread(grouped, codes(40, f"{size}{separator}", monkeypatch)) == []


@pytest.mark.parametrize("letters", [("O", "l"), ("o", "I"), ("O", "L")])
def test_letters_that_look_like_digits_are_read(
    monkeypatch: pytest.MonkeyPatch, letters: tuple[str, str]
) -> None:
    zero, one = letters
    some = codes(80, "letters", monkeypatch)

    assert misread(lambda code: code.replace("0", zero).replace("1", one), some) == []


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("between", [" ", ", "])
def test_a_code_in_words_is_read(
    monkeypatch: pytest.MonkeyPatch, language: str, between: str
) -> None:
    words = WORDS[language].split()
    some = codes(80, language, monkeypatch)

    assert misread(lambda code: between.join(words[int(d)] for d in code), some) == []


def test_french_pairs_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quatre-vingt-quinze, zéro quatre, vingt-cinq: the hyphens say what belongs together."""

    def pairs(code: str) -> str:
        numbers = [int(code[at : at + 2]) for at in range(0, 12, 2)]
        return " ".join(("zéro " if n < 10 else "") + below_hundred(n) for n in numbers)

    assert misread(pairs, codes(150, "pairs", monkeypatch)) == []


@pytest.mark.parametrize(
    "complaint",
    [
        "Ma facture numéro {} est fausse",
        "Contrat {} coupé sans raison",
        "فاتورة الماء {} غالية جدا",
        "الكونطراط {} تقطع ليا الضو",
        "fatora {} ghalya bzaf",
        "Bill {} is wrong, water cut",
        "RIB {} pension jamais reçue",
        "compteur {} en panne",
    ],
)
def test_the_number_of_a_bill_makes_no_question_and_is_no_code(
    monkeypatch: pytest.MonkeyPatch, complaint: str
) -> None:
    """Though its check digit is right, as it is in one of ten numbers of twelve digits."""
    dice = random.Random(complaint)
    numbers = codes(60, complaint, monkeypatch)
    numbers += ["".join(dice.choices("0123456789", k=dice.randint(8, 24))) for _ in range(60)]
    for number in numbers:
        found = understand(complaint.format(number), calling_code=CALLING_CODE)
        assert (found.intent, found.codes) == (Intent.COMPLAINT, ()), number
