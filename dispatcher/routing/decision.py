# SPDX-License-Identifier: MIT
"""From a text to at most three candidates with reasons, and whether the machine may decide.

Rules and classifier speak of the matter, the place chooses among the bodies that do the same. The
machine decides alone only where a rule with a measured precision is clear and the classifier does
not speak against it, or where the classifier's margin passes thresholds set on confirmed decisions
(``thresholds.py``). What needs a person (an emergency, a court's matter, a private quarrel, no
complaint at all) goes to one, however plainly an administration is named in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from dispatcher.routing import features
from dispatcher.routing.model import FOR_A_PERSON, Guess, Model
from dispatcher.routing.rules import Candidate, Router
from dispatcher.routing.rules import Decision as Ruling
from normalizer import emergency
from normalizer.language import detect

if TYPE_CHECKING:
    from dispatcher.routing.places import PlaceFound
    from dispatcher.routing.recipient import Recipient
    from dispatcher.routing.thresholds import Thresholds

MOST = 3

#: Why a person must decide, by what the classifier calls such texts.
PERSON_REASONS: Mapping[str, str] = {
    "person:emergency": "it may tell of somebody in danger now",
    "person:court": "it may be a court's matter",
    "person:private": "it may be a quarrel between private people",
    "person:none": "it may be no complaint",
    "person:unclear": "it does not say what it is about",
}


class FindsPlaces(Protocol):
    """Which places a text names, the surest first (:class:`~dispatcher.routing.places.Places`)."""

    def named_in(self, text: str, location: str = "") -> Sequence[PlaceFound]:
        """The places named."""
        ...


class ChoosesRecipient(Protocol):
    """Who does at a place what an administration does elsewhere (``recipient.py``)."""

    def of(self, slug: str, found: Sequence[PlaceFound]) -> Recipient:
        """The recipient."""
        ...


@dataclass(frozen=True, slots=True)
class Caution:
    """When the machine may decide.

    Attributes:
        target: the precision aimed at, a key of the model's thresholds.
        person: from which share of the labels that need a person on, a person decides.
        agreement: the least share that the classifier must give what a rule chose.
        alone: the measured precision that a rule needs where there is no classifier to agree.
        rule_weight: how much a rule's words count beside the classifier's score.
    """

    target: str = "0.9"
    person: float = 0.2
    agreement: float = 0.88
    alone: float = 0.9
    rule_weight: float = 0.1


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of routing.

    Attributes:
        administration: the slug chosen, or ``None``: a person decides.
        confidence: from 0 to 1, the first candidate's score.
        candidates: at most three administrations, the best first; scores of all sum to 1 or less.
        language: BCP 47 tag of the text.
        reasons: why this one, or why nobody was chosen.
        by: ``rules``, or ``classifier`` with the model's version.
        needs_person: the label of texts that need a person, when it scored high, or ``""``.
        first: the classifier's own first label, or ``""`` without one.
        margin: its margin.
        model: the version that said so, or ``""``.
        rule: key of the rule that spoke loudest for the one the rules chose, or ``""``.
    """

    administration: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    language: str
    reasons: tuple[str, ...]
    by: str = "rules"
    needs_person: str = ""
    first: str = ""
    margin: float = 0.0
    model: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Decider:
    """Chooses an administration.

    Attributes:
        router: the rules.
        model: the classifier in force, or ``None`` while there is none.
        slugs: the administrations that receive cases.
        caution: when the machine may decide.
        places: which places a text names.
        recipients: who is responsible there.
        thresholds: set on confirmed decisions; ``None`` before there are enough: then the
            classifier only proposes.
    """

    router: Router
    model: Callable[[], Model | None]
    slugs: Collection[str]
    caution: Caution = field(default_factory=Caution)
    places: FindsPlaces | None = None
    recipients: ChoosesRecipient | None = None
    thresholds: Callable[[], Thresholds | None] = lambda: None

    def decide(self, text: str, language: str = "", location: str = "") -> Decision:
        """Choose for one text in any of the languages.

        Args:
            text: as the citizen wrote it.
            language: its BCP 47 tag, where it is known.
            location: what was given as the place in a form, or ``""``.
        """
        language = language or detect(text)
        model = self.model()
        seen = features.read(text, language, model.concepts) if model is not None else None
        guess = model.guess_features(seen, text) if model is not None and seen is not None else None
        ruled = self.router.decide(text, read=seen)
        shares = self._shares(guess, ruled.candidates)
        ranked = sorted(shares, key=lambda slug: -shares[slug])[:MOST]
        candidates, unsure = self._candidates(text, location, ranked, shares, guess, ruled)
        person, why_not = self._for_a_person(text, language, guess)
        decision = Decision(
            None,
            candidates[0].score if candidates else 0.0,
            tuple(candidates),
            language,
            (why_not or "nothing known is named",),
            needs_person=person,
            first=guess.labels[0] if guess is not None else "",
            margin=guess.margin if guess is not None else 0.0,
            model=model.manifest.version if model is not None else "",
            rule=ruled.rule,
        )
        if why_not or not candidates:
            return decision
        best = candidates[0]
        if best.administration in unsure:
            why = "which one depends on the place, and no place is clear"
            return replace(decision, reasons=(why,))
        chosen = replace(decision, administration=best.administration, reasons=best.reasons)
        if ruled.certain and ruled.administration == ranked[0] and self._agreed(guess, ruled):
            return chosen
        if guess is not None and self._permitted(guess, ranked[0], language):
            return replace(chosen, by=f"classifier {decision.model}")
        names = ", ".join(one.administration for one in candidates)
        alone = len(candidates) == 1
        why = f"not sure enough of {names}" if alone else f"not clear enough between {names}"
        return replace(decision, reasons=(why,))

    def _candidates(
        self,
        text: str,
        location: str,
        ranked: Sequence[str],
        shares: Mapping[str, float],
        guess: Guess | None,
        ruled: Ruling,
    ) -> tuple[list[Candidate], set[str]]:
        """The best administrations, each at the place named, and those that no place confirms."""
        found = self.places.named_in(text, location) if self.places is not None else ()
        model = self.model()
        unsure: set[str] = set()
        candidates: list[Candidate] = []
        for slug in ranked:
            reasons = self._reasons(slug, guess, model, ruled.candidates)
            chosen = slug
            if self.recipients is not None:
                recipient = self.recipients.of(slug, found)
                chosen = recipient.slug
                reasons += [recipient.reason] if recipient.reason else []
                if not recipient.confirmed:
                    unsure.add(chosen)
            if all(one.administration != chosen for one in candidates):
                candidates.append(Candidate(chosen, round(shares[slug], 4), tuple(reasons)))
        return candidates, unsure

    def _shares(self, guess: Guess | None, ruled: Sequence[Candidate]) -> dict[str, float]:
        """Each administration's share of one, by classifier and rules together."""
        heard = {one.administration: one.score for one in ruled}
        if guess is None:
            total = sum(heard.values()) or 1.0
            return {slug: score / total for slug, score in heard.items()}
        logs = {
            label: math.log(max(score, 1e-9))
            for label, score in zip(guess.labels, guess.scores, strict=True)
            if label in self.slugs
        }
        lowest = min(logs.values(), default=0.0)
        for slug, score in heard.items():
            weight = self.caution.rule_weight * min(score, 4.0)
            logs[slug] = logs.get(slug, lowest) + weight
        highest = max(logs.values(), default=0.0)
        shares = {slug: math.exp(value - highest) for slug, value in logs.items()}
        total = sum(shares.values()) or 1.0
        return {slug: share / total for slug, share in shares.items()}

    def _reasons(
        self,
        slug: str,
        guess: Guess | None,
        model: Model | None,
        ruled: Sequence[Candidate],
    ) -> list[str]:
        """What a clerk may read: phrases of rules, words that weighed most, a like example."""
        reasons = [reason for one in ruled if one.administration == slug for reason in one.reasons]
        if guess is None or model is None or slug not in model.manifest.labels:
            return reasons
        words = model.telling(guess.vector, slug)
        if words:
            listed = ", ".join(f"“{word}”" for word in words)
            reasons.append(f"{listed} speak for it")
        like = model.nearest(guess.vector, slug)
        if like is not None and like[1] >= _ALIKE:
            reasons.append(f"like “{like[0]}”")
        return reasons

    def _for_a_person(self, text: str, language: str, guess: Guess | None) -> tuple[str, str]:
        """The label of texts that need a person, and the reason, or two empty words."""
        if emergency.read(text, language).now:
            return "person:emergency", PERSON_REASONS["person:emergency"]
        if guess is None:
            return "", ""
        persons = [
            (score, label)
            for label, score in zip(guess.labels, guess.scores, strict=True)
            if label.startswith(FOR_A_PERSON)
        ]
        if sum(score for score, _ in persons) < self.caution.person:
            return "", ""
        label = max(persons)[1]
        return label, PERSON_REASONS.get(label, "a person decides on texts like this one")

    def _agreed(self, guess: Guess | None, ruled: Ruling) -> bool:
        """Whether the classifier says what the rules say; without one, the rule must be surer."""
        rule, slug = ruled.loudest, ruled.administration
        if rule is None or slug is None:
            return False
        if guess is None:
            return (rule.precision or 0.0) >= self.caution.alone
        return _among_slugs(guess, slug, self.slugs) >= self.caution.agreement

    def _permitted(self, guess: Guess, first: str, language: str) -> bool:
        thresholds = self.thresholds()
        return (
            thresholds is not None
            and guess.labels[0] == first
            and thresholds.permit(guess.margin, first, language)
        )


def _among_slugs(guess: Guess, slug: str, slugs: Collection[str]) -> float:
    """The share that the classifier gives an administration among all administrations."""
    of_slugs = {
        label: score
        for label, score in zip(guess.labels, guess.scores, strict=True)
        if label in slugs
    }
    return of_slugs.get(slug, 0.0) / (sum(of_slugs.values()) or 1.0)


#: An example less alike than this (cosine) explains nothing.
_ALIKE = 0.4
