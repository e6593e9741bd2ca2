# SPDX-License-Identifier: MIT
"""The rows of a training as a matrix: a line for each label of each row and of its Latin copy."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dispatcher.routing.features import VIEWS, Concepts, Features, read
from dispatcher.routing.model import Embed, Examples, Floats, Vector, vector_of
from dispatcher.routing.recipe import Recipe, Row
from normalizer.transliteration import to_latin

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DARIJA, ARABIZI = "ary", "ary-Latn"


class Table:
    """Rows as a matrix: a line for each label of each row and of its copy in Latin letters."""

    def __init__(
        self,
        rows: Sequence[Row],
        labels: Sequence[str],
        concepts: Concepts | None,
        recipe: Recipe,
        embed: Embed | None = None,
    ) -> None:
        self.rows = rows
        self.labels = labels
        read_rows = [read(row.text, row.language, concepts) for row in rows]
        self.languages = [one.language for one in read_rows]
        copies = _copies(rows, read_rows, concepts, recipe)
        every = [*read_rows, *(features for _, features in copies)]
        self.vocabulary, self.rarity = _vocabulary(every, rare=len(rows) < recipe.rare)
        vectors = [vector_of(one, self.vocabulary, self.rarity) for one in every]
        self.vectors = vectors[: len(rows)]
        place = {label: at for at, label in enumerate(labels)}
        lines: list[tuple[int, int, int, float]] = []  # vector, row, label, weight
        for number, row in enumerate(rows):
            lines += [(number, number, place[one], row.weight) for one in row.labels]
        for at, (number, _) in enumerate(copies, start=len(rows)):
            row = rows[number]
            weight = row.weight * recipe.copy_weight
            lines += [(at, number, place[one], weight) for one in row.labels]
        self.matrix = matrix_of([vectors[line[0]] for line in lines], len(self.rarity))
        self.row_of = np.array([line[1] for line in lines])
        self.label_of = np.array([line[2] for line in lines])
        self.weight_of = np.array([line[3] for line in lines])
        #: The lines that are rows themselves, no copies: only these have an embedding.
        self.genuine = np.array([line[0] < len(rows) for line in lines])
        self.meanings = embed([row.text for row in rows]) if embed is not None else None

    def examples(self, most: int) -> Examples:
        """The latest rows that may be shown, each of length one."""
        kept = [at for at, row in enumerate(self.rows) if row.reference][-most:]
        matrix = matrix_of([self.vectors[at] for at in kept], len(self.rarity))
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        values = matrix.data / np.repeat(lengths, np.diff(matrix.indptr))
        return Examples(
            [self.rows[at].reference for at in kept],
            ["|".join(self.rows[at].labels) for at in kept],
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            values.astype(np.float32),
        )


def _copies(
    rows: Sequence[Row], read_rows: Sequence[Features], concepts: Concepts | None, recipe: Recipe
) -> list[tuple[int, Features]]:
    """Darija rows once more as someone would have typed them in Latin letters."""
    draw = random.Random(0)  # noqa: S311 - spellings, no secrets; the same at every training
    return [
        (number, read(to_latin(row.text, draw), ARABIZI, concepts))
        for number, row in enumerate(rows)
        if read_rows[number].language == DARIJA
        for _ in range(recipe.copies)
    ]


def _vocabulary(
    texts: Sequence[Features], *, rare: bool
) -> tuple[dict[str, dict[str, int]], Floats]:
    """A column for each feature that stands in enough texts, and how much its rarity counts."""
    vocabulary: dict[str, dict[str, int]] = {}
    rarity: list[float] = []
    for view, fewest in VIEWS.items():
        found: Counter[str] = Counter()
        for text in texts:
            found.update(set(text.views.get(view, ())))
        least = fewest if rare else max(fewest, 2)
        kept = [feature for feature, count in found.items() if count >= least]
        vocabulary[view] = {feature: len(rarity) + at for at, feature in enumerate(kept)}
        counts = np.array([found[feature] for feature in kept], np.float64)
        rarity.extend(np.log((1 + len(texts)) / (1 + counts)) + 1)
    return vocabulary, np.array(rarity, np.float32)


def matrix_of(vectors: Sequence[Vector], width: int) -> csr_matrix:
    """Vectors as the lines of one sparse matrix."""
    from scipy.sparse import csr_matrix

    starts = np.concatenate([[0], np.cumsum([len(one.columns) for one in vectors])])
    empty = [np.zeros(0, np.int32)]
    matrix = csr_matrix(
        (
            np.concatenate([one.values for one in vectors] or empty).astype(np.float64),
            np.concatenate([one.columns for one in vectors] or empty),
            starts.astype(np.int32),
        ),
        shape=(len(vectors), width),
    )
    matrix.sort_indices()
    return matrix
