# SPDX-License-Identifier: MIT
"""The mailbox door and a real Dovecot, also one made poorer on the way: logins, moves, faults."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from channels.channel import Accepted, Acknowledgement, Delivery
from channels.mail import imap
from channels.mail.imap import MailboxDoor
from channels.mail.imap_account import Account
from channels.message import InboundMessage
from guichet_testing.dovecot import PASSWORD, USER, Dovecot, Line, token
from guichet_testing.gateway import until


class House:
    """Accepts once by key, and remembers."""

    def __init__(self) -> None:
        self.filed: dict[str, Delivery] = {}
        self.messages: list[InboundMessage | None] = []
        self.offered: list[int] = []
        self.stored: tuple[int, int] | None = None
        self.counted: list[str] = []

    def accept(self, delivery: Delivery, message: InboundMessage | None) -> Acknowledgement:
        """File a delivery whose key is new."""
        self.offered.append(int(delivery.headers["imap-uid"]))
        self.filed.setdefault(delivery.idempotency_key, delivery)
        self.messages.append(message)
        return Accepted()

    def read(self) -> tuple[int, int] | None:
        """The cursor."""
        return self.stored

    def advance(self, uid_validity: int, uid: int) -> None:
        """Move it."""
        self.stored = (uid_validity, uid)


def mail(number: int) -> bytes:
    """One citizen's complaint."""
    return (
        f"From: citizen{number}@example.org\r\nSubject: Lampadaire {number}\r\n"
        f"Message-ID: <imap-{number}@example.org>\r\n\r\nLe lampadaire est en panne.\r\n"
    ).encode()


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[..., Dovecot]]:
    """Gives the one server with TLS and the one without."""
    running: dict[bool, Dovecot] = {}

    def server(tls: bool) -> Dovecot:
        if tls not in running:
            running[tls] = Dovecot(tls=tls)
            running[tls].start()
        running[tls].user = f"{USER}-{uuid4().hex}"
        return running[tls]

    try:
        yield server
    finally:
        for one in running.values():
            one.remove()


@pytest.fixture
def dovecot(servers: Callable[..., Dovecot]) -> Dovecot:
    return servers(tls=False)


@pytest.fixture
def secure(servers: Callable[..., Dovecot], monkeypatch) -> Dovecot:
    server = servers(tls=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    return server


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    """After a fault, the next try comes soon; a word of the server is looked for often."""
    monkeypatch.setattr(imap, "_FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(imap, "_CHECK_SECONDS", 0.1)


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()


@contextmanager
def door(house: House, dovecot: Dovecot, port: int, **options: Any) -> Iterator[None]:
    """The door at work in a thread."""
    ways = {"tls", "oauth_token", "oauth_token_file", "timeout_seconds"} & options.keys()
    account: dict[str, Any] = {"tls": "none", "timeout_seconds": 5.0} | {
        way: options.pop(way) for way in ways
    }
    opened = MailboxDoor(
        Account(host="127.0.0.1", port=port, user=dovecot.user, password=PASSWORD, **account),
        accept=house.accept,
        set_aside=lambda delivery, _reason: house.accept(delivery, None),
        cursor=house,
        attempt=lambda _raw: nullcontext(enter_result=True),
        clock=lambda: datetime(2026, 11, 24, tzinfo=UTC),
        count=house.counted.append,
        **({"poll_seconds": 0.1, "idle_seconds": 30.0} | options),
    )
    stop = threading.Event()
    thread = threading.Thread(target=opened.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_implicit_tls(house, secure) -> None:
    secure.put(mail(1))
    with line_to(secure.tls_port) as line:
        with door(house, secure, line.port, tls="implicit"):
            until(lambda: secure.all_seen(1), what="the flag")
        assert PASSWORD.encode() not in line.heard
        assert b"LOGIN" not in line.answered, "not a word in clear"
    assert len(house.filed) == 1


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_no_word_to_a_server_that_we_do_not_trust(house, servers, tls) -> None:
    stranger = servers(tls=True)
    stranger.put(mail(1))
    port = stranger.tls_port if tls == "implicit" else stranger.port
    with line_to(port) as line:
        with door(house, stranger, line.port, tls=tls):
            until(lambda: house.counted.count("failure") >= 2, what="a second try")
        assert PASSWORD.encode() not in line.heard
    assert stranger.flags() == [set()]


def test_starttls(house, secure) -> None:
    secure.put(mail(1))
    with line_to(secure.port) as line:
        with door(house, secure, line.port, tls="starttls"):
            until(lambda: secure.all_seen(1), what="the flag")
        assert b"STARTTLS" in line.heard
        assert PASSWORD.encode() not in line.heard
    assert len(house.filed) == 1


def test_without_starttls_no_password_is_told(house, dovecot) -> None:
    with line_to(dovecot.port) as line:
        with door(house, dovecot, line.port, tls="starttls"):
            until(lambda: house.counted.count("failure") >= 2, what="a second try")
        assert b"LOGIN" not in line.heard.upper()
        assert PASSWORD.encode() not in line.heard


def test_a_token_is_told_instead_of_the_password(house, dovecot) -> None:
    dovecot.put(mail(1))
    with line_to(dovecot.port) as line:
        with door(house, dovecot, line.port, oauth_token=token(dovecot.user)):
            until(lambda: dovecot.all_seen(1), what=f"the flag: {dovecot.log()}")
        assert b"AUTHENTICATE XOAUTH2" in line.heard
        assert PASSWORD.encode() not in line.heard


def test_a_token_in_a_file_is_read_again_at_each_login(house, dovecot, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("too-old")
    dovecot.put(mail(1))
    with door(house, dovecot, dovecot.port, oauth_token_file=file):
        until(lambda: "failure" in house.counted, what="a login refused")
        file.write_text(token(dovecot.user) + "\n")
        until(lambda: dovecot.all_seen(1), what="the flag")


def idles(line: Line, times: int) -> bool:
    """Whether the door has gone into IDLE so often."""
    return line.heard.count(b" IDLE\r\n") >= times


#: What a server says it can, and what becomes of mail that is moved there.
MOVERS = {
    "MOVE": {},
    "COPY and UID EXPUNGE": {rb" MOVE\b": b""},
    "COPY alone": {rb" MOVE\b": b"", rb" UIDPLUS\b": b""},
}


@pytest.mark.parametrize("server", MOVERS)
def test_filed_mail_is_moved(house, dovecot, server) -> None:
    dovecot.put(mail(1), mail(2))
    with line_to(dovecot.port) as line:
        line.rewrite = MOVERS[server]
        for sweeps in (1, 2):  # also after a restart, nothing is moved twice
            with door(house, dovecot, line.port, move_to="Filed"):
                until(partial(idles, line, sweeps), what="the end of the sweep")
        assert (b" UID MOVE " in line.heard) == (server == "MOVE")
        assert (b" UID EXPUNGE " in line.heard) == (server == "COPY and UID EXPUNGE")
    with dovecot.mailbox() as client:
        assert client.select_folder("Filed")[b"EXISTS"] == 2
    left = [{b"\\Seen", b"\\Deleted"}] * 2 if server == "COPY alone" else []
    assert dovecot.flags() == left, "without UIDPLUS only the owner may expunge"
    assert len(house.filed) == 2


def test_a_server_that_promises_nothing_about_its_uids(house, dovecot) -> None:
    dovecot.put(mail(1), mail(2))
    with line_to(dovecot.port) as line:
        line.rewrite = {rb"UIDVALIDITY \d+": b"UIDVALIDITY 0"}
        with door(house, dovecot, line.port):
            until(lambda: b" IDLE\r\n" in line.heard, what="the first sweep")
            assert sorted(house.offered) == [1, 2]
            line.cut()
            dovecot.put(mail(3))
            until(lambda: line.heard.count(b" IDLE\r\n") >= 2, what="the sweep on a new line")
    assert sorted(house.offered) == [1, 1, 2, 2, 3], "after a new line, from the first on"
    assert len(house.filed) == 3, "and no case twice"
    assert house.stored is None, "nothing is built on such UIDs"


@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_a_line_that_fails_in_idle_is_followed_by_a_whole_sweep(house, dovecot, fault) -> None:
    dovecot.put(mail(1))
    with line_to(dovecot.port) as line:
        options = {"idle_seconds": 0.3, "timeout_seconds": 0.5} if fault == "silence" else {}
        with door(house, dovecot, line.port, **options):
            until(lambda: b" IDLE\r\n" in line.heard, what="IDLE")
            getattr(line, fault)()
            dovecot.put(mail(2))
            until(lambda: dovecot.all_seen(2), what="the second mail")
        assert line.connections >= 2
    assert house.offered == [1, 2]
    assert "failure" in house.counted


def test_a_line_that_falls_silent_within_a_mail(house, dovecot) -> None:
    dovecot.put(mail(1))
    with line_to(dovecot.port) as line:
        line.hold_at = b"BODY.PEEK[]"
        with door(house, dovecot, line.port, timeout_seconds=0.5):
            until(lambda: line.connections >= 2, what="a new line after the time-out")
            assert house.filed == {}
            line.hold_at = b""
            until(lambda: dovecot.all_seen(1), what="the mail")
    assert len(house.filed) == 1


def test_without_idle_the_door_polls(house, dovecot) -> None:
    with line_to(dovecot.port) as line:
        line.rewrite = {rb" IDLE\b": b""}
        with door(house, dovecot, line.port):
            until(lambda: b" SEARCH " in line.heard, what="the first look")
            dovecot.put(mail(1))
            until(lambda: dovecot.all_seen(1), what="the mail")
        assert b" IDLE\r\n" not in line.heard


def test_facts_about_the_sender_are_asked_for_here_too(house, dovecot) -> None:
    class Authenticator:
        """Knows all senders."""

        def wanted(self, message, recipients) -> bool:
            """Always."""
            return True

        def facts(self, raw, message, *, peer, helo, envelope_from):
            """What it was told."""
            return {"asked": f"{peer}|{helo}|{envelope_from}"}

    dovecot.put(mail(1))
    with door(house, dovecot, dovecot.port, authenticator=Authenticator()):
        until(lambda: dovecot.all_seen(1), what="the mail")
    message = house.messages[0]
    assert message is not None
    assert message.fields["asked"] == "||citizen1@example.org"
