# SPDX-License-Identifier: MIT
"""From a text of ours to the bodies of its submit_sm (SMPP 3.4, 4.4.1; TS 23.040, 9.2.3.24)."""

from __future__ import annotations

import random
from collections import OrderedDict

from channels.errors import Rejected
from channels.message import AddressScheme
from channels.sms.part import LONGEST_SHORT_CODE, Outgoing
from channels.sms.segments import Encoding, concatenated, length
from channels.sms.smpp_account import SmppAccount
from channels.sms.smpp_alphabet import UCS2, encode, octets
from channels.sms.smpp_pdu import submit_body

MOST_PARTS = 255
_HEADER_PRESENT = 0x40
_LONGEST_ADDRESS = 20
_ALPHANUMERIC_TON, _INTERNATIONAL_TON = 5, 1
_UNKNOWN, _E164_PLAN = 0, 1
#: Octets of a message on the air (TS 23.040); what a header leaves of them is for the words.
_ON_THE_AIR = 140
_REMEMBERED_NUMBERS = 20_000


class References:
    """References of long texts. To one number none comes back before all others were used."""

    def __init__(self, bits: int, draw: random.Random) -> None:
        self._size = 1 << bits
        self._draw = draw
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, number: str) -> int:
        """The reference of the next long text to ``number``."""
        last = self._last.pop(number, None)
        begun = self._draw.randrange(self._size) if last is None else last + 1
        self._last[number] = reference = begun % self._size
        if len(self._last) > _REMEMBERED_NUMBERS:
            self._last.popitem(last=False)
        return reference


def bodies_of(text: Outgoing, account: SmppAccount, references: References) -> list[bytes]:
    """Bodies of the submit_sm that carry one text, in order.

    Raises:
        Rejected: it cannot be sent as it is: no words, no number, or more than 255 segments.
    """
    recipient = text.recipient.value.removeprefix("+")
    sender = text.sender or account.number
    if text.recipient.scheme is not AddressScheme.TEL or not recipient.isdigit():
        raise Rejected("texts go to E.164 numbers only", code="recipient")
    if len(recipient) > _LONGEST_ADDRESS:
        raise Rejected("the recipient's number is too long", code="recipient")
    bare = sender.removeprefix("+")
    if not bare or not bare.isascii() or not bare.isprintable() or len(bare) > _LONGEST_ADDRESS:
        raise Rejected("our own number or name cannot be sent: see smpp.number", code="sender")
    if not text.text:
        raise Rejected("a text without words", code="empty")
    pieces, data_coding = _pieces(text.text, account)
    if len(pieces) > MOST_PARTS:
        raise Rejected("a text of more than 255 segments", code="length")
    reference = references.next(recipient) if len(pieces) > 1 else 0
    return [
        submit_body(
            source=(*_kind_of(bare, account), bare),
            destination=(account.dest_ton, account.dest_npi, recipient),
            esm_class=_HEADER_PRESENT if len(pieces) > 1 else 0,
            registered_delivery=1 if account.registered_delivery else 0,
            data_coding=data_coding,
            short_message=_header(reference, len(pieces), number, account.reference_bits) + piece,
        )
        for number, piece in enumerate(pieces, 1)
    ]


def _pieces(text: str, account: SmppAccount) -> tuple[list[bytes], int]:
    data_coding, encoding = encode(text, account.default_alphabet)
    parts = [text]
    # What the operator's alphabet lacks goes as UCS-2 although it would be one part in septets.
    as_ucs2 = encoding is Encoding.UCS2
    units = len(text.encode("utf-16-be", "replace")) // 2 if as_ucs2 else length(text).units
    if units > (70 if as_ucs2 else 160):
        left = _ON_THE_AIR - (7 if account.reference_bits == 16 else 6)  # noqa: PLR2004 - bits
        parts = concatenated(text, encoding, left // 2 if as_ucs2 else left * 8 // 7)
    little = account.utf16_little_endian and data_coding == UCS2
    return [
        octets(part, data_coding, account.default_alphabet, little_endian=little) for part in parts
    ], data_coding


def _header(reference: int, total: int, number: int, bits: int) -> bytes:
    if total == 1:
        return b""
    if bits == 16:  # noqa: PLR2004 - information element 08
        return b"\x06\x08\x04" + reference.to_bytes(2, "big") + bytes((total, number))
    return b"\x05\x00\x03" + bytes((reference, total, number))


def _kind_of(sender: str, account: SmppAccount) -> tuple[int, int]:
    """Type of number and numbering plan of our own number."""
    if not sender.isdigit():
        ton, npi = _ALPHANUMERIC_TON, _UNKNOWN
    elif len(sender) <= LONGEST_SHORT_CODE:
        ton, npi = _UNKNOWN, _UNKNOWN
    else:
        ton, npi = _INTERNATIONAL_TON, _E164_PLAN
    if account.source_ton is not None:
        ton = account.source_ton
    return ton, npi if account.source_npi is None else account.source_npi
