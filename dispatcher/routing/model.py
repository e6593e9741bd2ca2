# SPDX-License-Identifier: MIT
"""The trained classifier: arrays and a vocabulary, no code in any file (never pickle).

A linear model: every feature of a text has a weight for each label, the sum is the label's score.
``training.py`` makes one, ``model_store.py`` keeps it on disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatcher.routing.features import VIEWS, Concepts, Features, read
from dispatcher.routing.thresholds import Thresholds

Floats = NDArray[np.float32]
Columns = NDArray[np.int32]

#: Makes sentence embeddings: a line of length one for each text.
Embed = Callable[[Sequence[str]], Floats]

#: Labels that begin so are no administration: a person must decide, and why.
FOR_A_PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model is, in words and figures.

    Attributes:
        version: its name, made of the time and a digest of what it was trained on.
        created_at: RFC 3339, UTC.
        labels: in the order of the columns of its weights.
        rows: how many rows it was trained on, by label.
        languages: and by language.
        digest: SHA-256 of the rows and words it was trained on.
        sharpness: what scores are multiplied by before they are told as shares of one.
        thresholds: by target precision, as set on rows it had not seen.
        figures: what was measured on the same rows.
    """

    version: str
    created_at: str
    labels: tuple[str, ...]
    rows: Mapping[str, int]
    languages: Mapping[str, int]
    digest: str
    sharpness: float = 1.0
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of the training, to show which one a text is like.

    Attributes:
        references: what to show of each: words of an invented example, the code of a case.
        labels: of each.
        starts: where each one's features begin in ``columns`` and ``values``; one more at the end.
        columns: features.
        values: their weights; a row has length 1.
    """

    references: Sequence[str]
    labels: Sequence[str]
    starts: Columns
    columns: Columns
    values: Floats


@dataclass(frozen=True, slots=True)
class Vector:
    """A text in the model's terms.

    Attributes:
        columns: its known features.
        values: of each.
        words: as they stand in the text; ``""`` for a feature that is a part of a word.
    """

    columns: Columns
    values: Floats
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """What a model makes of a text.

    Attributes:
        language: BCP 47 tag.
        labels: the best first.
        scores: of each, summing to one over all labels of the model.
        margin: the raw score of the first minus that of the second.
        raw: every label's raw score, in the model's order.
        vector: the text as the model saw it.
    """

    language: str
    labels: tuple[str, ...]
    scores: tuple[float, ...]
    margin: float
    raw: Floats
    vector: Vector


class Model:
    """A classifier at work.

    Args:
        manifest: what it is.
        vocabulary: by view, each feature's column.
        rarity: by column, how much a feature's rarity counts.
        weights: features by labels.
        bias: by label.
        concepts: words that mean the same.
        examples: rows to compare with, if they are kept.
        meanings: weights of a sentence embedding, its bias as the last line; ``None`` for a model
            that was trained without.
        embed: makes embeddings; without it, a model that has such weights does without.
    """

    def __init__(
        self,
        manifest: Manifest,
        vocabulary: Mapping[str, Mapping[str, int]],
        rarity: Floats,
        weights: Floats,
        bias: Floats,
        concepts: Concepts | None = None,
        examples: Examples | None = None,
        meanings: Floats | None = None,
        embed: Embed | None = None,
    ) -> None:
        self.manifest = manifest
        self.vocabulary = vocabulary
        self.rarity = rarity
        self.weights = weights
        self.bias = bias
        self.concepts = concepts or Concepts()
        self.examples = examples
        self.meanings = meanings
        self.embed = embed
        self._examples_of: dict[str, list[int]] = {}
        for row, known in enumerate(examples.labels if examples is not None else ()):
            for label in known.split("|"):
                self._examples_of.setdefault(label, []).append(row)

    def guess(self, text: str, language: str = "") -> Guess:
        """Score one text.

        Args:
            text: as the citizen wrote it.
            language: its BCP 47 tag, where it is known.
        """
        return self.guess_features(read(text, language, self.concepts), text)

    def guess_features(self, features: Features, text: str = "") -> Guess:
        """Score a text that has been read already; its words are for the embedding."""
        vector = vector_of(features, self.vocabulary, self.rarity)
        raw = self.bias + vector.values @ self.weights[vector.columns]
        if self.meanings is not None and self.embed is not None:
            raw = raw + self.embed([text])[0] @ self.meanings[:-1] + self.meanings[-1]
        order = np.argsort(-raw, kind="stable")
        shares = np.exp((raw - raw[order[0]]) * self.manifest.sharpness)
        shares /= shares.sum()
        return Guess(
            features.language,
            tuple(self.manifest.labels[at] for at in order),
            tuple(float(shares[at]) for at in order),
            float(raw[order[0]] - raw[order[1]]) if len(order) > 1 else 0.0,
            raw,
            vector,
        )

    def telling(self, vector: Vector, label: str, most: int = 3) -> list[str]:
        """The words of a text, as written, that speak most for a label beside the others."""
        at = self.manifest.labels.index(label)
        weights: dict[str, float] = {}
        for column, value, word in zip(vector.columns, vector.values, vector.words, strict=True):
            if word:
                weights[word] = weights.get(word, 0.0) + float(value * self.weights[column, at])
        told: list[str] = []
        for word in sorted(weights, key=lambda word: -weights[word]):
            if weights[word] <= 0 or len(told) == most:
                break
            if not any(word in other.split() or other in word.split() for other in told):
                told.append(word)
        return told

    def nearest(self, vector: Vector, label: str) -> tuple[str, float] | None:
        """The example of a label that a text is most like, and how much (cosine, 0 to 1)."""
        kept = self.examples
        if kept is None or not len(vector.columns):
            return None
        dense = np.zeros(len(self.rarity), np.float32)
        dense[vector.columns] = vector.values
        length = math.sqrt(float(vector.values @ vector.values)) or 1.0
        best: tuple[str, float] | None = None
        for row in self._examples_of.get(label, ()):
            part = slice(int(kept.starts[row]), int(kept.starts[row + 1]))
            alike = float(kept.values[part] @ dense[kept.columns[part]]) / length
            if best is None or alike > best[1]:
                best = (kept.references[row], alike)
        return best


def vector_of(
    features: Features, vocabulary: Mapping[str, Mapping[str, int]], rarity: Floats
) -> Vector:
    """Weigh the known features of a text: sublinear count, rarity, each view of length one."""
    columns: list[Columns] = []
    values: list[Floats] = []
    words: list[str] = []
    for view in VIEWS:
        known = vocabulary.get(view, {})
        counts: dict[int, int] = {}
        shown: dict[int, str] = {}
        for feature in features.views.get(view, ()):
            column = known.get(feature)
            if column is not None:
                counts[column] = counts.get(column, 0) + 1
                shown[column] = feature
        if counts:
            at = np.fromiter(counts, np.int32, len(counts))
            value = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * rarity[at]
            columns.append(at)
            values.append(value / np.sqrt(value @ value))
            whole = view in ("words", "concepts")
            words.extend(
                features.written.get(shown[column], "") if whole else "" for column in counts
            )
    if not columns:
        return Vector(np.zeros(0, np.int32), np.zeros(0, np.float32))
    return Vector(
        np.concatenate(columns), np.concatenate(values).astype(np.float32, copy=False), tuple(words)
    )
