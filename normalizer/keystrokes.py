# SPDX-License-Identifier: MIT
"""Words that say nothing: one letter again and again, laughter, a run along the keyboard."""

from __future__ import annotations

_ROWS = ("qwertyuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "wxcvbn")
_ROW_LENGTH = 4


def is_mash(word: str) -> bool:
    """One letter, one letter again and again, or a run along the keyboard."""
    if len(word) == 1 and not word.isdigit():
        return True
    if word == "هه":
        return True
    if len(word) > 2 and len(set(word)) == 1:  # noqa: PLR2004 - "ok" and "la" are words
        return not word.isdigit()
    return len(word) >= _ROW_LENGTH and any(word in row or word in row[::-1] for row in _ROWS)
