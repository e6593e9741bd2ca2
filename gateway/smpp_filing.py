# SPDX-License-Identifier: MIT
"""From stored parts to filed texts.

A text that is whole is filed at once. What stays incomplete is filed as it is after a while, and
parts that come later are appended to its case (docs/decisions/0008-smpp.md). What is to be filed is
asked of the database alone, so nothing depends on the process that stored it.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from channels.message import ChannelName
from gateway import smpp_faults, telemetry
from gateway.intake import Intake
from gateway.planning import Plan, Planner
from gateway.smpp_reading import LATE, delivery_of, late_message, message_of
from normalizer.complaint import Outcome
from normalizer.normalize import normalize
from tracker import deferred, parts, register
from tracker.database import reading
from tracker.group_commit import StorageUnavailable
from tracker.models import DeliveryState, EventType, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from channels.channel import Accepted, Delivery
    from gateway.house import House
    from gateway.smpp_line import Line
    from normalizer.complaint import Submission

logger = logging.getLogger(__name__)

#: Texts of one commit: few, as a read of the socket may be waiting for the writer.
_TOGETHER = 25
#: The sweeper leaves a whole text to the process that holds the line for so long.
_GRACE = timedelta(seconds=30)
_LOOK_SECONDS, _AGAIN_SECONDS, _COMMIT_SECONDS = 5.0, 1.0, 60


class TextFiling:
    """Files what is stored.

    Args:
        house: writer, intake, settings and clock.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._wait = timedelta(minutes=house.settings.smpp.max_parts_wait_minutes)

    def run(self, line: Line, stop: threading.Event) -> None:
        """File what comes until ``stop`` is set. Blocks."""
        while not stop.is_set():
            line.give_way(stop)
            try:
                filed = self.file_due()
            except (StorageUnavailable, SQLAlchemyError) as error:
                logger.warning("smpp: texts could not be filed now (%s)", type(error).__name__)
                stop.wait(_AGAIN_SECONDS)
                continue
            except Exception:  # nobody else looks after this thread: the next round tries again
                logger.exception("smpp: filing texts failed")
                stop.wait(_AGAIN_SECONDS)
                continue
            line.filed(filed)
            if not filed:
                line.wait(_LOOK_SECONDS)

    def file_due(self) -> int:
        """File some texts that are whole, and late parts; return how many parts they had.

        Raises:
            StorageUnavailable: nothing was filed; try again.
        """
        with reading(self._house.engine).connect() as connection:
            names = parts.due(connection, limit=_TOGETHER)
        return self._file(names)

    def file_overdue(self) -> int:
        """File what has waited long enough for a missing part, or for the process that stored it.

        Returns:
            how many texts.

        Raises:
            StorageUnavailable: not all of them were filed; try again.
        """
        now = self._house.clock()
        with reading(self._house.engine).connect() as connection:
            names = parts.due(
                connection, limit=200, whole_before=now - _GRACE, waiting_since=now - self._wait
            )
        for at in range(0, len(names), _TOGETHER):
            self._file(names[at : at + _TOGETHER])
        return len(names)

    def _file(self, names: Sequence[parts.Name]) -> int:
        if not names:
            return 0
        with reading(self._house.engine).connect() as connection:
            read = [self._read(text) for text in parts.take(connection, names, lock=False)]
        try:
            return self._commit(names, read)
        except StorageUnavailable as error:
            if error.__cause__ is None or not smpp_faults.is_its_own(error.__cause__):
                raise
            if len(names) > 1:  # one of them is to blame: the others need not wait for it
                return sum(self._file([name]) for name in names)
            return self._commit(names, read, aside=type(error.__cause__).__name__)

    def _commit(
        self, names: Sequence[parts.Name], read: Sequence[_Reading], *, aside: str = ""
    ) -> int:
        """File in one commit, and count what was filed."""
        prepared = {(one.text.key, one.text.occurrence): one for one in read}
        stored = self._house.writer.submit(
            lambda connection: self._store(connection, names, prepared, aside),
            savepoint=False,  # the intake makes its own, after the raw bytes are claimed
        )
        try:
            filed = stored.result(timeout=_COMMIT_SECONDS)
        except TimeoutError as error:
            message = "the database did not answer in time"
            raise StorageUnavailable(message) from error
        for accepted, _ in filed:
            telemetry.delivered(str(ChannelName.SMS), accepted.state, accepted.repeated)
        return sum(count for _, count in filed)

    def _store(
        self,
        connection: Connection,
        names: Sequence[parts.Name],
        prepared: dict[parts.Name, _Reading],
        aside: str,
    ) -> list[tuple[Accepted, int]]:
        """What one commit holds. It may run again, so it acts on nothing but the transaction."""
        filed, held = [], []
        for text in parts.take(connection, names):
            one = prepared.get((text.key, text.occurrence))
            if one is None or one.text != text:  # a part has come since
                one = self._read(text)
            key = text.delivery_key
            if aside:
                key += ":aside"
                delivery = delivery_of(text.parts, key, self._peer, late=text.late)
                accepted = self._house.intake.file(
                    connection, delivery, None, f"filing failed: {aside}"
                )
            else:
                accepted = self._file_text(connection, text, one)
            filed.append((accepted, len(text.parts)))
            held.append((text, key))
        if held:
            deferred.flush(connection)
            parts.filed(connection, held)
        return filed

    def _file_text(self, connection: Connection, text: parts.Text, read: _Reading) -> Accepted:
        if text.late:
            return self._append(connection, text, read)
        accepted = self._house.intake.file(connection, read.delivery, read.submission, read.unread)
        if accepted.repeated:
            message = "a text that is new has the key of an earlier delivery"
            raise RuntimeError(message)
        if text.missing:
            self._note(connection, text, EventType.PARTS_MISSING, text.missing)
        return accepted

    def _append(self, connection: Connection, text: parts.Text, read: _Reading) -> Accepted:
        """Late parts go to the case that their text opened or joined, else by themselves."""
        house = self._house
        deferred.flush(connection)
        first = parts.first_delivery(connection, text)
        case_id = first.case_id if first is not None else None
        case = register.case_by_id(connection, case_id) if case_id is not None else None
        if first is None or case is None:
            return house.intake.file(connection, read.delivery, read.submission, read.unread)
        intake = Intake(house.writer, _Joining(house, case), house.country)
        accepted = intake.file(connection, read.delivery, read.submission, read.unread)
        came = message_of(parts.all_parts(connection, text), house.settings)
        connection.execute(
            messages.update()
            .where(messages.c.delivery_id == first.id)
            .values(incomplete=came.incomplete)
        )
        numbers = [part.number for part in text.parts]
        self._note(connection, text, EventType.LATE_PART, numbers)
        return accepted

    def _note(
        self,
        connection: Connection,
        text: parts.Text,
        what: EventType,
        numbers: Sequence[int],
    ) -> None:
        deferred.flush(connection)
        first = parts.first_delivery(connection, text)
        if first is not None and first.case_id is not None:
            register.add_event(
                connection,
                first.case_id,
                what,
                {"parts": list(numbers), "total": text.parts[0].total},
                source=f"/channels/{ChannelName.SMS}",
                at=self._house.clock(),
            )

    @property
    def _peer(self) -> str:
        return self._house.settings.smpp.host

    def _read(self, text: parts.Text) -> _Reading:
        house = self._house
        delivery = delivery_of(text.parts, text.delivery_key, self._peer, late=text.late)
        reader = late_message if delivery.headers.get(LATE) else message_of
        try:
            message = reader(text.parts, house.settings)
            submission = normalize(
                message,
                region=house.country.region,
                default_language=house.country.default_language,
            )
        except Exception as error:  # the one wide catch of this door: it quarantines
            logger.exception("reading a text failed")
            return _Reading(text, delivery, None, f"reading failed: {type(error).__name__}")
        return _Reading(text, delivery, submission, "")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text, its delivery and what was read of it."""

    text: parts.Text
    delivery: Delivery
    submission: Submission | None
    unread: str


class _Joining(Planner):
    """Plans nothing: the text belongs to a case that is known."""

    def __init__(self, house: House, case: Row[Any]) -> None:
        super().__init__(house.settings, house.country)
        self._case = case

    def plan(self, connection: Connection, delivery: Delivery, submission: Submission) -> Plan:
        """Append it to the case."""
        case = self._case
        return Plan(
            DeliveryState.APPENDED,
            Outcome.FOLLOW_UP,
            case_id=case.id,
            case=case,
            tracking_code=case.tracking_code,
            reason="late part of a long text",
        )
