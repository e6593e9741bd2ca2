# SPDX-License-Identifier: MIT
"""Parts of long texts: where each belongs, what is known already, and what is to be filed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import IntegrityError

from channels.message import Address, AddressScheme
from channels.sms.part import Part
from tracker import parts
from tracker.database import open_engine
from tracker.identity import new_id
from tracker.migrations import upgrade
from tracker.models import deliveries, sms_parts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW, LATE = timedelta(minutes=15), timedelta(hours=24)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def part(number: int, total: int = 3, *, words: bytes = b"", at: datetime = NOW) -> Part:
    """A part of a text of one citizen; its words are its number."""
    words = words or str(number).encode()
    key = sha256(b"%d %d %b" % (number, total, words)).hexdigest()
    source = Address(AddressScheme.TEL, "+212612345678")
    return Part("smpp", source, "3737", 7, 8, total, number, 0, words, at, b"pdu" + words, key)


def keep(engine: Engine, *some: Part) -> list[parts.Text]:
    """Store parts in one transaction; return what can be filed then."""
    with engine.begin() as connection:
        parts.keep(connection, some, window=WINDOW, late_window=LATE)
    with engine.begin() as connection:
        return parts.take(connection, parts.due(connection, limit=50))


def filed(engine: Engine, text: parts.Text) -> None:
    """File a text: its delivery is on record, and its parts say so."""
    with engine.begin() as connection:
        connection.execute(
            deliveries.insert().values(
                id=new_id(),
                channel="sms",
                idempotency_key=text.delivery_key,
                received_at=NOW,
                peer="",
                state="filed",
                headers={},
                body=b"",
            )
        )
        parts.filed(connection, [(text, text.delivery_key)])


def words(texts: Sequence[parts.Text]) -> list[bytes]:
    """What each text holds."""
    return [b"".join(one.user_data for one in text.parts) for text in texts]


def test_the_last_part_makes_it_whole(engine: Engine) -> None:
    assert keep(engine, part(2), part(3)) == []
    (text,) = keep(engine, part(1))

    assert words([text]) == [b"123"]
    assert (text.late, text.missing) == (False, ())


@pytest.mark.parametrize(
    "other",
    [
        replace(part(1), smsc="other"),
        replace(part(1), source=Address(AddressScheme.TEL, "+212698765432")),
        replace(part(1), source=Address(AddressScheme.ALPHANUMERIC, "+212612345678")),
        replace(part(1), destination="3738"),
        replace(part(1), reference=8),
        replace(part(1), reference_bits=16),
        replace(part(1), total=4),
    ],
)
def test_only_what_all_parts_share_joins_them(engine: Engine, other: Part) -> None:
    assert keep(engine, part(2), part(3), replace(other, key="0" * 64)) == []


def test_the_same_part_is_known_until_the_window_is_over(engine: Engine) -> None:
    first, again = part(1), part(1, at=NOW + WINDOW)
    after = part(1, at=NOW + WINDOW + timedelta(seconds=1))
    keep(engine, first, first)
    keep(engine, again)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sms_parts)) == 1
    keep(engine, after)
    with engine.connect() as connection:
        found = connection.execute(
            select(sms_parts.c.occurrence, sms_parts.c.repetition).order_by(sms_parts.c.repetition)
        ).all()
    assert [tuple(row) for row in found] == [(0, 0), (1, 1)]


def test_a_text_is_overdue_when_it_waited_long_and_is_taken_once(engine: Engine) -> None:
    keep(engine, part(1), part(3))
    with engine.begin() as connection:
        assert parts.due(connection, limit=9, waiting_since=NOW) == []
        late = NOW + timedelta(seconds=1)
        names = parts.due(connection, limit=9, waiting_since=late)
        (text,) = parts.take(connection, names)
    assert (words([text]), text.missing, text.late) == ([b"13"], (2,), False)

    filed(engine, text)

    with engine.begin() as connection:
        assert parts.due(connection, limit=9, waiting_since=NOW + LATE) == []
        assert parts.take(connection, names) == []


def test_a_late_part_is_filed_by_itself_and_says_what_still_misses(engine: Engine) -> None:
    keep(engine, part(1, 4))
    with engine.begin() as connection:
        (text,) = parts.take(connection, [(parts.text_key(part(1, 4)), 0)])
    filed(engine, text)

    (late,) = keep(engine, part(4, 4, at=NOW + LATE), part(2, 4, at=NOW + LATE))

    assert (words([late]), late.late, late.missing) == ([b"24"], True, (3,))
    assert late.delivery_key != text.delivery_key


def test_a_part_that_comes_too_late_begins_a_text_of_its_own(engine: Engine) -> None:
    keep(engine, part(1, 2))
    assert keep(engine, part(2, 2, at=NOW + LATE + timedelta(seconds=1))) == []
    with engine.begin() as connection:
        assert len(parts.due(connection, limit=9, waiting_since=NOW + 2 * LATE)) == 2


def test_two_processes_cannot_both_store_one_part(engine: Engine) -> None:
    """The claim is the insert: whoever did not see the other's row is refused, and runs again."""
    keep(engine, part(1))
    with engine.connect() as connection:
        row = dict(connection.execute(select(sms_parts)).one()._mapping)
    for changed in ({"number": 2}, {"key": "0" * 64}):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(sms_parts.insert().values({**row, "id": new_id(), **changed}))


def test_a_short_text_is_whole_by_itself_and_its_octets_are_kept_once(engine: Engine) -> None:
    """However often somebody wrote "OK"; the delivery holds its unit, the row only its key."""
    for number in range(5):
        at = NOW + number * (WINDOW + timedelta(seconds=1))
        (text,) = keep(engine, part(1, 1, at=at), part(1, 1, at=at))
        assert (text.occurrence, words([text]), text.late) == (number, [b"1"], False)
        filed(engine, text)
    with engine.connect() as connection:
        rows = connection.execute(select(sms_parts)).all()
    assert {(row.user_data, row.pdu, row.delivery_id is None) for row in rows} == {
        (b"", b"", False)
    }
    assert len(rows) == 5


def test_texts_are_due_in_the_order_in_which_they_came(engine: Engine) -> None:
    """Also those of one read, which all came at one time."""
    sent = [part(1, 1, words=b"%d" % number) for number in (5, 3, 8, 1, 9, 2)]
    assert words(keep(engine, *sent)) == [one.user_data for one in sent]
    with engine.connect() as connection:
        assert len(parts.due(connection, limit=4)) == 4
        assert parts.due(connection, limit=9, whole_before=NOW) == []
        assert len(parts.due(connection, limit=9, whole_before=NOW + WINDOW)) == 6


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations([(text, number) for text in range(3) for number in range(1, 5)]),
    cuts=st.lists(st.integers(0, 14), max_size=5),
    again=st.lists(st.integers(0, 11), max_size=6),
)
def test_nothing_is_lost_or_doubled_in_any_order_of_reads(
    engine: Engine, order: list[tuple[int, int]], cuts: list[int], again: list[int]
) -> None:
    """Three texts of one citizen under one reference, with parts that are sent again.

    Which part belongs to which text nobody can tell; but every part is filed once.
    """
    with engine.begin() as connection:
        connection.execute(delete(sms_parts))
        connection.execute(delete(deliveries))
    sent = [part(number, 4, words=b"%d.%d " % (text, number)) for text, number in order]
    for place in again:
        sent.insert(place, sent[place])
    got: list[parts.Text] = []
    edges = sorted({0, *cuts, len(sent)})
    for start, end in pairwise(edges):
        for text in keep(engine, *sent[start:end]):
            got.append(text)
            filed(engine, text)

    assert len(got) == 3
    assert sorted(one.key for text in got for one in text.parts) == sorted({o.key for o in sent})
    assert all([one.number for one in text.parts] == [1, 2, 3, 4] for text in got)
