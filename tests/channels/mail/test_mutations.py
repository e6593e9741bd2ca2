# SPDX-License-Identifier: MIT
"""Damaged mails by the hundred, and mails made to cost time or memory: read or refused, bounded."""

import json
import subprocess
import sys

import pytest

from channels.errors import MalformedMessage
from guichet_testing.bombs import BOMBS
from guichet_testing.mutations import mutations, opened, own_seeds, unclean

#: CPU seconds for 5 MB. The reader's promise is 2 s; most bombs take a hundredth of it.
CPU_LIMIT = 2.0


def test_a_thousand_damaged_mails_are_read_or_malformed():
    read = caught_late = 0
    for mail in mutations(own_seeds(), 1_000, seed=1, traced_every=20):
        try:
            message = opened(mail)
        except MalformedMessage as error:
            caught_late += error.__cause__ is not None
            continue
        read += 1
        assert unclean(message) == ""
    assert read > 700
    assert caught_late == 0


def test_damage_is_the_same_for_a_seed():
    assert list(mutations(own_seeds(), 50, 3)) == list(mutations(own_seeds(), 50, 3))
    assert list(mutations(own_seeds(), 50, 3)) != list(mutations(own_seeds(), 50, 4))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name):
    """Each in a process of its own, because a peak of memory is a process's."""
    run = subprocess.run(
        [sys.executable, "-m", "guichet_testing.bombs", name, "5000000"],
        capture_output=True,
        check=True,
        timeout=120,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    told = json.loads(run.stdout)

    assert told["cpu_seconds"] < CPU_LIMIT
    assert told["peak_bytes"] < 10 * told["bytes"] + 16_000_000
