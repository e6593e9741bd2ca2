# SPDX-License-Identifier: MIT
"""The runs of one database: mails, webhooks and the relay, each beside its limit."""

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from readings import Row, counted, cpu_seconds, expected
from sqlalchemy import func, select

from config.settings import load as load_settings
from gateway import wiring
from gateway.relay import RELAYED, Relay
from gateway.server import processes
from guichet_testing import limits, load
from guichet_testing.durable import DURABLE, watched
from guichet_testing.gateway import RunningGateway, free_port, listens, until
from guichet_testing.servers import Databases, PostgresServer
from tracker import register
from tracker.models import OutboxKind, administrations, cases, outbox
from tracker.outbox import row

Send = Callable[[int, str], load.Outcome]


def tell(words: str) -> None:
    """Show progress."""
    print(words, file=sys.stderr, flush=True)


class Bench:
    """The bench of one database.

    Args:
        options: of the command line.
        database: ``sqlite`` or ``postgresql``.
        valkey_url: where the doorbell rings.
    """

    def __init__(self, options: argparse.Namespace, database: str, valkey_url: str) -> None:
        self.options = options
        self.database = database
        self.server: PostgresServer | None = None
        url = None
        if database == "postgresql":
            self.server = PostgresServer()
            self.server.start()
        try:
            if self.server is not None:
                url = Databases(self.server.base_url).create()
            self.house = RunningGateway(
                url,
                QUEUE__REDIS_URL=valkey_url,
                LOG_LEVEL="ERROR",
                DISPATCH__BLACKHOLE_OUTLETS="true",
                SMTP__COMMAND_LIMIT="1000000",
            )
            self.house.run("migrate")
            with environment(self.house.environment):
                self.settings = wiring.with_demo_values(load_settings())
            self.engine = wiring.engine_of(self.settings)
        except BaseException:
            if self.server is not None:
                self.server.remove()
            raise

    def close(self) -> None:
        """Delete everything."""
        self.engine.dispose()
        self.house.close()
        if self.server is not None:
            self.server.remove()

    def smtp(self) -> Row:
        """SMTP → committed case beside aiosmtpd doing nothing."""
        port = free_port()
        limit = limit_process("smtp", str(port))
        ours = self.house.spawn("smtp")

        def send(to: int, run: str) -> load.Outcome:
            return asyncio.run(load.send_mails(to, load.mails(self.options.mails, run)))

        try:
            until(lambda: listens(port) and listens(self.house.smtp_port))
            return self._paired("SMTP to case", port, self.house.smtp_port, ours.pid, send, 0.45)
        finally:
            end(limit)
            end(ours)

    def webhook(self) -> Row:
        """Signed webhook → committed case beside checking the signature only."""
        port = free_port()
        token = json.loads(self.house.environment["GUICHET_TWILIO__AUTH_TOKENS"])[0]
        account = self.house.environment["GUICHET_TWILIO__ACCOUNT_SID"]
        workers, threads = processes(self.settings), self.settings.web.threads
        limit = limit_process("web", str(port), str(workers), str(threads), token)
        ours = self.house.spawn("web")

        def send(to: int, run: str) -> load.Outcome:
            url = f"http://127.0.0.1:{to}/inbound/sms/twilio"
            requests = load.webhooks(self.options.webhooks, run, url, token, account)
            return asyncio.run(load.post_webhooks(to, requests))

        try:
            until(lambda: listens(port) and listens(self.house.web_port))
            return self._paired("webhook to case", port, self.house.web_port, ours.pid, send, 0.25)
        finally:
            end(limit)
            end(ours)

    def _paired(
        self, what: str, limit_port: int, our_port: int, our_pid: int, send: Send, bar: float
    ) -> Row:
        """Run limit and ours in turn, count the rows, and give the medians."""
        with watched(self.engine) as told:
            send(limit_port, "warm")
            send(our_port, f"w{what[0]}{time.time_ns()}")
            settings = {setting for _, setting in told()}
        rights = settings == {DURABLE[self.database]}
        runs = []
        for number in range(self.options.runs):
            first_ours = number % 2 == 1  # whoever runs second finds warm caches
            bound = None if first_ours else send(limit_port, f"l{number}")
            before = counted(self.engine)
            spent, database = cpu_seconds(our_pid), self._database_cpu()
            outcome = send(our_port, f"{what[0]}{number}{time.time_ns()}")
            spent, database = cpu_seconds(our_pid) - spent, self._database_cpu() - database
            new = {name: rows - before[name] for name, rows in counted(self.engine).items()}
            bound = bound or send(limit_port, f"l{number}")
            right = new == expected(outcome.acknowledged, outcome.files)
            rights &= right and outcome.refused == bound.refused == 0
            rate = outcome.acknowledged / outcome.seconds
            limit = bound.acknowledged / bound.seconds
            each = 1000 / max(outcome.acknowledged, 1)
            runs.append((limit, rate, rate / limit, spent * each, database * each, outcome.p99))
            tell(
                f"  {what}, {self.database}, {number + 1}: {rate:.0f}/s beside {limit:.0f}/s"
                f" = {rate / limit:.2f}, rows {'right' if right else f'WRONG {new} {outcome}'}"
            )
        limit, rate, ratio, cpu, database, tail = map(statistics.median, zip(*runs, strict=True))
        return Row(
            what=what,
            database=self.database,
            limit_per_second=limit,
            per_second=rate,
            ratio=ratio,
            bar=bar,
            cpu_ms=cpu,
            database_cpu_ms=database,
            p99_ms=tail * 1000,
            durability=", ".join(sorted(settings)),
            counted="right" if rights else "WRONG",
        )

    def relay(self) -> Row:
        """Referrals to the blackhole: entries a second, claim to record."""
        workshop = wiring.build_workshop(self.settings, self.engine)
        relay = Relay(self.engine, self.settings, workshop.dispatcher.perform, wiring.now, RELAYED)
        with self.engine.begin() as connection:
            connection.execute(outbox.update().values(state="done"))
            slug = connection.scalar(select(administrations.c.slug).limit(1)) or ""
            ids = connection.scalars(select(cases.c.id).limit(self.options.entries)).all()
        runs = []
        for run in range(self.options.runs):
            entries = [
                row(
                    OutboxKind.REFER,
                    f"bench:{run}:{number}",
                    now=wiring.now(),
                    channel="desk",
                    recipient_scheme="administration",
                    recipient=slug,
                    case_id=ids[number % len(ids)],
                )
                for number in range(self.options.entries)
            ]
            with self.engine.begin() as connection:
                connection.execute(outbox.insert(), entries)
            began, spent = time.perf_counter(), time.process_time()
            database = self._database_cpu()
            relay.drain()
            seconds = time.perf_counter() - began
            each = 1000 / len(entries)
            runs.append(
                (
                    len(entries) / seconds,
                    (time.process_time() - spent) * each,
                    (self._database_cpu() - database) * each,
                )
            )
            tell(f"  relay, {self.database}, {run + 1}: {runs[-1][0]:.0f}/s")
        with self.engine.connect() as connection:
            left = connection.scalar(
                select(func.count()).select_from(outbox).where(outbox.c.state != "done")
            )
        rate, cpu, database = map(statistics.median, zip(*runs, strict=True))
        return Row(
            what="relay to blackhole",
            database=self.database,
            limit_per_second=500,
            per_second=rate,
            ratio=rate / 500,
            bar=1.0,
            cpu_ms=cpu,
            database_cpu_ms=database,
            p99_ms=0,
            durability=DURABLE[self.database],
            counted="WRONG" if left else "right",
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

    def _database_cpu(self) -> float:
        process = self.server.process if self.server else None
        return cpu_seconds(process.pid if process else None)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Read settings as a process of this house would, and leave nothing behind."""
    before = dict(os.environ)
    os.environ.update({name: value for name, value in values.items() if name.startswith("GUICHET")})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def limit_process(*arguments: str) -> subprocess.Popen[bytes]:
    """Start one limit in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", limits.__name__, *arguments])


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server."""
    process.send_signal(signal.SIGTERM)
    process.wait(20)
