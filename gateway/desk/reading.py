# SPDX-License-Identifier: MIT
"""What the desk's pages read: lists of cases, one case whole, administrations. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, and_, func, or_, select, true, type_coerce

from channels.mail.authenticity import NAMES as AUTHENTICITY
from channels.message import ChannelName
from dispatcher.administration import former_names, name_on
from tracker.models import (
    AttentionReason,
    CaseStatus,
    administrations,
    attachments,
    attention,
    blobs,
    case_events,
    cases,
    decisions,
    deliveries,
    messages,
)
from tracker.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement

    from gateway.desk.access import DeskUser

PAGE_SIZE = 25
#: When the answer that is owed now is due (``tracker.deadlines.answer_due``).
DUE = func.coalesce(cases.c.answer_due, cases.c.expected_datetime)
#: Cases whose clock has stopped: nobody waits for an answer any more.
SETTLED = frozenset({*FINAL, CaseStatus.ANSWERED})
#: Bytes that are enough to tell a sound file by its content.
HEAD = 16
#: Who typed a transcript, in ``attachments.transcript_data``.
TYPED_BY = "typed_by"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases a list shows.

    Attributes:
        status: one status, ``"open"`` for all that are not settled, ``"all"``.
        overdue: only those past the day by which an answer is due.
        page: from 1.
    """

    status: str = "open"
    overdue: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a list: ``rows`` of ``cases``, and how many there are on all pages."""

    rows: Sequence[Row[Any]]
    total: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What the first recording of a case without words says.

    Attributes:
        state: ``awaiting``, ``done`` or ``failed``.
        text: the transcript, or ``""``.
        by_person: whether somebody listened and typed it.
    """

    state: str
    text: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """One case whole.

    Attributes:
        messages: rows of ``messages``, oldest first.
        files: rows of ``attachments`` with ``head`` (first bytes), by message id.
        events: rows of ``case_events``, oldest first.
        decisions: rows of ``decisions``, newest first.
        senders: what is known of the sender of a mail, by message id
            (:mod:`channels.mail.authenticity`).
    """

    messages: Sequence[Row[Any]]
    files: Mapping[UUID, Sequence[Row[Any]]]
    events: Sequence[Row[Any]]
    decisions: Sequence[Row[Any]]
    senders: Mapping[UUID, Mapping[str, str]]

    @property
    def last(self) -> str:
        """The id of the last message, or ``""``: what a reply was written in the sight of."""
        return str(self.messages[-1].id) if self.messages else ""


def visible(user: DeskUser) -> ColumnElement[bool]:
    """The condition on ``cases`` that leaves what ``user`` may see."""
    if user.sees_all:
        return true()
    return and_(cases.c.administration.is_not(None), cases.c.administration == user.administration)


def is_late(now: datetime) -> ColumnElement[bool]:
    """The condition on ``cases`` for those whose answer is overdue at ``now``."""
    return and_(
        now > DUE,
        cases.c.status.not_in([str(status) for status in SETTLED]),
    )


def list_cases(
    connection: Connection, user: DeskUser, wanted: CaseFilter, now: datetime
) -> CasePage:
    """One page of the cases that ``user`` may see; the most urgent first while they are open."""
    condition = visible(user)
    if wanted.status == "open":
        condition = and_(condition, cases.c.status.not_in([str(status) for status in SETTLED]))
    elif wanted.status != "all":
        condition = and_(condition, cases.c.status == wanted.status)
    if wanted.overdue:
        condition = and_(condition, is_late(now))
    total = connection.scalar(select(func.count()).select_from(cases).where(condition)) or 0
    order = (
        (DUE.is_(None), DUE, cases.c.id)
        if wanted.status == "open" or wanted.overdue
        else (cases.c.requested_datetime.desc(), cases.c.id.desc())
    )
    rows = connection.execute(
        select(cases)
        .where(condition)
        .order_by(*order)
        .limit(PAGE_SIZE)
        .offset((wanted.page - 1) * PAGE_SIZE),
    ).all()
    return CasePage(rows, total)


def heard(connection: Connection, listed: Sequence[Row[Any]]) -> dict[UUID, Heard]:
    """What was heard in those of the listed cases that have no words of their own, by case id.

    A child has its parent's recordings.
    """
    silent = {
        row.id: row.parent_case or row.id for row in listed if not (row.subject or row.description)
    }
    if not silent:
        return {}
    rows = connection.execute(
        select(
            messages.c.case_id,
            attachments.c.transcript_state,
            attachments.c.transcript,
            attachments.c.transcript_data,
        )
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(messages.c.case_id.in_(set(silent.values())), attachments.c.transcript_state != "")
        .order_by(messages.c.date, messages.c.id, attachments.c.position)
    )
    first: dict[UUID, Heard] = {}
    for row in rows:
        by_person = TYPED_BY in (row.transcript_data or {})
        first.setdefault(row.case_id, Heard(row.transcript_state, row.transcript, by_person))
    return {case: first[source] for case, source in silent.items() if source in first}


def tally(connection: Connection, user: DeskUser, now: datetime) -> dict[str, int]:
    """How many cases ``user`` may see by status, and under ``open`` and ``overdue``."""
    counted = {
        row[0]: row[1]
        for row in connection.execute(
            select(cases.c.status, func.count()).where(visible(user)).group_by(cases.c.status)
        )
    }
    late = connection.scalar(
        select(func.count()).select_from(cases).where(visible(user), is_late(now))
    )
    settled = {str(status) for status in SETTLED}
    return {
        **counted,
        "open": sum(number for status, number in counted.items() if status not in settled),
        "overdue": late or 0,
    }


def _spoken(connection: Connection, case: Row[Any]) -> ColumnElement[bool]:
    """The condition on ``messages`` for the thread of a case.

    With a child go the citizen's words to its parent, and what its own administrations answered
    there; what the others answered is not theirs.
    """
    own: ColumnElement[bool] = messages.c.case_id == case.id
    if case.parent_case is None:
        return own
    had = connection.scalars(
        select(decisions.c.administration).where(decisions.c.case_id == case.id)
    ).all()
    theirs = and_(messages.c.direction == "outbound", messages.c.sender.in_(had))
    return or_(
        own,
        and_(
            messages.c.case_id == case.parent_case,
            or_(messages.c.direction == "inbound", theirs),
        ),
    )


def thread(connection: Connection, case: Row[Any]) -> Thread:
    """Everything that the page of a case shows."""
    case_id, said = case.id, _spoken(connection, case)
    spoken = connection.execute(
        select(messages).where(said).order_by(messages.c.date, messages.c.id),
    ).all()
    files: dict[UUID, list[Row[Any]]] = {}
    for row in connection.execute(
        _files()
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(said)
        .order_by(attachments.c.message_id, attachments.c.position),
    ):
        files.setdefault(row.message_id, []).append(row)
    events = connection.execute(
        select(case_events)
        .where(case_events.c.case_id == case_id)
        .order_by(case_events.c.time, case_events.c.id),
    ).all()
    chosen = connection.execute(
        select(decisions)
        .where(decisions.c.case_id == case_id)
        .order_by(decisions.c.decided_at.desc(), decisions.c.id.desc()),
    ).all()
    return Thread(spoken, files, events, chosen, _senders(connection, said))


def _senders(connection: Connection, said: ColumnElement[bool]) -> dict[UUID, Mapping[str, str]]:
    """What is known of the senders of a case's mails; without those of whom nothing is."""
    rows = connection.execute(
        select(messages.c.id, deliveries.c.answer)
        .join(deliveries, deliveries.c.id == messages.c.delivery_id)
        .where(said, deliveries.c.channel == str(ChannelName.EMAIL))
    )
    return {
        row.id: {name: str(row.answer[name]) for name in AUTHENTICITY if row.answer.get(name)}
        for row in rows
        if "dmarc" in row.answer
    }


def last_message(connection: Connection, case: Row[Any]) -> str:
    """The id of the last message of a case as text, or ``""``."""
    found = connection.scalar(
        select(messages.c.id)
        .where(_spoken(connection, case))
        .order_by(messages.c.date.desc(), messages.c.id.desc())
        .limit(1),
    )
    return str(found) if found else ""


def _files() -> Any:
    head = type_coerce(func.substr(blobs.c.content, 1, HEAD), blobs.c.content.type).label("head")
    return select(
        attachments.c.id,
        attachments.c.message_id,
        attachments.c.filename,
        attachments.c.media_type,
        attachments.c.size,
        attachments.c.sha256,
        attachments.c.fetch_url,
        attachments.c.transcript_state,
        attachments.c.transcript,
        attachments.c.transcript_data,
        head,
    ).select_from(attachments.outerjoin(blobs, blobs.c.sha256 == attachments.c.sha256))


def proposals(connection: Connection, case_id: UUID) -> list[dict[str, Any]]:
    """The administrations proposed for a case that waits for a person: slug and reasons each."""
    data = connection.scalar(
        select(attention.c.data)
        .where(
            attention.c.case_id == case_id,
            attention.c.reason == str(AttentionReason.UNROUTED),
            attention.c.resolved_at.is_(None),
        )
        .order_by(attention.c.opened_at)
        .limit(1)
    )
    return list((data or {}).get("candidates", ()))[:3]


def files_to_transcribe(connection: Connection, case_id: UUID) -> Sequence[Row[Any]]:
    """The recordings of a case, with a machine's transcript at most: no person has heard them."""
    rows: Sequence[Any] = connection.execute(
        _files()
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(
            messages.c.case_id == case_id,
            attachments.c.transcript_state != "",
        )
        .order_by(attachments.c.id),
    ).all()
    return [row for row in rows if TYPED_BY not in (row.transcript_data or {})]


def ways_to(connection: Connection, case: Row[Any]) -> list[tuple[str, str]]:
    """The channels and addresses by which this citizen has been heard: (channel, address)."""
    spoken = connection.execute(
        select(messages.c.channel, messages.c.sender)
        .where(
            messages.c.case_id == case.id,
            messages.c.direction == "inbound",
            messages.c.sender != "",
        )
        .order_by(messages.c.date),
    )
    ways = [(row.channel, row.sender) for row in spoken]
    if case.contact_value:
        ways.insert(0, (case.channel, case.contact_value))
    reachable = {ChannelName.SMS, ChannelName.EMAIL, ChannelName.VOICE, ChannelName.WHATSAPP}
    return list(dict.fromkeys(way for way in ways if way[0] in reachable))


def names(connection: Connection, language: str, on: date) -> dict[str, str]:
    """What the active administrations are called on a day: slug → name, in the order of names."""
    rows = connection.execute(
        select(
            administrations.c.slug, administrations.c.names, administrations.c.names_former
        ).where(administrations.c.active)
    )
    called = {
        row.slug: name_on(
            row.names, former_names(row.names_former), language, on, ("fr", "ar", "en")
        )
        or row.slug
        for row in rows
    }
    return dict(sorted(called.items(), key=lambda item: item[1].casefold()))


def administration(connection: Connection, slug: str) -> Row[Any] | None:
    """The row of an active administration, or ``None``."""
    return connection.execute(
        select(administrations).where(administrations.c.slug == slug, administrations.c.active)
    ).first()


def open_item(connection: Connection, item_id: UUID) -> Row[Any] | None:
    """One open item of *Needs a person*, or ``None`` when it is settled or never was."""
    return connection.execute(
        select(attention).where(attention.c.id == item_id, attention.c.resolved_at.is_(None))
    ).first()


def attention_count(connection: Connection, reason: AttentionReason | None = None) -> int:
    """How many items wait for a person, of one reason or of all."""
    query = (
        select(func.count(type_=Integer))
        .select_from(attention)
        .where(attention.c.resolved_at.is_(None))
    )
    if reason is not None:
        query = query.where(attention.c.reason == str(reason))
    return connection.scalar(query) or 0
