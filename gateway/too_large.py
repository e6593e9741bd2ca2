# SPDX-License-Identifier: MIT
"""Tells the sender of a mail that was too large to be fetched, once, as an automatic answer.

A door by SMTP says so to the sender's own server (552). From a mailbox nobody learns it: the mail
lies there, a person at the desk has a note of it, and its sender waits for a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.mail import mime
from channels.message import AddressScheme
from normalizer.normalize import normalize
from normalizer.text import storable
from tracker import outbox
from tracker.models import OutboxKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from channels.channel import Delivery
    from config.country import Country
    from normalizer.complaint import Submission

_ROBOTS = frozenset(("noreply", "donotreply", "nepasrepondre", "mailerdaemon", "postmaster"))


def tell(connection: Connection, delivery: Delivery, country: Country) -> None:
    """Put the notice for the sender of a mail of which only the header was fetched.

    It is in the language of the subject, names nothing of the mail, and counts against the limits
    of automatic answers. Machines, lists and robots' mailboxes are told nothing.

    Args:
        connection: inside the transaction that stores the note of the mail.
        delivery: with the mail's header as its body.
        country: for the language where the subject tells none.
    """
    sender = delivery.headers.get("envelope-from", "")
    message = mime.read(delivery.body, envelope_from=sender, envelope_to=())
    submission = normalize(
        message, region=country.region, default_language=country.default_language
    )
    if not _may_be_answered(submission):
        return
    outbox.put(
        connection,
        OutboxKind.NOTIFY,
        f"too-large:{delivery.idempotency_key}",
        now=delivery.received_at,
        channel=str(delivery.channel),
        recipient_scheme=str(submission.contact.scheme),
        recipient=submission.contact.value,
        automatic=True,
        payload={
            "notice": "too_large",
            "language": submission.language,
            "in_reply_to": storable(message.message_id),
        },
    )


def _may_be_answered(submission: Submission) -> bool:
    contact, message = submission.contact, submission.message
    local = contact.value.partition("@")[0].translate(dict.fromkeys(map(ord, "-_.")))
    return (
        contact.replyable
        and contact.scheme is AddressScheme.MAILTO
        and message.auto_submitted == "no"
        and message.fields.get("return_path", contact.value) != ""
        and not message.fields.get("list")
        and local not in _ROBOTS
    )
