# SPDX-License-Identifier: MIT
"""A mail door on loopback, in a thread of its own, before a house that remembers."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from channels.channel import Accepted, Acknowledgement, Delivery
from channels.mail.address import is_ours
from channels.mail.limits import Limits
from channels.mail.smtp import MailDoor
from channels.message import InboundMessage

DOMAIN = "guichet.example"
MAILBOX = f"complaints@{DOMAIN}"
MAIL = (
    "From: Amina <amina@example.org>\r\nTo: complaints@guichet.example\r\n"
    "Subject: Eclairage\r\nMessage-ID: <1@example.org>\r\n\r\nLa rue est sombre.\r\n"
)


class Intake:
    """A house that remembers, and answers what the test tells it to."""

    def __init__(self) -> None:
        self.seen: list[tuple[Delivery, InboundMessage | None]] = []
        self.answers: list[Acknowledgement | Exception] = []
        self.counted: list[str] = []
        self.futures: list[Future[Acknowledgement]] = []
        self.delay = 0.0

    def submit(
        self, delivery: Delivery, message: InboundMessage | None, _understood: object = None
    ) -> Future[Acknowledgement]:
        """Take one delivery."""
        self.seen.append((delivery, message))
        answer = self.answers.pop(0) if self.answers else Accepted()
        future: Future[Acknowledgement] = Future()
        self.futures.append(future)
        if isinstance(answer, Exception):
            raise answer
        if self.delay:
            threading.Timer(self.delay, future.set_result, [answer]).start()
        else:
            future.set_result(answer)
        return future


@contextmanager
def serving(
    intake: Intake,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    **more: Any,
) -> Iterator[int]:
    """A door on a free port; the value is the port."""
    door = MailDoor(
        submit=intake.submit,
        is_ours=partial(is_ours, domain=DOMAIN, mailbox="complaints"),
        clock=lambda: datetime(2026, 11, 24, tzinfo=UTC),
        hostname=DOMAIN,
        limits=limits,
        tls=tls,
        count=intake.counted.append,
        **more,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    _, port = asyncio.run_coroutine_threadsafe(door.open(host, 0), loop).result(5)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(door.close(1.0), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


class Peer:
    """A client that says exactly what it is told to.

    Args:
        where: the door's port, or the path of its socket.
    """

    def __init__(self, where: int | Path) -> None:
        if isinstance(where, Path):
            self.line = socket.socket(socket.AF_UNIX)
            self.line.settimeout(10)
            self.line.connect(str(where))
        else:
            self.line = socket.create_connection(("127.0.0.1", where), timeout=10)
        self.file = self.line.makefile("rb")
        self.reply()

    def reply(self) -> str:
        """One answer, of one line or more; ``""`` when the door has hung up."""
        lines = []
        while line := self.file.readline():
            lines.append(line.decode().rstrip())
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def say(self, words: bytes | str) -> str:
        """Send a line; the answer."""
        self.line.sendall((words if isinstance(words, bytes) else words.encode()) + b"\r\n")
        return self.reply()

    def begin_data(self, greeting: str = "EHLO here") -> None:
        """All up to 354."""
        for words, code in (
            (greeting, "250"),
            ("MAIL FROM:<a@example.org>", "250"),
            (f"RCPT TO:<{MAILBOX}>", "250"),
            ("DATA", "354"),
        ):
            assert self.say(words).startswith(code)

    def rest(self) -> str:
        """All answers until the door hangs up."""
        return self.file.read().decode()


@contextmanager
def peer(where: int | Path) -> Iterator[Peer]:
    """A client for the length of a ``with`` block."""
    client = Peer(where)
    try:
        yield client
    finally:
        client.file.close()
        client.line.close()
