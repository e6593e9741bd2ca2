# SPDX-License-Identifier: MIT
"""The mail door: an SMTP server (RFC 5321) that says 250 only after the commit.

aiosmtpd, with what it leaves open closed: limits on connections, recipients, commands and time; an
unforeseen error is 451 and never a permanent 500; after our own 451 the envelope is fresh, so that
the next MAIL on the same connection is not a "nested MAIL command". DATA is read in large chunks
and ends at CRLF.CRLF only: bare CR, bare LF and NUL stay as they came (no smuggling, RFC 5321
section 4.1.1.4), and a line over 998 octets is no reason to turn a complaint away.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.channel import Accepted, Delivery, Refused
from channels.errors import MalformedMessage
from channels.mail.charset import scrub
from channels.mail.key import idempotency_key
from channels.mail.limits import Connections, Limits
from channels.mail.mime import read
from channels.message import ChannelName

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from channels.channel import Acknowledgement, RecipientCheck
    from channels.message import InboundMessage

logger = logging.getLogger(__name__)

#: A mail up to this many bytes is read on the event loop; a larger one in a thread.
INLINE_LIMIT = 200_000
_CHUNK = 65_536
_END_OF_DATA = b"\r\n.\r\n"
_TRY_LATER = "451 4.3.0 Not stored now, please try again later"
_PATH = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,64}@[A-Za-z0-9.-]{1,255}|)>(?:\s|$)")


class MailDoor:
    """Takes mail for our own addresses, and hands it to the house.

    Args:
        submit: hands over one delivery and what was read of it (``None``: unreadable, to be
            quarantined); its future is done only after the commit.
        is_ours: whether mail for an address is accepted; everything else is refused before DATA.
        clock: the present time, aware UTC.
        hostname: our name in the greeting.
        limits: how much is too much.
        tls: offers STARTTLS (RFC 3207) when given.
        count: told one word for each event worth a figure: ``refused_connection``,
            ``refused_recipient``, ``too_large``, ``unreadable``, ``try_later``, ``failure``,
            ``accepted``.
        attempt: surrounds each reading and says whether the mail may be read at all.
    """

    def __init__(
        self,
        *,
        submit: Callable[[Delivery, InboundMessage | None], Future[Acknowledgement]],
        is_ours: RecipientCheck,
        clock: Callable[[], datetime],
        hostname: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        count: Callable[[str], None] = lambda _event: None,
        attempt: Callable[[bytes], AbstractContextManager[bool]] = lambda _raw: nullcontext(
            enter_result=True
        ),
    ) -> None:
        self.limits = limits or Limits()
        self.hostname = hostname
        self.tls = tls
        self.count = count
        self.sessions: set[SmtpSession] = set()
        self._submit = submit
        self._is_ours = is_ours
        self._clock = clock
        self._attempt = attempt
        self.connections = Connections(self.limits)
        self._server: asyncio.Server | None = None

    # Opening and closing

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen; ``port`` 0 takes a free one.

        Returns:
            the address in force.

        Raises:
            OSError: the address is busy or not ours.
        """
        # aiosmtpd logs addresses and whole commands of citizens: its log stays off.
        logging.getLogger("mail.log").disabled = True
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SmtpSession(self, loop), host, port, backlog=256
        )
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more; let the mails on their way be answered; tell the others 421."""
        if self._server is not None:
            self._server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_seconds
        while self.sessions:
            for session in tuple(self.sessions):
                if not session.busy:
                    session.hang_up("421 4.3.2 Closing, please try again later")
            if loop.time() >= until:
                for session in tuple(self.sessions):
                    session.hang_up("")
                break
            await asyncio.sleep(0.02)

    # What aiosmtpd asks

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Offer no AUTH: this door takes mail for itself only."""
        session.host_name = hostname
        offered = [line for line in lines if not line.startswith("250-AUTH")]
        return [*offered[:-1], "250-ENHANCEDSTATUSCODES", offered[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse what is not ours before DATA: never a relay."""
        if len(envelope.rcpt_tos) >= self.limits.max_recipients:
            return "452 4.5.3 Too many recipients"
        if not self._is_ours(address):
            self.count("refused_recipient")
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Read the mail, hand it over, and answer from the acknowledgement alone."""
        raw = envelope.original_content
        if not isinstance(raw, bytes):
            return _TRY_LATER
        sender = scrub(envelope.mail_from or "")
        sender = "" if sender == "<>" else sender
        recipients = tuple(scrub(address) for address in envelope.rcpt_tos)
        if len(raw) <= INLINE_LIMIT:
            message, key = self._examine(raw, sender, recipients)
        else:
            message, key = await asyncio.to_thread(self._examine, raw, sender, recipients)
        if message is None:
            self.count("unreadable")
        delivery = Delivery(
            channel=ChannelName.EMAIL,
            idempotency_key=key,
            received_at=self._clock(),
            peer=_host(session.peer),
            headers={
                "envelope-from": sender,
                "envelope-to": ", ".join(recipients),
                "helo": scrub(session.host_name or "")[:255],
                "tls": "1" if session.ssl is not None else "",
            },
            body=raw,
        )
        future = self._submit(delivery, message)
        try:
            # Shielded: a client that hangs up must not cancel what is on its way to the disk.
            acknowledgement = await asyncio.wait_for(
                asyncio.shield(asyncio.wrap_future(future)), self.limits.answer_timeout_seconds
            )
        except TimeoutError:
            self.count("try_later")
            return _TRY_LATER
        return self._answer(acknowledgement)

    def _examine(
        self, raw: bytes, sender: str, recipients: tuple[str, ...]
    ) -> tuple[InboundMessage | None, str]:
        """Read a mail and make its key, unless it has killed its reader before."""
        with self._attempt(raw) as may_read:
            if may_read:
                return _examine(raw, sender, recipients)
        return None, idempotency_key(raw, "", sender, "")

    def _answer(self, acknowledgement: Acknowledgement) -> str:
        if isinstance(acknowledgement, Accepted):
            self.count("accepted")
            return "250 2.6.0 Ok, stored"
        if isinstance(acknowledgement, Refused):
            self.count("refused")
            reason = " ".join(acknowledgement.reason.encode("ascii", "replace").decode().split())
            if "large" in reason.lower() or "size" in reason.lower():
                return f"552 5.3.4 {reason[:200]}"
            return f"554 5.7.1 {reason[:200]}"
        self.count("try_later")
        return _TRY_LATER

    async def handle_exception(self, error: Exception) -> str:
        """Answer a temporary failure: the sender keeps the mail and tries again."""
        self.count("failure")
        logger.error("mail door: %s in %s", type(error).__name__, _where(error))
        return _TRY_LATER


class SmtpSession(SMTP):
    """One connection.

    Args:
        door: whose limits hold and who answers.
        loop: the running event loop.
    """

    line_length_limit = _CHUNK

    def __init__(self, door: MailDoor, loop: asyncio.AbstractEventLoop) -> None:
        limits = door.limits
        super().__init__(
            door,
            data_size_limit=limits.max_size,
            enable_SMTPUTF8=True,
            hostname=door.hostname,
            ident="ESMTP",
            tls_context=door.tls,
            timeout=limits.command_timeout_seconds,
            command_call_limit={"*": limits.command_limit, "RCPT": limits.command_limit * 10},
            loop=loop,
        )
        self.busy = False
        self._door = door
        self._peer: str | None = None
        self._refused = False

    # Connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn the connection away when there are too many; STARTTLS comes here a second time."""
        if self._peer is None:
            peer = _host(transport.get_extra_info("peername"))
            if not self._door.connections.enter(peer):
                self._refused = True
                self._door.count("refused_connection")
                if isinstance(transport, asyncio.WriteTransport):
                    transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
                    transport.close()
                return
            self._peer = peer
            self._door.sessions.add(self)
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
        if self.session is not None and self._handler_coroutine is not None:
            super().connection_lost(error)

    def hang_up(self, farewell: str) -> None:
        """Say why, and close."""
        transport = self.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            if farewell:
                transport.write(farewell.encode("ascii") + b"\r\n")
            transport.close()

    def _timeout_cb(self) -> None:
        self.hang_up("421 4.4.2 Timeout, closing")

    # Commands

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read the path of MAIL and RCPT: the common form at once, others by the library."""
        match = _PATH.match(arg) if arg else None
        if match is not None:
            return match[1] or "<>", arg[match.end() :]
        address, rest = super()._getaddr(arg)
        return address, rest

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd names it so
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
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            self._reset_timeout(self._door.limits.data_timeout_seconds)
            content = await self._read_data()
            self._reset_timeout(self._door.limits.answer_timeout_seconds + 30.0)
            if content is None:
                self._door.count("too_large")
                status = "552 5.3.4 The mail is too large"
            else:
                envelope.content = envelope.original_content = content
                status = await self._call_handler_hook("DATA")
        finally:
            self._set_post_data_state()  # type: ignore[no-untyped-call]
            self.busy = False
        self._reset_timeout()
        await self.push(status)

    async def _read_data(self) -> bytes | None:
        """The mail without its dot-stuffing (RFC 5321, 4.5.2); ``None`` when it is too large."""
        reader = self._reader
        limit = self._door.limits.max_size
        # The line end before the mail counts for the end mark: an empty mail is ".\r\n" alone.
        data = bytearray(b"\r\n")
        while data.endswith((b"\r\n", b"\r\n.", b"\r\n.\r", b"\r")) and len(data) < _CHUNK:
            data += await reader.readexactly(1)
            if data.endswith(_END_OF_DATA):
                return self._unstuffed(data)
        size = len(data)
        while True:
            try:
                chunk = await reader.readuntil(_END_OF_DATA)
                ended = True
            except asyncio.LimitOverrunError as overrun:
                chunk = await reader.readexactly(overrun.consumed)
                ended = False
            size += len(chunk)
            if size > limit + 5:
                data.clear()  # drained without being kept: the answer comes after the end mark
            else:
                data += chunk
            if ended:
                return self._unstuffed(data) if data else None

    @staticmethod
    def _unstuffed(data: bytearray) -> bytes:
        content = bytes(memoryview(data)[: len(data) - 3])
        if b"\r\n." in content:
            content = content.replace(b"\r\n.", b"\r\n")
        return content[2:]


def _examine(
    raw: bytes, sender: str, recipients: tuple[str, ...]
) -> tuple[InboundMessage | None, str]:
    """Read a mail and make its key; the message is ``None`` when it cannot be read."""
    try:
        message = read(raw, envelope_from=sender, envelope_to=recipients)
    except MalformedMessage:
        return None, idempotency_key(raw, "", sender, "")
    date = message.date.isoformat() if message.date else ""
    return message, idempotency_key(raw, message.message_id, message.sender.value, date)


def _host(peer: Any) -> str:
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _where(error: Exception) -> str:
    """Where it was raised. Its words stay out of the log: they may quote the mail."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "unknown"
