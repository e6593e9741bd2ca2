# SPDX-License-Identifier: MIT
"""What is done when a deadline comes near or passes: who is reminded, who above, who is told.

An administration is reminded by its outlet: by one mail for all its cases of the round, or at the
desk's page of deadlines. Every entry has a key of its own, and every step is taken in the
transaction that remembers it, so that nothing is said twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from channels.message import Address, AddressScheme, ChannelName, OutboundMessage
from dispatcher.administration import OutletName
from dispatcher.work import Result, Work
from tracker import attention, outbox, register
from tracker.deadlines import StepName
from tracker.models import (
    AttentionReason,
    CaseStatus,
    DeadlineKind,
    EventType,
    OutboxKind,
    OutboxState,
    deadlines,
)
from tracker.models import attention as attention_table
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from channels.channel import Channel
    from dispatcher.administration import Administration
    from dispatcher.notices import Notices
    from tracker.deadlines import Terms
    from tracker.ledger import Happening

#: Cases that one mail names; more of them make another mail.
MOST_IN_A_MAIL = 50
_SOURCE = "/dispatcher/reminders"
#: Whoever is answered, or waits for no answer, is not told that it is late.
_ANSWERED = frozenset({CaseStatus.ANSWERED, *FINAL})
#: No administration has these; one case of several waits at none of them.
_NOBODYS = frozenset({CaseStatus.RECEIVED, CaseStatus.TRIAGE})


def take(
    connection: Connection,
    happenings: Sequence[Happening],
    administrations: Mapping[str, Administration],
    terms: Terms,
    *,
    now: datetime,
) -> None:
    """Take the steps that are due.

    Args:
        connection: inside the transaction that remembers them.
        happenings: the steps.
        administrations: the active ones, by slug.
        terms: the profile's, for the hours at which people are written to.
        now: the present time.
    """
    #: By who is told and whose cases they are.
    mails: dict[tuple[str, str], dict[UUID, Happening]] = {}
    for one in happenings:
        holder: str = one.case.administration or ""
        if one.step.name is StepName.ESCALATE:
            above = body_above(administrations, holder, one.step.level)
            if above is not None:
                _escalate(connection, one, above, now)
                mails.setdefault((above, holder), {})[one.line_id] = one
            continue
        if one.step.name is StepName.OVERDUE:
            _overdue(connection, one, terms, now)
        elif holder:
            _event(connection, one, EventType.REMINDED, holder, now)
        if holder in administrations and one.kind is not DeadlineKind.FORWARD:
            mails.setdefault((holder, holder), {})[one.line_id] = one
    for (told, holder), ones in mails.items():
        _mail(
            connection, administrations[told], administrations.get(holder), list(ones.values()), now
        )


def body_above(administrations: Mapping[str, Administration], slug: str, level: int) -> str | None:
    """The body so many levels above an administration, from 1; ``None`` where there is none."""
    chain = list(_chain(administrations, slug))
    return chain[level - 1] if level <= len(chain) else None


def _chain(administrations: Mapping[str, Administration], slug: str) -> Iterator[str]:
    """The active bodies above an administration, the nearest first; a circle ends it."""
    seen = {slug}
    found = administrations.get(slug)
    while found is not None and found.parent and found.parent not in seen:
        seen.add(found.parent)
        slug, found = found.parent, administrations.get(found.parent)
        if found is not None:
            yield slug


def _overdue(connection: Connection, one: Happening, terms: Terms, now: datetime) -> None:
    case = one.case
    _event(connection, one, EventType.OVERDUE, case.administration or "", now)
    if one.kind is DeadlineKind.FORWARD or case.status in _NOBODYS:
        _needs_a_person(connection, one, now)
    if one.kind is DeadlineKind.FORWARD or not case.contact_value:
        return
    outbox.put(
        connection,
        OutboxKind.NOTIFY,
        f"late:{one.line_id}",
        now=now,
        not_before=terms.waking(now),
        channel=case.channel,
        recipient_scheme=case.contact_scheme,
        recipient=case.contact_value,
        case_id=case.id,
        payload={"notice": "answer_late"},
    )


def _needs_a_person(connection: Connection, one: Happening, now: datetime) -> None:
    """A case that nobody has is on the list, once."""
    listed = select(attention_table.c.id).where(
        attention_table.c.case_id == one.case.id, attention_table.c.resolved_at.is_(None)
    )
    if connection.scalar(listed.limit(1)) is None:
        attention.open_item(
            connection,
            AttentionReason.UNROUTED,
            "no administration has this case, and a legal deadline has passed",
            at=now,
            case_id=one.case.id,
        )


def _escalate(connection: Connection, one: Happening, above: str, now: datetime) -> None:
    connection.execute(
        deadlines.update().where(deadlines.c.id == one.line_id).values(escalated_to=above)
    )
    _event(connection, one, EventType.ESCALATED, above, now)


def _event(
    connection: Connection, one: Happening, what: EventType, slug: str, now: datetime
) -> None:
    register.add_event(
        connection,
        one.case.id,
        what,
        {"administration": slug, "deadline": str(one.kind), "days": one.step.days},
        source=_SOURCE,
        subject=str(one.line_id),
        at=now,
    )


def _mail(
    connection: Connection,
    told: Administration,
    holder: Administration | None,
    ones: Sequence[Happening],
    now: datetime,
) -> None:
    """Put the mails for one administration; at another outlet the desk's page shows the cases."""
    if told.outlet is not OutletName.MAIL:
        return
    for start in range(0, len(ones), MOST_IN_A_MAIL):
        some = ones[start : start + MOST_IN_A_MAIL]
        payload: dict[str, Any] = {
            "notice": "reminder",
            "cases": [{"code": one.case.tracking_code, "due": one.due.isoformat()} for one in some],
        }
        if holder is not None and holder.slug != told.slug:
            payload |= {"notice": "escalation", "names": dict(holder.names)}
        first = some[0]
        outbox.put(
            connection,
            OutboxKind.NOTIFY,
            f"{payload['notice']}:{told.slug}:{first.line_id}:{first.step.days}",
            now=now,
            channel=str(ChannelName.EMAIL),
            recipient_scheme="administration",
            recipient=told.slug,
            case_id=first.case.id,
            payload=payload,
        )


def send(
    work: Work,
    mail: Channel,
    notices: Notices,
    thread_address: Callable[[str], str],
    mail_domain: str,
    *,
    nowhere: bool = False,
) -> Result:
    """Send the mail that names deadlines to an administration.

    Args:
        work: an entry put by :func:`take`, with the administration that it goes to.
        mail: the way out.
        notices: composes the words.
        thread_address: a case's signed mail address, by its code.
        mail_domain: right side of our Message-IDs.
        nowhere: send nothing (demos and benches).
    """
    entry, administration = work.entry, work.administration
    if administration is None:
        return Result(OutboxState.FAILED, error="no such administration")
    if nowhere or administration.outlet is not OutletName.MAIL:
        return Result(OutboxState.DONE)
    payload = entry.payload
    named = [
        (one["code"], datetime.fromisoformat(one["due"]), thread_address(one["code"]))
        for one in payload["cases"]
    ]
    names = payload.get("names")
    # Its names of the day on which it was late; no former ones are looked for.
    whose = replace(administration, names=names, names_former=()) if names else None
    notice = notices.deadlines(payload["notice"], administration, named, whose=whose)
    receipt = mail.send(
        OutboundMessage(
            idempotency_key=str(entry.id),
            channel=ChannelName.EMAIL,
            recipient=Address(AddressScheme.MAILTO, administration.email),
            subject=notice.subject,
            text=notice.text,
            language=notice.language,
            message_id=f"{entry.id}@{mail_domain}",
            # An answer to several goes to the address beside each case, not to all of them.
            reply_to=named[0][2] if len(named) == 1 else "",
            auto_submitted="auto-generated",
        )
    )
    return Result(
        OutboxState.DONE, provider_id=receipt.provider_id, delivery_status=receipt.delivery_status
    )


def overtaken(work: Work) -> Result | None:
    """What becomes of a notice of delay whose case was answered meanwhile; else ``None``."""
    if work.entry.payload.get("notice") != "answer_late":
        return None
    if work.case is None or work.case.status not in _ANSWERED:
        return None
    return Result(OutboxState.DONE, error="answered meanwhile: nothing is late any more")
