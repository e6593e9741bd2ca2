# SPDX-License-Identifier: MIT
"""The limits: the same servers doing nothing. ``limits.py smtp PORT | web PORT N T TOKEN``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP
from gunicorn.app.base import BaseApplication

from channels.channel import Delivery
from channels.message import ChannelName
from channels.twilio_account import verify
from gateway.server import Worker


class Nothing:
    """Takes every mail and forgets it."""

    async def handle_DATA(self, *_: Any) -> str:
        """Say that it is stored."""
        return "250 Ok"


def serve_smtp(port: int) -> None:
    """Aiosmtpd with a handler that does nothing."""
    loop = asyncio.new_event_loop()

    def session() -> SMTP:
        return SMTP(Nothing(), enable_SMTPUTF8=True, hostname="limit.example", loop=loop)

    loop.run_until_complete(loop.create_server(session, "127.0.0.1", port))
    loop.run_forever()


def application(token: str, base: str) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that checks the signature and nothing else."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            "X-Twilio-Signature": environ.get("HTTP_X_TWILIO_SIGNATURE", ""),
            "Content-Type": environ.get("CONTENT_TYPE", ""),
        }
        path = environ["PATH_INFO"]
        verify(
            Delivery(ChannelName.SMS, "", datetime.now(UTC), "", headers, body, base + path),
            [token],
            base + path,
        )
        start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "11")])
        return [b"<Response/>"]

    return answer


class Server(BaseApplication):
    """Gunicorn with threads, as the gateway runs it."""

    def __init__(self, port: int, workers: int, threads: int, token: str) -> None:
        self.options = {
            "bind": f"127.0.0.1:{port}",
            "workers": workers,
            "worker_class": Worker,
            "threads": threads,
            "keepalive": 15,
            "loglevel": "warning",
        }
        self.base, self.token = f"http://127.0.0.1:{port}", token
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application."""
        return application(self.token, self.base)


if __name__ == "__main__":
    if sys.argv[1] == "smtp":
        serve_smtp(int(sys.argv[2]))
    else:
        Server(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]).run()
