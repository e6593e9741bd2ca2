# SPDX-License-Identifier: MIT
"""Trains the classifier from labelled rows. The one room that loads scikit-learn.

Two linear models over the same features are added up: a support vector machine, which draws the
lines between labels, and a complement naive Bayes (J. Rennie et al., ICML 2003), which knows what
every label is made of and so ranks the second and third better. Thresholds are set on rows that
the model judging them had not seen.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatcher.routing.features import VIEWS, Concepts, Features, read, words_of
from dispatcher.routing.model import Examples, Floats, Manifest, Model, Vector, vector_of
from dispatcher.routing.thresholds import Confirmed, fit
from normalizer.transliteration import to_latin

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DARIJA, ARABIZI = "ary", "ary-Latn"
TARGETS = (0.9, 0.95)
_FEWEST_LABELS = 2
_LARGEST_PART = 0.2
#: The bias of a label that no row of a fold bears: it is never the first.
_NEVER = -1e3


class CannotTrain(ValueError):  # noqa: N818
    """The rows do not make a model; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text.

    Attributes:
        text: as it was written.
        labels: right ones; more than one where each would do.
        language: BCP 47 tag, or ``""`` to have it found out.
        reference: what a clerk may be shown of it, or ``""``.
        weight: how much it counts beside the others.
    """

    text: str
    labels: tuple[str, ...]
    language: str = ""
    reference: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        cost: of a row on the wrong side (C of the support vector machine).
        smoothing: of naive Bayes (alpha).
        bayes: how much naive Bayes may count beside the other; the best is found on rows that
            neither had seen, since it helps with few labels and hurts with many.
        copies: how often a Darija row in Arabic letters is learnt in Latin letters as well.
        copy_weight: what such a copy counts.
        rare: from so many rows on, features that stand in one row only are left out.
        folds: for thresholds, with up to ``fold_rows`` rows; with more, one part is held out.
        judged_folds: how many of these folds are judged; with none, ``assumed`` stands for what
            they would have told, and there is no threshold.
        assumed: the spread of either model's scores, and the sharpness.
        fold_rows: see ``folds``.
        held_out: the largest part held out, in rows.
        kept_examples: how many rows are kept to compare with; the latest.
    """

    cost: float = 0.2
    smoothing: float = 0.3
    bayes: tuple[float, ...] = (0.0, 0.35, 0.7)
    copies: int = 1
    copy_weight: float = 0.5
    rare: int = 10_000
    folds: int = 4
    judged_folds: int = 4
    assumed: tuple[float, float, float] = (0.13, 0.2, 1.0)
    fold_rows: int = 8_000
    held_out: int = 4_000
    kept_examples: int = 5_000


def train(
    rows: Sequence[Row],
    *,
    concepts: Concepts | None = None,
    recipe: Recipe | None = None,
    now: datetime | None = None,
    seed: bool = False,
) -> Model:
    """Make a model.

    Args:
        rows: labelled texts.
        concepts: words that mean the same, see :class:`Concepts`.
        recipe: how; the defaults were measured (docs/benchmarks.md).
        now: the time to write into its manifest.
        seed: the rows are seed examples, no decisions of people.

    Raises:
        CannotTrain: there are fewer than two labels.
    """
    recipe = recipe or Recipe()
    labels = sorted({label for row in rows for label in row.labels})
    if len(labels) < _FEWEST_LABELS:
        raise CannotTrain(f"nothing to tell apart: {len(labels)} label in {len(rows)} rows")
    table = _Table(rows, labels, concepts, recipe)
    judged = _judge(table, recipe)
    weights, bias = _fit(table, np.ones(len(rows), bool), recipe).added_up(judged.shares)
    digest = digest_of(rows, concepts)
    moment = now or datetime.now(UTC)
    confirmed = _confirmed(judged, table)
    manifest = Manifest(
        version=f"{moment:%Y%m%dT%H%M%S}-{digest[:12]}",
        created_at=moment.isoformat(timespec="seconds"),
        labels=tuple(labels),
        rows=dict(Counter("|".join(row.labels) for row in rows)),
        languages=dict(Counter(table.languages)),
        digest=digest,
        sharpness=judged.measured[2],
        thresholds={f"{target:g}": fit(confirmed, target) for target in TARGETS},
        figures={
            "judged": len(confirmed),
            "right": sum(one.right for one in confirmed),
            "bayes": judged.bayes,
            "spread": judged.measured[:2],
            "seed": seed,
        },
    )
    return Model(
        manifest,
        table.vocabulary,
        table.rarity,
        np.ascontiguousarray(weights, np.float32),
        bias.astype(np.float32),
        concepts,
        table.examples(recipe.kept_examples),
    )


def digest_of(rows: Sequence[Row], concepts: Concepts | None = None) -> str:
    """SHA-256 of what a model is trained on: the same rows make the same model."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.text, row.labels, row.language, row.weight]).encode())
    for key, names in sorted((concepts or Concepts()).phrases.items()):
        digest.update(json.dumps([key, names]).encode())
    return digest.hexdigest()


class _Table:
    """Rows as a matrix: a line for each label of each row and of its copy in Latin letters."""

    def __init__(
        self, rows: Sequence[Row], labels: Sequence[str], concepts: Concepts | None, recipe: Recipe
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
        self.matrix = _matrix([vectors[line[0]] for line in lines], len(self.rarity))
        self.row_of = np.array([line[1] for line in lines])
        self.label_of = np.array([line[2] for line in lines])
        self.weight_of = np.array([line[3] for line in lines])

    def examples(self, most: int) -> Examples:
        """The latest rows that may be shown, each of length one."""
        kept = [at for at, row in enumerate(self.rows) if row.reference][-most:]
        matrix = _matrix([self.vectors[at] for at in kept], len(self.rarity))
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


def _matrix(vectors: Sequence[Vector], width: int) -> csr_matrix:
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


# --- Fitting --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The two linear models, each as weights (features by labels) and bias, centred over labels."""

    machine: tuple[Any, Any]
    bayes: tuple[Any, Any]

    def added_up(self, shares: tuple[float, float]) -> tuple[Any, Any]:
        return (
            self.machine[0] * shares[0] + self.bayes[0] * shares[1],
            self.machine[1] * shares[0] + self.bayes[1] * shares[1],
        )


def _fit(table: _Table, used: Any, recipe: Recipe) -> _Fitted:
    """Fit both on the lines of the rows that are used."""
    from sklearn.naive_bayes import ComplementNB
    from sklearn.svm import LinearSVC

    lines = np.flatnonzero(used[table.row_of])
    matrix, label_of = table.matrix[lines], table.label_of[lines]
    weight_of = table.weight_of[lines]
    count = len(table.labels)
    machine = LinearSVC(C=recipe.cost, random_state=0).fit(matrix, label_of, weight_of)
    coefficients, intercept = machine.coef_, machine.intercept_
    if len(coefficients) == 1:  # two labels share one line between them
        coefficients = np.vstack([-coefficients, coefficients])
        intercept = np.array([-1, 1]) * intercept
    bayes = ComplementNB(alpha=recipe.smoothing).fit(matrix, label_of, weight_of)
    chances = bayes.feature_log_prob_
    return _Fitted(
        _centred(coefficients, intercept, machine.classes_, count),
        _centred(chances, np.zeros(len(chances)), bayes.classes_, count),
    )


def _centred(coefficients: Any, intercept: Any, classes: Any, count: int) -> tuple[Any, Any]:
    """Weights as features by labels, with nothing that all labels have in common."""
    weights = np.zeros((coefficients.shape[1], count), np.float32)
    bias = np.full(count, _NEVER)
    weights[:, classes] = (coefficients - coefficients.mean(axis=0)).T
    bias[classes] = intercept - intercept.mean()
    return weights, bias


@dataclass(frozen=True, slots=True)
class _Judged:
    """Scores of rows by models that had not seen them.

    Attributes:
        rows: their numbers.
        scores: rows by labels.
        shares: what either model's scores are multiplied by before they are added up.
        bayes: how much naive Bayes counts, as found best.
        measured: the spreads and the sharpness, see :attr:`Recipe.assumed`.
    """

    rows: Any
    scores: Any
    shares: tuple[float, float]
    bayes: float
    measured: tuple[float, float, float]


def _judge(table: _Table, recipe: Recipe) -> _Judged:
    """Score rows out of fold; the same words are never on both sides."""
    buckets = np.array([_bucket(row.text) for row in table.rows])
    if len(buckets) <= recipe.fold_rows:
        folds = [buckets % recipe.folds == fold for fold in range(recipe.folds)]
    else:
        folds = [buckets / 2**32 < min(_LARGEST_PART, recipe.held_out / len(buckets))]
    numbers, machines, bayes = [], [], []
    for held in folds[: recipe.judged_folds]:
        seen = set(table.label_of[~held[table.row_of]].tolist())
        if not held.any() or len(seen) < _FEWEST_LABELS:
            continue
        fitted, lines = _fit(table, ~held, recipe), np.flatnonzero(held)
        matrix = _matrix([table.vectors[at] for at in lines], len(table.rarity))
        numbers.append(lines)
        machines.append(matrix @ fitted.machine[0] + fitted.machine[1])
        bayes.append(matrix @ fitted.bayes[0] + fitted.bayes[1])
    if not numbers:
        shares = (1 / recipe.assumed[0], recipe.bayes[-1] / recipe.assumed[1])
        none = np.zeros((0, len(table.labels)))
        return _Judged(np.zeros(0, int), none, shares, recipe.bayes[-1], recipe.assumed)
    rows, machine, chance = np.concatenate(numbers), np.vstack(machines), np.vstack(bayes)
    scales = [float(one[one > _NEVER / 2].std()) or 1.0 for one in (machine, chance)]
    best = max(
        recipe.bayes,
        key=lambda bayes: _worth(machine / scales[0] + bayes * chance / scales[1], rows, table),
    )
    shares = (1 / scales[0], best / scales[1])
    scores = machine * shares[0] + chance * shares[1]
    sharpness = _sharpness(scores, rows, table)
    return _Judged(rows, scores, shares, best, (scales[0], scales[1], sharpness))


def _worth(scores: Any, rows: Any, table: _Table) -> float:
    """How good a ranking is: right at first, and half as much right among three."""
    order = np.argsort(-scores, axis=1)[:, :3]
    first = among = 0
    for number, best in zip(rows, order, strict=True):
        right = table.rows[number].labels
        first += table.labels[best[0]] in right
        among += any(table.labels[at] in right for at in best)
    return first + among / 2


def _bucket(text: str) -> int:
    return int.from_bytes(hashlib.sha256(" ".join(words_of(text)).encode()).digest()[:4], "big")


def _confirmed(judged: _Judged, table: _Table) -> list[Confirmed]:
    """The judged rows as decisions with their true outcome."""
    found = []
    for number, scores in zip(judged.rows, judged.scores, strict=True):
        second, first = np.argsort(scores)[-2:]
        label = table.labels[first]
        right = label in table.rows[number].labels
        margin = float(scores[first] - scores[second])
        found.append(Confirmed(margin, label, table.languages[number], right))
    return found


def _sharpness(scores: Any, rows: Any, table: _Table) -> float:
    """What makes scores into shares that are right as often as they say (least log loss)."""
    best = (np.inf, 1.0)
    place = {label: at for at, label in enumerate(table.labels)}
    right = [[place[label] for label in table.rows[number].labels] for number in rows]
    for sharpness in np.geomspace(0.1, 10, 25):
        raw = scores * sharpness
        shares = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        told = [float(row[labels].sum()) for row, labels in zip(shares, right, strict=True)]
        loss = float(-np.log(np.maximum(told, 1e-9)).mean())
        best = min(best, (loss, float(sharpness)))
    return best[1]
