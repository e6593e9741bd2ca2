# SPDX-License-Identifier: MIT
"""Notices of mail systems about mail of ours that did not arrive, or not yet.

RFC 3464 names them; many systems still write free text. One sign never makes a bounce out of a
person's mail: words of a notice count only beside a sender that is no person (a mail system's
name, an empty return path), since citizens do complain about parcels and mails that never came.
The words are looked at last, and only there: an ordinary mail costs a few looks at its fields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.mail.bounce_words import (
    ANSWER,
    HINT,
    LATE,
    LIKELY_SYSTEM,
    NO_REPLY,
    NOTIFICATION,
    SAID,
    SYSTEM,
    TITLE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A notice tells its business at once; what comes later may be the mail it quotes.
NOTICE_LENGTH = 3000
_SUBJECT_LENGTH = 300

_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?\s*([\w-]+)", re.IGNORECASE)
_NAMELESS = re.compile(r"<(?:|mailer-daemon(?:@[^>]*)?|postmaster@[^>]*)>")
_DELIVERY_REPORTS = ("delivery-status", "global-delivery-status")
# Fields that only notices of this kind carry.
_BOUNCE_FIELDS = ("x-failed-recipients", "x-ms-exchange-message-is-ndr")


def first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    """The first body of a field, or ``""``."""
    values = headers.get(name)
    return values[0] if values else ""


def subject_of(headers: Mapping[str, Sequence[str]]) -> str:
    """The subject, as much of it as is judged."""
    return first(headers, "subject")[:_SUBJECT_LENGTH]


def nameless(headers: Mapping[str, Sequence[str]]) -> bool:
    """Whether the envelope sender is empty (RFC 5321, 4.5.5) or a mail system's name."""
    return any(_NAMELESS.fullmatch(path.strip().lower()) for path in headers.get("return-path", ()))


def report_type(headers: Mapping[str, Sequence[str]]) -> str:
    """The ``report-type`` of a ``multipart/report`` (RFC 6522) in lower case, or ``""``."""
    content_type = first(headers, "content-type").lower()
    if not content_type.lstrip().startswith("multipart/report"):
        return ""
    match = _REPORT_TYPE.search(content_type)
    return match[1] if match else "delivery-status"


def is_bounce(headers: Mapping[str, Sequence[str]], text: str = "") -> bool:
    """Whether a mail system says that a mail of ours did not arrive, or not yet.

    Args:
        headers: field bodies by field name in lower case, see ``autoreply.auto_submitted``.
        text: the readable text of the mail; ``""`` where only the fields are known.
    """
    if report_type(headers) in _DELIVERY_REPORTS:
        return True
    if any(name in headers for name in _BOUNCE_FIELDS):
        return True
    sender = first(headers, "from")
    system = bool(SYSTEM.search(sender))
    empty = not system and nameless(headers)
    likely = not (system or empty) and bool(LIKELY_SYSTEM.search(sender))
    silent = not (system or empty or likely) and bool(NO_REPLY.search(sender))
    if not (system or empty or likely or silent):
        return False
    subject, start = subject_of(headers), text[:NOTICE_LENGTH]
    if silent:
        notification = NOTIFICATION.search(start)
        if notification is not None:
            return notification[1] == "Bounce"
        return bool(HINT.search(subject) or TITLE.match(subject)) and _said(start)
    if ANSWER.match(subject):
        return _said(start)
    if TITLE.match(subject) or (system and HINT.search(subject)):
        return True
    return _said(start)


def _said(start: str) -> bool:
    return bool(SAID.search(start) or LATE.search(start))


def free_text_action(headers: Mapping[str, Sequence[str]], text: str, status: str = "") -> str:
    """The RFC 3464 ``Action`` of a bounce that does not name it.

    Args:
        headers: as for :func:`is_bounce`.
        text: the readable text of the mail.
        status: its enhanced status code (RFC 3463) where it gives one; 4.x.x is not for ever.

    Returns:
        ``"delayed"`` (late, not lost: nothing to do) or ``"failed"``.
    """
    if status:
        return "delayed" if status.startswith("4") else "failed"
    late = LATE.search(f"{subject_of(headers)}\n{text[:NOTICE_LENGTH]}")
    return "delayed" if late else "failed"
