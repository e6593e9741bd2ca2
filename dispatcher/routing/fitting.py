# SPDX-License-Identifier: MIT
"""Fits the linear models that are added up, and judges them on rows they had not seen."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from dispatcher.routing.features import words_of
from dispatcher.routing.recipe import Recipe, Spread
from dispatcher.routing.training_table import Table, matrix_of

_FEWEST_LABELS = 2
_LARGEST_PART = 0.2
#: Of many rows, those from here on have no part in judging.
_TAUGHT = 0.8
#: Closer than this changes no decision and costs a tenth of the time.
_TOLERANCE = 0.01
#: With many lines the last rounds change next to nothing: where 24,000 lines had taught 77 labels,
#: 0.9163 of 6,000 others were right after twelve rounds and 0.9159 after two.
_MANY_LINES, _ROUNDS, _ENOUGH_ROUNDS = 10_000, 1_000, 4
#: The bias of a label that no row of a fold bears: it is never the first.
_NEVER = -1e3


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights (features by labels) and bias, with nothing that all labels have in common."""

    weights: Any
    bias: Any

    def scores(self, rows: Any) -> Any:
        """Rows by labels."""
        return rows @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Fitted:
    """The models side by side.

    Attributes:
        machine: support vector machine on the features.
        bayes: complement naive Bayes on the features.
        meaning: support vector machine on sentence embeddings, if there are any.
    """

    machine: Linear
    bayes: Linear
    meaning: Linear | None

    def added_up(self, spread: Spread) -> tuple[Linear, Linear | None]:
        """One model on the features, and one on embeddings, on one scale."""
        one, two = 1 / spread.machine, spread.bayes_share / spread.bayes
        features = Linear(
            self.machine.weights * one + self.bayes.weights * two,
            self.machine.bias * one + self.bayes.bias * two,
        )
        if self.meaning is None:
            return features, None
        three = spread.meaning_share / spread.meaning
        return features, Linear(self.meaning.weights * three, self.meaning.bias * three)


def fit(table: Table, used: Any, recipe: Recipe) -> Fitted:
    """Fit all on the lines of the rows that are used.

    Args:
        table: the rows.
        used: a boolean for each row.
        recipe: how.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.naive_bayes import ComplementNB
    from sklearn.svm import LinearSVC

    lines = np.flatnonzero(used[table.row_of])
    matrix, label_of = table.matrix[lines], table.label_of[lines]
    weight_of, count = table.weight_of[lines], len(table.labels)
    rounds = _ENOUGH_ROUNDS if len(lines) > _MANY_LINES else _ROUNDS
    machine = LinearSVC(C=recipe.cost, tol=_TOLERANCE, max_iter=rounds, random_state=0)
    with warnings.catch_warnings():
        if rounds == _ENOUGH_ROUNDS:
            warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(matrix, label_of, weight_of)
    bayes = ComplementNB(alpha=recipe.smoothing).fit(matrix, label_of, weight_of)
    chances = bayes.feature_log_prob_
    meaning = None
    if table.meanings is not None:
        lines = lines[table.genuine[lines]]
        meaning = LinearSVC(C=recipe.meaning_cost, random_state=0).fit(
            table.meanings[table.row_of[lines]], table.label_of[lines], table.weight_of[lines]
        )
    return Fitted(
        _centred(*_of_each_label(machine), machine.classes_, count),
        _centred(chances, np.zeros(len(chances)), bayes.classes_, count),
        None if meaning is None else _centred(*_of_each_label(meaning), meaning.classes_, count),
    )


def _of_each_label(machine: Any) -> tuple[Any, Any]:
    """Coefficients and intercepts; two labels share one line between them."""
    coefficients, intercept = machine.coef_, machine.intercept_
    if len(coefficients) == 1:
        return np.vstack([-coefficients, coefficients]), np.array([-1, 1]) * intercept
    return coefficients, intercept


def _centred(coefficients: Any, intercept: Any, classes: Any, count: int) -> Linear:
    weights = np.zeros((coefficients.shape[1], count), np.float32)
    bias = np.full(count, _NEVER)
    weights[:, classes] = (coefficients - coefficients.mean(axis=0)).T
    bias[classes] = intercept - intercept.mean()
    return Linear(weights, bias)


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores of rows by models that had not seen them.

    Attributes:
        rows: their numbers; none where nothing was judged.
        scores: rows by labels.
        spread: what brings the models to one scale.
    """

    rows: Any
    scores: Any
    spread: Spread


def judge(table: Table, recipe: Recipe) -> Judged:
    """Score rows out of fold; the same words are never on both sides.

    With many rows, one part is scored by a model of most of the others: a weaker one than that of
    all rows, so that its thresholds promise too little rather than too much.
    """
    buckets = np.array([_bucket(row.text) for row in table.rows])
    if len(buckets) <= recipe.fold_rows:
        parts_of = [buckets % recipe.folds == fold for fold in range(recipe.folds)]
        folds = [(held, ~held) for held in parts_of]
    else:
        at = buckets / 2**32
        held = at < min(_LARGEST_PART, recipe.held_out / len(buckets))
        folds = [(held, ~held & (at < _TAUGHT))]
    numbers, found = [], []
    for held, used in folds[: recipe.judged_folds]:
        seen = set(table.label_of[used[table.row_of]].tolist())
        if not held.any() or len(seen) < _FEWEST_LABELS:
            continue
        fitted, lines = fit(table, used, recipe), np.flatnonzero(held)
        matrix = matrix_of([table.vectors[at] for at in lines], len(table.rarity))
        scores = [fitted.machine.scores(matrix), fitted.bayes.scores(matrix)]
        if fitted.meaning is not None and table.meanings is not None:
            scores.append(fitted.meaning.scores(table.meanings[lines]))
        numbers.append(lines)
        found.append(scores)
    if not numbers:
        return Judged(np.zeros(0, int), np.zeros((0, len(table.labels))), recipe.assumed)
    parts = [np.vstack(part) for part in zip(*found, strict=True)]
    return _added_up(table, np.concatenate(numbers), parts, recipe)


def _added_up(table: Table, rows: Any, parts: list[Any], recipe: Recipe) -> Judged:
    """Find the shares that rank these rows best."""
    spreads = [float(part[part > _NEVER / 2].std()) or 1.0 for part in parts]
    scaled = [part / spread for part, spread in zip(parts, spreads, strict=True)]
    meanings = recipe.meaning if len(parts) > _FEWEST_LABELS else (0.0,)
    choices = list(product(recipe.bayes, meanings))

    def total(choice: tuple[float, float]) -> Any:
        scores = scaled[0] + choice[0] * scaled[1]
        return scores + choice[1] * scaled[2] if choice[1] else scores

    best = max(choices, key=lambda choice: _worth(total(choice), rows, table))
    scores = total(best)
    machine, bayes, meaning = [*spreads, 1.0][:3]
    spread = Spread(machine, bayes, meaning, *best, _sharpness(scores, rows, table))
    return Judged(rows, scores, spread)


def _worth(scores: Any, rows: Any, table: Table) -> float:
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


def _sharpness(scores: Any, rows: Any, table: Table) -> float:
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
