# SPDX-License-Identifier: MIT
"""The public form, read: posted fields and files → an inbound message, or what is wrong with them.

Pure: no web framework, no words. Errors are keys that the page turns into words of the citizen's
language. Only the description is required; a person may stay anonymous.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channels.message import Address, AddressScheme, Attachment, ChannelName, InboundMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

#: The fields that are read, in the order of the page. Each holds plain text.
FIELDS = ("kind", "description", "location", "name", "contact", "language")
KINDS = ("complaint", "observation", "suggestion")
#: What marks a mailbox typed by a person: one @, something on both sides, a dot after it. Whether
#: it exists only a confirmation can tell (RFC 5321 section 3.5.3).
_MAILBOX = re.compile(r"[^\s@<>(),;:\"]{1,64}@[^\s@<>(),;:\"]{1,250}\.[^\s@<>(),;:\".]{2,63}")
_BROKEN = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one form may hold.

    Attributes:
        description: characters of the description.
        line: characters of any other field.
        files: number of files.
        file_bytes: bytes of all files together.
    """

    description: int = 20_000
    line: int = 300
    files: int = 5
    file_bytes: int = 20_000_000


@dataclass(frozen=True, slots=True)
class PostedFile:
    """One file as the browser sent it; nothing about it is trusted."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What a posted form turned out to be.

    Attributes:
        message: the message, or ``None`` when something is wrong.
        errors: field → key of what is wrong (``missing``, ``too_long``, ``unreadable``,
            ``too_many``, ``too_big``), in the order of the page.
        kept: field → text as typed, to be shown again.
    """

    message: InboundMessage | None
    errors: Mapping[str, str]
    kept: Mapping[str, str] = field(default_factory=dict)


def read(
    fields: Mapping[str, str],
    files: Sequence[PostedFile],
    *,
    message_id: str,
    languages: Sequence[str],
    language: str,
    date: datetime | None,
    recipient: str = "",
    limits: Limits | None = None,
    readable_phone: Callable[[str], bool] = bool,
) -> Reading:
    """Read a posted form. Total: whatever was posted gives a message or errors.

    Args:
        fields: as posted; unknown names are left alone.
        files: as posted; those without name and content (an empty file field) are left out.
        message_id: the form's one-time nonce.
        languages: BCP 47 tags that the page may be in.
        language: the page's own, where the field ``language`` says nothing we know.
        date: when it was posted, aware.
        recipient: the URL it was posted to.
        limits: how much is too much.
        readable_phone: whether a contact without @ is a telephone number.
    """
    limits = limits or Limits()
    kept = {name: _plain(fields.get(name, "")) for name in FIELDS}
    sent = [file for file in files if file.filename or file.content]
    sender = _sender(kept["contact"], kept["name"], readable_phone)
    errors = _errors(kept, sent, limits)
    if sender is None:
        errors.setdefault("contact", "unreadable")
    tag = kept["language"] if kept["language"] in languages else language
    kept["language"] = tag
    ordered = {name: errors[name] for name in (*FIELDS, "files") if name in errors}
    if ordered or sender is None:
        return Reading(None, ordered, kept)
    extra = {"location": kept["location"]} if kept["location"] else {}
    message = InboundMessage(
        message_id=message_id,
        channel=ChannelName.WEB,
        date=date,
        sender=sender,
        recipient=recipient,
        subject="",
        text=kept["description"],
        full_text=kept["description"],
        attachments=tuple(
            Attachment(_plain(file.filename)[:255], file.media_type, file.content) for file in sent
        ),
        language=tag,
        kind=kept["kind"],
        fields=extra,
    )
    return Reading(message, {}, kept)


def _errors(kept: Mapping[str, str], files: Sequence[PostedFile], limits: Limits) -> dict[str, str]:
    errors: dict[str, str] = {}
    if kept["kind"] not in KINDS:
        errors["kind"] = "missing"
    if not kept["description"]:
        errors["description"] = "missing"
    elif len(kept["description"]) > limits.description:
        errors["description"] = "too_long"
    for name in ("location", "name", "contact"):
        if len(kept[name]) > limits.line:
            errors[name] = "too_long"
    if len(files) > limits.files:
        errors["files"] = "too_many"
    elif sum(len(file.content) for file in files) > limits.file_bytes:
        errors["files"] = "too_big"
    return errors


def _sender(contact: str, name: str, readable_phone: Callable[[str], bool]) -> Address | None:
    """Whom the typed contact names; ``None`` when it is neither a mailbox nor a number."""
    if not contact:
        return Address(AddressScheme.ANONYMOUS, "", name)
    if "@" in contact:
        mailbox = contact.removeprefix("mailto:")
        readable = _MAILBOX.fullmatch(mailbox) is not None and ".." not in mailbox
        return Address(AddressScheme.MAILTO, mailbox, name) if readable else None
    return Address(AddressScheme.TEL, contact, name) if readable_phone(contact) else None


def _plain(text: str) -> str:
    """Line feeds alone (HTML posts CRLF), no NUL, no lone surrogate, no blank at either end."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BROKEN.sub("\ufffd", text).strip()
