# SPDX-License-Identifier: MIT
"""What the provider holds for us and may never have handed over: texts, calls and recordings.

Twilio does not repeat a webhook that was answered 5xx or timed out (Messaging, error 11205), so the
only way to lose nothing is to list what came and to file what is missing. Each row is written as
the form of its webhook, so that one reader serves both and a replay finds the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from channels.sms.twilio import is_message_sid
from channels.twilio_account import told_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from twilio.rest import Client

#: Rows of one page, the most that Twilio gives.
PAGE_ROWS = 1000
#: Most files of one text that are looked up (Twilio allows ten).
MOST_FILES = 10


@dataclass(frozen=True, slots=True)
class Found:
    """One text or recording that the provider holds.

    Attributes:
        sid: MessageSid or RecordingSid.
        call_sid: of a recording, else ``""``.
        form: the fields of its webhook, ``application/x-www-form-urlencoded``.
        files: how many files a text came with; :func:`with_files` looks up which.
    """

    sid: str
    call_sid: str
    form: bytes
    files: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call that came in.

    Attributes:
        sid: CallSid.
        caller: as the provider has it: E.164, or what stands for a withheld number.
        called: ours, E.164.
    """

    sid: str
    caller: str
    called: str


def texts_received(client: Client, number: str, since: datetime) -> Iterator[Found]:
    """List the texts that came to ``number`` since then, newest first, page by page to the end.

    Args:
        client: of the account.
        number: E.164 or a short code; ``whatsapp:`` and E.164 for WhatsApp.
        since: aware.

    Raises:
        DeliveryError: the provider could not be asked; what was given before stands.
    """
    with told_plainly():
        rows = client.messages.stream(to=number, date_sent_after=since, page_size=PAGE_ROWS)
    for row in _asked(rows):
        sid = str(row.sid or "")
        if str(row.direction or "") != "inbound" or not is_message_sid(sid):
            continue
        told = str(row.num_media or "0")
        fields = [
            ("MessageSid", sid),
            ("AccountSid", row.account_sid or ""),
            ("From", str(row.from_ or "")),
            ("To", str(row.to or "")),
            ("Body", row.body or ""),
            ("NumMedia", told),
        ]
        yield Found(sid, "", urlencode(fields).encode(), int(told) if told.isdigit() else 0)


def with_files(client: Client, found: Found) -> Found:
    """The text with the addresses of its files, which a list of texts leaves out.

    Raises:
        DeliveryError: the provider could not be asked.
    """
    if not found.files:
        return found
    with told_plainly():
        rows = client.messages(found.sid).media.list(limit=MOST_FILES)
        fields: list[tuple[str, str]] = []
        for place, row in enumerate(rows):
            path = f"/2010-04-01/Accounts/{row.account_sid}/Messages/{found.sid}/Media/{row.sid}"
            fields.append((f"MediaUrl{place}", f"https://api.twilio.com{path}"))
            fields.append((f"MediaContentType{place}", str(row.content_type or "")))
    form = found.form + b"&" * bool(fields) + urlencode(fields).encode()
    return Found(found.sid, found.call_sid, form, found.files)


def calls_received(client: Client, number: str, since: datetime) -> Iterator[Call]:
    """List the calls that came to ``number`` since then, newest first, page by page to the end.

    Args:
        client: of the account.
        number: E.164, or ``""`` for every number of the account.
        since: aware; the provider counts whole days.

    Raises:
        DeliveryError: the provider could not be asked; what was given before stands.
    """
    narrowed = {"to": number} if number else {}
    with told_plainly():
        rows = client.calls.stream(start_time_after=since, page_size=PAGE_ROWS, **narrowed)
    for row in _asked(rows):
        if str(row.direction or "") == "inbound" and row.sid:
            caller = str(row._from or "")  # noqa: SLF001 - `from` is a keyword
            yield Call(str(row.sid), caller, str(row.to or ""))


def recordings_made(client: Client, since: datetime) -> Iterator[Found]:
    """List the recordings that were completed since then, page by page to the end.

    They are those of the whole account: also of calls that are not ours.

    Raises:
        DeliveryError: the provider could not be asked; what was given before stands.
    """
    with told_plainly():
        rows = client.recordings.stream(date_created_after=since, page_size=PAGE_ROWS)
    for row in _asked(rows):
        if str(row.status or "completed") != "completed" or not row.sid:
            continue
        fields = [
            ("RecordingSid", row.sid),
            ("CallSid", row.call_sid or ""),
            ("AccountSid", row.account_sid or ""),
            ("RecordingStatus", "completed"),
            ("RecordingDuration", str(row.duration or "")),
        ]
        yield Found(row.sid, row.call_sid or "", urlencode(fields).encode())


def _asked(rows: Iterator[Any]) -> Iterator[Any]:
    """Rows whose next page is asked for when it is reached."""
    while True:
        with told_plainly():
            try:
                row = next(rows)
            except StopIteration:
                return
        yield row
