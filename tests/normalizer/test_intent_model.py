# SPDX-License-Identifier: MIT
"""What the weights of whole texts add to the rules, and what they may not."""

import csv
from pathlib import Path

import pytest

from normalizer import tracking_code
from normalizer.intent import CONTENT, Intent, understand
from normalizer.intent_features import Around
from normalizer.intent_model import from_data, model
from normalizer.intent_rules import by_rules, words_of
from normalizer.intent_training import train

CODE = "482642468273"
FOLDER = Path(__file__).parent / "intents"


def by_rules_alone(text: str) -> Intent:
    reading = tracking_code.read(text)
    words = words_of(reading.rest)
    return by_rules(text, reading, words, calling_code="212", asked="?" in text).intent


def test_the_chances_of_all_intents_are_one() -> None:
    chances = model().chances(["ou", "en", "est", "ma", "plainte"], Around(5, asked=True))

    assert sum(chances.values()) == pytest.approx(1)
    assert max(chances, key=chances.__getitem__) == Intent.STATUS_QUERY
    assert set(chances) == {str(intent) for intent in Intent}


def test_a_question_in_unknown_words_is_one_as_a_whole() -> None:
    text = f"numéro {CODE}, ça bouge ou pas ?"

    assert by_rules_alone(text) is Intent.FOLLOW_UP
    found = understand(text)
    assert (found.intent, found.odd) == (Intent.STATUS_QUERY, True)


@pytest.mark.parametrize(
    "text",
    [
        "السلام عليكم الماء مقطوع",
        "bonjour la rue est inondée",
        "hello the lamp is broken",
        "facture 998877 svp",
        "0612345678 svp",
        "le 12/03/2026 à 14h",
        "1250 dh svp",
        "merci pour les trous dans la rue",
        "I want your apology",
    ],
)
def test_what_is_no_command_word_for_word_stays_filed(text: str) -> None:
    assert understand(text, calling_code="212").intent in CONTENT


@pytest.mark.parametrize(
    "text",
    [
        *(
            "viol",
            "séisme",
            "l'enfant est tombé",
            "c'est grave",
            "blessés",
            "Hay Salam",
            "mercredi",
        ),
        *("قتلوه", "حريق", "السلام عليكم الواد", "عتقوني", "حي السلام"),
        *("chfara", "baraka mn dolm", "we are dying", "good morning thieves"),
        *("mon voisin m'envoie des messages obscènes", "I get threatening messages"),
        *("supprimez les taxes", "personne ne répond à mes messages", "لم أتوصل بأي رسالة منكم"),
        *("qui est 98765432101 qui m'appelle ?", "mon colis 482109375515 est où"),
        "quand allez vous réparer 482109375515 ?",
    ],
)
def test_what_may_be_all_there_is_of_a_complaint_is_kept(text: str) -> None:
    """Whatever it looks like: it is content, or odd, which is filed too."""
    found = understand(text, calling_code="212")

    assert found.intent in CONTENT or found.odd


@pytest.mark.parametrize("file", ["held_out", "examined", "authors", "fresh"])
def test_hardly_a_complaint_is_answered_without_being_kept(file: str) -> None:
    """One in two hundred at the most."""
    with (FOLDER / f"{file}.csv").open(encoding="utf-8", newline="") as table:
        filed = [row["text"] for row in csv.DictReader(table) if row["intent"] in CONTENT]
    found = [understand(text, calling_code="212") for text in filed]
    lost = [one for one in found if one.intent not in CONTENT and not one.odd]

    assert len(lost) * 200 <= len(filed)


def test_what_is_taught_is_learnt() -> None:
    texts = {
        "status_query": [f"quoi de beau {word}" for word in ("ici", "la", "chez vous")],
        "complaint": [f"la lampe {word}" for word in ("tombe", "fume", "manque")],
        "thanks": [f"gloire à vous {word}" for word in ("tous", "deux", "trois")],
    }
    rows = [(text, "fr", intent, False) for intent, those in texts.items() for text in those]

    learnt = from_data(train(rows * 4, calling_code="212"))

    chances = learnt.chances(["quoi", "de", "beau"], Around(3))
    assert chances["status_query"] > chances["complaint"]
    assert train(rows * 4, calling_code="212") == train(rows * 4, calling_code="212")
