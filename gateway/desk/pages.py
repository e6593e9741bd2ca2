# SPDX-License-Identifier: MIT
"""The desk of the administrations: everything under ``/desk/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, request, url_for
from flask_login import login_required

from gateway.desk import account, case, deadlines, deciding, figures, files, frame, needs
from gateway.desk import reading as desk_reading
from gateway.desk.frame import page, show
from gateway.desk.reading import CaseFilter
from gateway.desk.session import person
from gateway.house import current_house
from normalizer import tracking_code
from tracker import register
from tracker.database import reading
from tracker.models import CaseStatus

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
for part in (frame, account, case, deciding, needs, files, deadlines, figures):
    part.attach_to(blueprint)

_STATUSES = frozenset({"open", "all", *map(str, CaseStatus)})


@blueprint.get("/")
@login_required
def cases() -> Response:
    """The list of cases, narrowed by ``?status=``, ``?overdue=1`` and ``?page=``."""
    return _listed(_wanted())


@blueprint.post("/search")
@login_required
def search() -> Response:
    """Open the case of a code, typed in any digits. By POST: a code stands in no URL."""
    typed = request.form.get("code", "")[:200]
    read = tracking_code.read(typed)
    if read.code is not None:
        with reading(current_house().engine).connect() as connection:
            found = register.find_case(connection, read.code)
        if found is not None and person().may_see(found):
            return redirect(url_for("desk.case", case_id=found.id))
    # Somebody else's case and no case at all are told alike.
    word = "search.slip" if read.slip else "search.unknown"
    return _listed(CaseFilter(), typed=typed, error=show().t(word), status=404)


def _wanted() -> CaseFilter:
    status = request.args.get("status", "open")
    return CaseFilter(
        status=status if status in _STATUSES else "open",
        overdue=request.args.get("overdue") == "1",
        page=max(1, min(request.args.get("page", 1, type=int), 100_000)),
    )


def _listed(wanted: CaseFilter, *, typed: str = "", error: str = "", status: int = 200) -> Response:
    house, user, say = current_house(), person(), show()
    now = house.clock()
    with reading(house.engine).connect() as connection:
        found = desk_reading.list_cases(connection, user, wanted, now)
        heard = desk_reading.heard(connection, found.rows)
        tally = desk_reading.tally(connection, user, now)
        names = desk_reading.names(connection, say.language, house.today())
    return page(
        "cases.html",
        status,
        cases=[(row, say.clock(row, now)) for row in found.rows],
        heard=heard,
        wanted=wanted,
        total=found.total,
        last_page=max(1, -(-found.total // desk_reading.PAGE_SIZE)),
        tally=tally,
        names=names,
        statuses=[str(s) for s in CaseStatus],
        typed=typed,
        error=error,
    )
