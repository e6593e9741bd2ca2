# SPDX-License-Identifier: MIT
"""Mails are read in a process beside the door: the same words, and no door that falls with it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from channels.mail.examine import Examined, examine
from gateway.reading_process import ReaderDied, ReadingProcess
from guichet_testing.mail_door import MAIL, MAILBOX, Intake, peer, serving
from normalizer.normalize import normalize

RECIPIENTS = (MAILBOX,)
SENDER = "amina@example.org"
#: What a reader must get over: halves, lies and nothing at all.
ODD = (
    b"",
    b"\0\xff\xfe",
    b"Subject: =?utf-8?q?=D9=83?=\r\n\r\n\xd9",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na\r\n--b",
    MAIL.encode() * 400,
)


@asynccontextmanager
async def reader(folder: Path, **more: Any) -> AsyncIterator[ReadingProcess]:
    """One for the length of a block."""
    process = ReadingProcess(folder, "MA", "fr", **more)
    try:
        yield process
    finally:
        await process.close()


def running(folder: Path) -> list[int]:
    """The processes that read for this folder, by number."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"gateway.reading_process" in words and os.fsencode(folder) in words:
                found.append(int(entry.name))
    return found


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it, and never for ever."""
    asyncio.run(asyncio.wait_for(work(), 60))


def test_it_reads_what_the_door_would_read(tmp_path: Path) -> None:
    """Many at once, each with its own answer; what it understood comes with it."""
    mails = [*ODD, *(MAIL.replace("sombre", f"sombre {n}").encode() for n in range(20))]

    async def work() -> None:
        async with reader(tmp_path) as process:
            found = await asyncio.gather(*(process.read(m, SENDER, RECIPIENTS) for m in mails))
            assert len(running(tmp_path)) == 1
        for raw, one in zip(mails, found, strict=True):
            here = examine(raw, SENDER, RECIPIENTS, lambda _: nullcontext(enter_result=True))
            assert (one.message, one.key) == (here.message, here.key)
            if here.message is not None:
                assert one.understood == normalize(here.message, region="MA", default_language="fr")
        assert not running(tmp_path)

    run(work)


def test_who_dies_is_started_again(tmp_path: Path) -> None:
    """What it was asked meanwhile is told as a failure; the next mail is read."""

    async def work() -> None:
        async with reader(tmp_path) as process:
            before = await process.read(MAIL.encode(), SENDER, RECIPIENTS)
            (number,) = running(tmp_path)
            os.kill(number, signal.SIGSTOP)
            waiting = [
                asyncio.create_task(process.read(MAIL.encode(), SENDER, RECIPIENTS))
                for _ in range(3)
            ]
            await asyncio.sleep(0)  # they have asked
            os.kill(number, signal.SIGKILL)
            for died in await asyncio.gather(*waiting, return_exceptions=True):
                assert isinstance(died, ReaderDied)
            assert await process.read(MAIL.encode(), SENDER, RECIPIENTS) == before
            assert running(tmp_path) != [number]

    run(work)


def test_who_is_stuck_is_ended(tmp_path: Path) -> None:
    """A reader that does not answer in time is killed, and the next mail is read."""

    async def work() -> None:
        async with reader(tmp_path, seconds=5.0) as process:
            await process.read(MAIL.encode(), SENDER, RECIPIENTS)
            (number,) = running(tmp_path)
            os.kill(number, signal.SIGSTOP)
            with pytest.raises(ReaderDied):
                await process.read(MAIL.encode(), SENDER, RECIPIENTS)
            assert isinstance(await process.read(MAIL.encode(), SENDER, RECIPIENTS), Examined)
            assert number not in running(tmp_path)

    run(work)


def test_the_door_stands_when_its_reader_falls(tmp_path: Path) -> None:
    """The mail that was being read hears 451, on a connection that goes on."""
    intake = Intake()
    process = ReadingProcess(tmp_path, "MA", "fr")
    with serving(intake, reader=process) as port, peer(port) as client:
        client.begin_data()
        assert client.say(MAIL + ".").startswith("250")
        (number,) = running(tmp_path)
        os.kill(number, signal.SIGSTOP)
        client.begin_data("NOOP")
        client.line.sendall(MAIL.encode() + b".\r\n")
        os.kill(number, signal.SIGKILL)
        assert client.reply().startswith("451")
        client.begin_data("NOOP")
        assert client.say(MAIL + ".").startswith("250")
    assert intake.counted == ["accepted", "failure", "accepted"]
    assert [message is not None for _, message in intake.seen] == [True, True]
    assert not running(tmp_path)
