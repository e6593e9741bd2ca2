# SPDX-License-Identifier: MIT
"""Who asked for silence, and on which channel. Another channel of theirs stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from tracker.models import opt_outs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection


def remember(connection: Connection, channel: str, recipient: str, since: datetime) -> None:
    """Send nothing to this address on this channel from now on."""
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    connection.execute(
        insert(opt_outs)
        .values(channel=channel, recipient=recipient, since=since)
        .on_conflict_do_nothing()
    )


def forget(connection: Connection, channel: str, recipient: str) -> None:
    """They asked to be written to again."""
    connection.execute(
        opt_outs.delete().where(opt_outs.c.channel == channel, opt_outs.c.recipient == recipient)
    )


def among(connection: Connection, recipients: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Which of these addresses asked for silence: (channel, address) of each."""
    wanted = sorted(set(recipients))
    if not wanted:
        return frozenset()
    rows = connection.execute(
        select(opt_outs.c.channel, opt_outs.c.recipient).where(opt_outs.c.recipient.in_(wanted))
    )
    return frozenset((row.channel, row.recipient) for row in rows)
