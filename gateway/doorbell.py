# SPDX-License-Identifier: MIT
"""The doorbell: after a commit, wake the relay. A ring carries no data and may be lost.

``SET relay:bell 1 NX EX 60``, and only if it was set one job is enqueued; the job's first act
takes the bell down, then it drains. So at most one job waits and one runs, and a ring during a
run is never lost. RQ's own ``unique`` would refuse rings while a job runs and long after.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

BELL_SECONDS = 60
#: Rings of one process come no closer together than this; a person notices nothing of it.
BETWEEN_RINGS_SECONDS = 0.1
RELAY, TRANSCRIBE = "relay", "transcribe"
#: How long one job may drain: a queue of long recordings takes its time.
JOB_SECONDS = {RELAY: 300, TRANSCRIBE: 6 * 3600}


class Doorbell:
    """Rings a queue.

    Args:
        redis_url: where the queue lives.
        name: which queue.
    """

    def __init__(self, redis_url: str, name: str = RELAY) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=1.0, socket_connect_timeout=0.5, retry_on_timeout=False
        )
        self._name = name
        self._quiet_until = 0.0

    def ring(self) -> None:
        """Wake the worker. A dead Redis is logged and passed over: the sweeper drains instead."""
        try:
            if self._redis.set(f"{self._name}:bell", 1, nx=True, ex=BELL_SECONDS):
                Queue(self._name, connection=self._redis).enqueue(
                    f"gateway.worker.{self._name}_job",
                    job_timeout=JOB_SECONDS[self._name],
                    result_ttl=0,
                    failure_ttl=60,
                )
        except (RedisError, OSError) as error:
            logger.warning("the bell did not ring: %s", type(error).__name__)

    def ring_anew(self) -> None:
        """Ring for what is due, also where a bell is up whose job went down with its worker."""
        try:
            if not Queue(self._name, connection=self._redis).count:
                self.answer()
        except (RedisError, OSError) as error:
            logger.warning("the bell was not looked at: %s", type(error).__name__)
        self.ring()

    def answer(self) -> None:
        """Take the bell down, as the first act of the job that it called."""
        self._redis.delete(f"{self._name}:bell")

    def works(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(self._redis.ping())
        except (RedisError, OSError):
            return False


class BackgroundRing:
    """Rings from a thread of its own, so that no commit waits for Redis; many rings become one.

    Args:
        ring: what to do, such as :meth:`Doorbell.ring`.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Ask for a ring and return at once."""
        self._asked.set()
        if self._thread is None:  # not before: a process that forks would leave it behind
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._loop, name="bell", daemon=True)
                    self._thread.start()

    def _loop(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            self._ring()
            time.sleep(BETWEEN_RINGS_SECONDS)
