# SPDX-License-Identifier: MIT
"""A long answer as a text message takes it: to a number of segments, then how to read the rest."""

from __future__ import annotations

import re

from channels.sms.segments import length

#: A tracking code as we write it, with the isolates around it: half of one is of no use.
_CODE = re.compile(r"\u2066?(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}(?!\d)\u2069?")


def shortened(text: str, tail: str, most: int) -> str:
    """``text``, or as much of it as fits into ``most`` segments together with ``tail``.

    The cut falls after a word; inside one only where its words are longer than half of what fits;
    never inside a tracking code.

    Args:
        text: any text.
        tail: what is said after the cut; it fits into ``most`` segments itself.
        most: segments of 3GPP TS 23.040, at least 1.
    """
    if length(text).segments <= most:
        return text
    codes = [match.span() for match in _CODE.finditer(text)]
    ends = [
        end for end in range(len(text)) if not any(first < end < after for first, after in codes)
    ]
    anywhere = _furthest(text, tail, most, ends)
    after_words = [
        end for end in ends if text[end].isspace() and end and not text[end - 1].isspace()
    ]
    after_word = _furthest(text, tail, most, after_words)
    end = after_word if after_word > anywhere // 2 else anywhere
    return text[:end].rstrip() + tail


def _furthest(text: str, tail: str, most: int, ends: list[int]) -> int:
    """The last of these ends that fits; the cost never falls as the text grows."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if length(text[: ends[middle]].rstrip() + tail).segments <= most:
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0
