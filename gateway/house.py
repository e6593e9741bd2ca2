# SPDX-License-Identifier: MIT
"""What the doors are handed: one frozen value, built once per process by ``wiring``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast
from zoneinfo import ZoneInfo

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import date, datetime

    from sqlalchemy import Engine

    from channels.channel import Accept, Acknowledgement, Delivery
    from channels.message import InboundMessage
    from config.country import Country
    from config.settings import Settings
    from config.wording import Wording
    from gateway.intake import Intake
    from normalizer.complaint import Submission
    from tracker.group_commit import GroupCommit


class Submit(Protocol):
    """Files a delivery for a door that waits for many at once; see ``Intake.submit``."""

    def __call__(
        self,
        delivery: Delivery,
        message: InboundMessage | None,
        understood: Submission | None = None,
        /,
    ) -> Future[Acknowledgement]:
        """Hand it over."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """Everything a door needs.

    Attributes:
        settings: all settings.
        engine: the writing engine; readers use ``tracker.database.reading(engine)``.
        writer: the group-commit writer of this process (``writer.run(function)``).
        accept: files a delivery and answers only after the commit.
        submit: the same for a door that waits for many at once.
        intake: what ``accept`` and ``submit`` belong to; replays need it.
        wording: all texts.
        country: the country's profile.
        clock: the present time, aware UTC.
    """

    settings: Settings
    engine: Engine
    writer: GroupCommit
    accept: Accept
    submit: Submit
    intake: Intake
    wording: Wording
    country: Country
    clock: Callable[[], datetime]

    def today(self) -> date:
        """The day it is in the country."""
        return self.clock().astimezone(ZoneInfo(self.country.timezone)).date()


def current_house() -> House:
    """The house of the running Flask application."""
    return cast("House", current_app.extensions["guichet"])
