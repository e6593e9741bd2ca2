# SPDX-License-Identifier: MIT
"""The parameters of Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2231).

Total and linear. Order of belief for a file name: RFC 2231, then RFC 2047 inside quotes (against
its letter, as most senders do), then raw 8-bit words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from channels.mail.charset import decode, decode_header

FIELD_LIMIT = 16_384
#: Continuations of RFC 2231 that one parameter may have.
CONTINUATION_LIMIT = 200

_PARAMETER = re.compile(
    r";[\s;]*([^\s=;\"]{1,80})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)(?:\"|\Z)|([^;]*))", re.DOTALL
)
_ESCAPED = re.compile(r"\\([\"\\])")
_CONTINUED = re.compile(r"(.+?)\*(\d{1,4})?(\*)?")


@lru_cache(maxsize=512)
def token(field: bytes) -> str:
    """The value before the parameters, in lower case: a media type, a disposition."""
    return decode_header(field[:FIELD_LIMIT].partition(b";")[0][:200]).lower()


def parameters(field: bytes, charset: str = "") -> dict[str, str]:
    """Read all parameters; names in lower case, values decoded, the first of two wins.

    Args:
        field: the unfolded field body.
        charset: a hint for raw 8-bit words.
    """
    if b";" not in field:
        return {}
    if len(field) < 200 and not charset:  # noqa: PLR2004 - what most mails say, said again and again
        return _remembered(field)
    return _parameters(field, charset)


@lru_cache(maxsize=512)
def _remembered(field: bytes) -> dict[str, str]:
    return _parameters(field, "")


def _parameters(field: bytes, charset: str) -> dict[str, str]:
    text = decode(field[:FIELD_LIMIT], charset).replace("\r", "").replace("\n", "")
    plain: dict[str, str] = {}
    continued: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(text):
        quoted, bare = match[2], match[3]
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else (bare or "").strip()
        name = match[1].lower()
        parted = _CONTINUED.fullmatch(name) if "*" in name else None
        if parted is None:
            plain.setdefault(name, value)
        else:
            pieces = continued.setdefault(parted[1], {})
            if len(pieces) < CONTINUATION_LIMIT:
                pieces.setdefault(
                    int(parted[2] or 0), (value, parted[2] is None or bool(parted[3]))
                )
    found = {
        name: decode_header(value.encode(), charset) if "=?" in value else value.strip()
        for name, value in plain.items()
    }
    for name, pieces in continued.items():
        value = _joined(pieces, charset)
        if value.strip():
            found[name] = value
    return found


def _joined(pieces: dict[int, tuple[str, bool]], charset: str) -> str:
    """RFC 2231, 3 and 4: the pieces are joined as bytes, then read in the charset of the first."""
    declared = ""
    content = b""
    for count, (_, (value, extended)) in enumerate(sorted(pieces.items())):
        piece = value
        if extended and count == 0 and piece.count("'") >= 2:  # noqa: PLR2004 - charset'language'text
            declared, _, piece = piece.partition("'")
            piece = piece.partition("'")[2]
        content += unquote_to_bytes(piece) if extended else piece.encode()
    text = decode(content, declared or charset)
    return decode_header(text.encode(), charset) if "=?" in text else text
