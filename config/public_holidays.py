# SPDX-License-Identifier: MIT
"""Public holidays of a country: a library's, and before it the table that the operator edits.

The library (PyPI ``holidays``) is loaded when a date is first asked for, which a profile that
counts calendar days never does. Holidays of the moon are fixed by sighting a day or two before, so
the library only estimates them; the table says what was announced.
"""

from __future__ import annotations

import logging
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

HERE = Path(__file__).parent / "holidays"

logger = logging.getLogger(__name__)


class BadHolidays(ValueError):  # noqa: N818
    """The operator's table has an error; the message names the file and the line's key."""


class PublicHolidays:
    """Says of a date whether it is a public holiday: ``date(2026, 5, 1) in holidays``.

    Args:
        region: ISO 3166-1 alpha-2; a country that the library does not know has the table alone.
        table: what overrides the library: a date, and whether it is a holiday.
    """

    def __init__(self, region: str, table: Mapping[date, bool] | None = None) -> None:
        self._region = region
        self._table = dict(table or {})
        self._library: Container[date] | None = None

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        if day in self._table:
            return self._table[day]
        if self._library is None:
            self._library = _library(self._region)
        return day in self._library


def _library(region: str) -> Container[date]:
    import holidays

    try:
        return holidays.country_holidays(region)
    except NotImplementedError:
        logger.warning("the library of holidays does not know %s: its table alone counts", region)
        return frozenset()


def read_table(file: Path) -> dict[date, bool]:
    """Read the operator's table: ``2026-03-20 = "Aïd al-Fitr"``, or ``""`` for no holiday.

    Raises:
        FileNotFoundError: there is no such file.
        BadHolidays: a key is no date, or a value no text.
    """
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadHolidays(f"{file}: {error}") from error
    table: dict[date, bool] = {}
    for key, name in entries.items():
        try:
            day = date.fromisoformat(key)
        except ValueError as error:
            raise BadHolidays(f"{file}: {key} is no date like 2026-03-20") from error
        if not isinstance(name, str):
            raise BadHolidays(f'{file}: {key} needs a name in quotes, or "" for no holiday')
        table[day] = bool(name.strip())
    return table


def load(region: str, file: Path | None = None) -> PublicHolidays:
    """The holidays of a country.

    Args:
        region: ISO 3166-1 alpha-2.
        file: the operator's table; the shipped ``config/holidays/<region>.toml`` by default,
            which a country need not have.

    Raises:
        FileNotFoundError: ``file`` was given and does not exist.
        BadHolidays: the table has an error.
    """
    if file is None:
        file = HERE / f"{region.lower()}.toml"
        if not file.exists():
            return PublicHolidays(region)
    return PublicHolidays(region, read_table(file))
