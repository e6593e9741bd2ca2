# SPDX-License-Identifier: MIT
"""An operator's SMSC over real TCP, with the faults of real ones and a ledger of what it did.

What the ESME has not answered, or answered 0x64, stays here and is delivered again, also on the
next connection. Any other status is final, as it is at an operator's.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from guichet_testing.smsc_behaviour import RAW_SEQUENCE, Behaviour, Ledger
from guichet_testing.smsc_wire import (
    Submit,
    Unit,
    deliver_body,
    pack,
    read_submit,
    tlv,
    unpack,
)

__all__ = ["RAW_SEQUENCE", "Behaviour", "Conversation", "Ledger", "Smsc", "running"]

DELIVER_SM, DATA_SM, ENQUIRE_LINK, UNBIND = 0x05, 0x103, 0x15, 0x06


class Smsc:
    """Listens on a free port of the loopback; :func:`running` starts and stops one.

    Args:
        behaviours: of the first, the second … connection; the last holds for all later ones.
        tls: a server's context, for TLS from the first octet.
    """

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.ledger = Ledger()
        self.port = 0
        self.changed = threading.Condition()
        self._behaviours = behaviours or (Behaviour(),)
        self._tls = tls
        self._queue: deque[tuple[int, int, bytes]] = deque()
        self._numbers = 0
        self._message_numbers = 0
        self._submit_numbers = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def start(self) -> None:
        """Listen."""
        self.port = self._listener.getsockname()[1]
        self._threads[0].start()

    def stop(self) -> None:
        """End every connection."""
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def queue(self, *bodies: bytes, command: int = DELIVER_SM) -> list[int]:
        """Deliver these bodies, in this order; returns their numbers in the ledger."""
        with self.changed:
            first = self._numbers + 1
            for body in bodies:
                self._numbers += 1
                self._queue.append((self._numbers, command, body))
            return list(range(first, self._numbers + 1))

    def wait(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is true of the ledger (or of anything else)."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {seconds} s; {self.ledger.events[-8:]}")
                self.changed.wait(min(left, 0.05))

    def numbered(self) -> int:
        """A number in the ledger for a delivery that goes out at once, without the queue."""
        with self.changed:
            self._numbers += 1
            self.ledger.sends[self._numbers] += 1
            return self._numbers

    def next_queued(self) -> tuple[int, int, bytes] | None:
        """What is to be delivered next."""
        with self.changed:
            return self._queue.popleft() if self._queue else None

    def again(self, deliveries: Sequence[tuple[int, int, bytes]]) -> None:
        """These were not acknowledged: they are the next to be delivered."""
        with self.changed:
            self._queue.extendleft(reversed(deliveries))

    def noted(self, event: str) -> None:
        """Write an event into the ledger."""
        with self.changed:
            self.ledger.events.append(event)
            self.changed.notify_all()

    def next_submit(self) -> int:
        """Number of a submit_sm over all connections."""
        with self.changed:
            self._submit_numbers += 1
            return self._submit_numbers

    def next_message(self) -> int:
        """Number of an accepted message over all connections."""
        with self.changed:
            self._message_numbers += 1
            return self._message_numbers

    def _accept(self) -> None:
        connections = 0
        while not self._over.is_set():
            try:
                raw, _ = self._listener.accept()
            except TimeoutError:
                continue
            behaviour = self._behaviours[min(connections, len(self._behaviours) - 1)]
            connections += 1
            arguments = (raw, behaviour, connections)
            thread = threading.Thread(target=self._serve, args=arguments, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket, behaviour: Behaviour, number: int) -> None:
        raw.settimeout(5)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls is not None:
                raw = self._tls.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            self.noted("tls_failed")
            return
        self.noted("connected")
        conversation = Conversation(self, raw, behaviour, number)
        try:
            conversation.serve(self._over)
        except OSError:
            pass  # the ESME went away, which the ledger says below
        finally:
            self.again(list(conversation.outstanding.values()))
            raw.close()
            self.noted("closed")


class Conversation:
    """One connection."""

    def __init__(self, smsc: Smsc, raw: socket.socket, behaviour: Behaviour, number: int) -> None:
        self.outstanding: dict[int, tuple[int, int, bytes]] = {}
        self._smsc = smsc
        self._raw = raw
        self._behaviour = behaviour
        self._number = number
        self._sequence = 0
        self._bound = self._unbinding = False
        self._end = threading.Event()
        self._answered = self._sent = 0
        self._later: deque[tuple[float, bytes]] = deque()

    def serve(self, over: threading.Event) -> None:
        """Speak until one side ends it."""
        stream = bytearray()
        while not over.is_set() and not self._end.is_set():
            self._push()
            if self._end.is_set():
                return
            self._raw.settimeout(0.005)
            try:
                octets = self._raw.recv(65_536)
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            if not octets:
                return
            stream += octets
            while not self._end.is_set() and (unit := unpack(stream)) is not None:
                self._take(unit)

    def _write(self, octets: bytes) -> None:
        self._raw.settimeout(10)
        if not self._behaviour.dribble:
            self._raw.sendall(octets)
            return
        for at in range(len(octets)):
            self._raw.sendall(octets[at : at + 1])
            time.sleep(0.0005)

    def _push(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._write(self._later.popleft()[1])
        batch: list[bytes] = []
        behaviour = self._behaviour
        while self._bound and not self._unbinding and len(self.outstanding) < behaviour.window:
            delivery = self._smsc.next_queued()
            if delivery is None:
                break
            number, command, body = delivery
            self._sequence += 1
            self.outstanding[self._sequence] = delivery
            with self._smsc.changed:
                self._smsc.ledger.sends[number] += 1
            batch.append(pack(command, self._sequence, body))
            self._sent += 1
            if self._sent == behaviour.drop_after:
                self._end.set()
                break
        if batch:
            self._write(b"".join(batch))

    def _take(self, unit: Unit) -> None:
        behaviour, smsc = self._behaviour, self._smsc
        match unit.command:
            case 0x09:
                self._bind(unit)
            case 0x04:
                self._submit(unit)
            case 0x15:
                smsc.noted("enquire_link")
                if behaviour.answers_enquire_link:
                    self._write(pack(0x80000015, unit.sequence))
            case 0x06:
                smsc.noted("unbind")
                if behaviour.answers_unbind:
                    self._write(pack(0x80000006, unit.sequence))
                    self._end.set()
            case 0x80000006:
                smsc.noted("unbind_resp")
                self._end.set()
            case 0x80000015:
                smsc.noted("enquire_link_resp")
            case 0x80000005 | 0x80000103 if unit.sequence in self.outstanding:
                self._acknowledged(unit)
            case _:
                with smsc.changed:
                    smsc.ledger.answers.append((unit.command, unit.status, unit.sequence))
                    smsc.changed.notify_all()

    def _bind(self, unit: Unit) -> None:
        behaviour = self._behaviour
        system_id, password, _ = unit.body.split(b"\0", 2)
        with self._smsc.changed:
            self._smsc.ledger.binds.append((system_id.decode(), password.decode()))
            self._smsc.changed.notify_all()
        if not behaviour.answers_bind:
            return
        self._write(pack(0x80000009, unit.sequence, b"test\0", behaviour.bind_status))
        if behaviour.bind_status:
            self._end.set()
            return
        self._bound = True
        if behaviour.enquires:
            self._write(pack(ENQUIRE_LINK, RAW_SEQUENCE))
        for octets in behaviour.raw:
            self._write(octets)

    def _submit(self, unit: Unit) -> None:
        behaviour, smsc = self._behaviour, self._smsc
        number = smsc.next_submit()
        dropped = number == behaviour.drop_at_submit
        status = None if dropped else behaviour.submit_status(number)
        message = smsc.next_message() if status == 0 else 0
        written = behaviour.response_id(message) if message else ""
        submit = read_submit(unit.body, self._number, status, written)
        if dropped:
            self._end.set()
        elif status is not None:
            answer = pack(
                0x80000004, unit.sequence, b"" if status else written.encode() + b"\0", status
            )
            receipt = self._receipt(submit, message) if message else b""
            if behaviour.receipts == "early" and receipt:
                self._write(receipt)
            if behaviour.submit_late_by:
                self._later.append((time.monotonic() + behaviour.submit_late_by, answer))
            else:
                self._write(answer)
            if behaviour.receipts in ("late", "twice") and receipt:
                self._write(receipt)
            if behaviour.receipts == "twice" and receipt:
                self._write(self._receipt(submit, message))
        with smsc.changed:
            smsc.ledger.submits.append(submit)
            smsc.changed.notify_all()

    def _receipt(self, submit: Submit, message: int) -> bytes:
        behaviour = self._behaviour
        written = behaviour.receipt_id(message)
        stat, err = behaviour.receipt_words
        if behaviour.receipt_by == "tlv":
            state = {"DELIVRD": 2, "UNDELIV": 5}[stat]
            parameters = tlv(0x001E, written.encode() + b"\0") + tlv(0x0427, bytes((state,)))
            text = ""
        else:
            parameters = b""
            text = (
                f"id:{written} sub:001 dlvrd:001 submit date:2611250429 "
                f"done date:2611250430 stat:{stat} err:{err} text:"
            )
        body = deliver_body(
            submit.destination, text.encode(), esm_class=0x04, parameters=parameters
        )
        number = self._smsc.numbered()
        self._sequence += 1
        self.outstanding[self._sequence] = (number, DELIVER_SM, body)
        return pack(DELIVER_SM, self._sequence, body)

    def _acknowledged(self, unit: Unit) -> None:
        delivery = self.outstanding.pop(unit.sequence)
        with self._smsc.changed:
            self._smsc.ledger.statuses.setdefault(delivery[0], []).append(unit.status)
            self._smsc.ledger.answered_at.append(time.monotonic())
            self._smsc.changed.notify_all()
        if unit.status == 0x64:
            self._smsc.again([delivery])
        self._answered += 1
        if self._answered == self._behaviour.unbind_after:
            self._unbinding = True
            self._write(pack(UNBIND, RAW_SEQUENCE))


@contextmanager
def running(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Smsc]:
    """An SMSC that listens until the block ends."""
    smsc = Smsc(*behaviours, tls=tls)
    smsc.start()
    try:
        yield smsc
    finally:
        smsc.stop()
