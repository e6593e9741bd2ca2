# SPDX-License-Identifier: MIT
"""``make bench-smpp``: the whole SMPP process on its database, beside a bare ESME.

``guichet smpp`` as a process: parts in until they are answered (texts of one part and of three),
and texts out until their receipts are answered. Each text is a case soon after: ``filed/s`` counts
from the first answer until the last text is one. In the same run, against the same SMSC, a bare
ESME that commits one row per part; the ratio is the median of paired runs that take turns at going
first. After each run the rows are counted, and the running process was asked how durable its
commits are (``2 wal``: SQLite with synchronous = FULL; ``on client``: synchronous_commit).
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import smpp as limits
from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.pool import NullPool

from channels.sms.part import read_pdus
from config.settings import Settings
from gateway import wiring
from gateway.relay import Relay
from gateway.smpp_filing import TextFiling
from gateway.smpp_intake import PartIntake
from gateway.smpp_line import Line
from guichet_testing.durable import DURABLE, watched
from guichet_testing.gateway import RunningGateway, until
from guichet_testing.servers import Databases, PostgresServer
from guichet_testing.servers import running as serving
from guichet_testing.smsc import Behaviour, Smsc, running
from guichet_testing.smsc_wire import deliver_body, pack
from tracker.models import cases, deliveries, messages, outbox, sms_parts, sms_texts

DATABASES = ("sqlite", "postgresql")
#: Parts (in) and texts with their receipts (out) a second that must be reached.
BARS = {"in": {"sqlite": 300, "postgresql": 1000}, "out": {"sqlite": 300, "postgresql": 300}}
WORDS = "Le lampadaire de la rue est en panne depuis lundi, numero"


def short(count: int) -> list[bytes]:
    """Texts of one part, of many phones."""
    return [deliver_body(f"2126{n:08d}", f"{WORDS} {n}".encode()) for n in range(count)]


class Bench:
    """One database and one kind of load.

    Args:
        databases: of a PostgreSQL, or ``None`` for SQLite.
    """

    def __init__(self, databases: Databases | None) -> None:
        self._databases = databases

    @contextmanager
    def house(self, port: int) -> Iterator[tuple[RunningGateway, str]]:
        """A migrated database, and the environment of a gateway on it."""
        url = self._databases.create() if self._databases else None
        gateway = RunningGateway(
            url,
            SMPP__HOST="127.0.0.1",
            SMPP__PORT=str(port),
            SMPP__NUMBER="3737",
            SMPP__SYSTEM_ID="guichet",
            SMPP__WINDOW="50",
            LOG_LEVEL="ERROR",
        )
        try:
            gateway.run("migrate")
            yield gateway, url or f"sqlite:///{gateway.data_dir / 'guichet.sqlite3'}"
        finally:
            gateway.close()
            if self._databases and url:
                self._databases.drop(url)

    def ours(self, bodies: list[bytes], texts: int) -> tuple[float, float]:
        """Parts a second through ``guichet smpp``: until they are answered, until all are cases."""
        with running(Behaviour(window=50)) as smsc, self.house(smsc.port) as (gateway, url):
            engine = create_engine(url, poolclass=NullPool)
            filed_at = 0.0

            def all_filed() -> bool:
                nonlocal filed_at
                with engine.connect() as connection:
                    unfiled = connection.scalar(
                        select(func.count())
                        .select_from(sms_parts)
                        .where(sms_parts.c.delivery_id.is_(None))
                    )
                filed_at = time.monotonic()
                return unfiled == 0

            smsc.queue(*bodies)
            with watched(engine) as told:
                rate = answered(smsc, lambda: gateway.spawn("smpp"), len(bodies), all_filed)
                if {setting for _, setting in told()} != {DURABLE[engine.dialect.name]}:
                    raise SystemExit(f"WRONG: commits are not durable: {told()}")
            with engine.connect() as connection:
                rows = [
                    connection.scalar(select(func.count()).select_from(table)) or 0
                    for table in (sms_parts, deliveries, cases)
                ]
            if rows != [len(bodies), texts, texts]:
                raise SystemExit(
                    f"WRONG: {rows} parts, deliveries, cases of {len(bodies)}, {texts}"
                )
            began = smsc.ledger.answered_at[0]
            return rate, (len(bodies) - 1) / (filed_at - began)

    def bare(self, bodies: list[bytes]) -> float:
        """Parts a second through the bare ESME."""
        url = self._databases.create() if self._databases else ""
        with tempfile.TemporaryDirectory() as folder, running(Behaviour(window=50)) as smsc:
            smsc.queue(*bodies)
            words = ["--bare", str(smsc.port), url or str(Path(folder) / "bare.sqlite")]
            command = [sys.executable, __file__, *words]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            rate = answered(smsc, lambda: subprocess.Popen(command, env=environment), len(bodies))
        if self._databases:
            self._databases.drop(url)
        return rate

    def out(self, texts: int) -> float:
        """Texts a second, from the first receipt answered to the last."""
        behaviour = Behaviour(window=50, receipts="late")
        with running(behaviour) as smsc, self.house(smsc.port) as (gateway, url):
            handed(url, texts)
            rate = answered(smsc, lambda: gateway.spawn("smpp"), texts)
            engine = create_engine(url, poolclass=NullPool)
            with engine.connect() as connection:
                states = connection.execute(
                    text("SELECT delivery_status, count(*) FROM outbox GROUP BY 1")
                ).all()
            if [tuple(row) for row in states] != [("delivered", texts)]:
                raise SystemExit(f"WRONG: {states}")
            return rate


def answered(
    smsc: Smsc,
    start: Callable[[], subprocess.Popen[bytes]],
    expected: int,
    then: Callable[[], bool] = lambda: True,
) -> float:
    """Start an ESME; deliveries answered a second, from the first to the last."""
    process = start()
    moments = smsc.ledger.answered_at
    try:
        smsc.wait(lambda: len(moments) >= expected, 600)
        until(then, seconds=600, what="the rest")
        return (len(moments) - 1) / (moments[-1] - moments[0])
    finally:
        process.terminate()
        process.wait(20)


def handed(url: str, texts: int) -> None:
    """File texts and let the relay hand on their acknowledgements, before anything is timed."""
    settings = Settings(
        profile="demo",
        web={"secret_keys": ["k" * 40]},
        database={"url": url},
        queue={"redis_url": "unix:///nowhere"},
        smpp={"host": "127.0.0.1"},
    )
    house = wiring.build_house(settings)
    intake, filing = PartIntake(house, Line(texts, 0)), TextFiling(house)
    units = [pack(5, number, body) for number, body in enumerate(short(texts), start=1)]
    for at in range(0, texts, 50):
        body = b"".join(units[at : at + 50])
        intake.keep(read_pdus(body, smsc="smpp", region="MA", received_at=house.clock()))
    while filing.file_due():
        pass
    with house.engine.begin() as connection:
        connection.execute(outbox.delete().where(outbox.c.kind == "route"))
    workshop = wiring.build_workshop(settings, house.engine)
    rest = partial(wiring.rest, workshop)
    Relay(house.engine, settings, workshop.dispatcher.perform, wiring.now, rest=rest).drain()
    with house.engine.connect() as connection:
        waiting = connection.scalar(select(func.count()).select_from(sms_texts))
        said = connection.scalar(
            select(func.count()).select_from(messages).where(messages.c.direction == "outbound")
        )
    house.writer.close()
    house.engine.dispose()
    if not waiting == said == texts:
        raise SystemExit(f"WRONG: {waiting} texts handed on, {said} on record")


def bare(port: int, where: str) -> None:
    """The bare ESME: one row and one commit a part."""
    if not where.startswith("postgresql"):
        limits.bare(port, limits.database(Path(where)))
        return
    url = make_url(where).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE part (key text PRIMARY KEY, pdu bytea)")
        limits.bare(port, Postgres(connection))  # type: ignore[arg-type]


class Postgres:
    """Takes the statement of the SQLite store."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: tuple[str, bytes]) -> None:
        """Insert one row and commit it."""
        words = "INSERT INTO part VALUES (%s, %s) ON CONFLICT DO NOTHING"
        self._connection.execute(words, values)


def measure(kind: str, bench: Bench, runs: int, count: int) -> bool:
    """Print the rows of one database; whether all bars were reached."""
    durable = DURABLE[kind]
    right = True
    three = limits.bodies(count - count % 3)
    for what, bodies, texts in (
        ("in, one part", short(count), count),
        ("in, three parts", three, len(three) // 3),
    ):
        pairs = []
        for number in range(runs):
            first = bench.bare(bodies) if number % 2 else 0.0
            ours, filed = bench.ours(bodies, texts)
            pairs.append((ours, filed, first or bench.bare(bodies)))
        ours, filed, limit = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, _, other in pairs)
        bar = BARS["in"][kind]
        right &= ours >= bar
        print(
            f"{what:16} {kind:11} {ours:6.0f} {bar:5} {limit:6.0f} {ratio:6.2f} {filed:6.0f}  "
            f"{durable:10} right",
            flush=True,
        )
    out = statistics.median(bench.out(count) for _ in range(runs))
    bar = BARS["out"][kind]
    print(f"{'out, receipts':16} {kind:11} {out:6.0f} {bar:5} {'':20}  {durable:10} right")
    return right and out >= bar


def main() -> None:
    """Print the table; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Example: make bench-smpp ARGS="--runs 1 --only sqlite"'
    )
    parser.add_argument("--parts", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=DATABASES)
    parser.add_argument("--bare", nargs=2, metavar=("PORT", "DATABASE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # there is no queue to ring
    if given.bare:
        bare(int(given.bare[0]), given.bare[1])
        return
    right = True
    print(
        f"{'what':16} {'database':11} {'ours/s':>6} {'bar':>5} {'bare/s':>6} {'ratio':>6} "
        f"{'filed/s':>6}  {'commits':10} rows"
    )
    if given.only != "postgresql":
        right &= measure("sqlite", Bench(None), given.runs, given.parts)
    if given.only != "sqlite":
        with serving(PostgresServer) as server:
            bench = Bench(Databases(server.base_url))
            right &= measure("postgresql", bench, given.runs, given.parts)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
