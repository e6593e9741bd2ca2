# SPDX-License-Identifier: MIT
"""The legal clock of this house: the profile's terms as values, and the round of the sweeper."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config import public_holidays
from config.country import WEEK
from dispatcher import reminders
from dispatcher.administration import load_all
from tracker import ledger
from tracker.deadlines import Calendar, Counting, Term, Terms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

    from config.country import Country
    from config.settings import Settings

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
#: Transactions of one round; what is left waits for the next one.
_BATCHES = 50
#: How far back an ordinary round looks for cases that are not in the ledger; the first one of a
#: process, and one a day, look at all.
_RECENT = timedelta(days=2)
_ALL_EVERY = timedelta(days=1)


def terms_of(country: Country, settings: Settings) -> Terms:
    """The profile's terms.

    Raises:
        FileNotFoundError: the table of holidays that the settings name does not exist.
        config.public_holidays.BadHolidays: the table has an error.
    """
    table = Path(settings.clock.holidays) if settings.clock.holidays else None
    counting = Counting(country.answer_counting)
    return Terms(
        calendar=Calendar(
            ZoneInfo(country.timezone),
            frozenset(WEEK.index(name) for name in country.weekend),
            public_holidays.load(country.region, table),
        ),
        forward=Term(country.forward_days, Counting(country.forward_counting)),
        answer=Term(country.answer_days, counting),
        follow_up=Term(country.follow_up_days or country.answer_days, counting),
        waiting_stops=country.waiting_stops_clock,
        remind_before=country.remind_days_before,
        remind_every=country.remind_every_days,
        escalate_after=country.escalate_after_days,
        hour=country.notice_hour,
    )


class LegalClock:
    """Keeps the ledger and takes the steps that are due, once a minute.

    Args:
        engine: the writing engine.
        terms: the profile's terms.
        clock: the present time.
        batch_size: cases looked at in one transaction.
    """

    def __init__(
        self, engine: Engine, terms: Terms, clock: Callable[[], datetime], *, batch_size: int = 100
    ) -> None:
        self._engine = engine
        self._terms = terms
        self._clock = clock
        self._batch_size = batch_size
        self._last: datetime | None = None
        self._looked_at_all: datetime | None = None

    def tick(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Do a round if the last one is a minute ago."""
        now = self._clock()
        if self._last is None or abs(now - self._last) >= EVERY:
            self._last = now
            self.round(stop)

    def round(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Look at what is due, in bounded transactions; return how many cases were looked at."""
        now = self._clock()
        self._enrol(now, stop)
        looked_at = 0
        for _ in range(_BATCHES):
            if stop():
                break
            with self._engine.begin() as connection:
                held = ledger.waiting(connection, now=now, limit=self._batch_size)
                if not held:
                    break
                happenings = ledger.keep(connection, held, self._terms, now=now)
                if happenings:
                    register = load_all(connection)
                    reminders.take(connection, happenings, register, self._terms, now=now)
            looked_at += len(held)
        return looked_at

    def _enrol(self, now: datetime, stop: Callable[[], bool]) -> None:
        whole = self._looked_at_all is None or now - self._looked_at_all >= _ALL_EVERY
        since = None if whole else now - _RECENT
        for _ in range(_BATCHES):
            if stop():
                return
            with self._engine.begin() as connection:
                found = ledger.enrol(connection, now=now, since=since, limit=self._batch_size)
            if found < self._batch_size:
                self._looked_at_all = now if whole else self._looked_at_all
                return
