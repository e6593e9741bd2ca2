# SPDX-License-Identifier: MIT
"""``make bench-language``: which tag texts get, beside the one they should have, and how fast.

- *examples*: each half of ``config/routing/examples`` judged by weights of the other half alone;
- *by hand*: each file of it judged by weights of the other files (each file is one hand's);
- *held out*: ``tests/normalizer/languages/held_out.csv``, by the shipped weights;
- where ``../shared/data/routing`` is there: French titles (false alarms), Darija questions.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

from normalizer import language_model, language_training
from normalizer.language import detect, preload, tagged

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "config" / "routing" / "examples").glob("*.csv"))
HELD_OUT = ROOT / "tests" / "normalizer" / "languages" / "held_out.csv"
BESIDE = ROOT.parent / "shared" / "data" / "routing"
TAGS = ("fr", "en", "ar", "ary", "ary-Latn", "zgh", "zgh-Latn")
SHORTEST = 16

Row = tuple[str, str]
Models = dict[str, language_model.Model]


def half(text: str) -> int:
    """The half that an example belongs to."""
    return sha256(text.encode()).digest()[0] % 2


def judge(rows: list[Row], models: Models) -> Counter[Row]:
    """The tags that texts should have, and have."""
    return Counter((tag, tagged(text, "fr", models)) for text, tag in rows if len(text) >= SHORTEST)


def trained(rows: list[Row]) -> Models:
    """Weights of these texts alone."""
    return language_model.from_data(language_training.train(rows))


def shown(name: str, found: Counter[Row]) -> None:
    """Print the table of one set, wanted by given, with the share that is right."""
    total = found.total()
    right = sum(number for (wanted, said), number in found.items() if wanted == said) / total
    error = math.sqrt(right * (1 - right) / total)
    print(f"\n{name}: {right:.4f} right of {total} (standard error {error:.4f})")
    print(f"  {'wanted':<10}{'right':>8}" + "".join(f"{tag:>10}" for tag in TAGS))
    for wanted in TAGS:
        number = sum(found[wanted, said] for said in TAGS)
        if number:
            share = found[wanted, wanted] / number
            row = "".join(f"{found[wanted, said] or '.':>10}" for said in TAGS)
            print(f"  {wanted:<10}{share:>8.3f}{row}")


def beside() -> None:
    """Sets that are not ours to ship, where they are there: by the shipped weights."""
    for file, tag in (("fr_titles_dev.csv", "fr"), ("darija_intents_dev.csv", "ary")):
        if not (BESIDE / file).exists():
            print(f"\n{file}: not there")
            continue
        with (BESIDE / file).open(encoding="utf-8", newline="") as lines:
            rows = [(row["text"], tag) for row in csv.DictReader(lines)]
        shown(file, judge(rows, language_model.models()))


def speed(rows: list[Row]) -> None:
    """Print the time of a text, with words met for the first time and met before."""
    preload()
    for name in ("words met for the first time", "words met before"):
        start = time.process_time()
        for text, _ in rows:
            detect(text)
        took = (time.process_time() - start) / len(rows)
        print(f"  {took * 1000:.3f} ms a text, {name}")


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.parse_args()
    rows = language_training.read(EXAMPLES)
    print(f"speed over {len(rows)} texts:")
    speed(rows)
    found: Counter[Row] = Counter()
    for part in (0, 1):
        models = trained([row for row in rows if half(row[0]) == part])
        found += judge([row for row in rows if half(row[0]) != part], models)
    shown("examples, each half by the other", found)
    found = Counter()
    for file in EXAMPLES:
        others = language_training.read(other for other in EXAMPLES if other != file)
        found += judge(language_training.read([file]), trained(others))
    shown("examples, each file by the other files", found)
    shown(
        "held out, by another hand",
        judge(language_training.read([HELD_OUT]), language_model.models()),
    )
    beside()


if __name__ == "__main__":
    main()
