# SPDX-License-Identifier: MIT
"""Words of danger now, and words that only sound like it; nothing here stands in the data."""

import csv
from pathlib import Path

import pytest

from normalizer.emergency import LOOKED_AT, in_danger, read

EXAMPLES = Path(__file__).parents[2] / "config" / "routing" / "examples"
NOW = (
    "Il y a le feu dans la cuisine du troisième, la fumée sort par les fenêtres",
    "mon père ne respire plus, faites vite",
    "Ma sœur a avalé toute la boîte de comprimés, elle ne bouge plus",
    "Un homme avec un couteau est devant notre porte, il dit qu'il va nous tuer",
    "The kitchen is on fire and my son is still inside, please hurry",
    "الحقونا، النار في الطابق الثاني وفيه أطفال",
    "والدي فقد الوعي ولا يتنفس",
    "عتقونا العافية شاعلة فالدار",
    "طاح ولدي ف البير وكيغوت",
    "3tqona l3afia cha3la f dar dyal jiran",
    "ⴰⵡⵙⴰⵜ ⴰⵖ, ⵜⵉⵎⵙⵙⵉ ⴳ ⵜⴳⵎⵎⵉ",
)
NOT_NOW = (
    "Les feux rouges du carrefour ne marchent plus depuis deux mois",
    "L'incendie de l'an dernier : je n'ai toujours pas l'attestation des pompiers",
    "Le trottoir est dangereux, un enfant pourrait tomber",
    "La facture d'eau me tue",
    "Le mur de l'école menace ruine, nous avons signalé cela en mars",
    "There was a fire last year and the insurance still asks for the report",
    "احترق محلي السنة الماضية ولم أتوصل بشهادة الوقاية المدنية",
    "متنا بالانتظار ف المقاطعة على شهادة الحياة",
    "Pas d'eau depuis trois jours dans notre quartier",
    "",
    "!!!!!!",
)


@pytest.mark.parametrize("text", NOW)
def test_danger_now_is_read(text: str) -> None:
    assert in_danger(text), read(text)


@pytest.mark.parametrize("text", NOT_NOW)
def test_what_is_over_or_feared_or_a_matter_of_papers_is_not(text: str) -> None:
    assert not in_danger(text), read(text)


def test_spelling_changes_nothing() -> None:
    for text in ("AU SECOURS !!!", "au   secours", "Au secouuuurs", "au secours"):
        assert in_danger(text), text


@pytest.mark.parametrize("text", ["a" * 100_000, "au feu " * 20_000, "!" * 50_000, "ⴰ" * 50_000])
def test_a_long_text_is_read_no_further_than_said(text: str) -> None:
    assert read(text) == read(text[:LOOKED_AT])


def test_the_examples_of_routing_are_told_apart() -> None:
    """Of the shipped examples: nearly every live emergency, few others, hardly a near one."""
    rows: list[tuple[str, str, str]] = []
    for file in sorted(EXAMPLES.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            rows += [(file.stem, row["label"], row["text"]) for row in csv.DictReader(lines)]
    live = [in_danger(text) for _, label, text in rows if label == "person:emergency"]
    near = [in_danger(text) for name, _, text in rows if name == "near_emergency"]
    rest = [
        in_danger(text)
        for name, label, text in rows
        if label != "person:emergency" and name != "near_emergency"
    ]
    told = (
        f"live {sum(live)}/{len(live)}, near {sum(near)}/{len(near)}, rest {sum(rest)}/{len(rest)}"
    )
    print(told)
    assert len(live) >= 100
    assert sum(live) >= 0.95 * len(live), told
    assert sum(near) <= 0.05 * len(near), told
    assert sum(rest) <= 0.02 * len(rest), told
