# SPDX-License-Identifier: MIT
"""A Flask that names the page that failed, and not the path: paths carry ids and tokens.

It also has doors: paths of machines, whose requests are handed to one function as they are. The
routing, hooks, sessions and contexts of a page cost several times what such a request does itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from channels.channel import TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from types import TracebackType

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from channels.channel import Acknowledgement

logger = logging.getLogger(__name__)

#: Seconds that a door waits for the commit before it asks its peer to come again.
LONGEST_WAIT = 60.0


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


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that waits for a commit, and needs no thread until then.

    Attributes:
        acknowledgement: done after the commit; never fails.
        answer: what is said then. Must not block: the thread that commits may ask.
    """

    acknowledgement: Future[Acknowledgement]
    answer: Callable[[Acknowledgement], Response | Ready]

    def wait(self, seconds: float = LONGEST_WAIT) -> Response | Ready:
        """The answer, for a server that holds a thread for it."""
        try:
            return self.answer(self.acknowledgement.result(seconds))
        except TimeoutError:
            return self.answer(TryLater())


def _as_it_is(_environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    """An application that only lets a middleware see the request."""
    return ()


def _say_nothing(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


class QuietFlask(Flask):
    """Flask, with a log line of ours for what nobody caught, and with doors.

    Attributes:
        doors: what answers a POST to exactly this path, from its environ (PEP 3333), with no
            context and no hook of Flask around it. A door also stands as a route, for the
            refusal of other methods. What it answers later, our own server holds no thread for.
        longest_wait: seconds that a door waits for a commit.
        trusted_proxies: how many stand in front, whose X-Forwarded fields are believed.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.doors: dict[str, Callable[[WSGIEnvironment], Response | Ready | Later]] = {}
        self.longest_wait = LONGEST_WAIT
        self.trusted_proxies = 0

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request: by its door, else as Flask does."""
        environ = self.seen(environ)
        path = environ.get("PATH_INFO", "")
        if path not in self.doors or environ.get("REQUEST_METHOD") != "POST":
            return super().wsgi_app(environ, start_response)
        response = self.knock(path, environ)
        if isinstance(response, Later):
            response = response.wait(self.longest_wait)
        return response(environ, start_response)

    def seen(self, environ: WSGIEnvironment) -> WSGIEnvironment:
        """The request as it was before the proxies in front that are believed."""
        if self.trusted_proxies:
            count = self.trusted_proxies
            fixed = ProxyFix(_as_it_is, x_for=count, x_proto=count, x_host=count)
            fixed(environ, _say_nothing)
        return environ

    def knock(self, path: str, environ: WSGIEnvironment) -> Response | Ready | Later:
        """What the door of a path says. Never raises.

        Args:
            path: one of :attr:`doors`.
            environ: a POST to it, as :meth:`seen`.
        """
        response: Response | Ready | Later
        try:
            response = self.doors[path](environ)
        except HTTPException as error:
            response = Response(
                error.get_response(environ).get_data(), error.code, mimetype="text/html"
            )
        except Exception:  # the one wide catch of the doors, as Flask's own is that of the pages
            logger.exception("a door failed")
            response = Response("this request failed\n", status=500, mimetype="text/plain")
        if isinstance(response, Response):
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None],
    ) -> None:
        """Log the endpoint and the traceback."""
        logger.error("a request failed: %s", request.endpoint, exc_info=exc_info)
