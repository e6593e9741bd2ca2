# SPDX-License-Identifier: MIT
"""The way back to a person who used the form: the tracking page itself.

An answer is readable there, with code and PIN, from the moment it is on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.message import ChannelName, DeliveryStatus, Receipt

if TYPE_CHECKING:
    from channels.message import OutboundMessage


class TrackingPage:
    """The web as an outward channel: nothing is transmitted, the page shows the record."""

    @property
    def name(self) -> ChannelName:
        """``web``."""
        return ChannelName.WEB

    def send(self, message: OutboundMessage) -> Receipt:
        """The record is the page: delivered as soon as it is committed."""
        return Receipt(message.idempotency_key, DeliveryStatus.DELIVERED, "on the tracking page")
