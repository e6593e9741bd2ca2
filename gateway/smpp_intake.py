# SPDX-License-Identifier: MIT
"""What one read of the socket held is one commit: a row for each part, and what receipts say.

Nothing is read or filed before the SMSC is answered: ``gateway/smpp_filing.py`` does that after.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from channels.message import ChannelName
from channels.sms.part import Part, SegmentReceipt
from gateway import smpp_faults, telemetry
from gateway.smpp_reading import PREFIX, delivery_of
from tracker import parts, segments
from tracker.group_commit import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from gateway.house import House
    from gateway.smpp_line import Line

logger = logging.getLogger(__name__)

_COMMIT_SECONDS = 60


class PartIntake:
    """Keeps parts and receipts (a ``PartStore`` of ``channels.sms.part``).

    Args:
        house: writer, intake, settings and clock.
        line: is told how busy it is, and slows it down while too much waits to be filed.
    """

    def __init__(self, house: House, line: Line) -> None:
        self._house = house
        self._line = line
        smpp = house.settings.smpp
        self._window = timedelta(minutes=smpp.duplicate_window_minutes)
        self._late_window = timedelta(hours=smpp.late_parts_hours)

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """Commit all items together; see :class:`channels.sms.part.PartStore`. Never raises."""
        if not items:
            return []
        with self._line.reading():
            return self._keep(items)

    def _keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        try:
            new = self._run(lambda connection: self._store(connection, items))
        except StorageUnavailable as error:
            if error.__cause__ is None or not smpp_faults.is_its_own(error.__cause__):
                telemetry.try_later(str(ChannelName.SMS))
                return [False] * len(items)
            if len(items) > 1:  # one of them is to blame: the others need not wait for it
                return [self._keep([item])[0] for item in items]
            return [self._set_aside(items[0], type(error.__cause__).__name__)]
        self._line.stored(new)
        return [True] * len(items)

    def _run(self, function: Any) -> int:
        """Run a function in one commit."""
        stored = self._house.writer.submit(function, savepoint=False)
        try:
            return int(stored.result(timeout=_COMMIT_SECONDS))
        except TimeoutError as error:
            message = "the database did not answer in time"
            raise StorageUnavailable(message) from error

    def _store(self, connection: Connection, items: Sequence[Part | SegmentReceipt]) -> int:
        """What one commit holds. It may run again, so it acts on nothing but the transaction."""
        told = [item for item in items if isinstance(item, SegmentReceipt)]
        if told:
            segments.receive(connection, told, self._house.clock())
        return parts.keep(
            connection,
            [item for item in items if isinstance(item, Part)],
            window=self._window,
            late_window=self._late_window,
        )

    def _set_aside(self, item: Part | SegmentReceipt, reason: str) -> bool:
        """What the database refuses by itself: its bytes go to quarantine."""
        if isinstance(item, SegmentReceipt):
            logger.error("a receipt of a segment cannot be stored: %s", reason)
            telemetry.smpp_event("receipt_refused")
            return True
        peer = self._house.settings.smpp.host
        delivery = delivery_of([item], f"{PREFIX}{item.key}:aside", peer)
        unread = f"it could not be stored as a part: {reason}"

        def aside(connection: Connection) -> int:
            self._house.intake.file(connection, delivery, None, unread)
            return 0

        try:
            self._run(aside)
        except StorageUnavailable:
            return False
        return True
