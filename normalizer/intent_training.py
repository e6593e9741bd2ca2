# SPDX-License-Identifier: MIT
"""Learns the weights of ``intent_model.json`` from labelled texts: ``make intent-model``.

A softmax regression over what :mod:`normalizer.intent_model` weighs. Texts in Darija are learnt in
both scripts. Each text is learnt twice, the second time with some of its words forgotten by the
tables: the rules know nearly every word of the texts they were written with, which no fresh text
is like. Complaints of the routing examples stand for all that is no command.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normalizer import tracking_code
from normalizer.intent_model import FILE, around, of_word, pairs, shaped, share
from normalizer.intent_rules import by_rules, words_of
from normalizer.intent_words import lexicon
from normalizer.transliteration import to_latin
from normalizer.understanding import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Texts that a feature must occur in, and the least weight that is kept, in hundredths.
FEWEST, LEAST_WEIGHT = 3, 8
#: How many of the routing examples are learnt, and their most words.
COMPLAINTS, MOST_WORDS = 1_000, 24
#: How often a word is taken as unknown, in the two copies of a text.
FORGOTTEN = (0.1, 0.25)
#: The inverse of how strongly weights are kept small.
_LOOSE = 3.0
_SEED = 1
#: What people say before and after what they want; a greeting before a complaint is none.
_BEFORE = {
    "fr": ("bonjour", "slt", "bonsoir", "salam"),
    "en": ("hello", "hi", "good morning", "dear sir"),
    "ar": ("السلام عليكم", "تحية طيبة", "صباح الخير", "سلام"),
    "ary": ("سلام", "السلام عليكم", "خويا", "السلام خوتي"),
    "ary-Latn": ("salam", "slm", "salam 3likom", "khoya"),
}
_AFTER = {
    "fr": ("svp", "merci", "merci d'avance", "cordialement"),
    "en": ("please", "thanks", "thank you", "asap"),
    "ar": ("من فضلكم", "وشكرا", "جزاكم الله خيرا", "شكرا لكم"),
    "ary": ("عفاكم", "شكرا", "الله يجازيكم", "الله يرحم الوالدين"),
    "ary-Latn": ("3afak", "chokran", "lah yjazikom", "merci"),
}
_WITH_COURTESY = frozenset(("complaint", "follow_up", "status_query", "help", "opt_out", "opt_in"))
Row = tuple[str, str, str]


def train(rows: Iterable[Row], *, calling_code: str) -> dict[str, Any]:
    """Learn the weights.

    Args:
        rows: text, language tag, intent.
        calling_code: as :func:`normalizer.intent.understand` takes it.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    examples = [example for row in rows for example in _copies(*row, calling_code)]
    texts = Counter(feature for features, _ in examples for feature in features)
    kept = [
        {one: amount for one, amount in features.items() if texts[one] >= FEWEST * len(FORGOTTEN)}
        for features, _ in examples
    ]
    vectors = DictVectorizer(sort=True)
    matrix = vectors.fit_transform(kept)
    learnt = LogisticRegression(C=_LOOSE, max_iter=1_000)
    learnt.fit(matrix, [intent for _, intent in examples])
    hundredths = (learnt.coef_ * 100).round().astype(int).T.tolist()
    weights = {
        name: row
        for name, row in zip(vectors.get_feature_names_out(), hundredths, strict=True)
        if max(row) - min(row) >= LEAST_WEIGHT
    }
    return {
        "intents": [str(name) for name in learnt.classes_],
        "bias": (learnt.intercept_ * 100).round().astype(int).tolist(),
        "weights": weights,
    }


def _copies(
    text: str, language: str, intent: str, calling_code: str
) -> Iterator[tuple[Mapping[str, float], str]]:
    chance = random.Random(sha256(text.encode()).digest())  # noqa: S311 - the same in each training
    written = [text]
    if intent in _WITH_COURTESY and language in _BEFORE:
        before, after = chance.choice(_BEFORE[language]), chance.choice(_AFTER[language])
        written.append(chance.choice((f"{before} {text}", f"{text} {after}")))
    if language == "ary":
        written += [to_latin(one, chance) for one in written]
    for one in written:
        for forgotten in FORGOTTEN:
            yield _features(one, calling_code, forgotten, chance), intent


def _features(
    text: str, calling_code: str, forgotten: float, chance: random.Random
) -> Mapping[str, float]:
    reading = tracking_code.read(text, calling_code=calling_code)
    words = shaped(words_of(reading.rest))
    found: Counter[str] = Counter()
    for word in words:
        roles = 0 if chance.random() < forgotten else lexicon().roles(word)
        for feature, amount in of_word(word, roles):
            found[feature] += amount  # type: ignore[assignment]
    for pair in pairs(words):
        found[pair] += 1
    inside = {feature: amount * share(words) for feature, amount in found.items()}
    code, asked = bool(reading.code or reading.slip), "?" in text or "؟" in text
    return inside | dict(around(len(words), code=code, asked=asked))


def labelled(files: Iterable[Path]) -> Iterator[Row]:
    """The rows of tables with the columns ``text``, ``language`` and ``intent``."""
    for file in files:
        with file.open(encoding="utf-8", newline="") as table:
            for row in csv.DictReader(table):
                yield row["text"], row["language"], row["intent"]


def complaints(files: Iterable[Path], *, calling_code: str) -> list[Row]:
    """Short routing examples that the rules take for complaints, always the same ones."""
    found: list[Row] = []
    for file in sorted(files):
        with file.open(encoding="utf-8", newline="") as table:
            found += [
                (row["text"], row["language"], str(Intent.COMPLAINT))
                for row in csv.DictReader(table)
                if len(row["text"].split()) <= MOST_WORDS
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
    rows += complaints(examples, calling_code=calling_code)
    data = train(rows, calling_code=calling_code)
    target = Path(__file__).with_name(FILE)
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(row, separators=(',', ':'))}"
        for name, row in data.pop("weights").items()
    ]
    head = json.dumps(data, ensure_ascii=False)[:-1]
    text = f'{head},\n"weights":{{\n' + ",\n".join(lines) + "\n}}\n"
    target.write_text(text, encoding="utf-8")
    print(f"{len(rows)} texts, {len(lines)} weights → {FILE}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
