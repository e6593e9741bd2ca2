# SPDX-License-Identifier: MIT
"""The relay: claims due entries in batches, does each, records the results in one transaction."""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError

from config import country as countries
from dispatcher.work import Result, Work, failed_for_good
from gateway import telemetry
from gateway.gathering import gather
from gateway.texting_limits import TextingLimits
from tracker import outbox
from tracker.database import reading
from tracker.models import OutboxKind, OutboxState
from tracker.models import outbox as outbox_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

    from config.country import Country
    from config.settings import Settings

logger = logging.getLogger(__name__)

#: What the relay worker does; recordings have a worker of their own, as they take long.
RELAYED = tuple(kind for kind in OutboxKind if kind is not OutboxKind.TRANSCRIBE)
TRANSCRIBED = (OutboxKind.TRANSCRIBE,)
#: Marks an acknowledgement that waited for the limit of automatic answers.
WAITING = "waiting: limit of automatic answers"
#: How long a provider is asked what became of a message; then a person decides.
STAYS_UNKNOWN = timedelta(hours=24)
#: Key of a payload: POSIX time of the first question that the provider left open.
_ASKED_SINCE = "asked_since"
NOBODY_KNOWS = "it may have gone, and its provider could not be asked for a day"


def name_of(process: int) -> str:
    """How a process of this machine signs its claims."""
    return f"{socket.gethostname()}:{process}"[:64]


class Relay:
    """Drains the outbox.

    Args:
        engine: the writing engine.
        settings: batch, lease, retries and limits.
        perform: does one entry.
        clock: the present time.
        kinds: what this relay takes.
        rest: called when a batch has been done (closes the connection to the mail relay).
        country: the profile of the settings, where it is loaded already.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        perform: Callable[[Work], Result],
        clock: Callable[[], datetime],
        kinds: Sequence[OutboxKind] = RELAYED,
        rest: Callable[[], None] = lambda: None,
        country: Country | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._perform = perform
        self._clock = clock
        self._kinds = kinds
        self._rest = rest
        country = country or countries.load(settings.country)
        self._zone = ZoneInfo(country.timezone)
        self._most_bytes = settings.relay.max_attachment_bytes
        self._texting = TextingLimits(engine, settings, country)
        self._name = name_of(os.getpid())

    def drain(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Work until nothing is due; return how many entries were done."""
        done = 0
        while not stop():
            worked = self.batch(stop)
            if not worked:
                break
            done += worked
        return done

    def batch(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Claim, do and record one batch; return its size. After ``stop()`` it begins nothing."""
        queue = self._settings.queue
        # What is sent late in a long batch must not have been taken for dead by the sweeper.
        stop_at = self._clock() + timedelta(seconds=queue.lease_seconds / 2)
        with self._engine.begin() as connection:
            entries = outbox.claim(
                connection,
                kinds=self._kinds,
                limit=queue.batch_size,
                lease_seconds=queue.lease_seconds,
                worker=self._name,
                now=self._clock(),
            )
        if not entries:
            return 0
        with reading(self._engine).connect() as connection:
            works = gather(connection, entries, today=self._today(), most_bytes=self._most_bytes)
            going: Counter[object] = Counter()
            limited = {work.entry.id: self._limit(connection, work, going) for work in works}
        results: list[tuple[Work, Result]] = []
        waited: dict[str, list[Work]] = {}
        late: list[Work] = []
        for work in works:
            until = limited[work.entry.id]
            if stop() or self._clock() > stop_at:
                late.append(work)
                continue
            if until is not None:
                results.append((work, self._over_limit(work, until)))
            elif work.entry.kind == "acknowledge" and work.entry.last_error == WAITING:
                waited.setdefault(work.entry.recipient, []).append(work)
            else:
                results.append((work, self._do(work)))
        for together in waited.values():
            if stop() or self._clock() > stop_at:
                late.extend(together)
            else:
                results.extend(self._together(together))
        self._rest()
        self._record_all(results)
        with self._engine.begin() as connection:
            outbox.give_back(connection, [work.entry.id for work in late])
        return len(entries)

    def settle_unknown(self, perform: Callable[[Work], Result], *, older_than: datetime) -> int:
        """Settle what may or may not have gone; return how many entries were looked at.

        Args:
            perform: the dispatcher's work through channels that ask instead of send: ``DONE``
                when the provider knows the message, ``DUE`` when it does not (send again),
                ``UNKNOWN`` when it cannot be asked (ask again, for a day).
            older_than: entries younger than this are left to the provider's own receipts.
        """
        unknown = outbox_table.c.state == str(OutboxState.UNKNOWN)
        with reading(self._engine).connect() as connection:
            entries = connection.execute(
                select(outbox_table)
                .where(unknown, outbox_table.c.kind.in_([str(kind) for kind in self._kinds]))
                .where(
                    func.coalesce(outbox_table.c.done_at, outbox_table.c.not_before) < older_than
                )
                .limit(self._settings.queue.batch_size)
            ).all()
            works = gather(connection, entries, today=self._today(), most_bytes=self._most_bytes)
        for work in works:
            result = perform(work)
            payload = {**work.entry.payload, "was_unknown": True}
            asked_since = payload.pop(_ASKED_SINCE, self._clock().timestamp())
            if result.state is OutboxState.UNKNOWN:
                payload[_ASKED_SINCE] = asked_since
                if self._clock().timestamp() - asked_since > STAYS_UNKNOWN.total_seconds():
                    result = Result(OutboxState.FAILED, error=NOBODY_KNOWS)
            with self._engine.begin() as connection:
                marked = connection.execute(
                    outbox_table.update()
                    .where(outbox_table.c.id == work.entry.id, unknown)
                    .values(payload=payload)
                )
                if marked.rowcount:
                    self._record(connection, [(work, result)])
        return len(works)

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def _do(self, work: Work) -> Result:
        try:
            return self._perform(work)
        except Exception as error:  # the relay's one wide catch: the entry waits, the batch goes on
            logger.exception("an outbox entry raised")
            return Result(OutboxState.DUE, error=f"{type(error).__name__} while working on it")

    def _together(self, works: Sequence[Work]) -> list[tuple[Work, Result]]:
        """Acknowledgements that waited go as one message naming all their codes (promise 11)."""
        first = works[0]
        if len(works) == 1:
            return [(first, self._do(first))]
        codes = [work.case.tracking_code for work in works if work.case is not None]
        result = self._do(Work(first.entry, first.case, codes=codes))
        quiet = Result(result.state, result.provider_id, result.delivery_status, result.error)
        return [(first, result), *((work, quiet) for work in works[1:])]

    def _limit(
        self, connection: Connection, work: Work, going: Counter[object]
    ) -> Result | datetime | None:
        """Until when an entry must wait, or what becomes of it unsent; ``None``: it may go."""
        now = self._clock()
        refused = self._texting.refused(connection, work, now)
        if refused is not None:
            return refused
        joins = going[(work.entry.recipient, WAITING)]
        until = self._answers_limit(connection, work, going)
        if until is not None or (joins and work.entry.last_error == WAITING):
            return until
        over = self._texting.over(connection, work, now)
        if over is not None:  # those that waited with it must not go without it
            going[(work.entry.recipient, WAITING)] = 0
        return over

    def _answers_limit(
        self, connection: Connection, work: Work, going: Counter[object]
    ) -> datetime | None:
        """Until when an automatic answer must wait, or ``None`` when it may go (promise 11).

        ``going`` counts what this same batch sends already, by recipient and by case.
        """
        entry, now, limits = work.entry, self._clock(), self._settings.limits
        if not entry.automatic or entry.kind == "confirm_contact":
            return None
        correspondent = outbox.correspondent(entry.recipient)
        together = (entry.recipient, WAITING)
        waits = entry.kind == "acknowledge" and entry.last_error == WAITING
        if waits and going[together]:
            return None  # it goes in the one message of those that waited
        hour, day = timedelta(hours=1), timedelta(days=1)
        windows: list[tuple[timedelta, int, UUID | None, bool]] = [
            (hour, limits.automatic_per_hour, None, True),
            (day, limits.automatic_per_day, None, True),
        ]
        if entry.case_id is not None and entry.kind != "acknowledge":
            window = timedelta(seconds=limits.automatic_per_case_window_seconds)
            windows.append((window, 1, entry.case_id, False))  # beside its acknowledgement
            windows.append((day, limits.automatic_per_case_per_day, entry.case_id, True))
        for window, most, case_id, acknowledgements in windows:
            sent = outbox.automatic_sent(
                connection,
                entry.recipient,
                since=now - window,
                case_id=case_id,
                besides=entry.id,
                acknowledgements=acknowledgements,
            )
            if sent + going[(case_id or correspondent, acknowledgements)] >= most:
                return now + window / 4
        going[(correspondent, True)] += 1
        if entry.case_id is not None:
            going[(entry.case_id, True)] += 1
            going[(entry.case_id, False)] += entry.kind != "acknowledge"
        going[together] += waits
        return None

    @staticmethod
    def _over_limit(work: Work, until: Result | datetime) -> Result:
        if isinstance(until, Result):
            return until
        if work.entry.kind in ("acknowledge", "confirm_contact"):
            wait = (until - work.entry.not_before).total_seconds()
            return Result(OutboxState.DUE, error=WAITING, retry_after=max(wait, 60.0))
        return Result(OutboxState.HELD, error="limit of automatic answers reached")

    def _record_all(self, results: Sequence[tuple[Work, Result]]) -> None:
        """Record a batch in one transaction; what the database refuses spoils only itself."""
        try:
            with self._engine.begin() as connection:
                self._record(connection, results)
        except (IntegrityError, DataError):
            if len(results) > 1:
                for one in results:
                    self._record_all([one])
                return
            work, result = results[0]
            logger.exception("the result of an entry (%s) cannot be recorded", work.entry.kind)
            sent = result.state is OutboxState.DONE and result.delivery_status is not None
            refused = replace(result, record=None) if sent else Result(OutboxState.FAILED)
            with self._engine.begin() as connection:
                self._record(connection, [(work, replace(refused, error="its record was refused"))])
        for work, result in results:
            if result.state is not OutboxState.DUE:
                telemetry.worked(work.entry.kind, str(result.state))

    def _record(self, connection: Connection, results: Sequence[tuple[Work, Result]]) -> None:
        now, queue = self._clock(), self._settings.queue
        finished = []
        for work, outcome in results:
            entry, result = work.entry, outcome
            if result.state is OutboxState.DUE and result.error != WAITING:
                if result.counts and entry.attempts >= queue.max_attempts:
                    result = Result(OutboxState.FAILED, error=result.error)
                else:
                    pause = result.retry_after or outbox.backoff_seconds(
                        entry.attempts - 1,
                        base=queue.retry_base_seconds,
                        cap=queue.retry_cap_seconds,
                    )
                    outbox.postpone(
                        connection,
                        entry.id,
                        until=now + timedelta(seconds=pause),
                        error=result.error,
                        count_attempt=result.counts,
                    )
                    continue
            if result.state is OutboxState.DUE:
                outbox.postpone(
                    connection,
                    entry.id,
                    until=now + timedelta(seconds=result.retry_after or 60),
                    error=WAITING,
                    count_attempt=False,
                )
                continue
            finished.append(
                {
                    "entry_id": entry.id,
                    "new_state": str(result.state),
                    "at": now,
                    "provider": result.provider_id,
                    "status": str(result.delivery_status) if result.delivery_status else None,
                    "error": result.error,
                }
            )
        outbox.finish(connection, finished)
        ended = {row["entry_id"]: row["new_state"] for row in finished}
        for work, result in results:
            state = ended.get(work.entry.id)
            if state == str(OutboxState.FAILED):
                if result.record is not None:  # a channel that its recipient closed is no way
                    result.record(connection)
                failed_for_good(connection, work, result, now)
            elif state is not None and result.record is not None:
                result.record(connection)
