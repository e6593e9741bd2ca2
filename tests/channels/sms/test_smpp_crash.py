# SPDX-License-Identifier: MIT
"""2,000 texts while the door dies between commit and answer, and refuses one of fifty."""

import subprocess
import sys
from pathlib import Path

import pytest

from guichet_testing.smsc import Behaviour, running
from guichet_testing.smsc_victim import rows
from guichet_testing.smsc_wire import deliver_body

TEXTS = 2_000
TESTS = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_doubled(tmp_path):
    database = tmp_path / "parts.sqlite"
    bodies = [
        deliver_body(f"2126{number % 97:08}", f"text {number}".encode()) for number in range(TEXTS)
    ]
    crashes = 0
    with running(Behaviour(window=50)) as smsc:
        numbers = set(smsc.queue(*bodies))

        def started(seed):
            deaths = 6 if crashes < 15 else 0
            words = ["-m", "guichet_testing.smsc_victim", smsc.port, database, seed, deaths]
            path = {"PYTHONPATH": f"{TESTS.parent}:{TESTS / 'support'}"}
            return subprocess.Popen([sys.executable, *map(str, words)], env=path)

        victim = started(0)
        try:

            def over():
                nonlocal victim, crashes
                if victim.poll() is not None:
                    assert victim.returncode == 9
                    crashes += 1
                    victim = started(crashes)
                return numbers <= smsc.ledger.acknowledged()

            smsc.wait(over, 240)
        finally:
            victim.kill()
            victim.wait()
    held = rows(database)
    assert crashes >= 5
    assert sorted(words for words, _ in held) == sorted(
        f"text {number}".encode() for number in range(TEXTS)
    )
    # Some were kept, not answered and sent again: known by their key, and still one row each.
    again = sum(seen > 1 for _, seen in held)
    refused = sum(answers.count(0x64) for answers in smsc.ledger.statuses.values())
    assert again > 0
    assert refused > 0
    assert sum(smsc.ledger.sends.values()) > TEXTS
