# SPDX-License-Identifier: MIT
"""Functions that share a commit share no fault of one of them."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, select

from tracker.database import open_engine
from tracker.group_commit import GroupCommit, StorageUnavailable
from tracker.migrations import upgrade
from tracker.models import blobs
from tracker.register import store_blob


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def test_a_function_that_fails_by_itself_spoils_no_other_of_its_group(engine: Engine) -> None:
    writer = GroupCommit(engine)
    waiting = threading.Event()

    def waits(connection: Connection) -> None:
        waiting.wait(20)

    def fails(connection: Connection) -> None:
        raise RuntimeError("an error in our own code")

    first = writer.submit(waits, savepoint=False)
    one = writer.submit(lambda connection: store_blob(connection, b"one"), savepoint=False)
    bad = writer.submit(fails, savepoint=False)
    two = writer.submit(lambda connection: store_blob(connection, b"two"), savepoint=False)
    waiting.set()

    first.result(20)
    one.result(20)
    two.result(20)
    with pytest.raises(StorageUnavailable) as failure:
        bad.result(20)
    assert isinstance(failure.value.__cause__, RuntimeError)
    writer.close()
    with engine.connect() as connection:
        assert len(connection.execute(select(blobs)).all()) == 2
