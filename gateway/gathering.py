# SPDX-License-Identifier: MIT
"""What a batch of the relay needs to know, read with one statement a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from dispatcher.administration import load_some
from dispatcher.work import Work
from tracker import enclosures, mail_thread
from tracker.enclosures import Enclosures
from tracker.mail_thread import MailThread
from tracker.models import cases, decisions, messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from dispatcher.administration import Administration


def gather(
    connection: Connection, entries: Sequence[Row[Any]], *, today: date, most_bytes: int
) -> list[Work]:
    """Put each claimed entry together with its case, message, administration and files.

    Args:
        connection: reads only.
        entries: rows of the outbox.
        today: the day whose names administrations bear.
        most_bytes: size of all files that go along with one mail.
    """
    case_ids = {entry.case_id for entry in entries if entry.case_id}
    message_ids = {entry.message_id for entry in entries if entry.message_id}
    found: dict[UUID, Row[Any]] = {
        row.id: row for row in connection.execute(select(cases).where(cases.c.id.in_(case_ids)))
    }
    said: dict[UUID, Row[Any]] = {}
    if message_ids:
        said = {
            row.id: row
            for row in connection.execute(select(messages).where(messages.c.id.in_(message_ids)))
        }
    enclosed = enclosures.of_messages(
        connection,
        {
            entry.message_id
            for entry in entries
            if entry.message_id and entry.kind == "reply" and entry.channel == "email"
        },
        most_bytes,
    )
    threads = mail_thread.of_cases(
        connection,
        {
            entry.case_id
            for entry in entries
            if entry.case_id and entry.recipient_scheme == "mailto" and entry.kind != "route"
        },
    )
    parts: dict[UUID, list[Row[Any]]] = {}
    if parents := [case.id for case in found.values() if case.children]:
        query = select(cases).where(cases.c.parent_case.in_(parents)).order_by(cases.c.id)
        for child in connection.execute(query):
            parts.setdefault(child.parent_case, []).append(child)
    slugs = {one.recipient for one in entries if one.recipient_scheme == "administration"}
    concerned = (*found.values(), *(child for some in parts.values() for child in some))
    slugs |= {case.administration for case in concerned if case.administration}
    slugs |= {one.payload["administration"] for one in entries if "administration" in one.payload}
    slugs |= {one.sender for one in said.values() if _speaks(one)}
    register: Mapping[str, Administration] = load_some(connection, slugs, today)
    reasons: dict[UUID, Sequence[str]] = {}
    if any(entry.kind == "refer" for entry in entries):
        for row in connection.execute(
            select(decisions.c.case_id, decisions.c.reasons)
            .where(decisions.c.case_id.in_(case_ids))
            .order_by(decisions.c.decided_at),
        ):
            reasons[row.case_id] = row.reasons
    works = []
    for entry in entries:
        case = found.get(entry.case_id)
        told = entry.recipient_scheme == "administration"
        slug = entry.recipient if told else (case and case.administration)
        message = said.get(entry.message_id)
        if message is not None and _speaks(message):  # one of several may answer
            slug = message.sender
        slug = entry.payload.get("administration", slug)
        works.append(
            Work(
                entry,
                case,
                message,
                register.get(slug or ""),
                reasons.get(entry.case_id, ()),
                thread=threads.get(entry.case_id, MailThread()),
                enclosures=enclosed.get(entry.message_id, Enclosures()),
                parts=[
                    (register.get(child.administration or ""), child.status)
                    for child in parts.get(entry.case_id, ())
                ],
            )
        )
    return works


def _speaks(message: Row[Any]) -> bool:
    """Whether a message is an administration's own words; then its sender is the slug."""
    return message.author == "administration" and bool(message.sender)
