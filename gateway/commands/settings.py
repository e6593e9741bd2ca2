# SPDX-License-Identifier: MIT
"""How a command comes by its settings: when it runs and not before, so that help needs none.

What is wrong with them is told in one line, by the setting's name and never by its value: a value
may be a secret. Such an end has the exit status 2.
"""

from __future__ import annotations

import json
import os
import tomllib
from contextlib import contextmanager
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_origin

import click
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from config import country as countries
from config.settings import Settings, load, weaknesses
from gateway import telemetry, wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import ErrorDetails

P = ParamSpec("P")
R = TypeVar("R")

PREFIX, BETWEEN = "GUICHET_", "__"
DATABASES = ("sqlite://", "postgresql+psycopg://")
QUEUES = ("redis://", "rediss://", "unix://")


class BadSettings(click.ClickException):
    """The settings do not fit; the message names which and says what to do."""

    exit_code = 2


def read(file: Path | None) -> Settings:
    """Read the settings, with a demo's own values where the profile is ``demo``.

    Raises:
        BadSettings: the file or the environment does not fit, or names an unknown country.
    """
    with _faults_told(file):
        return wiring.with_demo_values(_load(file))


def read_fit(file: Path | None) -> Settings:
    """Read the settings of a command that works with the record, and set up its log.

    Raises:
        BadSettings: as :func:`read`, or they are not fit for production.
    """
    settings = read(file)
    problems = weaknesses(settings)
    if problems:
        raise BadSettings("not fit for production:\n  " + "\n  ".join(problems))
    telemetry.set_up_logging(settings.log_level)
    return settings


def read_for_a_trial(file: Path | None) -> Settings:
    """Read the settings of a command that plays the citizen: a demo where no profile is named.

    Raises:
        BadSettings: as :func:`read`.
    """
    with _faults_told(file):
        settings = _load(file)
    named = "profile" in settings.model_fields_set
    return settings if named else settings.model_copy(update={"profile": "demo"})


def pass_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand a command settings that are fit (:func:`read_fit`) first."""
    return _passing(command, read_fit)


def pass_settings_as_they_are(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand a command its settings (:func:`read`) first, also weak ones."""
    return _passing(command, read)


def pass_trial_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand a command the settings of a trial (:func:`read_for_a_trial`) first."""
    return _passing(command, read_for_a_trial)


def _passing(
    command: Callable[Concatenate[Settings, P], R], how: Callable[[Path | None], Settings]
) -> Callable[P, R]:
    """The context's object is the settings file, or settings that were read already."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        given = click.get_current_context().obj
        settings = given if isinstance(given, Settings) else how(given)
        return command(settings, *args, **kwargs)

    return run


def _load(file: Path | None) -> Settings:
    _refuse_unknown_sections()
    settings = load(file)
    fault = _fault_of_values(settings)
    if fault:
        raise BadSettings(f"settings: {fault}")
    try:
        countries.load(settings.country)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"config/countries/{settings.country}.toml: {error}") from error
    return settings


def _fault_of_values(settings: Settings) -> str:
    """The first value that fits its type and yet leads nowhere, or ``""``."""
    known = sorted(profile.stem for profile in countries.HERE.glob("*.toml"))
    if settings.country not in known:
        there = ", ".join(known)
        return f"country: {settings.country} has no profile in config/countries/ (there: {there})"
    if not settings.database_url.startswith(DATABASES):
        return f"database.url must begin with {' or '.join(DATABASES)}"
    if not settings.redis_url.startswith(QUEUES):
        return f"queue.redis_url must begin with {' or '.join(QUEUES)}"
    for key in ("administrations", "rules"):
        name = getattr(settings.dispatch, key)
        if name and not Path(name).is_file():
            return f"dispatch.{key}: there is no file {name}"
    return ""


@contextmanager
def _faults_told(file: Path | None) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        model: Any = countries.Country if error.title == "Country" else Settings
        faults = "; ".join(_told(fault, model) for fault in error.errors())
        raise BadSettings(f"{error.title.lower()}: {faults}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"settings: {file} is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise BadSettings(f"settings: {file} is not written in UTF-8") from error
    except SettingsError as error:
        names = ", ".join(_not_json()) or "a variable"
        raise BadSettings(f"settings: {names} must be JSON, as lists and tables are") from error
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise BadSettings(f"settings: {told}") from error


def _told(fault: ErrorDetails, model: Any) -> str:
    """One fault as a phrase, without the value that was given."""
    place = [str(part) for part in fault["loc"]]
    name = ".".join(place)
    if fault["type"] != "extra_forbidden":
        return f"{name}: {fault['msg']}" if name else fault["msg"]
    section = _type_at(place[:-1], model)
    near = get_close_matches(place[-1], section.model_fields, n=1) if _is_table(section) else []
    meant = f"; is {'.'.join([*place[:-1], near[0]])} meant?" if near else ""
    return f"{name} is no setting{meant}"


def _variables() -> list[tuple[str, list[str]]]:
    """Our variables of the environment, each with its place in the settings."""
    return [
        (name, name[len(PREFIX) :].lower().split(BETWEEN))
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX)
    ]


def _refuse_unknown_sections() -> None:
    """A section misspelt in the environment is passed over by the library, but not by us."""
    sections = [name for name in Settings.model_fields if _is_table(_type_at([name]))]
    for name, place in _variables():
        if len(place) > 1 and place[0] not in sections:
            near = get_close_matches(place[0], sections, n=1)
            meant = f"; is {PREFIX}{near[0].upper()}{BETWEEN}… meant?" if near else ""
            raise BadSettings(f"settings: {name} is no setting{meant}")


def _not_json() -> list[str]:
    """The variables that should hold a list or a table as JSON and do not."""
    found = []
    for name, place in _variables():
        kind = _type_at(place)
        if _is_table(kind) or get_origin(kind) in (list, dict, tuple):
            try:
                json.loads(os.environ[name])
            except ValueError:
                found.append(name)
    return found


def _type_at(place: list[str], model: Any = Settings) -> Any:
    """The type of a setting or section by its place; ``None`` where there is none."""
    kind = model
    for part in place:
        field = kind.model_fields.get(part) if _is_table(kind) else None
        kind = field.annotation if field is not None else None
    return kind


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
