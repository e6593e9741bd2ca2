# SPDX-License-Identifier: MIT
"""Where a case stands. The code tells status, dates and administration; words need the PIN as well.

Codes come by POST only, as URLs are kept in logs and histories. For a code with a PIN, "no such
code" and "wrong PIN" are one answer. Wrong tries pause the network they come from, gently (one
address may hide a whole city), and sooner for one case from one network.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from sqlalchemy import and_, or_, select
from werkzeug.exceptions import TooManyRequests

from gateway.citizen.frame import Dates, administration_name, country, known, page, say
from gateway.citizen.recordings import link
from gateway.house import current_house
from normalizer import tracking_code
from normalizer.text import ascii_digits
from tracker import children
from tracker.database import reading
from tracker.deadlines import answer_due
from tracker.models import (
    Author,
    CaseStatus,
    Direction,
    EventType,
    attachments,
    case_events,
    messages,
)
from tracker.throttle import allowed, digest, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Response
    from sqlalchemy import Connection, Row

#: A network may try this many times what one sender may: many people share one address.
NETWORK_FACTOR = 10
_NETWORK, _PIN = "track-network", "track-pin"
_NO_PIN = "······"
#: What a citizen is told of each status: a word of ``pages.status`` and the tone of its badge.
STATUS = {
    CaseStatus.RECEIVED: ("received", "blue"),
    CaseStatus.TRIAGE: ("received", "blue"),
    CaseStatus.REFERRED: ("with_administration", "blue"),
    CaseStatus.IN_PROGRESS: ("with_administration", "blue"),
    CaseStatus.WAITING_FOR_CITIZEN: ("waiting", "amber"),
    CaseStatus.ANSWERED: ("answered", "green"),
    CaseStatus.CLOSED: ("closed", ""),
    CaseStatus.OUT_OF_COMPETENCE: ("out_of_competence", "amber"),
    CaseStatus.WITHDRAWN: ("withdrawn", ""),
}
#: Events of the timeline; the first kind alone is told for the code without the PIN.
_STEPS = tuple(
    map(
        str,
        (EventType.STATUS_CHANGED, EventType.TRANSFERRED, EventType.DIVIDED, EventType.ROUTED),
    )
)
_TOLD_BY_NAME = frozenset({"received", "with_administration"})
_DECIDED = (str(EventType.TRANSFERRED), str(EventType.ROUTED))
_SETTLED = frozenset({"answered", "closed", "out_of_competence", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, and by whom it counts."""

    code_typed: str
    code: str | None
    slip: bool
    pin: str
    network: str
    subject: str


def empty_form(lang: str) -> Response:
    """GET /<lang>/track."""
    return page("citizen/track.html", known(lang), errors={}, code="")


def look_up(lang: str) -> Response:
    """POST /<lang>/track."""
    language = known(lang)
    asked = _asked()
    if not asked.code_typed:
        return _again(language, asked, 422, code="missing")
    if asked.code is None:
        # A slip of the finger is told as such and counts for nothing: it can hit no case.
        return _again(language, asked, 422, code="slip" if asked.slip else "unreadable")
    house = current_house()
    with reading(house.engine).connect() as connection:
        if not _may_try(connection, asked):
            raise TooManyRequests(retry_after=house.settings.limits.code_window_seconds)
        case = children.find_citizens_case(connection, asked.code)
        proven = _proven(case, asked.pin)
        if case is not None and (proven or not asked.pin):
            return _show(connection, language, case, proven=proven)
    _count(asked)
    if asked.pin:
        return _again(language, asked, 404, pin="wrong")
    return _again(language, asked, 404, code="unknown")


def _asked() -> Asked:
    settings = current_house().settings
    typed = request.form.get("code", "").strip()[:100]
    found = tracking_code.read(typed)
    pin = "".join(c for c in ascii_digits(request.form.get("pin", "")) if c.isalnum())[:20]
    key = settings.signing_keys[0] if settings.signing_keys else ""
    address = _network_of(request.remote_addr or "")
    subject = digest(key, f"{address}|{found.code}")
    return Asked(typed, found.code, found.slip, pin, digest(key, address), subject)


def _network_of(address: str) -> str:
    """What counts as one: an IPv4 address, or the /64 that one IPv6 customer is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _may_try(connection: Connection, asked: Asked) -> bool:
    limits, now = current_house().settings.limits, current_house().clock()
    window = limits.code_window_seconds
    by_network = allowed(
        connection,
        _NETWORK,
        asked.network,
        tries=limits.code_tries * NETWORK_FACTOR,
        window_seconds=window,
        now=now,
    )
    by_case = not asked.pin or allowed(
        connection, _PIN, asked.subject, tries=limits.code_tries, window_seconds=window, now=now
    )
    return by_network and by_case


def _count(asked: Asked) -> None:
    house = current_house()
    now = house.clock()

    def note(connection: Connection) -> None:
        record(connection, _NETWORK, asked.network, now)
        if asked.pin:
            record(connection, _PIN, asked.subject, now)

    house.writer.run(note)


def _proven(case: Row[Any] | None, pin: str) -> bool:
    """Compare in the same time whether or not there is such a case."""
    right = case.pin if case is not None else _NO_PIN
    same = secrets.compare_digest(right.encode(), pin.encode())
    return same and case is not None


def _again(language: str, asked: Asked, status: int, **errors: str) -> Response:
    return page(
        "citizen/track.html",
        language,
        status,
        private=True,
        errors=errors,
        code=asked.code_typed,
    )


def _show(connection: Connection, language: str, case: Row[Any], *, proven: bool) -> Response:
    word, tone = STATUS[CaseStatus(case.status)]
    profile = country()
    return page(
        "citizen/case.html",
        language,
        private=True,
        alternates=[],
        code=case.tracking_code,
        status=word,
        tone=tone,
        case=case,
        due=answer_due(case),
        administration=administration_name(connection, case.administration, language),
        parts=_parts(connection, case, language),
        elsewhere=_elsewhere(connection, case, language) if proven else "",
        timeline=_timeline(connection, case, language, proven=proven),
        proven=proven,
        thread=_thread(connection, case, language) if proven else [],
        settled=word in _SETTLED,
        recourse=profile.next_recourse.get(language, ""),
    )


def _parts(connection: Connection, case: Row[Any], language: str) -> list[dict[str, str]]:
    """What each administration of a case of several has done: name, word and tone."""
    if not case.children:
        return []
    return [
        {
            "name": administration_name(connection, child.administration, language)
            or say(language, "pages.case.nobody_yet"),
            "word": STATUS[CaseStatus(child.status)][0],
            "tone": STATUS[CaseStatus(child.status)][1],
        }
        for child in children.of_parent(connection, case.id)
    ]


def _elsewhere(connection: Connection, case: Row[Any], language: str) -> str:
    """Where else to turn, when a person has said so."""
    if case.status != str(CaseStatus.OUT_OF_COMPETENCE):
        return ""
    data: Any = connection.scalar(
        select(case_events.c.data)
        .where(
            case_events.c.case_id == case.id,
            case_events.c.type == str(EventType.DIRECTED_ELSEWHERE),
        )
        .order_by(case_events.c.time.desc())
        .limit(1)
    )
    return say(language, f"pages.elsewhere.{data['kind']}") if data else ""


def _timeline(
    connection: Connection, case: Row[Any], language: str, *, proven: bool
) -> list[dict[str, Any]]:
    """What happened, by day, in the citizen's words; then what is still to come.

    Which administration gave a case up, and to whom it went, is told to who has the PIN.
    """
    dates = Dates(language, country())

    def step(
        word: str, at: datetime | None, *, todo: bool = False, **named: object
    ) -> dict[str, Any]:
        return {
            "text": say(language, f"pages.step.{word}", **named),
            "when": dates.day(at),
            "iso": at.date().isoformat() if at else "",
            "todo": todo,
        }

    steps = [step("received", case.requested_datetime)]
    last = "received"
    kept = case_events.c.case_id == case.id
    if not proven:
        kept = and_(kept, case_events.c.type == _STEPS[0])
    elif case.children:
        parts = [child.id for child in children.of_parent(connection, case.id)]
        kept = or_(kept, and_(case_events.c.case_id.in_(parts), case_events.c.type.in_(_DECIDED)))
    moves = connection.execute(
        select(case_events.c.time, case_events.c.type, case_events.c.data)
        .where(kept, case_events.c.type.in_(_STEPS))
        .order_by(case_events.c.time, case_events.c.id),
    ).all()
    divided = {move.time for move in moves if move.type == str(EventType.DIVIDED)}
    named = {move.time for move in moves if move.type in (*_DECIDED, str(EventType.DIVIDED))}
    for move in moves:
        if move.type == str(EventType.ROUTED) and move.time in divided:
            continue  # told together
        if move.type != str(EventType.STATUS_CHANGED):
            steps += _decided(connection, move, language, step)
            continue
        word = STATUS.get(move.data.get("to"), ("", ""))[0]
        if word and word != last:
            last = word
            if proven and move.time in named and word in _TOLD_BY_NAME:
                continue  # the step beside it says the same, with the name
            steps.append(step("sought" if word == "received" else word, move.time))
    due = answer_due(case)
    if last not in _SETTLED and due is not None:
        steps.append(step("expected", due, todo=True))
    return steps


def _decided(
    connection: Connection, event: Any, language: str, step: Callable[..., dict[str, Any]]
) -> list[dict[str, Any]]:
    """One step that people decided, in plain words."""

    def name(slug: str) -> str:
        return administration_name(connection, slug, language)

    data = event.data
    if event.type == str(EventType.DIVIDED):
        names = say(language, "pages.separator") + " "
        named = names.join(name(slug) for slug in data["administrations"])
        return [step("divided", event.time, administrations=named)]
    if event.type == str(EventType.TRANSFERRED):
        return [step("given_up", event.time, administration=name(data["from"]))]
    slug = data.get("administration")
    return [step("handed_to", event.time, administration=name(slug))] if slug else []


def _thread(connection: Connection, case: Row[Any], language: str) -> list[dict[str, Any]]:
    """What the citizen and the administration wrote to each other; no inner notes."""
    dates = Dates(language, country())
    rows = connection.execute(
        select(messages)
        .where(
            messages.c.case_id == case.id,
            messages.c.direction != str(Direction.INTERNAL),
            messages.c.author != str(Author.SYSTEM),
        )
        .order_by(messages.c.date, messages.c.id),
    ).all()
    names = {
        row.sender: administration_name(connection, row.sender or None, language) for row in rows
    }
    files: dict[Any, list[str]] = {}
    recordings: dict[Any, list[str]] = {}
    house = current_house()
    for file in connection.execute(
        select(
            attachments.c.id,
            attachments.c.message_id,
            attachments.c.filename,
            attachments.c.transcript_state,
            attachments.c.sha256,
        )
        .where(attachments.c.message_id.in_([row.id for row in rows]))
        .order_by(attachments.c.position),
    ):
        if file.transcript_state and file.sha256:  # plays there and needs no name
            address = link(house.settings.signing_keys, language, file.id, house.clock())
            recordings.setdefault(file.message_id, []).append(address)
        else:
            files.setdefault(file.message_id, []).append(file.filename)
    return [
        {
            "author": row.author,
            "by": names[row.sender] if row.author == str(Author.ADMINISTRATION) else "",
            "subject": row.subject,
            "text": row.text,
            "language": row.language,
            "when": dates.moment(row.date),
            "iso": row.date.isoformat(),
            "files": files.get(row.id, []),
            "recordings": recordings.get(row.id, []),
        }
        for row in rows
    ]
