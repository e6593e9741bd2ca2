# SPDX-License-Identifier: MIT
"""Remembers which deliveries killed their reader: the third time they are stored unread.

A reader in a library of another language may take the whole process down, and the sender tries
again for days. One byte is appended to a small file before each reading and the file is removed
after it; what a killed process leaves behind counts its attempts (design, promise 3). The files
outlive a killed process without fsync; a machine that loses power forgets them, and begins anew.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_DEATHS = 2


class ReadingGuard:
    """Counts readings that never came back.

    Args:
        folder: where the small files are; made when missing, mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def attempt(self, raw: bytes) -> Iterator[bool]:
        """Guard one reading of ``raw``.

        Yields:
            whether it may be read; ``False`` when it has killed its reader twice.
        """
        # Trace headers differ from try to try; what follows the first empty line does not.
        content = raw.partition(b"\r\n\r\n")[2] or raw
        path = self._folder / hashlib.sha256(content).hexdigest()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            earlier = os.fstat(descriptor).st_size
            os.write(descriptor, b".")
        finally:
            os.close(descriptor)
        try:
            yield earlier < MOST_DEATHS
        finally:
            if earlier < MOST_DEATHS:  # else it stays known: the sender may try yet again
                path.unlink(missing_ok=True)
