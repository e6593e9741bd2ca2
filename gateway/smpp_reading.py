# SPDX-License-Identifier: MIT
"""From kept parts to a delivery and its message, and back from a kept delivery to the message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from channels.channel import Delivery
from channels.message import ChannelName
from channels.sms.part import join, read_pdus
from channels.sms.smpp_alphabet import Alphabet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channels.message import InboundMessage
    from channels.sms.part import Part
    from config.settings import Settings

#: Begins the idempotency key of every delivery that came by SMPP.
PREFIX = "smpp:"
#: Header of a delivery that holds late parts alone.
LATE = "late"


def delivery_of(some: Sequence[Part], key: str, peer: str, *, late: bool = False) -> Delivery:
    """The raw delivery of parts: their units one after another, each with its own length."""
    headers = {"smsc": some[0].smsc, "parts": " ".join(str(part.number) for part in some)}
    if late:
        headers[LATE] = "yes"
    return Delivery(
        channel=ChannelName.SMS,
        idempotency_key=key,
        received_at=min(part.received_at for part in some),  # the clock starts with the first
        peer=peer[:64],
        headers=headers,
        body=b"".join(part.pdu for part in some),
    )


def read(delivery: Delivery, settings: Settings, region: str) -> InboundMessage:
    """Read a kept delivery (again).

    Raises:
        MalformedMessage: it still cannot be read.
    """
    some = read_pdus(
        delivery.body,
        smsc=delivery.headers.get("smsc", ""),
        region=region,
        received_at=delivery.received_at,
    )
    reader = late_message if delivery.headers.get(LATE) else message_of
    return reader(some, settings)


def message_of(some: Sequence[Part], settings: Settings) -> InboundMessage:
    """The message of all parts of a text that came; what is missing is marked in it."""
    smpp = settings.smpp
    return join(some, Alphabet(smpp.default_alphabet), utf16_little_endian=smpp.utf16_little_endian)


def late_message(some: Sequence[Part], settings: Settings) -> InboundMessage:
    """The words of late parts alone: without marks for those that came in time."""
    runs: list[list[Part]] = []
    for part in sorted(some, key=lambda part: part.number):
        if runs and runs[-1][-1].number == part.number - 1:
            runs[-1].append(part)
        else:
            runs.append([part])
    read_runs = [
        message_of(
            [replace(part, number=at, total=len(run)) for at, part in enumerate(run, start=1)],
            settings,
        )
        for run in runs
    ]
    text = "\n".join(message.text for message in read_runs)
    return replace(read_runs[0], text=text, full_text=text, incomplete="")
