# SPDX-License-Identifier: MIT
"""``guichet doctor``: checks this installation and says what to do about each fault."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from channels.sms.smpp_connection import CannotConnect, connect
from config import country as countries
from config.settings import weaknesses
from dispatcher.administration import load_all
from dispatcher.routing.rules import read_toml, unknown_slugs
from gateway import routing, wiring
from gateway.commands.settings import pass_settings_as_they_are
from gateway.commands.voice import line_fault
from gateway.doorbell import Doorbell
from gateway.inbound.sms import PATH as SMS_PATH
from gateway.inbound.unsigned import last_refusal
from gateway.smpp_door import account_fault, account_of
from tracker import trainings, users
from tracker.database import can_commit, durability, reading
from tracker.migrations import current, newest
from tracker.models import Role, TrainingState

if TYPE_CHECKING:
    from config.settings import Settings

ROOMS = ("gateway", "channels", "normalizer", "dispatcher", "tracker", "config")


@click.command(epilog="Example: guichet doctor --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--signature", is_flag=True, help="Only: why Twilio's last webhook was refused.")
@pass_settings_as_they_are
def doctor(settings: Settings, as_json: bool, signature: bool) -> None:  # noqa: FBT001
    """Check rooms, settings, database, routing, desk, queue, texts and voice; exit 1 on a fault."""
    if signature:
        tell_signature(settings, as_json=as_json)
    checks = {
        "rooms": rooms_fault(),
        "settings": "; ".join(weaknesses(settings)),
        "database": database_fault(settings),
        "routing": routing_fault(settings),
        "learning": learning_fault(settings),
        "desk": desk_fault(settings),
        "queue": queue_fault(settings),
        "sms": sms_fault(settings),
        "smpp": smpp_fault(settings),
        "voice": line_fault(settings),
    }
    if as_json:
        click.echo(json.dumps(checks))
    else:
        for name, fault in checks.items():
            click.echo(f"{'ok   ' if not fault else 'FAULT'} {name}{': ' + fault if fault else ''}")
    sys.exit(1 if any(checks.values()) else 0)


def rooms_fault() -> str:
    """Whether all six rooms come from one folder; another package may own a name."""
    parents = set()
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        if spec is None or spec.origin is None:
            return f"the room {room} is not installed"
        parents.add(Path(spec.origin).resolve().parent.parent)
    if len(parents) > 1:
        return "another package owns the name of a room; use an environment of Guichet's own"
    return ""


def database_fault(settings: Settings) -> str:
    """Whether the database is there, durable and up to date."""
    engine = wiring.engine_of(settings)
    folder = Path(engine.url.database or "").parent
    if engine.dialect.name == "sqlite" and not folder.is_dir():
        return f"there is no folder {folder}; run: guichet migrate"
    try:
        revision = current(engine)
        if revision != newest():
            return f"schema {revision or 'empty'}, expected {newest()}; run: guichet migrate"
        found = durability(engine)
    except SQLAlchemyError as error:
        return f"not reachable ({type(error).__name__}); check database.url"
    wanted = {"synchronous": "2", "synchronous_commit": "on", "fsync": "on"}
    weak = [name for name, value in found.items() if wanted.get(name, value) != value]
    if weak:
        return f"commits are not durable: {', '.join(weak)}"
    return "" if can_commit(engine) else "it cannot commit now; is the disk full?"


def routing_fault(settings: Settings) -> str:
    """Whether places and rules can be read, and an operator's name administrations on record."""
    country = countries.load(settings.country)
    try:
        routing.places_of(country)
    except (OSError, ValueError) as error:
        return f"{country.places} cannot be read: {error}"
    file = Path(settings.dispatch.rules or wiring.CONFIG / "routing.toml")
    try:
        rules = read_toml(file)
        with reading(wiring.engine_of(settings)).connect() as connection:
            unknown = unknown_slugs(rules, load_all(connection))
    except (OSError, ValueError) as error:
        return f"{file} cannot be read: {error}"
    except SQLAlchemyError:
        return "the administrations cannot be read; see database"
    if unknown and settings.dispatch.rules:  # of the shipped ones, those that fit are taken
        return f"{file} names administrations that are not on record: {', '.join(unknown)}"
    return ""


def learning_fault(settings: Settings) -> str:
    """Whether the last training came to its end."""
    try:
        with reading(wiring.engine_of(settings)).connect() as connection:
            latest = trainings.latest(connection, 1)
    except SQLAlchemyError:
        return "the trainings cannot be read; see database"
    if not latest or latest[0].state != TrainingState.FAILED:
        return ""
    return f"the training of {latest[0].started_at:%Y-%m-%d} failed: {latest[0].detail}"


def desk_fault(settings: Settings) -> str:
    """Whether somebody stands above the administrations, where people may give cases up."""
    try:
        with reading(wiring.engine_of(settings)).connect() as connection:
            people = [one for one in users.list_users(connection) if not one.disabled]
    except SQLAlchemyError:
        return "the people of the desk cannot be read; see database"
    if not any(one.administration for one in people):
        return ""  # nobody here can give a case up
    if any(one.role == Role.SUPERVISOR and one.administration is None for one in people):
        return ""
    return (
        "nobody decides the third transfer of a case: such cases wait; run: guichet users add"
        " --role supervisor --email … without --administration"
    )


def sms_fault(settings: Settings) -> str:
    """Whether texts and calls have a provider."""
    if settings.twilio.account_sid:
        refusal = last_refusal(settings.data_dir)
        if refusal is None or not refusal.proven:  # anybody can forge one
            return ""
        return f"a webhook of Twilio's was refused at {refusal.at}: {refusal.sentence}"
    missing = "no calls" if settings.smpp.host else "no SMS, no calls"
    return f"twilio.account_sid is empty: {missing}"


def tell_signature(settings: Settings, *, as_json: bool) -> NoReturn:
    """Say what must be set at Twilio, and why its last webhook was refused; exit 1 if one was."""
    url = settings.public_base_url + SMS_PATH
    refusal = last_refusal(settings.data_dir)
    if as_json:
        click.echo(json.dumps({"url": url, "refused": asdict(refusal) if refusal else None}))
    else:
        click.echo(f"At Twilio, the URL for a message that comes in must be {url}")
        if refusal is None:
            click.echo("No webhook was refused since the last one whose signature fitted.")
        else:
            sure = "certainly Twilio's own" if refusal.proven else "perhaps a forgery"
            click.echo(f"Refused at {refusal.at} ({sure}): {refusal.sentence}")
    sys.exit(0 if refusal is None else 1)


def smpp_fault(settings: Settings) -> str:
    """Whether the operator's SMSC is reached under these settings; nobody binds for it."""
    if not settings.smpp.host:
        return ""
    region = countries.load(settings.country).region
    if fault := account_fault(settings, region):
        return fault
    try:
        connect(account_of(settings, region), lambda: False).close()
    except CannotConnect as failure:
        return str(failure)
    return ""


def queue_fault(settings: Settings) -> str:
    """Whether Redis or Valkey answers."""
    if Doorbell(settings.redis_url).works():
        return ""
    name = "Redis" if settings.queue.redis_url else "the Valkey that `guichet serve` starts"
    return f"{name} does not answer; the sweeper does its work meanwhile (degraded)"
