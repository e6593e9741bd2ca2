# SPDX-License-Identifier: MIT
"""Signing in and out, a new password, the language of the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for
from flask_login import current_user, login_required

from gateway.desk import session as desk_session
from gateway.desk.frame import page, show
from gateway.desk.passwords import LONGEST_PASSWORD
from gateway.house import current_house
from normalizer.text import storable
from tracker import users
from tracker.database import reading

if TYPE_CHECKING:
    from flask import Blueprint
    from werkzeug.wrappers import Response

    from gateway.desk.access import DeskUser
    from gateway.house import House


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    blueprint.add_url_rule("/sign-in", "sign_in", sign_in, methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])
    blueprint.add_url_rule("/password", "password", password, methods=["GET", "POST"])
    blueprint.add_url_rule("/language", "language", language, methods=["POST"])


def sign_in() -> Response:
    """Ask for name and password; too many wrong ones are told to wait (429)."""
    wanted = desk_session.way_on(request.values.get("next", ""))
    if current_user.is_authenticated:
        return redirect(wanted)
    if request.method == "GET":
        return page("sign_in.html", wanted=wanted, email="")
    house, say = current_house(), show()
    email = storable(request.form.get("email", ""))[: users.LONGEST_EMAIL]
    tried = desk_session.attempt(
        house, email, request.form.get("password", ""), request.remote_addr or ""
    )
    if tried.user is None:
        error = say.t("sign_in.paused") if tried.paused else say.t("sign_in.wrong")
        status = 429 if tried.paused else 401
        return page("sign_in.html", status, wanted=wanted, email=email, error=error)
    desk_session.begin(tried.user, house.clock())
    return redirect(wanted)


@login_required
def sign_out() -> Response:
    """End this person's sessions, also a copy of the cookie elsewhere."""
    user_id = desk_session.person().id
    current_house().writer.run(lambda connection: users.end_sessions(connection, user_id))
    desk_session.end()
    desk_session.announce("signed_out")
    return redirect(url_for("desk.sign_in"))


@login_required
def password() -> Response:
    """Change one's own password; the old one is asked, and every other session ends."""
    house, say, user = current_house(), show(), desk_session.person()
    least = house.settings.desk.minimum_password_length
    if request.method == "GET":
        return page("password.html", least=least, errors=[])
    old, new, again = (
        request.form.get(name, "") for name in ("old_password", "new_password", "again")
    )
    errors: list[tuple[str, str]] = []
    if not least <= len(new) <= LONGEST_PASSWORD:
        errors.append(("new_password", say.t("password.too_short", count=least)))
    elif new in (old, user.email):
        errors.append(("new_password", say.t("password.same")))
    elif new != again:
        errors.append(("again", say.t("password.differs")))
    if not errors:
        # Guessing the old password here is throttled like guessing it at the door.
        tried = desk_session.attempt(house, user.email, old, request.remote_addr or "")
        if tried.user is None:
            word = "sign_in.paused" if tried.paused else "password.old_wrong"
            errors.append(("old_password", say.t(word)))
    if errors:
        return page("password.html", 422, least=least, errors=errors)
    kept = desk_session.passwords().hash(new)
    house.writer.run(
        lambda connection: users.set_password_hash(connection, user.id, kept, end_sessions=True)
    )
    desk_session.begin(_as_stored(house, user), house.clock())
    desk_session.announce("password_changed")
    return redirect(url_for("desk.cases"))


def language() -> Response:
    """Choose the language of the desk and come back to where one was."""
    desk_session.choose_language(request.form.get("language", ""))
    return redirect(desk_session.way_on(request.form.get("next", "")))


def _as_stored(house: House, user: DeskUser) -> DeskUser:
    with reading(house.engine).connect() as connection:
        row = users.find(connection, user.id)
    return type(user)(row) if row is not None else user
