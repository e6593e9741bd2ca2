# SPDX-License-Identifier: MIT
"""The simulator as a process: its page and API on one port, its SMTP sink on another."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from gateway.simulator.app import create_app
from gateway.simulator.mailbox import sink_of
from gateway.simulator.world import build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from config.wording import Wording


#: How often a running simulator asks whether to stop.
LOOK_SECONDS = 0.2


class QuietHandler(WSGIRequestHandler):
    """Writes no access log: the paths hold citizens' numbers and addresses."""

    def log_request(self, *_args: Any, **_words: Any) -> None:
        """Write nothing."""

    def log_error(self, *_args: Any, **_words: Any) -> None:
        """Write nothing: a refused request would be quoted."""


def run(
    settings: Settings,
    wording: Wording,
    announce: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Serve until ``stop()`` is true; returns when all is closed.

    Args:
        settings: the addresses; both ports are bound before the first announcement.
        wording: all texts.
        announce: told one line per listening address.
        stop: asked a few times a second (an event's ``is_set`` fits).

    Raises:
        ProductionRefused: the settings are those of production.
        OSError: a port is taken; the message names it.
    """
    # httpx tells every URL at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    world = build_world(settings, wording, lambda: datetime.now(UTC))
    place = settings.simulator
    try:
        server = _server(world_app=create_app(world), host=place.host, port=place.port)
        sink = sink_of(world.mailboxes, place.host, place.smtp_port)
        try:
            _start_sink(sink.start, place.smtp_port)
            serving = threading.Thread(target=server.serve_forever, name="simulator", daemon=True)
            serving.start()
            announce(f"simulator: http://{place.host}:{place.port}/simulator")
            announce(f"simulator: smtp://{place.host}:{place.smtp_port}")
            while not stop():
                time.sleep(LOOK_SECONDS)
            server.shutdown()
            serving.join(5)
            sink.stop(no_assert=True)
        finally:
            server.server_close()
    finally:
        world.close()


def _server(world_app: Any, host: str, port: int) -> BaseWSGIServer:
    try:
        return make_server(host, port, world_app, threaded=True, request_handler=QuietHandler)
    except SystemExit as error:  # werkzeug leaves the process when a port is taken
        raise OSError(f"simulator.port {port} is taken by another program") from error


def _start_sink(start: Callable[[], None], port: int) -> None:
    try:
        start()
    except OSError as error:
        raise OSError(f"simulator.smtp_port {port} cannot be bound: {error.strerror}") from error
