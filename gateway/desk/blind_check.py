# SPDX-License-Identifier: MIT
"""Blind checks at the desk: a choice without sight of the machine's, then a second look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from gateway.desk import reading as desk_reading
from gateway.desk.choosing import chosen
from gateway.desk.frame import show
from gateway.desk.session import person
from gateway.house import current_house
from tracker import blind_checks, register
from tracker.blind_checks import ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from gateway.desk.item import Item

#: What may be answered beside an administration: labels of texts that are no administration's.
NOBODY = ("person:emergency", "person:court", "person:private", "person:none", "person:unclear")
FIRST, SECOND = ("judge", "handled"), ("correct", "stand", "handled")


def actions(data: Mapping[str, str]) -> tuple[str, ...]:
    """What may be done: choose blindly, or settle what came out differently."""
    if ANSWER not in data:
        return FIRST
    return SECOND if not data[ANSWER].startswith("person:") else SECOND[1:]


def judge(item: Item) -> str | None:
    """Keep what was chosen without seeing the machine's choice."""
    house, by = current_house(), person().email
    label = chosen(request.form.get("administration", ""))
    case = item.case

    def write(connection: Connection) -> bool:
        known = label in NOBODY or desk_reading.administration(connection, label) is not None
        if not known or case is None:
            return False
        present = register.case_by_id(connection, case.id)
        row = desk_reading.open_item(connection, item.row.id)
        if present is not None and row is not None and ANSWER not in row.data:
            blind_checks.judge(connection, row, present, label, by=by, now=house.clock())
        return True

    return None if house.writer.run(write) else show().t("blind.choose")


def correct(item: Item) -> str | None:
    """The machine was wrong: hand the case to whom the person chose blindly."""
    house, by = current_house(), person().email
    black = house.settings.dispatch.blackhole_outlets
    case, slug = item.case, item.row.data.get(ANSWER, "")

    def write(connection: Connection) -> bool:
        chosen = desk_reading.administration(connection, slug)
        present = register.case_by_id(connection, case.id) if case is not None else None
        if chosen is None or present is None:
            return False
        try:
            blind_checks.correct(
                connection,
                item.row,
                present,
                slug,
                by=by,
                reason="a blind check chose another administration",
                now=house.clock(),
                outlet="blackhole" if black else chosen.outlet,
            )
        except ValueError:  # answered meanwhile, or given up
            return False
        return True

    return None if house.writer.run(write) else show().t("blind.settled")


def stand(item: Item) -> str | None:
    """The machine was right after all."""
    house, by, case = current_house(), person().email, item.case
    if case is not None:
        house.writer.run(
            lambda connection: blind_checks.let_stand(
                connection, item.row, case, by=by, now=house.clock()
            )
        )
    return None
