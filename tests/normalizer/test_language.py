# SPDX-License-Identifier: MIT
"""The language of a text: hard texts one by one, labelled sets as a whole, and the weights' origin.

``languages/held_out.csv`` was written by another hand than the rules and the examples.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer import language_model, language_training
from normalizer.language import detect, tagged

TAGS = {"ar", "ary", "ary-Latn", "fr", "en", "zgh", "zgh-Latn"}
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "config" / "routing" / "examples").glob("*.csv"))
HELD_OUT = Path(__file__).parent / "languages" / "held_out.csv"
#: Bar 3 of the routing: texts of this length and more.
LONG_ENOUGH = 16

Confusion = Counter[tuple[str, str]]


def half(text: str) -> int:
    return sha256(text.encode()).digest()[0] % 2


def confusion(rows: list[tuple[str, str]], models: dict[str, language_model.Model]) -> Confusion:
    return Counter(
        (tag, tagged(text, "fr", models)) for text, tag in rows if len(text) >= LONG_ENOUGH
    )


def recall(found: Confusion, tag: str) -> float:
    return found[tag, tag] / sum(n for (wanted, _), n in found.items() if wanted == tag)


def right(found: Confusion) -> float:
    return sum(n for (wanted, said), n in found.items() if wanted == said) / found.total()


def false_alarms(found: Confusion) -> float:
    french = sum(n for (wanted, _), n in found.items() if wanted == "fr")
    return found["fr", "ary-Latn"] / french


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        # Darija in Latin letters: with digits, without, in the French way, with French inside
        ("3lach ma kaynch lma 3ndna", "ary-Latn"),
        ("lma mqtoua 3lina hadi simana", "ary-Latn"),
        ("bghit ncheki ala lvoisin, kaydir sda3 kol lila", "ary-Latn"),
        ("dossier dyali f la commune mazal ma wjed", "ary-Latn"),
        ("BGHIT N3REF FIN WSLAT CHIKAYA DYALI", "ary-Latn"),
        ("svp chkoun kaytkellef b l'éclairage public", "ary-Latn"),
        # French with Moroccan names and words
        ("pas d'eau a hay salam depuis 3 jours", "fr"),
        ("Le moqaddem de derb Ghallef refuse mon certificat de résidence", "fr"),
        ("slt jai pa recu ma facture redal svp", "fr"),
        ("salam, ma demande de passeport est bloquée à Aït Melloul", "fr"),
        ("5eme fois que j'appelle, 2h30 d'attente", "fr"),
        # Arabic and Darija
        ("انقطع الماء عن حينا منذ ثلاثة أيام دون سابق إنذار", "ar"),
        ("الما مقطوع علينا هادي تلت يام وما كاين اللي يجاوب", "ary"),
        ("واش يمكن لي طلب شهادة السكنى عبر الإنترنت؟", "ary"),
        ("أرجو منكم التدخل لإصلاح الإنارة العمومية", "ar"),
        ("وعلاش ما صلحتوش الطريق", "ary"),
        # Amazigh
        ("ⵓⵔ ⵍⵍⵉⵏ ⵡⴰⵎⴰⵏ ⴳ ⵓⴷⵓⵡⴰⵔ", "zgh"),
        ("ur llin waman gh udwwar nngh", "zgh-Latn"),
        ("Riɣ ad ssnɣ mani tlla tbrat inu", "zgh-Latn"),
        # Mixed scripts: what there is more of
        ("الفاتورة facture ديالي غالية بزاف هاد الشهر", "ary"),
        ("Ma carte nationale (البطاقة) n'est pas prête", "fr"),
        ("The street lights are broken near the school", "en"),
        ("See https://www.service-public.fr/vos-droits my passport is late", "en"),
    ],
)
def test_a_text_has_the_tag_of_the_language_that_holds_it_together(text: str, tag: str) -> None:
    assert detect(text) == tag


@pytest.mark.parametrize(
    "text",
    ["", "??", "482109375512", "+212 6 12 34 56 78", "😀😀", "12/03/2025", "a@b.example", "\n"],
)
@pytest.mark.parametrize("default", ["fr", "ar", "ka"])
def test_without_words_the_default_holds(text: str, default: str) -> None:
    assert detect(text, default) == default


@given(st.text(max_size=400))
def test_every_text_has_a_known_tag(text: str) -> None:
    assert detect(text) in TAGS


def test_the_labelled_set_has_every_language() -> None:
    rows = language_training.read([HELD_OUT])
    assert {tag for _, tag in rows} == TAGS
    assert len(rows) >= 240 - 1


def test_texts_that_nobody_trained_on_are_told_apart() -> None:
    found = confusion(language_training.read([HELD_OUT]), language_model.models())
    assert right(found) >= 0.97, found
    assert recall(found, "ary-Latn") >= 0.95, found
    assert false_alarms(found) <= 0.01, found


def test_either_half_of_the_examples_tells_the_other_half_apart() -> None:
    rows = language_training.read(EXAMPLES)
    for trained_on in (0, 1):
        data = language_training.train(row for row in rows if half(row[0]) == trained_on)
        models = language_model.from_data(data)
        found = confusion([row for row in rows if half(row[0]) != trained_on], models)
        assert found.total() > 1000
        assert {wanted for wanted, _ in found} == TAGS
        assert right(found) >= 0.98, found
        assert recall(found, "ary-Latn") >= 0.97, found
        assert false_alarms(found) <= 0.005, found


def test_the_shipped_weights_are_those_of_the_examples() -> None:
    """When this fails, examples or word lists changed: ``make language-model``."""
    shipped = ROOT / "normalizer" / language_model.FILE
    data = language_training.train(language_training.read(EXAMPLES))
    assert language_training.written(data) == shipped.read_text(encoding="utf-8")


def test_the_order_of_the_texts_changes_nothing() -> None:
    rows = language_training.read(EXAMPLES[:1])[:200]
    mixed = random.Random(4).sample(rows, len(rows))
    assert language_training.train(rows) == language_training.train(mixed)


def test_the_word_lists_name_no_word_twice() -> None:
    """A word of two languages tells neither; a few short ones are in more than one."""
    lists = language_training.word_list()
    for tags in language_model.TAGS.values():
        count = Counter(word for tag in tags for word in lists[tag])
        assert sum(n > 1 for n in count.values()) <= 10


def test_the_set_of_another_hand_is_not_among_the_examples() -> None:
    with HELD_OUT.open(encoding="utf-8", newline="") as lines:
        held_out = {row["text"].casefold() for row in csv.DictReader(lines)}
    assert not held_out & {text.casefold() for text, _ in language_training.read(EXAMPLES)}
