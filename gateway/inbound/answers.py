# SPDX-License-Identifier: MIT
"""The answer by telephone: on a call of ours after the code, on the citizen's after code and PIN.

On the citizen's call the code is keyed first and looked up at once, but what came of it travels on
as the id of its case, or as another id where there is none: codes stand in no URL, and "no such
code", "wrong PIN" and "not yours" are one answer.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from channels.twilio_account import Form
from channels.voice.clips import spoken_administration
from channels.voice.dialogue import AnswerFacts, CodeReading, Keyed
from dispatcher.work import UNTOLD
from gateway.house import House
from gateway.inbound.calls import (
    SCOPE,
    administration_of,
    allowed,
    date_of,
    digest_of,
    guesser,
    named,
    slug_of,
)
from normalizer import tracking_code
from normalizer.phone import dialled
from tracker import children, register, throttle
from tracker.database import reading
from tracker.group_commit import StorageUnavailable
from tracker.identity import new_id
from tracker.models import Author, Direction, OutboxKind, messages, outbox

#: Wrong PINs of one case, by whomever they are tried.
PIN_SCOPE = "call-pin"
_NO_PIN = "······"


def keyed(house: House, form: Form) -> Keyed:
    """Look a keyed code up, and tell nobody whether it is known."""
    code = tracking_code.read(form.get("Digits")).code
    with reading(house.engine).connect() as connection:
        if not allowed(house, connection, guesser(form)):
            return Keyed("", throttled=True)
        case = children.find_citizens_case(connection, code) if code else None
    return Keyed(str(case.id if case is not None else new_id()))


def own(house: House, case_id: UUID, form: Form, language: str) -> AnswerFacts:
    """The answer of a case, if the PIN keyed is its own (design, promise 6)."""
    with reading(house.engine).connect() as connection:
        if not (
            allowed(house, connection, guesser(form))
            and allowed(house, connection, str(case_id), PIN_SCOPE)
        ):
            return AnswerFacts(CodeReading.THROTTLED)
        case = register.case_by_id(connection, case_id)
        right = case.pin if case is not None and case.pin else _NO_PIN
        same = secrets.compare_digest(right.encode(), form.get("Digits").encode())
    if case is None or not same:
        return AnswerFacts(CodeReading.UNKNOWN)
    return own_words(house, case_id, language)


def own_words(house: House, case_id: UUID, language: str) -> AnswerFacts:
    """The newest answer of an administration. Only after code and PIN in the same call."""
    with reading(house.engine).connect() as connection:
        case = register.case_by_id(connection, case_id)
        if case is None:
            return AnswerFacts(CodeReading.UNKNOWN)
        case = register.standing(connection, case)
        name = administration_of(house, connection, case, language)
        message = connection.execute(
            select(messages.c.text, messages.c.language, messages.c.sender)
            .where(
                messages.c.case_id == case.id,
                messages.c.author == str(Author.ADMINISTRATION),
                messages.c.direction == str(Direction.OUTBOUND),
            )
            .order_by(messages.c.date.desc(), messages.c.id.desc())
            .limit(1)
        ).first()
        slug = slug_of(case)
        if message is not None and message.sender:  # one of several may answer
            slug, name = message.sender, named(house, connection, [message.sender], language)
    return AnswerFacts(
        CodeReading.FOUND,
        text=message.text if message is not None else "",
        text_language=_voice_of(house, message.language if message is not None else "", language),
        administration=spoken_administration(name, slug) if name else "",
        language=language,
    )


def count_wrong(house: House, form: Form, case_id: str) -> None:
    """Count one wrong code, and a wrong PIN of ``case_id`` too."""
    subject, now = digest_of(house, guesser(form)), house.clock()
    outbound = form.get("Direction").startswith("outbound")

    def note(connection: Connection) -> None:
        throttle.record(connection, SCOPE, subject, now)
        if case_id and not outbound:
            throttle.record(connection, PIN_SCOPE, digest_of(house, case_id), now)

    try:
        house.writer.run(note)
    except StorageUnavailable:
        return  # the call itself still ends after three tries


def announcement(house: House, entry_id: UUID) -> AnswerFacts | None:
    """How a call of ours begins: in the case's language; ``None`` for an unknown entry."""
    with reading(house.engine).connect() as connection:
        found = _entry(connection, entry_id)
    if found is None:
        return None
    entry, case = found
    twilio, smpp, region = house.settings.twilio, house.settings.smpp, house.country.region
    return AnswerFacts(
        language=house.wording.answering_language(case.language),
        is_answer=entry.kind == str(OutboxKind.REPLY),
        number=dialled(twilio.voice_number or twilio.number, region),
        text_number=dialled(smpp.number if smpp.host else twilio.number, region),
        untold_code=case.tracking_code if entry.payload.get(UNTOLD) else "",
    )


def answer(house: House, entry_id: UUID, form: Form) -> AnswerFacts:
    """The answer, if the code keyed on this call of ours is the case's (design, promise 6)."""
    with reading(house.engine).connect() as connection:
        if not allowed(house, connection, guesser(form)):
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
        name = administration_of(house, connection, case, tag)
        message = connection.execute(
            select(messages.c.text, messages.c.language, messages.c.sender).where(
                messages.c.id == entry.message_id
            )
        ).first()
        slug = slug_of(case)
        if message is not None and message.sender:  # one of several may answer
            slug, name = message.sender, named(house, connection, [message.sender], tag)
    is_answer = entry.kind == str(OutboxKind.REPLY)
    text, text_language = str(entry.payload.get("text", "")), tag
    if message is not None:
        text, text_language = message.text, _voice_of(house, message.language, tag)
    if not text:
        text = house.wording.text(
            tag,
            "voice.status",
            date=date_of(house, case.requested_datetime, tag),
            status=house.wording.text(tag, f"notices.status_{case.status}"),
            administration=name or house.wording.text(tag, "notices.nobody_yet"),
        )
    return AnswerFacts(
        CodeReading.FOUND,
        text=text,
        text_language=text_language,
        administration=spoken_administration(name, slug) if is_answer and name else "",
        is_answer=is_answer,
        language=tag,
    )


def _voice_of(house: House, language: str, otherwise: str) -> str:
    """A language with a voice: there are voices for those we answer in; one reads Darija too."""
    return house.wording.answering_language(language or otherwise)


def _entry(connection: Connection, entry_id: UUID) -> tuple[Any, Any] | None:
    entry = connection.execute(select(outbox).where(outbox.c.id == entry_id)).first()
    if entry is None or entry.case_id is None or entry.channel != "voice":
        return None
    case = register.case_by_id(connection, entry.case_id)
    return None if case is None else (entry, case)
