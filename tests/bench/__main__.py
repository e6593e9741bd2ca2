# SPDX-License-Identifier: MIT
"""``make bench``: intake and relay beside their limits, in one run, as ratios.

Options: ``--runs N`` (5), ``--mails N`` (600), ``--webhooks N`` (2000), ``--entries N`` (2000),
``--json FILE``. The ratio is the median of paired runs, limit and ours in turn. After each of our
runs the rows of the database are counted against the acknowledgements.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Engine, func, select

from config.settings import load as load_settings
from gateway import wiring
from gateway.relay import RELAYED, Relay
from guichet_testing import limits, load
from guichet_testing.gateway import RunningGateway, free_port, listens, until
from guichet_testing.servers import Databases, PostgresServer, ValkeyServer
from tracker import register
from tracker.database import durability
from tracker.models import (
    OutboxKind,
    administrations,
    case_events,
    cases,
    deliveries,
    messages,
    outbox,
)
from tracker.outbox import row

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    database: str
    limit_per_second: float
    per_second: float
    ratio: float
    cpu_ms: float
    p99_ms: float
    bar: float
    counted: str


def tell(words: str) -> None:
    """Show progress."""
    print(words, file=sys.stderr, flush=True)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its living children."""
    total = 0.0
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            waiting += [
                int(n) for n in Path(f"/proc/{one}/task/{one}/children").read_text().split()
            ]
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def limit_process(*arguments: str) -> subprocess.Popen[bytes]:
    """Start one limit in a process of its own."""
    return subprocess.Popen([sys.executable, limits.__file__, *arguments])


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server."""
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def counted(engine: Engine) -> dict[str, int]:
    """Rows of the tables that intake writes."""
    tables = (deliveries, cases, messages, case_events, outbox)
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


class Bench:
    """The bench of one database."""

    def __init__(self, options: argparse.Namespace, database: str, valkey_url: str) -> None:
        self.options = options
        self.database = database
        self.server: PostgresServer | None = None
        url = None
        if database == "postgresql":
            self.server = PostgresServer()
            self.server.start()
            url = Databases(self.server.base_url).create()
        self.house = RunningGateway(
            url,
            QUEUE__REDIS_URL=valkey_url,
            LOG_LEVEL="ERROR",
            DISPATCH__BLACKHOLE_OUTLETS="true",
            SMTP__COMMAND_LIMIT="1000000",
        )
        self.house.run("migrate")
        os.environ.update(
            {k: v for k, v in self.house.environment.items() if k.startswith("GUICHET_")}
        )
        self.settings = wiring.with_demo_values(load_settings())
        self.engine = wiring.engine_of(self.settings)

    def close(self) -> None:
        """Delete everything."""
        self.engine.dispose()
        self.house.close()
        if self.server is not None:
            self.server.remove()

    def paired(
        self,
        what: str,
        limit_port: int,
        our_port: int,
        our_pid: int,
        send: Callable[[int, str], load.Outcome],
        bar: float,
    ) -> Row:
        """Run limit and ours in turn, count the rows, and give the medians."""
        ratios, ours, bounds, tails, cpu = [], [], [], [], []
        right = True
        send(limit_port, "warm")
        send(our_port, f"w{what[0]}{time.time_ns()}")
        for run in range(self.options.runs):
            bound = send(limit_port, f"l{run}")
            before, spent = counted(self.engine), cpu_seconds(our_pid)
            outcome = send(our_port, f"{what[0]}{run}{time.time_ns()}")
            spent = cpu_seconds(our_pid) - spent
            after = counted(self.engine)
            new = {name: after[name] - before[name] for name in after}
            expected = outcome.acknowledged
            right &= all(
                new[name] == expected for name in ("deliveries", "cases", "messages", "case_events")
            )
            right &= new["outbox"] == 2 * expected
            right &= outcome.refused == bound.refused == 0
            ours.append(outcome.acknowledged / outcome.seconds)
            bounds.append(bound.acknowledged / bound.seconds)
            ratios.append(ours[-1] / bounds[-1])
            tails.append(outcome.p99 * 1000)
            cpu.append(spent * 1000 / max(outcome.acknowledged, 1))
            tell(
                f"  {what}, {self.database}, {run + 1}: {ours[-1]:.0f}/s beside {bounds[-1]:.0f}/s"
                f" = {ratios[-1]:.2f}, rows {'right' if right else f'WRONG {new} {expected}'}"
            )
        middle = statistics.median
        return Row(
            what,
            self.database,
            middle(bounds),
            middle(ours),
            middle(ratios),
            middle(cpu),
            middle(tails),
            bar,
            "right" if right else "WRONG",
        )

    def smtp(self) -> Row:
        """SMTP → committed case beside aiosmtpd doing nothing."""
        port = free_port()
        limit = limit_process("smtp", str(port))
        ours = self.house.spawn("smtp")

        def send(to: int, run: str) -> load.Outcome:
            return asyncio.run(load.send_mails(to, load.mails(self.options.mails, run)))

        try:
            until(lambda: listens(port) and listens(self.house.smtp_port))
            return self.paired("SMTP to case", port, self.house.smtp_port, ours.pid, send, 0.30)
        finally:
            end(limit)
            end(ours)

    def webhook(self) -> Row:
        """Signed webhook → committed case beside checking the signature only."""
        port = free_port()
        token = json.loads(self.house.environment["GUICHET_TWILIO__AUTH_TOKENS"])[0]
        account = self.house.environment["GUICHET_TWILIO__ACCOUNT_SID"]
        workers = 1 if self.database == "sqlite" else 2
        limit = limit_process("web", str(port), str(workers), "16", token)
        ours = self.house.spawn("web")

        def send(to: int, run: str) -> load.Outcome:
            url = f"http://127.0.0.1:{to}/inbound/sms/twilio"
            requests = load.webhooks(self.options.webhooks, run, url, token, account)
            return asyncio.run(load.post_webhooks(to, requests))

        try:
            until(lambda: listens(port) and listens(self.house.web_port))
            return self.paired("webhook to case", port, self.house.web_port, ours.pid, send, 0.15)
        finally:
            end(limit)
            end(ours)

    def relay(self) -> Row:
        """Referrals to the blackhole: entries a second, claim to record."""
        workshop = wiring.build_workshop(self.settings, self.engine)
        relay = Relay(self.engine, self.settings, workshop.dispatcher.perform, wiring.now, RELAYED)
        with self.engine.begin() as connection:
            connection.execute(outbox.update().values(state="done"))
            slug = connection.scalar(select(administrations.c.slug).limit(1))
            ids = connection.scalars(select(cases.c.id).limit(self.options.entries)).all()
        rates, cpu = [], []
        for run in range(self.options.runs):
            with self.engine.begin() as connection:
                entries = [
                    row(
                        OutboxKind.REFER,
                        f"bench:{run}:{number}",
                        now=wiring.now(),
                        channel="desk",
                        recipient_scheme="administration",
                        recipient=slug or "",
                        case_id=ids[number % len(ids)],
                    )
                    for number in range(self.options.entries)
                ]
                connection.execute(outbox.insert(), entries)
            began, spent = time.perf_counter(), time.process_time()
            done = relay.drain()
            rates.append(done / (time.perf_counter() - began))
            cpu.append((time.process_time() - spent) * 1000 / done)
            tell(f"  relay, {self.database}, run {run + 1}: {rates[-1]:.0f}/s")
        with self.engine.connect() as connection:
            left = connection.scalar(
                select(func.count()).select_from(outbox).where(outbox.c.state != "done")
            )
        rate = statistics.median(rates)
        return Row(
            "relay to blackhole",
            self.database,
            500,
            rate,
            rate / 500,
            statistics.median(cpu),
            0,
            1.0,
            "right" if not left else f"WRONG: {left} left",
        )

    def raw_commit(self) -> float:
        """Blob rows committed one by one, a second: what the disk allows."""
        began = time.perf_counter()
        number = 0
        while time.perf_counter() - began < 1.0:
            with self.engine.begin() as connection:
                register.store_blob(connection, f"{began}{number}".encode() * 50)
            number += 1
        return number / (time.perf_counter() - began)


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(
        f"{'what':20} {'database':11} {'limit/s':>8} {'ours/s':>8} {'ratio':>6} {'bar':>5} "
        f"{'CPU ms':>7} {'p99 ms':>7}  rows"
    )
    for one in rows:
        print(
            f"{one.what:20} {one.database:11} {one.limit_per_second:8.0f} {one.per_second:8.0f} "
            f"{one.ratio:6.2f} {one.bar:5.2f} {one.cpu_ms:7.2f} {one.p99_ms:7.0f}  {one.counted}"
        )


def main() -> int:
    """Run all; 1 when a ratio misses its bar or rows do not match the acknowledgements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--mails", type=int, default=600)
    parser.add_argument("--webhooks", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    facts: dict[str, object] = {}
    valkey = ValkeyServer()
    valkey.start()
    try:
        for database in ("sqlite", "postgresql"):
            tell(f"{database}:")
            bench = Bench(options, database, valkey.url)
            try:
                facts[database] = {
                    "durability": durability(bench.engine),
                    "raw_commits_per_second": round(bench.raw_commit()),
                }
                rows += [bench.smtp(), bench.webhook(), bench.relay()]
            finally:
                bench.close()
    finally:
        valkey.remove()
    show(rows)
    print(json.dumps(facts))
    if options.json:
        told = {"schema": 1, "rows": [asdict(one) for one in rows], "facts": facts}
        options.json.write_text(json.dumps(told, indent=2), encoding="utf-8")
    return int(any(one.ratio < one.bar or one.counted != "right" for one in rows))


if __name__ == "__main__":
    sys.exit(main())
