# SPDX-License-Identifier: MIT
"""How a test's SMSC behaves on one connection, and its ledger of what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from guichet_testing.smsc_wire import Submit

#: A sequence number of raw units, so that they are not taken for deliveries of the ledger.
RAW_SEQUENCE = 0x00ABCDEF


@dataclass
class Behaviour:
    """How the SMSC behaves on one connection.

    Attributes:
        bind_status: what a bind is answered with.
        answers_bind: or whether it is not answered at all.
        submit_status: the status of the n-th submit_sm over all connections (from 1); ``None``
            means no answer.
        submit_late_by: answers a submit_sm only after so many seconds.
        drop_at_submit: ends the connection instead of answering the n-th submit_sm of all.
        receipts: ``"none"``, ``"late"``, ``"early"`` (before submit_sm_resp), ``"twice"``.
        receipt_by: ``"text"`` or ``"tlv"``.
        receipt_words: stat and err of its receipts.
        response_id: how the n-th message id is written in submit_sm_resp.
        receipt_id: and in the receipt.
        dribble: every octet is a write of its own.
        raw: octets sent after the bind, one write each; sequence :data:`RAW_SEQUENCE`.
        unbind_after: asks to unbind after so many deliver_sm were answered on this connection.
        drop_after: ends the connection after so many deliver_sm were sent, answered or not.
        answers_enquire_link: or stays silent.
        answers_unbind: or stays silent.
        enquires: sends an enquire_link after the bind.
        window: deliver_sm that may be unanswered.
    """

    bind_status: int = 0
    answers_bind: bool = True
    submit_status: Callable[[int], int | None] = lambda _: 0
    submit_late_by: float = 0.0
    drop_at_submit: int = 0
    receipts: str = "none"
    receipt_by: str = "text"
    receipt_words: tuple[str, str] = ("DELIVRD", "000")
    response_id: Callable[[int], str] = lambda number: f"{number}"
    receipt_id: Callable[[int], str] = lambda number: f"{number}"
    dribble: bool = False
    raw: Sequence[bytes] = ()
    unbind_after: int = 0
    drop_after: int = 0
    answers_enquire_link: bool = True
    answers_unbind: bool = True
    enquires: bool = False
    window: int = 50


@dataclass
class Ledger:
    """What was sent and what was acknowledged.

    Attributes:
        statuses: the answers to each delivery, by its number, in order.
        answered_at: when each of these answers came, in seconds of the monotonic clock.
        sends: how often each delivery was sent.
        submits: what the ESME submitted.
        answers: every response of the ESME that answers no delivery, as (command, status,
            sequence).
        binds: how each connection bound (system_id, password), in order.
        events: ``unbind`` (the ESME's), ``unbind_resp``, ``enquire_link``, ``enquire_link_resp``,
            ``connected``, ``tls_failed``, ``closed``.
    """

    statuses: dict[int, list[int]] = field(default_factory=dict)
    answered_at: list[float] = field(default_factory=list)
    sends: Counter[int] = field(default_factory=Counter)
    submits: list[Submit] = field(default_factory=list)
    answers: list[tuple[int, int, int]] = field(default_factory=list)
    binds: list[tuple[str, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def acknowledged(self) -> set[int]:
        """Deliveries that were answered ESME_ROK."""
        return {number for number, answers in self.statuses.items() if 0 in answers}
