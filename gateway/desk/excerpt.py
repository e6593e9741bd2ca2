# SPDX-License-Identifier: MIT
"""A first look at a raw delivery, for the person who must decide what becomes of it.

This is a glance and no reading: total, bounded, and shown as somebody else's words.
"""

from __future__ import annotations

import email
import email.policy
import logging
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import parse_qs

from channels.message import ChannelName

#: What is looked at, in bytes, and what is shown, in characters.
READ_BYTES = 65_536
SHOWN = 600
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a raw delivery seems to say.

    Attributes:
        sender: who claims to have sent it, or ``""``.
        text: the beginning of its words, or ``""``.
    """

    sender: str
    text: str


def glance(channel: str, body: bytes) -> Glance:
    """Look at the first bytes of a delivery of ``channel``; never raises."""
    try:
        return _of_mail(body) if channel == ChannelName.EMAIL else _of_form(body)
    except Exception as error:  # noqa: BLE001 - quarantined bytes are there because they break readers
        logger.info("a delivery could not be glanced at: %s", type(error).__name__)
        return Glance("", _shown(body.decode("utf-8", "replace")))


def _of_form(body: bytes) -> Glance:
    """A provider's or our own form (application/x-www-form-urlencoded)."""
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=200)
    if not fields:
        return Glance("", _shown(body.decode("utf-8", "replace")))
    said = next((fields[name][0] for name in ("Body", "text", "description") if name in fields), "")
    return Glance(fields.get("From", [""])[0], _shown(said))


def _of_mail(body: bytes) -> Glance:
    message = email.message_from_bytes(body, EmailMessage, policy=email.policy.default)
    part = message.get_body(("plain", "html"))
    words = part.get_content() if part is not None else ""
    subject = str(message.get("Subject", ""))
    return Glance(
        parseaddr(str(message.get("From", "")))[1],
        _shown("\n".join(filter(None, (subject, str(words))))),
    )


def _shown(text: str) -> str:
    text = "".join(c for c in text.strip() if c.isprintable() or c in "\n\t")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
