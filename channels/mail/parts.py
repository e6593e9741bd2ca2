# SPDX-License-Identifier: MIT
"""A mail as a tree of MIME parts (RFC 2045, RFC 2046), by one of two parsers.

The fast one (Rust) reads what is plainly well formed; whatever is odd goes to the standard
library's ``compat32`` parser, twenty times slower and more forgiving. Both only cut the tree:
charsets, encoded words and parameters are read by this room alone, from bytes.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email import errors as email_errors
from email.message import Message
from typing import TYPE_CHECKING

import fast_mail_parser

from channels.errors import MalformedMessage
from channels.mail.charset import decode, decode_header

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Field names in lower case, each with its field bodies as bytes, in order.
RawHeaders = dict[str, list[bytes]]

HEADER_BLOCK_LIMIT = 262_144
HEADER_FIELD_LIMIT = 2_000
DEPTH_LIMIT = 50
BOUNDARY_LIMIT = 100
PART_LIMIT = 500
_PARAMETER_LIMIT = 8_192

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_TOKEN = re.compile(r"[A-Za-z0-9_.!#$%&'*+/^`{|}~-]+")
_GOOD_LINE = re.compile(rb"[!-9;-~]{1,200}:")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:(.*)", re.DOTALL)
_BOUNDARY = re.compile(rb"boundary(?:\*\d*\*?)?[ \t]*=", re.IGNORECASE)
_ENCODED_NAME = re.compile(rb"name[ \t]*=[ \t]*\"?[ \t]*=\?", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?\s*([^\s\";]{1,60})", re.IGNORECASE)
_BOUNDARY_VALUE = re.compile(r";\s*boundary\s*=\s*(?:\"([^\"\\]+)\"|([^\s\";]+))", re.IGNORECASE)
_ENCODINGS = ("", "7bit", "8bit", "binary", "base64", "quoted-printable")
_TRUNCATED = (
    email_errors.CloseBoundaryNotFoundDefect,
    email_errors.StartBoundaryNotFoundDefect,
    email_errors.InvalidBase64LengthDefect,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the tree.

    Attributes:
        media_type: ``type/subtype`` in lower case.
        charset: as declared, or ``""``.
        filename: decoded, or ``""``.
        disposition: ``attachment``, ``inline``, another token, or ``""``.
        content: a leaf's bytes without transfer encoding; of a ``message/*`` its whole bytes.
        children: the parts of a ``multipart/*``, empty for a leaf.
    """

    media_type: str
    charset: str
    filename: str
    disposition: str
    content: bytes
    children: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole mail.

    Attributes:
        headers: the mail's own header fields.
        root: the outermost part.
        incomplete: why the reading is partial, or ``""``.
    """

    headers: RawHeaders
    root: Part
    incomplete: str = ""


def parse(raw: bytes) -> Tree:
    """Cut a mail into its parts.

    Raises:
        MalformedMessage: it breaks a limit (header block, nesting), or defeats both parsers.
    """
    end = _END_OF_HEADERS.search(raw, 0, HEADER_BLOCK_LIMIT + 4)
    if end is None and len(raw) > HEADER_BLOCK_LIMIT:
        raise MalformedMessage("the header block is too long or does not end")
    starts_blank = raw.startswith((b"\n", b"\r\n"))
    head = b"" if starts_blank else raw[: end.start() if end else None]
    headers = header_fields(head)
    if not headers:
        raise MalformedMessage("there is no header field: this is no mail")
    lower = raw.lower()
    if (
        lower.count(b"boundary") > BOUNDARY_LIMIT
        and sum(1 for _ in _BOUNDARY.finditer(lower)) > BOUNDARY_LIMIT
    ):
        raise MalformedMessage("the parts are nested too often")
    lines = _FOLD.sub(b"", head).split(b"\n", HEADER_FIELD_LIMIT)
    if all(map(_GOOD_LINE.match, lines)) and _is_plain(lower, len(head)):
        tree = _parse_fast(raw, headers)
        if tree is not None:
            return tree
    return _parse_slowly(raw, headers)


def _is_plain(lower: bytes, head_length: int) -> bool:
    """Whether nothing at first sight asks for the patient parser."""
    head = lower[:head_length]
    return (
        head.isascii()
        and b"\x00" not in head
        and lower.count(b"\r") == lower.count(b"\r\n")
        and b"uuencode" not in lower
        and b"x-uue" not in lower
        and (b"=?" not in lower[head_length:] or _ENCODED_NAME.search(lower) is None)
    )


def header_fields(head: bytes) -> RawHeaders:
    """Read a header block into unfolded field bodies; lines that are no field are left out."""
    fields: RawHeaders = {}
    for line in _FOLD.sub(b"", head).split(b"\n", HEADER_FIELD_LIMIT)[:HEADER_FIELD_LIMIT]:
        match = _FIELD.match(line)
        if match is not None:
            name = match[1].decode("ascii").lower()
            fields.setdefault(name, []).append(match[2].strip())
    return fields


# The fast way


def _parse_fast(raw: bytes, headers: RawHeaders) -> Tree | None:
    """The tree, or ``None`` where the fast parser may not be faithful."""
    try:
        root = fast_mail_parser.parse_email_tree(raw)
        left = [PART_LIMIT]
        part = _convert(root, raw, left, 0)
    except fast_mail_parser.ParseError:
        return None
    return None if part is None else Tree(headers, part)


def _convert(
    node: fast_mail_parser.PyMimePart, raw: bytes, left: list[int], depth: int
) -> Part | None:
    left[0] -= 1
    headers = {name.lower(): values[0] for name, values in node.headers.items() if values}
    content_type = headers.get("content-type", "")
    disposition = headers.get("content-disposition", "")
    encoding = headers.get("content-transfer-encoding", "").strip().lower()
    media_type = _media_type(content_type)
    if (
        left[0] < 0
        or depth > DEPTH_LIMIT
        or media_type.startswith("message/")
        or encoding not in _ENCODINGS
        or not content_type.isascii()
        or not disposition.isascii()
        # A part whose own header fields are malformed is a matter for the patient parser.
        or (content_type and "/" not in content_type)
        or (depth and not headers)
        or not all(values[0] and _TOKEN.fullmatch(name) for name, values in node.headers.items())
        # The fast parser drops raw 8-bit bytes inside quoted-printable.
        or (encoding == "quoted-printable" and not raw.isascii())
    ):
        return None
    if media_type.startswith("multipart/"):
        children: list[Part] = []
        for child in node.children:
            part = _convert(child, raw, left, depth + 1)
            if part is None:
                return None
            children.append(part)
        match = _BOUNDARY_VALUE.search(content_type)
        boundary = (match[1] or match[2]).encode() if match else b""
        if not children or not boundary or b"\n--" + boundary + b"--" not in raw:
            return None
        return Part(media_type, "", "", "", b"", tuple(children))
    content = node.content
    if content is None or node.children:
        return None
    filename = ""
    if "name" in content_type.lower() or "filename" in disposition.lower():
        filename = _filename(_message(content_type, disposition), "")
    return Part(media_type, _charset(content_type), filename, _token(disposition), content)


def _message(content_type: str, disposition: str) -> Message:
    message: Message = Message()
    if content_type:
        message["Content-Type"] = content_type[:_PARAMETER_LIMIT]
    if disposition:
        message["Content-Disposition"] = disposition[:_PARAMETER_LIMIT]
    return message


def _media_type(content_type: str) -> str:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type if media_type.count("/") == 1 else "text/plain"


def _charset(content_type: str) -> str:
    match = _CHARSET.search(content_type)
    return match[1] if match else ""


def _token(disposition: str) -> str:
    return disposition.partition(";")[0].strip().lower()


# The patient way


def _parse_slowly(raw: bytes, headers: RawHeaders) -> Tree:
    try:
        message = email.message_from_bytes(raw)
        notes: list[str] = []
        left = [PART_LIMIT]
        root = _read_part(message, left, notes, 0)
    except MalformedMessage:
        raise
    except Exception as error:
        # The one wide catch of this reader: the library raises of every kind on hostile mail
        # (LookupError, IndexError, AttributeError, RecursionError), and all go to quarantine.
        raise MalformedMessage(f"the MIME parser failed: {type(error).__name__}") from error
    return Tree(headers, root, notes[0] if notes else "")


def _read_part(message: Message, left: list[int], notes: list[str], depth: int) -> Part:
    left[0] -= 1
    if depth > DEPTH_LIMIT:
        raise MalformedMessage("the parts are nested too deeply")
    fields = reversed(list(message.raw_items()))  # so that the first of two fields wins
    raw_headers = {name.lower(): _bytes(value) for name, value in fields}
    content_type = decode_header(raw_headers.get("content-type", b"")[:_PARAMETER_LIMIT])
    disposition = decode_header(raw_headers.get("content-disposition", b"")[:_PARAMETER_LIMIT])
    media_type = message.get_content_type()
    charset_hint = _charset(content_type)
    payload = message.get_payload()
    children: list[Part] = []
    content = b""
    if isinstance(payload, list) and message.get_content_maintype() == "multipart":
        for child in payload:
            if left[0] <= 0:
                notes.append("too many parts: the first are kept")
                break
            if isinstance(child, Message):
                children.append(_read_part(child, left, notes, depth + 1))
    elif isinstance(payload, list):
        content = b"\r\n".join(_source(child) for child in payload if isinstance(child, Message))
    else:
        decoded = message.get_payload(decode=True)
        content = decoded if isinstance(decoded, bytes) else b""
    if any(isinstance(defect, _TRUNCATED) for defect in message.defects):
        notes.append("the mail is cut off or its parts are malformed")
    return Part(
        media_type,
        charset_hint,
        _filename(message, charset_hint),
        _token(disposition),
        content,
        tuple(children),
    )


def _source(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (UnicodeError, LookupError, ValueError, TypeError, AttributeError):
        body = message.get_payload()
        return body.encode("utf-8", "surrogateescape") if isinstance(body, str) else b""


def _bytes(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


# What both share


def _filename(message: Message, charset: str) -> str:
    """The file name by RFC 2231, else by RFC 2047 (against its letter, as most senders do)."""
    return _parameter(message, "filename", "content-disposition", charset) or _parameter(
        message, "name", "content-type", charset
    )


def _parameter(message: Message, name: str, header: str, charset: str) -> str:
    source = message.get(header)
    if source is None:
        return ""
    text = _bytes(_raw_value(message, header)).decode("utf-8", "surrogateescape")
    if name not in text.lower():
        return ""
    bare: Message = Message()
    bare[header] = text[:_PARAMETER_LIMIT].replace("\r", " ").replace("\n", " ")
    try:
        value = bare.get_param(name, header=header)
    except (UnicodeError, LookupError, ValueError, TypeError, AttributeError, IndexError):
        return ""
    if isinstance(value, tuple):
        declared, _language, encoded = value
        content = encoded.encode("latin-1", "replace")
        return " ".join(decode(content, declared or "").split())
    if not isinstance(value, str):
        return ""
    content = value.encode("utf-8", "surrogateescape")
    return " ".join(decode_header(content, charset).split())


def _raw_value(message: Message, header: str) -> object:
    values: Sequence[object] = [
        value for name, value in message.raw_items() if name.lower() == header
    ]
    return values[0] if values else ""
