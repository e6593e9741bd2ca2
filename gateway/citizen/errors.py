# SPDX-License-Identifier: MIT
"""What people see when something is refused or fails: a page in their language, never a trace.

Machines (providers' webhooks, the API, health) get one plain line of English instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
)

from gateway.citizen.frame import LANGUAGES, alternates, hinted_language, page
from gateway.house import current_house
from tracker.group_commit import StorageUnavailable

if TYPE_CHECKING:
    from flask import Flask, Response

#: Statuses that have a page of their own; every other one is told as 400 or 500.
STATUSES = (400, 403, 404, 405, 413, 422, 429, 500, 503)
MACHINE_PATHS = ("/inbound", "/receipts", "/api", "/open311", "/health", "/metrics")
_MEGABYTE = 1_000_000


def register(app: Flask) -> None:
    """Give ``app`` its error pages."""
    app.register_error_handler(HTTPException, _refused)
    for failure in (StorageUnavailable, OperationalError, PoolTimeout):
        app.register_error_handler(failure, _storage_away)
    app.register_error_handler(ParseException, _no_http)


def _refused(error: HTTPException) -> Response:
    """One HTTP error. The handler of a crash gets it as 500, its trace in the log alone."""
    code = error.code or 500
    if error.response is not None or code < 400:  # noqa: PLR2004 - a redirect is no error
        return make_response(error.get_response())
    status = code if code in STATUSES else (500 if code >= 500 else 400)  # noqa: PLR2004
    response = _plain(error) if _is_machine() else _page(status, code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    if code == ServiceUnavailable.code:
        response.headers.setdefault("Retry-After", "30")
    return response


def _storage_away(_error: Exception) -> Response:
    return _refused(ServiceUnavailable(retry_after=30))


def _no_http(_error: Exception) -> Response:
    """A body whose chunks cannot be read (RFC 9112, 7.1)."""
    return _refused(BadRequest())


def _is_machine() -> bool:
    return request.path.startswith(MACHINE_PATHS)


def _plain(error: HTTPException) -> Response:
    name = InternalServerError().name if error.code is None else error.name
    response = make_response(f"{error.code or 500} {name}\n", error.code or 500)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


def _page(status: int, code: int) -> Response:
    first = request.path.strip("/").split("/")[0]
    language = first if first in LANGUAGES else hinted_language()
    return page(
        "errors/error.html",
        language,
        code,
        error=status,
        alternates=alternates(language, ""),
        megabytes=max(1, current_house().settings.web.max_upload_bytes // _MEGABYTE),
        private=True,
    )
