# SPDX-License-Identifier: MIT
"""The desk's page of deadlines: what is due soon, and what is overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import request
from flask_login import login_required

from gateway.desk import reading as desk_reading
from gateway.desk.frame import page, show
from gateway.desk.session import person
from gateway.house import current_house
from tracker import ledger
from tracker.database import reading

if TYPE_CHECKING:
    from flask import Blueprint
    from werkzeug.wrappers import Response

#: From this many days before its end on, a deadline is shown.
SOON = timedelta(days=7)


def attach_to(blueprint: Blueprint) -> None:
    """Add the page to the desk."""
    blueprint.add_url_rule("/deadlines", view_func=login_required(deadlines))


def deadlines() -> Response:
    """The deadlines that run, ``?show=soon`` or ``overdue``, ``?page=`` from 1.

    Whoever sees the cases of one administration sees its deadlines, and those below it that were
    escalated to it; of these no more than code and dates.
    """
    house, user, say = current_house(), person(), show()
    now = house.clock()
    wanted = "soon" if request.args.get("show") == "soon" else "overdue"
    number = max(1, min(request.args.get("page", 1, type=int), 100_000))
    whose = None if user.sees_all else user.administration or ""
    spans = {"overdue": (now, None), "soon": (now + SOON, now)}
    size = desk_reading.PAGE_SIZE
    with reading(house.engine).connect() as connection:
        tally = {
            name: ledger.open_lines(
                connection, before=before, after=after, administration=whose, limit=0
            )[1]
            for name, (before, after) in spans.items()
        }
        before, after = spans[wanted]
        rows, total = ledger.open_lines(
            connection,
            before=before,
            after=after,
            administration=whose,
            limit=size,
            offset=(number - 1) * size,
        )
        names = desk_reading.names(connection, say.language, house.today())
    return page(
        "deadlines.html",
        lines=[(row, say.days_left(row.due, now)) for row in rows],
        own=[row.id for row in rows if user.sees_all or row.holder == user.administration],
        wanted=wanted,
        tally=tally,
        total=total,
        number=number,
        last_page=max(1, -(-total // size)),
        names=names,
    )
