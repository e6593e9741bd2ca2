# SPDX-License-Identifier: MIT
"""Who is at the desk: signing in and out, sessions that end, and tokens against forged forms.

The session is Flask's signed cookie. Because a copied cookie cannot be recalled, what ends it is
kept elsewhere: the user's ``session_epoch`` in the database, raised at sign-out, at a new password
and when a user is disabled, and two times in the cookie itself (signed in at, last seen at).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user
from flask_wtf.csrf import CSRFProtect

from gateway.desk.access import DeskUser
from gateway.desk.passwords import Passwords
from gateway.house import House, current_house
from tracker import throttle, users
from tracker.database import reading
from tracker.models import throttle as tries

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Connection
    from werkzeug.wrappers import Response

#: One for the application; doors that machines knock at exempt their blueprint themselves
#: (``csrf.exempt(blueprint)``), because a provider proves itself by a signature instead.
csrf = CSRFProtect()

LANGUAGES = ("ar", "fr", "en")
BY_NAME, BY_NETWORK = "sign-in-name", "sign-in-network"
_LANGUAGE, _SINCE, _SEEN, _NOTICE = "desk_language", "desk_since", "desk_seen", "desk_notice"
_IPV6_SITE = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt to sign in.

    Attributes:
        user: who it is, or ``None`` when name and password do not fit together.
        paused: whether it was not even tried, because too many have failed.
    """

    user: DeskUser | None
    paused: bool = False


def register(app: Flask, *, passwords: Passwords | None = None) -> None:
    """Set up sign-in (Flask-Login, strong protection) and form tokens (Flask-WTF) for ``app``.

    Args:
        app: holds a :class:`~gateway.house.House` in ``extensions["guichet"]`` by the time of the
            first request, and a ``SECRET_KEY``.
        passwords: other costs of hashing (tests).
    """
    app.extensions["guichet-passwords"] = passwords or Passwords()
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    # A form may stand open for hours while a letter is written; the token ends with the session.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    # Pages are sent with a strict Referrer-Policy, so that there may be no Referer to compare.
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)
    csrf.init_app(app)
    manager = LoginManager()
    manager.session_protection = "strong"
    manager.user_loader(_load)
    manager.unauthorized_handler(_ask_to_sign_in)
    manager.init_app(app)


def person() -> DeskUser:
    """Who is signed in; only for pages behind the sign-in."""
    return cast("DeskUser", current_user._get_current_object())  # noqa: SLF001 - the proxy's way


def passwords() -> Passwords:
    """The hasher of the running application."""
    return cast("Passwords", current_app.extensions["guichet-passwords"])


def network(address: str) -> str:
    """The network that counts as one for throttling: an IPv4 address, or an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_SITE), strict=False))
    return address


def attempt(house: House, email: str, password: str, address: str) -> Attempt:
    """Try to sign in: count first, then check, then forgive a success.

    Counting first, in the one writing thread, leaves parallel guesses no gap between being allowed
    and being counted.

    Raises:
        StorageUnavailable: the attempt cannot be counted, so it is not made.
    """
    now = house.clock()
    key = house.settings.signing_keys[0] if house.settings.signing_keys else ""
    counted = (
        (BY_NAME, throttle.digest(key, users.fold(email))),
        (BY_NETWORK, throttle.digest(key, network(address))),
    )

    def count(connection: Connection) -> bool:
        limits = house.settings.limits
        for scope, subject in counted:
            if not throttle.allowed(
                connection,
                scope,
                subject,
                tries=limits.sign_in_tries,
                window_seconds=limits.sign_in_window_seconds,
                now=now,
            ):
                return False
        for scope, subject in counted:
            throttle.record(connection, scope, subject, now)
        return True

    if not house.writer.run(count):
        return Attempt(None, paused=True)
    with reading(house.engine).connect() as connection:
        row = users.find_by_email(connection, email)
    hasher = passwords()
    fits = hasher.fits(row.password_hash if row else None, password)
    if row is None or not fits or row.disabled:
        return Attempt(None)
    newer = hasher.hash(password) if hasher.outdated(row.password_hash) else None

    def forgive(connection: Connection) -> None:
        for scope, subject in counted:
            own = [tries.c.scope == scope, tries.c.subject == subject]
            # The name starts afresh; of the network only this attempt is struck out, or one
            # person's right password would pay for the guesses at everybody else's.
            if scope == BY_NETWORK:
                own.append(tries.c.at == now)
            connection.execute(tries.delete().where(*own))
        if newer is not None:
            users.set_password_hash(connection, row.id, newer, end_sessions=False)

    house.writer.run(forgive)
    return Attempt(DeskUser(row))


def begin(user: DeskUser, now: datetime) -> None:
    """Start a new session for ``user``: nothing of the former one but the language is kept."""
    chosen = session.get(_LANGUAGE)
    session.clear()
    if chosen is not None:
        session[_LANGUAGE] = chosen
    session[_SINCE] = session[_SEEN] = int(now.timestamp())
    login_user(user)


def end() -> None:
    """Forget the session but for the language of the desk."""
    chosen = session.get(_LANGUAGE)
    session.clear()
    if chosen is not None:
        session[_LANGUAGE] = chosen


def language() -> str:
    """The desk's language: as chosen, else as the browser asks, else French."""
    chosen = session.get(_LANGUAGE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or "fr"


def choose_language(chosen: str) -> None:
    """Keep the desk's language in the session; what is no language of the desk changes nothing."""
    if chosen in LANGUAGES:
        session[_LANGUAGE] = chosen


def announce(key: str) -> None:
    """Say the wording ``desk.done.<key>`` on the next page."""
    session[_NOTICE] = key


def announced() -> str | None:
    """What is to be said on this page, once."""
    return cast("str | None", session.pop(_NOTICE, None))


def way_on(wanted: str) -> str:
    """Where to go after signing in: ``wanted`` if it is a path of the desk, else the list."""
    parts = urlsplit(wanted)
    desk = url_for("desk.cases")
    if parts.scheme or parts.netloc or not wanted.startswith(desk) or "\\" in wanted:
        return desk
    return wanted


def _load(remembered: str) -> DeskUser | None:
    """Find the user of the session, unless it has ended."""
    house = current_house()
    identifier, _, epoch = remembered.partition(":")
    try:
        user_id, now = UUID(identifier), house.clock()
        since = datetime.fromtimestamp(session[_SINCE], UTC)
        seen = datetime.fromtimestamp(session[_SEEN], UTC)
    except (ValueError, KeyError, TypeError):
        return None
    desk = house.settings.desk
    if now - since >= timedelta(hours=desk.session_hours) or now - seen >= timedelta(
        minutes=desk.session_idle_minutes
    ):
        return None
    with reading(house.engine).connect() as connection:
        row = users.find(connection, user_id)
    if row is None or row.disabled or str(row.session_epoch) != epoch:
        return None
    session[_SEEN] = int(now.timestamp())
    return DeskUser(row)


def _ask_to_sign_in() -> Response | Any:
    """Show the sign-in page; a form that was sent meanwhile is told that the session ended."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    had_session = _SINCE in session
    end()
    if had_session:
        announce("session_ended")
    return redirect(url_for("desk.sign_in", next=wanted or None))
