# SPDX-License-Identifier: MIT
"""How alike texts are: the same thing said anew, and other things in the same words of courtesy."""

import random

from dispatcher.duplicates import near

POOL = {
    "light": "Les lampadaires de la rue des Orangers sont éteints depuis trois semaines",
    "hole": "Un grand trou s'est ouvert devant le 12 avenue de la Gare après la pluie",
    "bins": "Le camion des ordures ne passe plus dans notre quartier depuis lundi",
    "arabic": "انقطع الماء الصالح للشرب عن حي السلام منذ ثلاثة أيام ولا أحد يجيب",
}


def found(text: str) -> list[str]:
    return [name for name, _ in near(text, POOL.items(), floor=0.5)]


def test_the_same_thing_is_found_through_errors_greetings_and_cuts() -> None:
    draw = random.Random(7)
    for name, text in POOL.items():
        letters = [c if draw.random() > 0.03 else "" for c in text]
        assert found("".join(letters).upper()) == [name]
        assert found(f"Bonjour, je vous écris ceci. {text} Merci d'avance.") == [name]
        words = text.split()
        half = len(words) // 2
        assert found(" ".join(words[half:] + words[:half])) == [name]
        assert found(text[:70]) == [name]


def test_another_thing_in_the_same_courtesy_is_not() -> None:
    assert found("Bonjour, je vous écris : la poste est fermée. Merci d'avance.") == []


def test_the_most_alike_come_first_and_few() -> None:
    text = POOL["light"]
    others = [(n, f"{text} {'x' * n}") for n in range(40, 0, -5)]
    scored = near(text, others, floor=0.3, most=3)
    assert len(scored) == 3
    assert [score for _, score in scored] == sorted((s for _, s in scored), reverse=True)
    assert all(0 <= score <= 1.000001 for _, score in scored)


def test_nothing_is_like_nothing() -> None:
    assert near("", POOL.items(), floor=0.1) == []
    assert near("!!! ...", POOL.items(), floor=0.1) == []
    assert near("une phrase", [], floor=0.1) == []
