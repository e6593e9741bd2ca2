# SPDX-License-Identifier: MIT
"""Kill −9 at random points: every acknowledged delivery is one case, and everybody is answered.

About a minute a database; ``GUICHET_CRASH_MESSAGES`` and ``GUICHET_CRASH_KILLS`` make it longer.
"""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from guichet_testing.gateway import RunningGateway, until
from guichet_testing.servers import Databases, PostgresServer
from guichet_testing.traffic import mail, post_text, send_mail, webhook

MESSAGES = int(os.environ.get("GUICHET_CRASH_MESSAGES", "320"))
KILLS = int(os.environ.get("GUICHET_CRASH_KILLS", "12"))
SEED = int(os.environ.get("GUICHET_CRASH_SEED", "20260301"))
SETTINGS = {
    "QUEUE__LEASE_SECONDS": "3",
    "QUEUE__SWEEP_SECONDS": "0.5",
    "DATABASE__LOCK_TIMEOUT_SECONDS": "3",
    "TWILIO__LOOK_MINUTES": "0",
    "LOG_LEVEL": "WARNING",
}
#: What is killed, as the end of its command line; ``horse`` is a worker's forked job.
VICTIMS = ("web", "smtp", "relay", "horse", "sweep", "valkey")


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Iterator[tuple[RunningGateway, PostgresServer | None]]:
    """A gateway; on PostgreSQL with a server of its own that may be killed."""
    server = None
    url = None
    if request.param == "postgresql":
        server = PostgresServer()
        server.start()
        url = Databases(server.base_url).create()
    house = RunningGateway(url, **SETTINGS)
    try:
        house.start()
        yield house, server
    finally:
        house.close()
        if server is not None:
            server.remove()


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def victims(house: RunningGateway, kind: str) -> list[int]:
    """The process ids of one kind, found below the supervisor and nowhere else."""
    assert house.serve is not None
    found = []
    for pid in children_of(house.serve.pid):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        words = command.split()
        if kind == "valkey" and "valkey" in words[0]:
            found.append(pid)
        elif kind == "horse" and words[-2:] == ["worker", "relay"]:
            found += children_of(pid)
        elif words[-1:] == [kind]:
            found += [pid, *children_of(pid)] if kind == "web" else [pid]
    return found


class Killer(threading.Thread):
    """Kills until it has killed enough; PostgreSQL is killed twice and started again."""

    def __init__(self, house: RunningGateway, server: PostgresServer | None, done: int) -> None:
        super().__init__(daemon=True)
        self.house, self.server, self.done = house, server, done
        self.dice = random.Random(SEED)
        self.kills: Counter[str] = Counter()
        self.enough = threading.Event()

    def run(self) -> None:
        """Kill one thing after another, with pauses that let work happen between."""
        order = [VICTIMS[n % len(VICTIMS)] for n in range(self.done)]
        if self.server is not None:
            order[2:2] = ["postgresql"]
            order[8:8] = ["postgresql"]
        while sum(self.kills.values()) < self.done:
            for kind in order:
                time.sleep(self.dice.uniform(0.3, 1.2))
                self.kill(kind)
        self.enough.set()

    def kill(self, kind: str) -> None:
        """Kill one process of a kind, when there is one."""
        if kind == "postgresql" and self.server is not None:
            self.server.kill()
            self.server.start()
            self.kills[kind] += 1
            return
        found = victims(self.house, kind)
        if kind == "horse":  # it lives for milliseconds: wait for one
            until_time = time.monotonic() + 2
            while not found and time.monotonic() < until_time:
                found = victims(self.house, kind)
        if not found:
            return
        try:
            os.kill(self.dice.choice(found), signal.SIGKILL)
        except ProcessLookupError:
            return
        self.kills[kind] += 1


def insist(send: Callable[[], int], wanted: int) -> None:
    """Try again as the other side would until it is acknowledged."""

    def tried() -> bool:
        if send() == wanted:
            return True
        time.sleep(0.2)
        return False

    until(tried, seconds=60, what="the acknowledgement")


def text_sender(number: int) -> str:
    """A telephone of its own for each text; none ends as the simulator's failing ones do."""
    return f"+2126614{number:04d}5"


def acknowledged_texts(house: RunningGateway, number: str) -> list[str]:
    """The acknowledgements that a telephone received."""
    found = httpx.get(f"{house.outside}/sms/{number}", timeout=30).json()["texts"]
    return [t["body"] for t in found if t["direction"] != "inbound" and "enregistr" in t["body"]]


def acknowledged_mails(house: RunningGateway, address: str) -> list[str]:
    """The acknowledgements that a mailbox received."""
    found = httpx.get(f"{house.outside}/mail/{address}", timeout=30).json()["mails"]
    return [m["subject"] for m in found if not m["outgoing"] and "enregistr" in m["subject"]]


def unsettled(house: RunningGateway) -> list[tuple[str, str, str]]:
    """Outbox entries that are not done yet."""
    return [
        (entry["kind"], entry["state"], entry["last_error"])
        for entry in house.export("outbox")
        if entry["state"] not in ("done", "held")
    ]


def uncertain_recipients(house: RunningGateway) -> set[str]:
    """Who may have been told twice: the recipients of entries that were ``unknown`` once."""
    url = house.environment.get("GUICHET_DATABASE__URL")
    if url:
        from sqlalchemy import create_engine, text

        query = text("SELECT recipient FROM outbox WHERE payload::text LIKE '%was_unknown%'")
        with create_engine(url).connect() as connection:
            return set(connection.scalars(query))
    file = sqlite3.connect(house.data_dir / "guichet.sqlite3")
    rows = file.execute("SELECT recipient FROM outbox WHERE payload LIKE '%was_unknown%'")
    return {row[0] for row in rows}


def test_nothing_acknowledged_is_lost_or_doubled(
    stage: tuple[RunningGateway, PostgresServer | None],
) -> None:
    """Promises 1 and 2, and every citizen answered."""
    house, server = stage
    killer = Killer(house, server, KILLS)
    texts = [text_sender(n) for n in range(MESSAGES // 2)]
    mails = [f"citizen{n}@crash.example" for n in range(MESSAGES - len(texts))]

    def send_text(number: str) -> None:
        form = webhook(house, number, "Pas d'eau potable ici")
        insist(lambda: post_text(house, form, timeout=8), 200)

    def send_one_mail(address: str) -> None:
        raw = mail(address, "Pas d'eau potable ici")
        insist(lambda: send_mail(house, address, raw, timeout=8), 250)

    killer.start()
    with ThreadPoolExecutor(6) as pool:
        waiting = []
        for number, address in zip(texts, mails, strict=True):
            waiting += [pool.submit(send_text, number), pool.submit(send_one_mail, address)]
            time.sleep(0.05)
        for one in waiting:
            one.result()
    killer.join(120)
    assert killer.enough.is_set()
    house.await_ready()
    until(lambda: not unsettled(house), seconds=120, what=f"the outbox done {unsettled(house)[:5]}")

    cases = Counter(case["contact"]["value"] for case in house.export("cases"))
    deliveries = house.export("deliveries")
    doubtful = uncertain_recipients(house)
    told = {number: acknowledged_texts(house, number) for number in texts}
    told |= {address: acknowledged_mails(house, address) for address in mails}
    lost = [who for who in (*texts, *mails) if cases[who] == 0]
    doubled = [who for who, count in cases.items() if count > 1]
    silent = [who for who, heard in told.items() if not heard]
    twice = [who for who, heard in told.items() if len(heard) > 1 and who not in doubtful]
    print(
        f"seed {SEED}: {len(texts) + len(mails)} acknowledged, {sum(killer.kills.values())} kills "
        f"{dict(killer.kills)}, {len(lost)} lost, {len(doubled)} doubled, {len(silent)} silent, "
        f"{len(twice)} answered twice, {len(doubtful)} once unknown"
    )
    assert sum(killer.kills.values()) >= 10
    assert (lost, doubled, silent, twice) == ([], [], [], [])
    assert len(deliveries) == len(texts) + len(mails)
    assert house.stop() == 0
