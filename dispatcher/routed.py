# SPDX-License-Identifier: MIT
"""What follows from a decision of the machine: an administration, or a place on the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from normalizer import emergency
from tracker import alarm, answers, attention, blind_checks, learning, register, transfers
from tracker.models import AttentionReason, CaseStatus

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from dispatcher.routing.rules import Candidate

_SOURCE = "/dispatcher/routing"
#: The label of examples that tell of danger.
_EMERGENCY = "person:emergency"


class Decided(Protocol):
    """A choice of the machine, see :class:`dispatcher.routing.decision.Decision`."""

    @property
    def administration(self) -> str | None:
        """The slug chosen, or ``None``: a person decides."""
        ...

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        ...

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """At most three, the best first."""
        ...

    @property
    def reasons(self) -> Sequence[str]:
        """Why, in words that a clerk can read."""
        ...

    @property
    def by(self) -> str:
        """What decided: ``rules``, or ``classifier`` and its version."""
        ...

    @property
    def language(self) -> str:
        """BCP 47 tag that the text was read in, or ``""``."""
        ...

    @property
    def first(self) -> str:
        """The classifier's own first label, or ``""``."""
        ...

    @property
    def margin(self) -> float:
        """Its first score minus the second."""
        ...

    @property
    def model(self) -> str:
        """The model's version, or ``""``."""
        ...

    @property
    def rule(self) -> str:
        """The key of the rule that spoke loudest, or ``""``."""
        ...


class Chooses(Protocol):
    """Chooses an administration for a text: rules alone, or rules and classifier."""

    def decide(self, text: str, language: str = "", location: str = "") -> Decided:
        """The choice, or why there is none."""
        ...


def record(
    connection: Connection,
    case_id: UUID,
    words: str,
    decision: Decided,
    *,
    now: datetime,
    blind_share: float = 0.0,
) -> None:
    """Hand a case to the administration that was chosen, or ask a person.

    A case that an administration gave up, or that people divided, is theirs to decide; so is one
    whose words tell of somebody in danger, whatever else they name.

    Args:
        connection: inside a transaction.
        case_id: the case.
        words: what the decision was made on.
        decision: the choice, or why there is none.
        now: the present time.
        blind_share: of the machine's decisions that a person makes again without seeing them.
    """
    case = register.case_by_id(connection, case_id)
    if case is None or case.administration is not None or case.merged_into is not None:
        return
    if case.children or transfers.times(connection, case_id):
        return
    # The words are known at once, at the door; what only the classifier sees comes in here.
    danger = emergency.in_danger(words, case.language) or decision.first == _EMERGENCY
    chosen = None if danger else decision.administration
    suggestion = learning.Suggestion(
        words,
        decision.language or case.language,
        [(one.administration, one.score) for one in decision.candidates],
        first=decision.first,
        margin=decision.margin,
        model=decision.model,
        rule=decision.rule,
        administration=chosen,
    )
    learning.suggest(connection, case_id, suggestion, now=now)
    if chosen is not None:
        answers.assign(
            connection,
            case,
            chosen,
            by=decision.by,
            reasons=decision.reasons,
            confidence=decision.confidence,
            now=now,
            source=_SOURCE,
            label=None,
        )
        if blind_checks.drawn(case_id, blind_share):
            blind_checks.ask(connection, case_id, chosen, at=now)
        return
    if case.status == str(CaseStatus.RECEIVED):
        register.change_status(
            connection, case, CaseStatus.TRIAGE, by=decision.by, source=_SOURCE, at=now, tell=False
        )
    if danger:  # also when only a transcript tells of it
        alarm.see(connection, at=now, source=_SOURCE, case_id=case_id)
        alarm.advise(
            connection,
            channel=case.channel,
            scheme=case.contact_scheme,
            recipient=case.contact_value,
            language=case.language,
            case_id=case_id,
            now=now,
        )
    found: dict[str, Any] = {
        "candidates": [
            {"administration": one.administration, "reasons": list(one.reasons)}
            for one in decision.candidates
        ]
    }
    attention.ask_once(
        connection,
        AttentionReason.UNROUTED,
        "; ".join(decision.reasons),
        at=now,
        case_id=case_id,
        data=found,
    )
