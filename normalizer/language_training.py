# SPDX-License-Identifier: MIT
"""Counts the weights of ``language_model.json`` from labelled texts: ``make language-model``.

Each tag's features are counted (twice a text at most), brought to the same sum for every tag and
number of letters, and smoothed; a weight is the logarithm beside the mean of the tags. There is no
chance in it: the same texts give the same file. The words of ``language_words.toml`` count as texts
do, so that what holds sentences together weighs more than what they happen to be about.
"""

from __future__ import annotations

import csv
import json
import math
import random
import sys
import tomllib
import unicodedata
from collections import Counter, defaultdict
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normalizer.language_model import FILE, TAGS, features, words
from normalizer.text import fold
from normalizer.transliteration import to_latin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Row = tuple[str, str]
#: How many texts a word of the word list counts for.
LISTED = 3
#: Texts that a feature must occur in to be weighed, and the spread of weights it must have.
FEWEST, LEAST_SPREAD = 3, 60
_SMOOTHING = 0.2
_TWICE = 2
#: Tifinagh letters in the Latin ones of those who learnt them at school, and of everybody else.
_TIFINAGH = "ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥ"
_SCHOOL = "a b g d ḍ e f k h ḥ ɛ x q i j l m n u r ṛ ɣ s ṣ c t ṭ w y z ẓ"
_STREET = "a b g d d e f k h h 3 kh q i j l m n ou r r gh s s ch t t w y z z"
_TRANSCRIPTS = [
    str.maketrans(dict(zip(_TIFINAGH, signs.split(), strict=True)) | {"ⵯ": ""})
    for signs in (_SCHOOL, _STREET)
]


def train(rows: Iterable[Row]) -> dict[str, Any]:
    """Count the weights of both scripts.

    Args:
        rows: texts with their BCP 47 tag; those in Tifinagh serve Amazigh in Latin letters.
    """
    examples = [example for row in rows for example in _copies(*row)]
    listed = word_list()
    data: dict[str, Any] = {}
    for script, tags in TAGS.items():
        counts: dict[str, list[int]] = {}
        texts: Counter[str] = Counter()
        for text, tag in examples:
            if tag in tags:
                _count(words(text, script), (tags.index(tag), len(tags)), 1, counts, texts)
        for tag in tags:
            for word in listed[tag]:
                _count([word], (tags.index(tag), len(tags)), LISTED, counts, texts)
        data[script] = {"tags": list(tags), "weights": _weights(counts, texts, len(tags))}
    return data


def word_list() -> dict[str, list[str]]:
    """The words of ``language_words.toml`` by tag, each once, as the weights know them."""
    file = resources.files("normalizer") / "language_words.toml"
    lists: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    arabic = TAGS["arabic"]
    return {
        tag: sorted({fold(word) if tag in arabic else word for word in lists[tag].split()})
        for tags in TAGS.values()
        for tag in tags
    }


def _count(
    found: Sequence[str],
    place: tuple[int, int],
    times: int,
    counts: dict[str, list[int]],
    texts: Counter[str],
) -> None:
    """Count the features of one text for its tag; ``place``: the tag's, and how many there are."""
    tag, tags = place
    for one, number in Counter(one for word in found for one in features(word)).items():
        counts.setdefault(one, [0] * tags)[tag] += times * min(number, _TWICE)
        texts[one] += times


def _copies(text: str, tag: str) -> Iterator[Row]:
    """The text itself, and how others might have written it."""
    if tag == "zgh":
        for table in _TRANSCRIPTS:
            yield text.translate(table), "zgh-Latn"
        return
    yield text, tag
    if tag in ("fr", "zgh-Latn"):  # telephones, and people in a hurry, write no accents
        apart = unicodedata.normalize("NFD", text)
        yield "".join(sign for sign in apart if unicodedata.category(sign) != "Mn"), tag
    if tag == "ary":  # a hand of its own for each text, the same in each training
        yield to_latin(text, random.Random(sha256(text.encode()).digest())), "ary-Latn"  # noqa: S311


def _weights(
    counts: dict[str, list[int]], texts: Counter[str], tags: int
) -> dict[str, tuple[int, ...]]:
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0] * tags)
    for one, numbers in counts.items():
        kind = _kind(one)
        sums[kind] = [total + number for total, number in zip(sums[kind], numbers, strict=True)]
    weights: dict[str, tuple[int, ...]] = {}
    for one in sorted(counts):
        if texts[one] < FEWEST:
            continue
        total = sums[_kind(one)]
        mean = sum(total) / tags
        logs = [
            # What is rare because there are few texts of a tag is smoothed more.
            math.log(
                number * mean / (each or 1) + _SMOOTHING * math.sqrt(max(1, mean / (each or 1)))
            )
            for number, each in zip(counts[one], total, strict=True)
        ]
        middle = sum(logs) / tags
        rounded = tuple(round(100 * (log - middle)) for log in logs)
        if max(rounded) - min(rounded) >= LEAST_SPREAD:
            weights[one] = rounded
    return weights


def _kind(feature: str) -> int:
    """Features of one kind are counted against each other: whole words, or runs of one length."""
    return 0 if feature.startswith("=") else len(feature)


def read(files: Iterable[Path]) -> list[Row]:
    """The texts and tags of CSV files with the columns ``text`` and ``language``."""
    rows: list[Row] = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows += [(row["text"], row["language"]) for row in csv.DictReader(lines)]
    return rows


def written(data: dict[str, Any]) -> str:
    """The JSON of trained data, one feature a line, so that a change of it can be read."""
    scripts: list[str] = []
    for script, part in data.items():
        lines = ",\n".join(
            f"{json.dumps(one, ensure_ascii=False)}:{json.dumps(weights, separators=(',', ':'))}"
            for one, weights in part["weights"].items()
        )
        scripts.append(
            f'"{script}":{{"tags":{json.dumps(part["tags"])},"weights":{{\n{lines}\n}}}}'
        )
    return "{" + ",\n".join(scripts) + "}\n"


def main(names: Sequence[str]) -> None:
    """Write ``language_model.json`` anew from the files ``names``."""
    rows = read(map(Path, sorted(names)))
    with resources.as_file(resources.files("normalizer") / FILE) as file:
        file.write_text(written(train(rows)), encoding="utf-8")
    sys.stdout.write(f"{FILE}: {len(rows)} texts\n")


if __name__ == "__main__":
    main(sys.argv[1:])
