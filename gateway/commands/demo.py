# SPDX-License-Identifier: MIT
"""``guichet demo``: the main job on one machine, all four channels, no account anywhere."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click
from sqlalchemy import select

from gateway import wiring
from gateway.commands.settings import read_fit
from gateway.desk.passwords import hash_password
from gateway.supervise import CannotStart, Supervisor
from tracker import users
from tracker.migrations import upgrade
from tracker.models import users as users_table

DEMO_USER = "demo@guichet.localhost"


@click.command(epilog="Example: guichet demo --data-dir /tmp/guichet-demo")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demo keeps its data (mode 0700).",
)
def demo(data_dir: Path) -> None:
    """Start everything with a simulator: text, mail, call and write to it in a browser."""
    os.environ["GUICHET_PROFILE"] = "demo"
    os.environ.setdefault("GUICHET_DATA_DIR", str(data_dir.resolve()))
    os.environ.setdefault("GUICHET_SIMULATOR__ENABLED", "true")
    os.environ.setdefault("GUICHET_LOG_LEVEL", "WARNING")
    file = click.get_current_context().find_root().params.get("config_file")
    settings = read_fit(file)
    try:
        supervisor = Supervisor(settings, click.echo, file)
        supervisor.prepare()
    except CannotStart as error:
        raise click.ClickException(str(error)) from error
    engine = wiring.engine_of(settings)
    upgrade(engine)
    password = secrets.token_urlsafe(12)
    with engine.begin() as connection:
        found = connection.scalar(select(users_table.c.id).where(users_table.c.email == DEMO_USER))
        if found is None:
            users.add(
                connection,
                email=DEMO_USER,
                password_hash=hash_password(password),
                role="operator",
                administration=None,
                now=wiring.now(),
            )
        else:
            password = ""
    base = settings.public_base_url
    click.echo("Guichet, demo. Everything stays on this machine. Ctrl-C stops it.\n")
    click.echo(f"  citizens    {base}/")
    click.echo(
        f"  simulator   http://{settings.simulator.host}:{settings.simulator.port}/simulator"
    )
    click.echo(f"  desk        {base}/desk/")
    told = f"password: {password}" if password else "the password printed at the first start"
    click.echo(f"              {DEMO_USER}  {told}")
    click.echo(
        f"  other commands, such as guichet export cases, in a second terminal, after:\n"
        "              export GUICHET_PROFILE=demo "
        f"GUICHET_DATA_DIR={settings.data_dir.resolve()} "
        f"GUICHET_VOICE__ENGINE={settings.voice.engine}\n"
    )
    sys.stdout.flush()
    try:
        sys.exit(supervisor.run())
    except CannotStart as error:
        raise click.ClickException(str(error)) from error
