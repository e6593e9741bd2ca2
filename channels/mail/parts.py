# SPDX-License-Identifier: MIT
"""A mail as a tree of MIME parts (RFC 2045, RFC 2046), cut from its bytes.

One reader for well-formed and broken mail alike. Its work is linear: what is scanned, how deep and
how often is counted, and beyond a limit the mail is refused, never read on. Charsets, encoded words
and parameters are read by this room alone, from bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from channels.errors import MalformedMessage
from channels.mail.parameters import parameters, token
from channels.mail.transfer import undo

#: Field names in lower case, each with its field bodies as bytes, in order.
RawHeaders = dict[str, list[bytes]]

HEADER_BLOCK_LIMIT = 262_144
HEADER_FIELD_LIMIT = 2_000
DEPTH_LIMIT = 50
PART_LIMIT = 500
PREAMBLE_LIMIT = 65_536
#: Lines that begin like a delimiter and are none.
_FALSE_DELIMITERS = 20_000
#: Bytes that may be searched for delimiters beyond four times the mail.
_SCANNED = 16_000_000

_END_OF_HEADERS = re.compile(rb"\n\r*\n")
_LINE_ENDS = re.compile(rb"\r+\n|\r")
_FOLD = re.compile(rb"\n(?=[ \t])")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:(.*)", re.DOTALL)
_LINE = re.compile(rb"[^\n]*\n?")
_MAILBOX_LINE = re.compile(rb">?From [^\n]*\n")
#: Fields that tell where a header block with broken lines in it goes on.
_KNOWN_FIELD = re.compile(
    rb"^(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|reply-to"
    rb"|return-path|references|in-reply-to)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FIRST_DELIMITER = re.compile(rb"\s{0,200}--([^\r\n]{1,200}?)[ \t]*\r?\n")
_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]*(?:\r*\n|\r|\Z)")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}")
_CUT_OFF = "the mail is cut off or its parts are malformed"


@dataclass(frozen=True, slots=True)
class Part:
    """One node of the tree.

    Attributes:
        media_type: ``type/subtype`` in lower case.
        charset: as declared, or ``""``.
        filename: decoded, or ``""``.
        disposition: ``attachment``, ``inline``, another token, or ``""``.
        content: a leaf's bytes without transfer encoding; of a ``message/*`` its whole bytes; of a
            ``multipart/*`` the words before its first delimiter, which are for no one in a
            well-formed mail.
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
        MalformedMessage: it has no header, or breaks a limit (header block, nesting).
    """
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    cutter = _Cutter(raw)
    headers, body = cutter.head(0, len(raw))
    if headers is None:
        raise MalformedMessage("the header block is too long or does not end")
    if not headers:
        raise MalformedMessage("there is no header field: this is no mail")
    root = cutter.part(headers, body, len(raw), 0, "text/plain")
    return Tree(headers, root, "; ".join(dict.fromkeys(cutter.notes)))


def header_fields(head: bytes) -> RawHeaders:
    """Read a header block into unfolded field bodies; lines that are no field are left out."""
    if b"\r" in head:
        head = _LINE_ENDS.sub(b"\n", head)
    fields: RawHeaders = {}
    for line in _FOLD.sub(b"", head).split(b"\n", HEADER_FIELD_LIMIT)[:HEADER_FIELD_LIMIT]:
        match = _FIELD.match(line)
        if match is not None:
            name = match[1].decode("ascii").lower()
            fields.setdefault(name, []).append(match[2].strip())
    return fields


def _first(headers: RawHeaders, name: str) -> bytes:
    values = headers.get(name)
    return values[0] if values else b""


@dataclass(slots=True)
class _Cutter:
    """Cuts one mail, and counts what that takes."""

    raw: bytes
    notes: list[str] = field(default_factory=list)
    parts: int = 0
    scanned: int = 0
    false_delimiters: int = 0

    def head(self, start: int, end: int) -> tuple[RawHeaders | None, int]:
        """The header fields of an entity and where its body begins; ``None``: never ending."""
        raw = self.raw
        blank = _AFTER_DELIMITER.match(raw, start, end)
        if blank is not None and not blank[1] and blank.end() > start:
            return {}, blank.end()
        found = _END_OF_HEADERS.search(raw, start, min(end, start + HEADER_BLOCK_LIMIT + 4))
        if found is None and end - start > HEADER_BLOCK_LIMIT:
            return None, start
        stop, body = (found.start() + 1, found.end()) if found else (end, end)
        block = raw[start:stop]
        broken = _body_without_blank_line(block)
        if broken is not None:
            return header_fields(block[:broken]), start + broken
        return header_fields(block), body

    def part(self, headers: RawHeaders, start: int, end: int, depth: int, default: str) -> Part:
        """One entity, whose body lies from ``start`` to ``end``."""
        self.parts += 1
        if depth > DEPTH_LIMIT:
            raise MalformedMessage("the parts are nested too deeply")
        content_type = _first(headers, "content-type")
        disposition = _first(headers, "content-disposition")
        media_type = token(content_type) or default
        if " " in media_type:  # a parameter without its semicolon
            content_type = content_type.replace(b" ", b"; ", 1)
        if _MEDIA_TYPE.fullmatch(media_type) is None:
            media_type = _nearly(media_type)
        told = parameters(content_type)
        charset = told.get("charset", "")[:60]
        if media_type.startswith("multipart/"):
            whole = self._multipart(media_type, told.get("boundary", ""), start, end, depth)
            if whole is not None:
                return whole
            media_type = "text/plain"
        encoding = token(_first(headers, "content-transfer-encoding")).strip("\"' ;")
        content = undo(self.raw[start:end], encoding)
        filename = ""
        if b"name" in disposition.lower():
            filename = parameters(disposition, charset).get("filename", "")
            filename = filename or parameters(disposition, charset).get("name", "")
        if not filename and b"name" in content_type.lower():
            asked = parameters(content_type, charset)
            filename = asked.get("name", "") or asked.get("filename", "")
        return Part(media_type, charset, " ".join(filename.split()), token(disposition), content)

    def _multipart(
        self, media_type: str, boundary: str, start: int, end: int, depth: int
    ) -> Part | None:
        """The parts between delimiters (RFC 2046, 5.1.1); ``None`` where there are none."""
        delimiter = b"--" + boundary.encode()[:200] if boundary.strip() else b""
        spans, closed = self._spans(delimiter, start, end) if delimiter else ([], False)
        if not spans:
            # The name that was declared stands nowhere: the first line like a delimiter may be it.
            shown = _FIRST_DELIMITER.match(self.raw, start, end)
            if shown is None:
                self.notes.append(_CUT_OFF)
                return None
            spans, closed = self._spans(b"--" + shown[1], start, end)
        if not spans:
            self.notes.append(_CUT_OFF)
            return None
        if not closed:
            self.notes.append(_CUT_OFF)
        default = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for first, last in spans[1:]:
            if self.parts >= PART_LIMIT:
                self.notes.append("too many parts: the first are kept")
                break
            headers, body = self.head(first, last)
            children.append(self.part(headers or {}, body, last, depth + 1, default))
        preamble = self.raw[spans[0][0] : min(spans[0][1], spans[0][0] + PREAMBLE_LIMIT)]
        return Part(media_type, "", "", "", preamble, tuple(children))

    def _spans(self, delimiter: bytes, start: int, end: int) -> tuple[list[tuple[int, int]], bool]:
        """Where the preamble and the parts lie, and whether the last one ends in a delimiter."""
        raw = self.raw
        spans: list[tuple[int, int]] = []
        begun = position = start
        while len(spans) <= PART_LIMIT:
            at = raw.find(delimiter, position, end)
            self.scanned += (end if at < 0 else at) - position
            if self.scanned > 4 * len(raw) + _SCANNED:
                raise MalformedMessage("the parts are nested too often")
            if at < 0:
                break
            after = _AFTER_DELIMITER.match(raw, at + len(delimiter), end)
            if after is None or (at > start and raw[at - 1] not in b"\r\n"):
                self.false_delimiters += 1
                if self.false_delimiters > _FALSE_DELIMITERS:
                    raise MalformedMessage("too many lines only look like delimiters")
                position = at + len(delimiter)
                continue
            # The line end before a delimiter is the delimiter's.
            before = raw[max(begun, at - 2) : at]
            ending = 2 if before == b"\r\n" else int(before[-1:] in (b"\r", b"\n"))
            spans.append((begun, at - ending))
            begun = position = after.end()
            if after[1]:
                return spans, len(spans) > 1
        else:
            return spans, True
        if not spans:
            return [], False
        spans.append((begun, end))
        return spans, False


def _nearly(media_type: str) -> str:
    """What a malformed media type most likely means (RFC 2045, 5.2: plain text)."""
    begins = _MEDIA_TYPE.match(media_type)
    if begins is not None:
        return begins[0]
    if media_type.startswith("multipart"):
        return "multipart/mixed"
    return "text/html" if "html" in media_type else "text/plain"


def _body_without_blank_line(block: bytes) -> int | None:
    """Where a body begins whose header did not end in a blank line.

    A line that is no field stands in a header for two reasons: the header goes on below it, or its
    blank line was lost. Known fields further down tell the first from the second.
    """
    unfolded = _FOLD.sub(b"", block) if b"\n " in block or b"\n\t" in block else block
    if all(map(_FIELD.match, unfolded.rstrip(b"\r\n").split(b"\n"))):
        return None
    known = 0
    for match in _KNOWN_FIELD.finditer(block):
        known = match.start()
    for line in _LINE.finditer(block, known):
        words = line[0]
        if line.start() == known or words[:1] in b" \t" or _FIELD.match(words):
            continue
        if words.strip() and not _MAILBOX_LINE.fullmatch(words):
            return line.start()
    return None
