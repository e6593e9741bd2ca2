# SPDX-License-Identifier: MIT
"""The mail door: an SMTP server (RFC 5321) that says 250 only after the commit.

aiosmtpd, with what it leaves open closed: limits on connections, recipients, commands and time; an
unforeseen error is 451 and never a permanent 500. Behind a mail server of one's own it speaks LMTP
(RFC 2033) instead, on a port or on a Unix socket.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import traceback
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from channels.channel import Accepted, Delivery, Refused
from channels.mail.charset import scrub
from channels.mail.examine import Examined, Facts, Reader, Source, examine
from channels.mail.limits import Connections, Limits
from channels.mail.smtp_session import TRY_LATER, LmtpSession, SmtpSession, host_of
from channels.message import ChannelName

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from concurrent.futures import Future
    from datetime import datetime

    from channels.channel import Acknowledgement, RecipientCheck
    from channels.mail.authenticity import Authenticator
    from channels.message import InboundMessage

logger = logging.getLogger(__name__)

#: A mail up to this many bytes is read by the reader or on the event loop; a larger one in a
#: thread.
INLINE_LIMIT = 200_000
_UNIX = "unix:"
_SOCKET_MODE = 0o660


class MailDoor:
    """Takes mail for our own addresses, and hands it to the house.

    Args:
        submit: hands over one delivery, what was read of it (``None``: unreadable, to be
            quarantined) and what the reader understood besides; its future is done only after
            the commit.
        is_ours: whether mail for an address is accepted; everything else is refused before DATA.
        clock: the present time, aware UTC.
        hostname: our name in the greeting.
        limits: how much is too much.
        tls: offers STARTTLS (RFC 3207) when given.
        count: told one word for each event worth a figure: ``refused_connection``,
            ``refused_recipient``, ``too_large``, ``too_much_at_once``, ``too_many_errors``,
            ``unreadable``, ``try_later``, ``failure``, ``tls_failed``, ``facts_failed``,
            ``accepted``.
        attempt: surrounds each reading and says whether the mail may be read at all.
        protocol: ``lmtp`` only for a mail server of one's own, never on port 25 (RFC 2033).
        authenticator: determines facts about the sender; ``None``: there are none.
        reader: reads mails of ordinary size elsewhere; ``None``: they are read on the event loop.
    """

    def __init__(
        self,
        *,
        submit: Callable[[Delivery, InboundMessage | None, Any], Future[Acknowledgement]],
        is_ours: RecipientCheck,
        clock: Callable[[], datetime],
        hostname: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        count: Callable[[str], None] = lambda _event: None,
        attempt: Callable[[bytes], AbstractContextManager[bool]] = lambda _raw: nullcontext(
            enter_result=True
        ),
        protocol: Literal["smtp", "lmtp"] = "smtp",
        authenticator: Authenticator | None = None,
        reader: Reader | None = None,
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
        self._reader = reader
        self._protocol = protocol
        self._facts = Facts(authenticator, count)
        self.connections = Connections(self.limits)
        self.bytes_held = 0
        self._server: asyncio.Server | None = None
        self._socket: Path | None = None

    # Opening and closing

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """Listen; ``port`` 0 takes a free one.

        Args:
            host: an address, or ``unix:/path`` of a socket, which owner and group may use.
            port: without meaning for a Unix socket.

        Returns:
            the address in force.

        Raises:
            OSError: the address is busy or not ours.
        """
        # aiosmtpd logs addresses and whole commands of citizens: its log stays off.
        logging.getLogger("mail.log").disabled = True
        loop = asyncio.get_running_loop()
        session = LmtpSession if self._protocol == "lmtp" else SmtpSession
        if host.startswith(_UNIX):
            self._socket = Path(host.removeprefix(_UNIX))
            self._server = await loop.create_unix_server(
                lambda: session(self, loop), sock=_listen(self._socket), backlog=256
            )
            await self._prepare()
            return host, 0
        self._server = await loop.create_server(
            lambda: session(self, loop), host, port, backlog=256
        )
        await self._prepare()
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def _prepare(self) -> None:
        if self._reader is not None:
            await self._reader.open()

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Take no more; let the mails on their way be answered; tell the others 421."""
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)
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
        self._facts.close()
        if self._reader is not None:
            await self._reader.close()

    # What aiosmtpd asks

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Offer no AUTH: this door takes mail for itself only."""
        session.host_name = hostname
        offered = [line for line in lines if not line.startswith("250-AUTH")]
        return [*offered[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", offered[-1]]

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
            return TRY_LATER
        sender = scrub(envelope.mail_from or "")
        sender = "" if sender == "<>" else sender
        recipients = tuple(scrub(address) for address in envelope.rcpt_tos)
        # Behind a mail server of one's own, neither its address nor its name is the sender's.
        direct = self._protocol == "smtp"
        peer = host_of(session.peer) if direct else ""
        helo = scrub(session.host_name or "")[:255] if direct else ""
        examined = await self._examined(raw, sender, recipients)
        message = examined.message
        if message is None:
            self.count("unreadable")
        else:
            source = Source(recipients, peer, helo, sender)
            message = await self._facts.added(raw, message, source)
        delivery = Delivery(
            channel=ChannelName.EMAIL,
            idempotency_key=examined.key,
            received_at=self._clock(),
            peer=peer,
            headers={
                "envelope-from": sender,
                "envelope-to": ", ".join(recipients),
                "helo": helo,
                "tls": "1" if session.ssl is not None else "",
            },
            body=raw,
        )
        future = self._submit(delivery, message, examined.understood)
        try:
            async with asyncio.timeout(self.limits.answer_timeout_seconds):
                acknowledgement = await _stored(future)
        except TimeoutError:
            self.count("try_later")
            return TRY_LATER
        return self._answer(acknowledgement)

    async def _examined(self, raw: bytes, sender: str, recipients: tuple[str, ...]) -> Examined:
        if len(raw) > INLINE_LIMIT:
            return await asyncio.to_thread(examine, raw, sender, recipients, self._attempt)
        if self._reader is None:
            return examine(raw, sender, recipients, self._attempt)
        return await self._reader.read(raw, sender, recipients)

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
        return TRY_LATER

    async def handle_exception(self, error: Exception) -> str:
        """Answer a temporary failure: the sender keeps the mail and tries again."""
        if isinstance(error, TLSSetupException):  # a peer that speaks no TLS is no fault of ours
            self.count("tls_failed")
            return "454 4.7.0 TLS not available now"
        self.count("failure")
        logger.error("mail door: %s in %s", type(error).__name__, _where(error))
        return TRY_LATER


def _stored(future: Future[Acknowledgement]) -> asyncio.Future[Acknowledgement]:
    """The acknowledgement on this loop.

    Not wrapped: a client that hangs up must not cancel what is on its way to the disk.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Acknowledgement] = loop.create_future()

    def tell() -> None:
        if not told.done():
            told.set_result(future.result())

    def call(_: object) -> None:
        with suppress(RuntimeError):  # the door has closed, and nobody waits
            loop.call_soon_threadsafe(tell)

    future.add_done_callback(call)
    return told


def _listen(path: Path) -> socket.socket:
    """A listening Unix socket. What a killed process left there goes away; a living one stays.

    Raises:
        OSError: another process listens there, or the folder is not ours.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                message = f"another process listens at {path}"
                raise OSError(message)
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), _SOCKET_MODE)  # so that it is never open to others
        listener.bind(str(path))
        path.chmod(_SOCKET_MODE)  # the umask may have taken the group's rights
    except OSError:
        listener.close()
        raise
    return listener


def _where(error: Exception) -> str:
    """Where it was raised. Its words stay out of the log: they may quote the mail."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "unknown"
