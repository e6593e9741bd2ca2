# SPDX-License-Identifier: MIT
"""The facts a call asks for: a status by code, and who is counted for wrong ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import Connection

from channels.twilio_account import Form
from channels.voice.clips import spoken_administration, spoken_date, spoken_status
from channels.voice.dialogue import CodeReading, StatusFacts
from channels.voice.twilio import WITHHELD
from dispatcher.administration import load_all
from gateway.house import House
from normalizer import tracking_code
from tracker import register, throttle
from tracker.database import reading

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
        case = register.find_case(connection, code) if code else None
        if case is None:
            return StatusFacts(CodeReading.UNKNOWN)
        name = administration_of(connection, case, language)
    words, tag = house.wording, language or house.country.default_language
    return StatusFacts(
        CodeReading.FOUND,
        status=spoken_status(words.text(tag, f"notices.status_{case.status}"), case.status),
        filed_on=date_of(house, case.requested_datetime, tag),
        administration=spoken_administration(
            name or words.text(tag, "notices.nobody_yet"), case.administration if name else ""
        ),
        expected_on=date_of(house, case.expected_datetime, tag),
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


def administration_of(connection: Connection, case: Any, language: str) -> str:
    """The name of a case's administration, or ``""``."""
    if not case.administration:
        return ""
    found = load_all(connection).get(case.administration)
    return found.name(language) if found else ""


def date_of(house: House, moment: datetime | None, language: str) -> str:
    """A day as it is said, or ``""``."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(house.country.timezone))
    locale = LOCALES.get(language.split("-", maxsplit=1)[0], "fr_FR")
    return spoken_date(str(format_date(local, "d MMMM y", locale=locale)), local.date())
