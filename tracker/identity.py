# SPDX-License-Identifier: MIT
"""Ids that sort by the time they were made (UUID version 7, RFC 9562 section 5.7)."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Make a UUIDv7: milliseconds, then 12 bits that keep order in this process, then 62 random."""
    global _last  # noqa: PLW0603 - the one counter that keeps ids of one process in order
    ticks = time.time_ns() * 4096 // 1_000_000  # 48 bits of milliseconds and 12 bits of fraction
    with _lock:
        _last = ticks if ticks > _last else _last + 1
        ticks = _last
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random
    return UUID(int=value)
