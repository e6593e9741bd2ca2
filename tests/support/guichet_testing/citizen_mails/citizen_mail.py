# SPDX-License-Identifier: MIT
"""A citizen's mail with what a careful clerk reads in it, and how a reading is judged by it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.message import InboundMessage

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c]")
#: What a client sets before a quoted line.
_QUOTING = re.compile(r"^[> |]+", re.MULTILINE)


@dataclass(frozen=True)
class CitizenMail:
    """A mail (RFC 5322) and the expected reading of it.

    Attributes:
        name: unique, ``shape/client/language of the client``.
        raw: the bytes, as they come over SMTP.
        envelope_from: the SMTP sender.
        sender: the addr-spec of From.
        display_name: the name beside it.
        subject: decoded.
        charset: as declared for the citizen's words; ``""`` if none is.
        language: of the citizen's words: ``ar``, ``fr``, ``en``, ``ary`` (Darija), ``ary-Latn``,
            ``mul`` (mixed).
        new_text: the accepted texts; the first holds only what the citizen newly says.
        kept: the words that may never be lost from the new text.
        whole: all that stands in the body, quoted words included.
        attachments: name and content of each.
    """

    name: str
    raw: bytes
    envelope_from: str
    sender: str
    display_name: str
    subject: str
    charset: str
    language: str
    new_text: tuple[str, ...]
    kept: tuple[str, ...]
    whole: str
    attachments: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """A reading beside what was expected of it.

    Attributes:
        exact: the new text is one of the accepted ones, white space folded.
        lost: words that may never be lost, and are not in the new text.
        too_much: words of the new text that the nearest accepted text lacks.
        lost_from_whole: words of the body that are not in the full text.
    """

    exact: bool
    lost: tuple[str, ...]
    too_much: tuple[str, ...]
    lost_from_whole: tuple[str, ...]

    @property
    def word(self) -> str:
        """In one word, as ``make bench-mail`` counts."""
        if self.lost:
            return "lost"
        return "exact" if self.exact else "too much"


def folded(text: str) -> list[str]:
    """The words of a text, without marks of direction, which nobody sees."""
    return _UNSEEN.sub("", text).split()


def unquoted(text: str) -> list[str]:
    """The words of a text, without the marks that stand before quoted lines."""
    return folded(_QUOTING.sub("", _UNSEEN.sub("", text)))


def judged(mail: CitizenMail, message: InboundMessage) -> Verdict:
    """Judge what was read."""
    ours = Counter(folded(message.text))
    extra = min(
        (ours - Counter(folded(accepted)) for accepted in mail.new_text),
        key=lambda surplus: surplus.total(),
    )
    full = Counter(unquoted(message.full_text))
    return Verdict(
        exact=any(folded(message.text) == folded(accepted) for accepted in mail.new_text),
        lost=tuple((Counter(mail.kept) - ours).elements()),
        too_much=tuple(extra.elements()),
        lost_from_whole=tuple((Counter(unquoted(mail.whole)) - full).elements()),
    )
