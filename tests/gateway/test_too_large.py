# SPDX-License-Identifier: MIT
"""Who is told that a mail was too large to be fetched from the mailbox, and who is not."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from channels.channel import Delivery
from channels.mail.imap import envelope_sender
from channels.message import ChannelName
from config import country
from config.settings import Settings
from gateway import too_large
from gateway.wiring import notices_of
from tracker.database import open_engine
from tracker.migrations import upgrade
from tracker.models import outbox

MOROCCO = country.load("ma")
PERSON = "From: Amina <Amina@Example.org>\r\nMessage-ID: <one@example.org>\r\n"


@pytest.fixture
def told(database_url):
    """Tell the sender of a mail with this header; the entries that were put."""
    engine = open_engine(database_url)
    upgrade(engine)

    def tell(header: str, key: str = "email:1"):
        raw = f"{header}\r\n".encode()
        delivery = Delivery(
            channel=ChannelName.EMAIL,
            idempotency_key=key,
            received_at=datetime(2026, 5, 1, 10, tzinfo=UTC),
            peer="",
            headers={"envelope-from": envelope_sender(raw)},
            body=raw,
        )
        with engine.begin() as connection:
            too_large.tell(connection, delivery, MOROCCO)
            return connection.execute(select(outbox)).all()

    yield tell
    engine.dispose()


@pytest.mark.parametrize(
    ("subject", "language"),
    [
        ("Photos de la fuite devant la maison", "fr"),
        ("صور تسرب الماء أمام المنزل", "ar"),
        ("Pictures of the leak in front of the house", "en"),
    ],
)
def test_a_person_is_told_once_in_the_language_of_the_subject(told, subject, language):
    header = f"{PERSON}Subject: {subject}\r\n"
    told(header)
    (entry,) = told(header)

    assert (entry.recipient, entry.automatic, entry.case_id) == ("amina@example.org", True, None)
    assert entry.payload == {
        "notice": "too_large",
        "language": language,
        "in_reply_to": "one@example.org",
    }


@pytest.mark.parametrize(
    "header",
    [
        f"Return-Path: <>\r\n{PERSON}",
        f"{PERSON}Auto-Submitted: auto-replied\r\n",
        f"{PERSON}List-Id: <news.example.org>\r\n",
        f"{PERSON}Precedence: bulk\r\n",
        "From: <no-reply@example.org>\r\n",
        "From: MAILER-DAEMON@example.org\r\n",
        "Subject: from nobody\r\n",
        "From: not an address\r\n",
    ],
)
def test_machines_lists_and_nobody_are_told_nothing(told, header):
    assert told(f"{header}Subject: Photos de la fuite\r\n") == []


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_notice_says_how_to_get_a_code(language):
    settings = Settings(profile="demo", web={"public_base_url": "https://g.example"})
    notice = notices_of(settings, MOROCCO).compose(
        "too_large", "email", None, None, language=language
    )

    assert notice.language == language
    assert notice.subject
    assert {"ar": "رمز", "fr": "code de suivi", "en": "tracking code"}[language] in notice.text
