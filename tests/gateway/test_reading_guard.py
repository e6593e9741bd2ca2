# SPDX-License-Identifier: MIT
"""A delivery that killed its reader twice is stored unread the third time (promise 3)."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from gateway.reading_guard import PLACES, ReadingGuard

MAIL = b"Received: one\r\n\r\nwords that kill\r\n"
RETRIED = b"Received: two\r\n\r\nwords that kill\r\n"
DIES = """
import os, pathlib, sys
from gateway.reading_guard import ReadingGuard
with ReadingGuard(pathlib.Path(sys.argv[1])).attempt(os.environb[b"MAIL"]) as may_read:
    assert may_read
    os.kill(os.getpid(), 9)
"""


def die_reading(folder: Path, mail: bytes) -> int:
    """Read in a process that is killed in the middle of it."""
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(folder)],
        env={**os.environ, "MAIL": os.fsdecode(mail)},
        check=False,
    )
    return done.returncode


def test_the_third_reading_is_refused(tmp_path: Path) -> None:
    """Two deaths, also with other trace headers, then unread; another mail is read as ever."""
    assert die_reading(tmp_path, MAIL) == -9
    assert die_reading(tmp_path, RETRIED) == -9
    guard = ReadingGuard(tmp_path)
    with guard.attempt(MAIL) as may_read:
        assert not may_read
    with guard.attempt(b"X: 1\r\n\r\nothers") as may_read:
        assert may_read


def test_a_reading_that_ends_leaves_nothing(tmp_path: Path) -> None:
    """An ordinary mail counts no attempt, however often it comes, also where a process ends."""
    guard = ReadingGuard(tmp_path)
    for _ in range(5):
        with guard.attempt(MAIL) as may_read:
            assert may_read
    guard.close()

    assert list(tmp_path.iterdir()) == []


def test_a_running_process_learns_of_deaths_elsewhere(tmp_path: Path) -> None:
    """Two doors read the same mail: what killed one is known to the other."""
    guard = ReadingGuard(tmp_path)
    die_reading(tmp_path, MAIL)
    die_reading(tmp_path, MAIL)
    ReadingGuard(tmp_path)  # the next process of the house counts the second death

    with guard.attempt(MAIL) as may_read:
        assert not may_read


def test_what_a_living_process_reads_is_no_death(tmp_path: Path) -> None:
    """Only the files of dead processes are counted."""
    guard = ReadingGuard(tmp_path)
    with guard.attempt(MAIL) as may_read:
        assert may_read
        for _ in range(3):
            with ReadingGuard(tmp_path).attempt(MAIL) as other_may_read:
                assert other_may_read


def test_more_readings_at_once_than_places(tmp_path: Path) -> None:
    """They are read all the same."""
    guard = ReadingGuard(tmp_path)
    with ExitStack() as open_readings:
        told = [
            open_readings.enter_context(guard.attempt(b"\r\n\r\n%d" % number))
            for number in range(PLACES + 5)
        ]
    assert all(told)
