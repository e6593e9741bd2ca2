# SPDX-License-Identifier: MIT
"""A TCP or TLS connection to an SMSC that never blocks."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from channels.sms.smpp_account import SmppAccount

_CHUNK = 65_536
#: Octets taken at one time: enough for 50 units, and the rest stays with the kernel.
_MOST_AT_ONCE = 4 * _CHUNK
_GLANCE_SECONDS = 0.1


class CannotConnect(Exception):  # noqa: N818 - the sentence is what it says
    """No connection, and why."""


class Ended(Exception):  # noqa: N818
    """The connection has ended, and why."""


def tls_context(account: SmppAccount) -> ssl.SSLContext:
    """TLS 1.2 or later; the certificate is checked, and that it is for the SMSC's name."""
    context = ssl.create_default_context(cafile=account.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def connect(account: SmppAccount, stopped: Callable[[], bool]) -> Connection:
    """Open a connection, with TLS where the account says so.

    Args:
        account: where to, and for how long to try.
        stopped: asked ten times a second whether to give up.

    Raises:
        CannotConnect: with one plain sentence.
    """
    deadline = time.monotonic() + account.connect_timeout_seconds
    try:
        found = socket.getaddrinfo(account.host, account.port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise CannotConnect(f"the SMSC's name is not found ({type(failure).__name__})") from failure
    try:
        context = tls_context(account) if account.tls else None
    except OSError as failure:
        raise CannotConnect("smpp.ca_file cannot be read as certificates") from failure
    reason = "the SMSC's name has no address"
    for family, kind, protocol, _, address in found:
        raw = socket.socket(family, kind, protocol)
        try:
            _reach(raw, address, deadline, stopped)
            if context is None:
                return Connection(raw)
            name = account.server_name or account.host
            return Connection(_secured(raw, context, name, deadline, stopped))
        except ssl.SSLCertVerificationError as failure:
            raw.close()
            raise CannotConnect(f"TLS: {failure.verify_message}") from failure
        except OSError as failure:
            raw.close()
            kind_of = "TLS failed" if isinstance(failure, ssl.SSLError) else "not reached"
            reason = f"the SMSC: {kind_of} ({failure.strerror or type(failure).__name__})"
        except CannotConnect:
            raw.close()
            raise
    raise CannotConnect(reason)


def _reach(
    raw: socket.socket, address: tuple[Any, ...], deadline: float, stopped: Callable[[], bool]
) -> None:
    raw.setblocking(False)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        raw.connect(address)
    except BlockingIOError:
        _wait(raw, deadline, stopped, writing=True)
        if code := raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "refused or not routed") from None


def _secured(
    raw: socket.socket,
    context: ssl.SSLContext,
    name: str,
    deadline: float,
    stopped: Callable[[], bool],
) -> ssl.SSLSocket:
    secured = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
    try:
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                _wait(secured, deadline, stopped, writing=False)
            except ssl.SSLWantWriteError:
                _wait(secured, deadline, stopped, writing=True)
    except BaseException:
        secured.close()
        raise


def _wait(
    raw: socket.socket, deadline: float, stopped: Callable[[], bool], *, writing: bool
) -> None:
    """Wait until it may go on; looks in between whether all is over."""
    poll = select.poll()
    poll.register(raw, select.POLLOUT if writing else select.POLLIN)
    while not poll.poll(_GLANCE_SECONDS * 1000):
        if stopped():
            raise CannotConnect("stopped while connecting")
        if time.monotonic() > deadline:
            raise CannotConnect("the SMSC did not answer in time")


class Connection:
    """What can be read and written without waiting.

    Args:
        raw: connected, not blocking, after its TLS handshake where it has one.
    """

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._out = bytearray()
        self._read_wants_write = False

    def fileno(self) -> int:
        """For a selector."""
        return self._raw.fileno()

    @property
    def unsent(self) -> int:
        """Octets that the peer has not taken yet."""
        return len(self._out)

    @property
    def wants_write(self) -> bool:
        """Whether it must be told when it can be written to."""
        return bool(self._out) or self._read_wants_write

    def read(self) -> bytes:
        """What is there, up to 256 KiB; nothing where nothing is.

        Raises:
            Ended: the peer closed or the connection broke, and nothing was there before that.
        """
        taken = bytearray()
        self._read_wants_write = False
        while len(taken) < _MOST_AT_ONCE:
            try:
                chunk = self._raw.recv(_CHUNK)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
                break
            except ssl.SSLWantWriteError:
                self._read_wants_write = True
                break
            except OSError as failure:
                if taken:
                    break
                raise Ended(f"the connection broke ({type(failure).__name__})") from failure
            if not chunk:
                if taken:
                    break
                raise Ended("the SMSC closed the connection")
            taken += chunk
        return bytes(taken)

    def pending(self) -> bool:
        """Whether TLS holds octets that no selector knows of."""
        return isinstance(self._raw, ssl.SSLSocket) and self._raw.pending() > 0

    def write(self, octets: bytes) -> None:
        """Add to what is to be sent."""
        self._out += octets

    def flush(self) -> None:
        """Send what the peer takes now.

        Raises:
            Ended: it broke.
        """
        while self._out:
            try:
                sent = self._raw.send(self._out[:_CHUNK])
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as failure:
                raise Ended(f"the connection broke ({type(failure).__name__})") from failure
            del self._out[:sent]

    def close(self) -> None:
        """Close; what was not sent is gone."""
        self._raw.close()
