# SPDX-License-Identifier: MIT
"""``python tests/bench/smpp.py``: parts a second through an SMPP door, and texts with receipts.

The SMSC runs here, each ESME in a process of its own: ``all`` answers everything and keeps nothing
(the bound of this SMSC), ``bare`` commits one row per part (what an ESME without batches does),
``door`` is ours with a store that keeps nothing, ``door-sqlite`` ours with one commit per read.
"""

from __future__ import annotations

import argparse
import os
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from channels.sms.part import Part, SegmentReceipt
from channels.sms.smpp import SmppDoor
from guichet_testing.smsc import Behaviour, Smsc, running
from guichet_testing.smsc_esme import MemoryOutbox, account_at, text_of_ours
from guichet_testing.smsc_wire import parts_of, unpack

WAYS = ("all", "bare", "door", "door-sqlite")
SCHEMA = "create table part (key text primary key, pdu blob) without rowid"
INSERT = "insert into part values (?, ?) on conflict do nothing"


def bodies(count: int) -> list[bytes]:
    """Parts of Arabic texts of three parts, of many phones."""
    text = "الماء مقطوع عن الحي منذ ثلاثة أيام ولا أحد يجيب على الهاتف، المرجو التدخل. " * 2
    found: list[bytes] = []
    number = 0
    while len(found) < count:
        number += 1
        found += parts_of(f"2126{number % 10_000_000:08}", text, reference=number % 256)
    return found[:count]


def database(path: Path) -> sqlite3.Connection:
    """As durable as the house's own: WAL, every commit synced."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(SCHEMA)
    return connection


def bare(port: int, connection: sqlite3.Connection | None) -> None:
    """A bare ESME: reads a unit, commits its row, answers it."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind = b"bare\0bare\0\0\x34\0\0\0"
        raw.sendall(struct.pack(">4I", 16 + len(bind), 9, 0, 1) + bind)
        stream = bytearray()
        while octets := raw.recv(65_536):
            stream += octets
            answers = b""
            while (unit := unpack(stream)) is not None:
                if unit.command != 5:
                    continue
                answer = struct.pack(">4I", 17, 0x80000005, 0, unit.sequence) + b"\0"
                if connection is None:
                    answers += answer
                    continue
                connection.execute(INSERT, (os.urandom(16).hex(), unit.body))
                raw.sendall(answer)
            if answers:
                raw.sendall(answers)


class NoStore:
    """Keeps nothing."""

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """All is well."""
        return [True] * len(items)


class SqliteStore:
    """One commit for all that one read held."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """A row each."""
        self._connection.execute("begin immediate")
        rows = [(item.key, item.pdu) for item in items if isinstance(item, Part)]
        self._connection.executemany(INSERT, rows)
        self._connection.execute("commit")
        return [True] * len(items)


def esme(way: str, port: int, path: Path, texts: int) -> None:
    """Be one of the ways, until killed."""
    if way in ("all", "bare"):
        bare(port, None if way == "all" else database(path))
        return
    store = NoStore() if way == "door" else SqliteStore(database(path))
    words = "تم تسجيل شكايتكم تحت الرقم 4821-0935-7716"
    waiting = deque(
        text_of_ours(str(number), words, f"+2126{number:08}") for number in range(texts)
    )
    door = SmppDoor(
        account_at(port, window=50),
        store,
        MemoryOutbox(waiting),
        clock=lambda: datetime.now(UTC),
        count=lambda _: None,
    )
    door.run(threading.Event())


def per_second(smsc: Smsc, way: str, path: Path, texts: int, expected: int) -> float:
    """Acknowledged deliveries a second, from the first to the last."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [way, str(smsc.port), str(path), str(texts)]
    process = subprocess.Popen([sys.executable, __file__, "--esme", *words], env=environment)
    answered_at = smsc.ledger.answered_at
    try:
        smsc.wait(lambda: len(answered_at) >= expected, 300)
        return (len(answered_at) - 1) / (answered_at[-1] - answered_at[0])
    finally:
        process.kill()
        process.wait()


def intake(way: str, parts: int) -> float:
    """Parts a second inward."""
    with tempfile.TemporaryDirectory() as folder, running(Behaviour(window=50)) as smsc:
        smsc.queue(*bodies(parts))
        return per_second(smsc, way, Path(folder) / "parts.sqlite", 0, parts)


def outward(texts: int) -> float:
    """Texts of ours a second whose receipt was taken."""
    with tempfile.TemporaryDirectory() as folder, running(Behaviour(receipts="late")) as smsc:
        return per_second(smsc, "door", Path(folder) / "parts.sqlite", texts, texts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--esme", nargs=4, metavar=("WAY", "PORT", "DATABASE", "TEXTS"))
    given = parser.parse_args()
    if given.esme:
        way, port, path, texts = given.esme
        esme(way, int(port), Path(path), int(texts))
        return
    figures: dict[str, list[float]] = {}
    for _ in range(given.runs):
        for way in WAYS:
            figures.setdefault(f"in: {way}", []).append(intake(way, given.parts))
        figures.setdefault("out with receipts: door", []).append(outward(given.parts))
    for name, values in figures.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:26} {low:8.0f} {middle:8.0f} {high:8.0f} per second (min, median, max)")


if __name__ == "__main__":
    main()
