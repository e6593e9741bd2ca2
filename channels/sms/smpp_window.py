# SPDX-License-Identifier: MIT
"""Texts of ours on their way: what may be sent now, what waits for an answer, what became of each.

No socket and no clock of its own. A text is told about once: ``submitted`` when every segment has
its response, ``failed`` when one was refused or, with ``Uncertain``, got no answer. An answer that
comes after all corrects an ``Uncertain``.
"""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from channels.errors import DeliveryError, Rejected, Throttled, Uncertain, Unreachable
from channels.sms.part import Outbox, Outgoing
from channels.sms.smpp_account import Count, SmppAccount
from channels.sms.smpp_pdu import HIGHEST_SEQUENCE, Command, Pdu, encode, message_id
from channels.sms.smpp_segment import References, bodies_of
from channels.sms.smpp_status import THROTTLING, leaf_of
from channels.sms.smpp_telling import Telling

#: Unanswered segments that are remembered for an answer that comes late.
_REMEMBERED = 10_000
#: Seconds of our own delay that do not slow the pace down.
_SLACK = 0.05


@dataclass(slots=True)
class _Text:
    entry_id: str
    since: float
    message_ids: list[str | None]
    told: bool = False
    uncertain: bool = False
    last_refusal: DeliveryError | None = None


@dataclass(frozen=True, slots=True)
class _Segment:
    text: _Text = field(repr=False)
    position: int
    body: bytes = field(repr=False)


class Window:
    """The sending side of an account; it outlives its connections.

    Args:
        account: window, pace and pauses.
        outbox: asked for texts and told what became of them.
        telling: through which it is asked and told.
        count: told the name of each event.
        draw: for references.
    """

    def __init__(
        self,
        account: SmppAccount,
        outbox: Outbox,
        telling: Telling,
        count: Count,
        draw: random.Random,
    ) -> None:
        self._account = account
        self._outbox = outbox
        self._telling = telling
        self._count = count
        self._references = References(account.reference_bits, draw)
        self._waiting: deque[_Segment] = deque()
        self._unanswered: OrderedDict[int, tuple[_Segment, float]] = OrderedDict()
        self._late: OrderedDict[int, _Segment] = OrderedDict()
        self._sequence = 0
        self._paused_until = 0.0
        self._next_at = 0.0
        self._ask_at = 0.0

    @property
    def unanswered(self) -> int:
        """Segments without a response."""
        return len(self._unanswered)

    def next_sequence(self) -> int:
        """A sequence number (5.1.4) that no other unit of this process has borne recently."""
        self._sequence = self._sequence % HIGHEST_SEQUENCE + 1
        return self._sequence

    def ring(self) -> None:
        """Something may be due."""
        self._ask_at = 0.0

    def fill(self, now: float) -> None:
        """Claim texts where there is room and something may be due."""
        window = self._account.window
        if now < max(self._ask_at, self._paused_until) or self._telling.untold > window:
            return
        if len(self._waiting) > window // 2:
            return
        texts = self._telling.ask(lambda: self._outbox.due(window)) or ()
        if len(texts) < window:
            self._ask_at = now + self._account.poll_seconds
        for text in texts:
            self._add(text, now)

    def _add(self, text: Outgoing, now: float) -> None:
        refusal: DeliveryError
        try:
            bodies = bodies_of(text, self._account, self._references)
        except Rejected as rejected:
            refusal = rejected
            self._telling.tell(lambda: self._outbox.failed(text.entry_id, refusal))
            return
        held = _Text(text.entry_id, now, [None] * len(bodies))
        self._waiting.extend(_Segment(held, at, body) for at, body in enumerate(bodies))

    def next_unit(self, now: float) -> bytes | None:
        """The next submit_sm that may be sent now; sending it is up to the caller."""
        while self._waiting and self._waiting[0].text.told:
            self._waiting.popleft()
        if not self._waiting or len(self._unanswered) >= self._account.window:
            return None
        if now < self._paused_until or now < self._next_at:
            return None
        if pace := self._account.throughput_per_second:
            on_time = now - self._next_at <= _SLACK
            self._next_at = (self._next_at if on_time else now) + 1 / pace
        segment = self._waiting.popleft()
        sequence = self.next_sequence()
        self._unanswered[sequence] = segment, now + self._account.response_timeout_seconds
        self._count("submitted")
        return encode(Command.SUBMIT_SM, sequence, segment.body)

    def answered(self, pdu: Pdu, now: float) -> None:
        """Take a submit_sm_resp, or a generic_nack or a response of another kind instead."""
        segment, _ = self._unanswered.pop(pdu.sequence_number, (None, 0.0))
        if segment is None:
            segment = self._late.pop(pdu.sequence_number, None)
            self._count("response_late" if segment else "response_unexpected")
        if segment is None:
            return
        status = pdu.command_status
        if status == 0 and pdu.command_id == Command.GENERIC_NACK:
            status = 0xFF
        if status == 0:
            self._accepted(segment, message_id(pdu))
        else:
            self._refused(segment, leaf_of(status, self._account.throttle_seconds), status, now)

    def _accepted(self, segment: _Segment, written: str) -> None:
        text = segment.text
        text.message_ids[segment.position] = self._account.ids.of_response(written)
        known = [one for one in text.message_ids if one is not None]
        if len(known) == len(text.message_ids) and (text.uncertain or not text.told):
            text.told, text.uncertain = True, False
            self._telling.tell(lambda: self._outbox.submitted(text.entry_id, known))

    def _refused(self, segment: _Segment, error: DeliveryError, status: int, now: float) -> None:
        text = segment.text
        text.last_refusal = error
        throttled = status in THROTTLING
        if throttled:
            self._count("throttled")
            self._paused_until = now + self._account.throttle_seconds
        else:
            self._count("refused")
        begun = any(one is not None for one in text.message_ids) or self._in_flight(text)
        if not text.told and (throttled or (error.retryable and begun)):
            # The rest of the text is with the SMSC: only this segment goes again, after a pause.
            self._paused_until = now + self._account.throttle_seconds
            self._waiting.appendleft(segment)
            return
        self._failed(text, error)

    def _in_flight(self, text: _Text) -> bool:
        return any(segment.text is text for segment, _ in self._unanswered.values())

    def _failed(self, text: _Text, error: DeliveryError) -> None:
        if text.told and not text.uncertain:
            return
        text.told, text.uncertain = True, isinstance(error, Uncertain)
        self._telling.tell(lambda: self._outbox.failed(text.entry_id, error))

    def expire(self, now: float) -> None:
        """Give up answers that are overdue, and texts that have waited here for too long."""
        self._telling.again(now)
        while self._unanswered:
            sequence, (segment, deadline) = next(iter(self._unanswered.items()))
            if now < deadline:
                break
            self._count("submit_unanswered")
            self._give_up(sequence, segment, "the SMSC did not answer in time")
            # The next ones would only meet the same silence.
            self._paused_until = max(self._paused_until, now + self._account.throttle_seconds)
        for segment in list(self._waiting):
            text = segment.text
            if not text.told and now - text.since > self._account.hold_seconds:
                self._failed(text, _waited(text))

    def _give_up(self, sequence: int, segment: _Segment, reason: str) -> None:
        del self._unanswered[sequence]
        self._late[sequence] = segment
        if len(self._late) > _REMEMBERED:
            self._late.popitem(last=False)
        if not segment.text.told:
            code = "unanswered"
            self._failed(segment.text, Uncertain(f"{reason}; the text may have gone", code=code))

    def disconnected(self) -> None:
        """No answer will come any more. What has not been sent waits for the next connection."""
        for sequence, (segment, _) in list(self._unanswered.items()):
            self._count("submit_unanswered")
            self._give_up(sequence, segment, "the connection ended before the SMSC answered")
        self._late.clear()

    def give_back(self) -> None:
        """Let go of everything that has not been sent, as the door closes."""
        for segment in self._waiting:
            if not segment.text.told and not self._in_flight(segment.text):
                self._failed(segment.text, _waited(segment.text))
        kept = [segment for segment in self._waiting if not segment.text.told]
        self._waiting = deque(kept)

    def close(self) -> None:
        """The door is closed: what is left is given back."""
        self.disconnected()
        self.give_back()
        self._telling.again(float("inf"))

    def seconds_until_due(self, now: float) -> float:
        """When :meth:`fill`, :meth:`next_unit` or :meth:`expire` may have something to do."""
        moments = [now + self._account.poll_seconds]
        if not self._waiting and self._telling.untold <= self._account.window:
            moments.append(max(self._ask_at, self._paused_until))
        elif len(self._unanswered) < self._account.window:
            moments.append(max(self._next_at, self._paused_until))
        if self._unanswered:
            moments.append(next(iter(self._unanswered.values()))[1])
        if self._telling.untold:
            moments.append(now + self._telling.pause_seconds)
        return max(0.0, min(moments) - now)


def _waited(text: _Text) -> DeliveryError:
    if isinstance(text.last_refusal, Throttled):
        return text.last_refusal
    return Unreachable("the text could not be handed to the SMSC in time", code="waited")
