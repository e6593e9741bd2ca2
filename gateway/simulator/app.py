# SPDX-License-Identifier: MIT
"""The simulator's Flask application: provider API, JSON API and page, for this machine only."""

from __future__ import annotations

import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import abort, request

from gateway.quiet import QuietFlask
from gateway.simulator import api, pages, provider

if TYPE_CHECKING:
    from flask import Flask, Response

    from gateway.simulator.world import World

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))


def create_app(world: World) -> Flask:
    """Build the application around ``world``."""
    app = QuietFlask("gateway", root_path=str(Path(__file__).parent.parent))
    app.extensions["simulator"] = world
    app.config.update(
        # A cookie knows no port: another name than the gateway's own, and a key of its own.
        SECRET_KEY=secrets.token_urlsafe(32),
        SESSION_COOKIE_NAME="simulator",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=25_000_000,
    )
    app.before_request(only_this_machine)
    app.after_request(_protect)
    app.register_blueprint(provider.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
    return app


def only_this_machine() -> None:
    """Refuse (403) who does not come from this machine, or is sent here by a foreign web page."""
    try:
        near = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    # A foreign name in Host is DNS rebinding, a foreign Origin a form on somebody's web page.
    origin = request.headers.get("Origin")
    named = [urlsplit(f"//{request.host}").hostname, urlsplit(origin).hostname if origin else None]
    if not near or any(name is not None and name not in LOOPBACK_NAMES for name in named):
        abort(403)
    if origin is not None and (origin == "null" or urlsplit(origin).netloc != request.host):
        abort(403)


def _protect(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
