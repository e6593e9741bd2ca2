# SPDX-License-Identifier: MIT
"""Measures the shipped rules on the seed examples, and writes the figures into the rules' files.

A rule is measured on the examples for which it spoke, where the rules chose its administration and
a classifier *that had not seen the example* gave that administration most of its share: only then
does the machine decide by it. Rules of concepts are found here as well: one or two concepts that
stand, nearly always, in the examples of one administration alone. What such rules are worth on
texts that had no part in finding them is counted for all of them together, and printed. Run it by
hand after a change of examples, rules or concepts, and read what changed:

    PYTHONPATH=tests/support .venv/bin/python tests/bench/routing_rules.py
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from dispatcher.administration_csv import read_csv
from dispatcher.routing import examples, features
from dispatcher.routing.decision import Decider
from dispatcher.routing.model import Model
from dispatcher.routing.rules import Router, Rule, of_administrations, read_toml
from dispatcher.routing.training import Recipe, train
from gateway import routing, wiring

FOLDS = 5
#: A rule of concepts needs so many examples, so nearly all of one administration.
FEWEST, SHARE = 3, 0.8
PHRASES = wiring.CONFIG / "routing.toml"
HEADER = """\
# Rules of concepts (concepts.toml): where all of them stand in a text, in whatever language, they
# speak for an administration. Found and measured by tests/bench/routing_rules.py on the seed
# examples: `measured` counts those where the machine would have decided by the rule, `precision` is
# the share of them that belong to the administration. On examples that had no part in finding the
# rules, all rules together were right {right} times of {of}: these examples lie near boundaries on
# purpose, and most complaints do not.
"""


def fold_of(text: str) -> int:
    """The part an example is in; the same words are always in the same."""
    words = " ".join(features.words_of(text))
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") % FOLDS


def _always(model: Model) -> Callable[[], Model]:
    return lambda: model


def main() -> None:  # noqa: C901 - one walk over the parts, read from top to bottom
    """Measure and write."""
    register = {one.slug: one for one in read_csv(wiring.CONFIG / "administrations.csv")}
    concepts = routing.concepts()
    rows = examples.known_to(examples.read_folder(routing.EXAMPLES), register)
    own = examples.known_to(examples.of_administrations(register.values()), register)
    folds = [fold_of(row.text) for row in rows]
    meant = [
        sorted(
            {
                name.removeprefix("=")
                for name in features.read(row.text, row.language, concepts).views["concepts"]
            }
        )
        for row in rows
    ]

    def mined(without: int) -> dict[tuple[str, ...], str]:
        stands: Counter[tuple[str, ...]] = Counter()
        of: Counter[tuple[tuple[str, ...], str]] = Counter()
        for row, fold, names in zip(rows, folds, meant, strict=True):
            if fold == without:
                continue
            for few in (*((name,) for name in names), *combinations(names, 2)):
                stands[few] += 1
                of.update((few, label) for label in row.labels)
        return {
            few: label
            for (few, label), count in of.items()
            if label in register and stands[few] >= FEWEST and count / stands[few] >= SHARE
        }

    def rules_without(fold: int) -> list[Rule]:
        return [Rule(slug, (), 2.0, concepts=few) for few, slug in sorted(mined(fold).items())]

    phrases = [replace(rule, precision=None, measured=0) for rule in read_toml(PHRASES)]
    found = [
        Rule(slug, (), 2.0, concepts=few)
        for few, slug in sorted(mined(-1).items(), key=lambda one: (one[1], one[0]))
    ]
    own_words = of_administrations(register.values())

    def trusting(some: list[Rule]) -> Router:
        """Every rule trusted, so that the decider says where it would decide by them."""
        rules = [replace(rule, precision=1.0) for rule in [*phrases, *some, *own_words]]
        return Router(rules, concepts=concepts, precision=0.0, measured=0)

    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    crossed = [0, 0]
    for fold in range(FOLDS):
        print(f"part {fold + 1} of {FOLDS}", file=sys.stderr, flush=True)
        kept = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        model = train([*kept, *own], concepts=concepts, recipe=Recipe(judged_folds=0))
        whole = Decider(trusting(found), _always(model), register.keys())
        blind = replace(whole, router=trusting(rules_without(fold)))
        for row, at in zip(rows, folds, strict=True):
            if at != fold:
                continue
            for decider in (whole, blind):
                chosen = decider.decide(row.text, row.language).administration
                speaking = decider.router.speaking(row.text) if chosen else []
                spoke = [rule for rule in speaking if rule.administration == chosen]
                if decider is blind:
                    by_concepts = any(rule.concepts for rule in spoke)
                    crossed[0] += by_concepts
                    crossed[1] += by_concepts and chosen in row.labels
                    continue
                for rule in spoke:
                    count = counts[replace(rule, precision=None).key]
                    count[0] += 1
                    count[1] += chosen in row.labels
    print(f"rules of concepts, crosswise: {crossed[1]} of {crossed[0]} right")
    write_phrases(phrases, counts)
    write_concepts(found, counts, HEADER.format(of=crossed[0], right=crossed[1]))


def write_phrases(rules: list[Rule], counts: dict[str, list[int]]) -> None:
    """Put the figures behind each rule's administration."""
    lines: list[str] = []
    number = -1
    for line in PHRASES.read_text(encoding="utf-8").splitlines():
        if re.match(r"(precision|measured) = ", line):
            continue
        lines.append(line)
        if line.startswith("administration = "):
            number += 1
            of, right = counts.get(rules[number].key, [0, 0])
            if of:
                lines += [f"precision = {right / of:.3f}", f"measured = {of}"]
    PHRASES.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_concepts(rules: list[Rule], counts: dict[str, list[int]], header: str) -> None:
    """Write the rules of concepts that were measured at least once."""
    parts = [header]
    for rule in rules:
        of, right = counts.get(rule.key, [0, 0])
        if of:
            names = ", ".join(f'"{name}"' for name in rule.concepts)
            parts.append(
                f'[[rule]]\nadministration = "{rule.administration}"\nconcepts = [{names}]\n'
                f"precision = {right / of:.3f}\nmeasured = {of}\n"
            )
    Path(routing.CONCEPT_RULES).write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
