# SPDX-License-Identifier: MIT
"""Which mail of ours a bounce is about: by its Message-ID, else by the signed address it came to.

A code or a case's number proves nothing here: whoever knows one could make us believe that a
citizen is out of reach. Our Message-IDs are random, and so is an address's token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from tracker import deferred
from tracker.models import administrations, outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row

    from channels.message import InboundMessage

#: Characters of a bounce that are searched for a Message-ID of ours and for an address.
_WORDS_LIMIT = 50_000
_LAST = 20
_OURS = re.compile(
    r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^\s<>@]{1,255})>", re.IGNORECASE
)


def action_of(message: InboundMessage) -> str:
    """What became of our mail: ``failed``, ``delayed``, or another ``Action`` of RFC 3464.

    An ``Action`` is the last word: ``failed`` with a status 4.x.x says that the tries are over.
    """
    told = message.fields.get("bounce_action", "")
    if told:
        return told
    return "delayed" if message.fields.get("bounce_status", "").startswith("4") else "failed"


def bounced_entry(
    connection: Connection, message: InboundMessage, domain: str, case: Row[Any] | None
) -> Row[Any] | None:
    """The outbox row of the mail that a bounce is about, or ``None`` when it is none of ours.

    Args:
        connection: only read.
        message: the bounce.
        domain: our mail domain, the right side of our Message-IDs.
        case: the case whose signed address it was sent to, or ``None``.
    """
    deferred.flush(connection)
    for identifier in _identifiers(message, domain):
        entry = connection.execute(select(outbox).where(outbox.c.id == identifier)).first()
        if entry is not None and _was_mail(entry):
            return entry
    if case is None:
        return None
    entries = connection.execute(
        select(outbox)
        .where(outbox.c.case_id == case.id, outbox.c.done_at.is_not(None))
        .order_by(outbox.c.done_at.desc(), outbox.c.id.desc())
        .limit(_LAST)
    ).all()
    mails = [entry for entry in entries if _was_mail(entry)]
    words = (message.full_text or message.text)[:_WORDS_LIMIT].lower()
    for entry in mails:
        address = _address(connection, entry)
        if address and address in words:
            return entry
    return mails[0] if mails else None


def _identifiers(message: InboundMessage, domain: str) -> Iterator[UUID]:
    """Ids in Message-IDs of ours: of the returned mail, the thread, a mail quoted in words."""
    told = message.fields.get("bounce_message_id", "")
    named = " ".join(f"<{one}>" for one in (told, *message.in_reply_to, *message.references))
    words = (message.full_text or message.text)[:_WORDS_LIMIT]
    for found in _OURS.finditer(f"{named} {words}"):
        if found[2].rstrip(".").lower() == domain.rstrip(".").lower():
            yield UUID(found[1])


def _was_mail(entry: Row[Any]) -> bool:
    """Whether a mail of this entry left: also the notice of an answer that waits on the page."""
    if entry.done_at is None or entry.delivery_status is None:
        return False
    return str(entry.kind) == "refer" or str(entry.recipient_scheme) == "mailto"


def _address(connection: Connection, entry: Row[Any]) -> str:
    if entry.kind != "refer":
        return str(entry.recipient).lower()
    email = connection.scalar(
        select(administrations.c.email).where(administrations.c.slug == entry.recipient)
    )
    return str(email or "").lower()
