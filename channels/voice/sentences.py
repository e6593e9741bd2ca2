# SPDX-License-Identifier: MIT
"""Texts cut for the ear: at sentences where possible, else at words."""

from __future__ import annotations

import re

#: Longest text of one sentence for the engine that speaks; Twilio's own limit is 4096.
LONGEST_SAY = 1000
_SENTENCE_END = re.compile(r"(?<=[.!?؟۔\n])\s+")
#: What XML 1.0 cannot carry; a text pasted at the desk may hold it.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parts(text: str, longest: int = LONGEST_SAY) -> list[str]:
    """A text in pieces of at most ``longest`` characters, cut at sentences or words."""
    pieces: list[str] = []
    current = ""
    for sentence in _SENTENCE_END.split(_NOT_XML.sub(" ", text).strip()):
        rest = sentence.strip()
        while len(rest) > longest:
            if current:
                pieces.append(current)
                current = ""
            cut = rest.rfind(" ", 1, longest)
            cut = cut if cut > 0 else longest
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        if len(current) + len(rest) + 1 > longest:
            pieces.append(current)
            current = rest
        else:
            current = f"{current} {rest}".strip()
    return [piece for piece in (*pieces, current) if piece]
