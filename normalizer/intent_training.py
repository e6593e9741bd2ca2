# SPDX-License-Identifier: MIT
"""Learns the weights of ``intent_model.json`` from labelled texts: ``make intent-model``.

A softmax regression over :mod:`normalizer.intent_features`. Texts in Darija are learnt in both
scripts. Some words of a text are learnt as if they stood in no table, in texts that the tables
were written with half of them: the rules know nearly every word of those, which no fresh text is
like. A text with a code is learnt with a slip in it as well. Complaints of the routing examples
stand for all that is no command.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from normalizer import tracking_code
from normalizer.intent_features import (
    EDGE,
    of_phrase,
    of_roles,
    of_surroundings,
    of_word,
    phrases,
    seen,
    shaped,
    share,
    side_by_side,
)
from normalizer.intent_model import FILE
from normalizer.intent_rules import by_rules, words_of
from normalizer.intent_words import lexicon
from normalizer.text import ascii_digits
from normalizer.transliteration import to_latin
from normalizer.understanding import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Copies of texts that a feature must occur in, and the least weight that is kept, in steps.
FEWEST, LEAST = 4, 3
#: How many of the routing examples are learnt, their most words, and how much one of them counts.
COMPLAINTS, MOST_WORDS, LIGHT = 4_000, 40, 0.7
#: Labels of routing examples that are no complaint, or may be none.
NO_COMPLAINTS = ("person:none", "person:unclear")
#: How often a word is taken as unknown; where the tables know nearly all, in two lighter copies.
FORGOTTEN, FORGOTTEN_OF_KNOWN = (0.15,), (0.1, 0.5)
TWICE = 0.5
#: Files of texts that the tables were written with.
KNOWN = ("tuned", "later", "fresh")
#: The inverse of how strongly weights are kept small.
_LOOSE = 7.0
#: Weights are bytes.
_STEPS = 127
_SEED = 1
Row = tuple[str, str, str, bool]


def train(
    rows: Iterable[Row], *, calling_code: str, examples: Iterable[Row] = ()
) -> dict[str, Any]:
    """Learn the weights.

    Args:
        rows: text, language tag, intent, whether the tables were written with it.
        calling_code: as :func:`normalizer.intent.understand` takes it.
        examples: of routing, which count less.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    texts: list[Mapping[str, float]] = []
    intents: list[str] = []
    counts: list[float] = []
    for group, count in ((rows, 1.0), (examples, LIGHT)):
        for row in group:
            copies = list(_copies(row, calling_code))
            texts += copies
            intents += [row[2]] * len(copies)
            counts += [count * (TWICE if row[3] else 1)] * len(copies)
    often = Counter(feature for features in texts for feature in features)
    kept = [
        {one: amount for one, amount in features.items() if often[one] >= FEWEST}
        for features in texts
    ]
    vectors = DictVectorizer(sort=True)
    matrix = vectors.fit_transform(kept)
    learnt = LogisticRegression(C=_LOOSE, max_iter=1_000, tol=1e-3)
    learnt.fit(matrix, intents, sample_weight=counts)
    # Outliers are cut off rather than all others made coarse.
    step = float(np.quantile(np.abs(learnt.coef_), 0.9999)) / _STEPS
    steps = np.clip(np.round(learnt.coef_.T / step), -_STEPS, _STEPS).astype(np.int8)
    weights = {
        name: b64encode(row.tobytes()).decode()
        for name, row in zip(vectors.get_feature_names_out(), steps, strict=True)
        if np.abs(row).max() >= LEAST
    }
    return {
        "intents": [str(name) for name in learnt.classes_],
        "bias": learnt.intercept_.round(3).tolist(),
        "step": round(step, 6),
        "weights": weights,
    }


def _copies(row: Row, calling_code: str) -> Iterator[Mapping[str, float]]:
    text, language, _, known = row
    chance = random.Random(sha256(text.encode()).digest())  # noqa: S311 - the same in each training
    slipped = _with_a_slip(text, calling_code, chance)
    for forgotten in FORGOTTEN_OF_KNOWN if known else FORGOTTEN:
        for one in (text, slipped):
            if one:
                yield _features(one, calling_code, forgotten, chance)
                if language == "ary":
                    yield _features(to_latin(one, chance), calling_code, forgotten, chance)


def _with_a_slip(text: str, calling_code: str, chance: random.Random) -> str:
    """The text with a digit of its code left out, doubled or wrong; ``""`` if it has none."""
    code = tracking_code.read(text, calling_code=calling_code).code
    if code is None:
        return ""
    at = chance.randrange(1, len(code))  # a number that begins with another digit may be none
    digit = code[at]
    for_it = chance.choice(("", digit * 2, str((int(digit) + chance.randrange(1, 10)) % 10)))
    written = r"[ .\-/]{0,3}".join(code)
    return re.sub(written, f"{code[:at]}{for_it}{code[at + 1 :]}", ascii_digits(text), count=1)


def _features(
    text: str, calling_code: str, forgotten: float, chance: random.Random
) -> Mapping[str, float]:
    reading = tracking_code.read(text, calling_code=calling_code)
    folded = words_of(reading.rest)
    words = shaped(folded)
    roles = [0 if chance.random() < forgotten else lexicon().roles(word) for word in words]
    found: Counter[str] = Counter()
    for word, own in zip(words, roles, strict=True):
        _add(found, of_word(word, own))
    _add(found, ((f"{first} {second}", 1.0) for first, second in side_by_side(words)))
    for first, second in zip([EDGE, *roles], [*roles, EDGE], strict=True):
        _add(found, of_roles(first, second))
    for phrase in phrases(folded):
        _add(found, of_phrase(phrase))
    inside = {feature: amount * share(words) for feature, amount in found.items()}
    return inside | dict(of_surroundings(seen(text, reading, folded, calling_code=calling_code)))


def _add(found: Counter[str], features: Iterable[tuple[str, float]]) -> None:
    for feature, amount in features:
        found[feature] += amount  # type: ignore[assignment]


def labelled(files: Iterable[Path]) -> Iterator[Row]:
    """The rows of tables with the columns ``text``, ``language`` and ``intent``."""
    for file in files:
        with file.open(encoding="utf-8", newline="") as table:
            for row in csv.DictReader(table):
                yield row["text"], row["language"], row["intent"], file.stem in KNOWN


def complaints(files: Iterable[Path], *, calling_code: str) -> list[Row]:
    """Short routing examples that the rules take for complaints, always the same ones."""
    found: list[Row] = []
    for file in sorted(files):
        with file.open(encoding="utf-8", newline="") as table:
            found += [
                (row["text"], row["language"], str(Intent.COMPLAINT), False)
                for row in csv.DictReader(table)
                if len(row["text"].split()) <= MOST_WORDS
                and row["label"] not in NO_COMPLAINTS
                and _is_complaint(row["text"], calling_code)
            ]
    random.Random(_SEED).shuffle(found)  # noqa: S311 - no secret
    return found[:COMPLAINTS]


def _is_complaint(text: str, calling_code: str) -> bool:
    reading = tracking_code.read(text, calling_code=calling_code)
    found = by_rules(
        text, reading, words_of(reading.rest), calling_code=calling_code, asked="?" in text
    )
    return found.intent is Intent.COMPLAINT


def main() -> None:
    """Write the model from the files that are named; those with a column ``label`` are examples."""
    calling_code, *names = sys.argv[1:]
    files = [Path(name) for name in names]
    examples = [file for file in files if "label" in file.read_text(encoding="utf-8")[:80]]
    rows = list(labelled(file for file in files if file not in examples))
    kept = complaints(examples, calling_code=calling_code)
    data = train(rows, calling_code=calling_code, examples=kept)
    target = Path(__file__).with_name(FILE)
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(row)}"
        for name, row in data.pop("weights").items()
    ]
    head = json.dumps(data, ensure_ascii=False)[:-1]
    text = f'{head},\n"weights":{{\n' + ",\n".join(lines) + "\n}}\n"
    target.write_text(text, encoding="utf-8")
    print(f"{len(rows) + len(kept)} texts, {len(lines)} weights → {FILE}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
