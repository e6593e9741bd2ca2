# SPDX-License-Identifier: MIT
"""Doors under fault and under bad input: a temporary failure, never a loss, never a stack trace."""

import re
import shutil
import signal
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


def test_bad_input_at_every_door(house: RunningGateway) -> None:
    """A clear refusal or quarantine, counted, no stack trace, and the next message is filed."""
    form = webhook(house, "+212661300023", "Pas d'eau")
    forged = httpx.post(
        f"{house.base}/inbound/sms/twilio", data=form, headers={"X-Twilio-Signature": "AAAA"}
    )
    unknown = httpx.get(f"{house.base}/no/such/path")
    garbage = httpx.post(f"{house.base}/fr/complain", content=b"\x00\xff" * 5000)

    def hundred_megabytes() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    try:
        large = httpx.post(
            f"{house.base}/fr/complain",
            content=hundred_megabytes(),
            headers={
                "Content-Type": "multipart/form-data; boundary=x",
                "Content-Length": "100000000",
            },
            timeout=60,
        )
        assert large.status_code == 413
        assert "Traceback" not in large.text
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass  # refused before the end: the connection was closed while we were still sending
    truncated = (
        b"From: cut@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nConte"
    )

    assert (forged.status_code, unknown.status_code) == (403, 404)
    assert garbage.status_code in (400, 422)
    for answer in (forged, unknown, garbage):
        assert "Traceback" not in answer.text
    assert send_mail(house, "cut@example.org", truncated) == 250
    assert send_mail(house, "bin@example.org", bytes(range(256)) * 20) in (250, 451, 554)
    assert post_text(house, form) == 200
    assert "+212661300023" in senders(house)
    figures = httpx.get(f"http://127.0.0.1:{house.metrics_port}/metrics").text
    assert re.search(r'guichet_refused_total\{door="sms"[^}]*\} [1-9]', figures)


def test_every_running_process_is_durable(house: RunningGateway) -> None:
    """What the processes themselves say of their connections."""
    told = house.log.read_text(encoding="utf-8")

    assert "'synchronous': '2'" in told or "'synchronous_commit': 'on'" in told
    assert house.run("doctor", "--json")


@pytest.mark.parametrize(("fault", "calls"), [("EIO", "fsync,fdatasync"), ("ENOSPC", "pwrite64")])
def test_a_disk_that_fails(house: RunningGateway, fault: str, calls: str) -> None:
    """A failing fsync or a full disk: no acknowledgement; afterwards all is well (SQLite)."""
    if house.environment.get("GUICHET_DATABASE__URL"):
        return  # PostgreSQL's own processes write there; its stop is tested below
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
