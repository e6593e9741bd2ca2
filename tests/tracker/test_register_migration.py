# SPDX-License-Identifier: MIT
"""Revision 0005 on both databases: administrations on record stay, and serve the whole country."""

from datetime import date

import pytest
from alembic import command
from sqlalchemy import Engine, text

from dispatcher.administration import Administration, load_all, store
from tracker.database import open_engine
from tracker.migrations import configuration


def move(engine: Engine, change, revision: str) -> None:
    """Bring the schema to a revision."""
    config = configuration()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        change(config, revision)


@pytest.fixture
def engine(database_url):
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def test_rows_of_before_are_kept_there_and_back(engine):
    move(engine, command.upgrade, "0004")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO administrations (slug, names, kind, competence, outlet, email,"
                " webhook_url, active) VALUES ('eau', '{\"fr\": \"Eau\"}', '', '{}', 'desk', '',"
                " '', true)"
            )
        )

    move(engine, command.upgrade, "0005")

    with engine.begin() as connection:
        found = load_all(connection)
        assert found == {"eau": Administration("eau", {"fr": "Eau"}, competence={})}
        assert found["eau"].name("fr", date(2026, 1, 1)) == "Eau"
        store(connection, [Administration("eau", {"fr": "Eau"}, places=("nord",))])

    move(engine, command.downgrade, "0004")

    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM administrations")).mappings().one()
    assert row["slug"] == "eau"
    assert not {"places", "matters", "names_former", "calendar", "phone"} & set(row)
