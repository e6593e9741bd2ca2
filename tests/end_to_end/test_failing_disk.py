# SPDX-License-Identifier: MIT
"""A disk that fails or is full: a temporary failure, nothing acknowledged, later filed once.

``strace`` makes the system calls fail: on SQLite those of the doors' own processes, on PostgreSQL
those of the server, which stops at once when its log cannot be written (PANIC).
"""

import errno
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.needs import program
from guichet_testing.servers import Databases, PostgresServer
from guichet_testing.traffic import mail, post_text, send_mail, webhook


@dataclass
class Disk:
    """A gateway, and what writes to its disk.

    Attributes:
        house: the gateway.
        server: its own PostgreSQL, or ``None`` on SQLite.
        below: tells a process and all below it.
    """

    house: RunningGateway
    server: PostgresServer | None
    below: Callable[[int], dict[int, str]]

    def writers(self) -> list[int]:
        """The processes that make a delivery durable."""
        if self.server is not None:
            return list(self.below(self.server.pid))
        assert self.house.serve is not None
        found = self.below(self.house.serve.pid).items()
        pids = [pid for pid, command in found if command.endswith((" web", " smtp"))]
        assert len(pids) >= 3, "the web door's two processes and the mail door"
        return pids

    def repaired(self) -> None:
        """The disk works again: a server that does not serve now is started anew, as by a person.

        It may be recovering, have ended, or do neither for ever: when its recovery fails on the
        broken disk too, PostgreSQL 18 stays "in recovery mode" with nobody recovering.
        """
        if self.server is not None and not self.server.answers():
            self.server.kill()
            self.server.start()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def disk(request: pytest.FixtureRequest, impatient, below) -> Iterator[Disk]:
    """A gateway with its disk; PostgreSQL's is a server of its own, as it goes down."""
    server = url = None
    if request.param == "postgresql":
        server = PostgresServer()
        server.start()
        url = Databases(server.base_url).create()
    house = RunningGateway(url, **impatient)
    try:
        house.start()
        yield Disk(house, server, below)
    finally:
        house.close()
        if server is not None:
            server.remove()


@contextmanager
def failing(disk: Disk, calls: str, fault: str, files: Sequence[Path] = ()) -> Iterator[None]:
    """Let system calls fail for the length of a ``with`` block.

    Args:
        disk: whose.
        calls: their names, with commas.
        fault: the errno that they give.
        files: only on these; none: on all.
    """
    strace = program("strace", install="Debian: apt install strace")
    pids = disk.writers()
    words = [str(strace), "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:error={fault}"]
    words += [word for file in files for word in ("-P", str(file))]
    words += [word for pid in pids for word in ("-p", str(pid))]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)

    def attached() -> bool:
        if tracer.poll() is not None:
            assert tracer.stderr is not None
            pytest.skip(f"strace may not attach here: {tracer.stderr.read().decode()[:200]}")
        return all(traced_by(pid) in (tracer.pid, None) for pid in pids)

    try:
        until(attached, what="strace attached")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
        disk.repaired()


def traced_by(pid: int) -> int | None:
    """Who traces a process (0: nobody), or ``None`` when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return int(status.partition("TracerPid:")[2].split()[0])


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        pytest.param("EIO", "fsync,fdatasync", id="fsync-fails"),
        pytest.param("ENOSPC", "pwrite64", id="disk-full"),
    ],
)
def test_a_disk_that_fails(disk: Disk, senders, fault: str, calls: str) -> None:
    """No acknowledgement; afterwards all is well, and the same messages are filed once."""
    house = disk.house
    number, address = f"+21266130{len(fault):02d}031", f"{fault.lower()}@example.org"
    form, raw = webhook(house, number, "Pas d'eau"), mail(address, "Pas d'eau")
    with failing(disk, calls, fault):
        assert post_text(house, form, timeout=30) == 503
        assert send_mail(house, address, raw, timeout=30) == 451

    if disk.server is not None:
        said = f"PANIC: .*{os.strerror(getattr(errno, fault))}"
        assert re.search(said, disk.server.log.read_text(errors="replace"))
    until(lambda: post_text(house, form) == 200, what="200 after the fault")
    until(lambda: send_mail(house, address, raw) == 250, what="250 after the fault")
    assert senders(house).count(number) == 1
    assert senders(house).count(address) == 1


@pytest.mark.parametrize("disk", ["postgresql"], indirect=True)
def test_a_server_whose_tables_cannot_grow(disk: Disk, senders) -> None:
    """PostgreSQL's log has room and its tables have none: it refuses, and lives on."""
    house, server = disk.house, disk.server
    assert server is not None
    before = server.pid
    words = secrets.token_urlsafe(30_000)  # nothing that compression could make small
    form, raw = webhook(house, "+212661309031", words), mail("grow@example.org", words)
    with failing(disk, "pwrite64,pwritev,fallocate", "ENOSPC", table_files(disk)):
        assert post_text(house, form, timeout=30) == 503
        assert send_mail(house, "grow@example.org", raw, timeout=30) == 451

    assert (server.pid, server.answers()) == (before, True)
    assert "could not extend file" in server.log.read_text(errors="replace")
    until(lambda: post_text(house, form) == 200, what="200 after the fault")
    until(lambda: send_mail(house, "grow@example.org", raw) == 250, what="250 after the fault")
    assert senders(house).count("+212661309031") == 1
    assert senders(house).count("grow@example.org") == 1


def table_files(disk: Disk) -> list[Path]:
    """The files in which PostgreSQL keeps tables, indexes and long values."""
    assert disk.server is not None
    engine = create_engine(disk.house.environment["GUICHET_DATABASE__URL"])
    names = text(
        "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't') "
        "AND oid >= 16384"
    )
    with engine.connect() as connection:
        found = [disk.server.data / name for name in connection.scalars(names)]
    engine.dispose()
    return found
