# SPDX-License-Identifier: MIT
"""Parts of texts as they came, kept until the text is filed: each is a row before it is answered.

Nothing here is checked before it is inserted without a unique key behind it: a part is claimed as
(key, repetition), its place in a text as (text_key, occurrence, number). Two processes that read
the same part at once both try the same values; the one that comes second is run again by the
writer and then finds the row of the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, cast, exists, func, or_, select

from channels.message import Address, AddressScheme
from channels.sms.part import Part
from normalizer.text import storable
from tracker.identity import new_id
from tracker.models import deliveries, sms_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row

#: A text by its key and occurrence.
Name = tuple[str, int]

_PLACES = (
    sms_parts.c.text_key,
    sms_parts.c.occurrence,
    sms_parts.c.number,
    sms_parts.c.received_at,
)
_FILED = sms_parts.alias("filed")
_HELD = sms_parts.update().where(
    sms_parts.c.text_key == bindparam("its_key"),
    sms_parts.c.occurrence == bindparam("its_occurrence"),
    sms_parts.c.number == bindparam("its_number"),
)
#: Long texts keep their octets for the parts that may still come; of short ones the row remains.
_LONG_HELD = _HELD.values(delivery_id=bindparam("its_delivery"))
_SHORT_HELD = _HELD.values(delivery_id=bindparam("its_delivery"), user_data=b"", pdu=b"")


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be filed now of one text.

    Attributes:
        key: what its parts share, as a digest of 64 hexadecimal digits; of a text of one part its
            own key.
        occurrence: which text of this key it is, counted from 0.
        parts: what is to be filed, in order: all parts, those that came, or the late ones.
        late: whether the rest was filed before, without these.
        missing: numbers of the parts that have never come.
    """

    key: str
    occurrence: int
    parts: tuple[Part, ...]
    late: bool
    missing: tuple[int, ...]

    @property
    def delivery_key(self) -> str:
        """The idempotency key of its delivery; late parts have one of their own."""
        numbers = "".join(f":{part.number}" for part in self.parts) if self.late else ""
        return f"smpp:{self.key}:{self.occurrence}{numbers}"


@dataclass(slots=True)
class _Occurrence:
    """What is on record of one text, and what one read of the socket adds to it."""

    first_at: datetime
    numbers: set[int] = field(default_factory=set)


def text_key(part: Part) -> str:
    """What all parts of one text share: SMSC, sender, destination, reference and total.

    A text of one part shares nothing with another but its words: its own key.
    """
    if part.total == 1:
        return part.key
    shared = (
        part.smsc,
        f"{part.source.scheme}:{part.source.value}",
        part.destination,
        str(part.reference_bits),
        str(part.reference),
        str(part.total),
    )
    return hashlib.sha256("\0".join(shared).encode("utf-8", "surrogatepass")).hexdigest()


def repetition_of(
    seen: tuple[int, datetime] | None, received_at: datetime, window: timedelta
) -> int | None:
    """Which repetition of the same words a part is; ``None`` for one that is known already.

    Args:
        seen: the latest repetition on record and when it came, or ``None``.
        received_at: when this one came.
        window: how long after the latest one it still counts as sent again by the SMSC.
    """
    if seen is None:
        return 0
    number, at = seen
    return None if received_at - at <= window else number + 1


def keep(
    connection: Connection, parts: Sequence[Part], *, window: timedelta, late_window: timedelta
) -> int:
    """Store parts; return how many were new.

    Args:
        connection: inside a transaction.
        parts: in the order in which they came.
        window: how long the same part counts as known.
        late_window: how long after its first part a text still takes parts.

    Raises:
        sqlalchemy.exc.IntegrityError: another process stored one of them at this moment; run
            again, it is known then.
    """
    if not parts:
        return 0
    seen = _latest(connection, {part.key for part in parts})
    keys = {part.key: text_key(part) for part in parts}
    texts = _occurrences(connection, {keys[part.key] for part in parts if part.total > 1})
    rows = []
    for part in parts:
        repetition = repetition_of(seen.get(part.key), part.received_at, window)
        if repetition is None:
            continue
        seen[part.key] = (repetition, part.received_at)
        key = keys[part.key]
        occurrence = repetition
        if part.total > 1:
            occurrence = _place(texts.setdefault(key, {}), part, late_window)
        rows.append(_row(part, key, occurrence, repetition))
    if rows:
        connection.execute(sms_parts.insert(), rows)
    return len(rows)


def due(
    connection: Connection,
    *,
    limit: int,
    whole_before: datetime | None = None,
    waiting_since: datetime | None = None,
) -> list[Name]:
    """Texts that can be filed: the whole ones and late parts, in the order in which they came.

    Args:
        connection: for reading.
        limit: most texts.
        whole_before: only those whose parts have been there since then.
        waiting_since: also those that have waited since then for a part that has not come.
    """
    of_this = (
        _FILED.c.text_key == sms_parts.c.text_key,
        _FILED.c.occurrence == sms_parts.c.occurrence,
        _FILED.c.delivery_id.is_not(None),
    )
    first = func.min(sms_parts.c.received_at)
    ready = or_(
        func.count() >= func.max(sms_parts.c.total),
        exists(select(_FILED.c.id).where(*of_this)).correlate(sms_parts),
    )
    if whole_before is not None:
        ready = ready & (first < whole_before)
    if waiting_since is not None:
        ready = ready | (first < waiting_since)
    found = connection.execute(
        select(sms_parts.c.text_key, sms_parts.c.occurrence)
        .where(sms_parts.c.delivery_id.is_(None))
        .group_by(sms_parts.c.text_key, sms_parts.c.occurrence)
        .having(ready)
        # Ids grow with time; as text, because PostgreSQL knows no least one of them.
        .order_by(func.min(cast(sms_parts.c.id, String)))
        .limit(limit)
    )
    return [(row.text_key, row.occurrence) for row in found]


def take(connection: Connection, names: Sequence[Name], *, lock: bool = True) -> list[Text]:
    """What is to be filed of these texts now, whole or not, in the order of the names.

    Args:
        connection: inside a transaction.
        names: of texts.
        lock: keep the rows until the end of the transaction, so that nobody else files them.
    """
    if not names:
        return []
    found: dict[Name, list[Row[Any]]] = {name: [] for name in names}
    query = (
        select(sms_parts)
        .where(
            sms_parts.c.text_key.in_({key for key, _ in names}),
            sms_parts.c.occurrence.in_({occurrence for _, occurrence in names}),
        )
        .order_by(sms_parts.c.text_key, sms_parts.c.occurrence, sms_parts.c.number)
    )
    for row in connection.execute(query.with_for_update() if lock else query):
        if (row.text_key, row.occurrence) in found:
            found[row.text_key, row.occurrence].append(row)
    texts = []
    for (key, occurrence), rows in found.items():
        unfiled = tuple(_part(row) for row in rows if row.delivery_id is None)
        if unfiled:
            have = {row.number for row in rows}
            missing = tuple(n for n in range(1, rows[0].total + 1) if n not in have)
            texts.append(Text(key, occurrence, unfiled, len(unfiled) < len(rows), missing))
    return texts


def filed(connection: Connection, held: Iterable[tuple[Text, str]]) -> None:
    """Note which delivery holds the parts of these texts.

    Args:
        connection: inside a transaction.
        held: texts, and the idempotency key of the delivery of each, which is on record.
    """
    held = list(held)
    ids = {
        row.idempotency_key: row.id
        for row in connection.execute(
            select(deliveries.c.idempotency_key, deliveries.c.id).where(
                deliveries.c.idempotency_key.in_([key for _, key in held])
            )
        )
    }
    for statement, long in ((_LONG_HELD, True), (_SHORT_HELD, False)):
        rows = [
            {
                "its_key": text.key,
                "its_occurrence": text.occurrence,
                "its_number": part.number,
                "its_delivery": ids[key],
            }
            for text, key in held
            for part in text.parts
            if (part.total > 1) is long
        ]
        if rows:
            connection.execute(statement, rows)


def all_parts(connection: Connection, text: Text) -> tuple[Part, ...]:
    """Every part of a long text that is on record, in order."""
    rows = connection.execute(
        select(sms_parts)
        .where(sms_parts.c.text_key == text.key, sms_parts.c.occurrence == text.occurrence)
        .order_by(sms_parts.c.number)
    )
    return tuple(_part(row) for row in rows)


def first_delivery(connection: Connection, text: Text) -> Row[*tuple[Any, ...]] | None:
    """Id and case of the delivery under which the first parts of a late text were filed."""
    key = f"smpp:{text.key}:{text.occurrence}"
    return connection.execute(
        select(deliveries.c.id, deliveries.c.case_id).where(deliveries.c.idempotency_key == key)
    ).first()


def waiting(connection: Connection) -> int:
    """How many parts are not filed yet."""
    unfiled = sms_parts.c.delivery_id.is_(None)
    return connection.scalar(select(func.count()).select_from(sms_parts).where(unfiled)) or 0


def _latest(connection: Connection, keys: set[str]) -> dict[str, tuple[int, datetime]]:
    """The latest repetition on record of each part, and when it came."""
    query = (
        select(
            sms_parts.c.key,
            func.max(sms_parts.c.repetition).label("repetition"),
            func.max(sms_parts.c.received_at).label("received_at"),
        )
        .where(sms_parts.c.key.in_(keys))
        .group_by(sms_parts.c.key)
    )
    return {row.key: (row.repetition, row.received_at) for row in connection.execute(query)}


def _occurrences(connection: Connection, keys: set[str]) -> dict[str, dict[int, _Occurrence]]:
    """The texts of these keys on record, locked against whoever else would add to them."""
    found: dict[str, dict[int, _Occurrence]] = {}
    if not keys:
        return found
    for row in connection.execute(
        select(*_PLACES)
        .where(sms_parts.c.text_key.in_(keys))
        .order_by(sms_parts.c.text_key, sms_parts.c.occurrence, sms_parts.c.number)
        .with_for_update()
    ):
        texts = found.setdefault(row.text_key, {})
        text = texts.setdefault(row.occurrence, _Occurrence(row.received_at))
        text.first_at = min(text.first_at, row.received_at)
        text.numbers.add(row.number)
    return found


def _place(texts: dict[int, _Occurrence], part: Part, late_window: timedelta) -> int:
    """The text that a part belongs to: the newest one that lacks it, else one of its own.

    A phone uses a reference again sooner or later: then the place is taken already, or the text
    that lacks it is too old.
    """
    for occurrence in sorted(texts, reverse=True):
        text = texts[occurrence]
        if part.number not in text.numbers and part.received_at - text.first_at <= late_window:
            break
    else:
        occurrence = max(texts, default=-1) + 1
        text = texts[occurrence] = _Occurrence(part.received_at)
    text.numbers.add(part.number)
    return occurrence


def _row(part: Part, key: str, occurrence: int, repetition: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "text_key": key,
        "occurrence": occurrence,
        "number": part.number,
        "total": part.total,
        "key": part.key,
        "repetition": repetition,
        "smsc": storable(part.smsc)[:64],
        "source_scheme": str(part.source.scheme),
        "source": storable(part.source.value),
        "destination": storable(part.destination),
        "reference_bits": part.reference_bits,
        "reference": part.reference,
        "data_coding": part.data_coding,
        "received_at": part.received_at,
        "delivery_id": None,
        "user_data": part.user_data,
        "pdu": part.pdu,
    }


def _part(row: Row[Any]) -> Part:
    return Part(
        smsc=row.smsc,
        source=Address(AddressScheme(row.source_scheme), row.source),
        destination=row.destination,
        reference=row.reference,
        reference_bits=row.reference_bits,
        total=row.total,
        number=row.number,
        data_coding=row.data_coding,
        user_data=row.user_data,
        received_at=row.received_at,
        pdu=row.pdu,
        key=row.key,
    )
