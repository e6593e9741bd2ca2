# SPDX-License-Identifier: MIT
"""Goes and looks: files the texts and recordings whose webhook never reached us (promise 1).

The idempotency key is that of the webhook, so a late webhook and this round never make two cases.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.channel import Accepted, Delivery
from channels.errors import DeliveryError, MalformedMessage
from channels.message import ChannelName
from channels.sms.twilio import idempotency_key
from channels.twilio_account import client_of, form_of
from channels.twilio_lists import Found, recordings_made, texts_received
from channels.voice.twilio import recording_key
from gateway.inbound.recordings import CALLED, CALLER, LANGUAGE, voice_of
from gateway.reading import read_delivery
from tracker.database import reading
from tracker.models import deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.house import House

logger = logging.getLogger(__name__)

#: How far back a round looks: longer than any outage that nobody notices.
LOOK_BACK = timedelta(days=2)


def look(house: House) -> int:
    """Do one round; return how many deliveries were filed.

    A provider that cannot be asked is logged and asked again in the next round.
    """
    twilio = house.settings.twilio
    tokens = [token.get_secret_value() for token in twilio.auth_tokens]
    if not twilio.account_sid or not tokens:
        return 0
    client = client_of(twilio.account_sid, tokens[0], twilio.api_base_url, twilio.timeout_seconds)
    since = house.clock() - LOOK_BACK
    filed = 0
    try:
        for found in _missing(house, texts_received(client, twilio.number, since), _text_key):
            filed += _file(house, ChannelName.SMS, _text_key(found), found.form, {})
        for found in _missing(house, recordings_made(client, since), _recording_key):
            caller, called = voice_of(house).parties(found.call_sid)
            told = {CALLER: caller or "anonymous", CALLED: called, LANGUAGE: ""}
            filed += _file(house, ChannelName.VOICE, _recording_key(found), found.form, told)
    except DeliveryError as error:
        logger.warning("the provider could not be asked what it holds: %s", type(error).__name__)
    if filed:
        logger.warning("%d deliveries were found at the provider and filed", filed)
    return filed


def _text_key(found: Found) -> str:
    return idempotency_key(form_of(found.form))


def _recording_key(found: Found) -> str:
    return recording_key(found.sid)


def _missing(house: House, found: Iterable[Found], key_of: Callable[[Found], str]) -> list[Found]:
    """Those whose key is not on record yet."""
    rows = {key_of(one): one for one in found}
    known: set[str] = set()
    keys = list(rows)
    with reading(house.engine).connect() as connection:
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            known.update(
                connection.scalars(
                    select(deliveries.c.idempotency_key).where(
                        deliveries.c.idempotency_key.in_(part)
                    )
                )
            )
    return [one for one_key, one in rows.items() if one_key not in known]


def _file(house: House, channel: ChannelName, key: str, body: bytes, told: dict[str, str]) -> int:
    delivery = Delivery(
        channel=channel,
        idempotency_key=key,
        received_at=house.clock(),
        peer="",
        headers={"content-type": "application/x-www-form-urlencoded", "swept": "1", **told},
        body=body,
    )
    try:
        message = read_delivery(delivery, house.settings, house.country)
    except MalformedMessage:
        message = None
    outcome = house.accept(delivery, message)
    return int(isinstance(outcome, Accepted) and not outcome.repeated)
