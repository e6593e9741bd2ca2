# SPDX-License-Identifier: MIT
"""Gunicorn's thread worker, which holds no thread for an answer that waits for a commit.

A webhook is read and checked on a thread of the pool, which is free again as soon as the message
is handed to the writer; the thread that commits answers all requests of its group. So a slow
database keeps no thread from the other pages, and a request wakes two threads fewer.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from gunicorn.http import wsgi
from gunicorn.workers.gthread import PollableMethodQueue, TConn, ThreadWorker

from channels.channel import TryLater
from gateway.quiet import Later, Ready

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Response
    from gunicorn.http.wsgi import Response as Wire

    from channels.channel import Acknowledgement
    from gateway.quiet import QuietFlask

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A request whose answer comes later.

    Attributes:
        later: what it waits for.
        wire: the answer's way to the peer.
        environ: of the request (PEP 3333).
        deadline: ``time.monotonic`` of when the peer is asked to come again.
    """

    later: Later
    wire: Wire
    environ: WSGIEnvironment
    deadline: float


class _ClosingQueue(PollableMethodQueue):
    """What is handed in after the end is dropped: its descriptor may be another file's by then."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Close the pipe."""
        with self._gate:
            self._closed = True
            super().close()

    def defer(self, callback: Any, *args: Any) -> None:
        """Run a function on the main thread soon."""
        with self._gate:
            if not self._closed:
                super().defer(callback, *args)


class HoldingWorker(ThreadWorker):
    """Serves an application with ``doors`` (:class:`gateway.quiet.QuietFlask`), or any other."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.method_queue = _ClosingQueue()
        #: In the order of their deadlines. Who takes a request out of it, answers it.
        self._held: dict[_Held, TConn] = {}
        self._look_again = 0.0

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Serve one request; a door's answer may be held."""
        if req.method != "POST" or req.path not in getattr(self.wsgi, "doors", ()):
            return super().handle_request(req, conn)
        wire, given = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
        environ = cast("WSGIEnvironment", given)
        environ["wsgi.multithread"] = True
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            wire.force_close()
        house = cast("QuietFlask", self.wsgi)
        answer = house.knock(req.path, house.seen(environ))
        if isinstance(answer, Later):
            return _Held(answer, wire, environ, time.monotonic() + house.longest_wait)
        return _say(answer, wire, environ)

    def _keepalive_after(self, conn: TConn, keepalive: Any) -> Any:
        """Read what is left of a request, then wait for its answer where it is held."""
        if not isinstance(keepalive, _Held):
            return super()._keepalive_after(conn, keepalive)  # type: ignore[misc] # not in its types
        if not super()._keepalive_after(conn, True):  # type: ignore[misc]
            keepalive.wire.force_close()
        self._held[keepalive] = conn
        keepalive.later.acknowledgement.add_done_callback(
            lambda done: self._answer(keepalive, done.result())
        )
        return keepalive

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Keep or close a connection; one with a held request stays as it is."""
        if fs.cancelled() or fs.exception() or not isinstance(fs.result(), _Held):
            super().finish_request(conn, fs)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - as gunicorn
        """Close idle connections; and let no request wait for ever."""
        super().murder_keepalived(force)  # type: ignore[call-arg] # newer than its types
        now = time.monotonic()
        if now < self._look_again:
            return
        self._look_again = now + 1.0
        for held in list(self._held):
            if held.deadline > now:
                break
            self._answer(held, TryLater())

    def _answer(self, held: _Held, acknowledgement: Acknowledgement) -> None:
        """Say what became of a request, on whichever thread knows it. Never blocks."""
        conn = self._held.pop(held, None)
        if conn is None:
            return
        finished: Future[bool] = Future()
        try:
            # A few hundred bytes; a peer that has no room for them has not read its answers.
            conn.sock.setblocking(False)
            finished.set_result(_say(held.later.answer(acknowledgement), held.wire, held.environ))
        except OSError:
            finished.set_result(False)
        except Exception as error:
            logger.exception("an answer could not be said")
            finished.set_exception(error)  # the connection is closed: its peer asks again
        self.method_queue.defer(self.finish_request, conn, finished)


def _say(answer: Response | Ready, wire: Wire, environ: WSGIEnvironment) -> bool:
    """Send an answer; whether the connection may go on."""
    for piece in answer(environ, cast("StartResponse", wire.start_response)):
        wire.write(piece)
    wire.close()
    return not wire.should_close()
