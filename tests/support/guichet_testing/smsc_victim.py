# SPDX-License-Identifier: MIT
"""Our door as a process that dies between its commit and its answers, for crash tests.

``python -m guichet_testing.smsc_victim PORT DATABASE SEED DEATHS``: it dies at one commit of
DEATHS (0: never), and refuses one part of fifty.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from channels.sms.part import Part, SegmentReceipt
from channels.sms.smpp import SmppDoor
from guichet_testing.smsc_esme import MemoryOutbox, account_at

SCHEMA = "create table if not exists part (key text primary key, user_data blob, seen integer)"
INSERT = "insert into part values (?, ?, 1) on conflict (key) do update set seen = part.seen + 1"


class DyingStore:
    """Commits, then now and then ends the process before anybody was answered."""

    def __init__(self, path: Path, seed: int, deaths: int) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.execute(SCHEMA)
        self._draw = random.Random(seed)
        self._deaths = deaths

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """Keep all but one of fifty, in one commit."""
        verdicts = [self._draw.random() >= 0.02 for _ in items]
        self._connection.execute("begin immediate")
        for item, kept in zip(items, verdicts, strict=True):
            if kept and isinstance(item, Part):
                self._connection.execute(INSERT, (item.key, item.user_data))
        self._connection.execute("commit")
        if self._deaths and self._draw.randrange(self._deaths) == 0:
            os._exit(9)
        return verdicts


def rows(path: Path) -> list[tuple[bytes, int]]:
    """What is on disk: the words of each part, and how often it was kept."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select user_data, seen from part").fetchall()


def main(port: str, path: str, seed: str, deaths: str) -> None:
    """Run until killed."""
    door = SmppDoor(
        account_at(int(port)),
        DyingStore(Path(path), int(seed), int(deaths)),
        MemoryOutbox(),
        clock=lambda: datetime.now(UTC),
        count=lambda _: None,
    )
    door.run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
