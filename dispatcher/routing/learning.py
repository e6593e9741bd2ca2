# SPDX-License-Identifier: MIT
"""What confirmed decisions are good for: the precision of rules, thresholds, the next model.

Everything here is judged on cases that the judged one had not seen. A rule and the thresholds are
judged on what was suggested before people spoke. A new model is judged beside the one in force on
decisions that came after the latter had learnt, by twins of the new one that were trained without
them (cross-fitting); it takes over only if it is not worse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from dispatcher.routing.features import Concepts, words_of
from dispatcher.routing.model import Guess, Model
from dispatcher.routing.rules import Rule
from dispatcher.routing.thresholds import FEWEST, Confirmed, Thresholds, fit, lower_bound
from dispatcher.routing.training import Recipe, Row, train

#: Parts into which confirmed decisions are divided for twins.
FOLDS = 3
#: Below this share a rule is wrong more often than right: its words count for nothing.
_HARMFUL = 0.5
_THREE = 3
#: In ``Manifest.figures``: up to when its decisions reach; what its twins said; how it compared.
LEARNT_UNTIL, POOL, COMPARISON = "learnt_until", "confirmed", "comparison"


class Decided(Protocol):
    """A confirmed decision, as ``tracker.learning.Confirmed`` has it."""

    @property
    def text(self) -> str:
        """The words of the case."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The right ones."""
        ...

    @property
    def at(self) -> datetime:
        """When people spoke."""
        ...

    @property
    def reference(self) -> str:
        """The code of the case."""
        ...

    @property
    def first(self) -> str:
        """The classifier's first label before people spoke, or ``""``."""
        ...

    @property
    def margin(self) -> float:
        """Its margin."""
        ...

    @property
    def model(self) -> str:
        """The version that said so, or ``""``."""
        ...

    @property
    def rule(self) -> str:
        """The key of the rule that spoke loudest, or ``""``."""
        ...

    @property
    def spoken(self) -> str:
        """BCP 47 tag in which the text was read, or ``""``."""
        ...


@dataclass(frozen=True, slots=True)
class Labels:
    """How slugs stand for labels. A place chooses among bodies that do the same, not the model.

    Attributes:
        matters: what each administration does that is bound to places, by slug; others are absent.
        taught: slugs that have examples of their own.
    """

    matters: Mapping[str, tuple[str, ...]]
    taught: frozenset[str]

    def of(self, slug: str) -> str:
        """The label under which the texts of an administration are learnt."""
        matter = self.matters.get(slug)
        if matter is None or slug in self.taught:
            return slug
        alike = sorted(other for other, does in self.matters.items() if does == matter)
        return next((other for other in alike if other in self.taught), alike[0])

    def right(self, said: str, labels: Iterable[str]) -> bool:
        """Whether a label is right, the place left aside."""
        matter = self.matters.get(said)
        return any(
            said == one or (matter is not None and self.matters.get(one) == matter)
            for one in labels
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same decisions, which neither had seen.

    Attributes:
        old: version in force, or ``""``.
        judged: how many decisions.
        old_right: how often the old one's first label was right.
        new_right: the same of the new one.
        only_old: where the old one alone was right.
        only_new: where the new one alone was.
        old_three: how often one of the old one's first three was right.
        new_three: the same of the new one.
        since: when the first of these decisions was made (RFC 3339), or ``""``.
    """

    old: str
    judged: int = 0
    old_right: int = 0
    new_right: int = 0
    only_old: int = 0
    only_new: int = 0
    old_three: int = 0
    new_three: int = 0
    since: str = ""

    def as_json(self) -> dict[str, Any]:
        """As an object of the manifest."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Comparison:
        """Read back what :meth:`as_json` wrote."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})

    def verdict(self, least: int) -> tuple[bool, str]:
        """Whether the new model may take over, and why, in one plain sentence.

        Args:
            least: fewer decisions than these prove nothing.
        """
        if not self.old:
            return True, "no model was in force"
        if self.judged < least:
            return False, (
                f"{self.judged} confirmed decisions are new to the model in force;"
                f" {least} are needed to compare"
            )
        counts = (
            f"of {self.judged} decisions new to both, {self.new_right} right against"
            f" {self.old_right} ({self.only_new} by the new one alone,"
            f" {self.only_old} by the old one alone); among three {self.new_three}"
            f" against {self.old_three}"
        )
        if self.new_right < self.old_right:
            return False, f"worse than the model in force: {counts}"
        return True, f"not worse than the model in force: {counts}"


@dataclass(frozen=True, slots=True)
class Taught:
    """A new model, and how it compares with the one in force."""

    model: Model
    comparison: Comparison


def rows_of(decided: Iterable[Decided], labels: Labels) -> list[Row]:
    """Confirmed decisions as rows to train on; the code of the case is what a clerk is shown."""
    return [
        Row(
            one.text,
            tuple(dict.fromkeys(labels.of(label) for label in one.labels)),
            reference=one.reference,
        )
        for one in decided
    ]


def learnt_until(model: Model | None) -> datetime | None:
    """Up to when the decisions reach that a model has learnt; ``None`` for a seed model."""
    told = model.manifest.figures.get(LEARNT_UNTIL) if model is not None else None
    return datetime.fromisoformat(told) if told else None


def new_to(model: Model | None, decided: Sequence[Decided]) -> list[Decided]:
    """The decisions that a model cannot have learnt."""
    until = learnt_until(model)
    return [one for one in decided if until is None or one.at > until]


def teach(
    seed: Sequence[Row],
    decided: Sequence[Decided],
    labels: Labels,
    old: Model | None,
    *,
    now: datetime,
    concepts: Concepts | None = None,
    judged_days: int = 7,
    least: int = FEWEST,
    latest: int = 2000,
    tell: Callable[[str], None] = lambda _: None,
) -> Taught:
    """Train a model on seed examples and confirmed decisions, and compare it with the old one.

    Args:
        seed: the examples of a fresh installation.
        decided: the confirmed decisions, the oldest first.
        labels: how slugs stand for labels.
        old: the model in force.
        now: the present time.
        concepts: words that mean the same.
        judged_days: the comparison is made on the decisions of so many latest days …
        least: … or, where they are fewer than this, on all that are new to the old one.
        latest: how many of the latest decisions thresholds are set on.
        tell: is told what takes its time.

    Raises:
        CannotTrain: there are fewer than two labels.
    """
    rows = rows_of(decided, labels)
    guesses = _by_twins(seed, rows, concepts, now, tell)
    tell(f"training on {len(seed)} examples and {len(rows)} confirmed decisions")
    model = train([*seed, *rows], concepts=concepts, recipe=Recipe(judged_folds=1), now=now)
    judged = new_to(old, decided)
    week = [one for one in judged if one.at > now - timedelta(days=judged_days)]
    judged = week if len(week) >= least else judged
    tell(f"comparing on {len(judged)} decisions that the model in force has not seen")
    comparison = _compare(old, judged, decided, guesses, labels)
    pool = [
        [
            round(guess.margin, 5),
            guess.labels[0],
            guess.language,
            labels.right(guess.labels[0], one.labels),
        ]
        for one, guess in list(zip(decided, guesses, strict=True))[-latest:]
    ]
    figures = {
        **model.manifest.figures,
        POOL: pool,
        COMPARISON: comparison.as_json(),
        LEARNT_UNTIL: decided[-1].at.isoformat() if decided else "",
    }
    model.manifest = replace(model.manifest, figures=figures)
    return Taught(model, comparison)


def _by_twins(
    seed: Sequence[Row],
    rows: Sequence[Row],
    concepts: Concepts | None,
    now: datetime,
    tell: Callable[[str], None],
) -> list[Guess]:
    """What models say of the rows that were trained without them; the same words never on both."""
    folds = [
        int.from_bytes(hashlib.sha256(" ".join(words_of(row.text)).encode()).digest()[:4], "big")
        % FOLDS
        for row in rows
    ]
    guesses: dict[int, Guess] = {}
    for fold in sorted(set(folds)):
        tell(f"judging part {fold + 1} of {FOLDS} by a twin that has not seen it")
        kept = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        twin = train([*seed, *kept], concepts=concepts, recipe=Recipe(judged_folds=1), now=now)
        for number, row in enumerate(rows):
            if folds[number] == fold:
                guesses[number] = twin.guess(row.text)
    return [guesses[number] for number in range(len(rows))]


def _compare(
    old: Model | None,
    judged: Sequence[Decided],
    decided: Sequence[Decided],
    guesses: Sequence[Guess],
    labels: Labels,
) -> Comparison:
    if old is None:
        return Comparison("")
    at = {id(one): number for number, one in enumerate(decided)}
    counts = dict.fromkeys(
        ("old_right", "new_right", "only_old", "only_new", "old_three", "new_three"), 0
    )
    for one in judged:
        before, after = old.guess(one.text).labels[:_THREE], guesses[at[id(one)]].labels[:_THREE]
        was, is_ = labels.right(before[0], one.labels), labels.right(after[0], one.labels)
        counts["old_right"] += was
        counts["new_right"] += is_
        counts["only_old"] += was and not is_
        counts["only_new"] += is_ and not was
        counts["old_three"] += any(labels.right(label, one.labels) for label in before)
        counts["new_three"] += any(labels.right(label, one.labels) for label in after)
    since = judged[0].at.isoformat() if judged else ""
    return Comparison(old.manifest.version, len(judged), **counts, since=since)


# --- Rules ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was right: ``right`` of ``of``."""

    right: int = 0
    of: int = 0

    @property
    def share(self) -> float | None:
        """The share of right ones, or ``None`` of none."""
        return self.right / self.of if self.of else None


def count_rules(decided: Iterable[Decided], labels: Labels) -> dict[str, Count]:
    """How often each rule was right where it spoke loudest, by its key; the place left aside."""
    counts: dict[str, Count] = {}
    for one in decided:
        if one.rule:
            said = one.rule.rpartition("/")[0]
            before = counts.get(one.rule, Count())
            right = before.right + labels.right(said, one.labels)
            counts[one.rule] = Count(right, before.of + 1)
    return counts


def with_confirmed(
    rules: Iterable[Rule], counts: Mapping[str, Count], *, floor: float = 0.9, least: int = 10
) -> list[Rule]:
    """The rules with the precision that people's decisions give them.

    A rule that was right less often than the floor only proposes from then on; one that was wrong
    more often than right is left out. One that came without a measured precision
    gets the lower bound of its share once 50 decisions speak for it.

    Args:
        rules: as they stand in the file.
        counts: from :func:`count_rules`.
        floor: the least share.
        least: fewer decisions than these do not judge a rule.
    """
    kept = []
    for rule in rules:
        count = counts.get(rule.key, Count())
        share = count.share
        if share is None or count.of < least:
            kept.append(rule)
        elif share < _HARMFUL:
            continue
        elif share < floor:
            kept.append(replace(rule, precision=None, measured=count.of))
        elif rule.precision is None and count.of >= FEWEST:
            bound = lower_bound(count.right, count.of)
            proven = bound if bound >= floor else None
            kept.append(replace(rule, precision=proven, measured=count.of))
        else:
            kept.append(rule)
    return kept


# --- Thresholds -----------------------------------------------------------------------------------


def thresholds_of(
    model: Model, decided: Iterable[Decided], labels: Labels, target: float
) -> Thresholds | None:
    """The thresholds of a model, or ``None`` while fewer than 50 decisions are confirmed.

    They stand on what its twins said of decisions that these had not seen, and on what it said
    itself of cases before people spoke.

    Args:
        model: the one in force.
        decided: confirmed decisions.
        labels: how slugs stand for labels.
        target: the precision to reach.
    """
    pool = [
        Confirmed(float(margin), str(label), str(language), bool(right))
        for margin, label, language, right in model.manifest.figures.get(POOL, ())
    ]
    pool += [
        Confirmed(one.margin, one.first, one.spoken, labels.right(one.first, one.labels))
        for one in new_to(model, list(decided))
        if one.first and one.model == model.manifest.version
    ]
    return fit(pool, target) if len(pool) >= FEWEST else None
