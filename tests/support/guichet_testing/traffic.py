# SPDX-License-Identifier: MIT
"""Citizens and a provider as a program: signed webhooks and mails that are tried again."""

from __future__ import annotations

import json
import smtplib
import uuid
from collections.abc import Mapping

import httpx
from twilio.request_validator import RequestValidator

from guichet_testing.gateway import RunningGateway


def webhook(
    house: RunningGateway, sender: str, words: str, sid: str | None = None
) -> dict[str, str]:
    """The form of a text's webhook."""
    return {
        "MessageSid": sid or "SM" + uuid.uuid4().hex,
        "AccountSid": house.environment["GUICHET_TWILIO__ACCOUNT_SID"],
        "From": sender,
        "To": house.environment["GUICHET_TWILIO__NUMBER"],
        "Body": words,
        "NumMedia": "0",
        "FromCity": "",
    }


def signature(house: RunningGateway, path: str, form: Mapping[str, str]) -> str:
    """The provider's signature over the public URL."""
    token = json.loads(house.environment["GUICHET_TWILIO__AUTH_TOKENS"])[0]
    return str(RequestValidator(token).compute_signature(house.base + path, dict(form)))


def post_text(house: RunningGateway, form: Mapping[str, str], timeout: float = 15) -> int:
    """Post one signed webhook; the HTTP status, or 0 when nobody answered."""
    path = "/inbound/sms/twilio"
    try:
        return httpx.post(
            house.base + path,
            data=dict(form),
            headers={"X-Twilio-Signature": signature(house, path, form)},
            timeout=timeout,
        ).status_code
    except httpx.HTTPError:
        return 0


def mail(sender: str, words: str, message_id: str | None = None, trace: str = "") -> bytes:
    """One plain mail as bytes."""
    lines = [
        *([f"Received: {trace}"] if trace else []),
        f"From: {sender}",
        "To: complaints@guichet.example",
        "Subject: Eau",
        f"Message-ID: <{message_id or uuid.uuid4().hex + '@example.org'}>",
        "Date: Sun, 01 Mar 2026 12:00:00 +0000",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        words,
        "",
    ]
    return "\r\n".join(lines).encode()


def send_mail(house: RunningGateway, sender: str, raw: bytes, timeout: float = 15) -> int:
    """Send one mail on a connection of its own; the last SMTP code, or 0 when nobody answered."""
    try:
        with smtplib.SMTP("127.0.0.1", house.smtp_port, timeout=timeout) as client:
            client.ehlo("client.example")
            code, _ = client.mail(sender)
            if code != 250:
                return code
            code, _ = client.rcpt("complaints@guichet.example")
            if code != 250:
                return code
            code, _ = client.data(raw)
            return code
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except (OSError, smtplib.SMTPException):
        return 0
