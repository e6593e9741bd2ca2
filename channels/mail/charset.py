# SPDX-License-Identifier: MIT
"""From bytes to words, whatever the sender called their charset.

The order is: what was declared → an alias of it → strict UTF-8 → windows-1256 or windows-1252 by
content → replacement. The result never holds NUL or a lone surrogate: a database refuses both.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

#: Names seen in real mail that Python does not know, or knows too narrowly. ISO-8859-1 is read as
#: its superset windows-1252, as every browser does (WHATWG Encoding Standard).
ALIASES = {
    "uft-8": "utf-8",
    "utf8": "utf-8",
    "utf-8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-6-e": "iso8859-6",
    "iso-8859-8-i": "iso8859-8",
    "asmo-708": "iso8859-6",
    "arabic": "iso8859-6",
    "cp-1256": "cp1256",
    "x-cp1256": "cp1256",
    "windows1256": "cp1256",
    "win-1256": "cp1256",
    "x-mac-arabic": "mac-arabic",
    "gb2312": "gb18030",
    "iso-gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
}

# Only these: among Python's codecs are some that are no charsets at all and may be slow (idna,
# punycode), run escapes (unicode_escape) or do not end in text (zip).
_CHARSETS = re.compile(
    r"utf-(?:7|8|8-sig|16|16-be|16-le|32|32-be|32-le)|ascii|iso8859-\d+|cp\d+|koi8-[rtu]|mac-\w+"
    r"|gb2312|gbk|gb18030|hz|big5|big5hkscs|euc_\w+|iso2022_\w+|shift_jis\w*|johab|tis-620"
    r"|kz1048|ptcp154"
)
_ARABIC_RUN = re.compile("[\u0621-\u064a]{3,}")
_FORBIDDEN = re.compile("[\ud800-\udfff]")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")


@lru_cache(maxsize=256)
def codec(name: str) -> str | None:
    """The Python codec of a declared charset, or ``None`` when it names none that is text."""
    wanted = name.strip().strip("\"'").lower()
    wanted = ALIASES.get(wanted, wanted)
    if not wanted or len(wanted) > 40:  # noqa: PLR2004 - the longest registered name (RFC 2978)
        return None
    try:
        found = codecs.lookup(wanted).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return found if _CHARSETS.fullmatch(found) else None


def decode(content: bytes, declared: str = "") -> str:
    """Read ``content`` as text; never raises.

    Args:
        content: the bytes, free of any transfer encoding.
        declared: the charset the sender named, or ``""``.
    """
    name = codec(declared) if declared else None
    if name is not None and name != "utf-8":
        try:
            return scrub(content.decode(name))
        except (UnicodeError, ValueError):
            pass
    try:
        return scrub(content.decode("utf-8"))
    except UnicodeDecodeError:
        return scrub(_guess(content, name))


def _guess(content: bytes, name: str | None) -> str:
    """Words in bytes that are neither what was declared nor UTF-8."""
    foreign = sum(1 for byte in content if byte > 0x7F)  # noqa: PLR2004 - beyond ASCII
    as_utf8 = content.decode("utf-8", "replace")
    # One broken character in a page of good UTF-8 must not turn the whole page to gibberish.
    if as_utf8.count("\ufffd") * 8 < foreign:
        return as_utf8
    if name is not None and name not in ("utf-8", "utf-7"):
        as_declared = content.decode(name, "replace")
        if as_declared.count("\ufffd") * 8 < foreign:
            return as_declared
    # windows-1256 has the French letters where windows-1252 has them: only runs of Arabic tell.
    as_arabic = content.decode("cp1256", "replace")
    if _ARABIC_RUN.search(as_arabic):
        return as_arabic
    return content.decode("cp1252", "replace")


def scrub(text: str) -> str:
    """Leave out NUL, and put U+FFFD for lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _FORBIDDEN.sub("\ufffd", text)
    return text


def decode_header(value: bytes, charset: str = "") -> str:
    """Read one unfolded header field body: raw 8-bit words and RFC 2047 encoded words.

    Neighbouring encoded words of one charset are joined before decoding, because many senders cut
    between the bytes of one character.

    Args:
        value: the field body, unfolded or not.
        charset: the charset of the body text, a hint for raw 8-bit words.
    """
    text = value.decode("ascii") if value.isascii() else decode(value, charset)
    if "\r" in text or "\n" in text:
        text = text.replace("\r", "").replace("\n", "")
    text = text.replace("\t", " ").strip()
    if "=?" not in text:
        return scrub(text)
    return scrub(_decode_words(text))


def _decode_words(text: str) -> str:
    text = _BETWEEN_WORDS.sub(r"\1", text)
    pieces: list[str] = []
    held: bytes = b""
    held_charset = ""
    position = 0
    for match in _ENCODED_WORD.finditer(text):
        charset = match[1].lower()
        if match.start() != position or charset != held_charset:
            if held:
                pieces.append(decode(held, held_charset))
                held = b""
            pieces.append(text[position : match.start()])
        held += _word(match[2], match[3])
        held_charset = charset
        position = match.end()
    if held:
        pieces.append(decode(held, held_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def _word(encoding: str, payload: str) -> bytes:
    raw = payload.encode("ascii", "ignore")
    if encoding in "bB":
        raw = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        if len(raw) % 4 == 1:
            raw = raw[:-1]
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    return binascii.a2b_qp(raw.replace(b"_", b" "), header=False)
