# SPDX-License-Identifier: MIT
"""Cases beside which one is read: proposed by likeness, never merged by a machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dispatcher.duplicates import near
from gateway.house import current_house
from tracker import resemblance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True)
class Likely:
    """A case that may speak of the same thing.

    Attributes:
        id: of the case.
        tracking_code: its code.
        text: its words.
        score: likeness, from 0 to 1.
    """

    id: UUID
    tracking_code: str
    text: str
    score: float


def likely(connection: Connection, case: Row[Any], proposed: Sequence[str]) -> list[Likely]:
    """The cases that look most like one, of the same administration and time.

    Args:
        connection: for reading.
        case: the one.
        proposed: the administrations that it may go to, where none has it yet.
    """
    settings = current_house().settings.duplicates
    words = _words(case)
    if not settings.window_days or not words or case.merged_into is not None:
        return []
    rows = resemblance.to_compare(
        connection,
        case,
        [case.administration] if case.administration else list(proposed),
        window=timedelta(days=settings.window_days),
        most=settings.compared,
    )
    by_id = {row.id: row for row in rows if row.id != case.parent_case}
    found = near(
        words, ((row.id, _words(row)) for row in by_id.values()), floor=settings.near_score
    )
    return [
        Likely(case_id, by_id[case_id].tracking_code, _words(by_id[case_id]), score)
        for case_id, score in found
    ]


def _words(case: Row[Any]) -> str:
    return f"{case.subject}\n{case.description}".strip()
