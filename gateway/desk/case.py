# SPDX-License-Identifier: MIT
"""One case as a thread, and what is done to it: reply, note, status, handing over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, redirect, request, url_for
from flask_login import login_required
from werkzeug.exceptions import NotFound

from channels.message import ChannelName
from channels.sms.segments import length
from gateway.desk import enclosing
from gateway.desk import reading as desk_reading
from gateway.desk.access import Deed
from gateway.desk.frame import page, show
from gateway.desk.session import announce, person
from gateway.desk.showing import MEGABYTE
from gateway.house import current_house
from gateway.sound_type import sound_type
from tracker import answers, links, register
from tracker.database import reading
from tracker.models import CaseStatus
from tracker.status import ForbiddenMove, allowed

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Blueprint
    from sqlalchemy import Connection, Row
    from werkzeug.wrappers import Response

    from gateway.desk.access import DeskUser

LONGEST_TEXT = 20_000
LONGEST_REASON = 500


class _Overtaken(Exception):  # noqa: N818 - what happened, not an error
    """Somebody wrote in this case after its page was opened."""


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    blueprint.add_url_rule("/cases/<uuid:case_id>", "case", case)
    for name, view in (("reply", reply), ("note", note), ("status", status), ("assign", assign)):
        blueprint.add_url_rule(f"/cases/<uuid:case_id>/{name}", name, view, methods=["POST"])


@login_required
def case(case_id: UUID) -> Response:
    """Show one case."""
    return _shown(_seen(case_id))


@login_required
def reply(case_id: UUID) -> Response:
    """Answer the citizen, or ask them something, on their own channel."""
    row = _seen(case_id, Deed.REPLY)
    user, house = person(), current_house()
    text = _typed("text", LONGEST_TEXT)
    if not text:
        return _shown(row, 422, error=("text", show().t("reply.empty")))
    files, wrong = enclosing.read(
        request.files.getlist("files"), house.settings, by_mail=row.channel == ChannelName.EMAIL
    )
    if wrong:
        return _shown(row, 422, error=("files", wrong))
    then = request.form.get("then", "answered")
    before = request.form.get("last", "")

    def answer(connection: Connection) -> None:
        present = _present(connection, case_id, user)
        # A second click, or a colleague's answer: nobody is to be answered twice unseen.
        if desk_reading.last_message(connection, case_id) != before:
            raise _Overtaken
        answers.answer_case(
            connection,
            present,
            text,
            author_name=user.email,
            administration=user.administration or present.administration,
            now=house.clock(),
            close=then == "closed",
            question=then == "waiting",
            files=files,
        )

    try:
        house.writer.run(answer)
    except _Overtaken:
        return _shown(row, 409, error=("text", show().t("reply.overtaken")), text=text)
    return _done(case_id, "replied")


@login_required
def note(case_id: UUID) -> Response:
    """Add a note that never leaves the house."""
    row = _seen(case_id, Deed.NOTE)
    user, now = person(), current_house().clock()
    text = _typed("text", LONGEST_TEXT)
    if not text:
        return _shown(row, 422, error=("note-text", show().t("note.empty")))
    current_house().writer.run(
        lambda connection: answers.note(
            connection, _present(connection, case_id, user), text, author_name=user.email, now=now
        )
    )
    return _done(case_id, "noted")


@login_required
def status(case_id: UUID) -> Response:
    """Move the case to another status, and tell the citizen."""
    row = _seen(case_id, Deed.STATUS)
    user, now = person(), current_house().clock()
    try:
        new = CaseStatus(request.form.get("status", ""))
    except ValueError:
        return _shown(row, 422, error=("status", show().t("status_form.choose")))

    def move(connection: Connection) -> None:
        answers.set_status(
            connection, _present(connection, case_id, user), new, by=user.email, now=now
        )

    try:
        current_house().writer.run(move)
    except ForbiddenMove:
        return _shown(_seen(case_id), 409, error=("status", show().t("status_form.moved")))
    return _done(case_id, "status_changed")


@login_required
def assign(case_id: UUID) -> Response:
    """Hand the case to another administration, with a reason. The clock runs on."""
    row = _seen(case_id, Deed.ASSIGN)
    say, reason = show(), _typed("reason", LONGEST_REASON)
    slug = request.form.get("administration", "")
    if not reason:
        return _shown(row, 422, error=("reason", say.t("assign.no_reason")))
    if not hand_over(case_id, slug, reason):
        return _shown(row, 422, error=("administration", say.t("assign.choose")))
    with reading(current_house().engine).connect() as connection:
        now_row = register.case_by_id(connection, case_id)
    if now_row is not None and person().may_see(now_row):
        return _done(case_id, "assigned")
    announce("assigned")
    return redirect(url_for("desk.cases"))


def hand_over(case_id: UUID, slug: str, reason: str) -> bool:
    """Assign a case as the person signed in; ``False`` for an unknown administration or its own."""
    house, user = current_house(), person()
    black = house.settings.dispatch.blackhole_outlets

    def write(connection: Connection) -> bool:
        chosen = desk_reading.administration(connection, slug)
        if chosen is None:
            return False
        return answers.assign(
            connection,
            _present(connection, case_id, user),
            slug,
            by=user.email,
            reasons=[reason],
            now=house.clock(),
            outlet="blackhole" if black else chosen.outlet,
        )

    return house.writer.run(write)


def _seen(case_id: UUID, deed: Deed | None = None) -> Row[Any]:
    """The case, if this person may see it (else 404) and do this (else 403)."""
    with reading(current_house().engine).connect() as connection:
        row = register.case_by_id(connection, case_id)
    if row is None or not person().may_see(row):
        abort(404)
    if deed is not None and not person().may(deed):
        abort(403)
    return row


def _present(connection: Connection, case_id: UUID, user: DeskUser) -> Row[Any]:
    """The case as it is now, in the writing transaction; it may have been handed on meanwhile.

    The writing thread knows no request, so ``user`` is given.
    """
    row = register.case_by_id(connection, case_id)
    if row is None or not user.may_see(row):
        raise NotFound
    return row


def _typed(field: str, longest: int) -> str:
    return request.form.get(field, "").replace("\r\n", "\n").replace("\0", "").strip()[:longest]


def _done(case_id: UUID, what: str) -> Response:
    announce(what)
    return redirect(url_for("desk.case", case_id=case_id))


def _shown(
    row: Row[Any], code: int = 200, *, error: tuple[str, str] | None = None, text: str = ""
) -> Response:
    house, say, user = current_house(), show(), person()
    with reading(house.engine).connect() as connection:
        thread = desk_reading.thread(connection, row.id)
        linked = links.of_case(connection, row)
        names = desk_reading.names(connection, say.language)
    return page(
        "case.html",
        code,
        case=row,
        thread=thread,
        linked={
            how: seen for how, rows in linked.items() if (seen := [*filter(user.may_see, rows)])
        },
        names=names,
        clock=say.clock(row, house.clock()),
        leaves_by=say.leaves_by(row),
        moves=[str(move) for move in CaseStatus if move in allowed(row.status)],
        may={str(deed): user.may(deed) for deed in Deed},
        sound_type=sound_type,
        most_files=house.settings.web.max_upload_files,
        most_megabytes=enclosing.most_bytes(house.settings) // MEGABYTE,
        sms_parts=lambda words: length(words).segments,
        error=error,
        text=text or _typed("text", LONGEST_TEXT),
        reason=_typed("reason", LONGEST_REASON),
    )
