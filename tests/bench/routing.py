# SPDX-License-Identifier: MIT
"""``make bench-routing``: how well texts are routed, and at what cost. Each figure has its count.

1. *languages*: sets that are not ours to ship, where ``../shared/data/routing`` is there, in five
   fixed parts with the same words always in the same part: French titles; Arabic questions with
   those in Darija; Darija in Latin letters, as ``normalizer/transliteration.py`` writes it.
   Thresholds are set on the training parts alone.
2. *fresh*: a fresh installation on ``tests/dispatcher/routing/held_out.csv``, which another hand
   wrote: candidates, what is decided alone, and what needs a person.
3. *cost*: training of 25,000 rows, one decision, a batch on two processes.

    make bench-routing ARGS="--only fresh"
    make bench-routing ARGS="--embeddings --folds 2"
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from config.settings import Settings
from dispatcher.routing import features
from dispatcher.routing.decision import Decider
from dispatcher.routing.embeddings import load
from dispatcher.routing.evaluation import Evaluation, evaluate, standard_error
from dispatcher.routing.examples import read_csv
from dispatcher.routing.model import FOR_A_PERSON, Embed, Floats
from dispatcher.routing.training import Row, train
from gateway import routing
from normalizer.emergency import in_danger
from normalizer.transliteration import to_latin

ROOT = Path(__file__).parents[2]
HELD_OUT = ROOT / "tests" / "dispatcher" / "routing" / "held_out.csv"
BESIDE = ROOT.parent / "shared" / "data" / "routing"
EMERGENCY = "person:emergency"
FOLDS = 5
LARGE = 25_000


def part_of(row: Row) -> int:
    """The part a row is in; the same words are always in the same."""
    words = " ".join(features.words_of(row.text))
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") % FOLDS


def remembering(embed: Embed) -> Embed:
    """Embeddings that are made once a text: five folds ask for the same."""
    known: dict[str, Floats] = {}

    def remembered(texts: Sequence[str]) -> Floats:
        missing = [text for text in texts if text not in known]
        if missing:
            known.update(zip(missing, embed(missing), strict=True))
        return np.vstack([known[text] for text in texts])

    return remembered


def told(name: str, found: list[Evaluation]) -> None:
    """Print the figures of all parts together."""
    texts = sum(one.texts for one in found)
    line = f"{name:<34} n={texts:<6}"
    for shown, count in (
        ("top-1", sum(one.first for one in found)),
        ("top-3", sum(one.among_three for one in found)),
    ):
        share = count / texts
        line += f" {shown} {share:.4f} ± {standard_error(share, texts):.4f} "
    for at, target in enumerate(one.target for one in found[0].automatic):
        count = sum(one.automatic[at].count for one in found)
        right = sum(one.automatic[at].right for one in found)
        precision = f"{right / count:.3f}" if count else "–"
        line += f" @{target} {count / texts:.3f} of them, {precision} right"
    print(line, flush=True)


def languages(folds: int, embed: Embed | None) -> None:
    """Part 1."""
    if not BESIDE.is_dir():
        print("languages: not run, ../shared/data/routing is not there")
        return
    tier = "embeddings" if embed is not None else "fast"
    titles = read_csv(BESIDE / "fr_titles_dev.csv")
    french = []
    spent = time.process_time()
    for fold in range(folds):
        model = train([row for row in titles if part_of(row) != fold], embed=embed)
        french.append(evaluate(model, [row for row in titles if part_of(row) == fold]))
    spent = time.process_time() - spent
    told(f"French titles, 8 labels, {tier}", french)
    print(f"  {spent / folds:.1f} s of CPU a part, training and judging")
    if embed is not None:
        return  # minutes of CPU a part, for a set where labels are many
    arabic = read_csv(BESIDE / "ar_intents_train_msa_pal.csv")
    darija = read_csv(BESIDE / "darija_intents_dev.csv")
    found: defaultdict[str, list[Evaluation]] = defaultdict(list)
    for fold in range(folds):
        model = train([row for row in [*arabic, *darija] if part_of(row) != fold])
        draw = random.Random(fold)
        spoken = [row for row in darija if part_of(row) == fold]
        latin = [replace(row, text=to_latin(row.text, draw)) for row in spoken]
        found["Arabic, 77 labels"].append(
            evaluate(model, [row for row in arabic if part_of(row) == fold])
        )
        found["Darija"].append(evaluate(model, spoken))
        found["Darija in Latin letters"].append(evaluate(model, latin))
    for name, parts in found.items():
        told(f"{name}, {tier}", parts)


@cache
def decider() -> Decider:
    """A fresh installation, as ``guichet route`` makes it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(profile="demo", data_dir=Path(folder))
        register = routing.register_of(settings)
        model = routing.ensure_model(settings, register, print)
        return routing.decider_of(settings, register, lambda: model)


def share(name: str, count: int, of: int) -> None:
    """Print one share with its count and standard error."""
    value = count / of if of else math.nan
    print(f"  {name:<44} {value:.4f} ± {standard_error(value, of):.4f}  ({count} of {of})")


def fresh() -> None:
    """Part 2."""
    rows = read_csv(HELD_OUT)
    decided = [(row, decider().decide(row.text)) for row in rows]
    cases = [pair for pair in decided if not pair[0].labels[0].startswith(FOR_A_PERSON)]
    persons = [pair for pair in decided if pair[0].labels[0].startswith(FOR_A_PERSON)]
    print(f"fresh installation on {HELD_OUT.name}, {len(rows)} texts")
    slugs = [(row, [one.administration for one in said.candidates]) for row, said in cases]
    share(
        "top-1 of the candidates",
        sum(found[:1] != [] and found[0] in row.labels for row, found in slugs),
        len(cases),
    )
    share(
        "top-3 of the candidates",
        sum(not set(row.labels).isdisjoint(found) for row, found in slugs),
        len(cases),
    )
    alone = [(row, said) for row, said in decided if said.administration is not None]
    share("decided alone, of all texts", len(alone), len(rows))
    share(
        "of these right", sum(said.administration in row.labels for row, said in alone), len(alone)
    )
    danger = [(row, said) for row, said in persons if row.labels[0] == EMERGENCY]
    share(
        "live emergencies told by their words",
        sum(in_danger(row.text, said.language) for row, said in danger),
        len(danger),
    )
    share(
        "  or by the classifier",
        sum(said.needs_person != "" for _, said in danger),
        len(danger),
    )
    others = [(row, said) for row, said in decided if row.labels[0] != EMERGENCY]
    share(
        "no emergency, yet its words sound so",
        sum(in_danger(row.text, said.language) for row, said in others),
        len(others),
    )
    share(
        "needs a person, yet decided alone",
        sum(said.administration is not None for _, said in persons),
        len(persons),
    )
    for language in sorted({row.language for row, _ in cases}):
        some = [(row, found) for row, found in slugs if row.language == language]
        share(
            f"top-1, {language}",
            sum(found[:1] != [] and found[0] in row.labels for row, found in some),
            len(some),
        )
        share(
            f"top-3, {language}",
            sum(not set(row.labels).isdisjoint(found) for row, found in some),
            len(some),
        )


def _route(texts: list[str]) -> int:
    for text in texts:
        decider().decide(text)
    return len(texts)


def cost() -> None:
    """Part 3."""
    rows = read_csv(HELD_OUT)
    texts = [row.text for row in rows]
    _route(texts)
    spent = time.process_time()
    _route(texts)
    print(f"one decision: {1000 * (time.process_time() - spent) / len(texts):.2f} ms of CPU")
    with ProcessPoolExecutor(2) as two:
        list(two.map(_route, [texts, texts]))  # both have the model now
        passed = time.monotonic()
        done = sum(two.map(_route, [texts] * 4))
        print(f"batch on two processes: {done / (time.monotonic() - passed):.0f} texts/s")
    many = routing.seed_rows(routing.register_of(Settings(profile="demo")))
    if BESIDE.is_dir():
        many = read_csv(BESIDE / "ar_intents_train_msa_pal.csv")
        many += read_csv(BESIDE / "darija_intents_dev.csv")
    draw = random.Random(0)
    taught = [many[at % len(many)] for at in range(LARGE)]
    taught = [replace(row, text=f"{row.text} {draw.choice(texts)[:12]}") for row in taught]
    spent, passed = time.process_time(), time.monotonic()
    model = train(taught)
    print(
        f"training of {LARGE} rows, {len(model.manifest.labels)} labels:"
        f" {time.process_time() - spent:.1f} s of CPU, {time.monotonic() - passed:.1f} s on the"
        f" clock (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)"
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=("languages", "fresh", "cost"))
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(1, FOLDS + 1))
    parser.add_argument("--embeddings", action="store_true", help="part 1 with embeddings as well")
    asked = parser.parse_args()
    if asked.only in (None, "fresh"):
        fresh()
    if asked.only in (None, "languages"):
        languages(asked.folds, None)
        if asked.embeddings:
            languages(asked.folds, remembering(load()))
    if asked.only in (None, "cost"):
        cost()


if __name__ == "__main__":
    main()
