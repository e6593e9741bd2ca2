# SPDX-License-Identifier: MIT
"""The mailbox door against a real Dovecot: whatever is cut or killed, one mail is one case."""

import shutil
import signal
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from gateway.export import export_cases
from guichet_testing.dovecot import PASSWORD, USER, Dovecot, Line
from guichet_testing.gateway import RunningGateway, listens, until
from guichet_testing.servers import Databases
from tracker.models import outbox

SETTINGS = {
    "IMAP__HOST": "127.0.0.1",
    "IMAP__USER": USER,
    "IMAP__PASSWORD": PASSWORD,
    "IMAP__TLS": "none",
    "IMAP__MAX_SIZE": "50000",
    "IMAP__POLL_SECONDS": "0.5",
    "IMAP__IDLE_SECONDS": "30",
    "IMAP__TIMEOUT_SECONDS": "5",
    "DATABASE__LOCK_TIMEOUT_SECONDS": "30",
}


def mail(number: int, words: str = "Le lampadaire de la rue est en panne depuis lundi.") -> bytes:
    """One citizen's complaint."""
    return (
        f"From: citizen{number}@example.org\r\nTo: complaints@guichet.example\r\n"
        f"Subject: Lampadaire {number}\r\nMessage-ID: <imap-{number}@example.org>\r\n"
        "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
    ).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """An IMAP server for all tests of this file; each has a mailbox of its own in it."""
    dovecot = Dovecot()
    try:
        dovecot.start()
        yield dovecot
    finally:
        dovecot.remove()


@pytest.fixture
def dovecot(server: Dovecot) -> Dovecot:
    """The server with an empty mailbox."""
    server.user = f"{USER}-{uuid4().hex}"
    return server


@pytest.fixture(scope="module")
def migrated(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[], Databases]], str]:
    """Makes a database with all tables ready: migrated once, then copied."""
    folder = tmp_path_factory.mktemp("database")
    ready: dict[str, str] = {}

    def made(kind: str, databases: Callable[[], Databases]) -> str:
        if kind == "sqlite":
            first, copy = folder / "first.sqlite3", folder / f"{uuid4().hex}.sqlite3"
            if kind not in ready:
                ready[kind] = migrate(f"sqlite:///{first}")
            shutil.copy(first, copy)
            return f"sqlite:///{copy}"
        if kind not in ready:
            ready[kind] = migrate(databases().create())
        return databases().create(template=make_url(ready[kind]).database or "")

    return made


def migrate(url: str) -> str:
    """Make all tables, as the command does."""
    gateway = RunningGateway(url)
    try:
        gateway.run("migrate")
    finally:
        gateway.close()
    return url


@pytest.fixture
def line(dovecot: Dovecot) -> Iterator[Line]:
    way = Line(dovecot.port)
    yield way
    way.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def house(
    line: Line, dovecot: Dovecot, migrated: Callable, request: pytest.FixtureRequest
) -> Iterator[RunningGateway]:
    """A gateway whose database is ready; its mailbox door is started by the test."""
    url = migrated(request.param, lambda: request.getfixturevalue("postgres_server"))
    more = {"IMAP__PORT": str(line.port), "IMAP__USER": dovecot.user}
    gateway = RunningGateway(url, **(SETTINGS | more))
    try:
        yield gateway
    finally:
        gateway.close()


@contextmanager
def door(house: RunningGateway) -> Iterator[subprocess.Popen[bytes]]:
    """``guichet imap`` as a process."""
    process = house.spawn("imap")
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End it as ``kill -9`` does."""
    process.kill()
    process.wait(10)


def contacts(house: RunningGateway) -> list[str]:
    """Whose cases are on record, one entry a case."""
    engine = create_engine(house.environment["GUICHET_DATABASE__URL"], poolclass=NullPool)
    return sorted(case["contact"]["value"] for case in export_cases(engine))


def reasons(house: RunningGateway, state: str) -> list[str]:
    """Why deliveries are in this state."""
    engine = create_engine(house.environment["GUICHET_DATABASE__URL"], poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT reason FROM deliveries WHERE state = :state ORDER BY received_at"),
            {"state": state},
        )
        return [str(row.reason) for row in found]


def notices(house: RunningGateway) -> list[tuple[str, str, str]]:
    """Who is told what in which language, beside acknowledgements."""
    engine = create_engine(house.environment["GUICHET_DATABASE__URL"], poolclass=NullPool)
    with engine.connect() as connection:
        found = connection.execute(
            select(outbox.c.recipient, outbox.c.payload).where(outbox.c.kind == "notify")
        )
        return [(row.recipient, row.payload["notice"], row.payload["language"]) for row in found]


@contextmanager
def locked(house: RunningGateway) -> Iterator[None]:
    """Nothing can be stored for the length of a ``with`` block."""
    engine = create_engine(house.environment["GUICHET_DATABASE__URL"], poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE deliveries IN EXCLUSIVE MODE"))
        yield
        connection.rollback()


def people(*numbers: int) -> list[str]:
    """The citizens of these mails."""
    return sorted(f"citizen{number}@example.org" for number in numbers)


def waits(line: Line) -> Callable[[], bool]:
    """Tells whether the door has gone into IDLE since now."""
    start = line.heard.count(b" IDLE\r\n")
    return lambda: line.heard.count(b" IDLE\r\n") > start


def test_every_mail_is_one_case_also_one_that_a_person_has_read(dovecot, line, house) -> None:
    dovecot.put(mail(1), mail(2))
    with dovecot.mailbox() as client:
        client.select_folder("INBOX")
        client.add_flags("1", [b"\\Seen"])
    with door(house) as process:
        until(lambda: dovecot.all_seen(2), what=f"two mails flagged: {house.tail()}")
        until(lambda: b" IDLE\r\n" in line.heard, what="IDLE")
        dovecot.put(mail(3))
        until(lambda: dovecot.all_seen(3), what="the mail that IDLE tells of")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert contacts(house) == people(1, 2, 3)
    assert b"BODY[]" not in line.heard.replace(b"BODY.PEEK[]", b"")


def test_killed_between_fetch_and_commit(dovecot, line, house) -> None:
    dovecot.put(mail(1))
    with door(house) as process:
        until(lambda: dovecot.all_seen(1), what=f"the first mail: {house.tail()}")
        until(lambda: b" IDLE\r\n" in line.heard, what="IDLE")
        with locked(house):
            dovecot.put(mail(2))
            until(lambda: b"imap-2@example.org" in line.answered, what="the fetch")
            assert not dovecot.all_seen(2)
            kill(process)
    assert contacts(house) == people(1)
    assert dovecot.flags()[1] == set()
    with door(house):
        until(lambda: dovecot.all_seen(2), what=f"the second mail: {house.tail()}")
    assert contacts(house) == people(1, 2)


def test_killed_between_commit_and_flag(dovecot, line, house) -> None:
    dovecot.put(mail(1))
    line.hold_at = b" STORE "
    with door(house) as process:
        assert line.held.wait(20), house.tail()
        kill(process)
    line.hold_at = b""
    assert contacts(house) == people(1), "committed before the flag was asked for"
    assert dovecot.flags() == [set()]
    with door(house):
        until(lambda: dovecot.all_seen(1), what=f"the flag: {house.tail()}")
    assert contacts(house) == people(1)


def test_what_cannot_be_stored_stays_unseen_until_it_can(dovecot, line, house) -> None:
    house.environment["GUICHET_DATABASE__LOCK_TIMEOUT_SECONDS"] = "0.5"
    dovecot.put(mail(1))
    with locked(house), door(house):
        until(lambda: line.heard.count(b"BODY.PEEK[]") >= 2, what=f"a second try: {house.tail()}")
        assert dovecot.flags() == [set()]
    with door(house):
        until(lambda: dovecot.all_seen(1), what=f"the flag: {house.tail()}")
    assert contacts(house) == people(1)


def test_a_mailbox_made_anew_files_nothing_twice_and_loses_nothing(dovecot, line, house) -> None:
    dovecot.put(mail(1), mail(2), mail(3))
    with door(house):
        until(lambda: dovecot.all_seen(3), what=f"three mails: {house.tail()}")
        until(lambda: b" IDLE\r\n" in line.heard, what="the end of the sweep")
    before = validity(dovecot)
    # Dovecot keeps the UIDs of a Maildir in this file: without it, it begins anew.
    for file in dovecot.maildir.glob("dovecot*"):
        file.unlink()
    dovecot.put(mail(4))
    assert validity(dovecot) != before
    fetched, swept = line.heard.count(b"BODY.PEEK[]"), waits(line)
    with door(house):
        until(lambda: dovecot.all_seen(4), what=f"the fourth mail: {house.tail()}")
        until(swept, what="the end of the sweep")
    assert line.heard.count(b"BODY.PEEK[]") == fetched + 4, "a whole sweep"
    assert contacts(house) == people(1, 2, 3, 4)


def validity(dovecot: Dovecot) -> int:
    """The UIDVALIDITY of INBOX."""
    with dovecot.mailbox() as client:
        return int(client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"])


def test_poison_and_giants_go_to_a_person_and_stop_nobody(dovecot, line, house) -> None:
    giant = mail(1, "x" * 998 + "\r\n" + ("y" * 70 + "\r\n") * 1000)
    poison = b"\r\nWords without any header field: no mail.\r\n"
    dovecot.put(giant, poison, mail(3))
    with door(house):
        until(lambda: dovecot.all_seen(3), what=f"all three: {house.tail()}")
    assert people(3)[0] in contacts(house)
    assert people(1)[0] not in contacts(house)
    assert b"\\Flagged" in dovecot.flags()[0]
    assert reasons(house, "quarantined") == [
        f"a mail of {len(giant)} bytes is too large; it is still in the mailbox",
        "unreadable",
    ]
    assert b"yyyyyyyyyy" not in line.answered
    assert notices(house) == [(people(1)[0], "too_large", "fr")]


def test_the_same_mail_by_both_doors_is_one_case(dovecot, line, house) -> None:
    smtp = house.spawn("smtp")
    try:
        until(lambda: listens(house.smtp_port), what=f"the mail door: {house.tail()}")
        with smtplib.SMTP("127.0.0.1", house.smtp_port, timeout=20) as client:
            client.sendmail("citizen1@example.org", ["complaints@guichet.example"], mail(1))
    finally:
        smtp.send_signal(signal.SIGTERM)
        smtp.wait(15)
    dovecot.put(b"Return-Path: <citizen1@example.org>\r\n" + mail(1))
    with door(house):
        until(lambda: dovecot.all_seen(1), what=f"the flag: {house.tail()}")
    assert contacts(house) == people(1)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_serve_keeps_a_mailbox_door(dovecot, line, house) -> None:
    dovecot.put(mail(1))
    house.start()
    until(lambda: dovecot.all_seen(1), what=f"the flag: {house.tail()}")
    assert house.stop() == 0
    assert contacts(house) == people(1), [*reasons(house, "quarantined"), house.tail()]
