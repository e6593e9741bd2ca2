# SPDX-License-Identifier: MIT
"""Routing by ordered rules on content, each with the words that made it match.

A rule names phrases, of which each found in the folded text counts the rule's weight, or concepts
(``features.py``), which must all be there, in whatever language. The administration with the clear
lead wins; a draw, a weak match or silence is left to a person (promise 8).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatcher.routing import features
from normalizer.text import ascii_digits, fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dispatcher.administration import Administration
    from dispatcher.routing.features import Concepts, Features

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
        concepts: names of concepts that must all stand in a text, instead of phrases.
    """

    administration: str
    phrases: tuple[tuple[str, ...], ...]
    weight: float
    precision: float | None = None
    measured: int = 0
    concepts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What names the rule on record: its administration, and a digest of what it says."""
        said = json.dumps([self.phrases, self.concepts, self.weight], ensure_ascii=False)
        return f"{self.administration}/{hashlib.sha256(said.encode()).hexdigest()[:12]}"


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
        loudest: the rule whose words weighed most for the one chosen, or ``None``.
        certain: whether that rule's measured precision lets the machine decide alone.
        by: what decided.
        language: of the text, for a decision that looked at it.
        first: the classifier's own first label; rules have none.
        margin: its margin.
        model: the version that said so.
    """

    administration: str | None
    confidence: float
    candidates: tuple[Candidate, ...]
    loudest: Rule | None = None
    certain: bool = False
    by: str = "rules"
    language: str = ""
    first: str = ""
    margin: float = 0.0
    model: str = ""

    @property
    def rule(self) -> str:
        """The key of the loudest rule, or ``""``."""
        return self.loudest.key if self.loudest is not None else ""

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
        concepts: what the concepts of rules are found by.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        floor: float = 1.0,
        lead: float = 0.5,
        precision: float = 0.75,
        measured: int = 2,
        concepts: Concepts | None = None,
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
        self._concepts = concepts
        self._meant: dict[str, list[Rule]] = {}
        for rule in rules if concepts is not None else ():
            if rule.concepts:
                self._meant.setdefault(rule.concepts[0], []).append(rule)

    def with_rules(self, rules: Sequence[Rule]) -> Router:
        """The same with other rules, as when people's decisions have judged them anew."""
        return Router(
            rules,
            floor=self._floor,
            lead=self._lead,
            precision=self._precision,
            measured=self._measured,
            concepts=self._concepts,
        )

    def speaking(self, text: str) -> list[Rule]:
        """The rules of which a phrase, or all concepts, stand in a text."""
        by_phrase = [rule for rule, _ in self._named_in(_words(text))]
        return list(dict.fromkeys([*by_phrase, *(rule for rule, _ in self._meant_in(text))]))

    def decide(
        self,
        text: str,
        language: str = "",
        location: str = "",
        read: Features | None = None,
    ) -> Decision:
        """Choose for one text in any of the languages; rules need neither language nor place.

        Args:
            text: as the citizen wrote it.
            language: not needed.
            location: not needed.
            read: the text as it was read already, for rules of concepts.
        """
        found: dict[str, dict[str, float]] = {}
        heard: dict[str, dict[Rule, float]] = {}
        for rule, phrase in self._named_in(_words(text)):
            hits = found.setdefault(rule.administration, {})
            named, weight = " ".join(phrase), rule.weight * len(phrase)
            # Two rules that name it count once, by the heavier one.
            hits[named] = max(weight, hits.get(named, 0.0))
            spoken = heard.setdefault(rule.administration, {})
            spoken[rule] = max(weight, spoken.get(rule, 0.0))
        for rule, words in self._meant_in(text, read):
            hits = found.setdefault(rule.administration, {})
            hits[words] = max(rule.weight, hits.get(words, 0.0))
            heard.setdefault(rule.administration, {})[rule] = rule.weight
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
        spoke = heard[best.administration]
        trusted = [rule for rule in spoke if self._is_trusted(rule)]
        loudest = max(trusted or spoke, key=lambda rule: spoke[rule])
        return Decision(
            best.administration,
            best.score / total,
            tuple(candidates),
            loudest,
            certain=bool(trusted),
        )

    def _is_trusted(self, rule: Rule) -> bool:
        return (
            rule.precision is not None
            and rule.precision >= self._precision
            and rule.measured >= self._measured
        )

    def _meant_in(self, text: str, read: Features | None = None) -> Iterator[tuple[Rule, str]]:
        """The rules whose concepts all stand in a text, with the words that bear them."""
        if not self._meant or self._concepts is None:
            return
        read = read or features.read(text, concepts=self._concepts)
        named = {name.removeprefix("=") for name in read.views["concepts"]}
        for first in sorted(named & self._meant.keys()):
            for rule in self._meant[first]:
                if named.issuperset(rule.concepts):
                    written = (read.written[f"={name}"] for name in rule.concepts)
                    yield rule, " … ".join(dict.fromkeys(written))

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
    """Read ``[[rule]] administration, phrases | concepts, weight, precision, measured``.

    A weight that is not given is 2; a rule without a precision has not been measured.

    Raises:
        BadRules: a rule lacks a key, has an unknown one, a weight of 0 or an empty phrase.
        tomllib.TOMLDecodeError: the file is not TOML.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = []
    errors = []
    for number, table in enumerate(data.get("rule", []), start=1):
        slug, concepts = table.get("administration"), table.get("concepts")
        phrases = table.get("phrases", [] if concepts else None)
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
        elif concepts is not None and (phrases or not _are_names(concepts)):
            errors.append(f"rule {number}: concepts are a list of names, and stand without phrases")
        elif (concepts is None and not phrases) or not all(
            _phrase(str(words)) for words in phrases
        ):
            errors.append(f"rule {number}: a phrase has no word")
        else:
            read = tuple(_phrase(str(words)) for words in phrases)
            share = None if precision is None else float(precision)
            names = tuple(concepts or ())
            rules.append(Rule(slug, read, float(weight), share, measured, names))
    if errors:
        raise BadRules("; ".join(errors))
    return rules


_KEYS = frozenset({"administration", "phrases", "concepts", "weight", "precision", "measured"})


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


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
