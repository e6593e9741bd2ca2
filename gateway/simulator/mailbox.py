# SPDX-License-Identifier: MIT
"""Citizens' and administrations' mailboxes: an SMTP sink for our mail, and a pen to answer it.

Receiving is aiosmtpd (RFC 5321); writing is ``smtplib`` to the gateway's own SMTP door. Mail to a
local part that begins with ``bounce`` is refused with 550, with ``defer`` with 451, so that failure
can be seen too.
"""

from __future__ import annotations

import email
import smtplib
from email import policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller
from inscriptis import get_text

from gateway.simulator.state import Mail, State, new_sid

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from config.settings import Settings

MOST_BYTES = 40_000_000
SMTP_TIMEOUT = 20.0


class MailNotTaken(Exception):  # noqa: N818 - the name is the sentence
    """The gateway did not take the mail.

    Attributes:
        code: SMTP reply code, or 0 when nobody answered.
    """

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code

    @property
    def temporary(self) -> bool:
        """Whether a mail server would try again (RFC 5321, section 4.2.1)."""
        return self.code == 0 or 400 <= self.code < 500  # noqa: PLR2004 - the RFC's own digits


class Mailboxes:
    """All simulated mailboxes.

    Args:
        state: where mails are kept.
        settings: the gateway's SMTP door and mail domain.
        clock: the present time, aware UTC.
    """

    def __init__(self, state: State, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock

    @property
    def public_address(self) -> str:
        """Where citizens write to."""
        return f"{self._settings.mail.mailbox}@{self._settings.mail.domain}"

    def receive(self, recipient: str, raw: bytes) -> Mail:
        """Put a mail that came by SMTP into ``recipient``'s mailbox."""
        message = email.message_from_bytes(raw, policy=policy.default)
        return self._state.mails.put(
            Mail(
                sid=new_sid("ML"),
                mailbox=recipient.casefold(),
                outgoing=False,
                sender=_address(message, "From"),
                recipient=recipient,
                reply_to=_address(message, "Reply-To"),
                subject=str(message.get("Subject", "")),
                text=_body(message),
                message_id=str(message.get("Message-ID", "")).strip(),
                in_reply_to=str(message.get("In-Reply-To", "")).strip(),
                references=tuple(str(message.get("References", "")).split()),
                auto_submitted=str(message.get("Auto-Submitted", "")).strip(),
                at=self._clock(),
                attachments=tuple(
                    part.get_filename() or part.get_content_type()
                    for part in message.iter_attachments()
                ),
            )
        )

    def write(
        self, sender: str, subject: str, text: str, *, to: str = "", answers: Mail | None = None
    ) -> Mail:
        """Write a mail to the gateway.

        Args:
            sender: the writer's addr-spec.
            subject: the subject; empty in an answer: ``Re:`` and the answered one.
            text: the words.
            to: the recipient; empty: where the answered mail wants its answer, else our mailbox.
            answers: the mail that is answered; sets In-Reply-To and References (RFC 5322, 3.6.4).

        Raises:
            MailNotTaken: the gateway refused it, asked to try later, or did not answer.
        """
        now = self._clock()
        recipient = to or (answers.answer_to if answers else self.public_address)
        if answers and not subject:
            subject = answers.subject
            if not subject.casefold().startswith("re:"):
                subject = f"Re: {subject}"
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = sender
        message["To"] = recipient
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime(now)
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
        references: tuple[str, ...] = ()
        if answers and answers.message_id:
            references = (*answers.references, answers.message_id)
            message["In-Reply-To"] = answers.message_id
            message["References"] = " ".join(references)
        message.set_content(text)
        self._hand_over(message, sender, recipient)
        return self._state.mails.put(
            Mail(
                sid=new_sid("ML"),
                mailbox=sender.casefold(),
                outgoing=True,
                sender=sender,
                recipient=recipient,
                reply_to="",
                subject=str(message["Subject"]),
                text=text,
                message_id=str(message["Message-ID"]),
                in_reply_to=answers.message_id if answers else "",
                references=references,
                auto_submitted="",
                at=now,
            )
        )

    def _hand_over(self, message: EmailMessage, sender: str, recipient: str) -> None:
        door = self._settings.smtp
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(door.host, door.host)  # noqa: S104
        try:
            with smtplib.SMTP(host, door.port, timeout=SMTP_TIMEOUT) as line:
                line.send_message(message, from_addr=sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise MailNotTaken(f"the gateway refused the recipient ({code})", code=code) from None
        except smtplib.SMTPResponseException as error:
            raise MailNotTaken(
                f"the gateway answered {error.smtp_code}", code=error.smtp_code
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotTaken(f"no answer: {type(error).__name__}") from None


def quoted(mail: Mail) -> str:
    """The mail's words as mail programs put them under an answer."""
    lines = "\n".join(f"> {line}" for line in mail.text.splitlines())
    return f"\n\n{mail.at:%Y-%m-%d %H:%M} {mail.sender}:\n{lines}\n"


class Sink:
    """The handler of the SMTP sink (aiosmtpd calls its ``handle_…`` methods)."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    async def handle_RCPT(
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take every recipient but those that are there to fail."""
        if address.casefold().startswith("bounce"):
            return "550 5.1.1 no such mailbox"
        if address.casefold().startswith("defer"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Put the mail into each recipient's mailbox."""
        raw = envelope.content
        content = raw if isinstance(raw, bytes) else (raw or "").encode()
        for recipient in envelope.rcpt_tos:
            self._mailboxes.receive(recipient, content)
        return "250 2.0.0 taken"


def sink_of(mailboxes: Mailboxes, host: str, port: int) -> Controller:
    """The SMTP sink, not yet started; ``start()`` and ``stop()`` are aiosmtpd's."""
    return Controller(Sink(mailboxes), hostname=host, port=port, data_size_limit=MOST_BYTES)


def _address(message: EmailMessage, name: str) -> str:
    header = message.get(name)
    if header is None:
        return ""
    if isinstance(header, AddressHeader) and header.addresses:
        return header.addresses[0].addr_spec
    return parseaddr(str(header))[1]


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    return str(get_text(content)) if part.get_content_subtype() == "html" else content
