# SPDX-License-Identifier: MIT
"""``guichet quarantine``: what could not be read, and its replay after a fix."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING
from uuid import UUID

import click
from sqlalchemy import select

from channels.channel import Accepted
from gateway import wiring
from gateway.commands.settings import pass_settings
from gateway.replay import replay as replay_delivery
from tracker.database import reading
from tracker.models import DeliveryState, deliveries

if TYPE_CHECKING:
    from config.settings import Settings


@click.group(epilog="Example: guichet quarantine list")
def quarantine() -> None:
    """List, show or replay deliveries that could not be read."""


@quarantine.command("list", epilog="Example: guichet quarantine list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_settings
def list_(settings: Settings, as_json: bool) -> None:  # noqa: FBT001
    """List the deliveries in quarantine, oldest first."""
    columns = deliveries.c
    query = (
        select(columns.id, columns.channel, columns.received_at, columns.reason)
        .where(columns.state == str(DeliveryState.QUARANTINED))
        .order_by(columns.id)
    )
    with reading(wiring.engine_of(settings)).connect() as connection:
        for row in connection.execute(query):
            if as_json:
                found = {
                    "id": str(row.id),
                    "channel": row.channel,
                    "received_at": row.received_at.isoformat(),
                    "reason": row.reason,
                }
                click.echo(json.dumps(found))
            else:
                click.echo(
                    f"{row.id}  {row.received_at:%Y-%m-%d %H:%M}  {row.channel:8} {row.reason}"
                )


@quarantine.command(epilog="Example: guichet quarantine show 0190… > delivery.bin")
@click.argument("delivery_id", type=click.UUID)
@pass_settings
def show(settings: Settings, delivery_id: UUID) -> None:
    """Write the raw bytes of a delivery to standard output."""
    with reading(wiring.engine_of(settings)).connect() as connection:
        body = connection.scalar(select(deliveries.c.body).where(deliveries.c.id == delivery_id))
    if body is None:
        raise click.ClickException("no such delivery; see: guichet quarantine list")
    sys.stdout.buffer.write(body)


@quarantine.command(epilog="Example: guichet quarantine replay 0190…")
@click.argument("delivery_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_settings
def replay(settings: Settings, delivery_id: UUID, *, as_json: bool) -> None:
    """Read a delivery again after a fix, and file it under its own time."""
    house = wiring.build_house(settings)
    try:
        answer = replay_delivery(house, delivery_id, "operator")
    finally:
        house.writer.close()
    if not isinstance(answer, Accepted):
        raise click.ClickException(getattr(answer, "reason", "try again later"))
    told = {"id": str(delivery_id), "state": answer.state, "code": answer.tracking_code}
    click.echo(json.dumps(told) if as_json else answer.state)
