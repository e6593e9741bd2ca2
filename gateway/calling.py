# SPDX-License-Identifier: MIT
"""When citizens may be called: in the day's hours of the country's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from config.country import Country
    from config.settings import Settings


@dataclass(frozen=True, slots=True)
class CallingHours:
    """The hours of a day in which we call.

    Attributes:
        start: from when, local time.
        end: until when; before ``start``: over midnight; the same: at any hour.
        zone: the country's.
    """

    start: time
    end: time
    zone: ZoneInfo

    def allow(self, moment: datetime) -> bool:
        """Whether we may call at ``moment``."""
        local = moment.astimezone(self.zone).time()
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def next_moment(self, moment: datetime) -> datetime:
        """``moment`` itself, or the next one at which we may call."""
        if self.allow(moment):
            return moment
        local = moment.astimezone(self.zone)
        opening = local.replace(
            hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0
        )
        if opening <= local:
            opening += timedelta(days=1)  # wall time: a change of the clock does not move it
        return opening.astimezone(moment.tzinfo)


def calling_hours(settings: Settings, country: Country) -> CallingHours:
    """The hours in force. A demo calls at any hour unless its settings name hours."""
    voice = settings.voice
    named = {"call_from", "call_until"} & voice.model_fields_set
    if settings.profile == "demo" and not named:
        return CallingHours(time(0), time(0), ZoneInfo(country.timezone))
    return CallingHours(voice.call_from, voice.call_until, ZoneInfo(country.timezone))
