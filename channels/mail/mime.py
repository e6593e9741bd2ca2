# SPDX-License-Identifier: MIT
"""From the bytes of a mail (RFC 5322, MIME) to an :class:`InboundMessage`.

Reading is total: whatever the bytes, the answer is a message or ``MalformedMessage``, in bounded
time. Nothing here decides: what is doubtful is kept and marked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, cast

from channels.errors import MalformedMessage
from channels.mail.autoreply import auto_submitted, is_list, report_type
from channels.mail.charset import decode, decode_header, scrub
from channels.mail.parts import RawHeaders, header_fields, parse
from channels.mail.reply import MARKERS, above_marker, new_text
from channels.message import Address, AddressScheme, Attachment, ChannelName, InboundMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from channels.mail.parts import Part, Tree

SIZE_LIMIT = 60_000_000
TEXT_LIMIT = 1_000_000
HTML_LIMIT = 500_000
ATTACHMENT_LIMIT = 100
_ID_LIMIT = 998
_REFERENCES_LIMIT = 50

_MESSAGE_ID = re.compile(r"<\s*([^<>\s]{1,998})\s*>")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]{1,64}@[^\s<>\"(),:;@\[\]\\]{1,255}")
_NAMED = re.compile(r"\s*(?:\"([^\"\\]*)\"|([^\"<>@,;:()\\]*))\s*<\s*([^\s<>@]+@[^\s<>@]+)\s*>\s*")
_BARE = re.compile(r"[^\s<>@\"(),:;\\]+@[^\s<>@\"(),:;\\]+")
_ANSWER_SUBJECT = re.compile(
    r"\s*(?:re|rép|réf|aw|sv|رد|ردّ|الرد)\s*(?:\[\d+\]\s*)?[:：]", re.IGNORECASE
)
_TAGS = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL
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
    body = _Body()
    body.take(tree.root)
    full = _tidy("\n\n".join(piece for piece in body.texts if piece.strip()))
    hint = body.charset
    subject = _text(headers, "subject", hint)[:_ID_LIMIT]
    sender = _sender(headers, hint, envelope_from)
    references = _ids(headers, "references")[-_REFERENCES_LIMIT:]
    in_reply_to = _ids(headers, "in-reply-to")[-_REFERENCES_LIMIT:]
    answers = bool(references or in_reply_to or _ANSWER_SUBJECT.match(subject))
    named = _named_headers(headers, envelope_from, hint)
    automatic = auto_submitted(named)
    fields = {"return_path": scrub(envelope_from)}
    if is_list(named):
        fields["list"] = "1"
    report = report_type(named)
    if automatic == "bounce":
        fields |= _bounce(tree)
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
        full_text=full,
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


class _Body:
    """Collects the words and the files of a tree, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.attachments: list[Attachment] = []
        self.notes: list[str] = []
        self.charset = ""
        self._room = TEXT_LIMIT

    def take(self, part: Part) -> None:
        """Take in one part and what is below it."""
        if part.children:
            if part.media_type == "multipart/alternative":
                self._take_alternative(part)
                return
            for child in part.children:
                self.take(child)
        elif _is_text(part):
            self.charset = self.charset or part.charset
            self._add(_words(part, self.notes))
        elif part.content or part.filename:
            self._attach(part)

    def _take_alternative(self, part: Part) -> None:
        """One of the texts, the plainest that says something; every file (RFC 2046, 5.1.4)."""
        texts = [leaf for leaf in _leaves(part) if _is_text(leaf)]
        texts.sort(key=lambda leaf: leaf.media_type == "text/html")
        for leaf in texts:
            words = _words(leaf, self.notes)
            if words.strip():
                self.charset = self.charset or leaf.charset
                self._add(words)
                break
        for leaf in _leaves(part):
            if not _is_text(leaf) and (leaf.content or leaf.filename):
                self._attach(leaf)

    def _add(self, words: str) -> None:
        if len(words) > self._room:
            self.notes.append("the text is very long: its beginning is shown")
            words = words[: self._room]
        self._room -= len(words)
        self.texts.append(words)

    def _attach(self, part: Part) -> None:
        if len(self.attachments) >= ATTACHMENT_LIMIT:
            self.notes.append("too many attachments: the first are kept")
            return
        self.attachments.append(
            Attachment(scrub(part.filename)[:255], scrub(part.media_type)[:127], part.content)
        )


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _is_text(part: Part) -> bool:
    return (
        part.media_type in ("text/plain", "text/html", "text/enriched")
        and part.disposition != "attachment"
        and not (part.filename and part.disposition)
    )


def _words(part: Part, notes: list[str]) -> str:
    if part.media_type == "text/html":
        return _html_words(part, notes)
    return decode(part.content[: 4 * TEXT_LIMIT], part.charset)


def _html_words(part: Part, notes: list[str]) -> str:
    source = decode(part.content[: 2 * HTML_LIMIT], part.charset)
    if len(source) > HTML_LIMIT:
        notes.append("the page is very long: its beginning is shown")
        source = source[:HTML_LIMIT]
    try:
        return scrub(_html_reader()(source))
    except Exception:  # noqa: BLE001 - lxml and inscriptis raise of every kind on broken pages
        notes.append("the page is malformed: its tags were only cut out")
        return _TAGS.sub(" ", source)


@cache
def _html_reader() -> Callable[[str], str]:
    """Load inscriptis (RFC 2854 pages to text) at the first page: most mails have plain text."""
    from inscriptis import get_text
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    config = ParserConfig(css=CSS_PROFILES["relaxed"])
    return lambda source: cast("str", get_text(source, config))


def _tidy(text: str) -> str:
    """Plain line ends, no blank lines outside."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip("\n \t")


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
        name, spec = parseaddr(raw[:1000])
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
        if name.startswith(("auto", "x-auto", "x-vac", "x-fail", "x-mail", "prec", "list-"))
        or name in ("subject", "from", "content-type")
    }
    own = [decode_header(value) for value in headers.get("return-path", ())]
    wanted["return-path"] = own or ([f"<{envelope_from}>"] if envelope_from in ("", "<>") else [])
    if envelope_from in ("", "<>"):
        wanted["return-path"] = ["<>"]
    return wanted


def _bounce(tree: Tree) -> dict[str, str]:
    """What RFC 3464 says of the mail that did not arrive."""
    told: dict[str, str] = {}
    for part in _leaves(tree.root):
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
