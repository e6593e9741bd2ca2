# SPDX-License-Identifier: MIT
"""A night is trained once, however many look; what never ends is written down as failed."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tracker import trainings
from tracker.database import open_engine, reading
from tracker.models import TrainingState, metadata

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def engine(database_url):
    engine = open_engine(database_url)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def latest(engine):
    with reading(engine).connect() as connection:
        return trainings.latest(connection)


def test_many_sweepers_begin_a_night_once(engine):
    begun = []
    together = threading.Barrier(4)

    def look():
        together.wait()
        with engine.begin() as connection:
            begun.append(trainings.begin_night(connection, "2026-11-24", by="scheduler", now=NOW))

    sweepers = [threading.Thread(target=look) for _ in range(4)]
    for sweeper in sweepers:
        sweeper.start()
    for sweeper in sweepers:
        sweeper.join()

    assert len([one for one in begun if one is not None]) == 1
    assert len(begun) == 4
    assert [row.state for row in latest(engine)] == ["running"]


def test_a_night_is_unique_and_trainings_by_hand_are_not(engine):
    with engine.begin() as connection:
        trainings.begin(connection, by="command line", now=NOW)
        trainings.begin(connection, by="command line", now=NOW)
        trainings.begin(connection, by="scheduler", now=NOW, night="2026-11-24")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        trainings.begin(connection, by="scheduler", now=NOW, night="2026-11-24")
    assert len(latest(engine)) == 3


def test_the_outcome_is_written_once(engine):
    with engine.begin() as connection:
        one = trainings.begin(connection, by="scheduler", now=NOW, night="2026-11-24")
        told = trainings.end(
            connection,
            one,
            TrainingState.PROMOTED,
            now=NOW,
            detail="not worse",
            version="m2",
            previous="m1",
            confirmed=120,
            figures={"judged": 60},
        )
        again = trainings.end(connection, one, TrainingState.FAILED, now=NOW, detail="late")
    (row,) = latest(engine)
    assert (told, again) == (True, False)
    assert (row.state, row.version, row.previous, row.confirmed) == ("promoted", "m2", "m1", 120)
    assert row.figures == {"judged": 60}


def test_what_never_ended_is_given_up(engine):
    with engine.begin() as connection:
        trainings.begin(connection, by="scheduler", now=NOW, night="2026-11-24")
        young = trainings.begin(connection, by="command line", now=NOW + timedelta(hours=23))
        given_up = trainings.give_up(
            connection, before=NOW + timedelta(hours=22), now=NOW + timedelta(hours=24)
        )
    assert given_up == 1
    assert {row.id: row.state for row in latest(engine)}[young] == "running"
    assert [row.state for row in latest(engine)] == ["running", "failed"]
