# SPDX-License-Identifier: MIT
"""Mail out: submission to a relay (RFC 6409) over one connection that is kept between mails.

A time-out or a lost connection after the final dot is ``Uncertain``: the relay may have the mail.
Anything before that dot is safe to repeat.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from channels.errors import DeliveryError, Rejected, Throttled, Uncertain, Unreachable
from channels.mail.html_page import html_page
from channels.message import ChannelName, DeliveryStatus, OutboundMessage, Receipt

# 7bit: the relay need not offer 8BITMIME. SMTP: CR or LF in a header field is an error.
_POLICY = policy.SMTP.clone(cte_type="7bit")
_SLOWER = (421, 450, 451, 452)


class RelayChannel:
    """Sends mail through one relay.

    Args:
        host: the relay.
        port: 587 (starttls), 465 (implicit) or another.
        user: name for AUTH; empty: no AUTH.
        password: its password.
        tls: ``none``, ``starttls`` (refused clear text when the relay lacks it) or ``implicit``.
        sender: From of our mail and envelope sender where a mail has no thread address.
        timeout_seconds: for connecting and for each answer.
        hostname: our name in EHLO and in Message-IDs.
        sender_name: the name beside ``sender``, or ``""``.
        clock: the present time, aware UTC.
        tls_context: trusts what it trusts; ``None``: the system's certificates.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str = "",
        password: str = "",
        tls: Literal["none", "starttls", "implicit"] = "starttls",
        sender: str,
        timeout_seconds: float = 20.0,
        hostname: str = "localhost",
        sender_name: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._tls = tls
        self._sender = sender
        self._sender_name = sender_name
        self._timeout = timeout_seconds
        self._hostname = hostname
        self._clock = clock
        self._tls_context = tls_context
        self._connection: smtplib.SMTP | None = None
        self._turn = threading.Lock()

    @property
    def name(self) -> ChannelName:
        """Mail."""
        return ChannelName.EMAIL

    def send(self, message: OutboundMessage) -> Receipt:
        """Hand one mail to the relay.

        Returns:
            the Message-ID and ``sent``: the relay has it; whether it arrives is told by bounces.

        Raises:
            Unreachable: the relay does not answer, refuses our sign-in, or says 4xx.
            Throttled: the relay asks for a slower pace (421, 450, 451, 452).
            Rejected: the relay refuses this mail for good (5xx), or it cannot be written.
            Uncertain: the relay fell silent after the final dot.
        """
        mail = self.compose(message)
        # A bounce must find its case: the thread address takes it. An acknowledgement that no
        # thread address can take has the null path (RFC 3834, section 3.3), so that none answers.
        path = message.reply_to
        if not path and message.auto_submitted == "no":
            path = self._sender
        with self._turn:
            connection = self._ready()
            try:
                self._transmit(connection, path, message.recipient.value, mail)
            except DeliveryError:
                if self._connection is not None and connection.sock is None:
                    self.close_quietly()
                raise
        return Receipt(str(mail["Message-ID"]).strip("<>"), DeliveryStatus.SENT)

    def compose(self, message: OutboundMessage) -> EmailMessage:
        """Write the mail of a message (RFC 5322): its words as plain text and as a page, in UTF-8.

        Raises:
            Rejected: a field holds a line break or no address; the mail can never be sent.
        """
        mail = EmailMessage(policy=_POLICY)
        try:
            mail["From"] = _mailbox(message.sender or self._sender, self._sender_name)
            mail["To"] = _mailbox(message.recipient.value, message.recipient.display_name)
            mail["Subject"] = message.subject
            mail["Date"] = format_datetime(self._clock())
            identifier = message.message_id or f"{message.idempotency_key}@{self._hostname}"
            mail["Message-ID"] = f"<{identifier}>"
            if message.in_reply_to:
                mail["In-Reply-To"] = f"<{message.in_reply_to}>"
            thread = message.references or ((message.in_reply_to,) if message.in_reply_to else ())
            if thread:
                mail["References"] = " ".join(f"<{one}>" for one in thread)
            if message.reply_to:
                mail["Reply-To"] = _mailbox(message.reply_to, "")
            if message.auto_submitted != "no":
                mail["Auto-Submitted"] = message.auto_submitted
            mail.set_content(message.text, charset="utf-8")
            page = html_page(message.text, message.language)
            mail.add_alternative(page, subtype="html", charset="utf-8")
            for file in message.attachments:
                maintype, _, subtype = file.media_type.partition("/")
                if maintype in ("message", "multipart") or not subtype:
                    # Such parts may not be encoded (RFC 2046, 5.2.1); as bytes they may.
                    maintype, subtype = "application", "octet-stream"
                mail.add_attachment(
                    file.content,
                    maintype=maintype,
                    subtype=subtype,
                    filename=file.filename or None,
                )
            if message.language:  # last: what is added moves such fields into its first part
                mail["Content-Language"] = message.language
        except (ValueError, IndexError, UnicodeError) as error:
            raise Rejected("the mail cannot be written: a field is not valid") from error
        return mail

    def close(self) -> None:
        """End the connection; the next mail opens another."""
        with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    connection.quit()
                except (OSError, smtplib.SMTPException):
                    connection.close()

    def close_quietly(self) -> None:
        """Drop the connection without a word."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> smtplib.SMTP:
        """The kept connection when RSET still works on it, else a new one."""
        if self._connection is not None:
            try:
                code, _ = self._connection.rset()
            except (OSError, smtplib.SMTPException):
                code = -1
            if code == 250:  # noqa: PLR2004 - RFC 5321: requested action okay
                return self._connection
            self.close_quietly()
        self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        connection: smtplib.SMTP | None = None
        try:
            context = self._tls_context or ssl.create_default_context()
            if self._tls == "implicit":
                connection = smtplib.SMTP_SSL(
                    self._host,
                    self._port,
                    local_hostname=self._hostname,
                    timeout=self._timeout,
                    context=context,
                )
            else:
                connection = smtplib.SMTP(
                    self._host, self._port, local_hostname=self._hostname, timeout=self._timeout
                )
            connection.ehlo_or_helo_if_needed()
            if self._tls == "starttls":
                # Raises SMTPNotSupportedError where the relay lacks it: never clear text instead.
                connection.starttls(context=context)
                connection.ehlo()
            if self._user:
                connection.login(self._user, self._password)
        except smtplib.SMTPResponseException as error:
            # Also a refused sign-in: it is our own setting's fault, not this mail's.
            _drop(connection)
            raise _refusal(error.smtp_code, greeting=True) from error
        except (OSError, smtplib.SMTPException) as error:
            _drop(connection)
            raise Unreachable(
                f"the mail relay does not answer or lacks TLS: {type(error).__name__}"
            ) from error
        return connection

    def _transmit(
        self, connection: smtplib.SMTP, path: str, recipient: str, mail: EmailMessage
    ) -> None:
        options: list[str] = []
        if not (path.isascii() and recipient.isascii()):
            if not connection.has_extn("smtputf8"):
                raise Rejected("the relay does not take addresses beyond ASCII", code="smtputf8")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
            content = mail.as_bytes(policy=policy.SMTPUTF8)
        else:
            content = mail.as_bytes(policy=_POLICY)
        try:
            _expect(connection.mail(path, options))
            _expect(connection.rcpt(recipient))
            _expect(connection.docmd("DATA"), wanted=354)
            # The final dot is the last thing written: when this fails, the relay has no mail.
            connection.send(_stuffed(content))
        except (OSError, smtplib.SMTPException) as error:
            self.close_quietly()
            raise Unreachable("the relay hung up before it had the mail") from error
        try:
            answer = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.close_quietly()
            raise Uncertain("the relay fell silent after it had the mail") from error
        _expect(answer)


def _expect(answer: tuple[int, bytes], *, wanted: int = 250) -> None:
    code = answer[0]
    if code == wanted or (wanted == 250 and code in (250, 251, 252)):  # noqa: PLR2004 - RFC 5321
        return
    raise _refusal(code)


def _refusal(code: int, *, greeting: bool = False) -> DeliveryError:
    text = str(code)
    if code in _SLOWER:
        return Throttled(f"the relay asks for a slower pace ({code})", code=text)
    if code >= 500 and not greeting:  # noqa: PLR2004 - RFC 5321, 4.2.1: permanent
        return Rejected(f"the relay refused this mail for good ({code})", code=text)
    return Unreachable(f"the relay cannot take mail now ({code})", code=text)


def _stuffed(content: bytes) -> bytes:
    """Dots doubled and the end mark (RFC 5321, 4.5.2); ``content`` has CRLF line ends."""
    if content.startswith(b"."):
        content = b"." + content
    content = content.replace(b"\r\n.", b"\r\n..")
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _mailbox(address: str, name: str) -> HeaderAddress:
    shown = " ".join(name.split())
    return HeaderAddress(display_name=shown, addr_spec=address)


def _drop(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()
