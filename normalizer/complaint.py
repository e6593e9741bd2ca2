# SPDX-License-Identifier: MIT
"""What was said, in canonical form: the words of Open311 GeoReport where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.message import Address, InboundMessage
    from normalizer.intent import Understanding


class Kind(StrEnum):
    """What a citizen files (decree 2-17-265 names these three)."""

    COMPLAINT = "complaint"
    OBSERVATION = "observation"
    SUGGESTION = "suggestion"


class Outcome(StrEnum):
    """What a delivery turned out to be."""

    COMPLAINT = "complaint"
    FOLLOW_UP = "follow_up"
    STATUS_QUERY = "status_query"
    HELP = "help"
    GREETING = "greeting"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    MISSED_CALL = "missed_call"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    DELAY = "delay"
    READ_RECEIPT = "read_receipt"
    NOISE = "noise"
    ADMINISTRATION_REPLY = "administration_reply"


@dataclass(frozen=True, slots=True)
class Submission:
    """One inbound message, normalised. The original stays beside it, untouched.

    Attributes:
        message: as it was read.
        understanding: what its text wants.
        contact: who claims to have sent it, as one canonical address.
        kind: complaint unless the sender chose another.
        subject: storable subject.
        description: storable words.
        full_text: storable full text, ``""`` where equal to the description.
        language: BCP 47 tag.
        location: as typed, or ``""``.
        danger: whether its words tell of a life in danger now.
    """

    message: InboundMessage
    understanding: Understanding
    contact: Address
    kind: Kind
    subject: str
    description: str
    full_text: str
    language: str
    location: str
    danger: bool
