# SPDX-License-Identifier: MIT
"""From ``data_coding`` to words and back (SMPP 3.4, 5.2.19; 3GPP TS 23.038).

``data_coding`` 0 is whatever the operator says: septets of the GSM alphabet one an octet, Latin-1
or ASCII, so it is a setting. Decoding never fails and drops nothing: an octet that the alphabet
does not know is read as Latin-1, half a UTF-16 pair becomes U+FFFD.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from channels.sms.segments import Encoding, encoding_of

#: TS 23.038, 6.2.1, in the order of its septets; 0x1B is the escape.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: TS 23.038, 6.2.1.1.
_EXTENDED = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_SEPTETS = {character: bytes((septet,)) for septet, character in enumerate(_BASIC)}
del _SEPTETS["\x1b"]
_SEPTETS |= {character: bytes((_ESCAPE, septet)) for septet, character in _EXTENDED.items()}

UCS2 = 8
_LATIN_1 = 3
_BINARY = frozenset({2, 4})
#: Alphabets of 5.2.19 that Python reads by another name.
_CODECS = {
    5: "shift_jis",
    6: "iso8859_5",
    7: "iso8859_8",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}
_GENERAL_GROUP, _MESSAGE_CLASS = range(0x10, 0x40), 0xF0
_BYTE_ORDER_MARKS = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}


class Alphabet(StrEnum):
    """What ``data_coding`` 0 means at an SMSC."""

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    ASCII = "ascii"


def decode(
    pieces: Sequence[bytes], data_coding: int, alphabet: Alphabet, *, little_endian: bool = False
) -> str:
    """Read the neighbouring pieces of one text; a pair may be cut between two of them.

    Args:
        pieces: user data without headers, in order.
        data_coding: as announced for all of them.
        alphabet: what 0 means.
        little_endian: whether this SMSC's UCS-2 is the wrong way round.
    """
    coding = _plain(data_coding)
    joined = b"".join(pieces)
    if coding == UCS2:
        text = _utf16(pieces, "utf-16-le" if little_endian else "utf-16-be")
    elif coding == _LATIN_1 or (coding == 0 and alphabet is Alphabet.LATIN1):
        text = _latin(joined)
    elif coding == 1 or (coding == 0 and alphabet is Alphabet.ASCII):
        text = _latin(joined)  # ASCII, and what else was sent as such
    elif coding in _BINARY:
        text = _utf8_or_latin(joined)
    elif coding in _CODECS:
        text = joined.decode(_CODECS[coding], "replace")
    else:
        text = _gsm7(joined) if alphabet is Alphabet.GSM7 else _latin(joined)
    return text.replace("\0", "")  # no text: databases refuse it


def encode(text: str, alphabet: Alphabet) -> tuple[int, Encoding]:
    """How ``text`` travels: its ``data_coding``, and by which measure it is cut.

    ``data_coding`` 0 where every character is in the GSM alphabet and in the operator's own.
    """
    if encoding_of(text) is Encoding.GSM7 and _written(text, alphabet) is not None:
        return 0, Encoding.GSM7
    return UCS2, Encoding.UCS2


def octets(
    text: str, data_coding: int, alphabet: Alphabet, *, little_endian: bool = False
) -> bytes:
    """The octets of a piece of a text for which :func:`encode` has chosen."""
    if data_coding == UCS2:
        return text.encode("utf-16-le" if little_endian else "utf-16-be", "replace")
    written = _written(text, alphabet)
    if written is None:
        raise ValueError("a character that is not in this alphabet")
    return written


def without_data_coding(data_coding: int) -> bool:
    """Whether it is announced as octets of no alphabet."""
    return _plain(data_coding) in _BINARY


def _written(text: str, alphabet: Alphabet) -> bytes | None:
    try:
        if alphabet is Alphabet.GSM7:
            return b"".join(_SEPTETS[character] for character in text)
        return text.encode("latin-1" if alphabet is Alphabet.LATIN1 else "ascii")
    except (KeyError, UnicodeEncodeError):
        return None


def _plain(data_coding: int) -> int:
    """The alphabet of a GSM data coding scheme (TS 23.038, 4) that was passed on as it was."""
    if data_coding in _GENERAL_GROUP:
        return (0, 4, UCS2, 0)[data_coding >> 2 & 3]
    if data_coding >= _MESSAGE_CLASS:
        return 4 if data_coding & 4 else 0
    if 0xE0 <= data_coding < _MESSAGE_CLASS:  # noqa: PLR2004 - message waiting, UCS-2
        return UCS2
    return data_coding


def _gsm7(joined: bytes) -> str:
    text: list[str] = []
    escaped = False
    for octet in joined:
        if octet >= len(_BASIC):
            text.append(_latin(bytes((octet,))))
            escaped = False
        elif escaped:
            # TS 23.038: an unknown one is shown as in the basic table, a second escape as a space.
            text.append(_EXTENDED.get(octet) or (" " if octet == _ESCAPE else _BASIC[octet]))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            text.append(_BASIC[octet])
    return "".join(text) + (" " if escaped else "")


def _latin(joined: bytes) -> str:
    """Latin-1; its unused controls are read as Windows does, which is what was meant."""
    text = joined.decode("latin-1")
    if any("\x80" <= character <= "\x9f" for character in text):
        text = "".join(_windows(character) for character in text)
    return text


def _windows(character: str) -> str:
    if "\x80" <= character <= "\x9f":
        return character.encode("latin-1").decode("cp1252", "ignore") or character
    return character


def _utf8_or_latin(joined: bytes) -> str:
    try:
        return joined.decode()
    except UnicodeDecodeError:
        return _latin(joined)


def _utf16(pieces: Sequence[bytes], codec: str) -> str:
    joined = b"".join(pieces)
    named = _BYTE_ORDER_MARKS.get(pieces[0][:2]) if pieces else None
    if named is not None:
        codec, pieces = named, [pieces[0][2:], *pieces[1:]]
        joined = joined[2:]
    if all(len(piece) % 2 == 0 for piece in pieces):
        return joined.decode(codec, "replace")
    # Odd counts: a unit cut between two pieces, or a stray octet before or after a piece. A text
    # that is read out of step scatters over many blocks of 256; the right reading does not.
    after = b"".join(_even(piece, codec) for piece in pieces)
    before = b"".join(piece[len(piece) % 2 :] for piece in pieces)
    readings = [one.decode(codec, "replace") for one in (joined, after, before)]
    return min(readings, key=lambda one: len({ord(character) >> 8 for character in one}))


def _even(piece: bytes, codec: str) -> bytes:
    """A piece without its last octet where that is one too many; half a unit is marked."""
    if len(piece) % 2 == 0:
        return piece
    return piece[:-1] + (b"" if piece.endswith(b"\0") else "\ufffd".encode(codec))
