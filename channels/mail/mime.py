# SPDX-License-Identifier: MIT
"""From the bytes of a mail (RFC 5322, MIME) to an :class:`InboundMessage`.

Reading is total: whatever the bytes, the answer is a message or ``MalformedMessage``, in bounded
time. Nothing here decides: what is doubtful is kept and marked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from typing import TYPE_CHECKING

from channels.errors import MalformedMessage
from channels.mail.autoreply import WEIGHED_FIELDS, auto_submitted, is_list, report_type
from channels.mail.body import Body, leaves
from channels.mail.bounce import free_text_action
from channels.mail.charset import decode_header, scrub
from channels.mail.parts import RawHeaders, header_fields, parse
from channels.mail.reply import MARKERS, above_marker, new_text
from channels.message import Address, AddressScheme, ChannelName, InboundMessage

if TYPE_CHECKING:
    from channels.mail.parts import Tree

SIZE_LIMIT = 60_000_000
_ID_LIMIT = 998
_COMMENT_LIMIT = 20
_REFERENCES_LIMIT = 50

_MESSAGE_ID = re.compile(r"<\s*([^<>\s]{1,998})\s*>")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]{1,64}@[^\s<>\"(),:;@\[\]\\]{1,255}")
_NAMED = re.compile(r"\s*(?:\"([^\"\\]*)\"|([^\"<>@,;:()\\]*))\s*<\s*([^\s<>@]+@[^\s<>@]+)\s*>\s*")
_BARE = re.compile(r"[^\s<>@\"(),:;\\]+@[^\s<>@\"(),:;\\]+")
_ANSWER_SUBJECT = re.compile(
    r"\s*(?:re|rép|réf|aw|sv|رد|ردّ|الرد)\s*(?:\[\d+\]\s*)?[:：]", re.IGNORECASE
)
_FORWARD_SUBJECT = re.compile(
    r"\s*(?:fwd?|tr|wg|rv|enc|i|إعادة توجيه|إعادة إرسال|محول|转发|轉寄)\s*(?:\[\d+\]\s*)?[:：]",
    re.IGNORECASE,
)
_DSN_STATUS = re.compile(
    rb"^status[ \t]*:[ \t]*([245]\.\d{1,3}\.\d{1,3})", re.IGNORECASE | re.MULTILINE
)
_DSN_ACTION = re.compile(rb"^action[ \t]*:[ \t]*([a-z]{1,20})", re.IGNORECASE | re.MULTILINE)


def read(raw: bytes, *, envelope_from: str, envelope_to: tuple[str, ...]) -> InboundMessage:
    """Read one mail.

    Args:
        raw: the bytes as they came over SMTP or IMAP; never decoded before.
        envelope_from: the SMTP sender (RFC 5321 MAIL FROM), ``""`` for a null reverse-path.
        envelope_to: the SMTP recipients; empty where the envelope is unknown (IMAP).

    Returns:
        the message; ``recipient`` holds the envelope recipients with commas between them (else
        the addresses of To); ``fields`` holds ``return_path``; ``list`` = ``1`` for any ``List-*``;
        for bounces what RFC 3464 tells: ``bounce_action``, ``bounce_status``,
        ``bounce_message_id``; for other reports ``report_type``.

    Raises:
        MalformedMessage: it is no mail, or breaks a limit. Nothing else is ever raised.
    """
    if len(raw) > SIZE_LIMIT:
        raise MalformedMessage("the mail is larger than the reader's limit")
    try:
        return _read(raw, envelope_from, envelope_to)
    except MalformedMessage:
        raise
    except Exception as error:
        # The one wide catch of this room: a mail must never stop a door or a sweep.
        raise MalformedMessage(f"reading failed: {type(error).__name__}") from error


def _read(raw: bytes, envelope_from: str, envelope_to: tuple[str, ...]) -> InboundMessage:
    tree = parse(raw)
    headers = tree.headers
    body = Body()
    body.take(tree.root)
    enclosed = body.enclosed_words()
    # A mail without words of its own speaks through the one it forwards.
    full = body.words() or enclosed
    hint = body.charset
    subject = _text(headers, "subject", hint)[:_ID_LIMIT]
    sender = _sender(headers, hint, envelope_from)
    references = _ids(headers, "references")[-_REFERENCES_LIMIT:]
    in_reply_to = _ids(headers, "in-reply-to")[-_REFERENCES_LIMIT:]
    # Mail programs thread what they forward, too; there the words below are the complaint.
    answers = not _FORWARD_SUBJECT.match(subject) and bool(
        references or in_reply_to or _ANSWER_SUBJECT.match(subject)
    )
    named = _named_headers(headers, envelope_from, hint)
    automatic = auto_submitted(named, full)
    fields = {"return_path": scrub(envelope_from)}
    if is_list(named):
        fields["list"] = "1"
    report = report_type(named)
    if automatic == "bounce":
        fields |= _bounce(tree)
        status = fields.get("bounce_status", "")
        fields.setdefault("bounce_action", free_text_action(named, full, status))
    elif report:
        fields["report_type"] = report
    notes = [note for note in (tree.incomplete, *body.notes) if note]
    return InboundMessage(
        message_id=_message_id(headers),
        channel=ChannelName.EMAIL,
        date=_date(headers),
        sender=sender,
        recipient=", ".join(scrub(to) for to in envelope_to) or _text(headers, "to", hint)[:2000],
        subject=subject,
        text=_new(full, answers=answers),
        full_text=full if not enclosed or full is enclosed else f"{full}\n\n{enclosed}",
        in_reply_to=in_reply_to,
        references=references,
        auto_submitted=automatic,
        attachments=tuple(body.attachments),
        fields=fields,
        incomplete="; ".join(dict.fromkeys(notes)),
    )


def _new(full: str, *, answers: bool) -> str:
    """Cut quoted words only where this is an answer or our own marker stands in it."""
    if answers or above_marker(full, MARKERS) is not None:
        return new_text(full, MARKERS)
    return full


def _text(headers: RawHeaders, name: str, hint: str = "") -> str:
    values = headers.get(name)
    return decode_header(values[0], hint) if values else ""


def _ids(headers: RawHeaders, name: str) -> tuple[str, ...]:
    found = _MESSAGE_ID.findall(" ".join(decode_header(value) for value in headers.get(name, ())))
    return tuple(dict.fromkeys(scrub(one) for one in found))


def _message_id(headers: RawHeaders) -> str:
    text = _text(headers, "message-id")
    match = _MESSAGE_ID.search(text)
    return match[1] if match else text.strip("<> \t")[:_ID_LIMIT]


def _date(headers: RawHeaders) -> datetime | None:
    text = _text(headers, "date")[:200]
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _sender(headers: RawHeaders, hint: str, envelope_from: str) -> Address:
    for name in ("from", "sender", "reply-to"):
        for value in headers.get(name, ()):
            address = _address(value[:4096], hint)
            if address is not None:
                return address
    return Address(AddressScheme.MAILTO, _canonical(scrub(envelope_from)))


def _address(value: bytes, hint: str) -> Address | None:
    """The first mailbox of a field. Structure first, encoded words after (RFC 2047, 5)."""
    raw = value.decode("utf-8", "surrogateescape")
    match = _NAMED.fullmatch(raw)
    if match is not None:
        name, spec = match[1] or match[2] or "", match[3]
    elif _BARE.fullmatch(raw.strip()):
        name, spec = "", raw.strip()
    else:
        # The library follows comments inside comments until the stack ends.
        name, spec = parseaddr(raw[:1000]) if raw.count("(") <= _COMMENT_LIMIT else ("", "")
        if not _BARE.fullmatch(spec):
            found = _ADDRESS.search(raw)
            if found is None:
                return None
            name, spec = raw[: found.start()].strip(" <\"'"), found[0]
    shown = decode_header(name.encode("utf-8", "surrogateescape"), hint)
    clean = decode_header(spec.encode("utf-8", "surrogateescape"), hint)
    return Address(AddressScheme.MAILTO, _canonical(clean), " ".join(shown.split())[:200])


def _canonical(address: str) -> str:
    """The domain in lower case (RFC 5321, 2.4); the local part as its owner wrote it."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"[:320]


def _named_headers(headers: RawHeaders, envelope_from: str, hint: str) -> dict[str, list[str]]:
    wanted = {
        name: [decode_header(value[:2000], hint) for value in values[:3]]
        for name, values in headers.items()
        if name.startswith(WEIGHED_FIELDS) or name in ("subject", "from", "content-type")
    }
    own = [decode_header(value) for value in headers.get("return-path", ())]
    wanted["return-path"] = own or ([f"<{envelope_from}>"] if envelope_from in ("", "<>") else [])
    if envelope_from in ("", "<>"):
        wanted["return-path"] = ["<>"]
    return wanted


def _bounce(tree: Tree) -> dict[str, str]:
    """What RFC 3464 says of the mail that did not arrive."""
    told: dict[str, str] = {}
    for part in leaves(tree.root):
        if part.media_type in ("message/delivery-status", "message/global-delivery-status"):
            for key, pattern in (("bounce_action", _DSN_ACTION), ("bounce_status", _DSN_STATUS)):
                match = pattern.search(part.content)
                if match is not None:
                    told.setdefault(key, match[1].decode("ascii").lower())
        elif part.media_type in ("message/rfc822", "text/rfc822-headers", "message/global"):
            original = header_fields(part.content[:65_536].partition(b"\n\r\n")[0])
            identifier = _message_id(original)
            if identifier:
                told.setdefault("bounce_message_id", identifier)
    return told
