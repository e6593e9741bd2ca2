# SPDX-License-Identifier: MIT
"""Our door beside a test's SMSC, with a house that lives in memory."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from channels.errors import DeliveryError
from channels.message import Address, AddressScheme
from channels.sms.part import Outgoing, Part, PartStore, SegmentReceipt
from channels.sms.smpp import SmppDoor
from channels.sms.smpp_account import SmppAccount

NOW = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)


@dataclass
class MemoryStore:
    """Keeps parts by their key; ``verdict`` may refuse an item (``False``) or raise."""

    verdict: Callable[[Part | SegmentReceipt], bool] = lambda _: True
    parts: dict[str, Part] = field(default_factory=dict)
    receipts: list[SegmentReceipt] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def keep(self, items: Sequence[Part | SegmentReceipt]) -> Sequence[bool]:
        """Remember what the verdict allows."""
        self.batches.append(len(items))
        verdicts = [self.verdict(item) for item in items]
        for item, kept in zip(items, verdicts, strict=True):
            if kept and isinstance(item, Part):
                self.parts.setdefault(item.key, item)
            elif kept and isinstance(item, SegmentReceipt):
                self.receipts.append(item)
        return verdicts


@dataclass
class MemoryOutbox:
    """Texts that are due, and every word about them in order."""

    waiting: deque[Outgoing] = field(default_factory=deque)
    told: list[tuple[str, tuple[str, ...] | DeliveryError]] = field(default_factory=list)
    failures: int = 0

    def due(self, limit: int) -> Sequence[Outgoing]:
        """Hand over each text once, as after a claim."""
        return [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]

    def submitted(self, entry_id: str, message_ids: Sequence[str]) -> None:
        """Note the ids; fails ``failures`` times before that."""
        if self.failures:
            self.failures -= 1
            raise OSError("no database")
        self.told.append((entry_id, tuple(message_ids)))

    def failed(self, entry_id: str, error: DeliveryError) -> None:
        """Note the error."""
        self.told.append((entry_id, error))

    def words(self) -> list[tuple[str, str]]:
        """Entry and ``"submitted"`` or the name of the error."""
        return [
            (entry, "submitted" if isinstance(said, tuple) else type(said).__name__)
            for entry, said in self.told
        ]


def text_of_ours(entry_id: str, words: str, number: str = "+212612345678") -> Outgoing:
    """A text that is due."""
    return Outgoing(entry_id, Address(AddressScheme.TEL, number), "", words)


def account_at(port: int, **changes: object) -> SmppAccount:
    """An account at the test's SMSC, with short waits."""
    account = SmppAccount(
        name="operator",
        host="localhost",
        port=port,
        system_id="guichet",
        password="secret",
        number="3737",
        region="MA",
        throttle_seconds=0.05,
        enquire_link_seconds=20.0,
        response_timeout_seconds=10.0,
        reconnect_base_seconds=0.02,
        reconnect_cap_seconds=0.2,
        poll_seconds=0.02,
    )
    return replace(account, **changes)  # type: ignore[arg-type]


@dataclass
class Running:
    """A door in a thread of its own."""

    door: SmppDoor
    stop: threading.Event
    thread: threading.Thread
    events: Counter[str]

    def end(self, seconds: float = 10.0) -> None:
        """Stop it and wait until it is over."""
        self.stop.set()
        self.door.wake()
        self.thread.join(seconds)
        assert not self.thread.is_alive()


@contextmanager
def door_running(
    account: SmppAccount,
    store: PartStore | None = None,
    outbox: MemoryOutbox | None = None,
) -> Iterator[Running]:
    """Our door, until the block ends."""
    events: Counter[str] = Counter()

    def count(event: str) -> None:
        events[event] += 1

    door = SmppDoor(
        account,
        store or MemoryStore(),
        outbox or MemoryOutbox(),
        clock=lambda: NOW,
        count=count,
        draw=random.Random(7),
    )
    stop = threading.Event()
    thread = threading.Thread(target=door.run, args=(stop,), daemon=True)
    thread.start()
    running = Running(door, stop, thread, events)
    try:
        yield running
    finally:
        running.end()
