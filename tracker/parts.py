# SPDX-License-Identifier: MIT
"""Parts of long texts, kept until the text is whole or has waited long enough.

Nothing here is checked before it is inserted without a unique key behind it: a part is claimed as
(key, repetition), its place in a text as (text_key, occurrence, number). Two processes that read
the same part at once both try the same values; the one that comes second is run again by the
writer and then finds the row of the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from channels.message import Address, AddressScheme
from channels.sms.part import Part
from normalizer.text import storable
from tracker.identity import new_id
from tracker.models import deliveries, sms_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row

_KNOWN = (sms_parts.c.key, sms_parts.c.repetition, sms_parts.c.received_at)
_PLACES = (
    sms_parts.c.text_key,
    sms_parts.c.occurrence,
    sms_parts.c.number,
    sms_parts.c.received_at,
    sms_parts.c.delivery_id,
)


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be filed now of one long text.

    Attributes:
        key: what its parts share, as a digest of 64 hexadecimal digits.
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
    filed: bool = False
    added: list[Part] = field(default_factory=list)


def text_key(part: Part) -> str:
    """What all parts of one text share: SMSC, sender, destination, reference and total."""
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
) -> list[Text]:
    """Store parts of long texts and tell which texts are to be filed with them.

    Args:
        connection: inside a transaction, which the texts are filed in too.
        parts: of texts with more than one part each, in the order in which they came.
        window: how long the same part counts as known.
        late_window: how long after its first part a text still takes parts.

    Raises:
        sqlalchemy.exc.IntegrityError: another process stored one of them at this moment; run
            again, it is known then.
    """
    if not parts:
        return []
    seen = _latest(connection, {part.key for part in parts})
    keys = {part.key: text_key(part) for part in parts}
    texts = _occurrences(connection, set(keys.values()))
    rows = []
    for part in parts:
        repetition = repetition_of(seen.get(part.key), part.received_at, window)
        if repetition is None:
            continue
        seen[part.key] = (repetition, part.received_at)
        key = keys[part.key]
        occurrence = _place(texts.setdefault(key, {}), part, late_window)
        rows.append(_row(part, key, occurrence, repetition))
    if rows:
        connection.execute(sms_parts.insert(), rows)
    touched = [
        (key, occurrence, text)
        for key, found in texts.items()
        for occurrence, text in found.items()
        if text.added
    ]
    return _ready(connection, touched)


def overdue(connection: Connection, before: datetime, *, limit: int = 200) -> list[tuple[str, int]]:
    """Texts that have waited since ``before`` for a part, or that are whole and not filed.

    The latter happens where two processes stored the last two parts at the same moment.
    """
    found = connection.execute(
        select(sms_parts.c.text_key, sms_parts.c.occurrence)
        .where(sms_parts.c.delivery_id.is_(None))
        .group_by(sms_parts.c.text_key, sms_parts.c.occurrence)
        .having(
            or_(
                func.min(sms_parts.c.received_at) < before,
                func.count() >= func.max(sms_parts.c.total),
            )
        )
        .order_by(func.min(sms_parts.c.received_at))
        .limit(limit)
    )
    return [(row.text_key, row.occurrence) for row in found]


def take(connection: Connection, key: str, occurrence: int) -> Text | None:
    """What is to be filed of one text now, whole or not; ``None`` when nothing is left to file."""
    rows = connection.execute(
        select(sms_parts)
        .where(sms_parts.c.text_key == key, sms_parts.c.occurrence == occurrence)
        .order_by(sms_parts.c.number)
        .with_for_update()
    ).all()
    unfiled = tuple(_part(row) for row in rows if row.delivery_id is None)
    if not unfiled:
        return None
    have = {row.number for row in rows}
    missing = tuple(n for n in range(1, rows[0].total + 1) if n not in have)
    return Text(key, occurrence, unfiled, len(unfiled) < len(rows), missing)


def filed(connection: Connection, texts: Iterable[Text]) -> None:
    """Note which delivery holds the parts of these texts; the deliveries are on record."""
    for text in texts:
        delivery = select(deliveries.c.id).where(deliveries.c.idempotency_key == text.delivery_key)
        connection.execute(
            sms_parts.update()
            .where(
                sms_parts.c.text_key == text.key,
                sms_parts.c.occurrence == text.occurrence,
                sms_parts.c.number.in_([part.number for part in text.parts]),
            )
            .values(delivery_id=delivery.scalar_subquery())
        )


def all_parts(connection: Connection, text: Text) -> tuple[Part, ...]:
    """Every part of a text that is on record, in order."""
    return _whole(connection, [(text.key, text.occurrence)])[text.key, text.occurrence]


def first_delivery(connection: Connection, text: Text) -> Row[*tuple[Any, ...]] | None:
    """Id and case of the delivery under which the first parts of a late text were filed."""
    key = f"smpp:{text.key}:{text.occurrence}"
    return connection.execute(
        select(deliveries.c.id, deliveries.c.case_id).where(deliveries.c.idempotency_key == key)
    ).first()


def alone_key(key: str, repetition: int) -> str:
    """The idempotency key of a text of one part."""
    return f"smpp:{key}:{repetition}"


def latest_alone(connection: Connection, keys: Iterable[str]) -> dict[str, tuple[int, datetime]]:
    """The latest repetition on record of texts of one part, and when it came.

    Their deliveries are numbered without gaps, so the last one is found by doubling and halving.
    """
    found: dict[str, tuple[int, datetime]] = {}
    first = _came(connection, [alone_key(key, 0) for key in keys])
    for name, at in first.items():
        key = name.split(":")[1]
        low, latest, high = 0, at, 1
        while then := _came(connection, [alone_key(key, high)]):
            low, latest, high = high, *then.values(), high * 2
        while high - low > 1:
            middle = (low + high) // 2
            then = _came(connection, [alone_key(key, middle)])
            if then:
                low, latest = middle, *then.values()
            else:
                high = middle
        found[key] = (low, latest)
    return found


def _came(connection: Connection, names: Sequence[str]) -> dict[str, datetime]:
    if not names:
        return {}
    query = select(deliveries.c.idempotency_key, deliveries.c.received_at).where(
        deliveries.c.idempotency_key.in_(names)
    )
    return {row.idempotency_key: row.received_at for row in connection.execute(query)}


def _latest(connection: Connection, keys: set[str]) -> dict[str, tuple[int, datetime]]:
    found: dict[str, tuple[int, datetime]] = {}
    for row in connection.execute(select(*_KNOWN).where(sms_parts.c.key.in_(keys))):
        if row.key not in found or found[row.key][0] < row.repetition:
            found[row.key] = (row.repetition, row.received_at)
    return found


def _occurrences(connection: Connection, keys: set[str]) -> dict[str, dict[int, _Occurrence]]:
    """The texts of these keys on record, locked against whoever else would file them."""
    found: dict[str, dict[int, _Occurrence]] = {}
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
        text.filed = text.filed or row.delivery_id is not None
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
    text.added.append(part)
    return occurrence


def _ready(connection: Connection, touched: Sequence[tuple[str, int, _Occurrence]]) -> list[Text]:
    whole: dict[tuple[str, int], tuple[Part, ...]] = {}
    wanted = []
    for key, occurrence, text in touched:
        total = text.added[0].total
        if not text.filed and len(text.numbers) == total:
            if len(text.added) < total:
                wanted.append((key, occurrence))
            else:
                whole[key, occurrence] = _in_order(text.added)
    if wanted:
        whole |= _whole(connection, wanted)
    ready = []
    for key, occurrence, text in touched:
        missing = tuple(n for n in range(1, text.added[0].total + 1) if n not in text.numbers)
        if text.filed:
            ready.append(Text(key, occurrence, _in_order(text.added), late=True, missing=missing))
        elif (key, occurrence) in whole:
            ready.append(Text(key, occurrence, whole[key, occurrence], late=False, missing=()))
    return ready


def _in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: part.number))


def _whole(
    connection: Connection, wanted: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], tuple[Part, ...]]:
    found: dict[tuple[str, int], list[Part]] = {}
    of_these = [
        and_(sms_parts.c.text_key == key, sms_parts.c.occurrence == occurrence)
        for key, occurrence in wanted
    ]
    for row in connection.execute(select(sms_parts).where(or_(*of_these))):
        found.setdefault((row.text_key, row.occurrence), []).append(_part(row))
    return {name: _in_order(parts) for name, parts in found.items()}


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
