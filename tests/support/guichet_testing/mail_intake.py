# SPDX-License-Identifier: MIT
"""Mails put through the real intake, and what is on record of them afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.errors import MalformedMessage
from channels.message import ChannelName
from config import country
from config.settings import Settings
from gateway.export import export_deliveries
from gateway.intake import Intake
from gateway.planning import Planner
from guichet_testing.mutations import opened
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import deliveries

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(database_url: str, mails: Iterable[bytes]) -> Counter[str]:
    """File every mail and count what became of it, and what is not on record as it came.

    Returns:
        the states of the acknowledgements; ``refused``: not accepted; ``not exported``: accepted,
        but on no line of ``guichet export deliveries``; ``bytes differ``: stored otherwise than it
        came.
    """
    engine = open_engine(database_url, lock_timeout_seconds=5.0)
    upgrade(engine)
    morocco = country.load("ma")
    settings = Settings(
        profile="demo", web={"secret_keys": ["k" * 40]}, mail={"domain": "g.example"}
    )
    writer = GroupCommit(engine)
    try:
        return _stored(engine, Intake(writer, Planner(settings, morocco), morocco), mails)
    finally:
        writer.close()
        engine.dispose()


def _stored(engine: Engine, intake: Intake, mails: Iterable[bytes]) -> Counter[str]:
    counts: Counter[str] = Counter()
    bodies: dict[str, bytes] = {}
    for number, mail in enumerate(mails):
        try:
            message = opened(mail)
        except MalformedMessage:
            message = None
        headers = {"envelope-from": "a@example.org", "envelope-to": "complaints@g.example"}
        key = f"email:mutation:{number}"
        answer = intake.accept(
            Delivery(ChannelName.EMAIL, key, RECEIVED, "192.0.2.1", headers, mail), message
        )
        if isinstance(answer, Accepted):
            counts[answer.state] += 1
            bodies[key] = mail
        else:
            counts["refused"] += 1
    exported = {line["id"] for line in export_deliveries(engine)}
    columns = select(deliveries.c.id, deliveries.c.idempotency_key, deliveries.c.body)
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=100).execute(columns):
            mail = bodies.pop(row.idempotency_key)
            counts["not exported"] += str(row.id) not in exported
            counts["bytes differ"] += bytes(row.body) != mail
    counts["not exported"] += len(bodies)
    return counts
