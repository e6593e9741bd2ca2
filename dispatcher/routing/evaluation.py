# SPDX-License-Identifier: MIT
"""How good a model is on labelled texts that it has not seen: every figure with its count."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dispatcher.routing.model import Guess, Model
from dispatcher.routing.recipe import Row

#: Texts that are judged one by one for the time that one decision takes.
_TIMED = 300
_THREE = 3


@dataclass(frozen=True, slots=True)
class Automatic:
    """What would have been decided by the machine alone at one target precision.

    Attributes:
        target: the precision aimed at.
        count: decisions.
        right: those that were right.
        texts: of how many.
    """

    target: str
    count: int
    right: int
    texts: int

    @property
    def coverage(self) -> float:
        """Its share of all texts."""
        return self.count / self.texts if self.texts else 0.0

    @property
    def precision(self) -> float | None:
        """The share of right ones; ``None`` where nothing was automatic."""
        return self.right / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one test.

    Attributes:
        texts: how many.
        first: how often the first label was right.
        among_three: how often one of three was.
        macro_f1: the mean F1 of all labels of the test.
        automatic: by target precision.
        predict_ms: CPU milliseconds of one decision, language and reading included.
        by_language: texts, first and among three, by BCP 47 tag.
    """

    texts: int
    first: int
    among_three: int
    macro_f1: float
    automatic: Sequence[Automatic]
    predict_ms: float
    by_language: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As one object: shares, and beside them counts and standard errors."""
        top1, top3 = self._share(self.first), self._share(self.among_three)
        return {
            "n": self.texts,
            "top1": _rounded(top1),
            "top3": _rounded(top3),
            "macro_f1": _rounded(self.macro_f1),
            "coverage_at": {one.target: _rounded(one.coverage) for one in self.automatic},
            "precision_at": {one.target: _rounded(one.precision) for one in self.automatic},
            "predict_ms": round(self.predict_ms, 3),
            "standard_errors": {
                "top1": _rounded(standard_error(top1, self.texts)),
                "top3": _rounded(standard_error(top3, self.texts)),
                "coverage_at": {
                    one.target: _rounded(standard_error(one.coverage, one.texts))
                    for one in self.automatic
                },
                "precision_at": {
                    one.target: _rounded(
                        None if one.precision is None else standard_error(one.precision, one.count)
                    )
                    for one in self.automatic
                },
            },
            "counts": {
                "top1": self.first,
                "top3": self.among_three,
                "automatic_at": {one.target: one.count for one in self.automatic},
                "automatic_right_at": {one.target: one.right for one in self.automatic},
            },
            "languages": {
                language: {
                    "n": count,
                    "top1": _rounded(first / count),
                    "top3": _rounded(three / count),
                }
                for language, (count, first, three) in sorted(self.by_language.items())
            },
        }

    def _share(self, count: int) -> float:
        return count / self.texts if self.texts else 0.0


def evaluate(
    model: Model, rows: Sequence[Row], clock: Callable[[], float] = time.process_time
) -> Evaluation:
    """Judge labelled texts; where a row has several labels, each is right.

    Args:
        model: trained on other rows.
        rows: the test.
        clock: CPU seconds.
    """
    start = clock()
    guesses = [model.guess(row.text, row.language) for row in rows[:_TIMED]]
    spent = clock() - start
    guesses += [model.guess(row.text, row.language) for row in rows[_TIMED:]]
    languages: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row, guess in zip(rows, guesses, strict=True):
        counts = languages[guess.language]
        counts[0] += 1
        counts[1] += guess.labels[0] in row.labels
        counts[2] += not set(row.labels).isdisjoint(guess.labels[:_THREE])
    return Evaluation(
        len(rows),
        sum(counts[1] for counts in languages.values()),
        sum(counts[2] for counts in languages.values()),
        _macro_f1([guess.labels[0] for guess in guesses], rows),
        [_automatic(model, target, guesses, rows) for target in model.manifest.thresholds],
        1000 * spent / max(len(rows[:_TIMED]), 1),
        {language: (n, one, three) for language, (n, one, three) in languages.items()},
    )


def standard_error(share: float, of: int) -> float:
    """Of a share that was counted on ``of`` texts."""
    return math.sqrt(share * (1 - share) / of) if of else 0.0


def _automatic(
    model: Model, target: str, guesses: Sequence[Guess], rows: Sequence[Row]
) -> Automatic:
    thresholds = model.manifest.thresholds[target]
    decided = [
        guess.labels[0] in row.labels
        for guess, row in zip(guesses, rows, strict=True)
        if thresholds.permit(guess.margin, guess.labels[0], guess.language)
    ]
    return Automatic(target, len(decided), sum(decided), len(rows))


def _macro_f1(chosen: Sequence[str], rows: Sequence[Row]) -> float:
    """The mean over labels of the test; a right choice counts for the label chosen."""
    right: Counter[str] = Counter()
    told: Counter[str] = Counter(chosen)
    true: Counter[str] = Counter()
    for label, row in zip(chosen, rows, strict=True):
        truth = label if label in row.labels else row.labels[0]
        true[truth] += 1
        right[label] += label == truth
    scores = [2 * right[label] / (told[label] + true[label]) for label in true]
    return sum(scores) / len(scores) if scores else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
