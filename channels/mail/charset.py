# SPDX-License-Identifier: MIT
"""From bytes to words, whatever the sender called their charset.

The order is: what was declared, unless the bytes strongly say otherwise → strict UTF-8 → what reads
as Arabic by its letters → windows-1252 → replacement. The result never holds NUL or a lone
surrogate: a database refuses both.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

from channels.mail.arabic import reads_as_arabic
from channels.mail.transfer import encoded_word

#: Names seen in real mail that Python does not know, or knows too narrowly. ISO-8859-1 is read as
#: its superset windows-1252, as every browser does (WHATWG Encoding Standard).
ALIASES = {
    "uft-8": "utf-8",
    "utf-8mb4": "utf-8",
    "utf8mb4": "utf-8",
    "unicode": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-unicode-2-0-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi-x3.4-1968": "utf-8",
    "iso-646-us": "utf-8",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "csisolatin1": "cp1252",
    "ansi": "cp1252",
    "ansi-x3.110-1983": "cp1252",
    "csisolatinarabic": "iso8859-6",
    "ecma-114": "iso8859-6",
    "asmo-708": "iso8859-6",
    "arabic": "iso8859-6",
    "dos-720": "cp720",
    "dos-864": "cp864",
    "x-mac-arabic": "mac-arabic",
    "x-macarabic": "mac-arabic",
    "macarabic": "mac-arabic",
    "macintosh": "mac-roman",
    "gb2312": "gb18030",
    "iso-gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks-c-5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022-jp-ext",
}
_WINDOWS = re.compile(r"(?:x-)?(?:ms-?|win(?:dows)?-?|cp-?|ibm-?)?((?:12|7|8)\d\d)")
_ISO_8859 = re.compile(r"(?:x-)?iso-?8859-?(1[0-6]|[1-9])(?:-[ie])?(?::\d{4})?")

# Only these: among Python's codecs are some that are no charsets at all and may be slow (idna,
# punycode), run escapes (unicode_escape) or do not end in text (zip).
_CHARSETS = re.compile(
    r"utf-(?:7|8|8-sig|16|16-be|16-le|32|32-be|32-le)|ascii|iso8859-\d+|cp\d+|koi8-[rtu]|mac-\w+"
    r"|gb2312|gbk|gb18030|hz|big5|big5hkscs|euc_\w+|iso2022_\w+|shift_jis\w*|johab|tis-620"
    r"|kz1048|ptcp154"
)
#: Charsets of one byte a letter, which any bytes seem to be: their content is looked at as well.
_WESTERN = {"cp1252", "iso8859-1", "iso8859-2", "iso8859-9", "iso8859-15", "mac-roman", "cp850"}
_ARABIC = {"cp1256", "iso8859-6", "mac-arabic", "cp720"}
_FORBIDDEN = re.compile("[\ud800-\udfff]")
_PLAUSIBLE = re.compile(
    "[\u00a0-\u017f\u0600-\u06ff\u0750-\u077f\u2000-\u206f\u20ac\u2122\u2d30-\u2d7f\ufb50-\ufdff"
    "\ufe70-\ufeff\U0001f300-\U0001faff]"
)
_PRESENTATION_FORMS = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
#: The longest value of a registered charset name (RFC 2978).
_NAME_LIMIT = 40
#: How much of a content is looked at when its charset is to be found.
SAMPLE = 20_000

_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
#: Bytes of one header field that are read as words.
HEADER_LIMIT = 65_536


@lru_cache(maxsize=256)
def codec(name: str) -> str | None:
    """The Python codec of a declared charset, or ``None`` when it names none that is text."""
    wanted = name.strip(" \t\"'<>;,").lower().replace("_", "-").removeprefix("charset=")
    if not wanted or len(wanted) > _NAME_LIMIT or not wanted.isascii() or "\x00" in wanted:
        return None
    if match := _WINDOWS.fullmatch(wanted):
        wanted = f"cp{match[1]}"
    elif match := _ISO_8859.fullmatch(wanted):
        wanted = "cp1252" if match[1] == "1" else f"iso8859-{match[1]}"
    wanted = ALIASES.get(wanted, wanted)
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
        text = _as_declared(content, name)
        if text is not None:
            return scrub(text)
    try:
        return scrub(content.decode("utf-8"))
    except UnicodeDecodeError:
        return scrub(_guess(content, name))


def _as_declared(content: bytes, name: str) -> str | None:
    """The text in the declared charset, ``None`` where the bytes cannot be or are not in it."""
    if name.startswith("utf-16"):
        return _utf_16(content, name)
    if name in _WESTERN or name in _ARABIC:
        if content.isascii():
            return content.decode("ascii")
        if _is_surely_utf_8(content):
            return None
        sample = content[:SAMPLE]
        if not (name in _ARABIC and reads_as_arabic(sample, name)):
            name = _arabic_charset(sample) or name
    try:
        text = content.decode(name)
    except (UnicodeError, ValueError):
        return None
    if name == "cp864":  # it holds letters by their shape: no search would ever find them
        return _PRESENTATION_FORMS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return text


def _arabic_charset(sample: bytes) -> str | None:
    """The charset in which the bytes read as Arabic, if any."""
    return next((name for name in ("cp1256", "iso8859-6") if reads_as_arabic(sample, name)), None)


def _is_surely_utf_8(content: bytes) -> bool:
    """Whether bytes declared otherwise are UTF-8: whole, and of letters that people here write."""
    try:
        text = content[:SAMPLE].decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) <= SAMPLE or error.start < SAMPLE - 4:
            return False
        text = content[: error.start].decode("utf-8")
    foreign = sum(1 for character in text if character > "\x7f")
    return foreign > 1 and len(_PLAUSIBLE.findall(text)) == foreign


def _utf_16(content: bytes, name: str) -> str | None:
    """UTF-16 by its mark, else by where its high bytes lie; ``None`` where it holds no such bytes.

    Latin text has a zero in each unit, Arabic a 0x06: bytes with neither are not UTF-16 at all.
    """
    if content[:2] not in (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE):
        sample = content[:SAMPLE]
        if not any(byte in sample for byte in (b"\x00", b"\x06")):
            return None
        even, odd = (
            sum(half.count(byte) for byte in (b"\x00", b"\x06"))
            for half in (sample[::2], sample[1::2])
        )
        name = "utf-16-be" if even > odd else "utf-16-le"
    else:
        name = "utf-16"
    return content.decode(name, "replace")


def _guess(content: bytes, name: str | None) -> str:
    """Words in bytes that are neither what was declared nor UTF-8."""
    if content[:2] in (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE):
        return content.decode("utf-16", "replace")
    foreign = len(content) - len(content.translate(None, bytes(range(0x80, 0x100))))
    as_utf8 = content.decode("utf-8", "replace")
    # One broken character in a page of good UTF-8 must not turn the whole page to gibberish.
    if as_utf8.count("\ufffd") * 8 < foreign:
        return as_utf8
    arabic = _arabic_charset(content[:SAMPLE])
    if arabic is None and name is not None and name not in ("utf-8", "utf-7"):
        as_declared = content.decode(name, "replace")
        if as_declared.count("\ufffd") * 8 < foreign:
            return as_declared
    return content.decode(arabic or "cp1252", "replace")


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
        value: the field body, unfolded or not; what is beyond ``HEADER_LIMIT`` is left out.
        charset: the charset of the body text, a hint for raw 8-bit words.
    """
    value = value[:HEADER_LIMIT]
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
    held: list[bytes] = []
    held_charset = ""
    position = 0
    for match in _ENCODED_WORD.finditer(text):
        charset = match[1].lower()
        if match.start() != position or charset != held_charset:
            if held:
                pieces.append(_words(held, held_charset))
                held = []
            pieces.append(text[position : match.start()])
        held.append(encoded_word(match[2], _payload(match[3], charset)))
        held_charset = charset
        position = match.end()
    if held:
        pieces.append(_words(held, held_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def _payload(payload: str, charset: str) -> bytes:
    """What stands in a word; letters that should have been encoded become bytes again."""
    if payload.isascii():
        return payload.encode("ascii")
    try:
        return payload.encode(codec(charset) or "utf-8")
    except (UnicodeError, ValueError):
        return payload.encode("utf-8", "replace")


def _words(held: list[bytes], charset: str) -> str:
    return " ".join(decode(b"".join(held), charset).split("\n"))
