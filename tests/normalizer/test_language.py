# SPDX-License-Identifier: MIT
"""In which language people wrote: texts that the word lists were not made from."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from normalizer.language import detect

HELD_OUT = Path(__file__).parent / "languages" / "held_out.csv"


def test_the_languages_of_morocco_are_told_apart() -> None:
    """Its misses are shown as counts only: whoever works on the words may not look at the texts."""
    with HELD_OUT.open(encoding="utf-8", newline="") as table:
        rows = [(row["language"], detect(row["text"])) for row in csv.DictReader(table)]
    wrong = Counter(f"{told} -> {found}" for told, found in rows if told != found)

    assert {language for language, _ in rows} == {
        *("fr", "en", "ar", "ary", "ary-Latn", "zgh", "zgh-Latn")
    }
    assert wrong.total() <= 0.05 * len(rows), wrong


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Salam, je vous écris au sujet de la bourse de ma fille", "fr"),
        ("Rendez-vous le 3eme jour à 9h30, montant 500dh", "fr"),
        ("fin wslat chikaya dyali", "ary-Latn"),
        ("شنو جديد الشكاية ديالي", "ary"),
        ("لا توجد إنارة في الشارع منذ أسبوع", "ar"),
        ("ⴰⵣⵓⵍ ⵜⴰⵏⵎⵎⵉⵔⵜ", "zgh"),
        ("ur illi waman g udwwar", "zgh-Latn"),
        ("482109375518", "nl"),
    ],
)
def test_a_text_is_in_its_language(text: str, language: str) -> None:
    """A code alone is in none: then the default stands."""
    assert detect(text, "nl") == language
