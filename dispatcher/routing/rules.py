# SPDX-License-Identifier: MIT
"""Routing by ordered rules on content, each with the words that made it match.

A rule names phrases; every phrase found in the folded text counts its weight. The administration
with the clear lead wins; a draw, a weak match or silence is left to a person (promise 8).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from normalizer.text import ascii_digits, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dispatcher.administration import Administration

_WORD = re.compile(r"[^\W_]+")
#: Arabic clitics that stand before a word without a space (و ف ب ك ل + ال), tried off in turn.
_ARABIC_PREFIXES = ("وبال", "وال", "فال", "بال", "كال", "لل", "ال", "و", "ف", "ب", "ل")
_SHORTEST_STEM = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases that point to an administration.

    Attributes:
        administration: slug.
        phrases: folded phrases, as tuples of words.
        weight: what each phrase found counts.
        precision: how often it was right where it decided, or ``None`` when not measured.
        measured: on how many texts.
    """

    administration: str
    phrases: tuple[tuple[str, ...], ...]
    weight: float
    precision: float | None = None
    measured: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An administration that may be responsible.

    Attributes:
        administration: slug.
        score: sum of the weights of what matched.
        reasons: sentences a clerk can read.
    """

    administration: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of routing.

    Attributes:
        administration: the slug chosen, or ``None``: a person decides.
        confidence: from 0 to 1, the share of the winner among what matched.
        candidates: at most three, best first.
        rule: the rule whose words weighed most for the one chosen, or ``None``.
        certain: whether that rule's measured precision lets the machine decide alone.
    """

    administration: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    rule: Rule | None = None
    certain: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why: the winner's reasons, or why nobody was chosen."""
        if self.administration and self.candidates:
            return self.candidates[0].reasons
        if not self.candidates:
            return ("no rule matches these words",)
        names = ", ".join(candidate.administration for candidate in self.candidates)
        return (f"not clear enough between {names}",)


class Router:
    """Chooses an administration.

    Args:
        rules: in order.
        floor: least score for an automatic choice.
        lead: how far ahead of the second the first must be.
        precision: what a rule must have been measured at to decide alone; below, and while it has
            not been measured, it only proposes.
        measured: on how many texts at least.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        floor: float = 1.0,
        lead: float = 0.5,
        precision: float = 0.9,
        measured: int = 5,
    ) -> None:
        # By first word, so that a long text costs its own length and not that of the rules.
        self._phrases: dict[str, list[tuple[int, Rule, tuple[str, ...]]]] = {}
        numbered = enumerate((rule, phrase) for rule in rules for phrase in rule.phrases)
        for number, (rule, phrase) in numbered:
            self._phrases.setdefault(phrase[0], []).append((number, rule, phrase))
        self._floor = floor
        self._lead = lead
        self._precision = precision
        self._measured = measured

    def decide(self, text: str) -> Decision:
        """Choose for one text in any of the languages."""
        found: dict[str, dict[str, float]] = {}
        heaviest: dict[str, tuple[float, Rule]] = {}
        for rule, phrase in self._named_in(_words(text)):
            hits = found.setdefault(rule.administration, {})
            named, weight = " ".join(phrase), rule.weight * len(phrase)
            # Two rules that name it count once, by the heavier one.
            hits[named] = max(weight, hits.get(named, 0.0))
            if weight > heaviest.get(rule.administration, (0.0, rule))[0]:
                heaviest[rule.administration] = (weight, rule)
        candidates = sorted(
            (
                Candidate(
                    slug,
                    sum(hits.values()),
                    tuple(f"“{phrase}” is named" for phrase in hits),
                )
                for slug, hits in found.items()
            ),
            key=lambda candidate: -candidate.score,
        )[:3]
        if not candidates:
            return Decision(None, 0.0, ())
        total = sum(candidate.score for candidate in candidates)
        best = candidates[0]
        second = candidates[1].score if len(candidates) > 1 else 0.0
        clear = best.score >= self._floor and best.score - second >= self._lead
        if not clear:
            return Decision(None, best.score / total, tuple(candidates))
        rule = heaviest[best.administration][1]
        certain = (
            rule.precision is not None
            and rule.precision >= self._precision
            and rule.measured >= self._measured
        )
        return Decision(best.administration, best.score / total, tuple(candidates), rule, certain)

    def _named_in(self, words: Sequence[frozenset[str]]) -> Iterator[tuple[Rule, tuple[str, ...]]]:
        """The phrases that stand in a text, each once, in the order of the rules."""
        named = {
            number: (rule, phrase)
            for start, forms in enumerate(words)
            for form in forms
            for number, rule, phrase in self._phrases.get(form, ())
            if _stands_at(words, start, phrase)
        }
        for number in sorted(named):
            yield named[number]


def of_administrations(register: Iterable[Administration], weight: float = 1.0) -> list[Rule]:
    """One rule an administration from its competence words."""
    rules = []
    for administration in register:
        phrases = {
            _phrase(words)
            for listed in (administration.competence or {}).values()
            for words in listed
        }
        phrases.discard(())
        if phrases:
            rules.append(Rule(administration.slug, tuple(sorted(phrases)), weight))
    return rules


class BadRules(ValueError):  # noqa: N818
    """The rules file has errors, each told by the number of its rule."""


def read_toml(path: Path) -> list[Rule]:
    """Read ``[[rule]] administration, phrases, weight, precision, measured`` from a file.

    A weight that is not given is 2; a rule without a precision has not been measured.

    Raises:
        BadRules: a rule lacks a key, has an unknown one, a weight of 0 or an empty phrase.
        tomllib.TOMLDecodeError: the file is not TOML.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = []
    errors = []
    for number, table in enumerate(data.get("rule", []), start=1):
        slug, phrases = table.get("administration"), table.get("phrases")
        weight = table.get("weight", 2.0)
        precision, measured = table.get("precision"), table.get("measured", 0)
        unknown = sorted(table.keys() - _KEYS)
        if unknown:
            errors.append(f"rule {number}: {', '.join(unknown)} is no key of a rule")
        elif not isinstance(slug, str) or not isinstance(phrases, list):
            errors.append(f"rule {number}: it needs an administration and a list of phrases")
        elif not isinstance(weight, int | float) or weight <= 0:
            errors.append(f"rule {number}: the weight is not a number above 0")
        elif precision is not None and not _is_share(precision):
            errors.append(f"rule {number}: the precision is not a number from 0 to 1")
        elif not isinstance(measured, int) or measured < 0:
            errors.append(f"rule {number}: measured is not a count")
        elif not phrases or not all(_phrase(str(words)) for words in phrases):
            errors.append(f"rule {number}: a phrase has no word")
        else:
            read = tuple(_phrase(str(words)) for words in phrases)
            share = None if precision is None else float(precision)
            rules.append(Rule(slug, read, float(weight), share, measured))
    if errors:
        raise BadRules("; ".join(errors))
    return rules


_KEYS = frozenset({"administration", "phrases", "weight", "precision", "measured"})


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def unknown_slugs(rules: Iterable[Rule], register: Mapping[str, Administration]) -> list[str]:
    """The slugs of rules that no administration has: a mistake of the file."""
    return sorted({rule.administration for rule in rules} - set(register))


def _phrase(words: str) -> tuple[str, ...]:
    """A phrase as its folded words, as texts are read too."""
    return tuple(fold(word) for word in _WORD.findall(ascii_digits(words)))


def _words(text: str) -> list[frozenset[str]]:
    """Each word of a text as the set of the forms it may match as."""
    return [_forms(fold(word)) for word in _WORD.findall(ascii_digits(text))]


def _forms(word: str) -> frozenset[str]:
    forms = {word}
    for prefix in _ARABIC_PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_STEM:
            forms.add(word[len(prefix) :])
            forms.add("ال" + word[len(prefix) :])
    if word.isascii() and len(word) > _SHORTEST_STEM and word.endswith("s"):
        forms.add(word[:-1])
    return frozenset(forms)


def _stands_at(words: Sequence[frozenset[str]], start: int, phrase: tuple[str, ...]) -> bool:
    here = words[start : start + len(phrase)]
    return len(here) == len(phrase) and all(map(frozenset.__contains__, here, phrase))
