# SPDX-License-Identifier: MIT
"""Doors under fault and under bad input: a temporary failure, never a loss, never a stack trace."""

import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.servers import Databases, PostgresServer
from guichet_testing.traffic import mail, post_text, send_mail, webhook

IMPATIENT = {"DATABASE__LOCK_TIMEOUT_SECONDS": "1"}
_SQLITE_TELLS = (
    "(SELECT synchronous FROM pragma_synchronous) || ' ' || "
    "(SELECT journal_mode FROM pragma_journal_mode)"
)
_TELLING = "CREATE TABLE told_by_trigger (writes TEXT, setting TEXT)"
#: Triggers that write down how durable the connection is that just writes. On PostgreSQL with the
#: source of the setting: ``client`` is the connection's own, whatever the server's default is.
WATCHING = {
    "sqlite": (
        _TELLING,
        (
            f"CREATE TRIGGER tells_delivery AFTER INSERT ON deliveries BEGIN "
            f"INSERT INTO told_by_trigger SELECT NEW.channel, {_SQLITE_TELLS}; END"
        ),
        (
            f"CREATE TRIGGER tells_outbox AFTER UPDATE ON outbox BEGIN "
            f"INSERT INTO told_by_trigger SELECT 'outbox ' || NEW.state, {_SQLITE_TELLS}; END"
        ),
    ),
    "postgresql": (
        _TELLING,
        (
            "CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO told_by_trigger SELECT CASE TG_TABLE_NAME WHEN 'outbox' "
            "THEN 'outbox ' || (to_jsonb(NEW)->>'state') ELSE to_jsonb(NEW)->>'channel' END, "
            "setting || ' ' || source FROM pg_settings WHERE name = 'synchronous_commit'; "
            "RETURN NULL; END $$"
        ),
        (
            "CREATE TRIGGER tells_delivery AFTER INSERT ON deliveries "
            "FOR EACH ROW EXECUTE FUNCTION tells()"
        ),
        "CREATE TRIGGER tells_outbox AFTER UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION tells()",
    ),
}
NO_LONGER = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS tells_delivery",
        "DROP TRIGGER IF EXISTS tells_outbox",
        "DROP TABLE IF EXISTS told_by_trigger",
    ),
    "postgresql": (
        "DROP FUNCTION IF EXISTS tells CASCADE",
        "DROP TABLE IF EXISTS told_by_trigger",
    ),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> Iterator[RunningGateway]:
    """A gateway that does not wait long for a lock."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create()
    gateway = RunningGateway(url, **IMPATIENT)
    try:
        yield gateway.start()
    finally:
        gateway.close()


def senders(house: RunningGateway) -> list[str]:
    """Whose cases are on record, one entry a case."""
    return [case["contact"]["value"] for case in house.export("cases")]


def processes(house: RunningGateway) -> dict[int, str]:
    """The gateway's processes by id: their command lines."""
    found: dict[int, str] = {}
    assert house.serve is not None
    waiting = [house.serve.pid]
    while waiting:
        pid = waiting.pop()
        children = Path(f"/proc/{pid}/task/{pid}/children")
        try:
            waiting += [int(child) for child in children.read_text().split()]
            found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
    return found


def test_twenty_identical_webhooks_at_once(house: RunningGateway) -> None:
    """One case, twenty same answers."""
    number = "+212661300021"
    form = webhook(house, number, "Pas d'eau")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post_text(house, form), range(20)))

    assert answers == [200] * 20
    assert senders(house).count(number) == 1


def test_twenty_identical_mails_at_once(house: RunningGateway) -> None:
    """Only trace headers differ: one case. Another person with the same Message-ID: their own."""
    message_id = uuid.uuid4().hex + "@example.org"
    same = [mail("twin@example.org", "Pas d'eau", message_id, f"by hop {n}") for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda raw: send_mail(house, "twin@example.org", raw), same))
    other = mail("other@example.org", "Autre chose", message_id)

    assert answers == [250] * 20
    assert send_mail(house, "other@example.org", other) == 250
    assert senders(house).count("twin@example.org") == 1
    assert senders(house).count("other@example.org") == 1


def test_a_locked_database(house: RunningGateway) -> None:
    """Past its time-out: 451 and 503; after the lock is gone the same messages are filed."""
    form = webhook(house, "+212661300022", "Pas d'eau")
    raw = mail("locked@example.org", "Pas d'eau")
    url = house.environment.get("GUICHET_DATABASE__URL")
    if url:
        engine = create_engine(url)
        with engine.connect() as blocker:
            blocker.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
            assert post_text(house, form) == 503
            assert send_mail(house, "locked@example.org", raw) == 451
            blocker.rollback()
        engine.dispose()
    else:
        blocker_file = sqlite3.connect(house.data_dir / "guichet.sqlite3", isolation_level=None)
        blocker_file.execute("BEGIN IMMEDIATE")
        assert post_text(house, form) == 503
        assert send_mail(house, "locked@example.org", raw) == 451
        blocker_file.execute("ROLLBACK")
        blocker_file.close()

    assert until(lambda: post_text(house, form) == 200, what="200 after the lock")
    assert until(
        lambda: send_mail(house, "locked@example.org", raw) == 250, what="250 after the lock"
    )
    assert senders(house).count("+212661300022") == 1
    assert senders(house).count("locked@example.org") == 1


def upload(house: RunningGateway, size: int) -> str:
    """Stream a form of this many bytes until an answer comes; its first part (RFC 9112, 9.3)."""
    with socket.create_connection(("127.0.0.1", house.web_port), timeout=60) as line:
        line.sendall(
            b"POST /fr/complain HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n"
            + f"Content-Length: {size}\r\n\r\n".encode()
        )
        for _ in range(size // 100_000):
            if select.select([line], [], [], 0.01)[0]:
                break
            line.sendall(b"x" * 100_000)
        return line.recv(65_536).decode("utf-8", "replace")


def test_bad_input_at_every_door(house: RunningGateway) -> None:
    """A clear refusal or quarantine, counted, no stack trace, and the next message is filed."""
    form = webhook(house, "+212661300023", "Pas d'eau")
    forged = httpx.post(
        f"{house.base}/inbound/sms/twilio", data=form, headers={"X-Twilio-Signature": "AAAA"}
    )
    unknown = httpx.get(f"{house.base}/no/such/path")
    garbage = httpx.post(f"{house.base}/fr/complain", content=b"\x00\xff" * 5000)

    large = upload(house, 100_000_000)
    truncated = (
        b"From: cut@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nConte"
    )

    assert (forged.status_code, unknown.status_code) == (403, 404)
    assert garbage.status_code in (400, 422)
    assert large.startswith("HTTP/1.1 413 ")
    for words in (forged.text, unknown.text, garbage.text, large):
        assert "Traceback" not in words
    assert send_mail(house, "cut@example.org", truncated) == 250
    assert send_mail(house, "bin@example.org", bytes(range(256)) * 20) in (250, 554)
    assert post_text(house, form) == 200
    assert "+212661300023" in senders(house)
    figures = httpx.get(f"http://127.0.0.1:{house.metrics_port}/metrics").text
    for counted in (
        r'guichet_refused_total\{door="sms"[^}]*\} [1-9]',
        r'guichet_deliveries_total\{channel="email"[^}]*\} [1-9]',
        r'guichet_mail_door_total\{event="accepted"\} [1-9]',
    ):
        assert re.search(counted, figures), counted


def test_every_running_process_is_durable(house: RunningGateway) -> None:
    """What their own connections say while they write, asked by a trigger inside the transaction.

    ``deliveries`` is written by the web and the mail process, ``outbox`` also by the relay.
    """
    url = house.environment.get("GUICHET_DATABASE__URL")
    engine = create_engine(url or f"sqlite:///{house.data_dir / 'guichet.sqlite3'}")
    try:
        with engine.begin() as connection:
            for statement in WATCHING[engine.dialect.name]:
                connection.exec_driver_sql(statement)
        assert post_text(house, webhook(house, "+212661300025", "Pas d'eau")) == 200
        assert send_mail(house, "sync@example.org", mail("sync@example.org", "Pas d'eau")) == 250

        def told() -> set[tuple[str, str]]:
            with engine.connect() as connection:
                rows = connection.execute(text("SELECT writes, setting FROM told_by_trigger"))
                return {(row.writes, row.setting) for row in rows}

        until(lambda: any("done" in writes for writes, _ in told()), what="the relay's own write")
        assert {writes for writes, _ in told()} >= {"sms", "email", "outbox done"}
        durable = {"sqlite": {"2 wal"}, "postgresql": {"on client"}}[engine.dialect.name]
        assert {setting for _, setting in told()} == durable
    finally:
        with engine.begin() as connection:
            for statement in NO_LONGER[engine.dialect.name]:
                connection.exec_driver_sql(statement)
        engine.dispose()


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("fault", "calls"), [("EIO", "fsync,fdatasync"), ("ENOSPC", "pwrite64")])
def test_a_disk_that_fails(house: RunningGateway, fault: str, calls: str) -> None:
    """A failing fsync or a full disk: no acknowledgement; afterwards all is well (SQLite)."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not here; it makes system calls fail")
    pids = [
        pid
        for pid, command in processes(house).items()
        if command.rstrip().endswith((" web", " smtp"))
    ]
    assert len(pids) >= 3, "the web door's two processes and the mail door"
    attach = [word for pid in pids for word in ("-p", str(pid))]
    tracer = subprocess.Popen(
        [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:error={fault}", *attach],
        stderr=subprocess.PIPE,
    )
    number, address = f"+21266130{len(fault):02d}031", f"{fault.lower()}@example.org"
    form, raw = webhook(house, number, "Pas d'eau"), mail(address, "Pas d'eau")
    try:
        until(
            lambda: all(
                f"TracerPid:\t{tracer.pid}" in Path(f"/proc/{pid}/status").read_text()
                for pid in pids
            ),
            what="strace attached",
        )
        assert post_text(house, form, timeout=30) == 503
        assert send_mail(house, address, raw, timeout=30) == 451
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)

    until(lambda: post_text(house, form) == 200, what="200 after the fault")
    until(lambda: send_mail(house, address, raw) == 250, what="250 after the fault")
    assert senders(house).count(number) == 1
    assert senders(house).count(address) == 1


def test_postgresql_stopped() -> None:
    """451 and 503 while it is away; every door lives on and files after it is back."""
    server = PostgresServer()
    server.start()
    house = RunningGateway(Databases(server.base_url).create(), **IMPATIENT)
    try:
        house.start()
        form, raw = webhook(house, "+212661300024", "Pas d'eau"), mail("pg@example.org", "Eau")
        server.kill()
        assert post_text(house, form, timeout=30) == 503
        assert send_mail(house, "pg@example.org", raw, timeout=30) == 451
        server.start()
        until(lambda: post_text(house, form) == 200, what="200 after the start")
        until(lambda: send_mail(house, "pg@example.org", raw) == 250, what="250 after the start")
        assert sorted(senders(house)) == ["+212661300024", "pg@example.org"]
    finally:
        house.close()
        server.remove()
