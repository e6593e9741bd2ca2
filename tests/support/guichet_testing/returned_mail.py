# SPDX-License-Identifier: MIT
"""Notices of mail systems about mail of ours: by RFC 3464, and in free text."""

from __future__ import annotations

from email import message_from_string
from email.message import EmailMessage, Message
from uuid import uuid4

DOMAIN = "g.example"
CITIZEN = "amina@mail.example"

REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mx.example>
Subject: Undelivered Mail Returned to Sender
Message-ID: <{own}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b0"

--b0
Content-Type: text/plain

<{citizen}> could not be reached.

--b0
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {citizen}
Action: {action}
Status: {status}

--b0
Content-Type: message/rfc822

From: complaints@{domain}
Subject: x
{named}
words

--b0--
"""


def report(message_id: str, *, action: str = "failed", status: str = "5.1.1") -> Message:
    """A notice by RFC 3464 of a mail of this Message-ID, or of one whose id got lost."""
    named = f"Message-ID: <{message_id}>\n" if message_id else ""
    return message_from_string(
        REPORT.format(
            own=uuid4(), citizen=CITIZEN, action=action, status=status, domain=DOMAIN, named=named
        )
    )


def free_text(message_id: str, words: str = "") -> EmailMessage:
    """A notice in qmail's manner."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "MAILER-DAEMON@mx.example", "failure notice"
    mail["Message-ID"] = f"<{uuid4()}@mx.example>"
    named = f"Message-ID: <{message_id}>\n" if message_id else ""
    mail.set_content(
        words
        or "Hi. This is the qmail-send program at mx.example.\n"
        f"I'm afraid I wasn't able to deliver your message.\n\n<{CITIZEN}>:\nno mailbox\n\n"
        f"--- Below this line is a copy of the message.\n\n{named}Subject: x\n"
    )
    return mail
