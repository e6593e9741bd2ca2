# SPDX-License-Identifier: MIT
"""The Flask application: the public HTTP door, built from the house it is handed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from gateway import health
from gateway.citizen import errors, pages
from gateway.desk import pages as desk
from gateway.desk import session
from gateway.inbound import sms, voice
from gateway.quiet import QuietFlask

if TYPE_CHECKING:
    from flask import Flask, Request, Response

    from gateway.house import House

#: No script of others, no inline script or style, no frame, no form to elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
FORM_OVERHEAD = 100_000
#: Fields of one form in bytes, files left out.
FIELD_BYTES = 500_000
SIGNED_DOORS = ("/inbound/", "/receipts/")


def create_app(house: House) -> Flask:
    """Build the application.

    Args:
        house: what the doors need.
    """
    settings = house.settings
    app = QuietFlask("gateway", root_path=str(Path(__file__).parent))
    app.extensions["guichet"] = house
    app.session_interface = _Sessions()
    keys = settings.signing_keys
    app.config.update(
        SECRET_KEY=keys[0],
        SECRET_KEY_FALLBACKS=list(keys[1:]),
        MAX_CONTENT_LENGTH=settings.web.max_upload_bytes + FORM_OVERHEAD,
        MAX_FORM_MEMORY_SIZE=FIELD_BYTES,
        MAX_FORM_PARTS=200,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_base_url.startswith("https://"),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.before_request(_bound_fields)  # before anything reads a form, as the next line does
    session.register(app)
    for signed in (sms.blueprint, voice.blueprint):
        session.csrf.exempt(signed)  # a provider proves itself by its signature
    app.register_blueprint(sms.blueprint)
    app.register_blueprint(voice.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(desk.blueprint)
    app.register_blueprint(health.blueprint)
    errors.register(app)
    app.after_request(_protect)
    app.trusted_proxies = settings.web.trusted_proxies
    app.longest_wait = settings.web.answer_timeout_seconds
    return app


def _bound_fields() -> None:
    """Werkzeug bounds the fields of a multipart form; an urlencoded one it would read whole."""
    if request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = FIELD_BYTES


def _protect(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.path.startswith(SIGNED_DOORS):  # a provider shows no page
        return response
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
    return response


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, at no cost for whoever brings none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; without one the session is empty."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)
