# SPDX-License-Identifier: MIT
"""SMPP 3.4 as the test's SMSC writes and reads it: from the standard, not through our own codec.

A fault that our codec makes both ways would otherwise not be seen.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """One unit."""

    command: int
    status: int
    sequence: int
    body: bytes


@dataclass(frozen=True)
class Submit:
    """One submit_sm of the ESME, in the order in which they came.

    ``message_id`` is the one answered, ``""`` where it was refused or not answered.
    """

    connection: int
    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    registered_delivery: int
    data_coding: int
    short_message: bytes
    status: int | None
    message_id: str


def pack(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """A whole unit."""
    return struct.pack(">4I", 16 + len(body), command, status, sequence) + body


def unpack(stream: bytearray) -> Unit | None:
    """Take the first whole unit from the stream, or ``None``."""
    if len(stream) < 16:
        return None
    length, command, status, sequence = struct.unpack(">4I", stream[:16])
    if not 16 <= length <= 100_000:
        raise ValueError(f"the ESME sent a command_length of {length}")
    if len(stream) < length:
        return None
    body = bytes(stream[16:length])
    del stream[:length]
    return Unit(command, status, sequence, body)


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def deliver_body(
    source: str,
    short_message: bytes,
    *,
    destination: str = "3737",
    esm_class: int = 0,
    data_coding: int = 0,
    source_ton: int = 1,
    parameters: bytes = b"",
) -> bytes:
    """Body of a deliver_sm."""
    return (
        b"\0"
        + bytes((source_ton, 1))
        + source.encode("latin-1")
        + b"\0\0\0"
        + destination.encode()
        + b"\0"
        + bytes((esm_class, 0, 0))
        + b"\0\0"
        + bytes((0, 0, data_coding, 0, len(short_message)))
        + short_message
        + parameters
    )


def data_body(source: str, payload: bytes, *, data_coding: int = 0, esm_class: int = 0) -> bytes:
    """Body of a data_sm, whose words are always a message_payload."""
    return (
        b"\0\1\1"
        + source.encode()
        + b"\0\0\0003737\0"
        + bytes((esm_class, 0, data_coding))
        + tlv(0x0424, payload)
    )


def read_submit(body: bytes, connection: int, status: int | None, message_id: str) -> Submit:
    """Read a submit_sm; anything out of order raises."""
    _, rest = body.split(b"\0", 1)  # service_type
    source_ton, rest = rest[0], rest[2:]
    source, rest = rest.split(b"\0", 1)
    destination_ton, rest = rest[0], rest[2:]
    destination, rest = rest.split(b"\0", 1)
    esm_class, rest = rest[0], rest[3:]
    _, rest = rest.split(b"\0", 1)  # schedule_delivery_time
    _, rest = rest.split(b"\0", 1)  # validity_period
    registered, _, data_coding, _, length = rest[:5]
    short_message = rest[5:]
    if len(short_message) != length:
        raise ValueError("sm_length does not fit the unit")
    return Submit(
        connection,
        source_ton,
        source.decode("ascii"),
        destination_ton,
        destination.decode("ascii"),
        esm_class,
        registered,
        data_coding,
        short_message,
        status,
        message_id,
    )


def concatenated(reference: int, total: int, number: int, *, bits: int = 8) -> bytes:
    """A user data header of TS 23.040, 9.2.3.24, with information element 00 or 08."""
    if bits == 16:
        return b"\x06\x08\x04" + struct.pack(">HBB", reference, total, number)
    return b"\x05\x00\x03" + bytes((reference, total, number))


def parts_of(
    source: str, text: str, *, reference: int, octets: int = 134, bits: int = 8
) -> list[bytes]:
    """Bodies of the deliver_sm of one Arabic (UCS-2) text, cut after so many octets each."""
    data = text.encode("utf-16-be")
    pieces = [data[at : at + octets] for at in range(0, len(data), octets)]
    return [
        deliver_body(
            source,
            concatenated(reference, len(pieces), number, bits=bits) + piece,
            esm_class=0x40,
            data_coding=8,
        )
        for number, piece in enumerate(pieces, 1)
    ]
