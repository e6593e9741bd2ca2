# SPDX-License-Identifier: MIT
"""A simulator on loopback, and a stand-in gateway that checks signatures by the real validator."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask, Response, abort, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

from config.settings import Settings
from config.wording import Wording
from gateway.simulator.app import create_app
from gateway.simulator.world import World, build_world

PUBLIC = "https://guichet.example"
ACCOUNT, TOKEN = "AC" + "5" * 32, "a-token-of-the-test"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Gateway:
    """Answers TwiML from `documents` and remembers what came."""

    documents: dict[str, str] = field(default_factory=dict)
    came: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, path: str, number: int = 1) -> list[dict[str, str]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.at(path)) >= number, timeout=10)
        return self.at(path)

    def at(self, path: str) -> list[dict[str, str]]:
        return [form for where, form in self.came if where == path]


def serve(app: Flask, port: int):
    server = make_server("127.0.0.1", port, app, threaded=True)
    # The default looks for a shutdown every half second, which every test would wait for.
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def settings() -> Settings:
    return Settings(
        profile="demo",
        web={"port": free_port(), "public_base_url": PUBLIC},
        smtp={"port": free_port()},
        mail={"domain": "guichet.test"},
        twilio={"account_sid": ACCOUNT, "auth_tokens": [TOKEN], "number": "+212520000000"},
        simulator={"enabled": True, "port": free_port(), "smtp_port": free_port()},
    )


@pytest.fixture
def gateway(settings) -> Iterator[Gateway]:
    app, gateway = Flask("stand-in"), Gateway()
    validator = RequestValidator(TOKEN)

    @app.route("/<path:path>", methods=["GET", "POST"])
    def take(path: str) -> Response:
        query = request.query_string.decode()
        url = f"{PUBLIC}/{path}" + (f"?{query}" if query else "")
        if not validator.validate(url, request.form, request.headers["X-Twilio-Signature"]):
            abort(403)
        with gateway.arrived:
            gateway.came.append((f"/{path}", request.form.to_dict()))
            gateway.arrived.notify_all()
        document = gateway.documents.get(f"/{path}", "")
        return Response(f"<Response>{document}</Response>", gateway.status, mimetype="text/xml")

    server = serve(app, settings.web.port)
    yield gateway
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(settings) -> Iterator[World]:
    world = build_world(settings, Wording(), lambda: datetime.now(UTC))
    yield world
    world.close()


@pytest.fixture
def simulator(world, settings) -> Iterator[SimpleNamespace]:
    """The application on its own port, as the SDK reaches it."""
    server = serve(create_app(world), settings.simulator.port)
    yield SimpleNamespace(url=f"http://127.0.0.1:{settings.simulator.port}", world=world)
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser(world):
    return create_app(world).test_client()
