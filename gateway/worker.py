# SPDX-License-Identifier: MIT
"""The worker: an RQ worker on one queue, whose jobs carry no data and drain a batch.

The work horse is forked from a parent that has everything imported, builds its own connections,
takes the bell down first, and drains until nothing is due (docs/decisions).
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis
from rq import Queue, Worker
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings, load
from gateway import telemetry, wiring
from gateway.authenticating import Completing, authenticator_of
from gateway.doorbell import RELAY, TRANSCRIBE, Doorbell
from gateway.relay import RELAYED, TRANSCRIBED, Relay, name_of
from gateway.transcription import Transcription
from tracker import outbox

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

#: Where a work horse finds the settings file; the environment carries the rest.
SETTINGS_FILE = "GUICHET_SETTINGS_FILE"
# An idle worker does maintenance only between dequeues, whose time-out is worker_ttl − 15.
WORKER_TTL, MAINTENANCE_INTERVAL = 35, 30
#: Asks a work horse to begin nothing more. Ignored by a process that does not know it yet.
ENOUGH = signal.SIGURG
#: A transcription is given this long to reach a place where it can be given up.
LONGEST_STOP_SECONDS = 5.0
_enough = threading.Event()


class JobFailed(Exception):  # noqa: N818 - what RQ keeps of it is read as a sentence
    """A job failed. RQ keeps what it says in Redis, so it names no more than the kind."""


class PatientWorker(Worker):
    """An RQ worker that tells its horse of a SIGTERM, so that it ends after the entry at hand."""

    #: The horse that was at work when a stop was asked for; 0: none.
    stopped_horse = 0

    def handle_warm_shutdown_request(self) -> None:
        """Pass it on; what is claimed and not begun is given back."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            self.stopped_horse = self.horse_pid
            self.kill_horse(ENOUGH)
            if TRANSCRIBE in self.queue_names():
                # An engine hears no signal while it works on a window of sound. What is cut off is
                # given back when this worker ends, and done again.
                last = threading.Timer(LONGEST_STOP_SECONDS, self.kill_horse)
                last.daemon = True
                last.start()

    def setup_work_horse_signals(self) -> None:
        """Listen for it, in the horse."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(ENOUGH, lambda *_: _enough.set())


def settings_of_environment() -> Settings:
    """The settings that the parent process was started with."""
    file = os.environ.get(SETTINGS_FILE, "")
    return wiring.with_demo_values(load(Path(file) if file else None))


@cache
def _relay(queue: str, process: int) -> tuple[Doorbell, Relay]:  # noqa: ARG001 - one a process
    settings = settings_of_environment()
    telemetry.set_up_logging(settings.log_level)
    return Doorbell(settings.redis_url, queue), relay_of(settings, queue)


def relay_of(
    settings: Settings, queue: str = RELAY, stop: Callable[[], bool] = _enough.is_set
) -> Relay:
    """Build the relay of one queue; after ``stop()`` it gives a transcription up."""
    workshop = wiring.build_workshop(settings)
    if queue == TRANSCRIBE:
        work = Transcription(settings, workshop.engine, wiring.now, stop=stop)
        # One at a time: what is claimed and not begun would wait for a lease if this one dies.
        one = settings.queue.model_copy(update={"batch_size": 1})
        alone = settings.model_copy(update={"queue": one})
        return Relay(workshop.engine, alone, work.perform, wiring.now, TRANSCRIBED)
    completing = Completing(
        workshop.engine,
        authenticator_of(settings),
        workshop.dispatcher.perform,
        partial(wiring.rest, workshop),
    )
    return Relay(
        workshop.engine, settings, completing.perform, wiring.now, RELAYED, completing.rest
    )


def relay_job() -> int:
    """What a ring of the relay's bell runs: take the bell down, then drain."""
    return _answer(RELAY)


def transcribe_job() -> int:
    """The same for recordings."""
    return _answer(TRANSCRIBE)


def _answer(queue: str) -> int:
    doorbell, relay = _relay(queue, os.getpid())
    doorbell.answer()
    try:
        return relay.drain(_enough.is_set)
    except Exception as error:  # the claims expire, and the sweeper rings again
        logger.exception("a job failed")
        raise JobFailed(type(error).__name__) from None


def stand_back(niceness: int) -> None:
    """Let everything else go first, and use one thread: for this process and those it forks."""
    os.nice(niceness)
    os.environ["OMP_NUM_THREADS"] = "1"


def work_off(settings: Settings, queue: str, stop: Callable[[], bool]) -> None:
    """Do what is due without a queue, and end: at ``stop()`` too, and after whoever began it."""
    if queue == TRANSCRIBE:
        stand_back(settings.voice.niceness)
    parent = os.getppid()

    def enough() -> bool:
        return stop() or os.getppid() != parent

    relay_of(settings, queue, enough).drain(enough)


def run(settings: Settings, queue: str, announce: Callable[[str], None]) -> None:
    """Work on one queue until SIGTERM."""
    if queue == TRANSCRIBE:
        stand_back(settings.voice.niceness)
    connection = Redis.from_url(settings.redis_url)
    worker = PatientWorker(
        [Queue(queue, connection=connection)],
        connection=connection,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE_INTERVAL,
    )
    announce(f"worker {queue}: waiting")
    worker.work(logging_level="WARNING", with_scheduler=False)
    if worker.stopped_horse:
        give_back(settings, worker.stopped_horse)


def give_back(settings: Settings, process: int) -> None:
    """Give back what a process held that we stopped: that it ended is not the entry's doing."""
    engine = wiring.engine_of(settings)
    try:
        with engine.begin() as connection:
            outbox.give_back_of(connection, name_of(process))
    except SQLAlchemyError as error:  # its claim runs out, and counts as a death
        logger.warning("a stopped claim was not given back: %s", type(error).__name__)
    finally:
        engine.dispose()
