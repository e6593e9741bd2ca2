# SPDX-License-Identifier: MIT
"""The web process: gunicorn with threads, one writing process on SQLite."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import errors

from gateway import telemetry, wiring
from gateway.app import create_app
from gateway.holding import HoldingWorker
from normalizer.normalize import preload

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from config.settings import Settings

logger = logging.getLogger(__name__)


class ServerLog(Logger):
    """Gunicorn's log, written by the handler of ours."""

    def setup(self, cfg: Any) -> None:
        """Set the level, and leave the writing to the root logger."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Worker(HoldingWorker):
    """Gunicorn's threads; what is no HTTP is counted, and quoted neither in log nor answer."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what could not be read as a request (RFC 9110, 15.5), or failed in the server."""
        status = _status_of(exc)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("a request failed in the server", exc_info=exc)
        else:
            telemetry.refused("web", "http")
        try:
            util.write_error(client, status.value, status.phrase, "")
        except OSError:
            return  # whoever asked has gone


def _status_of(error: BaseException) -> HTTPStatus:
    if not isinstance(error, errors.ParseException) or isinstance(
        error,
        errors.InvalidResponseHeader | errors.InvalidResponseHeaderName,  # type: ignore[attr-defined] # newer than its types
    ):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, errors.LimitRequestLine):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(error, errors.LimitRequestHeaders):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if isinstance(error, errors.UnsupportedTransferCoding):
        return HTTPStatus.NOT_IMPLEMENTED
    return HTTPStatus.BAD_REQUEST


def processes(settings: Settings) -> int:
    """How many web processes to start.

    SQLite has one writer. With PostgreSQL every second processor has one: the others are for the
    mail door, the workers and the database, and fewer processes share their commits among more.
    """
    if settings.web.workers or settings.database_url.startswith("sqlite"):
        return settings.web.workers or 1
    return max(1, len(os.sched_getaffinity(0)) // 2)


class WebServer(BaseApplication):
    """Gunicorn, configured from our settings and not from a file.

    Args:
        settings: all settings.
        announce: prints one line for the listening address.
    """

    def __init__(self, settings: Settings, announce: Callable[[str], None]) -> None:
        self._settings = settings
        self._announce = announce
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        web = self._settings.web
        options: dict[str, Any] = {
            "bind": f"{web.host}:{web.port}",
            "workers": processes(self._settings),
            "worker_class": Worker,
            "logger_class": ServerLog,
            "threads": web.threads,
            "timeout": 60,
            "graceful_timeout": 5,
            "keepalive": 15,
            "backlog": 512,
            "accesslog": None,
            "loglevel": "warning",
            "preload_app": False,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 - a heartbeat file, kept off the disk
            "when_ready": lambda _: self._announce(f"web: http://{web.host}:{web.port}"),
            "limit_request_line": 4094,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override] # a Flask is a WSGI application
        """Build the application in the worker process, with its own connections."""
        telemetry.set_up_logging(self._settings.log_level)
        preload()
        gather = self._settings.database.gather_seconds
        return create_app(wiring.build_house(self._settings, gather_seconds=gather))


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM."""
    WebServer(settings, announce).run()
