# SPDX-License-Identifier: MIT
"""The public form, read."""

from datetime import UTC, datetime

import pytest

from channels.message import AddressScheme, ChannelName
from channels.web.form import Limits, PostedFile, Reading, read

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def reading(files=(), *, limits=None, **fields: str) -> Reading:
    return read(
        {"kind": "complaint", "description": "الماء مقطوع", **fields},
        list(files),
        message_id="nonce",
        languages=("ar", "fr", "en"),
        language="ar",
        date=NOW,
        recipient="https://guichet.example/ar/complain",
        limits=limits,
        readable_phone=lambda text: text.startswith("06") and len(text) == 10,
    )


def test_reads_everything_a_person_typed():
    found = reading(
        [PostedFile("photo.jpg", "image/jpeg", b"jpeg")],
        kind="suggestion",
        description="  line one\r\nline two  ",
        location="سلا",
        name="Fatima",
        contact="fatima@example.org",
        language="fr",
    )
    message = found.message
    assert message is not None
    assert (message.message_id, message.channel, message.date) == ("nonce", ChannelName.WEB, NOW)
    assert message.text == "line one\nline two"
    assert (message.kind, message.language, message.fields) == (
        "suggestion",
        "fr",
        {"location": "سلا"},
    )
    assert message.sender.scheme is AddressScheme.MAILTO
    assert (message.sender.value, message.sender.display_name) == ("fatima@example.org", "Fatima")
    assert [(f.filename, f.content) for f in message.attachments] == [("photo.jpg", b"jpeg")]
    assert found.errors == {}


def test_a_person_may_stay_anonymous():
    message = reading().message
    assert message is not None
    assert message.sender.scheme is AddressScheme.ANONYMOUS
    assert not message.sender.replyable


def test_a_phone_number_is_kept_as_typed():
    message = reading(contact="0612345678").message
    assert message is not None
    assert (message.sender.scheme, message.sender.value) == (AddressScheme.TEL, "0612345678")


@pytest.mark.parametrize(
    "contact",
    ["12", "a@b", "a b@example.org", "@example.org", "a..b@example.org", "a@b@c.org", "سلام"],
)
def test_a_contact_that_reaches_nobody_is_told(contact):
    found = reading(contact=contact)
    assert found.message is None
    assert found.errors == {"contact": "unreadable"}
    assert found.kept["contact"] == contact


def test_errors_come_in_the_order_of_the_page_and_all_text_is_kept():
    found = reading(kind="", description=" ", contact="?", location="x" * 301, name="Ali")
    assert list(found.errors.items()) == [
        ("kind", "missing"),
        ("description", "missing"),
        ("location", "too_long"),
        ("contact", "unreadable"),
    ]
    assert found.kept["name"] == "Ali"


def test_limits_are_the_callers():
    limits = Limits(description=3, files=1, file_bytes=4)
    assert reading(limits=limits).errors == {"description": "too_long"}
    two = [PostedFile("a", "", b"1"), PostedFile("b", "", b"2")]
    assert reading(two, limits=Limits(files=1)).errors == {"files": "too_many"}
    assert reading(two, limits=Limits(file_bytes=1)).errors == {"files": "too_big"}


def test_an_empty_file_field_is_no_file():
    message = reading([PostedFile("", "application/octet-stream", b"")]).message
    assert message is not None
    assert message.attachments == ()


def test_an_unknown_language_or_broken_text_does_no_harm():
    message = reading(description="a\x00b\ud800c", language="xx").message
    assert message is not None
    assert message.text == "a\ufffdb\ufffdc"
    assert message.language == "ar"
