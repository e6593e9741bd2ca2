# SPDX-License-Identifier: MIT
"""The words and the files of a mail, collected from its tree in order.

What is doubtful is kept: a file that can be opened is listed beside what it holds, and what could
not be read is told in ``notes``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from channels.errors import MalformedMessage
from channels.mail.charset import codec, decode, decode_header, scrub
from channels.mail.event import event_line
from channels.mail.html_text import HTML_LIMIT, html_text
from channels.mail.parts import parse
from channels.mail.rich_text import rich_words, unpack
from channels.mail.signed import (
    ENCRYPTED,
    PGP_MESSAGE,
    UNREADABLE,
    is_enveloped,
    signed_content,
    without_armour,
)
from channels.mail.tnef import open_tnef
from channels.mail.transfer import uuencoded_files
from channels.message import Attachment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channels.mail.parts import Part, Tree

TEXT_LIMIT = 1_000_000
ATTACHMENT_LIMIT = 100
#: Mails inside mails that are opened, and how deep.
ENCLOSED_LIMIT = 10
ENCLOSED_DEPTH = 3
#: A line above the words of a mail that came inside another.
ENCLOSED_LINE = "_" * 32

_TEXTS = ("text/plain", "text/html", "text/enriched")
_MAILS = ("message/rfc822", "message/global")
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_SIGNATURES = {
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pgp-signature": "signature.asc",
}
_NAMES = {
    **_SIGNATURES,
    **dict.fromkeys(_TNEF, "winmail.dat"),
    **dict.fromkeys(_SEALED, "smime.p7m"),
    "text/calendar": "invite.ics",
}
#: A text that only says that there is a page beside it: in any language it names HTML and a "not".
_PLACEHOLDER_LIMIT = 600
_NOT = re.compile(
    r"\b(?:not|n't|cannot|can't|unable|ne|n'|pas|nicht|kein|no)\b|لا|غير|ليس", re.IGNORECASE
)
_HTML = re.compile(r"\bhtml\b", re.IGNORECASE)
_ENRICHED = re.compile(r"<(/?[a-zA-Z][\w-]{0,60})>|<<")


class Body:
    """Collects the words and the files of a tree, in order.

    Attributes:
        texts: the mail's own words, a piece a part.
        enclosed: the words of mails inside it.
        attachments: its files.
        notes: why the reading is partial.
        charset: of the first text, a hint for raw 8-bit header fields.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.enclosed: list[str] = []
        self.attachments: list[Attachment] = []
        self.notes: list[str] = []
        self.charset = ""
        self._room = TEXT_LIMIT
        self._enclosed = 0
        self._depth = 0
        self._is_report = False

    def words(self) -> str:
        """The mail's own words."""
        return tidy("\n\n".join(piece for piece in self.texts if piece.strip()))

    def enclosed_words(self) -> str:
        """The words of mails inside it, each under a line."""
        return "\n\n".join(f"{ENCLOSED_LINE}\n{piece}" for piece in self.enclosed)

    def take(self, part: Part) -> None:
        """Take in a whole tree."""
        self._is_report = part.media_type == "multipart/report"
        self._take(part)
        if not self.texts and part.children and len(part.content.split()) > 1:
            preamble = decode(part.content, self.charset).strip()
            if "MIME" not in preamble:  # "This is a multi-part message in MIME format."
                self._add(preamble)

    def _take(self, part: Part) -> None:
        media_type = part.media_type
        if part.children:
            if media_type == "multipart/encrypted":
                self.notes.append(ENCRYPTED)
            if media_type == "multipart/alternative":
                self._take_alternative(part)
                return
            for child in part.children:
                self._take(child)
        elif is_text(part):
            self._take_text(part)
        elif part.content or part.filename:
            self._take_file(part)

    def _take_alternative(self, part: Part) -> None:
        """One of the texts, the plainest that says something; every file (RFC 2046, 5.1.4)."""
        branches = [[leaf for leaf in leaves(child) if is_text(leaf)] for child in part.children]
        branches = [texts for texts in branches if texts]
        branches.sort(key=lambda texts: any(leaf.media_type != "text/plain" for leaf in texts))
        spoken = [words for texts in branches if (words := self._spoken(texts)) is not None]
        if len(spoken) > 1 and _is_placeholder(spoken[0][1]):
            spoken = spoken[1:]
        if spoken:
            for leaf in spoken[0][0]:
                self._take_text(leaf)
        for leaf in leaves(part):
            if not is_text(leaf) and (leaf.content or leaf.filename):
                self._take_file(leaf)

    def _spoken(self, texts: list[Part]) -> tuple[list[Part], str] | None:
        for leaf in texts:
            if words := self._words(leaf, []).strip():
                return texts, words
        return None

    def _take_text(self, part: Part) -> None:
        self.charset = self.charset or part.charset
        if part.media_type == "text/plain" and b"\nbegin" in b"\n" + part.content:
            files, content = uuencoded_files(part.content)
            for name, inside in files:
                self._attach(decode(name, part.charset), "application/octet-stream", inside)
            words = _plain_words(content, part.charset, self.notes)
        else:
            words = self._words(part, self.notes)
        if PGP_MESSAGE in words:
            self.notes.append(ENCRYPTED)
        self._add(words)

    def _words(self, part: Part, notes: list[str]) -> str:
        if part.media_type == "text/html":
            return _html_words(part, notes)
        words = _plain_words(part.content, part.charset, notes)
        if part.media_type == "text/enriched":  # RFC 1896
            return _ENRICHED.sub(lambda tag: "<" if tag[1] is None else "", words)
        return words

    def _take_file(self, part: Part) -> None:
        kind = part.media_type
        name = part.filename or _NAMES.get(kind, "")
        self._attach(name, kind, part.content)
        if kind in _MAILS:
            if not self._is_report:
                self._take_enclosed(part.content)
        elif kind == "text/calendar" and part.disposition != "attachment":
            self._add(event_line(decode(part.content[:TEXT_LIMIT], part.charset or "utf-8")))
        elif kind in _TNEF or name.lower() == "winmail.dat":
            self._take_tnef(part.content)
        elif kind in _SEALED:
            self._take_sealed(part.content)

    def _take_enclosed(self, content: bytes) -> None:
        """Words of a mail inside this one, so that they are found; its files stay in it."""
        self._enclosed += 1
        if self._enclosed > ENCLOSED_LIMIT or self._depth >= ENCLOSED_DEPTH:
            return
        tree = _parsed(content)
        if tree is None:
            return
        inner = Body()
        inner._room = min(self._room, TEXT_LIMIT // 4)
        inner._depth = self._depth + 1
        inner.take(tree.root)
        subject = decode_header((tree.headers.get("subject") or [b""])[0], inner.charset)[:998]
        said = "\n\n".join(one for one in (subject, inner.words(), *inner.enclosed) if one.strip())
        if said:
            self._room -= len(said)
            self.enclosed.append(said)

    def _take_tnef(self, content: bytes) -> None:
        found = open_tnef(content)
        if found is None:
            return
        if found.incomplete:
            self.notes.append("winmail.dat is cut off or malformed")
        for name, inside in found.files:
            self._attach(" ".join(name.split()), "application/octet-stream", inside)
        rich_text = unpack(found.rich_text)
        if rich_text:
            self._attach("body.rtf", "application/rtf", rich_text)
        if not any(piece.strip() for piece in self.texts):
            words = found.text.strip() or html_text(found.html) or rich_words(rich_text)
            self._add(scrub(words))

    def _take_sealed(self, content: bytes) -> None:
        inside = signed_content(content)
        tree = None if inside is None or self._depth >= ENCLOSED_DEPTH else _parsed(inside)
        if tree is not None:
            self._depth += 1
            self._take(tree.root)
            self._depth -= 1
        elif is_enveloped(content):
            self.notes.append(ENCRYPTED)
        else:
            self.notes.append(UNREADABLE)

    def _add(self, words: str) -> None:
        if len(words) > self._room:
            self.notes.append("the text is very long: its beginning is shown")
            words = words[: max(0, self._room)]
        self._room -= len(words)
        self.texts.append(words)

    def _attach(self, name: str, media_type: str, content: bytes) -> None:
        if len(self.attachments) >= ATTACHMENT_LIMIT:
            self.notes.append("too many attachments: the first are kept")
            return
        self.attachments.append(Attachment(scrub(name)[:255], scrub(media_type)[:127], content))


def leaves(part: Part) -> Iterator[Part]:
    """The parts that hold something, in order."""
    if not part.children:
        yield part
    for child in part.children:
        yield from leaves(child)


def is_text(part: Part) -> bool:
    """Whether a part is words to be shown, not a file."""
    return (
        part.media_type in _TEXTS
        and part.disposition != "attachment"
        and not (part.filename and part.disposition)
    )


def tidy(text: str) -> str:
    """Plain line ends, no blank lines outside."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip("\n \t")


def _parsed(content: bytes) -> Tree | None:
    try:
        return parse(content)
    except MalformedMessage:
        return None


def _plain_words(content: bytes, charset: str, notes: list[str]) -> str:
    content = content[: 4 * TEXT_LIMIT]
    if charset and codec(charset) is None and not content.isascii():
        notes.append(f"unknown charset: {scrub(charset)[:40]}")
    return without_armour(decode(content, charset))


def _html_words(part: Part, notes: list[str]) -> str:
    source = decode(part.content[: 4 * HTML_LIMIT], part.charset)
    if len(source) > HTML_LIMIT:
        notes.append("the page is very long: its beginning is shown")
    return scrub(html_text(source))


def _is_placeholder(words: str) -> bool:
    return (
        len(words) <= _PLACEHOLDER_LIMIT
        and _HTML.search(words) is not None
        and _NOT.search(words) is not None
    )
