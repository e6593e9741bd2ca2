# SPDX-License-Identifier: MIT
"""The door to an operator's SMSC: one account, one connection at a time, one thread.

The codec and the session are ours rather than smpplib's: that one loses its place in the stream
when a unit comes in pieces, raises at unknown commands, and does not keep the octets of a unit,
which a replay needs. What is read is kept in one commit and only then answered.
"""

from __future__ import annotations

import logging
import random
import socket
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event

from channels.sms.part import Outbox, PartStore
from channels.sms.smpp_account import Count, SmppAccount
from channels.sms.smpp_connection import CannotConnect, connect
from channels.sms.smpp_inbound import Inbound
from channels.sms.smpp_session import BindRefused, Session, bind_unit
from channels.sms.smpp_telling import Telling
from channels.sms.smpp_window import Window

logger = logging.getLogger(__name__)

#: Every event that is counted, by where it arises.
EVENTS = (
    # the connection
    *("not_connected", "bind_refused", "bound", "disconnected", "unbound_by_smsc"),
    # what is delivered to us
    *("part", "receipt", "put_off", "malformed", "damaged_parameters", "receipt_without_id"),
    # what else an SMSC says
    *("framing_lost", "unknown_command", "ignored", "response_unexpected", "response_late"),
    # segments of ours, and the house behind the ports
    *("submitted", "throttled", "refused", "submit_unanswered", "house_failed"),
)
_GLANCE_SECONDS = 0.2
#: Doublings of the pause after which it cannot matter any more.
_MOST_DOUBLINGS = 30


class SmppDoor:
    """Keeps one account bound as a transceiver until it is stopped.

    Args:
        account: where and how.
        store: keeps parts and receipts before they are answered.
        outbox: gives texts of ours and is told what became of them.
        clock: the time, aware UTC.
        count: told the name of each event, one of :data:`EVENTS`, for metrics.
        monotonic: seconds that only grow.
        draw: for jitter and references.

    Raises:
        ValueError: a name or password of the account is not ASCII.
    """

    def __init__(
        self,
        account: SmppAccount,
        store: PartStore,
        outbox: Outbox,
        *,
        clock: Callable[[], datetime],
        count: Count,
        monotonic: Callable[[], float] = time.monotonic,
        draw: random.Random | None = None,
    ) -> None:
        #: ``"bound"``, or why not: one plain sentence for health and doctor.
        self.told = "not connected yet"
        self._account = account
        self._count = count
        self._monotonic = monotonic
        self._draw = draw or random.Random()  # noqa: S311 - jitter and references are no secrets
        bind_unit(account, 1)  # what cannot be said in ASCII is found now
        telling = Telling(count)
        self._inbound = Inbound(account, store, telling, clock, count)
        self._window = Window(account, outbox, telling, count, self._draw)
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)

    def wake(self) -> None:
        """Something may be due: ask the outbox now. From any thread; never blocks or raises."""
        try:
            self._rope.send(b"\0")
        except OSError:  # rung often enough already, or closed
            return

    def run(self, stop: Event) -> None:
        """Look after the account until ``stop`` is set; unbinds within three seconds. Blocks."""
        doublings = 0
        try:
            while not stop.is_set():
                began = self._monotonic()
                self._connected(stop)
                self._window.disconnected()
                lasted = self._monotonic() - began
                if lasted >= self._account.reconnect_cap_seconds:
                    doublings = 0
                self._pause(stop, doublings)
                doublings = min(doublings + 1, _MOST_DOUBLINGS)
        finally:
            self._window.close()
            self._bell.close()
            self._rope.close()

    def _connected(self, stop: Event) -> None:
        """Connect, bind and speak; tells why it is over."""
        name = self._account.name
        try:
            connection = connect(self._account, stop.is_set)
            session = Session(
                connection,
                self._account,
                self._inbound,
                self._window,
                self._bell,
                self._monotonic,
                self._count,
            )
            self.told = session.serve(stop.is_set, self._bound)
        except CannotConnect as failure:
            self._count("not_connected")
            self.told = str(failure)
        except BindRefused as refusal:
            self._count("bind_refused")
            self.told = str(refusal)
        else:
            self._count("disconnected")
        if not stop.is_set():
            logger.warning("smpp %s: %s", name, self.told)

    def _bound(self) -> None:
        self.told = "bound"
        logger.info("smpp %s: bound", self._account.name)

    def _pause(self, stop: Event, doublings: int) -> None:
        """Wait before the next connection: twice as long each time, with jitter, up to the cap."""
        account = self._account
        longest = min(account.reconnect_cap_seconds, account.reconnect_base_seconds * 2**doublings)
        until = self._monotonic() + longest * self._draw.uniform(0.5, 1.0)
        while not stop.is_set() and (left := until - self._monotonic()) > 0:
            stop.wait(min(left, _GLANCE_SECONDS))
            self._window.expire(self._monotonic())
