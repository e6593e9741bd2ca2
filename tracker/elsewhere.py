# SPDX-License-Identifier: MIT
"""What no administration can decide: the citizen is told where to turn, once a person said so."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tracker import attention, children, learning, register
from tracker.models import AttentionReason, CaseStatus, EventType, LabelKind, OutboxKind
from tracker.outbox import put

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row


class Elsewhere(StrEnum):
    """Why a case is nobody's here."""

    COURT = "court"
    PRIVATE = "private"
    NONE = "none"


def direct(
    connection: Connection,
    case: Row[Any],
    kind: Elsewhere,
    *,
    by: str,
    now: datetime,
    source: str = "/desk",
) -> None:
    """Close a case as out of competence and tell the citizen where to turn, once.

    Args:
        connection: inside a transaction.
        case: the case's row.
        kind: why; chooses the words.
        by: the person who confirmed it.
        now: the present time.
        source: CloudEvents source.

    Raises:
        ForbiddenMove: its status does not allow it.
    """
    moved = register.change_status(
        connection, case, CaseStatus.OUT_OF_COMPETENCE, by=by, source=source, at=now, tell=False
    )
    if not moved:
        return
    learning.learn(
        connection,
        case,
        f"person:{kind}",
        LabelKind.TRIAGE,
        by=by,
        now=now,
        previous=case.administration,
    )
    told = children.citizens_case(connection, case)
    for one in {case.id, told.id}:
        register.add_event(
            connection,
            one,
            EventType.DIRECTED_ELSEWHERE,
            {"kind": str(kind), "by": by},
            source=source,
            at=now,
        )
    children.settle(connection, case, by=by, source=source, at=now)
    attention.resolve_of_case(connection, case.id, AttentionReason.UNROUTED, by=by, at=now)
    if told.contact_value:
        put(
            connection,
            OutboxKind.NOTIFY,
            f"elsewhere:{case.id}:{now.isoformat()}",
            now=now,
            channel=told.channel,
            recipient_scheme=told.contact_scheme,
            recipient=told.contact_value,
            case_id=told.id,
            payload={"notice": f"elsewhere_{kind}"},
        )
