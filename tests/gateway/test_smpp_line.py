# SPDX-License-Identifier: MIT
"""Filing gives way to a busy line, and a line that brings too much is slowed down."""

import threading
import time

import pytest

from gateway.smpp_line import Line
from guichet_testing.gateway import until


class Clock:
    """Seconds that are set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def gives_way(line: Line) -> bool:
    """Whether filing would wait now."""
    over = threading.Event()
    thread = threading.Thread(target=line.give_way, args=(over,), daemon=True)
    thread.start()
    thread.join(0.1)
    waits = thread.is_alive()
    over.set()
    thread.join(5)
    return waits


def test_filing_gives_way_while_reads_follow_each_other(clock: Clock) -> None:
    line = Line(100, 5.0, clock)
    assert not gives_way(line)
    with line.reading():
        assert gives_way(line)
    line.stored(3)
    assert gives_way(line)
    clock.now += 1
    assert not gives_way(line)


def test_a_busy_line_does_not_hold_up_a_text_for_ever(clock: Clock) -> None:
    line = Line(100, 5.0, clock)
    line.stored(1)
    clock.now += 4.9
    with line.reading():
        assert gives_way(line)
        clock.now += 0.2
        assert not gives_way(line)
        line.filed(1)
        assert gives_way(line)  # nothing waits


def test_a_line_that_brings_too_much_waits_for_the_filing(clock: Clock) -> None:
    line = Line(10, 5.0, clock)
    line.stored(11)
    assert not gives_way(line)
    read = threading.Event()

    def reads() -> None:
        with line.reading():
            read.set()

    began = time.monotonic()
    threading.Thread(target=reads, daemon=True).start()
    line.filed(1)
    assert read.wait(5)
    line.stored(20)
    with line.reading():  # nobody files: the SMSC is slowed down, not turned away
        pass
    assert time.monotonic() - began >= 1.0
    line.filed(0)  # what is left are parts of texts that are not whole
    assert not line._waiting


def test_filing_is_woken_by_what_is_stored_and_first_by_what_was_left(clock: Clock) -> None:
    line = Line(10, 5.0, clock)
    line.wait(60)
    woken = threading.Event()

    def waits() -> None:
        line.wait(60)
        woken.set()

    threading.Thread(target=waits, daemon=True).start()
    line.stored(0)
    assert not woken.wait(0.05)
    line.stored(1)
    until(woken.is_set, what="the ring")
