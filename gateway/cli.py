# SPDX-License-Identifier: MIT
"""The command ``guichet``: every command has ``--help`` with an example."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from config.settings import Settings, load, weaknesses
from gateway import telemetry, wiring
from gateway.commands.administrations import administrations
from gateway.commands.demo import demo
from gateway.commands.doctor import doctor
from gateway.commands.quarantine import quarantine
from gateway.commands.simulate import simulate
from gateway.commands.users import users
from gateway.commands.words import route, understand
from gateway.export import export_cases, export_deliveries, export_outbox
from gateway.worker import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable


def announce(line: str) -> None:
    """Print one line at once: what listens where."""
    click.echo(line)
    sys.stdout.flush()


def stopping() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT has come."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked.is_set


@click.group(epilog="Example: guichet --config guichet.toml serve")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (TOML). Every setting is also GUICHET_<SECTION>__<KEY>.",
)
@click.version_option(package_name="guichet")
@click.pass_context
def guichet(context: click.Context, config_file: Path | None) -> None:
    """Citizens' complaints in by SMS, email, phone and web; one case; answers back the same way."""
    if config_file is not None:
        os.environ[SETTINGS_FILE] = str(config_file.resolve())
    if context.invoked_subcommand == "demo":
        return
    if context.invoked_subcommand in ("simulate", "understand"):
        os.environ.setdefault("GUICHET_PROFILE", "demo")
        context.obj = load(config_file)
        return
    context.obj = settings_or_exit(config_file)


def settings_or_exit(file: Path | None) -> Settings:
    """Read the settings, or say plainly what is wrong with them and exit with 2."""
    try:
        settings = wiring.with_demo_values(load(file))
    except (ValidationError, FileNotFoundError, OSError) as error:
        raise click.ClickException(f"settings: {error}") from error
    problems = weaknesses(settings)
    if problems:
        raise click.ClickException("not fit for production:\n  " + "\n  ".join(problems))
    telemetry.set_up_logging(settings.log_level)
    return settings


@guichet.command(epilog="Example: guichet --config guichet.toml serve")
@click.pass_obj
def serve(settings: Settings) -> None:
    """Run every process of this machine until SIGTERM."""
    from gateway.supervise import CannotStart, Supervisor

    file = os.environ.get(SETTINGS_FILE)
    try:
        status = Supervisor(settings, announce, Path(file) if file else None).run()
    except CannotStart as error:
        raise click.ClickException(str(error)) from error
    sys.exit(status)


@guichet.command(epilog="Example: guichet web")
@click.pass_obj
def web(settings: Settings) -> None:
    """Serve the public HTTP door alone."""
    from gateway import server

    server.run(settings, announce)


@guichet.command(epilog="Example: guichet smtp")
@click.pass_obj
def smtp(settings: Settings) -> None:
    """Serve the mail door alone."""
    from gateway import mail_door

    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    house = wiring.build_house(settings)
    mail_door.run(house, asked, announce)
    house.writer.close()


@guichet.command(epilog="Example: guichet worker relay")
@click.argument("queue", type=click.Choice(["relay", "transcribe"]), default="relay")
@click.pass_obj
def worker(settings: Settings, queue: str) -> None:
    """Work on one queue until SIGTERM."""
    from gateway import worker as working

    working.run(settings, queue, announce)


@guichet.command(epilog="Example: guichet sweep")
@click.pass_obj
def sweep(settings: Settings) -> None:
    """Look at the database every few seconds: free dead claims, ring, reconcile."""
    from gateway import sweeper

    sweeper.run(settings, stopping(), announce)


@guichet.command(hidden=True)
@click.pass_obj
def simulator(settings: Settings) -> None:
    """Serve the demo's telephone, mailbox and provider (demo only)."""
    from config.wording import Wording
    from gateway.simulator import process

    process.run(settings, Wording(), announce, stopping())


@guichet.command(epilog="Example: guichet migrate")
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to the newest schema and load the administrations if there are none."""
    from tracker.migrations import upgrade

    engine = wiring.engine_of(settings)
    click.echo(f"schema {upgrade(engine)}")
    click.echo(f"{wiring.load_administrations(settings, engine)} administrations added")


@guichet.command(epilog="Example: guichet export cases --output cases.jsonl")
@click.argument("what", type=click.Choice(["cases", "deliveries", "outbox"]))
@click.option("--output", type=click.Path(path_type=Path), help="File (mode 0600); else stdout.")
@click.pass_obj
def export(settings: Settings, what: str, output: Path | None) -> None:
    """Write the record as JSON Lines, `schema: 1` on every line."""
    lines = {"cases": export_cases, "deliveries": export_deliveries, "outbox": export_outbox}[what]
    engine = wiring.engine_of(settings)
    if output is None:
        for line in lines(engine):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        count = 0
        for line in lines(engine):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    click.echo(f"{count} lines in {output}", err=True)


for command in (
    demo,
    administrations,
    users,
    quarantine,
    simulate,
    doctor,
    understand,
    route,
):
    guichet.add_command(command)


def main() -> None:
    """Entry point."""
    guichet(prog_name="guichet")
