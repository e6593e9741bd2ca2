# SPDX-License-Identifier: MIT
"""Reads a stored delivery again, whichever door it came through. For replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.errors import MalformedMessage
from channels.mail.mime import read as read_mail
from channels.message import ChannelName
from channels.sms.twilio import read_message
from channels.twilio_account import form_of
from gateway import smpp_reading
from gateway.citizen import posted
from gateway.inbound import recordings

if TYPE_CHECKING:
    from channels.channel import Delivery
    from channels.message import InboundMessage
    from config.country import Country
    from config.settings import Settings


def read_delivery(delivery: Delivery, settings: Settings, country: Country) -> InboundMessage:
    """Read ``delivery`` with the reader of its channel.

    Raises:
        MalformedMessage: it still cannot be read.
    """
    match delivery.channel:
        case ChannelName.EMAIL:
            recipients = delivery.headers.get("envelope-to", "")
            return read_mail(
                delivery.body,
                envelope_from=delivery.headers.get("envelope-from", ""),
                envelope_to=tuple(part.strip() for part in recipients.split(",") if part.strip()),
            )
        case ChannelName.SMS if delivery.idempotency_key.startswith(smpp_reading.PREFIX):
            return smpp_reading.read(delivery, settings, country.region)
        case ChannelName.SMS | ChannelName.WHATSAPP:
            return read_message(form_of(delivery.body), delivery.received_at, country.region)
        case ChannelName.VOICE:
            return recordings.read(delivery)
        case ChannelName.WEB:
            reading = posted.replay(delivery, settings=settings, region=country.region)
            if reading.message is None:
                message = "the form does not pass its own checks"
                raise MalformedMessage(message)
            return reading.message
