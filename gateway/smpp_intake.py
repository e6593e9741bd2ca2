# SPDX-License-Identifier: MIT
"""From parts of texts to filed texts: what one read of the socket held is one commit.

A text of one part is filed at once. A part of a longer one is stored; with the last one the text
is joined and filed in the same commit. What stays incomplete is filed by the sweeper as it is,
and parts that come later are appended to its case (docs/decisions/0008-smpp.md).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from channels.channel import Accepted, Delivery
from channels.message import ChannelName
from channels.sms.part import Part, SegmentReceipt, join, read_pdus
from channels.sms.smpp_alphabet import Alphabet
from gateway import smpp_faults, telemetry
from gateway.intake import Intake
from gateway.planning import Plan, Planner
from normalizer.complaint import Outcome
from normalizer.normalize import normalize
from tracker import deferred, parts, register, segments
from tracker.group_commit import StorageUnavailable
from tracker.models import DeliveryState, EventType, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from channels.message import InboundMessage
    from config.settings import Settings
    from gateway.house import House
    from normalizer.complaint import Submission

logger = logging.getLogger(__name__)

#: Begins the idempotency key of every delivery that came by SMPP.
PREFIX = "smpp:"
#: Header of a delivery that holds late parts alone.
LATE = "late"
_COMMIT_SECONDS = 60


class PartIntake:
    """Keeps parts and receipts, and files the texts that they complete (a ``PartStore``).

    Args:
        house: writer, intake, settings and clock.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        smpp = house.settings.smpp
        self._window = timedelta(minutes=smpp.duplicate_window_minutes)
        self._late_window = timedelta(hours=smpp.late_parts_hours)
        self._wait = timedelta(minutes=smpp.max_parts_wait_minutes)

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """Commit all items together; see :class:`channels.sms.part.PartStore`. Never raises."""
        if not items:
            return []
        alone = {
            item.key: self._read_alone(item)
            for item in items
            if isinstance(item, Part) and item.total == 1
        }
        try:
            self._run(lambda connection: self._store(connection, items, alone))
        except StorageUnavailable as error:
            if error.__cause__ is None or not smpp_faults.is_its_own(error.__cause__):
                telemetry.try_later(str(ChannelName.SMS))
                return [False] * len(items)
            if len(items) > 1:  # one of them is to blame: the others need not wait for it
                return [self.keep([item])[0] for item in items]
            return [self._set_aside(items[0], type(error.__cause__).__name__)]
        return [True] * len(items)

    def file_overdue(self) -> int:
        """File what has waited long enough for its missing parts; return how many texts."""
        with self._house.engine.begin() as connection:
            found = parts.overdue(connection, self._house.clock() - self._wait)
        for key, occurrence in found:
            self._run(
                lambda connection, key=key, occurrence=occurrence: self._file_what_came(
                    connection, key, occurrence
                )
            )
        return len(found)

    def _run(self, function: Any) -> None:
        """Run a function in one commit, and count what it filed."""
        stored = self._house.writer.submit(
            function,
            savepoint=False,  # the intake makes its own, after the raw bytes are claimed
        )
        try:
            filed: list[Accepted] = stored.result(timeout=_COMMIT_SECONDS)
        except TimeoutError as error:
            message = "the database did not answer in time"
            raise StorageUnavailable(message) from error
        for one in filed:
            telemetry.delivered(str(ChannelName.SMS), one.state, one.repeated)

    def _store(
        self,
        connection: Connection,
        items: Sequence[Part | SegmentReceipt],
        alone: dict[str, _Reading],
    ) -> list[Accepted]:
        """What one commit holds. It may run again, so it acts on nothing but the transaction."""
        told = [item for item in items if isinstance(item, SegmentReceipt)]
        pieces = [item for item in items if isinstance(item, Part)]
        if told:
            segments.receive(connection, told, self._house.clock())
        whole = [part for part in pieces if part.total == 1]
        filed = self._file_alone(connection, whole, alone)
        texts = parts.keep(
            connection,
            [part for part in pieces if part.total > 1],
            window=self._window,
            late_window=self._late_window,
        )
        filed += [self._file_text(connection, text) for text in texts]
        if texts:
            deferred.flush(connection)
            parts.filed(connection, texts)
        return filed

    def _file_alone(
        self, connection: Connection, whole: Sequence[Part], alone: dict[str, _Reading]
    ) -> list[Accepted]:
        seen = parts.latest_alone(connection, {part.key for part in whole})
        filed = []
        for part in whole:
            repetition = parts.repetition_of(seen.get(part.key), part.received_at, self._window)
            if repetition is None:
                continue
            seen[part.key] = (repetition, part.received_at)
            read = alone[part.key]
            delivery = replace(read.delivery, idempotency_key=parts.alone_key(part.key, repetition))
            filed.append(
                self._house.intake.file(connection, delivery, read.submission, read.unread)
            )
        return filed

    def _file_what_came(self, connection: Connection, key: str, occurrence: int) -> list[Accepted]:
        text = parts.take(connection, key, occurrence)
        if text is None:  # its last part came in the meantime
            return []
        accepted = self._file_text(connection, text)
        deferred.flush(connection)
        parts.filed(connection, [text])
        return [accepted]

    def _file_text(self, connection: Connection, text: parts.Text) -> Accepted:
        read = self._read(text)
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

    def _read_alone(self, part: Part) -> _Reading:
        delivery = delivery_of([part], parts.alone_key(part.key, 0), self._peer)
        return self._prepare(delivery, [part])

    def _read(self, text: parts.Text) -> _Reading:
        delivery = delivery_of(text.parts, text.delivery_key, self._peer, late=text.late)
        return self._prepare(delivery, text.parts)

    @property
    def _peer(self) -> str:
        return self._house.settings.smpp.host[:64]

    def _prepare(self, delivery: Delivery, some: Sequence[Part]) -> _Reading:
        house = self._house
        reader = late_message if delivery.headers.get(LATE) else message_of
        try:
            message = reader(some, house.settings)
            submission = normalize(
                message,
                region=house.country.region,
                default_language=house.country.default_language,
            )
        except Exception as error:  # the one wide catch of this door: it quarantines
            logger.exception("reading a text failed")
            return _Reading(delivery, None, f"reading failed: {type(error).__name__}")
        return _Reading(delivery, submission, "")

    def _set_aside(self, item: Part | SegmentReceipt, reason: str) -> bool:
        """What the database refuses by itself: its bytes go to quarantine."""
        if isinstance(item, SegmentReceipt):
            logger.error("a receipt of a segment cannot be stored: %s", reason)
            telemetry.smpp_event("receipt_refused")
            return True
        delivery = delivery_of([item], f"{PREFIX}{item.key}:aside", self._peer)
        unread = f"it could not be stored as a part: {reason}"
        try:
            self._run(
                lambda connection: [self._house.intake.file(connection, delivery, None, unread)]
            )
        except StorageUnavailable:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Reading:
    """A delivery and what was read of it."""

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


def delivery_of(some: Sequence[Part], key: str, peer: str, *, late: bool = False) -> Delivery:
    """The raw delivery of parts: their units one after another, each with its own length."""
    headers = {"smsc": some[0].smsc, "parts": " ".join(str(part.number) for part in some)}
    if late:
        headers[LATE] = "yes"
    return Delivery(
        channel=ChannelName.SMS,
        idempotency_key=key,
        received_at=min(part.received_at for part in some),  # the clock starts with the first
        peer=peer,
        headers=headers,
        body=b"".join(part.pdu for part in some),
    )


def read(delivery: Delivery, settings: Settings, region: str) -> InboundMessage:
    """Read a kept delivery (again).

    Raises:
        MalformedMessage: it still cannot be read.
    """
    some = read_pdus(
        delivery.body,
        smsc=delivery.headers.get("smsc", ""),
        region=region,
        received_at=delivery.received_at,
    )
    reader = late_message if delivery.headers.get(LATE) else message_of
    return reader(some, settings)


def message_of(some: Sequence[Part], settings: Settings) -> InboundMessage:
    """The message of all parts of a text that came; what is missing is marked in it."""
    smpp = settings.smpp
    return join(some, Alphabet(smpp.default_alphabet), utf16_little_endian=smpp.utf16_little_endian)


def late_message(some: Sequence[Part], settings: Settings) -> InboundMessage:
    """The words of late parts alone: without marks for those that came in time."""
    runs: list[list[Part]] = []
    for part in sorted(some, key=lambda part: part.number):
        if runs and runs[-1][-1].number == part.number - 1:
            runs[-1].append(part)
        else:
            runs.append([part])
    read_runs = [
        message_of(
            [replace(part, number=at, total=len(run)) for at, part in enumerate(run, start=1)],
            settings,
        )
        for run in runs
    ]
    text = "\n".join(message.text for message in read_runs)
    return replace(read_runs[0], text=text, full_text=text, incomplete="")
