# SPDX-License-Identifier: MIT
"""Failed guesses, counted in the database so that every process sees the same count.

The same short-lived rows remember when somebody last wrote (WhatsApp's window of 24 hours).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tracker import deferred
from tracker.identity import new_id
from tracker.models import throttle

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection


def digest(key: str, value: str) -> str:
    """A keyed digest of who tried (32 hex characters): the table names nobody."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


def allowed(
    connection: Connection,
    scope: str,
    subject: str,
    *,
    tries: int,
    window_seconds: float,
    now: datetime,
) -> bool:
    """Whether ``subject`` has failed fewer than ``tries`` times in the last window."""
    since = now - timedelta(seconds=window_seconds)
    count = connection.scalar(
        select(func.count())
        .select_from(throttle)
        .where(throttle.c.scope == scope, throttle.c.subject == subject, throttle.c.at > since),
    )
    return (count or 0) < tries


def forget(connection: Connection, now: datetime) -> int:
    """Forget what is older than any window looks back (two days); how many were forgotten."""
    old = throttle.c.at < now - timedelta(days=2)
    return connection.execute(throttle.delete().where(old)).rowcount


def record(connection: Connection, scope: str, subject: str, now: datetime) -> None:
    """Note one failure; the sweeper forgets it two days later."""
    connection.execute(throttle.insert().values(id=new_id(), scope=scope, subject=subject, at=now))


def heard(connection: Connection, scope: str, subject: str, now: datetime) -> None:
    """Note that ``subject`` wrote, now or with the group; forgotten two days later."""
    row = {"id": new_id(), "scope": scope, "subject": subject, "at": now}
    deferred.insert(connection, throttle, [row])


def last_heard(connection: Connection, scope: str, subjects: Collection[str]) -> datetime | None:
    """When one of ``subjects`` last wrote (aware), or ``None``: not within two days."""
    last: datetime | None = connection.scalar(
        select(func.max(throttle.c.at)).where(
            throttle.c.scope == scope, throttle.c.subject.in_(list(subjects))
        )
    )
    return last
