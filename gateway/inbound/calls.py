# SPDX-License-Identifier: MIT
"""The facts a call asks for: a status by code, and who is counted for wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import Connection

from channels.twilio_account import Form
from channels.voice.clips import spoken_administration, spoken_date, spoken_status
from channels.voice.dialogue import CodeReading, Spoken, StatusFacts
from channels.voice.twilio import WITHHELD
from config.wording import ANSWERED_IN
from dispatcher.administration import load_some
from gateway.house import House
from normalizer import tracking_code
from tracker import children, throttle
from tracker.database import reading
from tracker.deadlines import answer_due
from tracker.status import SETTLED

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
        if not allowed(house, connection, guesser(form)):
            return StatusFacts(CodeReading.THROTTLED)
        case = children.find_citizens_case(connection, code) if code else None
        if case is None:
            return StatusFacts(CodeReading.UNKNOWN)
        name = administration_of(house, connection, case, language)
    words, tag = house.wording, language or house.country.default_language
    return StatusFacts(
        CodeReading.FOUND,
        status=spoken_status(words.text(tag, f"notices.status_{case.status}"), case.status),
        filed_on=date_of(house, case.requested_datetime, tag),
        administration=spoken_administration(
            name or words.text(tag, "notices.nobody_yet"), slug_of(case) if name else ""
        ),
        expected_on="" if case.status in SETTLED else date_of(house, answer_due(case), tag),
    )


def guesser(form: Form) -> str:
    """Who is counted for a wrong code: the citizen's number, or the call where it is withheld."""
    outbound = form.get("Direction").startswith("outbound")
    number = form.get("To" if outbound else "From")
    return form.get("CallSid") if number.lower() in WITHHELD else number


def allowed(house: House, connection: Connection, subject: str, scope: str = SCOPE) -> bool:
    """Whether ``subject`` may try once more."""
    limits = house.settings.limits
    return throttle.allowed(
        connection,
        scope,
        digest_of(house, subject),
        tries=limits.code_tries,
        window_seconds=limits.code_window_seconds,
        now=house.clock(),
    )


def digest_of(house: House, subject: str) -> str:
    """What stands for a number, a call or a case where tries are counted."""
    return throttle.digest(house.settings.signing_keys[0], subject)


def slug_of(case: Any) -> str:
    """What a clip may be named after: the one administration of a case, or ``""``."""
    return "several" if case.children else str(case.administration or "")


def administration_of(house: House, connection: Connection, case: Any, language: str) -> str:
    """The name of a case's administration, of each where there are several, or ``""``."""
    slugs = [case.administration]
    if case.children:
        slugs = [one.administration for one in children.of_parent(connection, case.id)]
    return named(house, connection, slugs, language)


def named(house: House, connection: Connection, slugs: Sequence[str | None], language: str) -> str:
    """The names of administrations, one after the other, as ``language``'s voice says them."""
    language = ANSWERED_IN.get(language, language)
    wanted = [slug for slug in slugs if slug]
    found = load_some(connection, wanted, house.today()) if wanted else {}
    names = [found[slug].name(language) for slug in wanted if slug in found]
    return house.wording.text(language, "notices.between").join(names)


def date_of(house: House, moment: datetime | None, language: str) -> str:
    """A day as it is said, or ``""``."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(house.country.timezone))
    return day_said(local.date(), language)


def day_said(day: date, language: str) -> Spoken:
    """A day as the voice says it that speaks ``language``, or stands in for it."""
    spoken = ANSWERED_IN.get(language, language).split("-", maxsplit=1)[0]
    text = str(format_date(day, "d MMMM y", locale=LOCALES.get(spoken, "fr_FR")))
    if spoken == "fr" and day.day == 1:
        text = text.replace("1", "1er", 1)
    return spoken_date(text, day)
