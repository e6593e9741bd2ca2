# SPDX-License-Identifier: MIT
"""One bound connection to an SMSC, from bind_transceiver to unbind (SMPP 3.4, chapters 2 and 4)."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from enum import StrEnum

from channels.sms.smpp_account import Count, SmppAccount
from channels.sms.smpp_connection import Connection, Ended
from channels.sms.smpp_inbound import Inbound
from channels.sms.smpp_pdu import (
    Buffer,
    Command,
    FramingLost,
    Pdu,
    Status,
    bind_body,
    encode,
)
from channels.sms.smpp_status import bind_refusal
from channels.sms.smpp_window import Window

#: deliver_sm that are kept in one commit.
MOST_AT_ONCE = 50
#: Octets that may wait for a peer that does not read; above it nothing more is taken from it.
_MOST_UNSENT = 262_144
#: Stopping: how long answers to our texts are waited for, and then the answer to our unbind.
_FAREWELL_SECONDS, _UNBIND_SECONDS = 1.5, 1.0
#: Longest sleep, as a stop is not a thing that a selector sees.
_GLANCE_SECONDS = 0.2


class State(StrEnum):
    """How far a session is."""

    BINDING = "binding"
    BOUND = "bound"
    STOPPING = "stopping"
    UNBINDING = "unbinding"


class BindRefused(Exception):  # noqa: N818 - the sentence is what it says
    """The SMSC refused the bind, and why."""


def bind_unit(account: SmppAccount, sequence: int) -> bytes:
    """The bind_transceiver of an account; type and plan of ``addr_range`` are left unsaid.

    Raises:
        ValueError: a name or password is not ASCII.
    """
    names = (account.system_id, account.password, account.system_type)
    body = bind_body(*names, 0, 0, account.addr_range)
    return encode(Command.BIND_TRANSCEIVER, sequence, body)


class Session:
    """One connection and all that is said on it.

    Args:
        connection: open, nothing said yet.
        account: how to bind, and how long to wait.
        inbound: takes what is delivered.
        window: gives what is to be sent, and takes the answers.
        bell: readable when something may be due.
        monotonic: seconds that only grow.
        count: told the name of each event.
    """

    def __init__(
        self,
        connection: Connection,
        account: SmppAccount,
        inbound: Inbound,
        window: Window,
        bell: socket.socket,
        monotonic: Callable[[], float],
        count: Count,
    ) -> None:
        self.state = State.BINDING
        self.was_bound = False
        self._connection = connection
        self._account = account
        self._inbound = inbound
        self._window = window
        self._bell = bell
        self._monotonic = monotonic
        self._count = count
        self._buffer = Buffer()
        self._last_heard = self._last_progress = monotonic()
        self._enquired_at: float | None = None
        self._deadline = monotonic() + account.response_timeout_seconds

    def serve(self, stopped: Callable[[], bool], on_bound: Callable[[], None]) -> str:
        """Speak until one side ends it.

        Args:
            stopped: whether to unbind; looked at five times a second.
            on_bound: called once, when the SMSC has accepted the bind.

        Returns:
            Why it ended, in one plain sentence.

        Raises:
            BindRefused: the SMSC does not let us in.
        """
        self._connection.write(bind_unit(self._account, self._window.next_sequence()))
        selector = selectors.DefaultSelector()
        selector.register(self._connection, selectors.EVENT_READ)
        selector.register(self._bell, selectors.EVENT_READ)
        bound_told = False
        try:
            while True:
                self._timers(stopped())
                self._submit()
                self._connection.flush()
                self._listen(selector)
                if self.was_bound and not bound_told:
                    bound_told = True
                    on_bound()
        except Ended as ended:
            return str(ended)
        finally:
            selector.close()
            self._connection.close()

    def _listen(self, selector: selectors.BaseSelector) -> None:
        """Wait for the next thing to do, and do it."""
        connection = self._connection
        held_back = connection.unsent > _MOST_UNSENT
        events = 0 if held_back else selectors.EVENT_READ
        events |= selectors.EVENT_WRITE if connection.wants_write else 0
        selector.modify(connection, events)
        more = connection.pending() and not held_back
        ready = selector.select(0 if more else self._sleep())
        readable = more
        unsent = connection.unsent
        for key, mask in ready:
            if key.fileobj is self._bell:
                self._bell.recv(4096)
                self._window.ring()
            else:
                readable = readable or bool(mask & selectors.EVENT_READ)
        connection.flush()
        if not unsent or connection.unsent < unsent:
            self._last_progress = self._monotonic()
        if readable or (connection.wants_write and not held_back):
            self._read()

    def _read(self) -> None:
        """Take what the socket holds; what had come whole before its end still counts."""
        over: Ended | None = None
        try:
            self._buffer.feed(self._connection.read())
        except Ended as ended:
            over = ended
        while self._take():
            self._connection.flush()
        if over is not None:
            raise over

    def _take(self) -> bool:
        """Take up to 50 deliveries, and what lies between them; tells whether more may be left."""
        deliveries: list[Pdu] = []
        ended: Ended | None = None
        last_words = b""
        while len(deliveries) < MOST_AT_ONCE:
            try:
                pdu = self._buffer.take()
            except FramingLost as lost:
                self._count("framing_lost")
                last_words = encode(Command.GENERIC_NACK, 0, status=Status.INVALID_COMMAND_LENGTH)
                ended = Ended(str(lost))
                break
            if pdu is None:
                break
            self._last_heard = self._monotonic()
            try:
                if pdu.command_id in (Command.DELIVER_SM, Command.DATA_SM):
                    deliveries.append(pdu)
                elif pdu.command_id == Command.UNBIND:
                    self._count("unbound_by_smsc")
                    last_words = encode(Command.UNBIND_RESP, pdu.sequence_number)
                    ended = Ended("the SMSC asked us to leave (unbind)")
                    break
                elif pdu.is_response:
                    self._response(pdu)
                else:
                    self._request(pdu)
            except Ended as over:
                ended = over
                break
        if deliveries:
            self._connection.write(self._inbound.take(deliveries))
        if ended is not None:
            self._connection.write(last_words)  # after the answers to what came before
            self._connection.flush()
            raise ended
        return len(deliveries) == MOST_AT_ONCE

    def _request(self, pdu: Pdu) -> None:
        match pdu.command_id:
            case Command.ENQUIRE_LINK:
                self._send(Command.ENQUIRE_LINK_RESP, pdu.sequence_number)
            case Command.ALERT_NOTIFICATION | Command.OUTBIND:
                self._count("ignored")  # neither has a response (4.12, 4.1.7)
            case _:
                self._count("unknown_command")
                self._send(
                    Command.GENERIC_NACK, pdu.sequence_number, status=Status.INVALID_COMMAND_ID
                )

    def _response(self, pdu: Pdu) -> None:
        match pdu.command_id:
            case Command.ENQUIRE_LINK_RESP:
                self._enquired_at = None
            case Command.UNBIND_RESP if self.state is State.UNBINDING:
                raise Ended("unbound")
            case Command.BIND_TRANSCEIVER_RESP | Command.GENERIC_NACK if (
                self.state is State.BINDING
            ):
                if pdu.command_status or pdu.command_id == Command.GENERIC_NACK:
                    raise BindRefused(bind_refusal(pdu.command_status))
                self.state, self.was_bound = State.BOUND, True
                self._count("bound")
            case Command.SUBMIT_SM_RESP | Command.GENERIC_NACK:
                self._enquired_at = None
                self._window.answered(pdu, self._monotonic())
            case _:
                self._count("response_unexpected")

    def _submit(self) -> None:
        if self.state not in (State.BOUND, State.STOPPING):
            return
        now = self._monotonic()
        if self.state is State.BOUND:
            self._window.fill(now)
        while self._connection.unsent <= _MOST_UNSENT:
            unit = self._window.next_unit(now)
            if unit is None:
                return
            self._connection.write(unit)

    def _timers(self, stopped: bool) -> None:  # noqa: FBT001 - private, named at its one call
        now = self._monotonic()
        self._window.expire(now)
        if self._connection.unsent and self._late(self._last_progress, now):
            raise Ended("the SMSC takes nothing any more")
        match self.state:
            case State.BINDING:
                if stopped:
                    raise Ended("stopped while binding")
                if now >= self._deadline:
                    raise Ended("the SMSC did not answer the bind")
            case State.BOUND:
                if stopped:
                    self._window.give_back()
                    self.state, self._deadline = State.STOPPING, now + _FAREWELL_SECONDS
                self._enquire(now)
            case State.STOPPING:
                if not self._window.unanswered or now >= self._deadline:
                    self._send(Command.UNBIND, self._window.next_sequence())
                    self.state, self._deadline = State.UNBINDING, now + _UNBIND_SECONDS
            case State.UNBINDING:
                if now >= self._deadline:
                    raise Ended("the SMSC did not answer our unbind")

    def _enquire(self, now: float) -> None:
        if self._enquired_at is not None:
            if self._late(self._enquired_at, now) and self._late(self._last_heard, now):
                raise Ended("the SMSC did not answer an enquire_link")
        elif now - self._last_heard >= self._account.enquire_link_seconds:
            self._send(Command.ENQUIRE_LINK, self._window.next_sequence())
            self._enquired_at = now

    def _late(self, since: float, now: float) -> bool:
        return now - since >= self._account.response_timeout_seconds

    def _sleep(self) -> float:
        """Seconds until something is due."""
        if self.state is not State.BOUND:
            return _GLANCE_SECONDS / 10
        now = self._monotonic()
        return min(_GLANCE_SECONDS, self._window.seconds_until_due(now))

    def _send(self, command: Command, sequence: int, body: bytes = b"", *, status: int = 0) -> None:
        self._connection.write(encode(command, sequence, body, status))
