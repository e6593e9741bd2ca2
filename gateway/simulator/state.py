# SPDX-License-Identifier: MIT
"""What the simulated world remembers: texts, calls, recordings, mails. In memory, bounded, locked.

All values are frozen; a change puts a new value in the place of the old one, so that a page reads
a consistent picture without holding the lock.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

Kept = TypeVar("Kept")
#: Before the numbers of messages by WhatsApp.
WHATSAPP = "whatsapp:"


def bare(number: str) -> str:
    """A number without the prefix of WhatsApp."""
    return number.removeprefix(WHATSAPP)


@dataclass(frozen=True, slots=True)
class Text:
    """One text by SMS or WhatsApp, in either direction, in the words of Twilio's Message resource.

    Attributes:
        sid: ``SM`` + 32 hexadecimal digits.
        sender: E.164 number, short code or alphanumeric sender.
        recipient: the same.
        body: the words.
        direction: ``inbound`` (a citizen to us) or ``outbound-api`` (we to a citizen).
        status: Twilio's message status.
        created_at: aware UTC.
        updated_at: aware UTC.
        status_callback: where Twilio reports, or ``""``.
        error_code: Twilio's error number, or ``None``.
        segments: how many parts it takes on the air.
        more: further parameters of its webhook, for WhatsApp.
    """

    sid: str
    sender: str
    recipient: str
    body: str
    direction: str
    status: str
    created_at: datetime
    updated_at: datetime
    status_callback: str = ""
    error_code: int | None = None
    segments: int = 1
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_whatsapp(self) -> bool:
        """Whether it went by WhatsApp."""
        return self.sender.startswith(WHATSAPP) or self.recipient.startswith(WHATSAPP)


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that happened on a call.

    Attributes:
        kind: ``say``, ``play``, ``pause``, ``keys``, ``record``, ``dial``, ``error`` or ``end``.
        text: the words spoken, the keys pressed, the sound's URL, the number dialled.
        language: the ``language`` of ``<Say>``, or ``""``.
    """

    kind: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One telephone call, with the words of Twilio's Call resource.

    Attributes:
        sid: ``CA`` + 32 hexadecimal digits.
        caller: E.164 number that dials.
        called: E.164 number that rings.
        direction: ``inbound`` or ``outbound-api``.
        status: Twilio's call status (ringing, in-progress, completed, busy, no-answer, failed …).
        created_at: aware UTC.
        answered_at: aware UTC, or ``None``.
        ended_at: aware UTC, or ``None``.
        url: where the call's first TwiML is fetched.
        method: how it is fetched.
        twiml: TwiML given with the call itself, or ``""``.
        status_callback: where Twilio reports, or ``""``.
        status_events: which of initiated, ringing, answered, completed are reported.
        waits_for: ``""``, ``keys`` or ``recording``: what the line waits for.
        keys: keys pressed so far that are not yet sent.
        heard: all that was said and done, oldest first.
        recordings: sids of what was recorded.
        answered_by: who picks up, where the call was placed with machine detection.
    """

    sid: str
    caller: str
    called: str
    direction: str
    status: str
    created_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    url: str = ""
    method: str = "POST"
    twiml: str = ""
    status_callback: str = ""
    status_events: tuple[str, ...] = ("completed",)
    waits_for: str = ""
    keys: str = ""
    heard: tuple[Heard, ...] = ()
    recordings: tuple[str, ...] = ()
    answered_by: str = ""

    @property
    def citizen(self) -> str:
        """The citizen's number: who calls us, or whom we call."""
        return self.caller if self.direction == "inbound" else self.called

    @property
    def over(self) -> bool:
        """Whether nobody is on the line any more."""
        return self.status not in ("queued", "ringing", "in-progress")


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound recorded on a call.

    Attributes:
        sid: ``RE`` + 32 hexadecimal digits.
        call_sid: the call it was recorded on.
        content: a WAV file.
        seconds: its length, rounded up.
        created_at: aware UTC.
    """

    sid: str
    call_sid: str
    content: bytes
    seconds: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in a simulated mailbox, received or sent (RFC 5322 field names).

    Attributes:
        sid: our own key of it.
        mailbox: the addr-spec whose mailbox it lies in, lower case.
        outgoing: whether the mailbox's owner wrote it.
        sender: the From header.
        recipient: the envelope's recipient.
        reply_to: the Reply-To header, or ``""``.
        subject: decoded.
        text: the plain body.
        message_id: with angle brackets.
        in_reply_to: with angle brackets, or ``""``.
        references: with angle brackets, oldest first.
        auto_submitted: the Auto-Submitted header (RFC 3834), or ``""``.
        at: when it came or went, aware UTC.
        attachments: the names of its files.
    """

    sid: str
    mailbox: str
    outgoing: bool
    sender: str
    recipient: str
    reply_to: str
    subject: str
    text: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    auto_submitted: str
    at: datetime
    attachments: tuple[str, ...] = ()

    @property
    def answer_to(self) -> str:
        """Where an answer goes: Reply-To before From (RFC 5322, section 3.6.2)."""
        return self.reply_to or self.sender


def new_sid(prefix: str) -> str:
    """Make a SID as Twilio does: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


class Shelf(Generic[Kept]):
    """The newest values under their sids; the oldest give way when it is full.

    Args:
        most: how many it keeps.
        sid_of: tells a value's key.
    """

    def __init__(self, most: int, sid_of: Callable[[Kept], str]) -> None:
        self._most = most
        self._sid_of = sid_of
        self._values: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, value: Kept) -> Kept:
        """Keep ``value`` in the place of the one with its sid; a new one goes to the end."""
        with self._lock:
            self._values[self._sid_of(value)] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def get(self, sid: str) -> Kept | None:
        """The value of ``sid``, or ``None``."""
        with self._lock:
            return self._values.get(sid)

    def change(self, sid: str, **changes: Any) -> Kept | None:
        """Replace fields of the value of ``sid``; ``None`` when it is not kept (any more)."""
        with self._lock:
            value = self._values.get(sid)
            if value is None:
                return None
            changed: Kept = replace(value, **changes)  # type: ignore[type-var]
            self._values[sid] = changed
            return changed

    def all(self, matches: Callable[[Kept], bool] = lambda _value: True) -> list[Kept]:
        """All values that match, oldest first."""
        with self._lock:
            values = list(self._values.values())
        return [value for value in values if matches(value)]


@dataclass(slots=True)
class State:
    """The whole simulated world.

    Attributes:
        texts: SMS of all numbers.
        calls: calls of all numbers.
        recordings: what was recorded; few, as they are big.
        mails: mails of all mailboxes.
        opted_out: numbers that sent STOP; Twilio sends them nothing.
        lost: numbers whose first text was lost.
    """

    texts: Shelf[Text] = field(default_factory=lambda: Shelf(20_000, lambda text: text.sid))
    calls: Shelf[Call] = field(default_factory=lambda: Shelf(2_000, lambda call: call.sid))
    recordings: Shelf[Recording] = field(default_factory=lambda: Shelf(200, lambda one: one.sid))
    mails: Shelf[Mail] = field(default_factory=lambda: Shelf(10_000, lambda mail: mail.sid))
    opted_out: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    _automatic: threading.Event = field(default_factory=threading.Event)

    @property
    def answers_by_itself(self) -> bool:
        """Whether a ringing telephone is answered without a person (for tests and ``simulate``)."""
        return self._automatic.is_set()

    def answer_by_itself(self, *, on: bool) -> None:
        """Switch the answering without a person on or off."""
        if on:
            self._automatic.set()
        else:
            self._automatic.clear()

    def thread(self, number: str) -> list[Text]:
        """The texts from and to ``number`` (E.164), by SMS and WhatsApp, oldest first."""
        return self.texts.all(lambda text: number in (bare(text.sender), bare(text.recipient)))

    def calls_of(self, number: str) -> list[Call]:
        """The calls from and to ``number`` (E.164), oldest first."""
        return self.calls.all(lambda call: call.citizen == number)

    def mailbox(self, address: str) -> list[Mail]:
        """The mails of one mailbox (addr-spec, any case), oldest first."""
        wanted = address.casefold()
        return self.mails.all(lambda mail: mail.mailbox == wanted)

    def mailboxes(self) -> list[str]:
        """The addresses that have mail, the one with the newest first."""
        return list(dict.fromkeys(mail.mailbox for mail in reversed(self.mails.all())))
