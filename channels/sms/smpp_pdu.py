# SPDX-License-Identifier: MIT
"""Protocol data units of SMPP 3.4: framing, headers, and the few bodies that an ESME needs.

A unit is a header of four big-endian words (``command_length``, ``command_id``,
``command_status``, ``sequence_number``; section 3.2) and a body of mandatory parameters followed
by optional ones as tag, length and value (5.3). What a peer sends is judged, never trusted: each
function here either returns or raises :class:`MalformedPdu` or :class:`FramingLost`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from channels.errors import MalformedMessage

#: Octets of a unit: a bare header, and what a message_payload of 64 KiB may lead to (5.3.2.32).
SHORTEST, LONGEST = 16, 65_536
HIGHEST_SEQUENCE = 0x7FFF_FFFF
RESPONSE = 0x8000_0000
#: Octets of short_message (5.2.22); a longer one needs message_payload.
LONGEST_SHORT_MESSAGE = 254

_HEADER = struct.Struct(">IIII")
_WORD = struct.Struct(">I")
_TAG = struct.Struct(">HH")
#: Octets of an address, the closing zero left out: 64 in data_sm (4.7.1), 20 elsewhere.
_LONGEST_ADDRESS = 64


class Command(IntEnum):
    """``command_id`` (5.1.2.1); a response has the highest bit set."""

    GENERIC_NACK = 0x8000_0000
    OUTBIND = 0x0000_000B
    SUBMIT_SM = 0x0000_0004
    SUBMIT_SM_RESP = 0x8000_0004
    DELIVER_SM = 0x0000_0005
    DELIVER_SM_RESP = 0x8000_0005
    UNBIND = 0x0000_0006
    UNBIND_RESP = 0x8000_0006
    BIND_TRANSCEIVER = 0x0000_0009
    BIND_TRANSCEIVER_RESP = 0x8000_0009
    ENQUIRE_LINK = 0x0000_0015
    ENQUIRE_LINK_RESP = 0x8000_0015
    ALERT_NOTIFICATION = 0x0000_0102
    DATA_SM = 0x0000_0103
    DATA_SM_RESP = 0x8000_0103


class Tag(IntEnum):
    """Optional parameters that are read here (5.3.2); every other tag is carried, not read."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Status(IntEnum):
    """``command_status`` that we answer ourselves (5.1.3)."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND_ID = 0x03
    INVALID_SOURCE_ADDRESS = 0x0A
    TEMPORARY_APPLICATION_ERROR = 0x64


class FramingLost(MalformedMessage):
    """The length of a unit cannot be right: where the next one begins is not known any more."""


class MalformedPdu(MalformedMessage):
    """A whole unit whose body cannot be read; the next one can.

    Attributes:
        status: the ``command_status`` to answer.
    """

    def __init__(self, message: str, status: Status) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit as it came: its header, and all of its octets."""

    command_id: int
    command_status: int
    sequence_number: int
    raw: bytes

    @property
    def body(self) -> bytes:
        """Everything after the header."""
        return self.raw[SHORTEST:]

    @property
    def is_response(self) -> bool:
        """Whether it answers a unit of ours."""
        return bool(self.command_id & RESPONSE)


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """Body of deliver_sm (4.6.1) or data_sm (4.7.1).

    Attributes:
        source_ton: type of number of the sender (5.2.5).
        source: address of the sender, as it stands.
        destination_ton: type of number of the recipient.
        destination: address of the recipient, as it stands.
        esm_class: message mode, type and features (5.2.12).
        data_coding: the alphabet (5.2.19).
        content: short_message or message_payload, with the user data header where there is one.
        parameters: optional parameters by tag; the last of a repeated one.
        damaged: whether the optional parameters end in the middle of one.
    """

    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    data_coding: int
    content: bytes
    parameters: Mapping[int, bytes] = field(default_factory=dict)
    damaged: bool = False


class Buffer:
    """Octets of a stream until they are whole units, however they were cut by the network."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._start = 0

    def feed(self, octets: bytes) -> None:
        """Add what was read."""
        if self._start:
            del self._octets[: self._start]
            self._start = 0
        self._octets += octets

    def take(self) -> Pdu | None:
        """The next whole unit, or ``None`` until more has come.

        Raises:
            FramingLost: its ``command_length`` is below 16 or above 65,536.
        """
        held = len(self._octets) - self._start
        if held < _WORD.size:
            return None
        (length,) = _WORD.unpack_from(self._octets, self._start)
        if not SHORTEST <= length <= LONGEST:
            raise FramingLost("a command_length out of bounds; the connection must begin anew")
        if held < length:
            return None
        raw = bytes(self._octets[self._start : self._start + length])
        self._start += length
        return _opened(raw)


def units(octets: bytes) -> Iterator[Pdu]:
    """Cut kept units apart again.

    Raises:
        FramingLost: what remains is no whole unit.
    """
    buffer = Buffer()
    buffer.feed(octets)
    read = 0
    while (pdu := buffer.take()) is not None:
        read += len(pdu.raw)
        yield pdu
    if read != len(octets):
        raise FramingLost("the kept octets end in the middle of a unit")


def _opened(raw: bytes) -> Pdu:
    _, command_id, command_status, sequence_number = _HEADER.unpack_from(raw)
    return Pdu(command_id, command_status, sequence_number, raw)


def encode(command_id: int, sequence_number: int, body: bytes = b"", status: int = 0) -> bytes:
    """A whole unit."""
    header = _HEADER.pack(SHORTEST + len(body), command_id, status, sequence_number)
    return header + body


def bind_body(  # the order of 4.1.5
    system_id: str, password: str, system_type: str, ton: int, npi: int, addr_range: str
) -> bytes:
    """Body of bind_transceiver, with ``interface_version`` 3.4."""
    return (
        c_octets(system_id)
        + c_octets(password)
        + c_octets(system_type)
        + bytes((0x34, ton, npi))
        + c_octets(addr_range)
    )


def submit_body(
    *,
    source: tuple[int, int, str],
    destination: tuple[int, int, str],
    esm_class: int,
    registered_delivery: int,
    data_coding: int,
    short_message: bytes,
) -> bytes:
    """Body of submit_sm (4.4.1); an address is type of number, numbering plan and digits."""
    if len(short_message) > LONGEST_SHORT_MESSAGE:
        raise ValueError("a short_message has at most 254 octets")
    return b"".join(
        (
            b"\0",  # service_type: the SMSC's default
            bytes(source[:2]),
            c_octets(source[2]),
            bytes(destination[:2]),
            c_octets(destination[2]),
            # protocol_id, priority_flag; schedule_delivery_time and validity_period unsaid
            bytes((esm_class, 0, 0, 0, 0)),
            # replace_if_present_flag and sm_default_msg_id are 0
            bytes((registered_delivery, 0, data_coding, 0, len(short_message))),
            short_message,
        )
    )


def c_octets(text: str) -> bytes:
    """A C-octet string: ASCII and a closing zero; anything else raises :class:`ValueError`."""
    octets = text.encode("ascii")
    if b"\0" in octets:
        raise ValueError("a zero inside a C-octet string")
    return octets + b"\0"


def message_id(pdu: Pdu) -> str:
    """The ``message_id`` of a submit_sm_resp (4.4.2); some leave out its closing zero."""
    return pdu.body.split(b"\0", 1)[0].decode("latin-1").strip()


def read_short_message(pdu: Pdu) -> ShortMessage:
    """Read a deliver_sm or a data_sm.

    Raises:
        MalformedPdu: a mandatory parameter is cut off. Damaged optional parameters are no reason:
            what was read before them is kept.
    """
    body = pdu.body
    is_data = pdu.command_id == Command.DATA_SM
    try:
        _, at = _string(body, 0)
        source_ton = body[at]
        source, at = _string(body, at + 2)
        destination_ton = body[at]
        destination, at = _string(body, at + 2)
        esm_class = body[at]
        if is_data:  # esm_class, registered_delivery, data_coding
            data_coding, at, short = body[at + 2], at + 3, b""
        else:
            at += 3  # esm_class, protocol_id, priority_flag
            _, at = _string(body, at)
            _, at = _string(body, at)
            data_coding, length = body[at + 2], body[at + 4]
            at += 5
            short = body[at : at + length]
            if len(short) < length:
                raise MalformedPdu("sm_length beyond the unit", Status.INVALID_MESSAGE_LENGTH)
            at += length
    except IndexError:
        raise MalformedPdu(
            "a mandatory parameter is cut off", Status.INVALID_COMMAND_LENGTH
        ) from None
    if len(source) > _LONGEST_ADDRESS or len(destination) > _LONGEST_ADDRESS:
        raise MalformedPdu("an address is too long", Status.INVALID_SOURCE_ADDRESS)
    parameters, damaged = _parameters(body, at)
    return ShortMessage(
        source_ton=source_ton,
        source=source.decode("latin-1").strip(),
        destination_ton=destination_ton,
        destination=destination.decode("latin-1").strip(),
        esm_class=esm_class,
        data_coding=data_coding,
        content=_content(short, parameters.get(Tag.MESSAGE_PAYLOAD, b"")),
        parameters=parameters,
        damaged=damaged,
    )


def _content(short: bytes, payload: bytes) -> bytes:
    """Only one should be filled; where both are, one is often the beginning of the other."""
    return payload if payload.startswith(short) else short + payload


def _string(body: bytes, start: int) -> tuple[bytes, int]:
    end = body.find(b"\0", start)
    if end < 0:
        raise IndexError
    return body[start:end], end + 1


def _parameters(body: bytes, start: int) -> tuple[dict[int, bytes], bool]:
    found: dict[int, bytes] = {}
    while start + _TAG.size <= len(body):
        tag, length = _TAG.unpack_from(body, start)
        start += _TAG.size
        if start + length > len(body):
            if tag == Tag.MESSAGE_PAYLOAD:  # words, though fewer than were announced
                found[tag] = body[start:]
            return found, True
        found[tag] = body[start : start + length]
        start += length
    return found, start != len(body)
