# SPDX-License-Identifier: MIT
"""A provider of calls of Twilio's shape on loopback: it places calls, lists them, loses answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class CallProvider(ThreadingHTTPServer):
    """Keeps calls and what it was asked, for the real SDK.

    Attributes:
        calls: the calls it knows, the newest first, as its API gives them.
        texts: the forms of texts it was given.
        asked: method and path of each request.
        answers: whether a placed call is confirmed; else 500, the call kept or not (``places``).
        places: whether an unconfirmed call is placed all the same.
        reachable: whether lists and calls can be read; else 503.
    """

    daemon_threads = True

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._clock = clock
        self.calls: list[dict[str, Any]] = []
        self.texts: list[dict[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.answers, self.places, self.reachable = True, True, True
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """What stands for ``https://api.twilio.com``."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def place(self, to: str, status: str = "queued") -> dict[str, Any]:
        """Keep one call."""
        call = {
            "sid": f"CA{len(self.calls) + 1:032}",
            "to": to,
            "from": "+212537000000",
            "direction": "outbound-api",
            "status": status,
            "date_created": format_datetime(self._clock()),
            "start_time": None,
        }
        self.calls.insert(0, call)
        return call


class _Handler(BaseHTTPRequestHandler):
    server: CallProvider

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        pairs = parse_qs(self.rfile.read(length).decode())
        form = {key: values[0] for key, values in pairs.items()}
        self.server.asked.append(("POST", urlsplit(self.path).path))
        if self.path.endswith("/Messages.json"):
            self.server.texts.append(form)
            self._say(201, {"sid": f"SM{len(self.server.texts)}", "status": "queued"})
            return
        call = None
        if self.server.answers or self.server.places:
            call = self.server.place(form["To"])
        if call is None or not self.server.answers:
            self._say(500, {"code": 20500, "status": 500, "message": "an internal error"})
        else:
            self._say(201, call)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(("GET", path))
        if not self.server.reachable:
            self._say(503, {"code": 20503, "status": 503, "message": "not available"})
        elif path.endswith("/Calls.json"):
            to = parse_qs(urlsplit(self.path).query).get("To", [""])[0]
            found = [call for call in self.server.calls if to in ("", call["to"])]
            self._say(200, {"calls": found, "next_page_uri": None})
        else:
            sid = path.rsplit("/", 1)[-1].removesuffix(".json")
            found = [call for call in self.server.calls if call["sid"] == sid]
            gone = {"code": 20404, "status": 404, "message": "not found"}
            self._say(200 if found else 404, found[0] if found else gone)

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Write nothing."""
