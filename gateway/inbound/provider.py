# SPDX-License-Identifier: MIT
"""What every webhook of Twilio shares: size, the raw URL, the signature, and the refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from flask import Response, request
from sqlalchemy import Connection
from werkzeug.wsgi import get_input_stream

from channels.channel import Delivery
from channels.errors import UnverifiedRequest
from channels.message import ChannelName, Receipt
from channels.twilio_account import Form, verify
from gateway.house import House, current_house
from gateway.inbound.unsigned import note_refusal, note_success, secrets_of
from gateway.telemetry import receipt as count_receipt
from gateway.telemetry import refused, try_later
from tracker import receipts
from tracker.group_commit import StorageUnavailable

logger = logging.getLogger(__name__)

#: Seconds after which a peer may try again.
RETRY_AFTER = "30"
#: Headers that a later replay or a look at a quarantined delivery needs; no others are kept.
KEPT_HEADERS = ("Content-Type", "I-Twilio-Idempotency-Token")
#: What is read of a request beside its Content-Type: name, and key of PEP 3333.
READ_HEADERS = (
    ("I-Twilio-Idempotency-Token", "HTTP_I_TWILIO_IDEMPOTENCY_TOKEN"),
    ("X-Twilio-Signature", "HTTP_X_TWILIO_SIGNATURE"),
    ("X-Twilio-Webhooks-Signature-Settings", "HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS"),
)
#: Digits of a Content-Length that is read as a number at all.
LONGEST_LENGTH = 18
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

    def keyed(
        self,
        key: str,
        told: Mapping[str, str] | None = None,
        channel: ChannelName | None = None,
    ) -> Delivery:
        """The delivery under its key.

        Args:
            key: its idempotency key.
            told: what the signed URL told (a language), added to the headers that came.
            channel: where it is not that of the door.
        """
        more = {f"x-guichet-{name}": value for name, value in (told or {}).items() if value}
        return replace(
            self.delivery,
            idempotency_key=key,
            channel=channel or self.delivery.channel,
            headers={**self.delivery.headers, **more},
        )


def verified(channel: ChannelName) -> Webhook | Response:
    """Read and verify the present request of Flask; see :func:`webhook_of`."""
    return webhook_of(current_house(), request.environ, channel)


def webhook_of(house: House, environ: dict[str, Any], channel: ChannelName) -> Webhook | Response:
    """Read and verify a request.

    Args:
        house: what the door needs.
        environ: the request (PEP 3333); its body has not been read yet.
        channel: the door.

    Returns:
        The webhook, or the refusal to answer with: 413 for a body over
        ``web.max_webhook_bytes``, 403 for a signature that does not fit. Nothing is stored then.
    """
    limit = house.settings.web.max_webhook_bytes
    told = environ.get("CONTENT_LENGTH") or ""
    fits_limit = len(told) <= LONGEST_LENGTH and (not told.isdigit() or int(told) <= limit)
    body = get_input_stream(environ).read(limit + 1) if fits_limit else None
    if body is None or len(body) > limit:
        return _refusal(channel, "size", 413, "this request is too large")
    url = house.settings.public_base_url + _raw_target(environ)
    headers = {name: environ[key] for name, key in READ_HEADERS if key in environ}
    if "CONTENT_TYPE" in environ:
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    delivery = Delivery(
        channel=channel,
        idempotency_key="",
        received_at=house.clock(),
        peer=environ.get("REMOTE_ADDR") or "",
        headers=headers,
        body=body,
        url=url,
    )
    secrets = secrets_of(house.settings)
    try:
        form = verify(delivery, secrets.auth_tokens, url, secrets.shared_keys)
    except UnverifiedRequest:
        note_refusal(house, delivery, environ)
        return _refusal(channel, "signature", 403, "the signature of this request does not fit")
    note_success(house)
    # The signature is not kept: with the body, whoever reads both could send them again.
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    return Webhook(house, replace(delivery, headers=kept), form)


def _raw_target(environ: Mapping[str, Any]) -> str:
    """Path and query as they stood on the request line, byte for byte."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        if not raw.startswith("/"):  # absolute form of RFC 9112, 3.2.2
            parts = urlsplit(raw)
            return str(parts.path + (f"?{parts.query}" if parts.query else ""))
        return str(raw)
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # PEP 3333: bytes of the path as Latin-1.
    told = quote(path.encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING", "")
    return f"{told}?{query}" if query else told


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


def apply_receipt(
    hook: Webhook,
    outbox_id: UUID,
    read: Callable[[Form], Receipt],
    also: Callable[[Connection], None] = lambda _: None,
) -> Response:
    """Apply a status callback: 204, also for an unknown id; 503 when it cannot be stored.

    Args:
        hook: the callback.
        outbox_id: our own id, from its path.
        read: its reader.
        also: what else it tells, done in the same transaction.

    Raises:
        MalformedMessage: ``read`` could not read it.
    """
    house = hook.house
    told = read(hook.form)

    def apply(connection: Connection) -> None:
        receipts.apply(connection, outbox_id, told, house.clock())
        also(connection)

    try:
        house.writer.run(apply)
    except StorageUnavailable:
        try_later(str(hook.delivery.channel))
        return later()
    count_receipt(str(hook.delivery.channel), str(told.delivery_status))
    return Response(status=204)
