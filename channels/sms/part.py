# SPDX-License-Identifier: MIT
"""Parts of texts as an SMSC hands them over, and the ports between its door and the house.

A long text comes as several deliver_sm in any order. The door only reads and keeps each as a
:class:`Part`; :func:`join` makes one message of them when they are complete, or when waiting for
the rest has lasted long enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Protocol

import phonenumbers

from channels.errors import DeliveryError, MalformedMessage
from channels.message import Address, AddressScheme, ChannelName, DeliveryStatus, InboundMessage
from channels.sms.smpp_alphabet import Alphabet, decode, without_data_coding
from channels.sms.smpp_pdu import Command, MalformedPdu, Pdu, ShortMessage, Tag, units
from channels.sms.smpp_pdu import read_short_message as opened

#: Digits that make a number rather than a short code, as in channels.sms.twilio.
LONGEST_SHORT_CODE = 8
_INTERNATIONAL, _ALPHANUMERIC = 1, 5
_HEADER_PRESENT = 0x40
#: Information elements of TS 23.040, 9.2.3.24: concatenation with a reference of 8 and of 16 bits.
_CONCATENATED_8, _CONCATENATED_16 = 0x00, 0x08


@dataclass(frozen=True, slots=True)
class Part:
    """One deliver_sm, not joined.

    Attributes:
        smsc: name of the account in the settings.
        source: who sent it: E.164, a short code, a name, or anonymous where none is said.
        destination: our number, as the SMSC wrote it.
        reference: what the parts of one text have in common; 0 for a text of one part.
        reference_bits: 8 (UDH IEI 00), 16 (UDH IEI 08, sar_msg_ref_num), 0 for one part.
        total: parts of the text, 1 to 255.
        number: which of them this is, 1 to ``total``.
        data_coding: the alphabet as announced (SMPP 3.4, 5.2.19).
        user_data: the content without its header; decoded only when joined, as a pair of
            octets, of surrogates or of septets may be cut between two parts.
        received_at: aware UTC.
        pdu: the whole unit as it came.
        key: 64 hexadecimal digits by which the same part is known when it comes again.
    """

    smsc: str
    source: Address
    destination: str
    reference: int
    reference_bits: int
    total: int
    number: int
    data_coding: int
    user_data: bytes
    received_at: datetime
    pdu: bytes
    key: str


@dataclass(frozen=True, slots=True)
class SegmentReceipt:
    """A delivery receipt for one segment of ours. It may come before the submit_sm_resp.

    Attributes:
        smsc: name of the account in the settings.
        message_id: normalised by the operator's form, as those given to ``submitted``.
        delivery_status: mapped to our vocabulary.
        detail: the SMSC's own state and error code; never a citizen's words.
        at: when it was done, aware; ``None`` where the SMSC's zone is not known.
    """

    smsc: str
    message_id: str
    delivery_status: DeliveryStatus
    detail: str
    at: datetime | None


class PartStore(Protocol):
    """Keeps what comes from an SMSC."""

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """Commit what one read of the socket held, in one commit.

        Returns:
            For each item whether it is on disk, also when it had been known before. ``False``, or
            an exception, makes the SMSC send it again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One text of ours that is due.

    Attributes:
        entry_id: the outbox entry's id.
        recipient: an E.164 number.
        sender: our number or name; ``""`` for the account's own.
        text: the words.
    """

    entry_id: str
    recipient: Address
    sender: str
    text: str


class Outbox(Protocol):
    """Texts of ours that are due, and what became of them."""

    def due(self, limit: int) -> Sequence[Outgoing]:
        """Claim at most ``limit`` texts for this process. Never blocks long."""
        ...

    def submitted(self, entry_id: str, message_ids: Sequence[str]) -> None:
        """Every segment was accepted, under these normalised ids in the order of the segments.

        May follow a ``failed`` with ``Uncertain``, where the answers came after all.
        """
        ...

    def failed(self, entry_id: str, error: DeliveryError) -> None:
        """The text did not go, or (``Uncertain``) a segment of it got no answer."""
        ...


def read_part(
    pdu: Pdu, message: ShortMessage, *, smsc: str, region: str, received_at: datetime
) -> Part:
    """Make a part of what was read of a deliver_sm or data_sm. Total: keeps what it is given.

    Args:
        pdu: the unit.
        message: its body.
        smsc: name of the account.
        region: ISO 3166-1 country of national numbers.
        received_at: aware UTC.
    """
    place, user_data = _without_header(message)
    place = place or _sar(message) or _Place(0, 0, 1, 1)
    source = address_of(message.source, message.source_ton, region)
    named = (
        smsc,
        f"{source.scheme}:{source.value}",
        message.destination,
        str(place.reference),
        str(place.total),
        str(place.number),
    )
    digest = hashlib.sha256("\0".join(named).encode("utf-8", "surrogateescape") + b"\0")
    digest.update(user_data)
    return Part(
        smsc=smsc,
        source=source,
        destination=message.destination,
        reference=place.reference,
        reference_bits=place.bits,
        total=place.total,
        number=place.number,
        data_coding=message.data_coding,
        user_data=user_data,
        received_at=received_at,
        pdu=pdu.raw,
        key=digest.hexdigest(),
    )


def read_pdus(body: bytes, *, smsc: str, region: str, received_at: datetime) -> list[Part]:
    """Read the parts of a kept delivery again.

    Raises:
        MalformedMessage: it is no sequence of deliver_sm or data_sm.
    """
    parts: list[Part] = []
    for pdu in units(body):
        if pdu.command_id not in (Command.DELIVER_SM, Command.DATA_SM):
            raise MalformedMessage("a kept unit is neither deliver_sm nor data_sm")
        try:
            message = opened(pdu)
        except MalformedPdu as broken:
            raise MalformedMessage(f"a kept unit cannot be read: {broken}") from broken
        parts.append(read_part(pdu, message, smsc=smsc, region=region, received_at=received_at))
    return parts


def join(
    parts: Sequence[Part], alphabet: Alphabet, *, utf16_little_endian: bool = False
) -> InboundMessage:
    """Make one message of the parts of one text, in whatever order they are given.

    Args:
        parts: at least one; all of one sender, reference and total.
        alphabet: what ``data_coding`` 0 means at this SMSC.
        utf16_little_endian: whether this SMSC sends ``data_coding`` 8 the wrong way round.

    Returns:
        The message. A part that is not there stands as ``[part 2/3 missing]`` in the text and in
        ``incomplete``. A second part of the same number and other words is added at the end.
    """
    if not parts:
        raise MalformedMessage("a text without a part")
    by_number: dict[int, Part] = {}
    others: list[Part] = []
    for part in sorted(parts, key=lambda one: (one.number, one.received_at)):
        first = by_number.setdefault(part.number, part)
        if first.key != part.key:
            others.append(part)
    ordered = list(by_number.values())
    total = max(part.total for part in ordered)
    little = utf16_little_endian
    words = [_words(run, alphabet, little=little) for run in _runs(by_number, total)]
    text = "".join(words)
    missing = [number for number in range(1, total + 1) if number not in by_number]
    notes = [_mark(number, total) for number in missing]
    for other in others:
        text += "\n" + decode([other.user_data], other.data_coding, alphabet, little_endian=little)
        notes.append(f"[part {other.number}/{total} came twice with different words]")
    if any(without_data_coding(part.data_coding) for part in ordered):
        notes.append("[sent as binary data]")
    first = ordered[0]
    return InboundMessage(
        message_id=first.key,
        channel=ChannelName.SMS,
        date=min(part.received_at for part in ordered),
        sender=first.source,
        recipient=first.destination,
        subject="",
        text=text,
        full_text=text,
        fields={
            "smsc": first.smsc,
            "sender_kind": first.source.scheme.value,
            "segments": str(total),
            "data_coding": str(first.data_coding),
        },
        incomplete=" ".join(notes),
    )


def address_of(value: str, ton: int, region: str) -> Address:
    """Who an address names, by its type of number (SMPP 3.4, 5.2.5) and its look.

    Args:
        value: as the SMSC wrote it.
        ton: type of number.
        region: ISO 3166-1 country in which national numbers are read.
    """
    if not value:
        return Address(AddressScheme.ANONYMOUS, "")
    digits = value.removeprefix("+")
    if ton == _ALPHANUMERIC or not (digits.isascii() and digits.isdigit()):
        return Address(AddressScheme.ALPHANUMERIC, value)
    if value == digits and len(digits) <= LONGEST_SHORT_CODE:
        return Address(AddressScheme.SHORT_CODE, digits)
    return Address(AddressScheme.TEL, _e164(value, digits, ton, region))


def _e164(value: str, digits: str, ton: int, region: str) -> str:
    international = "+" + digits
    if value.startswith("+") or (ton == _INTERNATIONAL and not digits.startswith("0")):
        return international
    # National, or not said: with a trunk prefix, an international one, or neither.
    for attempt in (digits, international):
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return international


@dataclass(frozen=True, slots=True)
class _Place:
    reference: int
    bits: int
    total: int
    number: int


def _placed(reference: int, bits: int, total: int, number: int) -> _Place | None:
    """An element with a total or a number of zero, or a number above the total, is ignored."""
    if not 1 <= number <= total:
        return None
    return _Place(reference, bits, total, number) if total > 1 else None


def _without_header(message: ShortMessage) -> tuple[_Place | None, bytes]:
    content = message.content
    if not message.esm_class & _HEADER_PRESENT or not content:
        return None, content
    end = 1 + content[0]
    if end > len(content):  # no header after all: the words are kept
        return None, content
    place: _Place | None = None
    at = 1
    while at + 2 <= end:
        element, length = content[at], content[at + 1]
        value = content[at + 2 : at + 2 + length]
        at += 2 + length
        if at > end:
            break
        if element == _CONCATENATED_8 and length == 3:  # noqa: PLR2004 - octets of the element
            place = _placed(value[0], 8, value[1], value[2]) or place
        elif element == _CONCATENATED_16 and length == 4:  # noqa: PLR2004
            place = _placed(int.from_bytes(value[:2], "big"), 16, value[2], value[3]) or place
    return place, content[end:]


def _sar(message: ShortMessage) -> _Place | None:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    values = [message.parameters.get(tag, b"") for tag in tags]
    if not all(values):
        return None
    reference, total, number = (int.from_bytes(value, "big") for value in values)
    return _placed(reference & 0xFFFF, 16, total & 0xFF, number & 0xFF)


def _mark(number: int, total: int) -> str:
    return f"[part {number}/{total} missing]"


def _runs(by_number: dict[int, Part], total: int) -> Iterator[list[Part] | str]:
    """Neighbours of one alphabet together, with a mark where some are missing between them."""
    numbers = range(1, total + 1)

    def kind(number: int) -> tuple[int, int]:
        part = by_number.get(number)
        return (number, -1) if part is None else (0, part.data_coding)

    for (number, _), run in groupby(numbers, key=kind):
        if number:
            yield _mark(number, total)
        else:
            yield [by_number[one] for one in run]


def _words(run: list[Part] | str, alphabet: Alphabet, *, little: bool) -> str:
    if isinstance(run, str):
        return run
    pieces = [part.user_data for part in run]
    return decode(pieces, run[0].data_coding, alphabet, little_endian=little)
