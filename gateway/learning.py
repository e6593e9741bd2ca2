# SPDX-License-Identifier: MIT
"""What the machine decides by, kept up with what people confirm, in every worker.

Rules and thresholds are judged anew every few minutes by the confirmed decisions on record; the
model is that in force on disk, looked up at each text.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from dispatcher.administration import load_all
from dispatcher.routing import learning as judging
from gateway import routing
from tracker import learning
from tracker.database import reading

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from config.settings import Settings
    from dispatcher.administration import Administration
    from dispatcher.routing.decision import Decider, Decision
    from dispatcher.routing.thresholds import Thresholds
    from dispatcher.routing.training import Row

logger = logging.getLogger(__name__)


def labels_of(
    register: Mapping[str, Administration], seed: list[Row] | None = None
) -> judging.Labels:
    """How the slugs of a register stand for labels: bodies that do the same elsewhere are alike.

    Args:
        register: administrations by slug.
        seed: the seed examples, read anew where they are not given.
    """
    rows = routing.seed_rows({}) if seed is None else seed
    return judging.Labels(
        {one.slug: one.matters or (one.slug,) for one in register.values() if one.places},
        frozenset(label for row in rows for label in row.labels),
    )


class LearningDecider:
    """Decides on texts; people's decisions change how, without a restart.

    Args:
        settings: all settings.
        engine: the database.
        clock: seconds that only grow.
    """

    def __init__(
        self, settings: Settings, engine: Engine, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        with reading(engine).connect() as connection:
            register = load_all(connection)
        self._plain = routing.decider_of(settings, register)
        self._rules = routing.rules_of(settings, register)
        self._labels = labels_of(register, routing.seed_rows(register))
        self._confirmed: list[learning.Confirmed] = []
        self._thresholds: tuple[str, Thresholds | None] | None = None
        self._decider = replace(self._plain, thresholds=self._permitting)
        self._due = self._clock()

    def decide(self, text: str, language: str = "", location: str = "") -> Decision:
        """Choose for one text, see :meth:`dispatcher.routing.decision.Decider.decide`."""
        return self.decider().decide(text, language, location)

    def decider(self) -> Decider:
        """What decides now; looks at the record again when that is due."""
        now = self._clock()
        if now >= self._due:
            self._due = now + self._settings.routing.refresh_seconds
            self._look()
        return self._decider

    def _look(self) -> None:
        wanted = self._settings.routing
        try:
            with reading(self._engine).connect() as connection:
                self._confirmed = learning.confirmed(connection, latest=wanted.latest_confirmed)
        except SQLAlchemyError as error:  # what was known before still holds
            logger.warning("confirmed decisions cannot be read: %s", type(error).__name__)
            return
        counts = judging.count_rules(self._confirmed, self._labels)
        rules = judging.with_confirmed(
            self._rules, counts, floor=wanted.rule_floor, least=wanted.least_of_a_rule
        )
        self._thresholds = None
        router = self._plain.router.with_rules(rules)
        self._decider = replace(self._plain, router=router, thresholds=self._permitting)

    def _permitting(self) -> Thresholds | None:
        """The thresholds of the model in force; set anew for another model and at each look."""
        model = self._plain.model()
        if model is None:
            return None
        version = model.manifest.version
        if self._thresholds is None or self._thresholds[0] != version:
            target = float(self._plain.caution.target)
            found = judging.thresholds_of(model, self._confirmed, self._labels, target)
            self._thresholds = (version, found)
        return self._thresholds[1]
