# SPDX-License-Identifier: MIT
"""How a call of ours ended: heard, left alone, or to be tried once more.

The provider tells it once, in a callback that it does not repeat. Where that is lost, we ask.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.errors import DeliveryError, Rejected
from channels.message import ChannelName, DeliveryStatus, Receipt
from channels.voice import twilio
from config import country as countries
from gateway.calling import calling_hours
from gateway.relay import STAYS_UNKNOWN
from tracker import receipts
from tracker.database import reading
from tracker.models import OutboxKind, OutboxState, outbox
from tracker.outbox import put

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from sqlalchemy import Connection, Engine, Row

    from channels.voice.twilio import TwilioVoice
    from config.country import Country
    from config.settings import Settings

logger = logging.getLogger(__name__)

#: Key of a payload: which call for the same answer this is, from 1.
CALL = "call"
#: Key of a payload: how many parts of an answer were begun, and of how many.
PARTS = "parts_read"
#: Between two rounds of asking, and how many calls one round asks after.
ASK_EVERY, AT_ONCE = timedelta(minutes=1), 50


def follow(
    engine: Engine,
    settings: Settings,
    country: Country,
    outbox_id: UUID,
    told: Receipt,
    now: datetime,
) -> tuple[Receipt, Callable[[Connection], None]]:
    """What to note of the end of a call, and what follows from it in the same transaction.

    A line that was busy or rang out is called again as an entry of its own: a callback may come
    before our own POST returned, whose record would undo a change of the entry itself.
    """
    with reading(engine).connect() as connection:
        entry = connection.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    if entry is not None and told.detail == twilio.NOT_HEARD and PARTS in entry.payload:
        begun, of = entry.payload[PARTS]
        told = replace(told, detail=f"answered, and {begun} of {of} parts read")
    tries = settings.voice.call_tries
    number = int(entry.payload.get(CALL, 1)) if entry is not None else tries
    if entry is None or not twilio.may_be_called_again(told) or number >= tries:
        return told, lambda _: None
    again = now + timedelta(minutes=settings.voice.call_again_minutes)
    when = calling_hours(settings, country).next_moment(again)

    def call_again(connection: Connection) -> None:
        put(
            connection,
            OutboxKind(entry.kind),
            f"call-again:{outbox_id}",
            now=now,
            channel=entry.channel,
            recipient_scheme=entry.recipient_scheme,
            recipient=entry.recipient,
            case_id=entry.case_id,
            message_id=entry.message_id,
            payload={**entry.payload, CALL: number + 1},
            not_before=when,
        )

    deferred = replace(
        told, delivery_status=DeliveryStatus.DEFERRED, detail=f"{told.detail}; called again"
    )
    return deferred, call_again


def note_call(connection: Connection, outbox_id: UUID, sid: str) -> None:
    """Note whose call it is that was picked up, where our own request never learnt its id.

    Then it is taken for no other entry's, and this entry's is not placed again.
    """
    connection.execute(
        outbox.update()
        .where(outbox.c.id == outbox_id, outbox.c.provider_id == "")
        .values(provider_id=sid)
    )


def note_part(connection: Connection, outbox_id: UUID, part: int, of: int) -> None:
    """Note that a part of an answer was begun, from 1: how far a call came that ends before it."""
    query = select(outbox.c.payload).where(outbox.c.id == outbox_id).with_for_update()
    payload = connection.scalar(query)
    if payload is None or of == 1:
        return
    told = {**payload, PARTS: [max(part, payload.get(PARTS, [0])[0]), of]}
    connection.execute(outbox.update().where(outbox.c.id == outbox_id).values(payload=told))


class LostEnds:
    """Asks the provider how calls ended of whose end no callback told.

    Args:
        settings: how long a callback is waited for, and the hours of calls.
        engine: the writing engine.
        voice: the channel that placed the calls.
        clock: the present time.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        voice: TwilioVoice,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._country = countries.load(settings.country)
        self._engine = engine
        self._voice = voice
        self._clock = clock
        self._next: datetime | None = None

    def sweep(self) -> int:
        """Do one round, at most once a minute; return how many calls were found to have ended."""
        now = self._clock()
        if self._next is not None and now < self._next:
            return 0
        self._next = now + ASK_EVERY
        reachable, ended = True, 0
        for entry in self._waiting(now):
            told = None
            if reachable:
                try:
                    told = self._voice.ended(entry.provider_id)
                except Rejected as error:
                    detail = f"the provider knows no such call ({error.code})"
                    told = Receipt(entry.provider_id, DeliveryStatus.FAILED, detail)
                except DeliveryError as error:
                    logger.warning("how calls ended cannot be asked: %s", type(error).__name__)
                    reachable = False
            if told is None and now - entry.done_at > STAYS_UNKNOWN:
                detail = "nobody could tell for a day how the call ended"
                told = Receipt(entry.provider_id, DeliveryStatus.FAILED, detail)
            if told is not None:
                self._note(entry, told, now)
                ended += 1
        return ended

    def _waiting(self, now: datetime) -> Sequence[Row[Any]]:
        """Calls placed some time ago of which nothing more is known, the oldest first.

        Entries of this channel that left as texts have the ids of texts.
        """
        patience = timedelta(minutes=self._settings.voice.callback_minutes)
        query = (
            select(outbox)
            .where(
                outbox.c.channel == str(ChannelName.VOICE),
                outbox.c.state == str(OutboxState.DONE),
                outbox.c.delivery_status == str(DeliveryStatus.QUEUED),
                outbox.c.provider_id.startswith(twilio.CALL_PREFIX),
                outbox.c.done_at < now - patience,
            )
            .order_by(outbox.c.done_at)
            .limit(AT_ONCE)
        )
        with reading(self._engine).connect() as connection:
            return connection.execute(query).all()

    def _note(self, entry: Row[Any], told: Receipt, now: datetime) -> None:
        told, again = follow(self._engine, self._settings, self._country, entry.id, told, now)
        with self._engine.begin() as connection:
            receipts.apply(connection, entry.id, told, now)
            again(connection)
