# SPDX-License-Identifier: MIT
"""Trains the classifier from labelled rows. Only this and ``fitting.py`` lead to scikit-learn.

Two linear models over the same features are added up: a support vector machine, which draws the
lines between labels, and a complement naive Bayes (J. Rennie et al., ICML 2003), which knows what
every label is made of and so ranks the second and third better. Where there are sentence
embeddings, a third one stands on those. Thresholds are set on rows that the model judging them had
not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np

from dispatcher.routing.features import Concepts
from dispatcher.routing.fitting import Judged, fit, judge
from dispatcher.routing.model import Embed, Manifest, Model
from dispatcher.routing.recipe import Recipe, Row
from dispatcher.routing.thresholds import Confirmed
from dispatcher.routing.thresholds import fit as set_on
from dispatcher.routing.training_table import Table

__all__ = ["TARGETS", "CannotTrain", "Recipe", "Row", "digest_of", "train"]

TARGETS = (0.9, 0.95)
_FEWEST_LABELS = 2


class CannotTrain(ValueError):  # noqa: N818
    """The rows do not make a model; the message says why."""


def train(
    rows: Sequence[Row],
    *,
    concepts: Concepts | None = None,
    recipe: Recipe | None = None,
    now: datetime | None = None,
    seed: bool = False,
    embed: Embed | None = None,
) -> Model:
    """Make a model.

    Args:
        rows: labelled texts.
        concepts: words that mean the same, see :class:`Concepts`.
        recipe: how; the defaults were measured (docs/benchmarks.md).
        now: the time to write into its manifest.
        seed: the rows are seed examples, no decisions of people.
        embed: makes sentence embeddings of texts, where they shall help.

    Raises:
        CannotTrain: there are fewer than two labels.
    """
    recipe = recipe or Recipe()
    labels = sorted({label for row in rows for label in row.labels})
    if len(labels) < _FEWEST_LABELS:
        raise CannotTrain(f"nothing to tell apart: {len(labels)} label in {len(rows)} rows")
    table = Table(rows, labels, concepts, recipe, embed)
    judged = judge(table, recipe)
    whole, meaning = fit(table, np.ones(len(rows), bool), recipe).added_up(judged.spread)
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
        sharpness=judged.spread.sharpness,
        thresholds={f"{target:g}": set_on(confirmed, target) for target in TARGETS},
        figures={
            "judged": len(confirmed),
            "right": sum(one.right for one in confirmed),
            "spread": asdict(judged.spread),
            "seed": seed,
        },
    )
    return Model(
        manifest,
        table.vocabulary,
        table.rarity,
        np.ascontiguousarray(whole.weights, np.float32),
        whole.bias.astype(np.float32),
        concepts,
        table.examples(recipe.kept_examples),
        None if meaning is None else np.vstack([meaning.weights, meaning.bias]).astype(np.float32),
        embed,
    )


def digest_of(rows: Sequence[Row], concepts: Concepts | None = None) -> str:
    """SHA-256 of what a model is trained on: the same rows make the same model."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([row.text, row.labels, row.language, row.weight]).encode())
    for key, names in sorted((concepts or Concepts()).phrases.items()):
        digest.update(json.dumps([key, names]).encode())
    return digest.hexdigest()


def _confirmed(judged: Judged, table: Table) -> list[Confirmed]:
    """The judged rows as decisions with their true outcome."""
    found = []
    for number, scores in zip(judged.rows, judged.scores, strict=True):
        second, first = np.argsort(scores)[-2:]
        label = table.labels[first]
        right = label in table.rows[number].labels
        margin = float(scores[first] - scores[second])
        found.append(Confirmed(margin, label, table.languages[number], right))
    return found
