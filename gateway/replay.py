# SPDX-License-Identifier: MIT
"""Deliveries that a person takes in hand: replay after a fix, attach to a case, open a case."""

from __future__ import annotations

import logging
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.channel import Accepted, Acknowledgement, Delivery, Refused
from channels.errors import MalformedMessage
from channels.message import ChannelName
from gateway import filing
from gateway.authenticating import authenticator_of, facts_of
from gateway.planning import Plan, Planner
from gateway.reading import read_delivery
from normalizer.complaint import Outcome
from normalizer.normalize import normalize
from tracker import attention, register
from tracker.database import reading
from tracker.group_commit import StorageUnavailable
from tracker.models import DeliveryState, deliveries
from tracker.models import attention as attention_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from gateway.house import House
    from normalizer.complaint import Submission

logger = logging.getLogger(__name__)


def replay(house: House, delivery_id: UUID, by: str = "operator") -> Acknowledgement:
    """Read a quarantined delivery again and file it under its own id and time.

    Returns:
        what became of it; ``Refused`` when it still cannot be read or is not in quarantine.
    """
    facts = _facts(house, delivery_id)

    def file(connection: Connection) -> Acknowledgement:
        delivery, submission, state = _load(house, connection, delivery_id, facts)
        if state != str(DeliveryState.QUARANTINED):
            return Refused("this delivery is not in quarantine")
        if submission is None:
            return Refused("it still cannot be read")
        plan = house.intake.plan(connection, delivery, submission)
        return _carry_out(house, connection, plan, submission, delivery, delivery_id, by, "replay")

    return _run(house, file)


def attach(house: House, delivery_id: UUID, code: str, by: str) -> Acknowledgement:
    """Append a held delivery to the case of ``code``: a person vouches for its sender.

    What came from the registered address of the case's administration becomes its answer.
    """

    def file(connection: Connection) -> Acknowledgement:
        delivery, submission, _ = _load(house, connection, delivery_id)
        case = register.find_case(connection, code)
        if submission is None or case is None:
            return Refused("unreadable delivery or unknown code")
        administration = (
            Planner.administration_of(connection, case, submission)
            if delivery.channel is ChannelName.EMAIL
            else None
        )
        plan = Plan(
            DeliveryState.APPENDED,
            Outcome.ADMINISTRATION_REPLY if administration else Outcome.FOLLOW_UP,
            case_id=case.id,
            case=case,
            tracking_code=case.tracking_code,
            administration=administration,
        )
        return _carry_out(house, connection, plan, submission, delivery, delivery_id, by, "attach")

    return _run(house, file)


def open_case(house: House, delivery_id: UUID, by: str) -> Acknowledgement:
    """Open a case of its own from a held delivery."""

    def file(connection: Connection) -> Acknowledgement:
        delivery, submission, _ = _load(house, connection, delivery_id)
        if submission is None:
            return Refused("it cannot be read")
        plan = house.intake.open_plan(delivery, submission)
        return _carry_out(
            house, connection, plan, submission, delivery, delivery_id, by, "open_case"
        )

    return _run(house, file)


def _run(house: House, file: Callable[[Connection], Acknowledgement]) -> Acknowledgement:
    """Run in one transaction; what still fails leaves the delivery where it was, and says so."""
    try:
        return house.writer.run(file)
    except StorageUnavailable:
        raise
    except Exception as error:  # the wide catch of this door: it stays in quarantine
        logger.exception("a replay failed")
        return Refused(f"it still fails: {type(error).__name__}")


def _facts(house: House, delivery_id: UUID) -> Mapping[str, str]:
    """What is known of a mail's sender: asked with no transaction open."""
    authenticator = authenticator_of(house.settings)
    if authenticator is None:
        return {}
    with reading(house.engine).connect() as connection:
        delivery = _delivery(_row(connection, delivery_id))
    return facts_of(authenticator, delivery) if delivery.channel is ChannelName.EMAIL else {}


def _row(connection: Connection, delivery_id: UUID) -> Row[Any]:
    return connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one()


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        channel=ChannelName(row.channel),
        idempotency_key=row.idempotency_key,
        received_at=row.received_at,
        peer=row.peer,
        headers=row.headers,
        body=row.body,
        url=row.url,
    )


def _load(
    house: House,
    connection: Connection,
    delivery_id: UUID,
    facts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Delivery, Submission | None, str]:
    row = _row(connection, delivery_id)
    delivery = _delivery(row)
    try:
        message = read_delivery(delivery, house.settings, house.country)
        message = replace(message, fields={**message.fields, **facts})
    except MalformedMessage:
        return delivery, None, row.state
    submission = normalize(
        message,
        region=house.country.region,
        default_language=house.country.default_language,
    )
    return delivery, submission, row.state


def _carry_out(
    house: House,
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
    by: str,
    action: str,
) -> Accepted:
    filing.carry_out(connection, plan, submission, delivery, delivery_id)
    connection.execute(
        deliveries.update()
        .where(deliveries.c.id == delivery_id)
        .values(
            state=str(plan.state),
            outcome=str(plan.outcome),
            case_id=plan.case_id,
            reason=f"{action} by a person",
        )
    )
    items = connection.scalars(
        select(attention_table.c.id).where(
            attention_table.c.delivery_id == delivery_id,
            attention_table.c.resolved_at.is_(None),
        )
    ).all()
    for item_id in items:
        attention.resolve(connection, item_id, by=by, action=action, at=house.clock())
    return Accepted(tracking_code=plan.tracking_code, state=str(plan.state))
