# SPDX-License-Identifier: MIT
"""The same words of the same sender again, about a case that waits for its answer. Reads only.

They join that case, each with its own delivery and message; the sender is told its code and state.
Only words that say something: "OK" twice is two messages. Words of another sender never join.
"""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.message import AddressScheme
from gateway.plan import Plan, join
from normalizer.text import fold
from tracker import links
from tracker.models import CaseStatus, attachments, messages
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from channels.channel import Delivery
    from config.settings import Settings
    from normalizer.complaint import Submission

#: Fact of a delivery that repeats the words of an earlier one.
REPEATED = "repeated"
_WORD = re.compile(r"[^\W_]+")
_AGAIN = re.compile(r"^\s*(?:(?:re|fwd?|tr|rv|aw|رد|ف و)\s*:\s*)+", re.IGNORECASE)
_SETTLED = frozenset(map(str, (CaseStatus.ANSWERED, *FINAL)))


class Repeating:
    """Finds the case that words repeat.

    Args:
        settings: ``[duplicates]``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.duplicates

    def plan(
        self,
        connection: Connection,
        own: Sequence[Row[Any]],
        delivery: Delivery,
        submission: Submission,
    ) -> Plan | None:
        """To join the case that these words repeat, or ``None``.

        Args:
            connection: for reading.
            own: cases of this sender, newest first.
            delivery: when it came.
            submission: the words.
        """
        since = delivery.received_at - timedelta(days=self._settings.window_days)
        waiting = [
            case for case in own if case.status not in _SETTLED and case.requested_datetime >= since
        ]
        if not waiting or not self._settings.window_days:
            return None
        said = _said(submission.subject, submission.description)
        if sum(map(len, said)) < self._settings.least_letters:
            return None
        for case in waiting:
            if _said(case.subject, case.description) == said and _has_files(
                connection, case, submission
            ):
                return join(
                    case,
                    notice="repeated" if submission.contact.replyable else "",
                    facts={REPEATED: "yes"},
                    reason="its sender said the same before",
                )
        return None

    def of_mail(
        self, connection: Connection, delivery: Delivery, submission: Submission
    ) -> Plan | None:
        """As :meth:`plan`, for a mail that belongs to no case; its sender is claimed at best."""
        contact, message = submission.contact, submission.message
        forged = message.fields.get("dmarc") == "fail"
        if contact.scheme is not AddressScheme.MAILTO or message.auto_submitted != "no" or forged:
            return None
        own = links.own_cases(connection, str(contact.scheme), contact.value, open_only=True)
        return self.plan(connection, own, delivery, submission)


def _said(subject: str, description: str) -> list[str]:
    """The words of a message as they are compared: without marks, capitals and "Re:"."""
    return _WORD.findall(fold(f"{_AGAIN.sub('', subject)}\n{description}"))


def _has_files(connection: Connection, case: Row[Any], submission: Submission) -> bool:
    """Whether a case has every file of a submission: the same words may bring another proof."""
    files = submission.message.attachments
    if any(file.fetch_url for file in files):
        return False
    wanted = {sha256(file.content).hexdigest() for file in files}
    if not wanted:
        return True
    known = connection.scalars(
        select(attachments.c.sha256)
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(messages.c.case_id == case.id, attachments.c.sha256.in_(wanted))
    )
    return wanted <= set(known)
