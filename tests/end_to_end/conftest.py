# SPDX-License-Identifier: MIT
"""A gateway that does not wait long for a lock, and ways to look at its record and processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guichet_testing.gateway import RunningGateway


@pytest.fixture(scope="session")
def impatient() -> dict[str, str]:
    """Settings of a gateway that soon answers "try later"."""
    return {"DATABASE__LOCK_TIMEOUT_SECONDS": "1"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, impatient: dict[str, str]) -> Iterator[RunningGateway]:
    """The gateway as processes, one for a file of tests and a database."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    gateway = RunningGateway(url, **impatient)
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture(scope="session")
def senders() -> Callable[[RunningGateway], list[str]]:
    """Tells whose cases are on record in a gateway, one entry a case."""
    return lambda house: [case["contact"]["value"] for case in house.export("cases")]


@pytest.fixture(scope="session")
def below() -> Callable[[int], dict[int, str]]:
    """Tells the command lines of a process and of all below it, by process id."""

    def found(top: int) -> dict[int, str]:
        lines: dict[int, str] = {}
        waiting = [top]
        while waiting:
            pid = waiting.pop()
            children = Path(f"/proc/{pid}/task/{pid}/children")
            try:
                waiting += [int(child) for child in children.read_text().split()]
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            lines[pid] = command.replace(b"\0", b" ").decode().strip()
        return lines

    return found
