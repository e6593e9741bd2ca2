# SPDX-License-Identifier: MIT
"""The command ``guichet``: every command has ``--help`` with an example."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config import country as countries
from dispatcher.administration_csv import BadRegister
from gateway import wiring
from gateway.commands.administrations import administrations
from gateway.commands.demo import demo
from gateway.commands.doctor import doctor
from gateway.commands.learning import figures, promote, train
from gateway.commands.quarantine import quarantine
from gateway.commands.routing import route, routing
from gateway.commands.settings import pass_settings
from gateway.commands.simulate import simulate
from gateway.commands.transcribe import transcribe
from gateway.commands.users import users
from gateway.commands.voice import voice
from gateway.commands.words import understand
from gateway.export import export_cases, export_deadlines, export_deliveries, export_outbox
from gateway.legal_clock import terms_of
from gateway.worker import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings

#: What the supervisor starts again: how these end belongs in the log, with all its lines.
SERVICES = frozenset({"web", "smtp", "imap", "smpp", "worker", "sweep", "simulator"})


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


class Guichet(click.Group):
    """Tells in one line that the database is away or empty."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SQLAlchemyError as error:
            if ctx.invoked_subcommand in SERVICES:
                raise
            # Only the driver's first line: no statement and no value stands in it.
            driver = error.orig if isinstance(error, DBAPIError) else error
            said = str(driver).strip().partition("\n")[0][:200]
            raise click.ClickException(f"database: {said}; see: guichet doctor") from error


@click.group(cls=Guichet, epilog="Example: guichet --config guichet.toml serve")
@click.option(
    "--config",
    "config_file",
    envvar=SETTINGS_FILE,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (TOML). Every setting is also GUICHET_<SECTION>__<KEY>.",
)
@click.version_option(package_name="guichet")
@click.pass_context
def guichet(context: click.Context, config_file: Path | None) -> None:
    """Citizens' complaints in by SMS, email, phone and web; one case; answers back the same way."""
    if config_file is not None:
        os.environ[SETTINGS_FILE] = str(config_file.resolve())
    context.obj = config_file  # read when a command runs, see gateway.commands.settings


@guichet.command(epilog="Example: guichet --config guichet.toml serve")
@pass_settings
def serve(settings: Settings) -> None:
    """Run every process of this machine until SIGTERM."""
    from gateway.supervise import CannotStart, Supervisor

    file = os.environ.get(SETTINGS_FILE)
    try:
        status = Supervisor(settings, announce, Path(file) if file else None).run()
    except (CannotStart, BadRegister) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(status)


@guichet.command(epilog="Example: guichet web")
@pass_settings
def web(settings: Settings) -> None:
    """Serve the public HTTP door alone."""
    from gateway import server

    server.run(settings, announce)


@guichet.command(epilog="Example: guichet smtp")
@pass_settings
def smtp(settings: Settings) -> None:
    """Serve the mail door alone."""
    from gateway import mail_door

    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    house = wiring.build_house(settings)
    mail_door.run(house, asked, announce)
    house.writer.close()


@guichet.command(epilog="Example: guichet imap")
@pass_settings
def imap(settings: Settings) -> None:
    """Take the mail out of the mailbox of [imap] until SIGTERM."""
    from gateway import imap_door

    if not settings.imap.host:
        raise click.ClickException("imap.host is empty: set GUICHET_IMAP__HOST")
    if settings.imap.after_filing == "move" and settings.imap.move_to == settings.imap.folder:
        raise click.ClickException("imap.move_to must be another folder than imap.folder")
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    house = wiring.build_house(settings)
    imap_door.run(house, asked, announce)
    house.writer.close()


@guichet.command(epilog="Example: guichet smpp")
@pass_settings
def smpp(settings: Settings) -> None:
    """Keep the line to the operator of [smpp]: texts in, texts out, until SIGTERM."""
    from gateway import smpp_door

    if fault := smpp_door.account_fault(settings, countries.load(settings.country).region):
        raise click.ClickException(fault)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    house = wiring.build_house(settings)
    smpp_door.run(house, asked, announce)
    house.writer.close()


@guichet.command(epilog="Example: guichet worker relay")
@click.argument("queue", type=click.Choice(["relay", "transcribe"]), default="relay")
@click.option("--without-queue", is_flag=True, hidden=True)
@pass_settings
def worker(settings: Settings, queue: str, *, without_queue: bool) -> None:
    """Work on one queue until SIGTERM."""
    from gateway import worker as working

    if without_queue:
        working.work_off(settings, queue, stopping())
        return
    working.run(settings, queue, announce)


@guichet.command(epilog="Example: guichet sweep")
@pass_settings
def sweep(settings: Settings) -> None:
    """Look at the database every few seconds: free dead claims, ring, reconcile."""
    from gateway import sweeper

    sweeper.run(settings, stopping(), announce)


@guichet.command(hidden=True, epilog="Example: guichet simulator")
@pass_settings
def simulator(settings: Settings) -> None:
    """Serve the demo's telephone, mailbox and provider (demo only)."""
    from config.wording import Wording
    from gateway.simulator import process

    process.run(settings, Wording(), announce, stopping())


@guichet.command(epilog="Example: guichet migrate")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings
def migrate(settings: Settings, *, as_json: bool) -> None:
    """Bring the database to the newest schema and load the administrations if there are none."""
    from tracker.migrations import upgrade

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = wiring.engine_of(settings)
    revision = upgrade(engine)
    try:
        added = wiring.load_administrations(settings, engine)
    except BadRegister as error:
        raise click.ClickException("\n  ".join(["administrations:", *error.errors])) from error
    if as_json:
        click.echo(json.dumps({"revision": revision, "administrations_added": added}))
    else:
        click.echo(f"schema {revision}\n{added} administrations added")


@guichet.command(epilog="Example: guichet export cases --output cases.jsonl")
@click.argument("what", type=click.Choice(["cases", "deadlines", "deliveries", "outbox"]))
@click.option("--output", type=click.Path(path_type=Path), help="File (mode 0600); else stdout.")
@pass_settings
def export(settings: Settings, what: str, output: Path | None) -> None:
    """Write the record as JSON Lines, `schema: 1` on every line."""
    terms = terms_of(countries.load(settings.country), settings)
    lines = {
        "cases": export_cases,
        "deadlines": lambda engine: export_deadlines(engine, terms.calendar, wiring.now()),
        "deliveries": export_deliveries,
        "outbox": export_outbox,
    }[what]
    engine = wiring.engine_of(settings)
    if output is None:
        for line in lines(engine):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error
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
    transcribe,
    voice,
    understand,
    route,
    routing,
):
    guichet.add_command(command)
for command in (train, promote, figures):
    routing.add_command(command)


def main() -> None:
    """Entry point."""
    guichet(prog_name="guichet")
