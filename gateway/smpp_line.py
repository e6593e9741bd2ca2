# SPDX-License-Identifier: MIT
"""What the thread that holds the line and the thread that files texts know of each other.

Both need the same interpreter and the same writer. While the line is busy, filing gives way, for
so long as no text waits too long; and where more waits than is right, the line is slowed down.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: After a read the next one is expected for so long.
_BUSY_SECONDS = 0.05
#: Longest that one read is held up while too many parts wait; far below any response timeout.
_HOLD_SECONDS = 1.0


class Line:
    """How busy the line is, and how much waits to be filed.

    Args:
        most: parts that may wait before the line is slowed down.
        give_way_seconds: how long filing gives way to a busy line.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        most: int,
        give_way_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._give_way_seconds = give_way_seconds
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._reading = False
        self._read_at = float("-inf")
        self._waiting = 0
        self._since: float | None = None
        self._rung = True  # what an earlier process has left

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One read is being stored; where too much waits, not before some of it is filed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting <= self._most, _HOLD_SECONDS)
            self._reading = True
        try:
            yield
        finally:
            with self._changed:
                self._reading, self._read_at = False, self._monotonic()

    def stored(self, parts: int) -> None:
        """So many parts more wait."""
        if not parts:
            return
        with self._changed:
            self._waiting += parts
            self._since = self._monotonic() if self._since is None else self._since
            self._rung = True
            self._changed.notify_all()

    def filed(self, parts: int) -> None:
        """So many parts are filed; none: what is left waits for parts that have not come."""
        with self._changed:
            self._waiting = max(0, self._waiting - parts) if parts else 0
            self._since = self._monotonic() if self._waiting else None
            self._changed.notify_all()

    def ring(self) -> None:
        """Let the filing look, also at whether all is over."""
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Until parts were stored that nobody has looked at, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung, seconds)
            self._rung = False

    def give_way(self, stop: threading.Event) -> None:
        """Until the line is idle, something has waited for long enough, or all is over."""
        while self._is_busy() and not stop.wait(_BUSY_SECONDS / 5):
            pass

    def _is_busy(self) -> bool:
        with self._changed:
            now = self._monotonic()
            if self._waiting > self._most:
                return False
            if self._since is not None and now - self._since >= self._give_way_seconds:
                return False
            return self._reading or now - self._read_at < _BUSY_SECONDS
