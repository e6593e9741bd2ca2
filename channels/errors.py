# SPDX-License-Identifier: MIT
"""What can go wrong between Guichet and a channel, as one small tree.

::

    ChannelError
    ├── UnverifiedRequest        the signature does not match          → HTTP 403
    ├── MalformedMessage         the bytes cannot be read as a message → HTTP 400 or quarantine
    └── DeliveryError            an outbound message did not go (``retryable``: try again?)
        ├── Unreachable          provider or handset cannot be reached now   (retryable)
        ├── Throttled            the provider asks us to slow down                   (retryable)
        ├── Rejected             the provider refused this message for good
        ├── OptedOut             the recipient has asked for silence on this channel
        └── Uncertain            it may have gone: ask the provider before sending again

Every message of these errors says what happened and what to do; none carries a citizen's words,
number, address or code, so that they may be logged.
"""

from __future__ import annotations


class ChannelError(Exception):
    """Root of everything that a channel raises on purpose."""


class UnverifiedRequest(ChannelError):  # noqa: N818 - the drawn tree's names
    """A delivery whose signature or token is missing or wrong. Answered 403, never stored."""


class MalformedMessage(ChannelError):  # noqa: N818
    """A verified delivery whose content cannot be read. The raw bytes are kept in quarantine."""


class DeliveryError(ChannelError):
    """An outbound message was not delivered.

    Attributes:
        retryable: whether the same message may be sent again later.
        code: the provider's own error code as text (``"30003"``, ``"550"``), or ``""``.
    """

    retryable: bool = False

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Unreachable(DeliveryError):  # noqa: N818
    """The other side does not answer now (refused, 5xx, handset off). Try again later."""

    retryable = True


class Throttled(DeliveryError):  # noqa: N818
    """The other side asks for a slower pace (HTTP 429, SMTP 452, ESME_RTHROTTLED).

    Attributes:
        retry_after: seconds the provider asks us to wait, or ``None`` when it did not say.
    """

    retryable = True

    def __init__(self, message: str, *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Rejected(DeliveryError):  # noqa: N818
    """The other side refused this message for good (SMTP 5xx, HTTP 4xx)."""


class OptedOut(DeliveryError):  # noqa: N818
    """The recipient opted out on this channel (Twilio 21610). Another channel or a person."""


class Uncertain(DeliveryError):  # noqa: N818
    """The message may or may not have gone (time-out after sending). Reconcile, then resend."""
