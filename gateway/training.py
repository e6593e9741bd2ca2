# SPDX-License-Identifier: MIT
"""Trains on confirmed decisions, by hand or at night, and puts the model in force if it may be.

The night's training is a child process of the sweeper that stands back for everything else; the
sweeper only looks whether it has ended. Which night was done is a row of ``trainings``.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dispatcher.administration import load_all
from dispatcher.routing import learning as judging
from dispatcher.routing.model_store import ModelError, NoModel
from gateway import routing
from gateway.learning import labels_of
from tracker import learning, trainings
from tracker.database import reading
from tracker.models import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from config.country import Country
    from config.settings import Settings
    from dispatcher.routing.model import Model
    from dispatcher.routing.model_store import ModelStore

logger = logging.getLogger(__name__)

#: Who begins a night's training, as the record tells it.
SCHEDULER = "scheduler"
_NOTHING = "people have decided nothing yet that could be learnt"
#: The libraries of linear algebra would take every core.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a training.

    Attributes:
        state: in one word.
        detail: in one sentence.
        version: of the model that was made, or ``""``.
        previous: of the model that was in force, or ``""``.
        confirmed: how many confirmed decisions it learnt from.
        comparison: how both compare, as JSON.
    """

    state: TrainingState
    detail: str
    version: str = ""
    previous: str = ""
    confirmed: int = 0
    comparison: dict[str, object] | None = None


def learn(
    settings: Settings,
    engine: Engine,
    now: datetime,
    tell: Callable[[str], None],
    *,
    promote: bool,
    even_if_few: bool = False,
) -> Outcome:
    """Train on the record and store the model.

    Args:
        settings: all settings.
        engine: the database; it is only read, and not while training.
        now: the present time.
        tell: is told what takes its time.
        promote: put the model in force if it is not worse than the one in force.
        even_if_few: train also where too few decisions are new to compare by.

    Raises:
        dispatcher.routing.training.CannotTrain: there are fewer than two labels.
        OSError: the model cannot be written.
    """
    wanted, store = settings.routing, routing.store_of(settings)
    with reading(engine).connect() as connection:
        decided = learning.confirmed(connection)
        register = load_all(connection)
    old = _in_force(store, tell)
    previous = old.manifest.version if old is not None else ""
    fresh = len(judging.new_to(old, decided))
    if old is not None and fresh < wanted.least_judged and not even_if_few:
        detail = (
            f"{fresh} confirmed decisions are new to the model in force;"
            f" {wanted.least_judged} are needed to compare another one with it"
        )
        return Outcome(TrainingState.NOTHING_NEW, detail, "", previous, len(decided))
    seed = routing.seed_rows(register)
    taught = judging.teach(
        seed,
        decided,
        labels_of(register, seed),
        old,
        now=now,
        concepts=routing.concepts(),
        judged_days=wanted.judged_days,
        least=wanted.least_judged,
        latest=wanted.latest_confirmed,
        tell=tell,
    )
    version = store.save(taught.model)
    may, why = taught.comparison.verdict(wanted.least_judged)
    state = TrainingState.PROMOTED if may and promote else TrainingState.NOT_PROMOTED
    if state is TrainingState.PROMOTED:
        store.promote(version)
    tidy(store, wanted.kept_models)
    return Outcome(state, why, version, previous, len(decided), taught.comparison.as_json())


def recorded(
    engine: Engine,
    training_id: UUID,
    clock: Callable[[], datetime],
    work: Callable[[], Outcome],
) -> Outcome:
    """Do a training that has begun, and write down what became of it, whatever that is.

    Raises:
        Exception: what ``work`` raised, after it was written down.
    """
    try:
        outcome = work()
    except Exception as error:
        outcome = Outcome(TrainingState.FAILED, f"{type(error).__name__}: {error}"[:500])
        _write(engine, training_id, clock, outcome)
        raise
    _write(engine, training_id, clock, outcome)
    return outcome


def tidy(store: ModelStore, keep: int) -> list[str]:
    """Take the oldest models off the disk, never the one in force; return which.

    A worker that still has one open keeps its pages until it takes up the next.
    """
    try:
        current = store.current_version()
    except NoModel:
        current = ""
    others = [version for version in store.versions() if version != current]
    gone = others[: max(0, len(others) - (keep - 1))]
    for version in gone:
        shutil.rmtree(store.folder / version, ignore_errors=True)
    return gone


def _in_force(store: ModelStore, tell: Callable[[str], None]) -> Model | None:
    try:
        return store.current()
    except NoModel:
        return None
    except ModelError as error:
        tell(f"the model in force cannot be read: {error}")
        return None


def _write(
    engine: Engine, training_id: UUID, clock: Callable[[], datetime], outcome: Outcome
) -> None:
    with engine.begin() as connection:
        trainings.end(
            connection,
            training_id,
            outcome.state,
            now=clock(),
            detail=outcome.detail,
            version=outcome.version,
            previous=outcome.previous,
            confirmed=outcome.confirmed,
            figures=outcome.comparison,
        )


class NightlyTraining:
    """Begins the night's training in a process of its own, once a local day.

    Args:
        settings: all settings.
        engine: the writing engine.
        country: whose hours count.
        clock: the present time.
    """

    def __init__(
        self, settings: Settings, engine: Engine, country: Country, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._zone = ZoneInfo(country.timezone)
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._training: tuple[UUID, datetime] | None = None
        self._done = ""

    def tick(self) -> None:
        """Look whether a training is due, or has ended. Never waits."""
        now = self._clock()
        if self._child is not None:
            self._look_after(self._child, now)
            return
        wanted = self._settings.routing
        local = now.astimezone(self._zone)
        night = f"{local:%Y-%m-%d}"
        if not wanted.nightly_training or local.hour < wanted.training_hour or night == self._done:
            return
        longest = timedelta(hours=wanted.training_hours)
        with self._engine.begin() as connection:
            trainings.give_up(connection, before=now - longest, now=now)
            begun = trainings.begin_night(connection, night, by=SCHEDULER, now=now)
            if begun is not None and not learning.anything(connection):
                trainings.end(
                    connection, begun, TrainingState.NOTHING_NEW, now=now, detail=_NOTHING
                )
                begun = None
        self._done = night
        if begun is not None:
            self._training = (begun, now)
            self._start(begun)

    def stop(self) -> None:
        """End the child, if one runs: the sweeper stops."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()
            self._failed("the gateway was stopped meanwhile")
        self._child = self._training = None

    @property
    def running(self) -> bool:
        """Whether a training runs."""
        return self._child is not None

    def _start(self, training_id: UUID) -> None:
        command = [sys.executable, "-m", "gateway", "routing", "train", "--of-night"]
        try:
            self._child = subprocess.Popen(
                [*command, str(training_id)],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
            )
        except OSError as error:
            self._failed(f"it could not be started: {error.strerror}")

    def _look_after(self, child: subprocess.Popen[bytes], now: datetime) -> None:
        status = child.poll()
        if status is None:
            longest = timedelta(hours=self._settings.routing.training_hours)
            if self._training is not None and now - self._training[1] > longest:
                child.kill()
                child.wait()
                self._failed("it took too long and was ended; the next night tries again")
                self._child = None
            return
        if status:
            logger.warning("the night's training ended with status %d", status)
        self._failed(f"it ended with status {status} and left no word")  # unless it left one
        self._child = None

    def _failed(self, why: str) -> None:
        if self._training is not None:
            with self._engine.begin() as connection:
                trainings.end(
                    connection,
                    self._training[0],
                    TrainingState.FAILED,
                    now=self._clock(),
                    detail=why,
                )
