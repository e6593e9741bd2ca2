# SPDX-License-Identifier: MIT
"""Hands one case to several administrations: a child for each, one code for the citizen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker import answers, attention, learning, ledger, register
from tracker.models import AttentionReason, CaseStatus, EventType, LabelKind, OutboxKind, cases
from tracker.outbox import put
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: Least and most administrations of one case.
FEWEST, MOST = 2, 6
_COPIED = (
    *("kind", "channel", "language", "subject", "description", "location"),
    *("requested_datetime", "forward_by", "expected_datetime"),
)


def divide(
    connection: Connection,
    case: Row[Any],
    outlets: Mapping[str, str],
    *,
    reasons: Sequence[str],
    by: str,
    now: datetime,
    calling_code: str,
    source: str = "/desk",
) -> list[UUID]:
    """Open a child for each administration and refer it. The clock is that of the parent.

    Args:
        connection: inside a transaction.
        case: a case that no administration has.
        outlets: the outlet of each administration, by slug, in the order of their naming.
        reasons: why, in the words of who decides.
        by: who decides.
        now: the present time.
        calling_code: of the country, for the children's own codes, which no citizen is told.
        source: CloudEvents source.

    Returns:
        the ids of the children.

    Raises:
        ValueError: too few or too many, or the case cannot be divided.
    """
    if not FEWEST <= len(outlets) <= MOST:
        raise ValueError(f"name {FEWEST} to {MOST} administrations")
    settled = case.status in (str(CaseStatus.ANSWERED), *FINAL)
    if settled or case.administration or case.parent_case or case.children or case.merged_into:
        raise ValueError("only an open case that no administration has can be divided")
    made = []
    for slug, outlet in outlets.items():
        values = register.new_case_values(calling_code=calling_code, now=now)
        register.open_case(
            connection,
            {
                **values,
                **{name: getattr(case, name) for name in _COPIED},
                # Nobody is reached through a child: the citizen belongs to the parent.
                "contact_scheme": "anonymous",
                "contact_value": "",
                "contact_name": "",
                "our_address": "",
                "contact_confirmed": False,
                "parent_case": case.id,
            },
        )
        register.add_event(
            connection,
            values["id"],
            EventType.RECEIVED,
            {"channel": case.channel, "language": case.language},
            source=source,
            at=case.requested_datetime,
        )
        child = register.case_by_id(connection, values["id"])
        if child is not None:
            answers.assign(
                connection,
                child,
                slug,
                by=by,
                reasons=reasons,
                now=now,
                source=source,
                outlet=outlet,
            )
        made.append(values["id"])
    connection.execute(
        cases.update().where(cases.c.id == case.id).values(children=len(made), updated_at=now)
    )
    register.add_event(
        connection,
        case.id,
        EventType.DIVIDED,
        {"administrations": list(outlets), "by": by},
        source=source,
        at=now,
    )
    label = learning.EITHER.join(outlets)
    learning.learn(connection, case, label, LabelKind.TRIAGE, by=by, now=now)
    parent = register.case_by_id(connection, case.id)
    if parent is not None:
        register.change_status(
            connection, parent, CaseStatus.REFERRED, by=by, source=source, at=now, tell=False
        )
    attention.resolve_of_case(connection, case.id, AttentionReason.UNROUTED, by=by, at=now)
    ledger.touch(connection, case.id, now)
    if case.contact_value:
        put(
            connection,
            OutboxKind.NOTIFY,
            f"divided:{case.id}",
            now=now,
            channel=case.channel,
            recipient_scheme=case.contact_scheme,
            recipient=case.contact_value,
            case_id=case.id,
            payload={"notice": "status"},
        )
    return made
