# SPDX-License-Identifier: MIT
"""Texts of ours on their way through an operator: handed on by the relay, sent by the SMPP door.

The relay composes a text as for any provider and hands it on as a row; from then on the SMPP
process is to it what Twilio is: it answers "queued", and tells the rest by receipts. A row has
the id of its outbox entry, so a relay that died is answered exactly: it was handed on, or not.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from channels.errors import Rejected, Uncertain, Unreachable
from channels.message import Address, AddressScheme, ChannelName, DeliveryStatus, Receipt
from channels.sms.part import Outgoing
from gateway import smpp_faults, telemetry
from tracker import outbox, texts
from tracker.database import reading
from tracker.models import SmsTextState, sms_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from channels.errors import DeliveryError
    from channels.message import OutboundMessage
    from gateway.house import House

logger = logging.getLogger(__name__)

#: Results that share one commit.
_MOST_TOGETHER = 200
_AGAIN_SECONDS = 1.0
_CLOSING_SECONDS = 5.0
#: The door's word for a text that it could not begin: no attempt was made.
_WAITED = "waited"


class HandedTexts:
    """The channel of the relay: keeps texts of one batch until :meth:`flush` stores them together.

    What was not flushed is not on record, so the sweeper makes its entry due again.

    Args:
        engine: the writing engine.
        clock: the present time.
    """

    name = ChannelName.SMS

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._rows: list[dict[str, object]] = []

    def send(self, message: OutboundMessage) -> Receipt:
        """Keep one text; the operator gives it an id later."""
        self._rows.append(
            {
                "outbox_id": UUID(message.idempotency_key),
                "recipient_scheme": str(message.recipient.scheme),
                "recipient": message.recipient.value,
                "sender": message.sender,
                "text": message.text,
            }
        )
        return Receipt("", DeliveryStatus.QUEUED, "handed to the SMPP line")

    def flush(self) -> None:
        """Store what is kept, before the relay records that it was sent."""
        rows, self._rows = self._rows, []
        if rows:
            with self._engine.begin() as connection:
                texts.put(connection, rows, self._clock())


class AskingTexts:
    """The channel of the sweeper: tells whether a text was handed on, and what became of it.

    Args:
        engine: the engine.
    """

    name = ChannelName.SMS

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def send(self, message: OutboundMessage) -> Receipt:
        """Return what is known of the text; nothing is sent.

        Raises:
            Unreachable: it was never handed on: it is to be handed on now.
            Rejected: it may have gone and nobody can tell: it is not sent again.
        """
        with reading(self._engine).connect() as connection:
            state = texts.state_of(connection, UUID(message.idempotency_key))
        if state is None:
            raise Unreachable("the text was not handed to the SMPP line")
        if state in (SmsTextState.UNKNOWN, SmsTextState.FAILED):
            raise Rejected(texts.UNCERTAIN, code="unknown")
        sent = state is SmsTextState.SUBMITTED
        status = DeliveryStatus.SENT if sent else DeliveryStatus.QUEUED
        return Receipt("", status, "handed to the SMPP line")


class SmppOutbox:
    """The texts that are due, for the door (an ``Outbox`` of ``channels.sms.part``).

    What became of them is recorded by the writing thread, many in one commit, and again until it
    is stored. What is not stored when the process dies becomes ``unknown``.

    Args:
        house: writer, engine, settings and clock.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        smpp = house.settings.smpp
        self._lease = smpp.hold_seconds + 2 * smpp.response_timeout_seconds
        self._news: deque[tuple[UUID, Sequence[str] | DeliveryError]] = deque()
        self._lock = threading.Lock()
        self._recording = False
        self._closing = False
        self._told = threading.Event()
        self._told.set()
        self._together = _MOST_TOGETHER
        self._in_hand = 0

    def due(self, limit: int) -> Sequence[Outgoing]:
        """Claim at most ``limit`` texts.

        Raises:
            StorageUnavailable: they could not be claimed now.
        """
        now = self._house.clock()
        with reading(self._house.engine).connect() as connection:
            if not texts.is_due(connection, now):
                return ()
        rows = self._house.writer.run(
            lambda connection: texts.claim(
                connection, limit=limit, lease_seconds=self._lease, now=now
            )
        )
        return [
            Outgoing(
                str(row.outbox_id),
                Address(AddressScheme(row.recipient_scheme), row.recipient),
                row.sender,
                row.text,
            )
            for row in rows
        ]

    def submitted(self, entry_id: str, message_ids: Sequence[str]) -> None:
        """Every segment was accepted, under these ids."""
        self._tell(UUID(entry_id), tuple(message_ids))

    def failed(self, entry_id: str, error: DeliveryError) -> None:
        """The text did not go, or nobody knows."""
        self._tell(UUID(entry_id), error)

    def close(self) -> None:
        """Wait a little until everything told so far is recorded."""
        self._closing = True
        if not self._told.wait(_CLOSING_SECONDS):
            logger.error("smpp: the fate of %d texts is not recorded", len(self._news))

    def _tell(self, entry_id: UUID, what: Sequence[str] | DeliveryError) -> None:
        with self._lock:
            self._news.append((entry_id, what))
            self._told.clear()
            if self._recording:
                return
            self._recording = True
        self._record_next()

    def _record_next(self) -> None:
        self._house.writer.submit(self._record, savepoint=False).add_done_callback(self._recorded)

    def _recorded(self, done: Future[None]) -> None:
        """Go on with what was told meanwhile; runs in the writing thread after its commit."""
        error = done.exception()
        with self._lock:
            count = self._in_hand
            if error is None or self._is_at_fault(error, count):
                for _ in range(count):
                    self._news.popleft()
                self._together = _MOST_TOGETHER
            elif error.__cause__ is not None and smpp_faults.is_its_own(error.__cause__):
                self._together = 1  # one of them is to blame, and spoils only itself
            if not self._news:
                self._recording = False
                self._told.set()
                return
        if error is None:
            self._record_next()
        elif not self._closing:
            again = threading.Timer(_AGAIN_SECONDS, self._record_next)
            again.daemon = True
            again.start()

    @staticmethod
    def _is_at_fault(error: BaseException, count: int) -> bool:
        """Whether one text alone cannot be recorded: then its claim expires, and a person sees."""
        cause = error.__cause__
        if count > 1 or cause is None or not smpp_faults.is_its_own(cause):
            return False
        logger.error("the fate of a text cannot be recorded: %s", type(cause).__name__)
        telemetry.smpp_event("record_refused")
        return True

    def _record(self, connection: Connection) -> None:
        """Record what was told by now: more than when this was queued. It may run again."""
        with self._lock:
            batch = [self._news[at] for at in range(min(self._together, len(self._news)))]
            self._in_hand = len(batch)
        now = self._house.clock()
        sent: dict[UUID, Sequence[str]] = {}
        for entry_id, what in batch:
            if isinstance(what, Exception):
                self._record_failure(connection, entry_id, what, now)
            else:  # also after an Uncertain of this text
                sent[entry_id] = what
        texts.submitted(connection, self._house.settings.smpp.name, sent, now)

    def _record_failure(
        self, connection: Connection, entry_id: UUID, error: DeliveryError, now: datetime
    ) -> None:
        detail = f"{error} ({error.code})" if error.code else str(error)
        if isinstance(error, Uncertain):
            texts.lose_sight(connection, entry_id, now)
            return
        if not error.retryable:
            texts.fail(connection, entry_id, detail, now)
            return
        queue = self._house.settings.queue
        attempts = connection.scalar(
            select(sms_texts.c.attempts).where(sms_texts.c.outbox_id == entry_id)
        )
        if attempts is None:
            return
        begun = error.code != _WAITED
        if begun and attempts >= queue.max_attempts:
            texts.fail(connection, entry_id, detail, now)
            return
        pause = getattr(error, "retry_after", None) or outbox.backoff_seconds(
            attempts - 1 if begun else 0,
            base=queue.retry_base_seconds,
            cap=queue.retry_cap_seconds,
        )
        texts.postpone(
            connection,
            entry_id,
            until=now + timedelta(seconds=pause),
            error=detail,
            count_attempt=begun,
        )
