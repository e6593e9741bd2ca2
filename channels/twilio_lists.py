# SPDX-License-Identifier: MIT
"""What the provider holds for us and may never have handed over: texts and recordings, listed.

Twilio does not repeat a webhook that was answered 5xx or timed out (Messaging, error 11205), so the
only way to lose nothing is to list what came and to file what is missing. Each row is written as
the form of its webhook, so that one reader serves both and a replay finds the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from channels.twilio_account import told_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from twilio.rest import Client

#: Most rows looked at in one round; a round that finds more is followed by the next one.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """One text or recording that the provider holds.

    Attributes:
        sid: MessageSid or RecordingSid.
        call_sid: of a recording, else ``""``.
        form: the fields of its webhook, ``application/x-www-form-urlencoded``.
    """

    sid: str
    call_sid: str
    form: bytes


def texts_received(client: Client, number: str, since: datetime) -> Iterator[Found]:
    """List the texts that came to ``number`` since then, oldest last as Twilio gives them.

    Raises:
        DeliveryError: the provider could not be asked.
    """
    with told_plainly():
        rows = client.messages.list(to=number, date_sent_after=since, limit=MOST_ROWS)
    for row in rows:
        if str(row.direction or "") != "inbound" or not row.sid:
            continue
        fields = [
            ("MessageSid", row.sid),
            ("AccountSid", row.account_sid or ""),
            ("From", str(row.from_ or "")),
            ("To", str(row.to or "")),
            ("Body", row.body or ""),
            ("NumMedia", str(row.num_media or "0")),
        ]
        yield Found(row.sid, "", urlencode(fields).encode())


def recordings_made(client: Client, since: datetime) -> Iterator[Found]:
    """List the recordings that were completed since then.

    Raises:
        DeliveryError: the provider could not be asked.
    """
    with told_plainly():
        rows = client.recordings.list(date_created_after=since, limit=MOST_ROWS)
    for row in rows:
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
