# SPDX-License-Identifier: MIT
"""``make bench``: intake and relay beside their limits, in one run, as ratios.

The ratio is the median of paired runs, in which limit and ours take turns at going first. The
limit has the same server, process model, client, connections and mails (fixed seed). After each
of our runs the rows of the database are counted against the acknowledgements. Then recordings are
transcribed beside the bare engine (``make bench-voice`` measures more), where the extra is
installed. Exit status 1 when a bar is missed or the rows do not fit.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from readings import Row
from running import Bench, tell

from guichet_testing.servers import ValkeyServer, running

DATABASES = ("sqlite", "postgresql")
WAYS = ("smtp", "webhook", "relay")


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(
        f"{'what':20} {'database':11} {'limit/s':>8} {'ours/s':>8} {'ratio':>6} {'bar':>5} "
        f"{'CPU ms':>7} {'+ db':>6} {'p99 ms':>7}  {'commits':10} rows"
    )
    for one in rows:
        print(
            f"{one.what:20} {one.database:11} {one.limit_per_second:8.0f} {one.per_second:8.0f} "
            f"{one.ratio:6.2f} {one.bar:5.2f} {one.cpu_ms:7.2f} {one.database_cpu_ms:6.2f} "
            f"{one.p99_ms:7.0f}  {one.durability:10} {one.counted}"
        )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Example: make bench ARGS="--runs 2 --only smtp"'
    )
    parser.add_argument("--runs", type=int, default=5, help="paired runs (5)")
    parser.add_argument("--mails", type=int, default=600, help="mails a run (600)")
    parser.add_argument("--webhooks", type=int, default=2000, help="webhooks a run (2000)")
    parser.add_argument("--entries", type=int, default=2000, help="outbox entries a run (2000)")
    parser.add_argument("--only", choices=(*WAYS, "voice"), help="one of the ways")
    parser.add_argument("--database", choices=DATABASES, help="one of the two databases")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    if options.only == "relay":
        parser.error("the relay needs the cases that the other two make; leave --only out")
    return options


def voice() -> int:
    """Transcribe in a process of its own, or say what is missing; 1 when a bar is missed."""
    if importlib.util.find_spec("faster_whisper") is None:
        print("voice: not measured, nothing here transcribes (`make voice` installs it, 500 MB)")
        return 0
    print("voice: 25 recordings beside the bare engine (`make bench-voice` reads all)", flush=True)
    measured = [str(Path(__file__).with_name("voice.py")), "--only", "speech", "--clips", "25"]
    return subprocess.run([sys.executable, *measured], check=False).returncode


def main() -> int:
    """Run all; 1 when a ratio misses its bar or rows do not match the acknowledgements."""
    options = read_options()
    if options.only == "voice":
        return voice()
    rows: list[Row] = []
    commits: dict[str, int] = {}
    with running(ValkeyServer) as valkey:
        for database in [options.database] if options.database else DATABASES:
            tell(f"{database}:")
            bench = Bench(options, database, valkey.url)
            try:
                commits[database] = round(bench.raw_commit())
                for way in [options.only] if options.only else WAYS:
                    rows.append(getattr(bench, way)())  # noqa: PERF401 - each takes a minute
            finally:
                bench.close()
    show(rows)
    told = {
        "schema": 1,
        "rows": [asdict(one) for one in rows],
        "raw_commits_per_second": commits,
    }
    print(json.dumps(told))
    if options.json:
        options.json.write_text(json.dumps(told, indent=2), encoding="utf-8")
    missed = any(one.ratio < one.bar or one.counted != "right" for one in rows)
    return int(missed or (not options.only and voice() != 0))


if __name__ == "__main__":
    sys.exit(main())
