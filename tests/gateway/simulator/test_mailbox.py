# SPDX-License-Identifier: MIT
"""The SMTP sink by smtplib, and mails of a simulated citizen at a real SMTP door."""

import smtplib
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

from gateway.simulator.mailbox import MailNotTaken, quoted, sink_of


def our_mail(*, html=False):
    mail = EmailMessage()
    mail["From"] = "Guichet <complaints@guichet.test>"
    mail["To"] = "Amina <amina@citizen.localhost>"
    mail["Reply-To"] = "case+482109375512.abcdefghijklmnop@guichet.test"
    mail["Subject"] = "شكايتكم"
    mail["Message-ID"] = "<ack-1@guichet.test>"
    mail["References"] = "<first@citizen.localhost>"
    mail["Auto-Submitted"] = "auto-replied"
    if html:
        mail.set_content("<p>Bonjour&nbsp;<b>Amina</b></p>", subtype="html")
    else:
        mail.set_content("توصلنا بشكايتكم.\n")
        mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="a.pdf")
    return mail


@pytest.fixture
def sink(world, settings):
    sink = sink_of(world.mailboxes, "127.0.0.1", settings.simulator.smtp_port)
    sink.start()
    yield settings.simulator.smtp_port
    sink.stop(no_assert=True)


class Door:
    """An SMTP door in the gateway's place."""

    def __init__(self, reply="250 OK"):
        self.reply = reply
        self.came = []

    async def handle_DATA(self, server, session, envelope):
        self.came.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.reply


@pytest.fixture
def door(settings):
    door = Door()
    controller = Controller(door, hostname="127.0.0.1", port=settings.smtp.port)
    controller.start()
    yield door
    controller.stop()


def test_our_mail_lies_in_the_mailbox_readable(world, sink):
    with smtplib.SMTP("127.0.0.1", sink) as line:
        line.send_message(our_mail(), to_addrs=["Amina@citizen.localhost"])

    (mail,) = world.state.mailbox("amina@CITIZEN.localhost")
    assert (mail.subject, mail.text.strip()) == ("شكايتكم", "توصلنا بشكايتكم.")
    assert mail.sender == "complaints@guichet.test"
    assert mail.answer_to == "case+482109375512.abcdefghijklmnop@guichet.test"
    assert mail.auto_submitted == "auto-replied"
    assert mail.attachments == ("a.pdf",)


def test_a_mail_of_html_alone_is_read_as_text(world, sink):
    with smtplib.SMTP("127.0.0.1", sink) as line:
        line.send_message(our_mail(html=True))

    (mail,) = world.state.mailbox("amina@citizen.localhost")
    assert mail.text.replace("\xa0", " ").strip() == "Bonjour Amina"


@pytest.mark.parametrize(("mailbox", "code"), [("bounce-1@x.test", 550), ("defer-1@x.test", 451)])
def test_some_mailboxes_are_there_to_fail(sink, mailbox, code):
    with (
        smtplib.SMTP("127.0.0.1", sink) as line,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        line.send_message(our_mail(), to_addrs=[mailbox])

    assert refused.value.recipients[mailbox][0] == code


def test_a_citizen_writes_and_answers_in_the_thread(world, sink, door):
    world.mailboxes.write("amina@citizen.localhost", "مشكل", "لا ماء")
    with smtplib.SMTP("127.0.0.1", sink) as line:
        line.send_message(our_mail())
    ours = world.state.mailbox("amina@citizen.localhost")[-1]

    answer = world.mailboxes.write(
        "amina@citizen.localhost", "", "شكرا" + quoted(ours), answers=ours
    )

    assert door.came[0][:2] == ("amina@citizen.localhost", ["complaints@guichet.test"])
    assert door.came[1][1] == ["case+482109375512.abcdefghijklmnop@guichet.test"]
    assert b"In-Reply-To: <ack-1@guichet.test>" in door.came[1][2]
    assert b"References: <first@citizen.localhost> <ack-1@guichet.test>" in door.came[1][2]
    assert answer.subject == "Re: شكايتكم"
    assert "> توصلنا" in answer.text
    assert [m.outgoing for m in world.state.mailbox("amina@citizen.localhost")] == [
        True,
        False,
        True,
    ]


def test_a_mail_that_is_not_taken_is_told(world, door):
    door.reply = "451 try later"

    with pytest.raises(MailNotTaken) as told:
        world.mailboxes.write("amina@citizen.localhost", "s", "t")

    assert (told.value.code, told.value.temporary) == (451, True)
    assert world.state.mailbox("amina@citizen.localhost") == []


def test_no_door_is_told_too(world):
    with pytest.raises(MailNotTaken) as told:
        world.mailboxes.write("amina@citizen.localhost", "s", "t")

    assert told.value.temporary
