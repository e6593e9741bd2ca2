# SPDX-License-Identifier: MIT
"""What the bench reads: CPU time of processes, rows of tables, and one line of the result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, select

from tracker.models import attachments, blobs, case_events, cases, deliveries, messages, outbox

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: which way through the house.
        database: ``sqlite`` or ``postgresql``.
        limit_per_second: the bound of the same run (for the relay: the figure of the bar).
        per_second: ours.
        ratio: the median of the ratios of the paired runs.
        bar: the ratio it must reach.
        cpu_ms: CPU milliseconds a message of our processes.
        database_cpu_ms: the same of the database's own processes (0 for SQLite).
        p99_ms: milliseconds that 99 of 100 answers took at the most.
        durability: what the writing processes said of their own connections.
        counted: ``right`` when the rows fit the acknowledgements.
    """

    what: str
    database: str
    limit_per_second: float
    per_second: float
    ratio: float
    bar: float
    cpu_ms: float
    database_cpu_ms: float
    p99_ms: float
    durability: str
    counted: str


def cpu_seconds(pid: int | None) -> float:
    """CPU time of a process, its living children and those that it has waited for."""
    total = 0.0
    waiting = [pid] if pid else []
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            waiting += [
                int(n) for n in Path(f"/proc/{one}/task/{one}/children").read_text().split()
            ]
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15]) / TICKS
    return total


def counted(engine: Engine) -> dict[str, int]:
    """Rows of the tables that intake writes."""
    tables = (deliveries, cases, messages, case_events, outbox, attachments, blobs)
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def expected(acknowledged: int, files: int) -> dict[str, int]:
    """Rows that so many acknowledged messages, with so many files, must have made."""
    return {
        "deliveries": acknowledged,
        "cases": acknowledged,
        "messages": acknowledged,
        "case_events": acknowledged,
        "outbox": 2 * acknowledged,  # acknowledge and route
        "attachments": files,
        "blobs": files,
    }
