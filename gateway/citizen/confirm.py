# SPDX-License-Identifier: MIT
"""A contact typed into a form is confirmed by the link that was sent to it.

GET only asks: mail scanners open every link. POST confirms. The page shows no word of the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.citizen.frame import known, page
from gateway.citizen.signing import read_contact_token
from gateway.house import current_house
from tracker.database import reading
from tracker.models import EventType, cases
from tracker.register import add_event, case_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response
    from sqlalchemy import Connection

    from gateway.citizen.signing import Confirmation


def ask(lang: str, token: str) -> Response:
    """GET /<lang>/confirm/<token>."""
    language = known(lang)
    claim = _claim(token)
    if claim is None:
        return _expired(language)
    with reading(current_house().engine).connect() as connection:
        case = case_by_id(connection, claim.case_id)
    if case is None or not claim.fits(case.contact_value):
        return _expired(language)
    return page("citizen/confirm.html", language, private=True, done=case.contact_confirmed)


def confirm(lang: str, token: str) -> Response:
    """POST /<lang>/confirm/<token>."""
    language = known(lang)
    claim = _claim(token)
    house = current_house()
    now = house.clock()
    # The writer's thread knows no request: what it needs is handed over.
    if claim is None or not house.writer.run(lambda c: _confirm(c, claim, now)):
        return _expired(language)
    return page("citizen/confirm.html", language, private=True, done=True)


def _claim(token: str) -> Confirmation | None:
    house = current_house()
    return read_contact_token(house.settings.signing_keys, token, house.clock())


def _confirm(connection: Connection, claim: Confirmation, now: datetime) -> bool:
    """Mark the contact, once; ``False`` when the case has another contact by now."""
    case = case_by_id(connection, claim.case_id)
    if case is None or not claim.fits(case.contact_value):
        return False
    if case.contact_confirmed:
        return True
    connection.execute(
        cases.update().where(cases.c.id == case.id).values(contact_confirmed=True, updated_at=now)
    )
    add_event(connection, case.id, EventType.CONTACT_CONFIRMED, {}, source="/citizen", at=now)
    return True


def _expired(language: str) -> Response:
    return page("citizen/confirm_expired.html", language, 404, private=True, alternates=[])
