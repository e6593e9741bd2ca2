# SPDX-License-Identifier: MIT
"""What a short text may want, and what is made of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Intent(StrEnum):
    """What a text wants."""

    STATUS_QUERY = "status_query"
    HELP = "help"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    GREETING = "greeting"
    THANKS = "thanks"
    COMPLAINT = "complaint"
    FOLLOW_UP = "follow_up"
    NOISE = "noise"


#: What is filed: a person's own words.
CONTENT = (Intent.COMPLAINT, Intent.FOLLOW_UP)


@dataclass(frozen=True, slots=True)
class Understanding:
    """A short text, understood.

    Attributes:
        intent: what it wants.
        code: the first tracking code in it, or ``None``.
        codes: every tracking code in it.
        typo: whether it asks by a code with a typing slip.
        odd: whether it looks like a command but has words that nobody knows here, so that it may be
            more: it is kept, too.
    """

    intent: Intent
    code: str | None = None
    codes: tuple[str, ...] = ()
    typo: bool = False
    odd: bool = False
