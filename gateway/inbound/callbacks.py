# SPDX-License-Identifier: MIT
"""How a call of ours ended: heard, left alone, or to be tried once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from channels.message import DeliveryStatus, Receipt
from channels.twilio_account import Form
from channels.voice import twilio
from gateway.calling import calling_hours
from gateway.inbound.provider import Webhook
from tracker.database import reading
from tracker.models import OutboxKind, outbox
from tracker.outbox import put

#: Key of a payload: which call for the same answer this is, from 1.
CALL = "call"


def reader(
    hook: Webhook, outbox_id: UUID
) -> tuple[Callable[[Form], Receipt], Callable[[Connection], None]]:
    """How this callback is read, and what follows from it in the same transaction.

    A line that was busy or rang out is called again as an entry of its own: a callback may come
    before our own POST returned, whose record would undo a change of the entry itself.
    """
    house, form = hook.house, hook.form
    with reading(house.engine).connect() as connection:
        entry = connection.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    tries = house.settings.voice.call_tries
    number = int(entry.payload.get(CALL, 1)) if entry is not None else tries
    if entry is None or not twilio.may_be_called_again(form) or number >= tries:
        return twilio.read_receipt, lambda _: None
    again = house.clock() + timedelta(minutes=house.settings.voice.call_again_minutes)
    when = calling_hours(house.settings, house.country).next_moment(again)

    def read(form: Form) -> Receipt:
        told = twilio.read_receipt(form)
        return replace(
            told, delivery_status=DeliveryStatus.DEFERRED, detail=f"{told.detail}; called again"
        )

    def call_again(connection: Connection) -> None:
        put(
            connection,
            OutboxKind(entry.kind),
            f"call-again:{outbox_id}",
            now=house.clock(),
            channel=entry.channel,
            recipient_scheme=entry.recipient_scheme,
            recipient=entry.recipient,
            case_id=entry.case_id,
            message_id=entry.message_id,
            payload={**entry.payload, CALL: number + 1},
            not_before=when,
        )

    return read, call_again
