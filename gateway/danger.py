# SPDX-License-Identifier: MIT
"""A message that tells of danger: seen when it is read, acted on when it is filed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from normalizer.complaint import Outcome
from tracker import alarm
from tracker.models import DeliveryState

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from channels.channel import Delivery
    from gateway.plan import Plan
    from normalizer.complaint import Submission

#: Fact of a delivery, for the door that answers with a page.
DANGER = "danger"
#: What a person said of themselves; what machines and administrations send is none of it.
_SAID_BY_A_PERSON = frozenset(
    {
        Outcome.COMPLAINT,
        Outcome.FOLLOW_UP,
        Outcome.STATUS_QUERY,
        Outcome.HELP,
        Outcome.GREETING,
        Outcome.NOISE,
    }
)


def with_danger(plan: Plan, submission: Submission) -> Plan:
    """The plan, marked where the words of a person tell of danger now."""
    if not submission.danger or plan.outcome not in _SAID_BY_A_PERSON:
        return plan
    if submission.message.auto_submitted != "no":
        return plan
    return replace(plan, danger=True, facts={**plan.facts, DANGER: "yes"})


def raise_alarm(
    connection: Connection,
    plan: Plan,
    submission: Submission,
    delivery: Delivery,
    delivery_id: UUID,
) -> None:
    """Tell whom to call and put it at the top of *Needs a person*, beside whatever else is done."""
    filed = plan.state in (DeliveryState.FILED, DeliveryState.APPENDED)
    case_id = plan.case_id if filed else None
    contact = submission.contact
    if contact.replyable:
        alarm.advise(
            connection,
            channel=str(delivery.channel),
            scheme=str(contact.scheme),
            recipient=contact.value,
            language=submission.language,
            case_id=case_id,
            now=delivery.received_at,
        )
    alarm.see(
        connection,
        at=delivery.received_at,
        source=f"/channels/{delivery.channel}",
        case_id=case_id,
        delivery_id=delivery_id,
    )
