# SPDX-License-Identifier: MIT
"""What every webhook of Twilio shares: size, the raw URL, the signature, and the refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from flask import Response, request

from channels.channel import Delivery
from channels.errors import UnverifiedRequest
from channels.message import ChannelName, Receipt
from channels.twilio_account import Form, verify
from gateway.house import House, current_house
from gateway.telemetry import receipt as count_receipt
from gateway.telemetry import refused, try_later
from tracker import receipts
from tracker.group_commit import StorageUnavailable

logger = logging.getLogger(__name__)

#: Seconds after which a peer may try again.
RETRY_AFTER = "30"
#: Headers that a later replay or a look at a quarantined delivery needs; no others are kept.
KEPT_HEADERS = ("Content-Type", "I-Twilio-Idempotency-Token")
XML = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified request of the provider.

    Attributes:
        house: what the door needs.
        delivery: the raw request, without an idempotency key yet.
        form: its pairs; empty for a verified body that is no form.
    """

    house: House
    delivery: Delivery
    form: Form

    def keyed(self, key: str, **headers: str) -> Delivery:
        """The delivery under its key; ``headers`` add what the signed URL told (a language)."""
        told = {f"x-guichet-{name}": value for name, value in headers.items() if value}
        return replace(
            self.delivery, idempotency_key=key, headers={**self.delivery.headers, **told}
        )


def verified(channel: ChannelName) -> Webhook | Response:
    """Read and verify the present request.

    Returns:
        The webhook, or the refusal to answer with: 413 for a body over
        ``web.max_webhook_bytes``, 403 for a signature that does not fit. Nothing is stored then.
    """
    house = current_house()
    limit = house.settings.web.max_webhook_bytes
    body = request.stream.read(limit + 1) if (request.content_length or 0) <= limit else None
    if body is None or len(body) > limit:
        return _refusal(channel, "size", 413, "this request is too large")
    url = house.settings.public_base_url + _raw_target()
    delivery = Delivery(
        channel=channel,
        idempotency_key="",
        received_at=house.clock(),
        peer=request.remote_addr or "",
        headers={
            name: request.headers[name]
            for name in (*KEPT_HEADERS, "X-Twilio-Signature")
            if name in request.headers
        },
        body=body,
        url=url,
    )
    tokens = [token.get_secret_value() for token in house.settings.twilio.auth_tokens]
    try:
        form = verify(delivery, tokens, url)
    except UnverifiedRequest:
        return _refusal(channel, "signature", 403, "the signature of this request does not fit")
    # The signature is not kept: with the body, whoever reads both could send them again.
    headers = {name: v for name, v in delivery.headers.items() if name in KEPT_HEADERS}
    return Webhook(house, replace(delivery, headers=headers), form)


def _raw_target() -> str:
    """Path and query as they stood on the request line, byte for byte."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    if raw:
        if not raw.startswith("/"):  # absolute form of RFC 9112, 3.2.2
            parts = urlsplit(raw)
            return parts.path + (f"?{parts.query}" if parts.query else "")
        return str(raw)
    path = quote(request.environ.get("SCRIPT_NAME", "") + request.path, safe="/:@!$&'()*+,;=~-._")
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _refusal(channel: ChannelName, reason: str, status: int, sentence: str) -> Response:
    refused(str(channel), reason)
    # Counted always, logged at a level that a flood does not fill the disk with.
    logger.debug("%s webhook refused: %s", channel, reason)
    return Response(f"{sentence}\n", status=status, mimetype="text/plain")


def later(sentence: str = "storage is not available; try again later") -> Response:
    """503 with Retry-After: nothing was stored."""
    return Response(
        f"{sentence}\n", status=503, mimetype="text/plain", headers={"Retry-After": RETRY_AFTER}
    )


def xml(document: str, status: int = 200) -> Response:
    """A TwiML answer."""
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else None  # noqa: PLR2004
    return Response(document, status=status, content_type=XML, headers=headers)


def apply_receipt(hook: Webhook, outbox_id: object, read: Callable[[Form], Receipt]) -> Response:
    """Apply a status callback: 204, also for an unknown id; 503 when it cannot be stored.

    Raises:
        MalformedMessage: ``read`` could not read it.
    """
    house = hook.house
    told = read(hook.form)
    try:
        house.writer.run(
            lambda connection: receipts.apply(connection, outbox_id, told, house.clock())  # type: ignore[arg-type]
        )
    except StorageUnavailable:
        try_later(str(hook.delivery.channel))
        return later()
    count_receipt(str(hook.delivery.channel), str(told.delivery_status))
    return Response(status=204)
