# SPDX-License-Identifier: MIT
"""Blind checks: a share of the machine's decisions is made again by a person who does not see them.

The case goes on meanwhile. Where the person decides otherwise, a second look settles it: the
machine's choice stands, or the case is handed on, which is nobody's refusal. Without such checks
the machine would learn from its own mistakes that nobody noticed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker import answers, attention, learning
from tracker.models import AttentionReason, LabelKind
from tracker.models import attention as attention_table

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: In ``attention.data``: whom the machine chose, and what the person answered who did not see it.
CHOSEN, ANSWER = "chosen", "answer"
_SCALE = 2**32


def drawn(case_id: UUID, share: float) -> bool:
    """Whether a case is among the share (0 to 1) that is checked; the same at every call."""
    lot = hashlib.sha256(b"blind check" + case_id.bytes).digest()
    return int.from_bytes(lot[:4], "big") < share * _SCALE


def ask(connection: Connection, case_id: UUID, slug: str, *, at: datetime) -> None:
    """Ask a person where a case belongs, once a case, without telling whom the machine chose."""
    known = select(attention_table.c.id).where(
        attention_table.c.case_id == case_id,
        attention_table.c.reason == str(AttentionReason.BLIND_CHECK),
    )
    if connection.scalar(known.limit(1)) is None:
        attention.open_item(
            connection,
            AttentionReason.BLIND_CHECK,
            "",
            at=at,
            case_id=case_id,
            data={CHOSEN: slug},
        )


def judge(
    connection: Connection, item: Row[Any], case: Row[Any], label: str, *, by: str, now: datetime
) -> bool:
    """Keep what a person chose blindly; ``True`` when it is what the machine had chosen.

    Args:
        connection: inside a transaction.
        item: the open item of the list.
        case: its case.
        label: a slug, or ``person:…`` where no administration can decide.
        by: who judges.
        now: the present time.
    """
    chosen = item.data[CHOSEN]
    learning.learn(connection, case, label, LabelKind.BLIND_CHECK, by=by, now=now, previous=chosen)
    if label in (chosen, case.administration):
        attention.resolve(connection, item.id, by=by, action="agreed", at=now)
        return bool(label == chosen)
    connection.execute(
        attention_table.update()
        .where(attention_table.c.id == item.id)
        .values(data={**item.data, ANSWER: label})
    )
    return False


def let_stand(
    connection: Connection, item: Row[Any], case: Row[Any], *, by: str, now: datetime
) -> None:
    """After a second look the machine was right."""
    learning.learn(connection, case, item.data[CHOSEN], LabelKind.CONFIRMATION, by=by, now=now)
    attention.resolve(connection, item.id, by=by, action="stands", at=now)


def correct(
    connection: Connection,
    item: Row[Any],
    case: Row[Any],
    slug: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    outlet: str = "desk",
) -> None:
    """After a second look the machine was wrong: another administration gets the case.

    Raises:
        ValueError: the case is settled, or no administration has it.
    """
    answers.assign(
        connection,
        case,
        slug,
        by=by,
        reasons=[reason],
        now=now,
        outlet=outlet,
        label=LabelKind.CORRECTION,
    )
    attention.resolve(connection, item.id, by=by, action="corrected", at=now)
