# SPDX-License-Identifier: MIT
"""A Flask that names the page that failed, and not the path: paths carry ids and tokens.

It also has doors: paths of machines, whose requests are handed to one function as they are. The
routing, hooks, sessions and contexts of a page cost several times what such a request does itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)


class Ready:
    """An answer built once, the same for every request: headers and body, as PEP 3333 wants them.

    Args:
        response: what it says, whole.
    """

    def __init__(self, response: Response) -> None:
        self._status = response.status
        self._body = response.get_data()
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers["Content-Length"] = str(len(self._body))
        self._headers = list(response.headers.items())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Say it."""
        start_response(self._status, list(self._headers))
        return [self._body]


class QuietFlask(Flask):
    """Flask, with a log line of ours for what nobody caught, and with doors.

    Attributes:
        doors: what answers a POST to exactly this path, from its environ (PEP 3333), with no
            context and no hook of Flask around it. A door also stands as a route, for the
            refusal of other methods.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.doors: dict[str, Callable[[WSGIEnvironment], Response | Ready]] = {}

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request: by its door, else as Flask does."""
        door = self.doors.get(environ.get("PATH_INFO", ""))
        if door is None or environ.get("REQUEST_METHOD") != "POST":
            return super().wsgi_app(environ, start_response)
        try:
            response = door(environ)
        except HTTPException as error:
            return error.get_response(environ)(environ, start_response)
        except Exception:  # the one wide catch of the doors, as Flask's own is that of the pages
            logger.exception("a door failed")
            response = Response("this request failed\n", status=500, mimetype="text/plain")
        if isinstance(response, Response):
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response(environ, start_response)

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None],
    ) -> None:
        """Log the endpoint and the traceback."""
        logger.error("a request failed: %s", request.endpoint, exc_info=exc_info)
