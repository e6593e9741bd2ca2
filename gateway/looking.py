# SPDX-License-Identifier: MIT
"""Goes and looks: files the texts and recordings whose webhook never reached us (promise 1).

The idempotency key is that of the webhook, so a late webhook and this round never make two cases.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import select

from channels.channel import Accepted, Delivery
from channels.errors import DeliveryError, MalformedMessage
from channels.message import ChannelName
from channels.sms.twilio import idempotency_key
from channels.sms.whatsapp import WHATSAPP
from channels.twilio_account import client_of, form_of
from channels.twilio_lists import (
    PAGE_ROWS,
    Call,
    Found,
    calls_received,
    recordings_made,
    texts_received,
    with_files,
)
from channels.voice.twilio import recording_key
from gateway.inbound.recordings import CALLED, CALLER, LANGUAGE
from gateway.reading import read_delivery
from tracker.database import reading
from tracker.models import deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from twilio.rest import Client

    from gateway.house import House

logger = logging.getLogger(__name__)

#: How far back a round looks: longer than any outage that nobody notices.
LOOK_BACK = timedelta(days=2)
#: A recording may have been made long after its call began.
LONGEST_CALL = timedelta(days=1)


def look(house: House) -> int:
    """Do one round; return how many deliveries were filed.

    A provider that cannot be asked is logged and asked again in the next round. One kind that
    cannot be listed does not keep the others from being looked at.
    """
    twilio = house.settings.twilio
    tokens = [token.get_secret_value() for token in twilio.auth_tokens]
    if not twilio.account_sid or not tokens:
        return 0
    client = client_of(twilio.account_sid, tokens[0], twilio.api_base_url, twilio.timeout_seconds)
    since = house.clock() - LOOK_BACK
    rounds = [partial(_look_for_texts, house, client, to, since) for to in _numbers(house)]
    rounds.append(partial(_look_for_recordings, house, client, since))
    filed = 0
    for one in rounds:
        try:
            for done in one():
                filed += done
        except DeliveryError as error:
            logger.warning(
                "the provider could not be asked what it holds: %s", type(error).__name__
            )
    if filed:
        logger.warning("%d deliveries were found at the provider and filed", filed)
    return filed


def _numbers(house: House) -> list[str]:
    """Our numbers as texts name them; a name (an alphanumeric sender) is never written to."""
    twilio = house.settings.twilio
    numbers = [twilio.number] if twilio.number.removeprefix("+").isdigit() else []
    by_whatsapp = twilio.whatsapp_number or twilio.number
    if by_whatsapp.removeprefix(WHATSAPP).startswith("+"):
        numbers.append(WHATSAPP + by_whatsapp.removeprefix(WHATSAPP))
    return numbers


def _look_for_texts(house: House, client: Client, to: str, since: datetime) -> Iterator[int]:
    for some in _batched(texts_received(client, to, since)):
        for found in _missing(house, some, _text_key):
            yield _file(house, ChannelName.SMS, _text_key(found), with_files(client, found).form)


def _look_for_recordings(house: House, client: Client, since: datetime) -> Iterator[int]:
    """Only calls to our line: an account may record others, and those are nobody's complaint."""
    ours: dict[str, Call] | None = None
    for some in _batched(recordings_made(client, since)):
        missing = _missing(house, some, _recording_key)
        if missing and ours is None:
            calls = calls_received(client, _line(house), since - LONGEST_CALL)
            ours = {call.sid: call for call in calls}
        for found in missing:
            call = (ours or {}).get(found.call_sid)
            if call is not None:
                told = {CALLER: call.caller or "anonymous", CALLED: call.called, LANGUAGE: ""}
                yield _file(house, ChannelName.VOICE, _recording_key(found), found.form, told)


def _line(house: House) -> str:
    """The number of the voice line, or ``""`` where only a name is set."""
    twilio = house.settings.twilio
    number = twilio.voice_number or twilio.number
    return number if number.removeprefix("+").isdigit() else ""


def _batched(found: Iterator[Found]) -> Iterator[list[Found]]:
    """In lists of a page each, so that a long outage is filed while it is still being listed."""
    while some := list(islice(found, PAGE_ROWS)):
        yield some


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


def _file(
    house: House,
    channel: ChannelName,
    key: str,
    body: bytes,
    told: Mapping[str, str] = MappingProxyType({}),
) -> int:
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
    if message is not None:  # a WhatsApp message is answered by WhatsApp
        delivery = replace(delivery, channel=message.channel)
    outcome = house.accept(delivery, message)
    return int(isinstance(outcome, Accepted) and not outcome.repeated)
