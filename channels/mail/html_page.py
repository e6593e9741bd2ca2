# SPDX-License-Identifier: MIT
"""Plain text as a simple page: paragraphs, line breaks and links, in the right direction.

Nothing is fetched from anywhere and nothing is styled: the page says what the plain text says. It
is there for its direction, which plain text cannot carry: many mail programs set an Arabic text
that begins with a code or a Latin name from left to right.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

#: Primary language subtags (RFC 5646) that are written from right to left.
_RIGHT_TO_LEFT = frozenset({"ar", "ary", "arz", "arq", "aeb", "fa", "he", "ps", "ug", "ur", "yi"})
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINK = re.compile(r"https?://[^\s<>\"\u2066-\u2069\u200e\u200f]{1,2000}")
_AFTER_LINK = ".,;:!?)]»'،؛؟"


def html_page(text: str, language: str) -> str:
    """The page of a text.

    Args:
        text: plain text; blank lines part its paragraphs.
        language: BCP 47 tag of the words, or ``""``.

    Returns:
        a whole HTML document. A paragraph of letters that run the other way, as an administration's
        Arabic words in a French notice, has its own direction.
    """
    way = "rtl" if language.lower().partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
    attributes = f' lang="{escape(language)}"' if language else ""
    paragraphs = [part for part in _PARAGRAPH.split(text.strip()) if part.strip()]
    body = "\n".join(_paragraph(part, way) for part in paragraphs)
    return (
        f'<!DOCTYPE html>\n<html{attributes} dir="{way}">\n<head><meta charset="utf-8"></head>\n'
        # Web mail throws away the attributes of html and body, not those of a division.
        f'<body>\n<div{attributes} dir="{way}">\n{body}\n</div>\n</body>\n</html>\n'
    )


def _paragraph(text: str, way: str) -> str:
    own = _direction(text)
    turned = f' dir="{own}"' if own and own != way else ""
    lines = "<br>\n".join(_linked(line.rstrip()) for line in text.split("\n"))
    return f"<p{turned}>{lines}</p>"


def _direction(text: str) -> str:
    """Which way most letters run (UAX #9, 3.2); ``""`` where there is none.

    Links count for nothing: they are Latin in any language.
    """
    right = left = 0
    for letter in _LINK.sub("", text):
        kind = unicodedata.bidirectional(letter)
        right += kind in ("R", "AL")
        left += kind == "L"
    if not right and not left:
        return ""
    return "rtl" if right > left else "ltr"


def _linked(line: str) -> str:
    """A line with its links, escaped."""
    pieces, position = [], 0
    for match in _LINK.finditer(line):
        address = match[0].rstrip(_AFTER_LINK)
        pieces.append(escape(line[position : match.start()], quote=False))
        pieces.append(f'<a href="{escape(address)}" dir="ltr">{escape(address, quote=False)}</a>')
        position = match.start() + len(address)
    pieces.append(escape(line[position:], quote=False))
    return "".join(pieces)
