# SPDX-License-Identifier: MIT
"""From an inbound message to the canonical submission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.message import Address, AddressScheme, ChannelName
from normalizer import emergency, intent, language, phone, tracking_code
from normalizer.complaint import Kind, Submission
from normalizer.intent import CONTENT, Intent, Understanding, understand
from normalizer.text import storable

if TYPE_CHECKING:
    from channels.message import InboundMessage

#: Characters of a mail that may be nothing but a question about its state.
_SHORT_MAIL = 300
_TELEPHONE = (ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.VOICE)


def preload() -> None:
    """Read all words and weights now, so that no citizen's message waits for them."""
    language.preload()
    emergency.preload()
    intent.preload()


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
    spoken = message.language or language.detect(f"{subject}\n{text}", default_language)
    return Submission(
        message=message,
        understanding=_understand(message, subject, text, phone.calling_code(region)),
        contact=contact_of(message, region),
        kind=Kind(message.kind) if message.kind in list(Kind) else Kind.COMPLAINT,
        subject=subject,
        description=text,
        full_text="" if full_text == text else full_text,
        language=spoken,
        location=storable(message.fields.get("location", "")).strip(),
        danger=emergency.in_danger(f"{subject}\n{text}", spoken),
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


def _understand(
    message: InboundMessage, subject: str, text: str, calling_code: str
) -> Understanding:
    if message.channel in (ChannelName.WEB, ChannelName.VOICE):
        return Understanding(Intent.COMPLAINT)
    if message.channel is ChannelName.EMAIL:
        return _understand_mail(subject, text, calling_code)
    understood = understand(text, calling_code=calling_code)
    more = message.attachments or message.fields.get("location")
    if more and understood.intent not in CONTENT and not understood.code:
        return Understanding(Intent.COMPLAINT)
    return understood


def _understand_mail(subject: str, text: str, calling_code: str) -> Understanding:
    """A mail is never help, opt-out or greeting: those are words of the short texts."""
    words = text or subject
    if len(words) <= _SHORT_MAIL:
        understood = understand(words, calling_code=calling_code)
        # Only with a code: "suivi" alone is a word of the short texts, too.
        slip = understood.typo and not understood.odd
        if understood.intent is Intent.STATUS_QUERY and (understood.code or slip):
            return understood
    code = (
        tracking_code.read(text, calling_code=calling_code).code
        or tracking_code.read(subject, calling_code=calling_code).code
    )
    return Understanding(Intent.FOLLOW_UP if code else Intent.COMPLAINT, code)
