# SPDX-License-Identifier: MIT
"""What is done about an item of *Needs a person*. Each returns what is wrong, or ``None``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request

from channels.channel import Accepted, Acknowledgement, Refused
from channels.message import ChannelName
from gateway import replay as replaying
from gateway.desk import blind_check
from gateway.desk.case import LONGEST_REASON, LONGEST_TEXT
from gateway.desk.choosing import chosen
from gateway.desk.frame import region, show
from gateway.desk.handing import Handed, hand_over
from gateway.desk.reading import TYPED_BY
from gateway.desk.session import person
from gateway.house import current_house
from normalizer import tracking_code
from normalizer.language import detect
from normalizer.phone import e164
from tracker import answers, attention, missed_calls, outbox, recordings, register
from tracker.database import reading
from tracker.group_commit import StorageUnavailable
from tracker.models import AttentionReason, EventType, OutboxKind, attachments
from tracker.users import LONGEST_EMAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from gateway.desk.item import Item


def assign(item: Item) -> str | None:
    """Give an unrouted case to an administration."""
    reason = _typed("reason", LONGEST_REASON)
    slug = chosen(request.form.get("administration", ""))
    if item.case is None or not slug:
        return show().t("assign.choose")
    handed = hand_over(item.case.id, slug, reason or "chosen by a person")
    if handed not in (Handed.DONE, Handed.ABOVE):
        return show().t(f"assign.{handed}")
    if handed is Handed.ABOVE:  # it is a new item, for the person above
        return None
    _resolve(item, "assigned")
    return None


def attach(item: Item) -> str | None:
    """Add a held delivery to the case of a code."""
    read = tracking_code.read(_typed("code", 200))
    if read.code is None:
        return show().t("search.slip" if read.slip else "search.unknown")
    house = current_house()
    with reading(house.engine).connect() as connection:
        if register.find_case(connection, read.code) is None:
            return show().t("search.unknown")
    result = replaying.attach(house, item.row.delivery_id, read.code, person().email)
    return _settled(item, result, "attached")


def open_case(item: Item) -> str | None:
    """Open a new case from a delivery, with a note if one was typed."""
    house, user = current_house(), person()
    result = replaying.open_case(house, item.row.delivery_id, user.email)
    problem = _settled(item, result, "case_opened")
    text = _typed("text", LONGEST_TEXT)
    missed = item.row.reason == AttentionReason.MISSED
    if problem is None and isinstance(result, Accepted) and result.tracking_code:
        code, now = result.tracking_code, house.clock()

        def write(connection: Connection) -> None:
            case = register.find_case(connection, code)
            if case is None:
                return
            if missed:
                missed_calls.join(connection, item.row.id, case.id)
            if text:
                answers.note(connection, case, text, author_name=user.email, now=now)

        house.writer.run(write)
    return problem


def replay(item: Item) -> str | None:
    """Read a quarantined delivery again."""
    result = replaying.replay(current_house(), item.row.delivery_id, person().email)
    if isinstance(result, Accepted) and result.state == "quarantined":
        return show().t("attention.still_unread")
    return _settled(item, result, "replayed")


def send(item: Item) -> str | None:
    """Send what was not delivered another way: a known one, or one the person typed.

    Another way carries no words of an answer: only that there is one, and the code (promise 7).
    """
    say, house, entry, case = show(), current_house(), item.entry, item.case
    channel, address = _chosen_way(item)
    if not channel:
        return say.t("attention.choose_way")
    if channel == ChannelName.EMAIL:
        scheme = "mailto"
        local, _, domain = address.rpartition("@")
        if not local or "." not in domain or any(c.isspace() for c in address):
            return say.t("attention.bad_email")
    else:
        scheme, address = "tel", e164(address, region()) or ""
        if not address:
            return say.t("attention.bad_number")
    # A refusal is not repeated as an answer: what failed says which notice goes instead.
    reply = entry is None or entry.kind == OutboxKind.REPLY
    kind = OutboxKind.NOTIFY if reply or entry is None else OutboxKind(entry.kind)
    payload: dict[str, Any] = (
        {"notice": "have_answer"} if reply or entry is None else dict(entry.payload)
    )
    now, by = house.clock(), person().email

    def write(connection: Connection) -> None:
        if attention.resolve(connection, item.row.id, by=by, action="sent_another_way", at=now):
            outbox.put(
                connection,
                kind,
                f"another:{item.row.id}",
                now=now,
                channel=channel,
                recipient_scheme=scheme,
                recipient=address,
                case_id=case.id if case is not None else None,
                payload=payload,
            )

    house.writer.run(write)
    return None


def handled(item: Item) -> str | None:
    """Take the item off the list: somebody saw to it outside (phoned, for instance)."""
    if item.row.reason != AttentionReason.MISSED:
        _resolve(item, "handled")
        return None
    house, by = current_house(), person().email
    seen = request.form.get("calls", item.calls, type=int)
    settled = house.writer.run(
        lambda connection: missed_calls.settle(
            connection, item.row.id, seen=seen, by=by, at=house.clock()
        )
    )
    # A call that came meanwhile must not go with those that were seen to.
    return None if settled else show().t("attention.called_again")


def transcribe(item: Item) -> str | None:
    """Keep what a person heard as the transcript of a recording."""
    text = _typed("transcript", LONGEST_TEXT)
    if not text:
        return show().t("attention.empty_transcript")
    try:
        file_id = UUID(request.form.get("file", ""))
    except ValueError:
        return show().t("attention.choose_recording")
    case = item.case
    if case is None or all(file.id != file_id for file in item.files):
        return show().t("attention.choose_recording")
    house, by = current_house(), person().email
    now, last = house.clock(), len(item.files) == 1
    message_of = {file.id: file.message_id for file in item.files}

    def write(connection: Connection) -> None:
        connection.execute(
            attachments.update()
            .where(attachments.c.id == file_id)
            .values(transcript=text, transcript_state="done", transcript_data={TYPED_BY: by})
        )
        spoken = detect(text, case.language)
        recordings.spoken_in(connection, message_of[file_id], spoken)
        register.add_event(
            connection,
            case.id,
            EventType.TRANSCRIBED,
            {"by": by},
            source="/desk",
            subject=str(file_id),
            at=now,
        )
        present = register.case_by_id(connection, case.id)
        if present is not None and present.administration is None:
            outbox.put(
                connection,
                OutboxKind.ROUTE,
                f"route:typed:{file_id}",
                now=now,
                channel=present.channel,
                case_id=case.id,
                payload={"transcript": text},
            )
        if last:
            attention.resolve(connection, item.row.id, by=by, action="transcribed", at=now)

    house.writer.run(write)
    return None


def fetch(item: Item) -> str | None:
    """Have what could not be fetched fetched again; the item stays until it is there."""
    house, entry = current_house(), item.entry
    if entry is None or entry.message_id is None:
        return show().t("attention.nothing_to_fetch")
    now = house.clock()
    house.writer.run(lambda connection: recordings.fetch_again(connection, entry.message_id, now))
    return None


ACTIONS: Mapping[str, Callable[[Item], str | None]] = {
    "assign": assign,
    "attach": attach,
    "open": open_case,
    "replay": replay,
    "send": send,
    "handled": handled,
    "transcribe": transcribe,
    "fetch": fetch,
    "judge": blind_check.judge,
    "correct": blind_check.correct,
    "stand": blind_check.stand,
}


def _chosen_way(item: Item) -> tuple[str, str]:
    """The channel and address chosen: ``way`` is the position of a known one, or a channel."""
    way = request.form.get("way", "")
    if way.isascii() and way.isdigit() and int(way) < len(item.ways):
        return item.ways[int(way)]
    if way in (ChannelName.SMS, ChannelName.EMAIL, ChannelName.VOICE):
        return way, _typed("address", LONGEST_EMAIL)
    return "", ""


def _settled(item: Item, result: Acknowledgement, action: str) -> str | None:
    """Resolve the item if the delivery went in; else say why not.

    Raises:
        StorageUnavailable: nothing was stored.
    """
    if isinstance(result, Refused):
        return show().t("attention.refused", reason=result.reason)
    if not isinstance(result, Accepted):
        raise StorageUnavailable(result.reason)
    _resolve(item, action)
    return None


def _resolve(item: Item, action: str) -> None:
    house, by = current_house(), person().email
    house.writer.run(
        lambda connection: attention.resolve(
            connection, item.row.id, by=by, action=action, at=house.clock()
        )
    )


def _typed(field: str, longest: int) -> str:
    return request.form.get(field, "").replace("\r\n", "\n").replace("\0", "").strip()[:longest]
