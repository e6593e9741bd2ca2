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
from collections.abc import Mapping
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
from channels.twilio_account import Form, client_of, form_of, told_plainly, verify

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

WHATSAPP = "whatsapp:"
RECEIPTS = "/receipts/sms/twilio/"
MAX_MEDIA = 10
#: Scheme of a media file still to be fetched: ``twilio-media:MM…/ME…`` (see channels.sms.media).
MEDIA_SCHEME = "twilio-media:"
LONGEST_SHORT_CODE = 8

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
    "ProfileName": "profile_name",
    "Latitude": "latitude",
    "Longitude": "longitude",
    "Address": "place",
    "ButtonPayload": "button",
    "OriginalRepliedMessageSid": "in_reply_to",
}


def idempotency_key(form: Form) -> str:
    """``"sms:"`` and the MessageSid: unique over all time (design, promise 2).

    Raises:
        MalformedMessage: there is no MessageSid.
    """
    return f"sms:{_sid(form)}"


def sender_of(raw: str) -> Address:
    """Who claims to have written: E.164 as ``tel``, digits alone as a short code, else a name."""
    value = raw.removeprefix(WHATSAPP).strip()
    if value.startswith("+") and value[1:].isascii() and value[1:].isdigit():
        return Address(AddressScheme.TEL, value)
    if value.isascii() and value.isdigit() and len(value) <= LONGEST_SHORT_CODE:
        return Address(AddressScheme.SHORT_CODE, value)
    return Address(AddressScheme.ALPHANUMERIC, value)


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
    sender = form.get("From")
    if not sender.strip():
        raise MalformedMessage("the webhook names no sender")
    attachments, incomplete = _attachments(form)
    fields = {ours: form.get(theirs) for theirs, ours in _KEPT_FIELDS.items() if form.get(theirs)}
    fields["country"] = form.get("FromCountry") or region
    text = form.get("Body")
    return InboundMessage(
        message_id=_sid(form),
        channel=ChannelName.WHATSAPP if sender.startswith(WHATSAPP) else ChannelName.SMS,
        date=received_at,
        sender=sender_of(sender),
        recipient=form.get("To").removeprefix(WHATSAPP),
        subject="",
        text=text,
        full_text=text,
        attachments=attachments,
        fields=fields,
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


def text_digest(text: str) -> str:
    """A digest of a text by which :meth:`TwilioSms.reconcile` knows it again.

    White space counts once: providers trim and fold it.
    """
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


class TwilioSms:
    """Sends texts (or WhatsApp messages) through the official SDK.

    Args:
        account_sid: the account (``AC…``).
        auth_token: the newest auth token.
        sender: our number or name (E.164 or alphanumeric), when a message names none.
        public_base_url: where Twilio calls us back, without a final slash.
        api_base_url: another API address (a simulator, a test), or ``""`` for Twilio's own.
        timeout_seconds: longest wait for a connection, and for an answer.
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
    ) -> None:
        self._client = client_of(account_sid, auth_token, api_base_url, timeout_seconds)
        self._sender = sender
        self._callback_base = public_base_url.rstrip("/")

    @property
    def name(self) -> ChannelName:
        """``sms``; the same adapter sends WhatsApp messages, by the channel of each message."""
        return ChannelName.SMS

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one text, of at most 1600 characters, in one request that is never repeated.

        Raises:
            DeliveryError: :class:`Uncertain` where Twilio may have taken it; ask
                :meth:`reconcile` before sending again.
        """
        with told_plainly():
            sent = self._client.messages.create(
                to=_wire(message.recipient.value, message.channel),
                from_=_wire(message.sender or self._sender, message.channel),
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
            Its MessageSid, or ``None`` when Twilio knows of none: it may be sent again.

        Raises:
            DeliveryError: Twilio could not be asked; nothing is known.
        """
        with told_plainly():
            candidates = self._client.messages.list(
                to=_wire(recipient, channel),
                date_sent_after=since - timedelta(minutes=1),
                limit=200,
            )
            for candidate in candidates:
                outbound = str(candidate.direction or "").startswith("outbound")
                if outbound and candidate.sid and text_digest(candidate.body or "") == digest:
                    return str(candidate.sid)
        return None


def _wire(number: str, channel: ChannelName) -> str:
    bare = number.removeprefix(WHATSAPP)
    return WHATSAPP + bare if channel is ChannelName.WHATSAPP else bare


def _sid(form: Form) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not _MESSAGE_SID.fullmatch(sid):
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
