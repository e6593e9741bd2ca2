# SPDX-License-Identifier: MIT
"""The door for texts: Twilio's webhook, and what becomes of our own texts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from channels.channel import Accepted, Acknowledgement, Refused
from channels.errors import MalformedMessage
from channels.message import ChannelName, InboundMessage
from channels.sms.twilio import (
    idempotency_key,
    read_message,
    read_receipt,
    tells_opt_out,
)
from dispatcher.work import way_out
from gateway.house import House, current_house
from gateway.inbound.provider import (
    Webhook,
    apply_receipt,
    later,
    verified,
    webhook_of,
    xml,
)
from gateway.quiet import Later, QuietFlask, Ready
from gateway.telemetry import refused
from tracker import opt_outs
from tracker.models import outbox

PATH = "/inbound/sms/twilio"
blueprint = Blueprint("inbound_sms", __name__)

#: The acknowledgement goes by REST from the outbox, where it is tracked; never as TwiML.
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


#: What nearly every webhook is answered with.
_FILED = Ready(xml(EMPTY))


@blueprint.post(PATH)
def receive() -> ResponseReturnValue:
    """File one text; see :func:`file_text`."""
    answer = file_text(current_house(), request.environ)
    said = answer.wait() if isinstance(answer, Later) else answer
    return said if isinstance(said, Response) else xml(EMPTY)


@blueprint.record_once
def _open_door(state: BlueprintSetupState) -> None:
    """Hand the path to :func:`file_text` itself: routing and hooks cost more than all of it."""
    app = state.app
    if isinstance(app, QuietFlask):
        app.doors[PATH] = lambda environ: file_text(app.extensions["guichet"], environ)


def file_text(house: House, environ: dict[str, Any]) -> Response | Later:
    """File one text. 200 only after the commit; what is verified but unreadable is quarantined."""
    hook = webhook_of(house, environ, ChannelName.SMS)
    if isinstance(hook, Response):
        return hook
    key, message = _read(hook)
    # One webhook serves texts and WhatsApp: the answer goes back the same way.
    delivery = hook.keyed(key, channel=message.channel if message is not None else None)
    return Later(house.submit(delivery, message), _answer)


def _answer(outcome: Acknowledgement) -> Response | Ready:
    if isinstance(outcome, Accepted):
        return _FILED
    if isinstance(outcome, Refused):
        refused("sms", "policy")
        return Response(f"{outcome.reason}\n", status=422, mimetype="text/plain")
    return later()


@blueprint.post("/receipts/sms/twilio/<uuid:outbox_id>")
def receipt(outbox_id: UUID) -> Response:
    """Note what became of a text of ours; an opt-out that it tells is remembered."""
    hook = verified(ChannelName.SMS)
    if isinstance(hook, Response):
        return hook
    now = hook.delivery.received_at
    opted_out = tells_opt_out(hook.form)

    def remember(connection: Connection) -> None:
        if opted_out:
            _remember_opt_out(connection, outbox_id, now)

    try:
        return apply_receipt(hook, outbox_id, read_receipt, remember)
    except MalformedMessage as error:
        # A status we do not know yet: nothing is lost, and a repetition would change nothing.
        refused("sms", "receipt")
        return Response(f"{error}\n", status=400, mimetype="text/plain")


def _remember_opt_out(connection: Connection, outbox_id: UUID, now: datetime) -> None:
    """The provider blocks this recipient for us (21610): the next message takes another way."""
    entry = connection.execute(select(outbox).where(outbox.c.id == outbox_id)).first()
    if entry is not None:
        opt_outs.remember(connection, way_out(entry), entry.recipient, now)


def _read(hook: Webhook) -> tuple[str, InboundMessage | None]:
    """The key and the message; without a MessageSid the body's own digest is the key."""
    try:
        key = idempotency_key(hook.form)
    except MalformedMessage:
        return f"sms:sha256:{hashlib.sha256(hook.delivery.body).hexdigest()}", None
    try:
        region = hook.house.country.region
        return key, read_message(hook.form, hook.delivery.received_at, region)
    except MalformedMessage:
        return key, None
