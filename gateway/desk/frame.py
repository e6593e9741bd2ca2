# SPDX-License-Identifier: MIT
"""What all pages of the desk share: words, menu, and the pages shown when something fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import current_app, g, make_response, render_template, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config.wording import direction
from gateway.desk import reading as desk_reading
from gateway.desk import session as desk_session
from gateway.desk.access import Deed, DeskUser
from gateway.desk.showing import (
    DELIVERY_TONES,
    STATUS_TONES,
    Showing,
    masked,
    masked_on,
    with_slug,
)
from gateway.house import current_house
from normalizer.tracking_code import display
from tracker.database import reading
from tracker.group_commit import StorageUnavailable

if TYPE_CHECKING:
    from flask import Blueprint, Response
    from werkzeug.exceptions import HTTPException

#: What the database raises when it is away, locked or full.
STORAGE_ERRORS = (StorageUnavailable, OperationalError, PoolTimeout)
LANGUAGE_NAMES = {"ar": "العربية", "fr": "Français", "en": "English"}
#: Never repeated on a page that keeps what was typed.
_NOT_KEPT = frozenset({"csrf_token", "password", "old_password", "new_password", "again"})
_SEVERAL_LINES = frozenset({"text", "reason", "transcript"})


def attach_to(blueprint: Blueprint) -> None:
    """Add the words and the failure pages to the desk."""
    blueprint.context_processor(_words)
    blueprint.after_request(_keep_private)
    for failure in STORAGE_ERRORS:
        blueprint.register_error_handler(failure, unavailable)
    blueprint.register_error_handler(CSRFError, _forged)
    for status in (400, 403, 404, 409):
        blueprint.register_error_handler(status, _failed)


def show() -> Showing:
    """How things are said in this request."""
    if "desk_showing" not in g:
        house = current_house()
        g.desk_showing = Showing(
            house.wording,
            desk_session.language(),
            house.country.region,
            ZoneInfo(house.country.timezone),
        )
    return g.desk_showing  # type: ignore[no-any-return]


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render ``desk/<template>`` with the menu around it."""
    user = current_user
    if isinstance(user._get_current_object(), DeskUser) and user.may(Deed.ATTENTION):  # noqa: SLF001
        with reading(current_house().engine).connect() as connection:
            values["waiting_for_a_person"] = desk_reading.attention_count(connection)
    return make_response(render_template(f"desk/{template}", **values), status)


def region() -> str:
    """ISO 3166-1 region in which national telephone numbers are read."""
    return current_house().country.region


def unavailable(_error: Exception) -> Response:
    """503: nothing was stored. What was typed stands on the page, ready to be sent again."""
    if "_login_user" not in g:
        # The user could not even be looked up; the page must not try again.
        current_app.login_manager._update_request_context_with_user()  # type: ignore[attr-defined]  # noqa: SLF001
    typed = [
        (name, value, name in _SEVERAL_LINES)
        for name, value in request.form.items(multi=True)
        if name not in _NOT_KEPT
    ]
    response = make_response(
        render_template(
            "desk/unavailable.html",
            typed=typed,
            again=request.method == "POST",
            target=request.path,
        ),
        503,
    )
    response.headers["Retry-After"] = "30"
    return response


def _words() -> dict[str, Any]:
    showing = show()
    return {
        "t": showing.t,
        "show": showing,
        "lang": showing.language,
        "dir": direction(showing.language),
        "languages": LANGUAGE_NAMES,
        "display_code": display,
        "status_tones": STATUS_TONES,
        "delivery_tones": DELIVERY_TONES,
        "masked": masked,
        "masked_on": masked_on,
        "announced": desk_session.announced,
        "longest_list": current_house().settings.desk.longest_list,
        "with_slug": with_slug,
        "wide": True,
    }


def _keep_private(response: Response) -> Response:
    """Nothing of the desk stays in a shared cache or behind the Back button."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _forged(_error: CSRFError) -> Response:
    return page("error.html", 400, kind="forged")


def _failed(error: HTTPException) -> Response:
    code = error.code or 400
    kind = {403: "forbidden", 404: "unknown"}.get(code, "bad")
    return page("error.html", code, kind=kind)
