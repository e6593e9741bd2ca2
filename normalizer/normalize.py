# SPDX-License-Identifier: MIT
"""From an inbound message to the canonical submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.message import Address, AddressScheme, ChannelName
from normalizer import phone
from normalizer.complaint import Kind, Submission
from normalizer.intent import Intent, Understanding, understand
from normalizer.language import detect
from normalizer.text import storable

if TYPE_CHECKING:
    from channels.message import InboundMessage

_TELEPHONE = (ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.VOICE)


def normalize(message: InboundMessage, *, region: str, default_language: str) -> Submission:
    """Normalise one message; total for every message a reader gives.

    Args:
        message: as its channel read it.
        region: ISO 3166-1 region of national numbers.
        default_language: BCP 47 tag where nothing tells.
    """
    text = storable(message.text).strip()
    subject = storable(message.subject).strip()
    full_text = storable(message.full_text).strip()
    return Submission(
        message=message,
        understanding=_understand(message, subject, text),
        contact=contact_of(message, region),
        kind=Kind(message.kind) if message.kind in list(Kind) else Kind.COMPLAINT,
        subject=subject,
        description=text,
        full_text="" if full_text == text else full_text,
        language=message.language or detect(f"{subject}\n{text}", default_language),
        location=storable(message.fields.get("location", "")).strip(),
    )


def contact_of(message: InboundMessage, region: str) -> Address:
    """The sender as one canonical address: E.164, or a mailbox in lower case."""
    sender = message.sender
    if sender.scheme is AddressScheme.ANONYMOUS:
        return sender
    if message.channel in _TELEPHONE or sender.scheme is AddressScheme.TEL:
        found = phone.address_of(sender.value, region)
        return Address(found.scheme, found.value, storable(sender.display_name))
    if sender.scheme is AddressScheme.MAILTO:
        return Address(
            sender.scheme, storable(sender.value).strip().lower(), storable(sender.display_name)
        )
    return sender


def _understand(message: InboundMessage, subject: str, text: str) -> Understanding:
    if message.channel in (ChannelName.WEB, ChannelName.VOICE):
        return Understanding(Intent.CONTENT, None)
    if message.channel is ChannelName.EMAIL:
        understood = understand(text or subject)
        if understood.intent is Intent.STATUS_QUERY:
            return understood
        # A mail is never help, opt-out or greeting: those are words of the short texts.
        return Understanding(Intent.CONTENT, understood.code or understand(subject).code)
    understood = understand(text)
    if understood.intent is Intent.NOISE and message.attachments:
        return Understanding(Intent.CONTENT, None)
    return understood
