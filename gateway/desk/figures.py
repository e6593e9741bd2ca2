# SPDX-License-Identifier: MIT
"""The desk's page of figures: how well cases reach the right administration, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from babel.numbers import format_decimal, format_percent
from flask import abort, request
from flask_login import login_required

from config.wording import isolate
from dispatcher.routing.proportion import interval
from gateway.desk import reading as desk_reading
from gateway.desk.frame import page, show
from gateway.desk.session import person
from gateway.house import current_house
from tracker import figures as counting
from tracker import trainings
from tracker.database import reading

if TYPE_CHECKING:
    from babel import Locale
    from flask import Blueprint
    from werkzeug.wrappers import Response

    from tracker.figures import Tally

#: Periods that may be looked at, in days.
PERIODS = (30, 90, 365)
#: Administrations shown; those with most cases.
MOST = 100
_TRAININGS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table, as it is shown; an empty text where nothing was counted.

    Attributes:
        name: the administration's, or the rule's.
        cases: cases first assigned.
        first: first-assignment rate.
        moved: reassignments.
        automatic: share of automatic decisions.
        precision: of blind checks.
        between: the interval of it.
        checks: "agreed of checked".
        days: median days to answer.
    """

    name: str
    cases: int
    first: str
    moved: int
    automatic: str
    precision: str
    between: str
    checks: str
    days: str


def attach_to(blueprint: Blueprint) -> None:
    """Add the page to the desk."""
    blueprint.add_url_rule("/figures", view_func=login_required(figures))


def figures() -> Response:
    """Figures of the last ``?days=``; a supervisor sees those of their administration."""
    user, house, say = person(), current_house(), show()
    if not user.sees_figures:
        abort(403)
    days = request.args.get("days", PERIODS[1], type=int)
    days = days if days in PERIODS else PERIODS[1]
    whose = None if user.sees_all else user.administration
    since = house.clock() - timedelta(days=days)
    with reading(house.engine).connect() as connection:
        found = counting.count(connection, since=since, administration=whose)
        latest = trainings.latest(connection, _TRAININGS) if user.sees_all else ()
        names = desk_reading.names(connection, say.language, house.today())
    ordered = sorted(found.administrations.items(), key=lambda item: -item[1].assigned)
    locale = say.locale
    return page(
        "figures.html",
        total=_line(say.t("figures.all"), found.total, locale),
        lines=[_line(names.get(slug, slug), one, locale) for slug, one in ordered[:MOST]],
        left_out=max(0, len(ordered) - MOST),
        rules=[
            (names.get(slug, slug), key, *_blind(agreed, checked, locale))
            for key, (checked, agreed) in found.rules.items()
            for slug in [key.rpartition("/")[0]]
        ],
        trainings=latest,
        days=days,
        periods=PERIODS,
    )


def _line(name: str, tally: Tally, locale: Locale) -> Line:
    middle = tally.median_days
    return Line(
        name,
        tally.assigned,
        _share(tally.stayed, tally.assigned, locale),
        tally.reassignments,
        _share(tally.automatic, tally.assigned, locale),
        *_blind(tally.agreed, tally.checked, locale),
        "" if middle is None else format_decimal(round(middle, 1), locale=locale),
    )


def _blind(agreed: int, checked: int, locale: Locale) -> tuple[str, str, str]:
    """Precision, its interval and its counts; empty texts where nothing was checked."""
    if not checked:
        return "", "", ""
    low, high = (format_percent(end, locale=locale) for end in interval(agreed, checked))
    return (
        _share(agreed, checked, locale),
        isolate(f"{low}–{high}"),
        isolate(f"{agreed}/{checked}"),
    )


def _share(count: int, of: int, locale: Locale) -> str:
    return format_percent(count / of, locale=locale) if of else ""
