# SPDX-License-Identifier: MIT
"""``guichet administrations``: the register of recipients."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import country as countries
from dispatcher.administration import load_all, store
from dispatcher.administration_csv import BadRegister, read_csv, unread_columns
from dispatcher.routing.gazetteer import BadPlaces
from gateway import routing, wiring
from gateway.commands.settings import pass_settings, pass_settings_as_they_are
from normalizer.text import fold
from tracker.database import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from config.settings import Settings
    from dispatcher.administration import Administration, Stored
    from dispatcher.routing.places import Places

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
#: More are counted, and listed with --json.
_MOST_LINES = 20


@click.group(epilog="Example: guichet administrations import administrations.csv")
def administrations() -> None:
    """List, check or import the administrations that receive cases."""


@administrations.command("import", epilog="Example: guichet administrations import my.csv")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings
def import_(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Add and change administrations from a CSV; none is deleted.

    The file is read whole first: with one error in it nothing is imported.
    """
    register = _read(settings, file, "nothing imported:", as_json=as_json)
    with (
        click.progressbar(
            length=len(register),
            label=f"importing {len(register)}",
            hidden=as_json,
            file=sys.stderr,
        ) as bar,
        wiring.engine_of(settings).begin() as connection,
    ):
        done = store(connection, register, bar.update)
    if as_json:
        told = {
            "added": len(done.added),
            "changed": len(done.changed),
            "errors": [],
            "added_slugs": list(done.added),
            "changed_columns": {slug: list(columns) for slug, columns in done.changed.items()},
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in _lines_of(done):
        click.echo(line)
    click.echo(f"{len(done.added)} added, {len(done.changed)} changed")


def _lines_of(done: Stored) -> Sequence[str]:
    """What changed, a line each; of many the first."""
    lines = [f"+ {slug}" for slug in done.added]
    lines += [f"~ {slug}: {', '.join(columns)}" for slug, columns in done.changed.items()]
    if len(lines) > _MOST_LINES:
        return [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} more (all with --json)"]
    return lines


@administrations.command(epilog="Example: guichet administrations check my.csv")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings_as_they_are
def check(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Tell every error of a CSV by its row; exit 1 on an error."""
    register = _read(settings, file, "errors:", as_json=as_json)
    unread = unread_columns(file)
    if as_json:
        told = {"administrations": len(register), "errors": [], "columns_not_read": unread}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{len(register)} administrations, no errors")
    for column in unread:
        click.echo(f"the column {column} is not read", err=True)


def _read(
    settings: Settings, file: Path, headline: str, *, as_json: bool
) -> Sequence[Administration]:
    """Read a register, or tell each of its errors and exit with 1."""
    try:
        return read_csv(file, _places(settings))
    except BadRegister as error:
        if as_json:
            click.echo(json.dumps({"errors": list(error.errors)}, ensure_ascii=False))
            raise SystemExit(1) from error
        raise click.ClickException("\n  ".join([headline, *error.errors])) from error


def _places(settings: Settings) -> Places:
    country = countries.load(settings.country)
    try:
        return routing.places_of(country)
    except BadPlaces as error:
        told = [f"{country.places} cannot be used:", *error.errors]
        raise click.ClickException("\n  ".join(told)) from error
    except OSError as error:
        raise click.ClickException(f"{country.places}: {error.strerror}") from error


@administrations.command("list", epilog="Example: guichet administrations list --place fes --json")
@click.argument("words", required=False, default="")
@click.option("--kind", default="", help="Of this kind only.")
@click.option("--place", default="", help="Those that serve a place, by its id.")
@click.option("--matter", default="", help="Those that do this.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="Under the names of a day; today's by default."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
def list_(
    settings: Settings,
    /,
    words: str,
    as_json: bool,  # noqa: FBT001
    **wanted: Any,
) -> None:
    """List the administrations on record; WORDS stand in a slug or a name."""
    house_day = wiring.today(countries.load(settings.country))
    day: date = wanted["on"].date() if wanted["on"] else house_day
    places = _places(settings) if wanted["place"] else None
    if places is not None and wanted["place"] not in places:
        raise click.ClickException(f"place {wanted['place']} is not in the gazetteer")
    around = set(places.lies_in(wanted["place"])) if places is not None else set()
    with reading(wiring.engine_of(settings)).connect() as connection:
        register = load_all(connection)
    for slug, one in sorted(register.items()):
        found = one.named_on(day)
        if (
            fold(words) not in fold(" ".join([slug, *found.names.values()]))
            or (wanted["kind"] and found.kind != wanted["kind"])
            or (wanted["matter"] and wanted["matter"] not in (found.matters or (slug,)))
            or (around and not around.intersection(found.places))
        ):
            continue
        if as_json:
            click.echo(json.dumps(_as_json(found), ensure_ascii=False))
        else:
            click.echo(f"{slug:28} {found.outlet:10} {found.name('fr')}")


def _as_json(found: Administration) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "names": dict(found.names),
        "kind": found.kind,
        "parent": found.parent,
        "matters": list(found.matters or (found.slug,)),
        "places": list(found.places),
        "outlet": str(found.outlet),
        "calendar": found.calendar,
    }
