# SPDX-License-Identifier: MIT
"""What people decide about a case: give it up, divide it, link it, or say where else to turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import abort, redirect, request, url_for
from flask_login import login_required

from dispatcher.administration import load_some
from gateway.desk import reading as desk_reading
from gateway.desk.access import Deed
from gateway.desk.case import LONGEST_REASON, done, present, seen, shown, typed
from gateway.desk.choosing import chosen
from gateway.desk.frame import page, show
from gateway.desk.handing import SETTLED
from gateway.desk.session import announce, person
from gateway.house import current_house
from gateway.wiring import notices_of
from tracker import dividing, elsewhere, register, resemblance, transfers
from tracker.children import citizens_case
from tracker.database import reading
from tracker.elsewhere import Elsewhere
from tracker.models import LinkState
from tracker.status import ForbiddenMove

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy import Connection, Row
    from werkzeug.wrappers import Response


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    views = (("give-up", give_up), ("divide", divide), ("link", link))
    for name, view in views:
        blueprint.add_url_rule(
            f"/cases/<uuid:case_id>/{name}", name.replace("-", "_"), view, methods=["POST"]
        )
    path = "/cases/<uuid:case_id>/elsewhere"
    blueprint.add_url_rule(path, "elsewhere", preview)
    blueprint.add_url_rule(path, "send_elsewhere", send_elsewhere, methods=["POST"])


@login_required
def give_up(case_id: UUID) -> Response:
    """An administration says that a case is not its own, and why; people choose the next one."""
    row = seen(case_id, Deed.GIVE_UP)
    say, user, house = show(), person(), current_house()
    reason, slug = typed("reason", LONGEST_REASON), chosen(request.form.get("administration", ""))
    if not reason:
        return shown(row, 422, error=("give-up-reason", say.t("assign.no_reason")))

    def write(connection: Connection) -> bool:
        case = present(connection, case_id, user)
        if case.administration is None or case.status in SETTLED:
            return False
        proposed = desk_reading.administration(connection, slug)
        transfers.give_up(
            connection,
            case,
            reason=reason,
            by=user.email,
            now=house.clock(),
            proposed=proposed.slug if proposed and proposed.slug != case.administration else None,
        )
        return True

    if not house.writer.run(write):
        return shown(row, 409, error=("give-up-reason", say.t("assign.settled")))
    return _gone_on(case_id, "given_up")


@login_required
def divide(case_id: UUID) -> Response:
    """Name several administrations for one case."""
    row = seen(case_id, Deed.DIVIDE)
    say, user, house = show(), person(), current_house()
    written = map(chosen, request.form.getlist("administrations"))
    slugs = list(dict.fromkeys(filter(None, written)))
    nowhere = house.settings.dispatch.blackhole_outlets
    reason = typed("reason", LONGEST_REASON)
    if not reason:
        return shown(row, 422, error=("divide-reason", say.t("assign.no_reason")))

    def write(connection: Connection) -> bool:
        case = present(connection, case_id, user)
        rows = [desk_reading.administration(connection, slug) for slug in slugs]
        found = [one for one in rows if one is not None]
        above = transfers.needs_a_person_above(connection, case) and not user.may(Deed.DECIDE)
        if len(found) != len(slugs) or above:
            return False
        try:
            dividing.divide(
                connection,
                case,
                {one.slug: "blackhole" if nowhere else one.outlet for one in found},
                reasons=[reason],
                by=user.email,
                now=house.clock(),
                calling_code=house.country.calling_code,
            )
        except ValueError:
            return False
        return True

    if not house.writer.run(write):
        fewest, most = dividing.FEWEST, dividing.MOST
        return shown(row, 422, error=("divide-1", say.t("divide.choose", fewest=fewest, most=most)))
    return done(case_id, "divided")


@login_required
def preview(case_id: UUID) -> Response:
    """The words that the citizen would be told, before anybody tells them."""
    row = seen(case_id, Deed.ELSEWHERE)
    kind = _kind(request.args.get("kind", ""))
    house = current_house()
    with reading(house.engine).connect() as connection:
        told = citizens_case(connection, row)
        register_of = load_some(connection, [row.administration or ""], house.today())
    composed = notices_of(house.settings, house.country).compose(
        f"elsewhere_{kind}",
        "email" if told.channel == "email" or told.contact_scheme == "mailto" else "sms",
        told,
        register_of.get(row.administration or ""),
    )
    return page(
        "elsewhere.html",
        case=row,
        kind=str(kind),
        notice=composed,
        leaves_by=show().leaves_by(told),
    )


@login_required
def send_elsewhere(case_id: UUID) -> Response:
    """Close the case as out of competence and tell the citizen where to turn."""
    seen(case_id, Deed.ELSEWHERE)
    kind, user, house = _kind(request.form.get("kind", "")), person(), current_house()

    def write(connection: Connection) -> None:
        case = present(connection, case_id, user)
        elsewhere.direct(connection, case, kind, by=user.email, now=house.clock())

    try:
        house.writer.run(write)
    except ForbiddenMove:
        return shown(seen(case_id), 409, error=("elsewhere", show().t("status_form.moved")))
    return done(case_id, "sent_elsewhere")


@login_required
def link(case_id: UUID) -> Response:
    """Keep what a person said of two cases that look alike."""
    seen(case_id, Deed.LINK)
    user, house = person(), current_house()
    try:
        other_id = UUID(request.form.get("other", ""))
        state = LinkState(request.form.get("state", ""))
        score = min(1.0, max(0.0, float(request.form.get("score", "0"))))
    except ValueError:
        abort(400)

    def write(connection: Connection) -> bool:
        case = present(connection, case_id, user)
        other = present(connection, other_id, user)
        if case.id == other.id:
            return False
        return resemblance.decide(
            connection, case, other, state, score=score, by=user.email, now=house.clock()
        )

    house.writer.run(write)
    return done(case_id, str(state))


def _kind(value: str) -> Elsewhere:
    try:
        return Elsewhere(value)
    except ValueError:
        abort(400)


def _gone_on(case_id: UUID, what: str) -> Response:
    """To the case, where this person still sees it, else to the list."""
    with reading(current_house().engine).connect() as connection:
        row: Row[Any] | None = register.case_by_id(connection, case_id)
    if row is not None and person().may_see(row):
        return done(case_id, what)
    announce(what)
    return redirect(url_for("desk.cases"))
