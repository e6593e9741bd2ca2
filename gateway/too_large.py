# SPDX-License-Identifier: MIT
"""Tells the sender of a mail that was too large to be fetched, once, as an automatic answer.

A door by SMTP says so to the sender's own server (552). From a mailbox nobody learns it: the mail
lies there, a person at the desk has a note of it, and its sender waits for a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.mail import mime
from gateway.plan import no_reply
from normalizer.normalize import normalize
from normalizer.text import storable
from tracker import outbox
from tracker.models import OutboxKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from channels.channel import Delivery
    from config.country import Country


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
    answerable = message.auto_submitted == "no" and not no_reply(submission)
    if not answerable or not submission.contact.replyable:
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
