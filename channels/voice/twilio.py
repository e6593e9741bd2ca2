# SPDX-License-Identifier: MIT
"""Calls through Twilio: webhooks of a call, recordings and status, and calls of ours.

The ``action`` of a ``<Record>``::

    CallSid=CA…&AccountSid=AC…&From=%2B212…&To=%2B212…&CallStatus=in-progress&Direction=inbound
    &RecordingSid=RE…&RecordingUrl=https%3A%2F%2F…&RecordingDuration=42&Digits=%23

Its ``recordingStatusCallback`` has the same ids and ``RecordingStatus=completed``, but neither
From nor To.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from channels.errors import MalformedMessage, Uncertain
from channels.message import (
    Address,
    AddressScheme,
    Attachment,
    ChannelName,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    Receipt,
)
from channels.twilio_account import Form, client_of, told_plainly
from channels.voice.dialogue import Heard

ANSWER = "/inbound/voice/twilio/answer/"
RECEIPTS = "/receipts/voice/twilio/"
#: Scheme of a recording still to be fetched: ``twilio-recording:RE…`` (channels.voice.recording).
RECORDING_SCHEME = "twilio-recording:"
#: Newest calls to one telephone that are looked at: none has more within a few minutes.
NEWEST = 50
#: What stands for keys when the caller put the telephone down while a recording ran.
HANG_UP = "hangup"
#: What Twilio puts for a withheld number (https://www.twilio.com/docs/voice/twiml, "From").
WITHHELD = frozenset(
    {"", "anonymous", "restricted", "unknown", "unavailable", "blocked"}
    | {"+266696687", "+7378742883", "+2562533", "+8656696", "+86282452253"}
)
#: https://www.twilio.com/docs/voice/api/call-resource#call-status-values. A call that merely ended
#: was answered by somebody or something; it is *delivered* only when a person keyed the code and
#: was read the answer, which the door notes itself. So every other end is a failure, and leads to
#: another channel or a person (design, promise 7).
CALL_STATUSES: Mapping[str, DeliveryStatus] = {
    "queued": DeliveryStatus.QUEUED,
    "initiated": DeliveryStatus.QUEUED,
    "ringing": DeliveryStatus.QUEUED,
    "in-progress": DeliveryStatus.QUEUED,
    "answered": DeliveryStatus.QUEUED,
    "completed": DeliveryStatus.FAILED,
    "busy": DeliveryStatus.FAILED,
    "no-answer": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}
CALL_PREFIX = "CA"
#: Detail of a receipt: somebody or something took the call, and no answer was read to its end.
NOT_HEARD = "answered, not heard"
_CALL_SID = re.compile(CALL_PREFIX + r"[0-9a-zA-Z]{1,64}", re.ASCII)
_RECORDING_SID = re.compile(r"RE[0-9a-zA-Z]{1,64}", re.ASCII)


def call_sid(form: Form) -> str:
    """The call's id.

    Raises:
        MalformedMessage: there is none.
    """
    sid = form.get("CallSid")
    if not _CALL_SID.fullmatch(sid):
        raise MalformedMessage("the webhook has no CallSid")
    return sid


def recording_sid(form: Form) -> str:
    """The id of the recording just made, or ``""``."""
    sid = form.get("RecordingSid")
    return sid if _RECORDING_SID.fullmatch(sid) else ""


def recording_key(sid: str) -> str:
    """Idempotency key of a recording, whichever of its two webhooks comes first."""
    return f"voice:{sid}"


def missed_key(sid: str) -> str:
    """Idempotency key of a call that left nothing."""
    return f"voice:{sid}:missed"


def caller_of(raw: str) -> Address:
    """Who claims to call; a withheld number is anonymous."""
    value = raw.strip()
    if value.lower() in WITHHELD:
        return Address(AddressScheme.ANONYMOUS, "")
    if value.startswith("+") and value[1:].isascii() and value[1:].isdigit():
        return Address(AddressScheme.TEL, value)
    if value.isascii() and value.isdigit():
        return Address(AddressScheme.SHORT_CODE, value)
    return Address(AddressScheme.ALPHANUMERIC, value)


def read_recording(
    form: Form,
    received_at: datetime,
    language: str,
    *,
    caller: str | None = None,
    called: str | None = None,
) -> InboundMessage:
    """Read a complaint that was spoken.

    Args:
        form: of ``action`` or of ``recordingStatusCallback``.
        received_at: when it came, aware UTC.
        language: BCP 47 tag of the key pressed, or ``""``.
        caller: the caller's number where the form has none.
        called: ours, likewise.

    Raises:
        MalformedMessage: it names no recording.
    """
    sid = recording_sid(form)
    if not sid:
        raise MalformedMessage("the webhook names no recording")
    fields = {"call_sid": form.get("CallSid")}
    if form.get("Digits") == HANG_UP or "From" not in form:
        fields["untold"] = "1"  # the callback does not say whether anybody still listens
    seconds = form.get("RecordingDuration")
    if seconds.isascii() and seconds.isdigit():
        fields["recording_seconds"] = seconds
    return InboundMessage(
        message_id=sid,
        channel=ChannelName.VOICE,
        date=received_at,
        sender=caller_of(caller if caller is not None else form.get("From")),
        recipient=called if called is not None else form.get("To"),
        subject="",
        text="",
        attachments=(
            Attachment("recording.wav", "audio/wav", b"", fetch_url=RECORDING_SCHEME + sid),
        ),
        language=language or None,
        fields=fields,
    )


def read_missed(form: Form, received_at: datetime, language: str = "") -> InboundMessage:
    """Read the end of a call that left no recording: a person should call back.

    Raises:
        MalformedMessage: it has no CallSid.
    """
    return InboundMessage(
        message_id=call_sid(form),
        channel=ChannelName.VOICE,
        date=received_at,
        sender=caller_of(form.get("From")),
        recipient=form.get("To"),
        subject="",
        text="",
        language=language or None,
        fields={"missed_call": "1"},
    )


def read_receipt(form: Form) -> Receipt:
    """Read the status callback of a call of ours.

    Raises:
        MalformedMessage: no CallSid, or an unknown status.
    """
    told = _receipt(call_sid(form), form.get("CallStatus"))
    if told is None:
        raise MalformedMessage("the callback has no known status")
    return told


def _receipt(sid: str, status: str) -> Receipt | None:
    word = status.lower()
    if word not in CALL_STATUSES:
        return None
    return Receipt(sid, CALL_STATUSES[word], NOT_HEARD if word == "completed" else word)


def heard(form: Form) -> Heard:
    """What the caller did, in the dialogue's own words.

    ``Digits=hangup`` is Twilio's word in the ``action`` of a ``<Record>``; ``AnsweredBy`` is there
    on calls of ours placed with machine detection, and ``fax`` hears no better than a machine.
    """
    digits = form.get("Digits")
    by = form.get("AnsweredBy")
    return Heard(
        digits="" if digits == HANG_UP else digits,
        recording=recording_sid(form),
        hung_up=digits == HANG_UP,
        machine=by.startswith("machine") or by == "fax",
    )


def may_be_called_again(told: Receipt) -> bool:
    """Whether nobody could pick up: a line that was busy or rang out."""
    return told.detail in ("busy", "no-answer")


def read_out(form: Form) -> Receipt:
    """The receipt of an answer that a person keyed the code for and was read."""
    return Receipt(call_sid(form), DeliveryStatus.DELIVERED, "read to the caller")


class TwilioVoice:
    """Calls a citizen; what is said is fetched from us when somebody answers.

    Args:
        account_sid: the account (``AC…``).
        auth_token: the newest auth token.
        sender: our number, E.164.
        public_base_url: where Twilio calls us back, without a final slash.
        api_base_url: another API address (a simulator, a test), or ``""`` for Twilio's own.
        timeout_seconds: longest wait for a connection, and for an answer.
        machine_detection: have answering machines told from people; the first words then wait
            until a machine's greeting is over.
        taken: which of the CallSids belong to other entries of ours, by telephone and CallSids.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        public_base_url: str,
        api_base_url: str = "",
        timeout_seconds: float = 10.0,
        machine_detection: bool = False,
        taken: Callable[[str, Sequence[str]], Collection[str]] = lambda _number, _sids: (),
    ) -> None:
        self._detection = {"machine_detection": "DetectMessageEnd"} if machine_detection else {}
        self._client = client_of(account_sid, auth_token, api_base_url, timeout_seconds)
        self._number = sender
        self._base = public_base_url.rstrip("/")
        self._taken = taken

    @property
    def name(self) -> ChannelName:
        """``voice``."""
        return ChannelName.VOICE

    def send(self, message: OutboundMessage) -> Receipt:
        """Place one call, in one request that is never repeated. The words stay with us.

        Raises:
            DeliveryError: one of its leaves; :class:`Uncertain` where it may be ringing already.
        """
        key = message.idempotency_key
        with told_plainly():
            call = self._client.calls.create(
                to=message.recipient.value,
                from_=message.sender or self._number,
                url=self._base + ANSWER + key,
                method="POST",
                status_callback=self._base + RECEIPTS + key,
                status_callback_event=["completed"],
                status_callback_method="POST",
                **self._detection,
            )
            provider_id, word = call.sid, str(call.status or "")
        if not provider_id:
            raise Uncertain("the provider answered without an id (no sid)", code="no sid")
        return Receipt(provider_id, DeliveryStatus.QUEUED, word)

    def reconcile(self, recipient: str, since: datetime) -> str | None:
        """Ask whether a call went, after :class:`Uncertain`.

        A call bears no mark of what it was placed for, so only its time and what is known of other
        calls tell it from them.

        Args:
            recipient: E.164.
            since: when the attempt began, aware; a minute is taken off for clocks that differ.

        Returns:
            Its CallSid, or ``None`` when Twilio knows of none: it may be placed again. The oldest
            one that no other entry of ours has.

        Raises:
            DeliveryError: Twilio could not be asked; nothing is known.
        """
        begin = since - timedelta(minutes=1)
        with told_plainly():
            # A call that waits in Twilio's queue has no StartTime to be found by.
            sids = [
                str(call.sid)
                for call in self._client.calls.list(to=recipient, limit=NEWEST)
                if str(call.direction or "").startswith("outbound")
                and call.sid
                and (call.date_created is None or call.date_created >= begin)
            ]
        taken = set(self._taken(recipient, sids)) if sids else set()
        # Twilio lists the newest first.
        return next((sid for sid in reversed(sids) if sid not in taken), None)

    def ended(self, sid: str) -> Receipt | None:
        """Ask how the call ``sid`` ended: what its callback would tell; ``None`` while it lasts.

        Raises:
            Rejected: Twilio knows no such call.
            DeliveryError: Twilio could not be asked, or its answer not be read.
        """
        with told_plainly():
            word = str(self._client.calls(sid).fetch().status or "")
        told = _receipt(sid, word)
        if told is None:
            raise Uncertain("the provider tells no known status of a call", code="status")
        return told if told.delivery_status is not DeliveryStatus.QUEUED else None

    def parties(self, sid: str) -> tuple[str, str]:
        """Ask who called whom in the call ``sid``: (caller, called), E.164 as Twilio has them.

        Raises:
            DeliveryError: Twilio could not be asked.
        """
        with told_plainly():
            call = self._client.calls(sid).fetch()
            return str(call._from or ""), str(call.to or "")  # noqa: SLF001 - `from` is a keyword
