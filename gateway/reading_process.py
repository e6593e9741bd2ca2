# SPDX-License-Identifier: MIT
"""Mails are read in a process beside the mail door: on the second processor, and out of its way.

The door's process speaks SMTP and writes; this one finds out what a mail says. A mail that takes
its reader down takes no connection with it: the door answers 451 to the mails that were being read
and starts another reader, and :mod:`gateway.reading_guard` keeps a mail from doing so for ever.
It is the same program for the same user, so what it answers is believed; it is no sandbox.

Both ends of the socket speak frames: four bytes of length (network order), then a pickled value.
The reader answers in the order of the questions.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import logging
import math
import pickle
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any, cast

from channels.mail.examine import Examined, examine
from gateway import telemetry
from gateway.reading_guard import ReadingGuard
from normalizer.normalize import normalize, preload

logger = logging.getLogger(__name__)

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 18
_END_SECONDS = 2.0
#: Longest wait for an answer, the few mails before it included; then the reader is taken for stuck.
READING_SECONDS = 20.0
#: Mails that are with the reader at once; the others wait in the door, where they may be given up.
_MOST_AT_ONCE = 4
#: A reader that lived no longer than this is followed by another only after as long a pause.
_SHORT_LIFE_SECONDS = 1.0


class ReaderDied(Exception):  # noqa: N818 - what happened, as the door tells it
    """The reader ended, or was stuck, before it answered. Answer a temporary failure."""


class ReadingProcess:
    """Reads mails in a process of its own, which is started when it is first needed.

    Args:
        folder: of :class:`ReadingGuard`.
        region: ISO 3166-1 region of national numbers.
        default_language: BCP 47 tag where nothing tells.
        seconds: longest wait for an answer, the few mails before it included.
    """

    def __init__(
        self,
        folder: Path,
        region: str,
        default_language: str,
        *,
        seconds: float = READING_SECONDS,
    ) -> None:
        self._arguments = (str(folder), region, default_language)
        self._seconds = seconds
        self._line: _Line | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = asyncio.Lock()
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._started = -math.inf

    async def read(self, raw: bytes, sender: str, recipients: tuple[str, ...]) -> Examined:
        """Read one mail; see :func:`channels.mail.examine.examine`.

        Raises:
            ReaderDied: in the middle of it.
            OSError: no process can be started.
        """
        async with self._turns:
            line = await self._living()
            try:
                async with asyncio.timeout(self._seconds):
                    return await line.ask((raw, sender, recipients))
            except TimeoutError:
                if not line.broken and self._process is not None:
                    logger.warning("the reader of mails is stuck, and is ended")
                    line.hang_up()
                    self._process.kill()  # so that the mail it is at counts as one that killed it
                raise ReaderDied from None

    async def open(self) -> None:
        """Start the process before the first mail comes.

        Raises:
            OSError: no process can be started.
        """
        await self._living()

    async def _living(self) -> _Line:
        line = self._line
        if line is None or line.broken:
            async with self._starting:
                line = self._line
                if line is None or line.broken:
                    line = await self._start()
        return line

    async def _start(self) -> _Line:
        if self._process is not None:
            logger.warning("the reader of mails ended, and is started again")
            await self.close()
            if time.monotonic() - self._started < _SHORT_LIFE_SECONDS:
                await asyncio.sleep(_SHORT_LIFE_SECONDS)
        self._started = time.monotonic()
        ours, theirs = socket.socketpair()
        with theirs:
            level = logging.getLevelName(logging.getLogger().level)
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [sys.executable, "-m", __name__, str(theirs.fileno()), level, *self._arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        loop = asyncio.get_running_loop()
        _, self._line = await loop.create_unix_connection(_Line, sock=ours)
        return self._line

    async def close(self) -> None:
        """End the process; what it was reading is not answered."""
        if self._line is not None:
            self._line.hang_up()
            self._line = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)


class _Line(asyncio.Protocol):
    """The door's end."""

    def __init__(self) -> None:
        self.broken = False
        self._transport: asyncio.Transport | None = None
        self._come = bytearray()
        self._waiting: deque[asyncio.Future[Examined]] = deque()

    async def ask(self, question: tuple[bytes, str, tuple[str, ...]]) -> Examined:
        if self.broken or self._transport is None:
            raise ReaderDied
        answer: asyncio.Future[Examined] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._transport.write(_frame(question))
        return await answer

    def hang_up(self) -> None:
        self.broken = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._come += data
        while len(self._come) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._come)
            end = _LENGTH.size + length
            if len(self._come) < end:
                return
            answer = pickle.loads(memoryview(self._come)[_LENGTH.size : end])  # noqa: S301 - our own
            del self._come[:end]
            waiting = self._waiting.popleft()
            if not waiting.done():  # the session may have ended
                waiting.set_result(answer)

    def connection_lost(self, _error: Exception | None) -> None:
        self.broken = True
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(ReaderDied())


class _Pickler(pickle.Pickler):
    """Dataclasses as a call with their fields, which is read back in half the time."""

    def reducer_override(self, value: object) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return type(value), tuple(getattr(value, name) for name in _names(type(value)))
        return NotImplemented


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _frame(value: object) -> bytes:
    told = io.BytesIO()
    told.write(bytes(_LENGTH.size))
    _Pickler(told, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    _LENGTH.pack_into(told.getbuffer(), 0, told.tell() - _LENGTH.size)
    return told.getvalue()


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:  # in the middle of a long mail
        process.kill()
        process.wait()


def serve(line: socket.socket, folder: Path, region: str, default_language: str) -> None:
    """The reader's end: answer until the door hangs up."""
    preload()
    guard = ReadingGuard(folder)
    come = line.makefile("rb", buffering=_CHUNK)
    with suppress(BrokenPipeError, ConnectionResetError):  # the door has hung up in the middle
        while len(head := come.read(_LENGTH.size)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            question = come.read(length)
            if len(question) < length:
                break
            raw, sender, recipients = pickle.loads(question)  # noqa: S301 - our own
            # One attempt for all: a mail may kill who reads it and who makes sense of it.
            with guard.attempt(raw) as may_read:
                found = _read(raw, sender, recipients, region, default_language, may_read=may_read)
            line.sendall(_frame(found))
    guard.close()


def _read(
    raw: bytes,
    sender: str,
    recipients: tuple[str, ...],
    region: str,
    default_language: str,
    *,
    may_read: bool,
) -> Examined:
    found = examine(raw, sender, recipients, lambda _raw: nullcontext(may_read))
    if found.message is None:
        return found
    try:
        understood = normalize(found.message, region=region, default_language=default_language)
    except Exception as error:  # noqa: BLE001 - the door's process tries, and quarantines
        logger.warning("normalising failed: %s", type(error).__name__)
        return found
    return Examined(found.message, found.key, understood)


def main() -> None:
    """``python -m gateway.reading_process DESCRIPTOR LOG_LEVEL FOLDER REGION LANGUAGE``."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it ends when the door hangs up
    descriptor, level, folder, region, default_language = sys.argv[1:]
    telemetry.set_up_logging(level)
    with socket.socket(fileno=int(descriptor)) as line:
        serve(line, Path(folder), region, default_language)


if __name__ == "__main__":
    main()
