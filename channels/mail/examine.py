# SPDX-License-Identifier: MIT
"""How a mail door looks at one mail before it hands it over: reading, key, facts of the sender."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from channels.errors import MalformedMessage
from channels.mail.key import idempotency_key
from channels.mail.mime import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from channels.mail.authenticity import Authenticator
    from channels.message import InboundMessage

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: The longest that a mail waits for the facts of its sender, a queue for them included.
FACTS_SECONDS = 10.0
_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Examined:
    """One mail, as far as its bytes alone tell.

    Attributes:
        message: what was read, ``None`` when it cannot be read.
        key: of promise 2.
        understood: what the reader made of the message besides, for the house; or ``None``.
    """

    message: InboundMessage | None
    key: str
    understood: object = None


class Reader(Protocol):
    """Reads mails elsewhere than on the event loop of a door."""

    async def open(self) -> None:
        """Get ready."""
        ...

    async def read(self, raw: bytes, sender: str, recipients: tuple[str, ...]) -> Examined:
        """As :func:`examine`."""
        ...

    async def close(self) -> None:
        """Read no more."""
        ...


def examine(
    raw: bytes,
    sender: str,
    recipients: tuple[str, ...],
    attempt: Callable[[bytes], AbstractContextManager[bool]],
) -> Examined:
    """Read a mail and make its key.

    Args:
        raw: the bytes as they came.
        sender: the envelope's sender, ``""`` for the null path.
        recipients: the envelope's recipients, as far as they are known.
        attempt: surrounds the reading and says whether the mail may be read at all.
    """
    with attempt(raw) as may_read:
        if may_read:
            try:
                message = read(raw, envelope_from=sender, envelope_to=recipients)
            except MalformedMessage:
                return Examined(None, idempotency_key(raw, "", sender, ""))
            date = message.date.isoformat() if message.date else ""
            key = idempotency_key(raw, message.message_id, message.sender.value, date)
            return Examined(message, key)
    return Examined(None, idempotency_key(raw, "", sender, ""))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mail came from and for whom, as its transport says.

    Attributes:
        recipients: of the envelope; empty where a mailbox does not tell them.
        peer: the network address of the client; ``""`` where it is not the sender's.
        helo: its name for itself, or ``""``.
        envelope_from: RFC 5321 reverse-path, ``""`` for the null path.
    """

    recipients: tuple[str, ...] = ()
    peer: str = ""
    helo: str = ""
    envelope_from: str = ""


class Facts:
    """Adds to a message what is known of its sender. Without it the mail is filed all the same.

    Args:
        authenticator: determines them; ``None``: there are none.
        count: is told ``facts_failed`` for each failure and each time-out.
        seconds: how long a mail waits for them.
    """

    def __init__(
        self,
        authenticator: Authenticator | None,
        count: Callable[[str], None],
        seconds: float = FACTS_SECONDS,
    ) -> None:
        self._authenticator = authenticator
        self._count = count
        self._seconds = seconds
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="mail-facts")

    def close(self) -> None:
        """Start no more of them."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def added(self, raw: bytes, message: InboundMessage, source: Source) -> InboundMessage:
        """The message with the facts among its fields. Waits without holding the event loop."""
        future = self._begun(raw, message, source)
        if future is None:
            return message
        try:
            found = await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            found = None
        return self._ended(message, found)

    def added_now(self, raw: bytes, message: InboundMessage, source: Source) -> InboundMessage:
        """As :meth:`added`, for a door that has a thread of its own."""
        future = self._begun(raw, message, source)
        if future is None:
            return message
        try:
            found = future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            found = None
        return self._ended(message, found)

    def _begun(
        self, raw: bytes, message: InboundMessage, source: Source
    ) -> Future[Mapping[str, str] | None] | None:
        authenticator = self._authenticator
        if authenticator is None:
            return None
        if not _safely(lambda: authenticator.wanted(message, source.recipients)):
            return None
        return self._workers.submit(
            _safely,
            lambda: authenticator.facts(
                raw,
                message,
                peer=source.peer,
                helo=source.helo,
                envelope_from=source.envelope_from,
            ),
        )

    def _ended(self, message: InboundMessage, found: Mapping[str, str] | None) -> InboundMessage:
        if found is None:
            self._count("facts_failed")
            return message
        return replace(message, fields={**message.fields, **found})


def _safely(ask: Callable[[], T]) -> T | None:
    """The answer, or ``None``: no fault of the facts may keep a mail from being filed."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - the mail is filed without them
        logger.warning("facts of a sender: %s", type(error).__name__)
        return None
