# SPDX-License-Identifier: MIT
"""The record of trainings and promotions: a night's training is begun once, whoever looks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tracker.identity import new_id
from tracker.models import TrainingState, trainings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

_OVERDUE = "it did not end in time; the next night tries again"


def begin(connection: Connection, *, by: str, now: datetime, night: str | None = None) -> UUID:
    """Begin a training, and return its id.

    Args:
        connection: inside a transaction.
        by: who or what begins it.
        now: the present time.
        night: the local day (YYYY-MM-DD) that it belongs to.

    Raises:
        sqlalchemy.exc.IntegrityError: that night has one already.
    """
    training_id = new_id()
    connection.execute(
        trainings.insert().values(
            id=training_id,
            night=night,
            state=str(TrainingState.RUNNING),
            started_by=by,
            started_at=now,
        )
    )
    return training_id


def begin_night(connection: Connection, night: str, *, by: str, now: datetime) -> UUID | None:
    """Begin the training of a night, whoever is first; ``None`` when it was begun before."""
    if connection.scalar(select(trainings.c.id).where(trainings.c.night == night)) is not None:
        return None
    try:
        with connection.begin_nested():
            return begin(connection, by=by, now=now, night=night)
    except IntegrityError:  # another sweeper was first
        return None


def end(
    connection: Connection,
    training_id: UUID,
    state: TrainingState,
    *,
    now: datetime,
    detail: str,
    version: str = "",
    previous: str = "",
    confirmed: int = 0,
    figures: Mapping[str, Any] | None = None,
) -> bool:
    """Write down what became of a training that runs; ``False`` when that was done already.

    Args:
        connection: inside a transaction.
        training_id: which one.
        state: what became of it.
        now: the present time.
        detail: a plain English sentence: why.
        version: the model that came of it.
        previous: the model that was in force.
        confirmed: how many confirmed decisions it learnt from.
        figures: how the two models compare.
    """
    changed = connection.execute(
        trainings.update()
        .where(trainings.c.id == training_id, trainings.c.state == str(TrainingState.RUNNING))
        .values(
            state=str(state),
            detail=detail,
            version=version,
            previous=previous,
            confirmed=confirmed,
            figures=dict(figures or {}),
            ended_at=now,
        )
    )
    return changed.rowcount > 0


def give_up(connection: Connection, *, before: datetime, now: datetime) -> int:
    """Write down as failed what began before a time and never ended; return how many."""
    changed = connection.execute(
        trainings.update()
        .where(trainings.c.state == str(TrainingState.RUNNING), trainings.c.started_at < before)
        .values(state=str(TrainingState.FAILED), detail=_OVERDUE, ended_at=now)
    )
    return changed.rowcount


def latest(connection: Connection, limit: int = 10) -> Sequence[Row[Any]]:
    """The latest trainings and promotions, the newest first."""
    return connection.execute(
        select(trainings)
        .order_by(trainings.c.started_at.desc(), trainings.c.id.desc())
        .limit(limit)
    ).all()
