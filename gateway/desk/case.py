# SPDX-License-Identifier: MIT
"""One case as a thread, and what is done to it: reply, note, status, handing over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import abort, redirect, request, url_for
from flask_login import login_required
from werkzeug.exceptions import NotFound

from channels.message import ChannelName
from channels.sms.segments import length
from gateway.desk import enclosing, telephone
from gateway.desk import reading as desk_reading
from gateway.desk.access import Deed
from gateway.desk.choosing import chosen
from gateway.desk.frame import page, show
from gateway.desk.handing import SETTLED, Handed, hand_over
from gateway.desk.likely import likely
from gateway.desk.session import announce, person
from gateway.desk.showing import MEGABYTE
from gateway.house import current_house
from gateway.sound_type import sound_type
from tracker import answers, children, links, register, resemblance, transfers
from tracker.database import reading
from tracker.dividing import MOST
from tracker.elsewhere import Elsewhere
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


#: What is set by hand. To triage a case goes with a reason (give it up), elsewhere with its kind.
_BY_FORM = frozenset(CaseStatus) - {
    CaseStatus.TRIAGE,
    CaseStatus.OUT_OF_COMPETENCE,
    CaseStatus.RECEIVED,
}


class _Overtaken(Exception):  # noqa: N818 - what happened, not an error
    """Somebody wrote in this case after its page was opened."""


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    blueprint.add_url_rule("/cases/<uuid:case_id>", "case", case)
    blueprint.add_url_rule("/cases/<uuid:case_id>/number", "number", number, methods=["POST"])
    for name, view in (("reply", reply), ("note", note), ("status", status), ("assign", assign)):
        blueprint.add_url_rule(f"/cases/<uuid:case_id>/{name}", name, view, methods=["POST"])


@login_required
def case(case_id: UUID) -> Response:
    """Show one case."""
    return shown(seen(case_id))


@login_required
def number(case_id: UUID) -> Response:
    """Show the citizen's number, once it is kept who was shown it."""
    row = seen(case_id, Deed.ATTENTION)
    telephone.note_look(row.id)
    return shown(row, revealed=True)


@login_required
def reply(case_id: UUID) -> Response:
    """Answer the citizen, or ask them something, on their own channel."""
    row = seen(case_id, Deed.REPLY)
    user, house = person(), current_house()
    text = typed("text", LONGEST_TEXT)
    if not text:
        return shown(row, 422, error=("text", show().t("reply.empty")))
    files, wrong = enclosing.read(
        request.files.getlist("files"), house.settings, by_mail=row.channel == ChannelName.EMAIL
    )
    if wrong:
        return shown(row, 422, error=("files", wrong))
    then = request.form.get("then", "answered")
    before = request.form.get("last", "")

    def answer(connection: Connection) -> None:
        present_row = present(connection, case_id, user)
        # A second click, or a colleague's answer: nobody is to be answered twice unseen.
        if desk_reading.last_message(connection, present_row) != before:
            raise _Overtaken
        answers.answer_case(
            connection,
            present_row,
            text,
            author_name=user.email,
            administration=user.administration or present_row.administration,
            now=house.clock(),
            close=then == "closed",
            question=then == "waiting",
            files=files,
        )

    try:
        house.writer.run(answer)
    except _Overtaken:
        return shown(row, 409, error=("text", show().t("reply.overtaken")), text=text)
    return done(case_id, "replied")


@login_required
def note(case_id: UUID) -> Response:
    """Add a note that never leaves the house."""
    row = seen(case_id, Deed.NOTE)
    user, now = person(), current_house().clock()
    text = typed("text", LONGEST_TEXT)
    if not text:
        return shown(row, 422, error=("note-text", show().t("note.empty")))
    current_house().writer.run(
        lambda connection: answers.note(
            connection, present(connection, case_id, user), text, author_name=user.email, now=now
        )
    )
    return done(case_id, "noted")


@login_required
def status(case_id: UUID) -> Response:
    """Move the case to another status, and tell the citizen."""
    row = seen(case_id, Deed.STATUS)
    user, now = person(), current_house().clock()
    new = next((one for one in _BY_FORM if one == request.form.get("status")), None)
    if new is None:
        return shown(row, 422, error=("status", show().t("status_form.choose")))

    def move(connection: Connection) -> None:
        answers.set_status(
            connection, present(connection, case_id, user), new, by=user.email, now=now
        )

    try:
        current_house().writer.run(move)
    except ForbiddenMove:
        return shown(seen(case_id), 409, error=("status", show().t("status_form.moved")))
    return done(case_id, "status_changed")


@login_required
def assign(case_id: UUID) -> Response:
    """Hand the case to another administration, with a reason. The clock runs on."""
    row = seen(case_id, Deed.ASSIGN)
    say, reason = show(), typed("reason", LONGEST_REASON)
    slug = chosen(request.form.get("administration", ""))
    if not reason:
        return shown(row, 422, error=("reason", say.t("assign.no_reason")))
    handed = hand_over(case_id, slug, reason)
    if handed not in (Handed.DONE, Handed.ABOVE):
        return shown(row, 422, error=("administration", say.t(f"assign.{handed}")))
    told = "assigned" if handed is Handed.DONE else "sent_above"
    with reading(current_house().engine).connect() as connection:
        now_row = register.case_by_id(connection, case_id)
    if now_row is not None and person().may_see(now_row):
        return done(case_id, told)
    announce(told)
    return redirect(url_for("desk.cases"))


def seen(case_id: UUID, deed: Deed | None = None) -> Row[Any]:
    """The case, if this person may see it (else 404) and do this (else 403)."""
    with reading(current_house().engine).connect() as connection:
        row = register.case_by_id(connection, case_id)
    if row is None or not person().may_see(row):
        abort(404)
    if deed is not None and not person().may(deed):
        abort(403)
    return row


def present(connection: Connection, case_id: UUID, user: DeskUser) -> Row[Any]:
    """The case as it is now, in the writing transaction; it may have been handed on meanwhile.

    The writing thread knows no request, so ``user`` is given.
    """
    row = register.case_by_id(connection, case_id)
    if row is None or not user.may_see(row):
        raise NotFound
    return row


def typed(field: str, longest: int) -> str:
    """What was typed into a field of the form, at most so long."""
    return request.form.get(field, "").replace("\r\n", "\n").replace("\0", "").strip()[:longest]


def done(case_id: UUID, what: str) -> Response:
    """Back to the page of the case, which says what was done."""
    announce(what)
    return redirect(url_for("desk.case", case_id=case_id))


def shown(
    row: Row[Any],
    code: int = 200,
    *,
    error: tuple[str, str] | None = None,
    text: str = "",
    revealed: bool = False,
) -> Response:
    """The page of a case, with what went wrong and what was typed, if anything."""
    house, say, user = current_house(), show(), person()
    with reading(house.engine).connect() as connection:
        thread = desk_reading.thread(connection, row)
        related = links.of_case(connection, row)
        names = desk_reading.names(connection, say.language, house.today())
        told = children.citizens_case(connection, row)
        parts = children.of_parent(connection, row.id) if row.children else ()
        history = transfers.of_case(connection, row.id)
        proposals = desk_reading.proposals(connection, row.id)
        alike = likely(connection, row, [one["administration"] for one in proposals])
        linked = [one for one in resemblance.linked(connection, row.id) if user.may_see(one)]
        above = transfers.needs_a_person_above(connection, row)
    return page(
        "case.html",
        code,
        case=row,
        told=told,
        children=parts,
        thread=thread,
        related={
            how: seen for how, rows in related.items() if (seen := [*filter(user.may_see, rows)])
        },
        names=names,
        clock=say.clock(row, house.clock()),
        leaves_by=say.leaves_by(told),
        moves=[str(move) for move in CaseStatus if move in allowed(row.status) & _BY_FORM],
        may={str(deed): user.may(deed) for deed in Deed},
        after=[str(move) for move in allowed(row.status)],
        open=row.status not in SETTLED,
        transfers=history,
        only_above=above and not user.may(Deed.DECIDE),
        proposals=proposals,
        alike=alike,
        linked=linked,
        kinds=[str(kind) for kind in Elsewhere],
        most=MOST,
        sound_type=sound_type,
        most_files=house.settings.web.max_upload_files,
        most_megabytes=enclosing.most_bytes(house.settings) // MEGABYTE,
        sms_parts=lambda words: length(words).segments,
        error=error,
        revealed=revealed,
        text=text or typed("text", LONGEST_TEXT),
        reason=typed("reason", LONGEST_REASON),
    )
