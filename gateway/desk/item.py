# SPDX-License-Identifier: MIT
"""One item of *Needs a person*, with all that is needed to decide about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from gateway.desk.excerpt import Glance


@dataclass(frozen=True, slots=True)
class Item:
    """One item as it is shown.

    Attributes:
        row: a row of ``attention``.
        actions: names of what may be done.
        case: the case it is about, or ``None``.
        delivery: id, channel and time of the raw delivery it is about, or ``None``.
        look: a first look at that delivery.
        entry: the row of ``outbox`` that did not go, or ``None``.
        ways: known (channel, address) of the citizen, for sending another way.
        files: recordings without a transcript.
        above: a person above decides it.
        fetches: it is about files of ours that are still at the provider.
        being_fetched: they are being fetched now, or soon.
        number: whom to call, E.164, or ``""``; shown to who asks for it.
        calls: how many missed calls of this number it stands for.
        last_call: when the last of several came, or ``None``.
        words: what a blind check shows of the case.
    """

    row: Row[Any]
    actions: tuple[str, ...]
    case: Row[Any] | None
    delivery: Any
    look: Glance | None
    entry: Row[Any] | None
    ways: Sequence[tuple[str, str]]
    files: Sequence[Row[Any]]
    above: bool = False
    fetches: bool = False
    being_fetched: bool = False
    number: str = ""
    calls: int = 1
    last_call: datetime | None = None
    words: str = ""
