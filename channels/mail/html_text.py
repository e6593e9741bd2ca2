# SPDX-License-Identifier: MIT
"""From an HTML page to readable text, in one pass over its tags.

A page of a mail is hostile or broken as often as not: no tree is built, so no nesting, no width of
a column and no style makes the work more than linear. Letters stay in the order in which they were
written, which is what shows Arabic from right to left.
"""

from __future__ import annotations

import html
import re

#: Characters of a page that are read.
HTML_LIMIT = 500_000
#: How deep a list is set in, at most.
_LIST_DEPTH = 8

# Possessive throughout: a page of quotation marks must not be tried in all its ways.
_TOKEN = re.compile(
    r"<!--(?:[^<-]++|<(?!!--)|-(?!->))*+-->"
    r"|<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>"
    r"|<[!?][^<>]*+>"
)
#: Elements whose content is no text of the page.
_SILENT = frozenset({"script", "style", "head", "title", "template", "noframes"})
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl",
        "dt", "fieldset", "figcaption", "footer", "form", "header", "html", "legend", "li", "main",
        "nav", "ol", "option", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
    }
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "figure", "pre"})
_LITERAL = frozenset({"pre", "xmp", "listing", "plaintext", "textarea"})
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_WHITE = re.compile(r"[ \t\r\n\f]+")
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
#: What mail programs write into the tag of a quotation; people's own indentation has none of it.
_CITED = re.compile(
    r"\btype\s*=\s*[\"']?cite\b|\bcite\s*=|\bclass\s*=\s*[\"']?[^\"'>]{0,60}quote|\bborder-left",
    re.IGNORECASE,
)
#: How deep quotations are followed, at most.
_QUOTE_DEPTH = 100
_BLANK_LINES = re.compile(r"\n{3,}")
_AT_LINE_ENDS = re.compile(r"[ \t]+(?=\n)")


def html_text(page: str) -> str:
    """The words of a page: a line a block, an empty line around a paragraph, lists with marks.

    Lines of a quotation begin with ``> ``, as in plain text: else nobody could tell what answers
    what where the answers stand between the quoted words.

    Args:
        page: the source; what is beyond ``HTML_LIMIT`` is left out.
    """
    writer = _Writer()
    page = page[:HTML_LIMIT]
    ends = _Ends(page)
    position = 0
    for match in _TOKEN.finditer(page):
        if match.start() < position:
            continue
        writer.words(page[position : match.start()])
        position = match.end()
        name = (match[2] or "").lower()
        if name in _SILENT:
            if not match[1]:
                position = max(position, ends.of(name, position))
        elif name:
            writer.tag(name, closing=bool(match[1]), attributes=match[3])
    writer.words(page[position:])
    return writer.text()


class _Ends:
    """Where silent elements end. One that never ends must not take the rest of the page away."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._lower = ""
        self._endless: set[str] = set()

    def of(self, name: str, position: int) -> int:
        """Where the closing tag of an element begins, or ``position`` where there is none."""
        if name in self._endless:
            return position
        # Some letters are longer in lower case, which would move all behind them.
        self._lower = self._lower or self._page.translate(_LOWER)
        end = self._lower.find(f"</{name}", position)
        if name == "head":
            body = self._lower.find("<body", position)
            end = min((at for at in (end, body) if at >= 0), default=-1)
        if end < 0:
            self._endless.add(name)
            return position
        return end


class _Writer:
    """Puts pieces together and knows how many line ends the last one is owed."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._owed = 0
        self._space = False
        self._literal = 0
        self._lists: list[int] = []
        self._quotes: list[bool] = []

    def words(self, source: str) -> None:
        """Write the text between two tags."""
        if not source:
            return
        text = html.unescape(source)
        if self._literal:
            self._put(text)
            return
        text = _WHITE.sub(" ", text)
        if text.startswith(" "):
            self._space = True
        core = text.strip(" ")
        if core:
            self._put(core)
            self._space = text.endswith(" ")

    def tag(self, name: str, *, closing: bool, attributes: str) -> None:
        """Do what a tag asks for."""
        if name == "br":
            self._pieces.append("\n" * (self._owed + 1))
            self._owed, self._space = 0, False
        elif name in ("td", "th"):
            self._space = True
        elif name == "img":
            shown = _ALT.search(attributes[:2000])
            if shown is not None:
                self.words(f" {shown[1] or shown[2] or ''} ")
        elif name in _PARAGRAPHS or name in _BLOCKS:
            self._block(2 if name in _PARAGRAPHS else 1)
            if name == "blockquote":
                self._quote(closing=closing, attributes=attributes)
            elif name in ("ul", "ol"):
                self._list(name, closing=closing)
            elif name == "li" and not closing:
                self._item()
        if name in _LITERAL:
            self._literal = max(0, self._literal + (-1 if closing else 1))

    def _block(self, owed: int) -> None:
        if self._pieces:
            self._owed = max(self._owed, owed)
        self._space = False

    def _quote(self, *, closing: bool, attributes: str) -> None:
        if closing:
            if self._quotes:
                self._quotes.pop()
        elif len(self._quotes) < _QUOTE_DEPTH:
            within = bool(self._quotes) and self._quotes[-1]
            self._quotes.append(within or bool(_CITED.search(attributes[:2000])))

    def _list(self, name: str, *, closing: bool) -> None:
        if closing:
            if self._lists:
                self._lists.pop()
        elif len(self._lists) < _LIST_DEPTH:
            self._lists.append(1 if name == "ol" else 0)

    def _item(self) -> None:
        mark = "*"
        if self._lists and self._lists[-1]:
            mark = f"{self._lists[-1]}."
            self._lists[-1] += 1
        self._put("  " * max(1, len(self._lists)) + mark)
        self._space = True

    def _put(self, text: str) -> None:
        if self._owed:
            self._pieces.append("\n" * self._owed)
            self._owed = 0
        elif self._space and self._pieces and not self._pieces[-1].endswith(("\n", " ")):
            self._pieces.append(" ")
        self._space = False
        if self._quotes and self._quotes[-1]:
            if not self._pieces or self._pieces[-1].endswith("\n"):
                self._pieces.append("> ")
            text = text.replace("\n", "\n> ")
        self._pieces.append(text)

    def text(self) -> str:
        """All that was written."""
        whole = _AT_LINE_ENDS.sub("", "".join(self._pieces))
        return _BLANK_LINES.sub("\n\n", whole).strip("\n")
