# SPDX-License-Identifier: MIT
"""Fixtures that all rooms' tests share: real databases and a real queue server, never a mock."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from guichet_testing.servers import (
    Databases,
    PostgresServer,
    ValkeyServer,
    running,
    sqlalchemy_url,
)

pytest_plugins = ["guichet_testing.needs"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Databases]:
    """A PostgreSQL server to create databases on: `GUICHET_TEST_POSTGRES_URL`, else our own child.

    It never skips: without a server, half of the proof would be missing, so the tests fail.
    """
    if url := os.environ.get("GUICHET_TEST_POSTGRES_URL"):
        yield Databases(sqlalchemy_url(url))
        return
    with running(PostgresServer) as server:
        yield Databases(server.base_url)


@pytest.fixture
def postgres_database(postgres_server: Databases) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped after the test."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'guichet.sqlite3'}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """A Valkey of the session's own; a test that stores in it begins with `FLUSHALL`."""
    with running(ValkeyServer) as server:
        yield server


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """The URL of a Valkey in which nothing is stored."""
    import redis

    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    return valkey_server.url
