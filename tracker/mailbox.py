# SPDX-License-Identifier: MIT
"""Up to where each mailbox is settled. It saves work; that nothing is filed twice, keys prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tracker.models import mailbox_cursors

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def position(connection: Connection, account: str, folder: str) -> tuple[int, int] | None:
    """UIDVALIDITY and the UID (RFC 3501, 2.3.1.1) up to which all is settled; ``None`` at first."""
    row = connection.execute(
        select(mailbox_cursors.c.uid_validity, mailbox_cursors.c.uid).where(
            mailbox_cursors.c.account == account, mailbox_cursors.c.folder == folder
        ),
    ).first()
    return (row.uid_validity, row.uid) if row is not None else None


def advance(
    connection: Connection, account: str, folder: str, uid_validity: int, uid: int, *, at: datetime
) -> None:
    """Store a position; the last one to store wins.

    Args:
        connection: inside a transaction.
        account: ``user@host:port``, at most 400 characters.
        folder: its name, at most 255 characters.
        uid_validity: the folder's UIDVALIDITY, 32 bits.
        uid: every mail up to this one is settled.
        at: now.

    Raises:
        sqlalchemy.exc.IntegrityError: another process made the first row at this moment.
    """
    values = {"uid_validity": uid_validity, "uid": uid, "updated_at": at}
    changed = connection.execute(
        mailbox_cursors.update()
        .where(mailbox_cursors.c.account == account, mailbox_cursors.c.folder == folder)
        .values(values),
    )
    if changed.rowcount == 0:
        connection.execute(
            mailbox_cursors.insert().values(account=account, folder=folder, **values),
        )
