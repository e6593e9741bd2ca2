# SPDX-License-Identifier: MIT
"""What the provider tells of a call: the webhooks' parameters and the status callbacks.

Parameters and their spelling: https://www.twilio.com/docs/voice/twiml#request-parameters
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from gateway.simulator.state import Call, Recording
    from gateway.simulator.twiml import Verb
    from gateway.simulator.webhooks import Webhooks

#: What Twilio knows of a place, which in Morocco is nothing: present and blank.
BLANK_PLACES = {
    f"{side}{part}": ""
    for side in ("From", "To", "Caller", "Called")
    for part in ("City", "State", "Zip", "Country")
}
EVENTS = ("initiated", "ringing", "answered", "completed")
#: A telephone whose number ends so is answered by a machine.
MACHINE_END = "0005"


def answered_by(number: str) -> str:
    """Who picks up (https://www.twilio.com/docs/voice/answering-machine-detection)."""
    return "machine_end_beep" if number.endswith(MACHINE_END) else "human"


class CallReports:
    """Builds and sends what the gateway is told of calls; callbacks leave on threads of their own.

    Args:
        webhooks: how the gateway is asked.
        clock: the present time, aware UTC.
        recording_base: the provider's URL under which recordings are served.
    """

    def __init__(
        self, webhooks: Webhooks, *, clock: Callable[[], datetime], recording_base: str
    ) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._recording_base = recording_base.rstrip("/")

    def form(self, call: Call) -> dict[str, str]:
        """The parameters of every voice webhook of ``call``."""
        return {
            "CallSid": call.sid,
            "AccountSid": self._webhooks.account_sid,
            "From": call.caller,
            "To": call.called,
            "Caller": call.caller,
            "Called": call.called,
            "CallStatus": call.status,
            "ApiVersion": "2010-04-01",
            "Direction": call.direction,
            **BLANK_PLACES,
            **({"AnsweredBy": call.answered_by} if call.answered_by else {}),
        }

    def recording_form(self, recording: Recording) -> dict[str, str]:
        """The further parameters of a ``<Record>``'s action."""
        return {
            "RecordingUrl": f"{self._recording_base}/{recording.sid}",
            "RecordingSid": recording.sid,
            "RecordingDuration": str(recording.seconds),
        }

    def recorded(self, sid: str, document: str, record: Verb, recording: Recording) -> None:
        """Tell ``record``'s ``recordingStatusCallback``, if it has one, that the file is there.

        Args:
            sid: the call's.
            document: the URL of the TwiML that ``record`` stands in.
            record: the verb.
            recording: what was recorded.
        """
        target = record.attributes.get("recordingStatusCallback", "")
        if not target:
            return
        method = record.attributes.get("recordingStatusCallbackMethod", "POST")
        form = {
            "AccountSid": self._webhooks.account_sid,
            "CallSid": sid,
            **self.recording_form(recording),
            "RecordingStatus": "completed",
            "RecordingChannels": "1",
            "RecordingSource": "RecordVerb",
            "RecordingStartTime": format_datetime(recording.created_at),
            "ErrorCode": "0",
        }
        self._later(self._webhooks.absolute(target, document), form, method)

    def progress(
        self, call: Call, event: str, status: str, extra: Mapping[str, str] | None = None
    ) -> None:
        """Tell the call's status callback of ``event``, if it asked for it.

        Args:
            call: the call.
            event: initiated, ringing, answered or completed.
            status: the ``CallStatus`` told.
            extra: further parameters (``CallDuration`` at the end).
        """
        if not call.status_callback or event not in call.status_events:
            return
        form = self.form(call) | {
            "CallStatus": status,
            "Timestamp": format_datetime(self._clock()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(EVENTS.index(event)),
            **(extra or {}),
        }
        self._later(call.status_callback, form, "POST")

    def _later(self, url: str, form: Mapping[str, str], method: str) -> None:
        def send() -> None:
            self._webhooks.send(url, form, method)

        self._webhooks.later(send)
