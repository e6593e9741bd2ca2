# SPDX-License-Identifier: MIT
"""The web process: gunicorn with threads, one writing process on SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from gateway import telemetry, wiring
from gateway.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from config.settings import Settings


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
        sqlite = self._settings.database_url.startswith("sqlite")
        options: dict[str, Any] = {
            "bind": f"{web.host}:{web.port}",
            "workers": web.workers or (1 if sqlite else 2),
            "worker_class": "gthread",
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
        return create_app(wiring.build_house(self._settings))


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM."""
    WebServer(settings, announce).run()
