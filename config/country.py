# SPDX-License-Identifier: MIT
"""The country profile: what differs from one country to the next, as data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

HERE = Path(__file__).parent / "countries"


class Country(BaseModel):
    """Facts of one country.

    Attributes:
        region: ISO 3166-1 alpha-2.
        calling_code: E.164 country code without the plus sign.
        timezone: IANA zone in which days are counted and shown.
        default_language: BCP 47 tag where nothing tells.
        languages: BCP 47 tags of the pages, in order.
        forward_days: days within which a case is forwarded, from receipt.
        answer_days: days within which a reasoned answer is due, from receipt.
        emergency_numbers: told where somebody is in danger.
        next_recourse: by language, who may be turned to next.
        example_mobile: an E.164 mobile number, for trials.
        places: the gazetteer (CSV), beside the profile's file or absolute; ``None``: none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = Field(pattern="^[A-Z]{2}$")
    calling_code: str = Field(pattern="^[1-9][0-9]{0,2}$")
    timezone: str
    default_language: str
    languages: tuple[str, ...]
    forward_days: int = Field(gt=0)
    answer_days: int = Field(gt=0)
    emergency_numbers: tuple[str, ...]
    next_recourse: dict[str, str]
    example_mobile: str = Field(pattern="^[+][1-9][0-9]{5,14}$")
    places: Path | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name}") from error
        return name

    @model_validator(mode="after")
    def _default_is_spoken(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language} is not among languages")
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
