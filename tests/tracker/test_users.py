# SPDX-License-Identifier: MIT
"""Who may sign in: the table of users."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from tracker import users
from tracker.database import open_engine
from tracker.models import Role, administrations, metadata

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def connection(database_url):
    engine = open_engine(database_url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            administrations.insert().values(
                slug="sante", names={"fr": "Santé"}, outlet="desk", competence={}
            )
        )
        yield connection
    engine.dispose()


def put(connection: Connection, email: str = "a@example.org", **values):
    values = {"role": Role.AGENT, "administration": "sante", **values}
    return users.add(connection, email=email, password_hash="hash-1", now=NOW, **values)


def found(connection: Connection, user_id):
    row = users.find(connection, user_id)
    assert row is not None
    return row


def test_a_user_is_found_in_any_spelling(connection):
    user_id = put(connection, " A.Alami@Example.org ")

    row = users.find_by_email(connection, "a.alami@example.ORG")

    assert row is not None
    assert (row.id, row.email, row.role) == (user_id, "a.alami@example.org", "agent")
    assert row.created_at == NOW
    assert found(connection, user_id).email == "a.alami@example.org"


@pytest.mark.parametrize(
    ("email", "values"),
    [
        ("nobody", {}),
        ("a b@example.org", {}),
        ("@example.org", {}),
        (f"{'a' * 250}@example.org", {}),
        ("b@example.org", {"administration": None}),
        ("b@example.org", {"administration": "unknown"}),
        ("b@example.org", {"role": Role.TRIAGE}),
        ("FIRST@example.org", {}),
    ],
)
def test_a_user_that_does_not_fit_is_refused(connection, email, values):
    put(connection, "first@example.org")

    with pytest.raises(users.InvalidUser):
        put(connection, email, **values)


def test_a_role_for_all_needs_no_administration(connection):
    put(connection, role=Role.OPERATOR, administration=None)

    assert users.list_users(connection)[0].administration is None


def test_a_new_password_ends_sessions_and_a_rehash_does_not(connection):
    user_id = put(connection)

    users.set_password_hash(connection, user_id, "hash-2", end_sessions=False)
    assert found(connection, user_id).session_epoch == 0
    users.set_password_hash(connection, user_id, "hash-3", end_sessions=True)

    row = found(connection, user_id)
    assert (row.password_hash, row.session_epoch) == ("hash-3", 1)
    users.end_sessions(connection, user_id)
    assert found(connection, user_id).session_epoch == 2


def test_disabling_ends_sessions_and_tells_who_is_unknown(connection):
    user_id = put(connection)

    assert users.disable(connection, "A@example.org")
    assert not users.disable(connection, "nobody@example.org")

    row = found(connection, user_id)
    assert row.disabled
    assert row.session_epoch == 1


def test_the_list_has_no_hashes(connection):
    put(connection, "b@example.org")
    put(connection, "a@example.org")

    rows = users.list_users(connection)

    assert [row.email for row in rows] == ["a@example.org", "b@example.org"]
    assert "password_hash" not in rows[0]._fields
