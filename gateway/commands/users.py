# SPDX-License-Identifier: MIT
"""``guichet users``: who may sign in at the desk."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from gateway import wiring
from gateway.commands.settings import pass_settings
from gateway.desk.passwords import LONGEST_PASSWORD, hash_password
from tracker import users as register
from tracker.database import reading
from tracker.models import Role

if TYPE_CHECKING:
    from config.settings import Settings

SCHEMA = 1


@click.group(
    epilog='Example: echo "$PASSWORD" | guichet users add --email agent@example.org '
    "--administration sante --role agent --password-stdin"
)
def users() -> None:
    """Add, list and disable the people who sign in at the desk."""


@users.command(
    epilog='Example: echo "$PASSWORD" | guichet users add --email triage@example.org '
    "--role triage --password-stdin"
)
@click.option("--email", required=True, help="What the person signs in with.")
@click.option(
    "--administration",
    help="Slug; for an agent, and for a supervisor unless they stand above all administrations.",
)
@click.option(
    "--role",
    required=True,
    type=click.Choice([str(role) for role in Role]),
    help="What they may do.",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from the first line of standard input.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_settings
def add(
    settings: Settings,
    *,
    email: str,
    administration: str | None,
    role: str,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add a user. Without --password-stdin the password is asked for, unseen."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    least = settings.desk.minimum_password_length
    if not least <= len(password) <= LONGEST_PASSWORD:
        raise click.ClickException(
            f"the password must have {least} characters or more, and at most {LONGEST_PASSWORD}"
        )
    password_hash = hash_password(password)
    try:
        with wiring.engine_of(settings).begin() as connection:
            user_id = register.add(
                connection,
                email=email,
                password_hash=password_hash,
                role=role,
                administration=administration,
                now=wiring.now(),
            )
    except register.InvalidUser as error:
        raise click.ClickException(str(error)) from error
    email = register.fold(email)
    if as_json:
        _print({"id": str(user_id), "email": email, "role": role, "administration": administration})
    else:
        click.echo(f"added {email} ({role})")


@users.command("list", epilog="Example: guichet users list --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one user a line.")
@pass_settings
def list_(settings: Settings, *, as_json: bool) -> None:
    """List all users, disabled ones too; never a password."""
    with reading(wiring.engine_of(settings)).connect() as connection:
        rows = register.list_users(connection)
    for row in rows:
        if as_json:
            _print(
                {
                    "email": row.email,
                    "role": row.role,
                    "administration": row.administration,
                    "disabled": row.disabled,
                    "created_at": row.created_at.isoformat(),
                }
            )
        else:
            where = row.administration or "all administrations"
            state = ", disabled" if row.disabled else ""
            click.echo(f"{row.email}  {row.role}  {where}{state}")


@users.command(epilog="Example: guichet users disable --email agent@example.org")
@click.option("--email", required=True, help="Whom to shut out.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_settings
def disable(settings: Settings, *, email: str, as_json: bool) -> None:
    """Shut a user out at once, also from open sessions."""
    with wiring.engine_of(settings).begin() as connection:
        found = register.disable(connection, email)
    if not found:
        raise click.ClickException("there is no user with this email")
    if as_json:
        _print({"email": register.fold(email), "disabled": True})
    else:
        click.echo(f"disabled {register.fold(email)}")


def _print(values: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": SCHEMA, **values}, ensure_ascii=False))
