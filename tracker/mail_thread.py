# SPDX-License-Identifier: MIT
"""The mails of a case as a thread (RFC 5322, 3.6.4), so that mail programs show them as one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from tracker.models import Direction, messages

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from sqlalchemy import Connection

#: Ids of one References field: the first and the last ones (RFC 5537, 3.4.4, trims it alike).
MOST_REFERENCES = 20
#: What may stand between angle brackets in a field of ours; senders choose their ids freely.
_WELL_FORMED = re.compile(r"[!-;=?-~]{3,250}")


@dataclass(frozen=True, slots=True)
class MailThread:
    """Message-IDs of a case's mails, in and out.

    Attributes:
        ids: oldest first, without angle brackets.
        answered: the id of the latest mail that came in, or ``""``.
    """

    ids: tuple[str, ...] = ()
    answered: str = ""

    def references(self, answered: str = "") -> tuple[str, tuple[str, ...]]:
        """In-Reply-To and References of the next mail; ids that no field can hold are left out.

        Args:
            answered: the id of the mail that it answers; the latest that came in by default.
        """
        answered = answered if _WELL_FORMED.fullmatch(answered) else self.answered
        before = [one for one in self.ids if one != answered]
        kept = [*before[:1], *before[1:][-(MOST_REFERENCES - 2) :]]
        return answered, tuple([*kept, answered] if answered else kept)


def of_cases(connection: Connection, case_ids: Collection[UUID]) -> Mapping[UUID, MailThread]:
    """The threads of cases; a case without mails is left out."""
    if not case_ids:
        return {}
    rows = connection.execute(
        select(messages.c.case_id, messages.c.message_id, messages.c.direction)
        .where(
            messages.c.case_id.in_(case_ids),
            messages.c.channel == "email",
            messages.c.message_id != "",
        )
        .order_by(messages.c.case_id, messages.c.date, messages.c.id)
    )
    found: dict[UUID, MailThread] = {}
    for row in rows:
        if not _WELL_FORMED.fullmatch(row.message_id):
            continue
        so_far = found.get(row.case_id, MailThread())
        inbound = row.direction == str(Direction.INBOUND)
        found[row.case_id] = MailThread(
            (*so_far.ids, row.message_id), row.message_id if inbound else so_far.answered
        )
    return found
