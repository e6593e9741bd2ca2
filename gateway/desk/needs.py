# SPDX-License-Identifier: MIT
"""*Needs a person*: what no machine decides, each item with its reason and its action."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import abort, redirect, request, url_for
from flask_login import login_required
from sqlalchemy import func, select, type_coerce

from gateway.desk import blind_check, settling, telephone
from gateway.desk import reading as desk_reading
from gateway.desk.access import Deed
from gateway.desk.excerpt import READ_BYTES, glance
from gateway.desk.frame import page, show
from gateway.desk.item import Item
from gateway.desk.session import announce, person
from gateway.house import current_house
from gateway.sound_type import sound_type
from tracker import attention, learning, missed_calls, recordings, register, transfers
from tracker.database import reading
from tracker.elsewhere import Elsewhere
from tracker.models import AttentionReason, OutboxKind, deliveries, outbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from flask import Blueprint
    from sqlalchemy import Connection, Row
    from werkzeug.wrappers import Response

    from gateway.desk.excerpt import Glance

PAGE_SIZE = 20

#: What may be done about each reason, the right thing first.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    AttentionReason.UNROUTED: ("assign", "handled"),
    AttentionReason.HELD: ("attach", "open", "handled"),
    AttentionReason.QUARANTINED: ("replay", "open", "handled"),
    AttentionReason.UNDELIVERED: ("send", "handled"),
    AttentionReason.MISSED: ("handled", "open"),
    AttentionReason.UNFETCHED: ("fetch", "handled"),
    AttentionReason.UNTRANSCRIBED: ("transcribe", "handled"),
    AttentionReason.BLIND_CHECK: blind_check.FIRST,
}


def attach_to(blueprint: Blueprint) -> None:
    """Add this file's pages to the desk."""
    blueprint.add_url_rule("/attention", "attention", listed)
    blueprint.add_url_rule(
        "/attention/<uuid:item_id>/number", "item_number", number, methods=["POST"]
    )
    blueprint.add_url_rule("/attention/<uuid:item_id>/<action>", "attend", attend, methods=["POST"])


@login_required
def listed() -> Response:
    """The open items, oldest first."""
    if not person().may(Deed.ATTENTION):
        abort(403)
    return _shown()


@login_required
def attend(item_id: UUID, action: str) -> Response:
    """Do what the person decided, and take the item off the list."""
    item = _found(item_id)
    if item is None:
        announce("already_settled")
        return redirect(url_for("desk.attention"))
    if action not in item.actions:
        abort(404)
    problem = settling.ACTIONS[action](item)
    if problem is not None:
        return _shown(422, failed=item_id, problem=problem)
    announce(f"attended_{action}")
    return redirect(url_for("desk.attention", page=request.form.get("page", 1, type=int)))


@login_required
def number(item_id: UUID) -> Response:
    """Show whom to call back, once it is kept who was shown it."""
    item = _found(item_id)
    if item is None:
        announce("already_settled")
        return redirect(url_for("desk.attention"))
    if not item.number:
        abort(404)
    telephone.note_look(item.case.id if item.case is not None else None, item_id)
    return _shown(revealed=item_id)


def _found(item_id: UUID) -> Item | None:
    """The open item, for those who may deal with it."""
    if not person().may(Deed.ATTENTION):
        abort(403)
    with reading(current_house().engine).connect() as connection:
        row = desk_reading.open_item(connection, item_id)
        return _item(connection, row) if row is not None else None


def _shown(
    code: int = 200, *, failed: UUID | None = None, problem: str = "", revealed: UUID | None = None
) -> Response:
    house, say = current_house(), show()
    page_number = max(1, min(request.values.get("page", 1, type=int), 100_000))
    with reading(house.engine).connect() as connection:
        rows = attention.open_items(
            connection, limit=PAGE_SIZE, offset=(page_number - 1) * PAGE_SIZE
        )
        meant = failed or revealed
        if meant is not None and all(row.id != meant for row in rows):
            rows = [*attention_row(connection, meant), *rows]
        items = [_item(connection, row) for row in rows]
        counts = attention.counts(connection)
        names = desk_reading.names(connection, say.language, house.today())
    total = sum(counts.values())
    return page(
        "attention.html",
        code,
        items=items,
        counts=counts,
        reasons=[str(reason) for reason in AttentionReason if counts.get(str(reason))],
        total=total,
        number=page_number,
        last_page=max(1, -(-total // PAGE_SIZE)),
        names=names,
        nobody=[
            (label, show().t(f"blind.{label.removeprefix('person:')}"))
            for label in blind_check.NOBODY
        ],
        judged=any("judge" in item.actions for item in items),
        now=house.clock(),
        sound_type=sound_type,
        failed=failed,
        revealed=revealed,
        problem=problem,
        typed=request.form,
        kinds=[str(kind) for kind in Elsewhere],
    )


def attention_row(connection: Connection, item_id: UUID) -> list[Row[Any]]:
    """The open item as a list of one, or of none."""
    row = desk_reading.open_item(connection, item_id)
    return [row] if row is not None else []


def _item(connection: Connection, row: Row[Any]) -> Item:
    case = register.case_by_id(connection, row.case_id) if row.case_id else None
    delivery: Any = None
    look: Glance | None = None
    entry: Any = None
    if row.delivery_id is not None:
        body = type_coerce(
            func.substr(deliveries.c.body, 1, READ_BYTES), deliveries.c.body.type
        ).label("beginning")
        delivery = connection.execute(
            select(deliveries.c.id, deliveries.c.channel, deliveries.c.received_at, body).where(
                deliveries.c.id == row.delivery_id
            )
        ).first()
        look = glance(delivery.channel, delivery.beginning) if delivery is not None else None
    if row.outbox_id is not None:
        entry = connection.execute(select(outbox).where(outbox.c.id == row.outbox_id)).first()
    actions, blind = ACTIONS[row.reason], row.reason == AttentionReason.BLIND_CHECK
    fetches = entry is not None and entry.kind == OutboxKind.TRANSCRIBE and entry.message_id
    if fetches:
        actions = ACTIONS[AttentionReason.UNFETCHED]
    if blind:
        actions = blind_check.actions(row.data)
    latest = row.data.get(missed_calls.LATEST)
    above = row.data.get(transfers.NUMBER, 0) >= transfers.ABOVE
    if above and not person().may(Deed.DECIDE):
        actions = ()
    if delivery is None:
        actions = tuple(name for name in actions if name not in ("attach", "open", "replay"))
    if case is None or (entry is not None and entry.kind == "refer"):
        actions = tuple(name for name in actions if name not in ("send", "assign", "transcribe"))
    return Item(
        row=row,
        actions=actions,
        case=case,
        delivery=delivery,
        look=look,
        entry=entry,
        ways=desk_reading.ways_to(connection, case) if case is not None else (),
        files=desk_reading.files_to_transcribe(connection, case.id)
        if case is not None and row.reason == AttentionReason.UNTRANSCRIBED
        else (),
        above=above,
        fetches=bool(fetches),
        number=telephone.number_of(row, case, entry, look),
        calls=missed_calls.calls(row.data),
        last_call=datetime.fromisoformat(latest) if latest else None,
        being_fetched=bool(fetches) and recordings.being_fetched(connection, entry.message_id),
        words=learning.words_of(connection, case) if blind and case is not None else "",
    )
