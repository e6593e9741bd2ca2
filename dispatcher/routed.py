# SPDX-License-Identifier: MIT
"""What follows from a decision of the machine: an administration, or a place on the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normalizer import emergency
from tracker import alarm, answers, attention, register, transfers
from tracker.models import AttentionReason, CaseStatus

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from dispatcher.routing.rules import Decision

_BY, _SOURCE = "rules", "/dispatcher/routing"


def record(
    connection: Connection, case_id: UUID, words: str, decision: Decision, *, now: datetime
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
    """
    case = register.case_by_id(connection, case_id)
    if case is None or case.administration is not None or case.merged_into is not None:
        return
    if case.children or transfers.times(connection, case_id):
        return
    danger = emergency.in_danger(words)
    if decision.administration is not None and not danger:
        answers.assign(
            connection,
            case,
            decision.administration,
            by=_BY,
            reasons=decision.reasons,
            confidence=decision.confidence,
            now=now,
            source=_SOURCE,
            label=None,
        )
        return
    if case.status == str(CaseStatus.RECEIVED):
        register.change_status(
            connection, case, CaseStatus.TRIAGE, by=_BY, source=_SOURCE, at=now, tell=False
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
