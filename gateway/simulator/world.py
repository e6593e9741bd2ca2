# SPDX-License-Identifier: MIT
"""Everything of the simulated world, built once per process and handed to its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from config import country
from gateway.simulator.call_reports import CallReports
from gateway.simulator.calls import Calls
from gateway.simulator.mailbox import Mailboxes
from gateway.simulator.state import State
from gateway.simulator.telephone import Telephone
from gateway.simulator.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.settings import Settings
    from config.wording import Wording


class ProductionRefused(RuntimeError):  # noqa: N818 - the name is the sentence
    """The settings are those of production, where nobody may speak for citizens."""


@dataclass(frozen=True, slots=True)
class World:
    """What the simulator's pages and API need.

    Attributes:
        settings: all settings.
        wording: all texts.
        clock: the present time, aware UTC.
        state: what happened so far.
        webhooks: how the gateway is asked.
        telephone: texts.
        calls: telephone lines.
        mailboxes: mails.
        example_mobile: a mobile number of the country, E.164.
    """

    settings: Settings
    wording: Wording
    clock: Callable[[], datetime]
    state: State
    webhooks: Webhooks
    telephone: Telephone
    calls: Calls
    mailboxes: Mailboxes
    example_mobile: str

    def close(self) -> None:
        """Let go of threads and connections."""
        self.telephone.close()
        self.webhooks.close()


def build_world(settings: Settings, wording: Wording, clock: Callable[[], datetime]) -> World:
    """Build the simulated world.

    Raises:
        ProductionRefused: ``profile`` is ``production``, whatever the simulator's own switch says.
    """
    if settings.profile == "production":
        raise ProductionRefused(
            "the simulator forges citizens' messages and never runs with profile = production"
        )
    state, webhooks = State(), Webhooks(settings)
    simulator, twilio = settings.simulator, settings.twilio
    recordings = (
        f"http://{simulator.host}:{simulator.port}"
        f"/2010-04-01/Accounts/{twilio.account_sid}/Recordings"
    )
    return World(
        settings=settings,
        wording=wording,
        clock=clock,
        state=state,
        webhooks=webhooks,
        telephone=Telephone(
            state,
            webhooks,
            number=twilio.number,
            clock=clock,
            whatsapp_number=twilio.whatsapp_number,
        ),
        calls=Calls(
            state,
            webhooks,
            number=twilio.voice_number or twilio.number,
            clock=clock,
            reports=CallReports(webhooks, clock=clock, recording_base=recordings),
        ),
        mailboxes=Mailboxes(state, settings, clock),
        example_mobile=country.load(settings.country).example_mobile,
    )


def current_world() -> World:
    """The world of the running Flask application."""
    return cast("World", current_app.extensions["simulator"])
