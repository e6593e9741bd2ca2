# SPDX-License-Identifier: MIT
"""The country profile: what differs from one country to the next, as data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

HERE = Path(__file__).parent / "countries"

Counted = Literal["calendar", "working"]
EmergencyService = Literal["fire_ambulance", "fire", "ambulance", "police", "gendarmerie"]
#: In the order of ``datetime.weekday``.
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LONGEST = 3660


class Country(BaseModel):
    """Facts of one country.

    Attributes:
        region: ISO 3166-1 alpha-2.
        calling_code: E.164 country code without the plus sign.
        timezone: IANA zone in which days are counted and shown.
        default_language: BCP 47 tag where nothing tells.
        languages: BCP 47 tags of the pages, in order.
        office_languages: BCP 47 tags in which administrations are reminded, one after the other in
            one mail; the default language where none are named.
        forward_days: days within which a case is forwarded, from receipt.
        answer_days: days within which a reasoned answer is due, from receipt.
        follow_up_days: the same from a reopening after an answer; ``answer_days`` by default.
        forward_counting: whether ``calendar`` or ``working`` days count for forwarding.
        answer_counting: the same for the answers.
        weekend: days of the week that are no working days.
        waiting_stops_clock: whether days on which the citizen is asked something are added.
        remind_days_before: days before the due day on which an administration is reminded.
        remind_every_days: days between reminders once it is over.
        escalate_after_days: days after it at which the body above is told, one for each body up.
        notice_hour: local hour at which reminders and notices of delay go.
        emergency_numbers: told where somebody is in danger, in this order.
        emergency_services: what answers at each of them (``fire_ambulance``, ``fire``,
            ``ambulance``, ``police``, ``gendarmerie``); a number may be told without.
        next_recourse: by language, who may be turned to next.
        example_mobile: an E.164 mobile number, for trials.
        places: the gazetteer (CSV), beside the profile's file or absolute; ``None``: none.
        place_within_km: how far from a map pin the nearest place of the gazetteer may be.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = Field(pattern="^[A-Z]{2}$")
    calling_code: str = Field(pattern="^[1-9][0-9]{0,2}$")
    timezone: str
    default_language: str
    languages: tuple[str, ...]
    office_languages: tuple[str, ...] = ()
    forward_days: int = Field(gt=0, le=_LONGEST)
    answer_days: int = Field(gt=0, le=_LONGEST)
    follow_up_days: int | None = Field(None, gt=0, le=_LONGEST)
    forward_counting: Counted = "calendar"
    answer_counting: Counted = "calendar"
    weekend: tuple[str, ...] = ("saturday", "sunday")
    waiting_stops_clock: bool = False
    remind_days_before: tuple[int, ...] = (7, 1, 0)
    remind_every_days: int = Field(7, gt=0)
    escalate_after_days: tuple[int, ...] = (7, 21)
    notice_hour: int = Field(9, ge=0, le=19)
    emergency_numbers: tuple[str, ...]
    emergency_services: dict[str, EmergencyService] = {}
    next_recourse: dict[str, str]
    example_mobile: str = Field(pattern="^[+][1-9][0-9]{5,14}$")
    places: Path | None = None
    place_within_km: float = Field(30.0, gt=0)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name}") from error
        return name

    @field_validator("weekend")
    @classmethod
    def _days_of_the_week(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := sorted(set(names) - set(WEEK)):
            raise ValueError(f"{', '.join(wrong)}: a day of the week is one of {', '.join(WEEK)}")
        if set(names) == set(WEEK):
            raise ValueError("all seven days are no working days: no deadline would ever end")
        return names

    @field_validator("remind_days_before", "escalate_after_days")
    @classmethod
    def _days_from_none_up(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 0 <= one <= _LONGEST for one in days):
            raise ValueError(f"days are numbers from 0 to {_LONGEST}")
        return days

    @model_validator(mode="after")
    def _default_is_spoken(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language} is not among languages")
        if unspoken := sorted(set(self.office_languages) - set(self.languages)):
            raise ValueError(f"office_languages: {', '.join(unspoken)} is not among languages")
        return self


def load(name: str, folder: Path = HERE) -> Country:
    """Read a profile by its name (``"ma"``).

    Raises:
        FileNotFoundError: there is no such profile.
        pydantic.ValidationError: the file does not fit; it names the key.
    """
    file = folder / f"{name}.toml"
    profile = tomllib.loads(file.read_text(encoding="utf-8"))
    if isinstance(profile.get("places"), str):
        profile["places"] = folder / profile["places"]
    return Country.model_validate(profile)
