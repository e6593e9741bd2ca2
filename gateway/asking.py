# SPDX-License-Identifier: MIT
"""A channel that asks the provider whether a message went, instead of sending it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from channels.errors import Unreachable
from channels.message import DeliveryStatus, Receipt
from channels.sms.twilio import TwilioSms, text_digest
from channels.voice.twilio import TwilioVoice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from channels.channel import Channel
    from channels.message import ChannelName, OutboundMessage

#: How far back the provider's list is searched.
LOOK_BACK = timedelta(hours=6)


class Asking:
    """Wraps a channel for reconciliation (design, step 5).

    Args:
        channel: the channel that may have sent it.
        clock: the present time.
    """

    def __init__(self, channel: Channel, clock: Callable[[], datetime]) -> None:
        self._channel = channel
        self._clock = clock

    @property
    def name(self) -> ChannelName:
        """The wrapped channel's name."""
        return self._channel.name

    def send(self, message: OutboundMessage) -> Receipt:
        """Return the receipt of the message as the provider knows it.

        Raises:
            Unreachable: the provider knows none, or cannot be asked: it is to be sent again.
        """
        since, found = self._clock() - LOOK_BACK, None
        if isinstance(self._channel, TwilioSms):
            digest = text_digest(message.text)
            found = self._channel.reconcile(message.recipient.value, since, digest, message.channel)
        elif isinstance(self._channel, TwilioVoice):
            found = self._channel.reconcile(message.recipient.value, since)
        if found is None:
            raise Unreachable("the provider knows of no such message")
        return Receipt(found, DeliveryStatus.SENT, "found at the provider")
