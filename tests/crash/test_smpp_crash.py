# SPDX-License-Identifier: MIT
"""Kill −9 of the SMPP process between commit and answer, and refusals: each text is there once.

What was answered and not filed yet when the process died is filed by the next one.

2,000 deliver_sm a database; ``GUICHET_CRASH_PARTS`` and ``GUICHET_CRASH_SEED`` change the run.
"""

import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.smsc import Behaviour, Smsc, running
from guichet_testing.smsc_wire import deliver_body, parts_of

PARTS = int(os.environ.get("GUICHET_CRASH_PARTS", "2000"))
SEED = int(os.environ.get("GUICHET_CRASH_SEED", "20260301"))
ROUNDS = max(4, PARTS // 180)
#: At least so many answers are 0x64 (ESME_RX_T_APPN), by a database that cannot commit.
REFUSALS = PARTS // 50
REFUSED = 0x64
WORDS = "انقطع الماء الصالح للشرب عن حي السلام منذ ثلاثة أيام ولم يرد علينا أحد. "
SETTINGS = {
    "SMPP__HOST": "127.0.0.1",
    "SMPP__NUMBER": "3737",
    "SMPP__SYSTEM_ID": "guichet",
    "SMPP__RECONNECT_BASE_SECONDS": "0.1",
    "SMPP__RECONNECT_CAP_SECONDS": "0.3",
    "DATABASE__LOCK_TIMEOUT_SECONDS": "0.3",
    "LOG_LEVEL": "ERROR",
}


class Line:
    """A TCP proxy to the SMSC that can swallow what the ESME answers.

    Args:
        target: the SMSC's port.
    """

    def __init__(self, target: int) -> None:
        self.swallowing = threading.Event()
        self.swallowed = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _take(self) -> None:
        while True:
            try:
                esme, _ = self._listener.accept()
                smsc = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            threading.Thread(target=self._pump, args=(esme, smsc, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(smsc, esme, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        try:
            while octets := source.recv(65_536):
                if outward and self.swallowing.is_set():
                    self.swallowed += 1
                    continue
                target.sendall(octets)
        except OSError:
            pass  # one side was killed; the other is told below
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def traffic(dice: random.Random) -> tuple[list[bytes], Counter[tuple[str, str]]]:
    """Bodies of deliver_sm, shuffled among themselves, and what they say: (sender, words)."""
    bodies: list[bytes] = []
    said: Counter[tuple[str, str]] = Counter()
    number = 0
    while len(bodies) < PARTS:
        source = f"2126{number:08d}"
        number += 1
        if dice.random() < 0.6:
            words = f"Pas d'eau depuis {number} jours dans notre quartier"
            some = [deliver_body(source, words.encode("ascii"))]
        else:
            words = f"{number} {WORDS * dice.randint(1, 3)}".strip()
            some = parts_of(source, words, reference=dice.randrange(256))
        said[f"+{source}", words] += 1
        bodies += some
    dice.shuffle(bodies)
    return bodies, said


@contextmanager
def nothing_commits(url: str) -> Iterator[None]:
    """Keep everybody else from writing for the length of a ``with`` block."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE deliveries, sms_parts IN EXCLUSIVE MODE"))
        yield
        connection.rollback()


def unfiled(engine: Engine) -> int:
    """Parts that were answered and are in no case yet."""
    with engine.connect() as connection:
        waiting = text("SELECT count(*) FROM sms_parts WHERE delivery_id IS NULL")
        return int(connection.scalar(waiting) or 0)


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with running(Behaviour(window=20)) as one:
        yield one


@pytest.fixture
def house(smsc: Smsc, database_url: str) -> Iterator[tuple[RunningGateway, Line]]:
    """A migrated database; the SMPP process is started by the test."""
    line = Line(smsc.port)
    gateway = RunningGateway(database_url, **SETTINGS, SMPP__PORT=str(line.port))
    try:
        gateway.run("migrate")
        yield gateway, line
    finally:
        gateway.close()
        line.close()


def test_no_text_is_lost_and_none_doubled(smsc, house, database_url: str) -> None:
    gateway, line = house
    engine = create_engine(database_url, poolclass=NullPool)
    dice = random.Random(SEED)
    bodies, said = traffic(dice)
    pieces = [bodies[at::ROUNDS] for at in range(ROUNDS)]

    def answers(status: int) -> int:
        return sum(found.count(status) for found in smsc.ledger.statuses.values())

    def grows(count: Callable[[], int], least: float, what: str) -> None:
        until(lambda: count() >= least, seconds=60, what=f"{what}: {gateway.tail()}")

    between = 0
    for number, piece in enumerate(pieces):
        process = gateway.spawn("smpp")
        try:
            grows(lambda: len(smsc.ledger.binds), number + 1, "a bind")
            wanted = answers(0) + dice.randrange(1, len(piece) // 2)
            with nothing_commits(database_url):
                smsc.queue(*piece)
                grows(lambda: answers(REFUSED), REFUSALS * (number + 1) / ROUNDS, "refusals")
            grows(lambda: answers(0), wanted, "answers")
            if number % 3 < 2:  # what is swallowed was committed; else a moment by chance
                heard = line.swallowed
                line.swallowing.set()
                smsc.queue(deliver_body("212600000000", f"Encore {number}".encode()))
                grows(lambda: line.swallowed, heard + 1, "an answer to swallow")
                said["+212600000000", f"Encore {number}"] += 1
                between += 1
        finally:
            process.kill()
            process.wait(10)
            line.swallowing.clear()
    process = gateway.spawn("smpp")
    try:
        total = len(bodies) + between
        until(lambda: len(smsc.ledger.acknowledged()) == total, seconds=60, what="the last answers")
        until(lambda: unfiled(engine) == 0, seconds=60, what=f"the last filing: {gateway.tail()}")
    finally:
        process.terminate()
        assert process.wait(15) == 0

    with engine.connect() as connection:
        filed = Counter(
            (row.sender, row.text)
            for row in connection.execute(
                text("SELECT sender, text FROM messages WHERE direction = 'inbound'")
            )
        )
        states = Counter(connection.scalars(text("SELECT state FROM deliveries")))
    sends = sum(smsc.ledger.sends.values())
    again = sum(count - 1 for count in smsc.ledger.sends.values())
    print(f"{total} units sent {sends} times, {answers(REFUSED)} refused, {ROUNDS} killed")
    assert filed == said
    assert set(states) <= {"filed", "appended"}
    assert states.total() == said.total()
    assert answers(REFUSED) >= REFUSALS
    assert again > answers(REFUSED), "nothing was redelivered after a kill"
