# SPDX-License-Identifier: MIT
"""The form and its confirmation page.

The hidden nonce is made once for each empty form. It is the delivery's idempotency key, so that a
form posted twice is one case with one code; being signed, it also proves that the form is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from channels.channel import Accepted, Delivery, TryLater
from channels.message import ChannelName
from channels.web.form import KINDS, Limits
from gateway.citizen import posted
from gateway.citizen.frame import country, known, page
from gateway.citizen.signing import new_nonce, read_nonce
from gateway.danger import DANGER
from gateway.house import current_house
from tracker.database import reading
from tracker.register import find_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from channels.channel import Acknowledgement
    from channels.message import InboundMessage

#: Seconds after which a person may try again.
RETRY_AFTER = "30"
MEGABYTE = 1_000_000


def empty_form(lang: str) -> Response:
    """GET /<lang>/complain."""
    return _form(known(lang), 200)


def post_form(lang: str) -> Response:
    """POST /<lang>/complain: the bytes as they came, then what was typed, then the house."""
    house, language = current_house(), known(lang)
    now = house.clock()
    # Read before anything parses it: the raw bytes are what is kept.
    body = request.get_data(cache=True)
    content_type = request.headers.get("Content-Type", "")
    fields, files = posted.parse(body, content_type)
    nonce = read_nonce(house.settings.signing_keys, fields.get("nonce", ""), now)
    delivery = Delivery(
        channel=ChannelName.WEB,
        idempotency_key=f"{posted.KEY_PREFIX}{nonce}",
        received_at=now,
        peer=request.remote_addr or "",
        headers={"Content-Type": content_type},
        body=body,
        url=f"{house.settings.public_base_url}/{language}/complain",
    )
    typed = posted.read(delivery, fields, files, settings=house.settings, region=country().region)
    shown: dict[str, Any] = {"kept": typed.kept, "had_files": bool(files)}
    if nonce is None:
        return _form(language, 422, stale=True, **shown)
    shown["nonce"] = fields["nonce"]
    if typed.message is None:
        return _form(language, 422, errors=typed.errors, **shown)
    answer = house.accept(delivery, typed.message)
    if isinstance(answer, Accepted):
        return _accepted(language, answer, typed.message, shown)
    return _not_stored(language, answer, shown)


def _form(language: str, status: int, **values: Any) -> Response:
    house = current_house()
    web = house.settings.web
    token = values.pop("nonce", None)
    token = token or new_nonce(house.settings.signing_keys, house.clock())
    defaults: dict[str, Any] = {
        "kept": {},
        "errors": {},
        "had_files": False,
        "stale": False,
        "later": False,
        "earlier_code": "",
    }
    response = page(
        "citizen/complain.html",
        language,
        status,
        private=status != 200,  # noqa: PLR2004 - an empty form shows nothing of anybody
        **(defaults | values),
        nonce=token,
        kinds=KINDS,
        description_limit=Limits().description,
        file_limit=web.max_upload_files,
        megabytes=max(1, web.max_upload_bytes // MEGABYTE),
        emergency_numbers=country().emergency_numbers,
    )
    if status == 503:  # noqa: PLR2004 - RFC 9110 section 15.6.4
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _not_stored(language: str, answer: Acknowledgement, shown: Mapping[str, Any]) -> Response:
    if isinstance(answer, TryLater):
        return _form(language, 503, later=True, **shown)
    return _form(language, 422, errors={"description": "refused"}, **shown)


def _accepted(
    language: str, answer: Accepted, message: InboundMessage, shown: Mapping[str, Any]
) -> Response:
    """The confirmation, from what was committed."""
    house = current_house()
    case = None
    if answer.tracking_code is not None:
        with reading(house.engine).connect() as connection:
            case = find_case(connection, answer.tracking_code)
    if answer.repeated and case is not None and _differs(case, message):
        # The nonce was used for other words (Back, changed, sent again): those are filed already.
        # These are new, and must not be lost: the same page with a nonce of its own.
        values = {**shown, "nonce": None, "earlier_code": answer.tracking_code}
        return _form(language, 409, **values)
    return page(
        "citizen/received.html",
        language,
        private=True,
        alternates=[],
        code=answer.tracking_code,
        pin=answer.pin,
        message=message,
        case=case,
        file_count=len(message.attachments),
        danger=DANGER in answer.facts,
        emergency_numbers=country().emergency_numbers,
        emergency_services=country().emergency_services,
        recourse=country().next_recourse.get(language, ""),
    )


def _differs(case: Any, message: InboundMessage) -> bool:
    return (case.description, case.location) != (
        message.text,
        message.fields.get("location", ""),
    )
