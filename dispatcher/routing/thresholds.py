# SPDX-License-Identifier: MIT
"""From which margin on the classifier may decide alone: never without evidence.

A threshold is the lowest margin (first score minus second) above which the share of right
decisions is at least the target *by its lower bound*: Clopper and Pearson, one-sided, 90 % (C. J.
Clopper and E. S. Pearson, Biometrika 26, 1934). One is set for everything, one for each language
and one for each administration; a decision must pass all three. An administration with too few
confirmed decisions shares the threshold of all that have too few; a language with too few is never
automatic, since nothing is known of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Fewer confirmed decisions than these prove nothing, whatever their share.
FEWEST = 50
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A decision of the classifier that a person has confirmed or corrected.

    Attributes:
        margin: the first score minus the second.
        administration: the label it chose.
        language: BCP 47 tag of the text.
        right: whether the person agreed.
    """

    margin: float
    administration: str
    language: str
    right: bool


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Margins that a decision must reach to be automatic; ``None``: never.

    Attributes:
        target: the precision aimed at.
        overall: for every decision.
        languages: by BCP 47 tag; one that is missing is never automatic.
        administrations: by slug, for those with enough confirmed decisions.
        others: for all other administrations.
        confirmed: how many decisions they stand on.
    """

    target: float
    overall: float | None = None
    languages: Mapping[str, float | None] = field(default_factory=dict)
    administrations: Mapping[str, float | None] = field(default_factory=dict)
    others: float | None = None
    confirmed: int = 0

    def permit(self, margin: float, administration: str, language: str) -> bool:
        """Whether a decision with this margin may be made by the machine alone."""
        needed = (
            self.overall,
            self.languages.get(language),
            self.administrations.get(administration, self.others),
        )
        return all(least is not None and margin >= least for least in needed)

    def as_json(self) -> dict[str, Any]:
        """As an object of the model's manifest."""
        return {
            "target": self.target,
            "overall": self.overall,
            "languages": dict(self.languages),
            "administrations": dict(self.administrations),
            "others": self.others,
            "confirmed": self.confirmed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Thresholds:
        """Read back what :meth:`as_json` wrote."""
        return cls(
            float(data["target"]),
            data["overall"],
            dict(data["languages"]),
            dict(data["administrations"]),
            data["others"],
            int(data["confirmed"]),
        )


def lower_bound(right: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The share of right ones that the truth is above with this confidence (Clopper, Pearson)."""
    from scipy.special import betaincinv

    return float(betaincinv(right, of - right + 1, 1 - confidence)) if right else 0.0


def fit(decided: Iterable[Confirmed], target: float, fewest: int = FEWEST) -> Thresholds:
    """Set thresholds on confirmed decisions.

    Args:
        decided: by a model that had not been trained on them.
        target: the precision to reach.
        fewest: less evidence than this gives no threshold.
    """
    decisions = list(decided)
    by_language = Counter(one.language for one in decisions)
    by_administration = Counter(one.administration for one in decisions)
    known = {slug for slug, count in by_administration.items() if count >= fewest}

    def least(some: Sequence[Confirmed]) -> float | None:
        return _least_margin(some, target) if len(some) >= fewest else None

    return Thresholds(
        target,
        least(decisions),
        {
            language: least([one for one in decisions if one.language == language])
            for language, count in sorted(by_language.items())
            if count >= fewest
        },
        {
            slug: least([one for one in decisions if one.administration == slug])
            for slug in sorted(known)
        },
        least([one for one in decisions if one.administration not in known]),
        len(decisions),
    )


def _least_margin(decided: Sequence[Confirmed], target: float) -> float | None:
    """The lowest margin above which the lower bound holds, or ``None`` where none does."""
    import numpy as np
    from scipy.special import betaincinv

    ordered = sorted(decided, key=lambda one: -one.margin)
    right = np.cumsum([one.right for one in ordered])
    of = np.arange(1, len(ordered) + 1)
    bounds = betaincinv(np.maximum(right, 1), of - right + 1, 1 - CONFIDENCE)
    # A threshold takes all decisions of one margin or none of them.
    margins = np.array([one.margin for one in ordered])
    last_of_its_margin = np.append(margins[1:] < margins[:-1], True)
    reached = np.flatnonzero((bounds >= target) & (right > 0) & last_of_its_margin)
    return ordered[int(reached[-1])].margin if len(reached) else None
