# SPDX-License-Identifier: MIT
"""One connection at the mail door: SMTP (RFC 5321) or LMTP (RFC 2033), for people we do not know.

aiosmtpd reads the commands; what it leaves open is closed here. After our own 451 the envelope is
fresh, so that the next MAIL is not a "nested MAIL command". DATA is read in large chunks and ends
at CRLF.CRLF only: bare CR, bare LF and NUL stay as they came (no smuggling, RFC 5321 section
4.1.1.4), and a line over 998 octets is no reason to turn a complaint away.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from channels.mail.limits import Connections, Limits

TRY_LATER = "451 4.3.0 Not stored now, please try again later"
_CHUNK = 65_536
_END_OF_DATA = b"\r\n.\r\n"
#: Octets of a command line; RFC 5321, 4.5.3.1.4, asks for 512, and extensions for some more.
_COMMAND_LIMIT = 1024
#: How long a peer that does not read may keep our last words from leaving.
_FAREWELL_SECONDS = 5.0
_PATH = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,64}@[A-Za-z0-9.-]{1,255}|)>(?:\s|$)")


class Door(Protocol):
    """What a session needs of the door it came through, besides aiosmtpd's hooks."""

    limits: Limits
    hostname: str
    tls: ssl.SSLContext | None
    count: Callable[[str], None]
    sessions: set[SmtpSession]
    connections: Connections
    bytes_held: int

    async def handle_exception(self, error: Exception) -> str:
        """Count a failure; the answer to it."""
        ...


class SmtpSession(SMTP):
    """One connection.

    Args:
        door: whose limits hold and who answers.
        loop: the running event loop.
    """

    line_length_limit = _CHUNK
    protocol_name = "ESMTP"

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        limits = door.limits
        # The library keeps them for all sessions together, and forgets them at each new one.
        self.command_size_limits = defaultdict(lambda: _COMMAND_LIMIT)
        super().__init__(
            door,
            data_size_limit=limits.max_size,
            enable_SMTPUTF8=True,
            hostname=door.hostname,
            ident=self.protocol_name,
            tls_context=door.tls,
            timeout=limits.command_timeout_seconds,
            command_call_limit={"*": limits.command_limit, "RCPT": limits.command_limit * 10},
            loop=loop,
        )
        self.busy = False
        self._door = door
        self._peer: str | None = None
        self._refused = False
        self._errors = 0
        self._over = False
        self._session_end: asyncio.TimerHandle | None = None

    # Connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn the connection away when there are too many; STARTTLS comes here a second time."""
        if self._peer is None:
            peer = host_of(transport.get_extra_info("peername"))
            if not self._door.connections.enter(peer):
                self._refused = True
                self._door.count("refused_connection")
                if isinstance(transport, asyncio.WriteTransport):
                    transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
                    transport.close()
                return
            self._peer = peer
            self._door.sessions.add(self)
            self._session_end = self.loop.call_later(
                self._door.limits.session_timeout_seconds, self._end_session
            )
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """What a refused peer still says is not heard."""
        if not self._refused:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        """The peer says no more."""
        return False if self._refused else super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """Count the connection out, once."""
        if self._refused:
            return
        if self in self._door.sessions and self._peer is not None:
            self._door.sessions.discard(self)
            self._door.connections.leave(self._peer)
        if self._session_end is not None:
            self._session_end.cancel()
        if self.session is not None and self._handler_coroutine is not None:
            super().connection_lost(error)

    def hang_up(self, farewell: str) -> None:
        """Say why, and close: at once, or soon where the peer does not read our words."""
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            if farewell:
                transport.write(farewell.encode("ascii") + b"\r\n")
            _let_go_after(transport, _FAREWELL_SECONDS)
            transport.close()
            self.loop.call_later(_FAREWELL_SECONDS, transport.abort)

    def _timeout_cb(self) -> None:
        self.hang_up("421 4.4.2 Timeout, closing")

    def _end_session(self) -> None:
        if self.busy:
            self._over = True
        else:
            self.hang_up("421 4.4.2 This session was long enough, please connect again")

    async def push(self, status: str | bytes) -> None:
        """Answer. A peer that heard too many errors hears 421, and the line is closed."""
        if isinstance(status, str):
            if not status.isprintable():  # words of the peer: no line break or half letter of it
                status = "".join(c if c.isprintable() else "?" for c in status)
            if status.startswith("5"):
                self._errors += 1
                if self._errors > self._door.limits.max_errors:
                    self._door.count("too_many_errors")
                    self.hang_up("421 4.7.0 Too many errors, closing")
                    # What the peer sent in advance is not heard any more.
                    raise asyncio.CancelledError
        await super().push(status)  # type: ignore[type-var]

    # Commands

    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd names it so
        """Begin TLS, once. What came in clear text after it is dropped (RFC 3207, section 4.2)."""
        if self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS is in use already")
            return
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        """Nobody signs in here."""
        await self.push("502 5.5.1 AUTH is not offered here")

    async def smtp_VRFY(self, arg: str | None) -> None:  # noqa: N802
        """Tell nobody which mailboxes there are (RFC 5321, section 7.3)."""
        await self.push("252 2.1.5 Not verified; try to send the mail")

    async def smtp_EXPN(self, arg: str | None) -> None:  # noqa: N802
        """There are no lists here."""
        await self.push("502 5.5.1 EXPN is not offered here")

    async def smtp_ETRN(self, arg: str | None) -> None:  # noqa: N802
        """No mail waits here for anybody (RFC 1985)."""
        await self.push("502 5.5.1 ETRN is not offered here")

    async def smtp_HELP(self, arg: str | None) -> None:  # noqa: N802
        """Name the standard."""
        await self.push("214 2.0.0 See RFC 5321")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read the path of MAIL and RCPT: the common form at once, others by the library."""
        match = _PATH.match(arg) if arg else None
        if match is not None:
            return match[1] or "<>", arg[match.end() :]
        try:
            address, rest = super()._getaddr(arg)
        except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
            return None, None  # it reads what it does not know with too much trust
        return address, rest

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take one mail. Whatever comes of it, the next MAIL finds a fresh envelope."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        self.busy = True
        held = [0]
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            self._reset_timeout(self._door.limits.data_timeout_seconds)
            content = await self._read_data(held)
            self._reset_timeout(self._door.limits.answer_timeout_seconds + 30.0)
            if isinstance(content, str):
                status = content
            else:
                envelope.content = envelope.original_content = content
                status = await self._asked()
        finally:
            self._door.bytes_held -= held[0]
            self._set_post_data_state()  # type: ignore[no-untyped-call]
            self.busy = False
        self._reset_timeout()
        await self.answer_data(status, len(envelope.rcpt_tos))
        if self._over:
            self._end_session()

    async def answer_data(self, status: str, recipients: int) -> None:
        """Answer after the end mark: once for all recipients."""
        await self.push(status)

    async def _asked(self) -> str:
        """What the door answers to a mail; a failure of ours is never for good."""
        try:
            return str(await self._call_handler_hook("DATA"))
        except Exception as error:  # noqa: BLE001 - LMTP owes one answer for each recipient
            return await self._door.handle_exception(error)

    async def _read_data(self, held: list[int]) -> bytes | str:
        """The mail without its dot-stuffing (RFC 5321, 4.5.2), or the answer to one too large.

        Args:
            held: told how many bytes are counted as being in memory, to be given back at the end.
        """
        reader = self._reader
        door = self._door
        limit = door.limits.max_size
        refusal = ""
        # The line end before the mail counts for the end mark: an empty mail is ".\r\n" alone.
        data = bytearray(b"\r\n")
        while data.endswith((b"\r\n", b"\r\n.", b"\r\n.\r", b"\r")) and len(data) < _CHUNK:
            data += await reader.readexactly(1)
            if data.endswith(_END_OF_DATA):
                return _unstuffed(data)
        size = len(data)
        while True:
            try:
                chunk = await reader.readuntil(_END_OF_DATA)
                ended = True
            except asyncio.LimitOverrunError as overrun:
                chunk = await reader.readexactly(overrun.consumed)
                ended = False
            size += len(chunk)
            if not refusal and size > limit + 5:
                door.count("too_large")
                refusal = "552 5.3.4 The mail is too large"
            elif not refusal and door.bytes_held + len(chunk) > door.limits.max_bytes_at_once:
                door.count("too_much_at_once")
                refusal = "452 4.3.1 Too much mail at this moment, please try again later"
            if refusal:
                data.clear()  # drained without being kept: the answer comes after the end mark
                door.bytes_held -= held[0]
                held[0] = 0
            else:
                data += chunk
                held[0] += len(chunk)
                door.bytes_held += len(chunk)
            if ended:
                return refusal or _unstuffed(data)


class LmtpSession(SmtpSession):
    """One connection of a mail server of one's own (RFC 2033)."""

    protocol_name = "LMTP"

    async def smtp_LHLO(self, arg: str | None) -> None:  # noqa: N802
        """The greeting of LMTP."""
        await super().smtp_EHLO(arg)

    async def smtp_EHLO(self, arg: str | None) -> None:  # noqa: N802
        """SMTP's own greetings must not be taken (RFC 2033, section 4.1)."""
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    async def smtp_HELO(self, arg: str | None) -> None:  # noqa: N802
        """As EHLO."""
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    async def check_helo_needed(self, helo: str = "LHLO") -> bool:
        """Whether the greeting is still owed; says so."""
        return await super().check_helo_needed(helo)

    async def answer_data(self, status: str, recipients: int) -> None:
        """Answer once for each recipient that was taken (RFC 2033, section 4.2)."""
        for _ in range(recipients):
            await self.push(status)


def _let_go_after(transport: asyncio.BaseTransport, seconds: float) -> None:
    """Let the system, too, give up what a peer does not read (``TCP_USER_TIMEOUT``, tcp(7)).

    Once our words are in its buffers, the connection is closed for us, but it would go on offering
    them to a peer that keeps its window shut.
    """
    line = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if line is not None and option is not None and line.family != socket.AF_UNIX:
        line.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))


def host_of(peer: Any) -> str:
    """The address of a peer; ``""`` on a Unix socket."""
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _unstuffed(data: bytearray) -> bytes:
    content = bytes(memoryview(data)[: len(data) - 3])
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n")
    return content[2:]
