# SPDX-License-Identifier: MIT
"""That our automatic texts are no weapon and no surprise on the bill, and that silence is kept.

Asked by the relay before each entry. Who asked for silence gets nothing by that channel, whatever
it is. Automatic texts go to allowed calling codes, and so many a day in all: near the ceiling only
acknowledgements go, at the ceiling they wait for the next day. What an administration says is not
counted here and not held.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from prometheus_client import Counter
from sqlalchemy import func, or_, select

from dispatcher.work import Result, way_out
from tracker import alarm, attention, opt_outs
from tracker.models import AttentionReason, OutboxKind, OutboxState
from tracker.models import attention as attention_table
from tracker.models import outbox as outbox_table

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from config.country import Country
    from config.settings import Settings
    from dispatcher.work import Work

logger = logging.getLogger(__name__)
TEXTS_HELD = Counter("guichet_texts_held", "Automatic texts that were not sent, by why", ["reason"])

_BY_TEXT = ("sms", "whatsapp")
#: Kinds that people are sent; a referral goes to an administration.
_TO_PEOPLE = (
    OutboxKind.ACKNOWLEDGE,
    OutboxKind.NOTIFY,
    OutboxKind.REPLY,
    OutboxKind.CONFIRM_CONTACT,
)
#: Kinds that a machine sends of itself.
_AUTOMATIC = (OutboxKind.ACKNOWLEDGE, OutboxKind.NOTIFY, OutboxKind.CONFIRM_CONTACT)
#: Of those, what is not dropped at the ceiling but waits for the next day.
_WAIT = (OutboxKind.ACKNOWLEDGE, OutboxKind.CONFIRM_CONTACT)
SILENCE = "opted-out: its recipient asked for silence on this channel"
ELSEWHERE = "no automatic texts go to this calling code"
SILENCED = "automatic texts of today are nearly used up: only acknowledgements go"
#: How long a count holds; what this process lets go meanwhile is added to it.
_COUNT_HOLDS = timedelta(seconds=10)


@dataclass(slots=True)
class _Today:
    """Texts of one day of the country's zone."""

    begin: datetime
    end: datetime
    counted_at: datetime
    sent: int


class TextingLimits:
    """Says what may not leave now.

    Args:
        engine: the writing engine, for what the operator is told.
        settings: ``[sms]``.
        country: its calling code, and the zone in which a day begins.
    """

    def __init__(self, engine: Engine, settings: Settings, country: Country) -> None:
        self._engine = engine
        self._sms = settings.sms
        self._zone = ZoneInfo(country.timezone)
        codes = settings.sms.allowed_calling_codes or [country.calling_code]
        self._allowed = tuple(f"+{code.lstrip('+0')}" for code in codes)
        self._today: _Today | None = None
        self._advised = (datetime.min.replace(tzinfo=UTC), 0)
        self._told: set[tuple[datetime, str]] = set()

    def refused(self, connection: Connection, work: Work, now: datetime) -> Result | None:
        """Why an entry may not go at all by its channel, or ``None``."""
        entry = work.entry
        if entry.kind not in _TO_PEOPLE or _stays_on_its_page(work):
            return None
        channel = way_out(entry)
        if (channel, entry.recipient) in opt_outs.among(connection, [entry.recipient]):
            TEXTS_HELD.labels("opted_out").inc()
            return Result(OutboxState.FAILED, error=SILENCE)
        elsewhere = not entry.recipient.startswith(self._allowed)
        if elsewhere and channel in _BY_TEXT and _is_automatic(work):
            self._tell(
                now,
                "calling_code",
                "Automatic texts to calling codes that are not allowed were held today "
                "(setting: sms.allowed_calling_codes). Their cases are filed.",
            )
            return Result(OutboxState.HELD, error=ELSEWHERE)
        return None

    def over(self, connection: Connection, work: Work, now: datetime) -> Result | datetime | None:
        """Whether a text must be held (a result) or wait (until when); else it is counted."""
        entry = work.entry
        if way_out(entry) not in _BY_TEXT or not _is_automatic(work):
            return None
        if _is_emergency(work):
            return self._over_emergencies(connection, now)
        today, most = self._count(connection, now), self._sms.texts_per_day
        waits = entry.kind in _WAIT
        if today.sent >= most:
            self._tell(
                now,
                "ceiling",
                "The automatic texts of today are used up (setting: sms.texts_per_day). "
                "Acknowledgements wait for tomorrow, other notices are held; "
                "answers of administrations still go.",
            )
            if waits:
                TEXTS_HELD.labels("ceiling").inc()
                return today.end
        if today.sent >= most * self._sms.silence_status_at and not waits:
            self._tell(
                now,
                "silence",
                "The automatic texts of today are nearly used up (settings: sms.texts_per_day, "
                "sms.silence_status_at). Status answers and other notices are held, "
                "acknowledgements and answers of administrations still go.",
            )
            TEXTS_HELD.labels("silence").inc()
            return Result(OutboxState.HELD, error=SILENCED)
        today.sent += 1
        return None

    def _over_emergencies(self, connection: Connection, now: datetime) -> Result | None:
        """Whom to call in danger is told beyond the ceiling of the day, but not without end."""
        counted_at, sent = self._advised
        if not timedelta() <= now - counted_at < _COUNT_HOLDS:
            counted_at, sent = now, alarm.advised(connection, now - timedelta(days=1))
        if sent < self._sms.emergency_texts_per_day:
            self._advised = (counted_at, sent + 1)
            return None
        self._tell(
            now,
            "emergency",
            "The emergency advice by text of the last 24 hours is used up (setting: "
            "sms.emergency_texts_per_day). Look at the cases at the top of this list.",
        )
        TEXTS_HELD.labels("emergency").inc()
        return Result(OutboxState.HELD, error="too much emergency advice by text in a day")

    def _count(self, connection: Connection, now: datetime) -> _Today:
        today = self._today
        if (
            today is None
            or not today.begin <= now < today.end
            or not timedelta() <= now - today.counted_at < _COUNT_HOLDS
        ):
            begin = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
            end = begin + timedelta(days=1)  # of the same wall clock, also where it is changed
            today = self._today = _Today(begin, end, now, _sent(connection, begin))
        return today

    def _tell(self, now: datetime, what: str, sentence: str) -> None:
        """Put one item a day on the list *Needs a person*, and one line into the log."""
        day = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if (day, what) in self._told:
            return
        self._told = {one for one in self._told if one[0] == day} | {(day, what)}
        logger.warning("automatic texts: %s", sentence)
        with self._engine.begin() as connection:
            earlier = connection.scalar(
                select(attention_table.c.id)
                .where(attention_table.c.opened_at >= day, attention_table.c.detail == sentence)
                .limit(1)
            )
            if earlier is None:
                attention.open_item(
                    connection,
                    AttentionReason.UNDELIVERED,
                    sentence,
                    at=now,
                    data={"limit": what},
                )


def _is_automatic(work: Work) -> bool:
    """Whether a machine sends it of itself; "you have an answer" belongs to the answer."""
    told = work.entry.payload.get("notice")
    return work.entry.kind in _AUTOMATIC and told != "have_answer"


def _is_emergency(work: Work) -> bool:
    return bool(work.entry.payload.get("notice") == alarm.NOTICE)


def _stays_on_its_page(work: Work) -> bool:
    """An answer on a page whose visitor confirmed no address: nobody is sent anything."""
    entry, case = work.entry, work.case
    return entry.channel == "web" and (
        not entry.recipient
        or (
            case is not None
            and not case.contact_confirmed
            and entry.kind != OutboxKind.CONFIRM_CONTACT
        )
    )


def _sent(connection: Connection, begin: datetime) -> int:
    """Automatic texts that went since ``begin``.

    By the index of states and due times: what went since then was due a day before at the earliest.
    """
    outbox = outbox_table.c
    by_text = or_(
        outbox.channel.in_(_BY_TEXT),
        outbox.channel.in_(["web", "voice"]) & (outbox.recipient_scheme == "tel"),
    )
    return (
        connection.scalar(
            select(func.count())
            .select_from(outbox_table)
            .where(
                outbox.state.in_([str(OutboxState.DONE), str(OutboxState.UNKNOWN)]),
                outbox.not_before > begin - timedelta(days=1),
                outbox.done_at >= begin,
                outbox.kind.in_([str(kind) for kind in _AUTOMATIC]),
                by_text,
            )
        )
        or 0
    )
