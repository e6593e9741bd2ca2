# SPDX-License-Identifier: MIT
"""Texts and WhatsApp messages through Twilio: webhooks in, REST out, status callbacks.

A webhook, as Twilio posts it (empty values are common, new names appear without notice)::

    MessageSid=SM8f…&AccountSid=AC…&From=%2B212612345678&To=%2B212537000000&Body=Bonjour
    &NumMedia=0&NumSegments=1&FromCity=&FromCountry=MA&SmsStatus=received

A status callback: ``MessageSid=SM8f…&MessageStatus=undelivered&ErrorCode=30003``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.errors import MalformedMessage, OptedOut, Rejected, Uncertain
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
from channels.sms import whatsapp
from channels.sms.whatsapp import WHATSAPP
from channels.twilio_account import (
    ERRORS,
    Form,
    client_of,
    form_of,
    told_plainly,
    verify,
)

__all__ = [
    "TwilioSms",
    "form_of",
    "idempotency_key",
    "read_message",
    "read_receipt",
    "sender_of",
    "text_digest",
    "verify",
]

RECEIPTS = "/receipts/sms/twilio/"
MAX_MEDIA = 10
#: Scheme of a media file still to be fetched: ``twilio-media:MM…/ME…`` (see channels.sms.media).
MEDIA_SCHEME = "twilio-media:"
LONGEST_SHORT_CODE = 8
#: Texts to one person looked at whatever their date; a person is not sent more within hours.
NEWEST = 50

#: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.QUEUED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}

_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-zA-Z]{1,64}", re.ASCII)
_MEDIA_PATH = re.compile(r"/Messages/((?:SM|MM)\w{1,64})/Media/(ME\w{1,64})/?(?:\?|$)", re.ASCII)
#: What the record keeps beside the words, where it is not empty.
_KEPT_FIELDS = {
    "OptOutType": "opt_out_type",
    "NumSegments": "segments",
}


def idempotency_key(form: Form) -> str:
    """``"sms:"`` and the MessageSid: unique over all time (design, promise 2).

    Raises:
        MalformedMessage: there is no MessageSid.
    """
    return f"sms:{_sid(form)}"


def sender_of(raw: str, display_name: str = "") -> Address:
    """Who claims to have written: E.164 as ``tel``, digits alone as a short code, else a name."""
    value = raw.removeprefix(WHATSAPP).strip()
    if value.startswith("+") and value[1:].isascii() and value[1:].isdigit():
        return Address(AddressScheme.TEL, value, display_name)
    if value.isascii() and value.isdigit() and len(value) <= LONGEST_SHORT_CODE:
        return Address(AddressScheme.SHORT_CODE, value, display_name)
    return Address(AddressScheme.ALPHANUMERIC, value, display_name)


def read_message(form: Form, received_at: datetime, region: str) -> InboundMessage:
    """Read a verified webhook.

    Args:
        form: its pairs.
        received_at: when it came, aware UTC; Twilio hands over at once and sends no time itself.
        region: ISO 3166-1 country of national numbers in the text where the sender's is unsaid.

    Returns:
        The message. ``fields["opt_out_type"]`` (STOP, START, HELP) means that Twilio has answered
        already: no case, no answer of ours.

    Raises:
        MalformedMessage: no MessageSid or no sender.
    """
    sender = form.get("From").strip()
    if not sender.removeprefix(WHATSAPP).strip():
        raise MalformedMessage("the webhook names no sender")
    attachments, incomplete = _attachments(form)
    fields = {ours: form.get(theirs) for theirs, ours in _KEPT_FIELDS.items() if form.get(theirs)}
    if "opt_out_type" in fields:
        fields["opt_out_type"] = fields["opt_out_type"].strip().upper()
    fields["country"] = form.get("FromCountry") or region
    told = whatsapp.read(form) if sender.startswith(WHATSAPP) else whatsapp.NOTHING
    text = form.get("Body") if form.get("Body").strip() else told.text
    return InboundMessage(
        message_id=_sid(form),
        channel=ChannelName.WHATSAPP if sender.startswith(WHATSAPP) else ChannelName.SMS,
        date=received_at,
        sender=sender_of(sender, told.display_name),
        recipient=form.get("To").strip().removeprefix(WHATSAPP),
        subject="",
        text=text,
        full_text=text,
        in_reply_to=told.in_reply_to,
        attachments=attachments,
        fields={**fields, **told.fields},
        incomplete=incomplete,
    )


def read_receipt(form: Form) -> Receipt:
    """Read a status callback; ``detail`` is Twilio's word and its error code.

    Raises:
        MalformedMessage: no MessageSid, or a status that no message of ours can have.
    """
    word = (form.get("MessageStatus") or form.get("SmsStatus")).lower()
    status = STATUSES.get(word)
    if status is None:
        raise MalformedMessage("the callback has no known status")
    code = form.get("ErrorCode")
    known_code = code.isascii() and code.isdigit()
    return Receipt(_sid(form), status, f"{word} {code}" if known_code else word)


def tells_opt_out(form: Form) -> bool:
    """Whether a status callback says that the recipient has opted out (21610)."""
    code = form.get("ErrorCode")
    return code.isascii() and code.isdigit() and ERRORS.get(int(code)) is OptedOut


def text_digest(text: str) -> str:
    """A digest of a text by which :meth:`TwilioSms.reconcile` knows it again.

    White space counts once: providers trim and fold it.
    """
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


class TwilioSms:
    """Sends texts and WhatsApp messages through the official SDK.

    Args:
        account_sid: the account (``AC…``).
        auth_token: the newest auth token.
        sender: our number or name (E.164 or alphanumeric), when a message names none.
        whatsapp_sender: our WhatsApp number (E.164); ``""``: ``sender``.
        public_base_url: where Twilio calls us back, without a final slash.
        api_base_url: another API address (a simulator, a test), or ``""`` for Twilio's own.
        timeout_seconds: longest wait for a connection, and for an answer.
        last_inbound: when a person (E.164) last wrote by WhatsApp, aware, or ``None`` for never;
            asked just before a WhatsApp message is sent. Without it the provider alone judges.
        clock: the present time, aware; for that question only.
        taken: which of these MessageSids belong to messages of ours to that number whose fate is
            known: people are told the same words more than once, and one must not stand for
            another.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        public_base_url: str,
        whatsapp_sender: str = "",
        api_base_url: str = "",
        timeout_seconds: float = 10.0,
        last_inbound: Callable[[str], datetime | None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        taken: Callable[[str, Sequence[str]], Collection[str]] = lambda _number, _sids: (),
    ) -> None:
        self._client = client_of(account_sid, auth_token, api_base_url, timeout_seconds)
        self._sender = sender
        self._whatsapp_sender = whatsapp_sender or sender
        self._callback_base = public_base_url.rstrip("/")
        self._last_inbound = last_inbound
        self._clock = clock
        self._taken = taken

    @property
    def name(self) -> ChannelName:
        """``sms``; the same adapter sends WhatsApp messages, by the channel of each message."""
        return ChannelName.SMS

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one text, of at most 1600 characters, in one request that is never repeated.

        Raises:
            OutsideWindow: a WhatsApp message more than a day after the person's last one.
            Rejected: the recipient is no telephone number: nobody reads what is sent to a short
                code or a name.
            DeliveryError: :class:`Uncertain` where Twilio may have taken it; ask
                :meth:`reconcile` before sending again.
        """
        recipient, channel = message.recipient, message.channel
        if recipient.scheme is not AddressScheme.TEL:
            raise Rejected("texts go to telephone numbers only, not to short codes or names")
        if channel is ChannelName.WHATSAPP and self._last_inbound is not None:
            whatsapp.check_window(self._last_inbound(recipient.value), self._clock())
        own = self._whatsapp_sender if channel is ChannelName.WHATSAPP else self._sender
        with told_plainly():
            sent = self._client.messages.create(
                to=_wire(recipient.value, channel),
                from_=_wire(message.sender or own, channel),
                body=message.text,
                # Our own id in the path: a callback may come before this very request returns.
                status_callback=self._callback_base + RECEIPTS + message.idempotency_key,
            )
            provider_id, word = sent.sid, str(sent.status or "")
        if not provider_id:
            raise Uncertain("the provider answered without an id (no sid)", code="no sid")
        return Receipt(provider_id, STATUSES.get(word, DeliveryStatus.QUEUED), word)

    def reconcile(
        self,
        recipient: str,
        since: datetime,
        digest: str,
        channel: ChannelName = ChannelName.SMS,
    ) -> str | None:
        """Ask whether a text went, after :class:`Uncertain`.

        Args:
            recipient: E.164.
            since: when the attempt began, aware; a minute is taken off for clocks that differ.
            digest: :func:`text_digest` of the text.
            channel: ``sms`` or ``whatsapp``.

        Returns:
            Its MessageSid, or ``None`` when Twilio knows of none: it may be sent again. The oldest
            one that no other message of ours has.

        Raises:
            DeliveryError: Twilio could not be asked; nothing is known.
        """
        to, begin = _wire(recipient, channel), since - timedelta(minutes=1)
        with told_plainly():
            dated = self._client.messages.list(to=to, date_sent_after=begin, limit=200)
            found = self._same(dated, digest, recipient)
            if found is None:
                # A text that still waits in Twilio's queue has no DateSent to be found by.
                newest = self._client.messages.list(to=to, limit=NEWEST)
                waiting = [row for row in newest if row.date_created and row.date_created >= begin]
                found = self._same(waiting, digest, recipient)
        return found

    def _same(self, rows: Iterable[Any], digest: str, recipient: str) -> str | None:
        sids = [
            str(row.sid)
            for row in rows
            if str(row.direction or "").startswith("outbound")
            and row.sid
            and text_digest(row.body or "") == digest
        ]
        taken = set(self._taken(recipient, sids)) if sids else set()
        # Twilio lists the newest first.
        return next((sid for sid in reversed(sids) if sid not in taken), None)


def _wire(number: str, channel: ChannelName) -> str:
    bare = number.removeprefix(WHATSAPP)
    return WHATSAPP + bare if channel is ChannelName.WHATSAPP else bare


def is_message_sid(sid: str) -> bool:
    """Whether ``sid`` has the form of a MessageSid (``SM…`` or ``MM…``)."""
    return _MESSAGE_SID.fullmatch(sid) is not None


def _sid(form: Form) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not is_message_sid(sid):
        raise MalformedMessage("the webhook has no MessageSid")
    return sid


def _attachments(form: Form) -> tuple[tuple[Attachment, ...], str]:
    """The files that came along, and what could not be read of them.

    The URL of the form is not fetched as it stands: only its two ids are taken from it, so that a
    signed but odd form cannot send a worker elsewhere.
    """
    declared = form.get("NumMedia")
    count = min(int(declared), MAX_MEDIA) if declared.isascii() and declared.isdigit() else 0
    files: list[Attachment] = []
    unread = 0
    for position in range(count):
        found = _MEDIA_PATH.search(form.get(f"MediaUrl{position}"))
        media_type = form.get(f"MediaContentType{position}") or "application/octet-stream"
        if found is None:
            unread += 1
            continue
        url = f"{MEDIA_SCHEME}{found[1]}/{found[2]}"
        files.append(Attachment(f"media-{position + 1}", media_type[:127], b"", fetch_url=url))
    return tuple(files), f"{unread} attached file(s) without a readable address" if unread else ""
