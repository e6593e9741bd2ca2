# SPDX-License-Identifier: MIT
"""The country profile: what differs from one country to the next, as data."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str
    calling_code: str
    timezone: str
    default_language: str
    languages: tuple[str, ...]
    forward_days: int
    answer_days: int
    emergency_numbers: tuple[str, ...]
    next_recourse: dict[str, str]


def load(name: str, folder: Path = HERE) -> Country:
    """Read a profile by its name (``"ma"``).

    Raises:
        FileNotFoundError: there is no such profile.
        pydantic.ValidationError: the file does not fit; it names the key.
    """
    file = folder / f"{name}.toml"
    return Country.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
