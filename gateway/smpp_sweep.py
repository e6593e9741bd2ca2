# SPDX-License-Identifier: MIT
"""The sweeper's round for SMPP: what waits for a part, and what a dead process had in hand."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.smpp_filing import TextFiling
from tracker import segments, texts

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.house import House

logger = logging.getLogger(__name__)

FORGET_EVERY = timedelta(hours=1)


class SmppSweep:
    """One round; also where no host is set any more, as parts may be left from before.

    Args:
        house: of the sweeper's process.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._filing = TextFiling(house)
        self._give_up_after = timedelta(hours=house.settings.smpp.give_up_hours)
        self._forgot: datetime | None = None

    def sweep(self) -> None:
        """File incomplete texts; settle texts of ours that nobody has in hand any more."""
        if filed := self._filing.file_overdue():
            logger.info("smpp: %d texts were filed that had waited", filed)
        now = self._house.clock()
        with self._house.engine.begin() as connection:
            if lost := texts.expire(connection, now):
                logger.warning("smpp: %d texts may or may not have gone", lost)
            texts.give_up(connection, now - self._give_up_after, now)
            if self._forgot is None or now - self._forgot > FORGET_EVERY:
                segments.forget(connection, now)
                self._forgot = now
