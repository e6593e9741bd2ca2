# SPDX-License-Identifier: MIT
"""Moves what a citizen's short answer moves: a case into another, or a text into one of its own.

Nothing is lost and no code dies: messages are moved, not copied; the code of a merged case finds
the case that took it in; both timelines tell it. No legal clock begins anew (promise 9): the case
that stays keeps the earlier of the two, a text split off has that of its own receipt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from normalizer.complaint import Outcome
from tracker import attention, children, deferred, ledger, outbox, register
from tracker.links import LinkEvent
from tracker.models import (
    AttentionReason,
    CaseStatus,
    DeliveryState,
    EventType,
    OutboxKind,
    OutboxState,
    case_events,
    cases,
    deliveries,
    messages,
)
from tracker.models import outbox as outbox_table
from tracker.status import allowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from gateway.plan import Move

#: Statuses from which a citizen's further words lead back to work.
REOPENING = (CaseStatus.WAITING_FOR_CITIZEN, CaseStatus.ANSWERED, CaseStatus.CLOSED)
_BY = "citizen"
_MERGED = "its case was merged into another"
_SPLIT = "its text was split off into a case of its own"


def move(connection: Connection, wanted: Move, *, at: datetime, channel: str) -> None:
    """Do one move inside the transaction of the text that asks for it."""
    source = f"/channels/{channel}"
    if wanted.into is not None:
        _merge(connection, wanted, at=at, source=source)
    elif wanted.message is not None:
        _split_off(connection, wanted, wanted.message, at=at, source=source)


def reopen(connection: Connection, case: Row[Any], source: str, at: datetime) -> None:
    """Lead a case that waits, is answered or closed back to work, without a word to anybody."""
    children.words_came(connection, case, source=source, at=at, by=_BY)
    if case.status in [str(status) for status in REOPENING]:
        register.change_status(
            connection, case, CaseStatus.IN_PROGRESS, by=_BY, source=source, at=at, tell=False
        )


def route_again(
    connection: Connection, case: Row[Any], words: str, message_id: UUID, at: datetime
) -> None:
    """Look once more for the administration of a case, with further words of its citizen."""
    outbox.put(
        connection,
        OutboxKind.ROUTE,
        f"route:{case.id}:{message_id}",
        now=at,
        case_id=case.id,
        message_id=message_id,
        channel=case.channel,
        recipient_scheme=case.contact_scheme,
        recipient=case.contact_value,
        payload={"transcript": words},
    )


def _merge(connection: Connection, wanted: Move, *, at: datetime, source: str) -> None:
    case, into = _now(connection, wanted.case.id), wanted.into
    if into is None:
        return
    into = _now(connection, into.id)
    owed = ledger.take_in(connection, case, into)
    first = connection.scalar(
        select(messages.c.id)
        .where(messages.c.case_id == case.id)
        .order_by(messages.c.date, messages.c.id)
        .limit(1)
    )
    connection.execute(
        messages.update().where(messages.c.case_id == case.id).values(case_id=into.id)
    )
    due = (outbox_table.c.case_id == case.id) & (outbox_table.c.state == str(OutboxState.DUE))
    _hold(connection, due & outbox_table.c.kind.in_(["route", "refer"]), _MERGED, at)
    connection.execute(
        outbox_table.update()
        .where(outbox_table.c.case_id == case.id, outbox_table.c.kind == "transcribe")
        .values(case_id=into.id)
    )
    attention.resolve_of_case(connection, case.id, AttentionReason.UNROUTED, by=_BY, at=at)
    if CaseStatus.WITHDRAWN in allowed(case.status):
        register.change_status(
            connection, case, CaseStatus.WITHDRAWN, by=_BY, source=source, at=at, tell=False
        )
    # Also those that it had taken in itself: a code is one step away from its case.
    connection.execute(
        cases.update()
        .where(
            cases.c.contact_scheme == case.contact_scheme,
            cases.c.contact_value == case.contact_value,
            (cases.c.id == case.id) | (cases.c.merged_into == case.id),
        )
        .values(merged_into=into.id, updated_at=at)
    )
    connection.execute(cases.update().where(cases.c.id == into.id).values(updated_at=at))
    _tell(connection, LinkEvent.MERGED, case, into, source=source, at=at, more=owed)
    reopen(connection, into, source, at)
    if wanted.names and into.administration is None and first is not None:
        route_again(connection, into, wanted.names, first, at)


def _split_off(
    connection: Connection, wanted: Move, text: Row[Any], *, at: datetime, source: str
) -> None:
    case, values = _now(connection, wanted.case.id), wanted.values
    register.open_case(
        connection,
        {
            **values,
            "kind": case.kind,
            "channel": text.channel,
            "language": text.language or case.language,
            "subject": text.subject,
            "description": text.text,
            "location": "",
            "contact_scheme": case.contact_scheme,
            "contact_value": case.contact_value,
            "contact_name": case.contact_name,
            "contact_confirmed": case.contact_confirmed,
            "our_address": text.recipient,
            "requested_datetime": text.date,
            "linked_to": case.id,
        },
    )
    new_id = values["id"]
    connection.execute(messages.update().where(messages.c.id == text.id).values(case_id=new_id))
    of_text = outbox_table.c.message_id == text.id
    due = of_text & (outbox_table.c.state == str(OutboxState.DUE))
    _hold(connection, due & (outbox_table.c.kind == "route"), _SPLIT, at)
    connection.execute(
        outbox_table.update()
        .where(of_text, outbox_table.c.kind == "transcribe")
        .values(case_id=new_id)
    )
    # A part of it that comes late follows it, and the same text delivered again is told its code.
    connection.execute(
        deliveries.update()
        .where(deliveries.c.id == text.delivery_id)
        .values(
            case_id=new_id,
            state=str(DeliveryState.FILED),
            outcome=str(Outcome.COMPLAINT),
            answer={},
        )
    )
    received = register.event_row(
        new_id,
        EventType.RECEIVED,
        {"channel": text.channel, "language": text.language},
        source=source,
        subject=str(text.id),
        at=text.date,
    )
    deferred.insert(connection, case_events, [received])
    new = _now(connection, new_id)
    ledger.enter(connection, [new], now=at)
    _tell(connection, LinkEvent.SPLIT_OFF, case, new, source=source, at=at)
    to: dict[str, Any] = {
        "now": at,
        "case_id": new_id,
        "channel": text.channel,
        "recipient_scheme": case.contact_scheme,
        "recipient": case.contact_value,
    }
    outbox.put(connection, OutboxKind.ACKNOWLEDGE, f"ack:{new_id}", **to, automatic=True)
    outbox.put(connection, OutboxKind.ROUTE, f"route:{new_id}", **to)


def _now(connection: Connection, case_id: UUID) -> Row[Any]:
    """The case as it is now, held until the commit: the desk may be at work on it."""
    return connection.execute(select(cases).where(cases.c.id == case_id).with_for_update()).one()


def _hold(connection: Connection, which: Any, why: str, at: datetime) -> None:
    connection.execute(
        outbox_table.update()
        .where(which)
        .values(state=str(OutboxState.HELD), last_error=why, done_at=at)
    )


def _tell(
    connection: Connection,
    what: LinkEvent,
    case: Row[Any],
    other: Row[Any],
    *,
    source: str,
    at: datetime,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Put a move on both timelines: ``from`` and ``into`` are the codes of the two cases."""
    codes = {"from_code": case.tracking_code, "into_code": other.tracking_code}
    data = {"by": _BY, **codes, **(more or {})}
    for one in (case, other):
        register.add_event(connection, one.id, what, data, source=source, at=at)
