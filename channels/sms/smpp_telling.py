# SPDX-License-Identifier: MIT
"""The one place where what the house does behind a port may fail: nothing of it ends the door."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from channels.sms.smpp_account import Count

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
#: After so many attempts the lease of an entry has long run out, and tells the house the rest.
_MOST_ATTEMPTS = 300


@dataclass(slots=True)
class _News:
    tell: Callable[[], None]
    attempts: int = 0


class Telling:
    """Asks the house and tells it things; what could not be told is told again, in order.

    Args:
        count: told ``house_failed`` for each failure.
        pause_seconds: between two attempts.
    """

    def __init__(self, count: Count, pause_seconds: float = 1.0) -> None:
        self.pause_seconds = pause_seconds
        self._count = count
        self._untold: list[_News] = []
        self._again_at = 0.0

    @property
    def untold(self) -> int:
        """How much the house does not know yet."""
        return len(self._untold)

    def ask(self, question: Callable[[], Answer]) -> Answer | None:
        """The house's answer, or ``None`` where it failed."""
        try:
            return question()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the SMSC keeps its text
            self._count("house_failed")
            # Neither its words nor its trace: they may hold a citizen's.
            logger.warning("smpp: the house could not answer (%s)", type(failure).__name__)
            return None

    def tell(self, news: Callable[[], None]) -> None:
        """Tell the house once, now or later."""
        one = _News(news)
        if not self._told(one):
            self._untold.append(one)

    def again(self, now: float) -> None:
        """Tell what is still untold, after a pause since the last time."""
        if self._untold and now >= self._again_at:
            self._again_at = now + self.pause_seconds
            self._untold = [one for one in self._untold if not self._told(one)]

    def _told(self, news: _News) -> bool:
        news.attempts += 1

        def told() -> bool:
            news.tell()
            return True

        return bool(self.ask(told)) or news.attempts >= _MOST_ATTEMPTS
