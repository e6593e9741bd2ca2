# SPDX-License-Identifier: MIT
"""The sweeper: looks at the database every few seconds, needs no Redis.

It frees the claims of dead processes, asks the provider about what may have gone and how calls
ended, rings for what is due (retries have no other bell), and drains by itself when Redis does not
answer.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from channels.message import ChannelName
from dispatcher.work import Result, Work, failed_for_good
from gateway import wiring
from gateway.asking import Asking
from gateway.call_ends import LostEnds
from gateway.doorbell import RELAY, TRANSCRIBE, Doorbell
from gateway.legal_clock import LegalClock, terms_of
from gateway.looking import look
from gateway.relay import RELAYED, TRANSCRIBED, Relay
from gateway.smpp_outbox import AskingTexts
from gateway.smpp_sweep import SmppSweep
from gateway.training import NightlyTraining
from gateway.transcribing import Transcribing
from gateway.worker import relay_of
from tracker import outbox, throttle
from tracker.database import reading
from tracker.models import OutboxState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Engine

    from channels.channel import Channel
    from config.settings import Settings
    from dispatcher.dispatch import Dispatcher

logger = logging.getLogger(__name__)

#: How long an uncertain message is left alone: the provider's own receipt may still settle it.
PATIENCE = timedelta(seconds=10)
TIDY_EVERY = timedelta(hours=1)


class Sweeper:
    """One round of sweeping.

    Args:
        settings: all settings.
        engine: the writing engine.
        asking: a dispatcher whose channels ask the provider instead of sending.
        clock: the present time.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        asking: Dispatcher,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._asking = asking
        self._clock = clock
        self._bells = {name: Doorbell(settings.redis_url, name) for name in (RELAY, TRANSCRIBE)}
        self._relays: dict[str, Relay] = {}
        voice = wiring.voice_of(settings, engine)
        self._ends = LostEnds(settings, engine, voice, clock)
        self._tidied: datetime | None = None
        self._transcribing = Transcribing(settings)

    def sweep(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Do one round; what it drains itself it drains until ``stop()``."""
        now = self._clock()
        self.free_dead_claims(now)
        with self._engine.begin() as connection:
            if self._tidied is None or now - self._tidied > TIDY_EVERY:
                throttle.forget(connection, now)
                self._tidied = now
        self._reconcile(now)
        self._ends.sweep()
        with reading(self._engine).connect() as connection:
            due = {
                RELAY: outbox.due_count(connection, now, RELAYED),
                TRANSCRIBE: outbox.due_count(connection, now, TRANSCRIBED),
            }
        for name, count in due.items():
            if not count:
                continue
            if self._bells[name].works():
                self._bells[name].ring_anew()
            elif name == TRANSCRIBE:
                self._transcribing.begin()
            else:
                self._relay(name).drain(stop)

    def stop(self) -> None:
        """End what was begun beside the rounds."""
        self._transcribing.stop()

    def free_dead_claims(self, now: datetime) -> None:
        """Free the claims of dead processes; a person is told of what kills its workers."""
        with self._engine.begin() as connection:
            freed = outbox.free_expired(connection, now, self._settings.queue.max_attempts)
            for entry in freed.unknown:
                logger.warning("outbox entry of kind %s became unknown", entry.kind)
            for entry in freed.failed:
                logger.error("outbox entry of kind %s: %s", entry.kind, entry.last_error)
                result = Result(OutboxState.FAILED, error=entry.last_error)
                failed_for_good(connection, Work(entry, None), result, now)

    def _reconcile(self, now: datetime) -> None:
        """Ask the provider about what may or may not have gone.

        A channel that can list what it sent is asked. One that cannot (mail) gets the same
        message again under the same Message-ID: possibly doubled, never lost.
        """
        self._relay(RELAY).settle_unknown(self._asking.perform, older_than=now - PATIENCE)

    def _relay(self, name: str) -> Relay:
        if name not in self._relays:
            self._relays[name] = relay_of(self._settings, name)
        return self._relays[name]


def asking_ways(
    engine: Engine, channels: Mapping[str, Channel], clock: Callable[[], datetime]
) -> dict[str, Channel]:
    """The channels with each provider asked instead of used.

    A page is no provider: what it shows is the record, and only its notice may have gone.
    """

    def told(entry_id: str) -> str:
        with reading(engine).connect() as connection:
            return outbox.provider_id_of(connection, UUID(entry_id))

    return {
        name: channel if name == ChannelName.WEB else Asking(channel, clock, told)
        for name, channel in channels.items()
    }


def run(settings: Settings, stop: Callable[[], bool], announce: Callable[[str], None]) -> None:
    """Sweep every few seconds until told to stop."""
    engine = wiring.engine_of(settings)
    workshop = wiring.build_workshop(settings, engine)
    ways = asking_ways(engine, workshop.channels, wiring.now)
    if settings.smpp.host:
        ways["sms"] = AskingTexts(engine)
    asking = dataclasses.replace(workshop.dispatcher, channels=ways)
    sweeper = Sweeper(settings, engine, asking, wiring.now)
    house = wiring.build_house(settings, engine)
    lines = SmppSweep(house)
    terms = terms_of(workshop.country, settings)
    legal = LegalClock(engine, terms, wiring.now, batch_size=settings.clock.batch_size)
    nightly = NightlyTraining(settings, engine, workshop.country, wiring.now)
    look_seconds = settings.twilio.look_minutes * 60
    look_at = time.monotonic() + look_seconds
    announce(f"sweep: every {settings.queue.sweep_seconds:g} s")
    while not stop():
        try:
            sweeper.sweep(stop)
        except Exception:  # one bad round must not end the sweeping: the next one tries again
            logger.exception("a round of sweeping failed")
        try:
            lines.sweep()
        except Exception:  # as above
            logger.exception("sweeping texts and their parts failed")
        try:
            legal.tick(stop)
        except Exception:  # as above
            logger.exception("a round of the legal clock failed")
        try:
            nightly.tick()
        except Exception:  # as above
            logger.exception("the night's training could not be looked after")
        if look_seconds and time.monotonic() >= look_at:
            look_at = time.monotonic() + look_seconds
            try:
                look(house)
            except Exception:  # as above: the next round looks again
                logger.exception("looking for lost webhooks failed")
        until = time.monotonic() + settings.queue.sweep_seconds
        while time.monotonic() < until and not stop():
            time.sleep(0.1)
    sweeper.stop()
    nightly.stop()
