# SPDX-License-Identifier: MIT
"""``guichet administrations``: the register of recipients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatcher.administration import BadRegister, load_all, read_csv, store
from gateway import wiring
from gateway.commands.settings import pass_settings
from tracker.database import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from dispatcher.administration import Administration

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(epilog="Example: guichet administrations import administrations.csv")
def administrations() -> None:
    """List, check or import the administrations that receive cases."""


@administrations.command("import", epilog="Example: guichet administrations import my.csv")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings
def import_(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Add and change administrations from a CSV; none is deleted."""
    register = _read(file, "nothing imported:", as_json=as_json)
    with wiring.engine_of(settings).begin() as connection:
        added, changed = store(connection, register)
    told = {"added": added, "changed": changed, "errors": []}
    click.echo(json.dumps(told) if as_json else f"{added} added, {changed} changed")


@administrations.command(epilog="Example: guichet administrations check my.csv")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(file: Path, *, as_json: bool) -> None:
    """Tell every error of a CSV by its row; exit 1 on an error."""
    register = _read(file, "errors:", as_json=as_json)
    told = {"administrations": len(register), "errors": []}
    click.echo(json.dumps(told) if as_json else f"{len(register)} administrations, no errors")


def _read(file: Path, headline: str, *, as_json: bool) -> Sequence[Administration]:
    """Read a register, or tell each of its errors and exit with 1."""
    try:
        return read_csv(file)
    except BadRegister as error:
        if as_json:
            click.echo(json.dumps({"errors": list(error.errors)}, ensure_ascii=False))
            raise SystemExit(1) from error
        raise click.ClickException("\n  ".join([headline, *error.errors])) from error


@administrations.command("list", epilog="Example: guichet administrations list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
def list_(settings: Settings, as_json: bool) -> None:  # noqa: FBT001
    """List the administrations on record."""
    with reading(wiring.engine_of(settings)).connect() as connection:
        register = load_all(connection)
    for slug, found in sorted(register.items()):
        if as_json:
            row = {"slug": slug, "names": dict(found.names), "outlet": str(found.outlet)}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{slug:28} {found.outlet:10} {found.name('fr')}")
