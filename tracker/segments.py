# SPDX-License-Identifier: MIT
"""The operator's ids of the segments that we sent, and what their receipts make of the text.

A text is delivered when all its segments are, and has failed when one of them has. A receipt may
come before the answer that tells us the id: it is kept, and matched when the answer comes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from channels.message import DeliveryStatus, Receipt, advances
from normalizer.text import storable
from tracker import bulk, receipts
from tracker.identity import new_id
from tracker.models import sms_segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from channels.sms.part import SegmentReceipt

#: How long a receipt without a segment is kept. Operators count their ids from the start again,
#: so an old one must not be taken for the receipt of a text that is sent much later.
UNMATCHED = timedelta(hours=24)
_FAILED = (DeliveryStatus.FAILED, DeliveryStatus.BOUNCED)
_DELIVERED = (DeliveryStatus.DELIVERED, DeliveryStatus.READ)
_BY_ROW = sms_segments.update().where(sms_segments.c.id == bindparam("row"))
_ADOPT = _BY_ROW.values(
    outbox_id=bindparam("entry"),
    number=bindparam("place"),
    status=bindparam("new_status"),
    detail=bindparam("new_detail"),
    at=bindparam("new_at"),
)


def sent(
    connection: Connection, smsc: str, texts: Mapping[UUID, Sequence[str]], now: datetime
) -> None:
    """Store the ids of texts whose segments were all accepted, and apply what is known of them.

    Args:
        connection: inside a transaction.
        smsc: name of the account.
        texts: ids of the segments in order, by outbox entry.
        now: the present time.
    """
    ids = {message_id for those in texts.values() for message_id in those}
    known = _rows(connection, smsc, ids)
    fresh, adopted, gone = [], [], []
    for outbox_id, message_ids in texts.items():
        said: list[tuple[DeliveryStatus, str]] = []
        for number, message_id in enumerate(message_ids, start=1):
            row = known.get(message_id)
            if row is None:
                fresh.append(
                    {
                        "id": new_id(),
                        "smsc": smsc,
                        "message_id": message_id,
                        "outbox_id": outbox_id,
                        "number": number,
                        "status": str(DeliveryStatus.SENT),
                        "detail": "",
                        "at": now,
                    }
                )
                said.append((DeliveryStatus.SENT, ""))
                continue
            # An early receipt is the later word. An id of an older text was used again.
            early = row.outbox_id is None and now - row.at <= UNMATCHED
            same = row.outbox_id == outbox_id
            keeps = (early or same) and advances(DeliveryStatus.SENT, DeliveryStatus(row.status))
            adopted.append(
                {
                    "row": row.id,
                    "entry": outbox_id,
                    "place": number,
                    "new_status": row.status if keeps else str(DeliveryStatus.SENT),
                    "new_detail": row.detail if keeps else "",
                    "new_at": row.at if keeps else now,
                }
            )
            status = DeliveryStatus(row.status) if keeps else DeliveryStatus.SENT
            said.append((status, row.detail if keeps else ""))
        status, detail = _together(said) or (DeliveryStatus.SENT, "")
        gone.append((outbox_id, Receipt(" ".join(message_ids), status, detail)))
    bulk.insert(connection, {sms_segments: fresh})
    if adopted:
        connection.execute(_ADOPT, adopted)
    receipts.apply_all(connection, gone, now)


def receive(connection: Connection, told: Sequence[SegmentReceipt], now: datetime) -> None:
    """Apply receipts of segments, in any order and repeated; see the module.

    Raises:
        sqlalchemy.exc.IntegrityError: another process stored one of these ids at this moment; run
            again, it is known then.
    """
    for smsc in sorted({receipt.smsc for receipt in told}):
        latest: dict[str, SegmentReceipt] = {}
        for receipt in told:
            held = latest.get(receipt.message_id)
            if receipt.smsc == smsc and (
                held is None or advances(held.delivery_status, receipt.delivery_status)
            ):
                latest[receipt.message_id] = receipt
        _receive(connection, smsc, latest, now)


def _receive(
    connection: Connection, smsc: str, latest: Mapping[str, SegmentReceipt], now: datetime
) -> None:
    known = _rows(connection, smsc, set(latest))
    fresh, entries = [], set()
    moved: dict[tuple[str, str], list[UUID]] = {}
    for message_id, receipt in latest.items():
        row = known.get(message_id)
        detail = storable(receipt.detail)[:200]
        if row is None:
            fresh.append(
                {
                    "id": new_id(),
                    "smsc": smsc,
                    "message_id": message_id,
                    "outbox_id": None,
                    "number": 0,
                    "status": str(receipt.delivery_status),
                    "detail": detail,
                    "at": now,
                }
            )
        elif advances(DeliveryStatus(row.status), receipt.delivery_status):
            moved.setdefault((str(receipt.delivery_status), detail), []).append(row.id)
            if row.outbox_id is not None:
                entries.add(row.outbox_id)
    bulk.insert(connection, {sms_segments: fresh})
    for (status, detail), rows in moved.items():
        connection.execute(
            sms_segments.update()
            .where(sms_segments.c.id.in_(rows))
            .values(status=status, detail=detail, at=now)
        )
    _settle(connection, entries, now)


def forget(connection: Connection, now: datetime) -> None:
    """Delete receipts that no segment of ours was found for."""
    connection.execute(
        sms_segments.delete().where(
            sms_segments.c.outbox_id.is_(None), sms_segments.c.at < now - UNMATCHED
        )
    )


def _rows(connection: Connection, smsc: str, message_ids: set[str]) -> dict[str, Row[Any]]:
    query = select(sms_segments).where(
        sms_segments.c.smsc == smsc, sms_segments.c.message_id.in_(message_ids)
    )
    return {row.message_id: row for row in connection.execute(query.with_for_update())}


def _settle(connection: Connection, entries: set[UUID], now: datetime) -> None:
    """Say of each text what its segments say together."""
    if not entries:
        return
    found: dict[UUID, list[Row[Any]]] = {}
    for row in connection.execute(
        select(sms_segments)
        .where(sms_segments.c.outbox_id.in_(entries))
        .order_by(sms_segments.c.outbox_id, sms_segments.c.number)
    ):
        found.setdefault(row.outbox_id, []).append(row)
    told = []
    for outbox_id, rows in found.items():
        fate = _together([(DeliveryStatus(row.status), row.detail) for row in rows])
        if fate is not None:
            told.append((outbox_id, Receipt("", *fate)))
    receipts.apply_all(connection, told, now)


def _together(
    segments: Sequence[tuple[DeliveryStatus, str]],
) -> tuple[DeliveryStatus, str] | None:
    """The fate of a text by those of its segments; ``None`` while receipts are out."""
    for status, detail in segments:
        if status in _FAILED:
            return DeliveryStatus.FAILED, detail
    if all(status in _DELIVERED for status, _ in segments):
        return DeliveryStatus.DELIVERED, segments[-1][1]
    return None
