# SPDX-License-Identifier: MIT
"""What is to be done with a submission: the value that planning makes and filing carries out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channels.message import AddressScheme
from normalizer.complaint import Outcome
from tracker.models import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from normalizer.complaint import Submission
    from tracker.models import AttentionReason


@dataclass(frozen=True, slots=True)
class Move:
    """What one short answer of a citizen moves.

    Attributes:
        case: the case that is merged away, or that a text is split off from.
        into: the case that takes it in; ``None`` when a text is split off.
        message: the text that is split off; ``None`` when a case is merged.
        values: id, code, PIN and dates of the case that a text is split off into.
        names: words that now tell the administration of ``into``, or ``""``.
    """

    case: Row[Any]
    into: Row[Any] | None = None
    message: Row[Any] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    names: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with a submission.

    Attributes:
        state: the delivery's state.
        outcome: what it turned out to be.
        case_id: the case it opens or joins, or ``None``.
        new_case: id, code and PIN of a case to open, or ``None``.
        case: the row of a case it joins or asks about, or ``None``.
        tracking_code: what the peer may be told.
        pin: only for a new case.
        notice: the notice to send back at once (``status``, ``help`` …), or ``""``.
        notice_key: what that notice is sent once for; the delivery by default.
        telling: what that notice tells beyond its case (plain JSON: codes and statuses).
        acknowledge: whether the citizen gets an acknowledgement.
        tell_code_at: when a caller who did not hear the code, and gets no texts, is called and told
            it; ``None``: not at all.
        beside: the code of an open case of the same sender that the acknowledgement asks about.
        names: words that now tell the administration of the case it joins, or ``""``.
        keep: whether the words of a question are kept on the case that it asks about.
        heard: a keyed digest of who wrote by WhatsApp, whose window opens anew, or ``""``.
        move: what it moves, or ``None``.
        administration: the slug that answers, for an administration's reply.
        attention: why a person must look, or ``None``.
        danger: somebody may be in danger: told whom to call, and first on the list.
        reason: plain English, for the desk.
        facts: what is remembered as the answer.
    """

    state: DeliveryState
    outcome: Outcome
    case_id: UUID | None = None
    new_case: Mapping[str, Any] | None = None
    case: Row[Any] | None = None
    tracking_code: str | None = None
    pin: str | None = None
    notice: str = ""
    notice_key: str = ""
    telling: Mapping[str, Any] = field(default_factory=dict)
    acknowledge: bool = False
    tell_code_at: datetime | None = None
    beside: str = ""
    names: str = ""
    keep: bool = False
    heard: str = ""
    move: Move | None = None
    administration: str | None = None
    attention: AttentionReason | None = None
    danger: bool = False
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def join(case: Row[Any], **more: Any) -> Plan:
    """Append the submission to a case; ``more`` are further attributes of the plan."""
    return Plan(
        DeliveryState.APPENDED,
        Outcome.FOLLOW_UP,
        case_id=case.id,
        case=case,
        tracking_code=case.tracking_code,
        **more,
    )


def is_correspondent(case: Row[Any], submission: Submission) -> bool:
    """Whether the sender is the person recorded on the case (the same address)."""
    contact = submission.contact
    return bool(contact.value) and (
        case.contact_value == contact.value and case.contact_scheme == str(contact.scheme)
    )


def no_reply(submission: Submission) -> bool:
    """Mail from nobody, or from a robot's mailbox, is filed and never answered by a robot."""
    contact = submission.contact
    local = contact.value.partition("@")[0].replace("-", "").replace("_", "").replace(".", "")
    return (
        contact.scheme is not AddressScheme.MAILTO
        or submission.message.fields.get("return_path", contact.value) == ""
        or bool(submission.message.fields.get("list"))
        or local in {"noreply", "donotreply", "nepasrepondre", "mailerdaemon", "postmaster"}
    )
