# SPDX-License-Identifier: MIT
"""What is learnt from: the machine's suggestion for a case, and what people decided about it.

A decision is *confirmed* when people have spoken: one that they made themselves (triage, transfer,
correction), one of the machine that its administration answered without giving the case up, or one
that a blind check agreed with. The latest word about a case counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tracker.identity import new_id
from tracker.models import (
    LabelKind,
    attachments,
    cases,
    messages,
    routing_labels,
    suggestions,
)

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: Between the labels of which each is right.
EITHER = "|"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the machine made of a text.

    Attributes:
        words: the text that it read.
        language: BCP 47 tag.
        candidates: (slug, score), the best first.
        first: the classifier's own first label, or ``""``.
        margin: its first score minus the second.
        model: the model's version, or ``""`` when rules alone spoke.
        rule: key of the rule that spoke loudest, or ``""``.
        administration: whom it chose, or ``None``.
    """

    words: str
    language: str
    candidates: Sequence[tuple[str, float]]
    first: str = ""
    margin: float = 0.0
    model: str = ""
    rule: str = ""
    administration: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The latest word of people about a case, with what the machine had said.

    Attributes:
        case_id: the case.
        text: its words; recordings by their transcripts.
        language: BCP 47 tag of the case.
        labels: right ones.
        kind: how a person came to say it.
        at: when.
        reference: its tracking code, by which a clerk finds it.
        candidates: slugs suggested, the best first; empty where nothing was.
        first: the classifier's own first label, or ``""``.
        margin: its margin.
        model: the version that suggested.
        rule: key of the rule that spoke loudest, or ``""``.
        automatic: whether the machine had decided alone.
        spoken: BCP 47 tag that the machine read the text in, or ``""``.
    """

    case_id: UUID
    text: str
    language: str
    labels: tuple[str, ...]
    kind: LabelKind
    at: datetime
    reference: str
    candidates: tuple[str, ...] = ()
    first: str = ""
    margin: float = 0.0
    model: str = ""
    rule: str = ""
    automatic: bool = False
    spoken: str = ""


def digest(words: str) -> str:
    """SHA-256 of a text without blanks around, in hexadecimal."""
    return hashlib.sha256(words.strip().encode()).hexdigest()


def suggest(
    connection: Connection, case_id: UUID, suggestion: Suggestion, *, now: datetime
) -> UUID:
    """Keep what the machine made of a case's text; return the id of the row."""
    suggestion_id = new_id()
    connection.execute(
        suggestions.insert().values(
            id=suggestion_id,
            case_id=case_id,
            text_digest=digest(suggestion.words),
            language=suggestion.language[:16],
            candidates=[
                {"administration": slug, "score": round(score, 4)}
                for slug, score in suggestion.candidates
            ],
            first=suggestion.first,
            margin=suggestion.margin,
            model=suggestion.model,
            rule=suggestion.rule,
            administration=suggestion.administration,
            suggested_at=now,
        )
    )
    return suggestion_id


def words_of(connection: Connection, case: Row[Any]) -> str:
    """The words of a case (a row of ``cases``) as they are routed and learnt."""
    heard = () if case.description.strip() else _transcripts(connection, [case.id]).get(case.id, ())
    return _joined(case.subject, case.description, *heard)


def suggestion_of(connection: Connection, case_id: UUID) -> Row[Any] | None:
    """The latest suggestion for a case, or ``None``."""
    return connection.execute(
        select(suggestions)
        .where(suggestions.c.case_id == case_id)
        .order_by(suggestions.c.suggested_at.desc(), suggestions.c.id.desc())
        .limit(1)
    ).first()


def learn(
    connection: Connection,
    case: Row[Any],
    label: str,
    kind: LabelKind,
    *,
    by: str,
    now: datetime,
    previous: str | None = None,
) -> None:
    """Keep a person's word about where a case belongs.

    The parts of a case of several administrations teach nothing: their text is that of the whole.

    Args:
        connection: inside the transaction of the decision.
        case: the case's row.
        label: a slug, several joined by ``|``, or ``person:…``.
        kind: how the person came to say it.
        by: who.
        now: the present time.
        previous: the slug of the administration that had the case until now.
    """
    if case.parent_case is not None:
        return
    known = suggestion_of(connection, case.id)
    connection.execute(
        routing_labels.insert().values(
            id=new_id(),
            case_id=case.id,
            suggestion_id=known.id if known is not None else None,
            kind=str(kind),
            label=label,
            previous=previous,
            text_digest=known.text_digest
            if known is not None
            else digest(f"{case.subject}\n{case.description}"),
            model=known.model if known is not None else "",
            automatic=known is not None and known.administration is not None,
            decided_by=by,
            decided_at=now,
        )
    )


def answered(connection: Connection, case: Row[Any], *, by: str, now: datetime) -> None:
    """Note that an administration answered what the machine had sent it: a confirmed decision.

    Nothing is noted where people chose the administration, or have said anything else about the
    case: their word stands.
    """
    if case.administration is None or case.parent_case is not None:
        return
    known = suggestion_of(connection, case.id)
    if known is None or known.administration != case.administration:
        return
    said = select(routing_labels.c.id).where(routing_labels.c.case_id == case.id).limit(1)
    if connection.scalar(said) is None:
        learn(connection, case, case.administration, LabelKind.CONFIRMATION, by=by, now=now)


def anything(connection: Connection) -> bool:
    """Whether people have decided anything yet."""
    return connection.scalar(select(routing_labels.c.id).limit(1)) is not None


def confirmed(
    connection: Connection, *, latest: int | None = None, since: datetime | None = None
) -> list[Confirmed]:
    """The confirmed decisions, the oldest first; cases without any words are left out.

    So is a case that went into another one: what people decide about that one holds for both, and
    the same complaint sent twice would count twice.

    Args:
        connection: any.
        latest: at most so many, the latest.
        since: only those decided after this time.
    """
    ranked = (
        select(
            routing_labels,
            func.row_number()
            .over(
                partition_by=routing_labels.c.case_id,
                order_by=(routing_labels.c.decided_at.desc(), routing_labels.c.id.desc()),
            )
            .label("place"),
        )
    ).subquery()
    query = (
        select(
            ranked,
            cases.c.tracking_code,
            cases.c.subject,
            cases.c.description,
            cases.c.language,
            suggestions.c.candidates,
            suggestions.c.first,
            suggestions.c.margin,
            suggestions.c.rule,
            suggestions.c.language.label("spoken"),
        )
        .join(cases, cases.c.id == ranked.c.case_id)
        .outerjoin(suggestions, suggestions.c.id == ranked.c.suggestion_id)
        .where(ranked.c.place == 1, cases.c.merged_into.is_(None))
        .order_by(ranked.c.decided_at.desc(), ranked.c.id.desc())
    )
    if since is not None:
        query = query.where(ranked.c.decided_at > since)
    if latest is not None:
        query = query.limit(latest)
    rows = connection.execute(query).all()
    heard = _transcripts(connection, [row.case_id for row in rows if not row.description.strip()])
    found = [_confirmed(row, heard.get(row.case_id, ())) for row in reversed(rows)]
    return [one for one in found if one.text]


def _confirmed(row: Row[Any], heard: Sequence[str]) -> Confirmed:
    return Confirmed(
        case_id=row.case_id,
        text=_joined(row.subject, row.description, *heard),
        language=row.language,
        labels=tuple(row.label.split(EITHER)),
        kind=LabelKind(row.kind),
        at=row.decided_at,
        reference=row.tracking_code,
        candidates=tuple(one["administration"] for one in row.candidates or ()),
        first=row.first or "",
        margin=row.margin or 0.0,
        model=row.model,
        rule=row.rule or "",
        automatic=row.automatic,
        spoken=row.spoken or "",
    )


def _joined(*parts: str) -> str:
    return "\n".join(part.strip() for part in parts if part.strip())


def _transcripts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """What was heard in the recordings of cases, by case, in the order in which it was said."""
    heard: dict[UUID, list[str]] = {}
    for some in _pages(ids):
        for row in connection.execute(
            select(messages.c.case_id, attachments.c.transcript)
            .join(messages, messages.c.id == attachments.c.message_id)
            .where(messages.c.case_id.in_(some), attachments.c.transcript != "")
            .order_by(messages.c.date, attachments.c.position)
        ):
            heard.setdefault(row.case_id, []).append(row.transcript)
    return heard


def _pages(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]
