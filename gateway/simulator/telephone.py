# SPDX-License-Identifier: MIT
"""The citizen's telephone as far as it writes: texts to the gateway, and texts that reach it.

Calls are in ``calls.py``. Parameters of the webhooks:
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

from channels.sms.segments import length
from gateway.simulator.state import WHATSAPP, State, Text, new_sid
from gateway.simulator.webhooks import WebhookFailed, Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SMS_PATH = "/inbound/sms/twilio"
#: Words that Twilio itself acts on (default opt-out keywords).
STOP_WORDS = frozenset(
    ("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL")
)
START_WORDS = frozenset(("START", "UNSTOP", "YES"))
HELP_WORDS = frozenset(("HELP", "INFO"))
#: Numbers with these ends fail, so that failure can be seen too.
OPTED_OUT_END, UNREACHABLE_END, UNANSWERED_END, LOST_END = "0000", "0001", "0003", "0004"
UNREACHABLE = 30003
#: Seconds between two reports of one text: quick, but in order, as on a good day.
PAUSE = 0.15


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """What a message by WhatsApp brings beside its words.

    Attributes:
        profile_name: the name that the citizen gave themselves there.
        pin: a shared place, latitude and longitude in degrees (WGS 84), or ``None``.
    """

    profile_name: str = ""
    pin: tuple[float, float] | None = None

    def form(self, sender: str) -> dict[str, str]:
        """The further parameters (https://www.twilio.com/docs/whatsapp/api)."""
        form = {"ProfileName": self.profile_name, "WaId": sender.removeprefix("+")}
        if self.pin is None:
            return form | {"MessageType": "text"}
        latitude, longitude = (f"{degrees:.6f}" for degrees in self.pin)
        return form | {"MessageType": "location", "Latitude": latitude, "Longitude": longitude}


class Telephone:
    """All citizens' telephones, as far as texts go.

    Args:
        state: where texts are kept.
        webhooks: how the gateway is asked.
        number: the gateway's number for texts (E.164).
        clock: the present time, aware UTC.
        whatsapp_number: the gateway's number for WhatsApp; ``""``: the same.
    """

    def __init__(
        self,
        state: State,
        webhooks: Webhooks,
        *,
        number: str,
        clock: Callable[[], datetime],
        whatsapp_number: str = "",
    ) -> None:
        self._state = state
        self._webhooks = webhooks
        self._number = number
        self._whatsapp_number = whatsapp_number or number
        self._clock = clock
        self._stopped = threading.Event()

    def text(
        self,
        sender: str,
        body: str,
        *,
        webhook: bool = True,
        sid: str = "",
        whatsapp: WhatsApp | None = None,
    ) -> Text:
        """Send a text from ``sender`` to the gateway.

        Args:
            sender: E.164 number, short code or alphanumeric sender.
            body: the words.
            webhook: ``False``: the provider has the text, but its webhook is lost on the way; the
                gateway can only find it by listing messages.
            sid: repeat the webhook of an earlier text (the provider tried again).
            whatsapp: what a message by WhatsApp brings beside its words; ``None``: an SMS.

        Returns:
            The text; its ``status`` is ``received`` when the gateway answered 2xx (or was not
            asked), else ``failed`` with Twilio's error 11200.
        """
        now = self._clock()
        text = self._state.texts.get(sid) if sid else None
        if text is None:
            text = self._state.texts.put(
                Text(
                    sid=new_sid("SM"),
                    sender=f"{WHATSAPP}{sender}" if whatsapp else sender,
                    recipient=f"{WHATSAPP}{self._whatsapp_number}" if whatsapp else self._number,
                    body=body,
                    direction="inbound",
                    status="received",
                    created_at=now,
                    updated_at=now,
                    segments=1 if whatsapp else length(body).segments,
                    more=whatsapp.form(sender) if whatsapp else {},
                )
            )
        opt_out_type = self._opt(text.sender, body)
        if not webhook:
            return text
        try:
            self._webhooks.send(SMS_PATH, self.inbound_form(text, opt_out_type))
        except WebhookFailed:
            # Twilio keeps the message as received and notes error 11200 beside it.
            return self._state.texts.change(text.sid, error_code=11200) or text
        return self._state.texts.change(text.sid, error_code=None) or text

    def inbound_form(self, text: Text, opt_out_type: str = "") -> dict[str, str]:
        """The parameters of the webhook that brings ``text``; places are blank, as in Morocco."""
        form = {
            "ToCountry": "",
            "ToState": "",
            "SmsMessageSid": text.sid,
            "NumMedia": "0",
            "ToCity": "",
            "FromZip": "",
            "SmsSid": text.sid,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": text.body,
            "FromCountry": "",
            "To": text.recipient,
            "ToZip": "",
            "NumSegments": str(text.segments),
            "MessageSid": text.sid,
            "AccountSid": self._webhooks.account_sid,
            "From": text.sender,
            "ApiVersion": "2010-04-01",
        }
        return form | dict(text.more) | ({"OptOutType": opt_out_type} if opt_out_type else {})

    def deliver(self, text: Text) -> None:
        """Carry a text of ours to its telephone, reporting each step. Returns at once."""
        self._webhooks.later(lambda: self._carry(text))

    def close(self) -> None:
        """Stop waiting between reports."""
        self._stopped.set()

    def _carry(self, text: Text) -> None:
        failed = text.recipient.endswith(UNREACHABLE_END)
        for status in ("queued", "sent", "undelivered" if failed else "delivered"):
            error = UNREACHABLE if status == "undelivered" else None
            changed = self._state.texts.change(
                text.sid, status=status, error_code=error, updated_at=self._clock()
            )
            if changed is not None and changed.status_callback:
                self._webhooks.later(partial(self._report, changed))
            if self._stopped.wait(PAUSE):
                return

    def _report(self, text: Text) -> None:
        form = {
            "SmsSid": text.sid,
            "SmsStatus": text.status,
            "MessageStatus": text.status,
            "MessageSid": text.sid,
            "AccountSid": self._webhooks.account_sid,
            "From": text.sender,
            "To": text.recipient,
            "ApiVersion": "2010-04-01",
        }
        if text.error_code is not None:
            form["ErrorCode"] = str(text.error_code)
        if text.status == "delivered":
            form["RawDlrDoneDate"] = text.updated_at.strftime("%y%m%d%H%M")
        self._webhooks.send(text.status_callback, form)

    def _opt(self, number: str, body: str) -> str:
        word = body.strip().upper()
        if word in STOP_WORDS:
            self._state.opted_out.add(number)
            return "STOP"
        if word in START_WORDS:
            self._state.opted_out.discard(number)
            return "START"
        return "HELP" if word in HELP_WORDS else ""


def rfc2822(moment: datetime | None) -> str | None:
    """A time as Twilio's REST API writes it, or ``None``."""
    return format_datetime(moment) if moment else None
