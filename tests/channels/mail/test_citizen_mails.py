# SPDX-License-Identifier: MIT
"""Citizens' mails as their clients send them: read right, and never a word of theirs lost."""

import pytest

from channels.mail.mime import read
from channels.message import InboundMessage
from guichet_testing.citizen_mails import CITIZEN_MAILS, CitizenMail, judged

#: A share of one in twenty may be cut otherwise than a clerk would, as long as no word is lost.
EXACT_AT_LEAST = 0.95

each_mail = pytest.mark.parametrize("mail", CITIZEN_MAILS, ids=lambda mail: mail.name)


def opened(mail: CitizenMail) -> InboundMessage:
    return read(
        mail.raw, envelope_from=mail.envelope_from, envelope_to=("plaintes@guichet.example",)
    )


def test_the_set_is_large_and_every_name_stands_once():
    assert len(CITIZEN_MAILS) >= 160
    assert len({mail.name for mail in CITIZEN_MAILS}) == len(CITIZEN_MAILS)


@each_mail
def test_sender_subject_and_files_are_read_right(mail: CitizenMail):
    message = opened(mail)

    assert message.sender.value == mail.sender
    assert message.sender.display_name == mail.display_name
    assert message.subject == mail.subject
    assert [(one.filename, one.content) for one in message.attachments] == list(mail.attachments)


@each_mail
def test_no_word_is_lost(mail: CitizenMail):
    verdict = judged(mail, opened(mail))

    assert verdict.lost == ()
    assert verdict.lost_from_whole == ()


def test_the_new_text_is_a_clerks_in_nearly_all():
    inexact = [mail.name for mail in CITIZEN_MAILS if not judged(mail, opened(mail)).exact]

    assert len(inexact) <= (1 - EXACT_AT_LEAST) * len(CITIZEN_MAILS), inexact
