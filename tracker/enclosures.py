# SPDX-License-Identifier: MIT
"""Files that go along with an answer, as far as one mail may hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tracker.models import attachments, blobs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One file: its name as given (``""``: none), its declared media type, its bytes."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Enclosures:
    """The files of one message.

    Attributes:
        files: in order, as many as fit.
        left_out: names of those that do not fit (``""``: unnamed).
    """

    files: tuple[Enclosure, ...] = ()
    left_out: tuple[str, ...] = ()


def of_messages(
    connection: Connection, message_ids: Collection[UUID], most_bytes: int
) -> Mapping[UUID, Enclosures]:
    """The stored files of messages; a message without files is left out.

    Args:
        connection: only read.
        message_ids: of the messages.
        most_bytes: of all files of one message; what goes beyond is never loaded.
    """
    if not message_ids:
        return {}
    rows = connection.execute(
        select(
            attachments.c.message_id,
            attachments.c.filename,
            attachments.c.media_type,
            attachments.c.size,
            attachments.c.sha256,
        )
        .where(attachments.c.message_id.in_(message_ids), attachments.c.sha256.is_not(None))
        .order_by(attachments.c.message_id, attachments.c.position)
    ).all()
    room = dict.fromkeys(message_ids, most_bytes)
    found: dict[UUID, Enclosures] = {}
    for row in rows:
        so_far = found.get(row.message_id, Enclosures())
        if row.size > room[row.message_id]:
            found[row.message_id] = Enclosures(so_far.files, (*so_far.left_out, row.filename))
            continue
        room[row.message_id] -= row.size
        content = connection.scalar(select(blobs.c.content).where(blobs.c.sha256 == row.sha256))
        file = Enclosure(row.filename, row.media_type, content or b"")
        found[row.message_id] = Enclosures((*so_far.files, file), so_far.left_out)
    return found
