# SPDX-License-Identifier: MIT
"""``guichet administrations``: the register of recipients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dispatcher.administration import BadRegister, load_all, read_csv, store
from gateway import wiring
from tracker.database import reading

if TYPE_CHECKING:
    from config.settings import Settings

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(epilog="Example: guichet administrations import administrations.csv")
def administrations() -> None:
    """List, check or import the administrations that receive cases."""


@administrations.command("import", epilog="Example: guichet administrations import my.csv")
@click.argument("file", type=_FILE)
@click.pass_obj
def import_(settings: Settings, file: Path) -> None:
    """Add and change administrations from a CSV; none is deleted."""
    try:
        register = read_csv(file)
    except BadRegister as error:
        raise click.ClickException("\n  ".join(["nothing imported:", *error.errors])) from error
    with wiring.engine_of(settings).begin() as connection:
        added, changed = store(connection, register)
    click.echo(f"{added} added, {changed} changed")


@administrations.command(epilog="Example: guichet administrations check my.csv")
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Tell every error of a CSV by its row."""
    try:
        click.echo(f"{len(read_csv(file))} administrations, no errors")
    except BadRegister as error:
        raise click.ClickException("\n  ".join(["errors:", *error.errors])) from error


@administrations.command("list", epilog="Example: guichet administrations list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
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
