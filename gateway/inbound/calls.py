# SPDX-License-Identifier: MIT
"""The facts a call asks for: a status by code, and the answer for which we called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import Connection, select

from channels.twilio_account import Form
from channels.voice.ivr import AnswerFacts, CodeReading, StatusFacts
from channels.voice.twilio import WITHHELD
from dispatcher.administration import load_some
from gateway.house import House
from normalizer import tracking_code
from tracker import children, register, throttle
from tracker.database import reading
from tracker.deadlines import answer_due
from tracker.group_commit import StorageUnavailable
from tracker.models import OutboxKind, messages, outbox

#: Wrong codes are counted over all channels in one scope.
SCOPE = "code"
#: Months as they are said in Morocco; another tongue gets the French ones.
LOCALES = {"ar": "ar_MA", "fr": "fr_FR", "en": "en_GB"}


def status(house: House, form: Form, language: str) -> StatusFacts:
    """What the keyed code may tell, spoken in ``language``: status, dates, administration.

    Wrong tries are throttled by caller, and by call where the number is withheld.
    """
    code = tracking_code.read(form.get("Digits")).code
    with reading(house.engine).connect() as connection:
        if not _allowed(house, connection, form.get("From") or form.get("CallSid")):
            return StatusFacts(CodeReading.THROTTLED)
        case = children.find_citizens_case(connection, code) if code else None
        if case is None:
            return StatusFacts(CodeReading.UNKNOWN)
        name = _administration(house, connection, case, language)
    words, tag = house.wording, language or house.country.default_language
    return StatusFacts(
        CodeReading.FOUND,
        status=words.text(tag, f"notices.status_{case.status}"),
        filed_on=_date(house, case.requested_datetime, tag),
        administration=name or words.text(tag, "notices.nobody_yet"),
        expected_on=_date(house, answer_due(case), tag),
    )


def announcement(house: House, entry_id: UUID) -> AnswerFacts | None:
    """How a call of ours begins: in the case's language; ``None`` for an unknown entry."""
    with reading(house.engine).connect() as connection:
        found = _entry(connection, entry_id)
    if found is None:
        return None
    entry, case = found
    return AnswerFacts(
        language=house.wording.answering_language(case.language),
        is_answer=entry.kind == str(OutboxKind.REPLY),
    )


def answer(house: House, entry_id: UUID, form: Form) -> AnswerFacts:
    """The answer, if the code keyed on this call of ours is the case's (design, promise 6)."""
    with reading(house.engine).connect() as connection:
        # On a call of ours the citizen is the one called.
        if not _allowed(house, connection, form.get("To") or form.get("CallSid")):
            return AnswerFacts(CodeReading.THROTTLED)
        found = _entry(connection, entry_id)
        code = tracking_code.read(form.get("Digits")).code
        if found is None or code != found[1].tracking_code:
            return AnswerFacts(CodeReading.UNKNOWN)
    return words_of(house, entry_id)


def words_of(house: House, entry_id: UUID) -> AnswerFacts:
    """The words for which we called. Only after the code was keyed in the same call."""
    with reading(house.engine).connect() as connection:
        found = _entry(connection, entry_id)
        if found is None:
            return AnswerFacts(CodeReading.UNKNOWN)
        entry, case = found
        tag = house.wording.answering_language(case.language)
        name = _administration(house, connection, case, tag)
        message = connection.execute(
            select(messages.c.text, messages.c.language, messages.c.sender).where(
                messages.c.id == entry.message_id
            )
        ).first()
        if message is not None and message.sender:  # one of several may answer
            name = _named(house, connection, [message.sender], tag)
    is_answer = entry.kind == str(OutboxKind.REPLY)
    text, text_language = str(entry.payload.get("text", "")), tag
    if message is not None:
        # There are voices for the languages we answer in; one of those reads Darija.
        text = message.text
        text_language = house.wording.answering_language(message.language or tag)
    if not text:
        text = house.wording.text(
            tag,
            "voice.status",
            date=_date(house, case.requested_datetime, tag),
            status=house.wording.text(tag, f"notices.status_{case.status}"),
            administration=name or house.wording.text(tag, "notices.nobody_yet"),
        )
    return AnswerFacts(
        CodeReading.FOUND,
        text=text,
        text_language=text_language,
        administration=name if is_answer else "",
        is_answer=is_answer,
        language=tag,
    )


def count_wrong_code(house: House, subject: str) -> None:
    """Count one wrong code of ``subject`` (a number, or a CallSid where it is withheld)."""
    digest, now = _digest(house, subject), house.clock()
    try:
        house.writer.run(lambda connection: throttle.record(connection, SCOPE, digest, now))
    except StorageUnavailable:
        return  # the call itself still ends after three tries


def guesser(form: Form) -> str:
    """Who is counted for a wrong code: the citizen's number, or the call where it is withheld."""
    outbound = form.get("Direction").startswith("outbound")
    number = form.get("To" if outbound else "From")
    return form.get("CallSid") if number.lower() in WITHHELD else number


def _allowed(house: House, connection: Connection, subject: str) -> bool:
    limits = house.settings.limits
    return throttle.allowed(
        connection,
        SCOPE,
        _digest(house, subject),
        tries=limits.code_tries,
        window_seconds=limits.code_window_seconds,
        now=house.clock(),
    )


def _digest(house: House, subject: str) -> str:
    return throttle.digest(house.settings.signing_keys[0], subject)


def _entry(connection: Connection, entry_id: UUID) -> tuple[Any, Any] | None:
    entry = connection.execute(select(outbox).where(outbox.c.id == entry_id)).first()
    if entry is None or entry.case_id is None or entry.channel != "voice":
        return None
    case = register.case_by_id(connection, entry.case_id)
    return None if case is None else (entry, case)


def _administration(house: House, connection: Connection, case: Any, language: str) -> str:
    """The name of a case's administration, or of each where there are several."""
    slugs = [case.administration]
    if case.children:
        slugs = [one.administration for one in children.of_parent(connection, case.id)]
    return _named(house, connection, slugs, language)


def _named(house: House, connection: Connection, slugs: Sequence[str | None], language: str) -> str:
    wanted = [slug for slug in slugs if slug]
    found = load_some(connection, wanted, house.today()) if wanted else {}
    names = [found[slug].name(language) for slug in wanted if slug in found]
    return house.wording.text(language, "notices.between").join(names)


def _date(house: House, moment: datetime | None, language: str) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(house.country.timezone))
    locale = LOCALES.get(language.split("-", maxsplit=1)[0], "fr_FR")
    return str(format_date(local, "d MMMM y", locale=locale))
