# SPDX-License-Identifier: MIT
"""Remembers which deliveries killed their reader: the third time they are stored unread.

A reader in a library of another language may take the whole process down, and the sender tries
again for days. The digest of what is being read stands in a mapped file of this process, which
outlives it without a system call per mail. The next process of the house finds the file of a dead
one and counts a death for each digest left in it, one byte in a small file of that name (design,
promise 3). Nothing is forced to the disk; a machine that loses power forgets and begins anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_DEATHS = 2
#: More readings at once than this are not remembered; a door runs fewer threads.
PLACES = 64
_LENGTH = 32
_FREE = bytes(_LENGTH)
_RUNNING = "running-"


class ReadingGuard:
    """Counts readings that never came back.

    Args:
        folder: where the small files are; made when missing, mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob(f"{_RUNNING}*"):
            self._count_deaths(left)
        path = folder / f"{_RUNNING}{os.getpid()}-{os.urandom(4).hex()}"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        # Held as long as this process lives: who gets it, knows that we are dead.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.ftruncate(self._descriptor, PLACES * _LENGTH)
        self._now = mmap.mmap(self._descriptor, PLACES * _LENGTH)
        self._free = list(range(PLACES))
        self._lock = threading.Lock()
        self._path = path
        self._seen = -1
        self._deaths: dict[str, int] = {}

    def close(self) -> None:
        """Remove this process's file, where it ends in peace."""
        self._path.unlink(missing_ok=True)
        self._now.close()
        os.close(self._descriptor)

    @contextmanager
    def attempt(self, raw: bytes) -> Iterator[bool]:
        """Guard one reading of ``raw``.

        Yields:
            whether it may be read; ``False`` when it has killed its reader twice.
        """
        # Trace headers differ from try to try; what follows the first empty line does not.
        content = raw.partition(b"\r\n\r\n")[2] or raw
        digest = hashlib.sha256(content)
        if self._known().get(digest.hexdigest(), 0) >= MOST_DEATHS:
            yield False
            return
        with self._lock:
            place = self._free.pop() if self._free else None
        if place is None:
            yield True
            return
        self._now[place * _LENGTH : (place + 1) * _LENGTH] = digest.digest()
        try:
            yield True
        finally:
            self._now[place * _LENGTH : (place + 1) * _LENGTH] = _FREE
            with self._lock:
                self._free.append(place)

    def _known(self) -> dict[str, int]:
        """Deaths by digest; read anew when another process has counted some."""
        changed = os.stat(self._folder).st_mtime_ns  # noqa: PTH116 - half the cost, for each mail
        if changed != self._seen:
            self._seen = changed
            self._deaths = {
                path.name: path.stat().st_size
                for path in self._folder.iterdir()
                if not path.name.startswith(_RUNNING)
            }
        return self._deaths

    def _count_deaths(self, left: Path) -> None:
        """Count a death for each reading that a dead process left open; then remove its file."""
        try:
            descriptor = os.open(left, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            places = os.read(descriptor, PLACES * _LENGTH)
            if not left.exists():  # another process has counted them in between
                return
            for start in range(0, len(places), _LENGTH):
                digest = places[start : start + _LENGTH]
                if digest != _FREE:
                    with (self._folder / digest.hex()).open("ab") as deaths:
                        deaths.write(b".")
            left.unlink(missing_ok=True)
        except BlockingIOError:
            pass  # its process lives
        finally:
            os.close(descriptor)
