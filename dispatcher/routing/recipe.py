# SPDX-License-Identifier: MIT
"""What a training takes: labelled rows, and how to train on them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How the models that are added up are brought to one scale.

    Attributes:
        machine: spread of the scores of the support vector machine.
        bayes: of naive Bayes.
        meaning: of the model on sentence embeddings.
        bayes_share: how much naive Bayes counts beside the machine.
        meaning_share: how much embeddings count.
        sharpness: what makes the sum into shares that are right as often as they say.
    """

    machine: float
    bayes: float
    meaning: float = 1.0
    bayes_share: float = 0.0
    meaning_share: float = 1.0
    sharpness: float = 1.0


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
        assumed: see ``judged_folds``.
        fold_rows: see ``folds``.
        held_out: the largest part held out, in rows.
        meaning_cost: of a row on the wrong side, by sentence embeddings.
        meaning: how much embeddings may count, where there are any.
        kept_examples: how many rows are kept to compare with; the latest.
    """

    cost: float = 0.2
    smoothing: float = 0.3
    bayes: tuple[float, ...] = (0.0, 0.35, 0.7, 1.2)
    copies: int = 1
    copy_weight: float = 0.5
    rare: int = 30_000
    folds: int = 4
    judged_folds: int = 4
    assumed: Spread = Spread(machine=0.13, bayes=0.2, meaning=0.8, bayes_share=0.7, sharpness=0.6)
    fold_rows: int = 8_000
    held_out: int = 4_000
    meaning_cost: float = 10.0
    meaning: tuple[float, ...] = (0.5, 1.0, 1.5)
    kept_examples: int = 5_000
