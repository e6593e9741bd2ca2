# SPDX-License-Identifier: MIT
"""The door for texts: Twilio's webhook, and what becomes of our own texts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response

from channels.channel import Accepted, Refused
from channels.errors import MalformedMessage
from channels.message import ChannelName, InboundMessage
from channels.sms.twilio import idempotency_key, read_message, read_receipt
from gateway.inbound.provider import Webhook, apply_receipt, later, verified, xml
from gateway.telemetry import refused

blueprint = Blueprint("inbound_sms", __name__)

#: The acknowledgement goes by REST from the outbox, where it is tracked; never as TwiML.
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@blueprint.post("/inbound/sms/twilio")
def receive() -> Response:
    """File one text. 200 only after the commit; what is verified but unreadable is quarantined."""
    hook = verified(ChannelName.SMS)
    if isinstance(hook, Response):
        return hook
    key, message = _read(hook)
    delivery = hook.keyed(key)
    if message is not None:  # one webhook serves texts and WhatsApp: the answer goes back the same
        delivery = replace(delivery, channel=message.channel)
    outcome = hook.house.accept(delivery, message)
    if isinstance(outcome, Accepted):
        return xml(EMPTY)
    if isinstance(outcome, Refused):
        refused("sms", "policy")
        return Response(f"{outcome.reason}\n", status=422, mimetype="text/plain")
    return later()


@blueprint.post("/receipts/sms/twilio/<uuid:outbox_id>")
def receipt(outbox_id: UUID) -> Response:
    """Note what became of a text of ours."""
    hook = verified(ChannelName.SMS)
    if isinstance(hook, Response):
        return hook
    try:
        return apply_receipt(hook, outbox_id, read_receipt)
    except MalformedMessage as error:
        # A status we do not know yet: nothing is lost, and a repetition would change nothing.
        refused("sms", "receipt")
        return Response(f"{error}\n", status=400, mimetype="text/plain")


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
