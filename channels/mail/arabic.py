# SPDX-License-Identifier: MIT
"""Whether bytes read as Arabic in a charset, told by their letters alone.

Any bytes decode as windows-1256, and it has the small letters of French where windows-1252 has
them, so no error ever tells the two apart. Words do: Arabic words hold no Latin letters, and six
letters of the alphabet make up half of any Arabic text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_COMMON = "اليمون"
#: The classes of a byte: common Arabic letter, other one, mark on a letter, letter of another
#: script, anything else.
_WORD = re.compile(rb"[Aadl]+")
_PURE = re.compile(rb"[Aad]{2,}")
#: From so many letters on, the common ones must be among them as often as in any Arabic text.
_ENOUGH = 12
_FEWEST = 3


def reads_as_arabic(content: bytes, charset: str) -> bool:
    """Tell whether ``content`` is Arabic in ``charset``, a Python codec of one byte a letter.

    The answer is no for text of which less than nine letters in ten stand in words of one script.
    """
    letters = common = mixed = 0
    for match in _WORD.finditer(content.translate(_classes(charset))):
        word = match[0]
        if _PURE.fullmatch(word):
            letters += len(word)
            common += word.count(b"A")
        elif b"A" in word or b"a" in word:
            mixed += len(word)
    if letters < _FEWEST or mixed * 10 > letters:
        return False
    return letters < _ENOUGH or common * 4 >= letters


@cache
def _classes(charset: str) -> bytes:
    return bytes(ord(_class(bytes((byte,)).decode(charset, "replace"))) for byte in range(0x100))


def _class(character: str) -> str:
    if character in _COMMON:
        return "A"
    if "\u0600" <= character <= "\u06ff" or "\u200c" <= character <= "\u200d":
        kind = unicodedata.category(character)
        if kind == "Lo":
            return "a"
        return "d" if kind in ("Mn", "Lm", "Cf") else " "
    if character == "\ufffd":
        return "l"
    return "l" if character.isalpha() else " "
