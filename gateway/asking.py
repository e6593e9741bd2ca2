# SPDX-License-Identifier: MIT
"""A channel that asks the provider whether a message went, instead of sending it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from channels.errors import DeliveryError, Uncertain, Unreachable
from channels.message import DeliveryStatus, Receipt
from channels.sms.twilio import TwilioSms, text_digest
from channels.voice.twilio import TwilioVoice
from gateway.relay import STAYS_UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from channels.channel import Channel
    from channels.message import ChannelName, OutboundMessage

#: How far back the provider's list is searched: longer than an entry may stay unknown.
LOOK_BACK = STAYS_UNKNOWN + timedelta(hours=2)


class Asking:
    """Wraps a channel for reconciliation (design, step 5).

    Args:
        channel: the channel that may have sent it.
        clock: the present time.
        told: the provider's own id of a message, by our id of it, where a receipt came before the
            sending process could record it; ``""`` where none did.
    """

    def __init__(
        self,
        channel: Channel,
        clock: Callable[[], datetime],
        told: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._told = told

    @property
    def name(self) -> ChannelName:
        """The wrapped channel's name."""
        return self._channel.name

    def send(self, message: OutboundMessage) -> Receipt:
        """Return the receipt of the message as the provider knows it.

        Raises:
            Unreachable: the provider knows none: it is to be sent again.
            Uncertain: the provider cannot be asked now: nothing is sent, it is asked again.
        """
        # A call is placed, no more: how it ends is told or asked later.
        called = isinstance(self._channel, TwilioVoice)
        status = DeliveryStatus.QUEUED if called else DeliveryStatus.SENT
        # A receipt proves more than a search by words, which leaves out what has an owner already.
        if known := self._told(message.idempotency_key):
            return Receipt(known, status, "told by a receipt")
        since, found = self._clock() - LOOK_BACK, None
        try:
            if isinstance(self._channel, TwilioSms):
                digest = message.attempted or text_digest(message.text)
                to = message.recipient.value
                found = self._channel.reconcile(to, since, digest, message.channel)
            elif isinstance(self._channel, TwilioVoice):
                # Another call to the same telephone looks alike, so no earlier one is looked at.
                since = message.attempted_since or since
                found = self._channel.reconcile(message.recipient.value, since)
        except DeliveryError as error:
            raise Uncertain(f"the provider could not be asked: {error}", code=error.code) from error
        if found is None:
            raise Unreachable("the provider knows of no such message")
        return Receipt(found, status, "found at the provider")
