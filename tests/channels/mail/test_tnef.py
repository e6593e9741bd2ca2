# SPDX-License-Identifier: MIT
"""Outlook's winmail.dat: its files, its words, and what is none."""

import struct

import pytest

from channels.mail.mime import read
from channels.mail.rich_text import rich_words, unpack
from channels.mail.tnef import SIGNATURE, open_tnef


def attribute(level: int, name: int, content: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 0, len(content)) + content + b"\0\0"


def winmail(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\0\0" + b"".join(attributes)


FILE = (
    attribute(2, 0x9002, b"")
    + attribute(2, 0x8010, "صورة.txt".encode("cp1256") + b"\0")
    + attribute(2, 0x800F, b"content")
)
ARABIC_PAGE = attribute(1, 0x9007, struct.pack("<I", 1256))


def as_mail(content: bytes, words: str = "") -> bytes:
    head = b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    text = f"--b\r\nContent-Type: text/plain\r\n\r\n{words}\r\n".encode() if words else b""
    return (
        head + text + b"--b\r\nContent-Type: application/ms-tnef\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n" + content + b"\r\n--b--\r\n"
    )  # fmt: skip


def test_files_and_words_are_taken_out_and_the_whole_is_kept():
    content = winmail(ARABIC_PAGE, attribute(1, 0x800C, "ماء".encode("cp1256")), FILE)

    message = read(as_mail(content), envelope_from="", envelope_to=())

    assert message.text == "ماء"
    assert [file.filename for file in message.attachments] == ["winmail.dat", "صورة.txt"]
    assert message.attachments[0].content == content
    assert message.attachments[1].content == b"content"


def test_own_words_come_before_those_inside():
    content = winmail(attribute(1, 0x800C, b"Inside"), FILE)
    assert read(as_mail(content, "Outside"), envelope_from="", envelope_to=()).text == "Outside"


def test_rich_text_is_read():
    assert rich_words(rb"{\rtf1\ansi\ansicpg1256{\fonttbl{\f0 x;}}\'e3\'c7\'c1\par b}") == "ماء\nb"
    assert rich_words(rb"{\rtf1\ansi\u1605?\u1575?{\*\x y}}") == "ما"
    assert unpack(struct.pack("<II", 30, 5) + b"MELA" + b"\0" * 4 + b"hello") == b"hello"


@pytest.mark.parametrize("content", [b"", b"none", SIGNATURE[:3]])
def test_what_is_no_winmail_is_none(content):
    assert open_tnef(content) is None


def test_one_that_is_cut_off_says_so():
    found = open_tnef(winmail(FILE, attribute(1, 0x800C, b"x" * 50))[:-20])
    assert found is not None
    assert found.incomplete
    assert found.files == [("صورة.txt".encode("cp1256").decode("cp1256"), b"content")]


def test_public_sets_name_the_same_files(corpora):
    """Their lists also name a body, which here is text, and files that have no name."""
    wanted = found = 0
    for path in sorted((corpora / "mime" / "tnef").glob("*.tnef")):
        listed = [
            name
            for name in path.with_suffix(".list").read_text().splitlines()
            if name and name not in ("body.rtf", "body.html", "Untitled Attachment")
        ]
        message = read(
            b"From: a@b\r\nContent-Type: application/ms-tnef\r\n\r\n" + path.read_bytes(),
            envelope_from="",
            envelope_to=(),
        )
        names = [file.filename for file in message.attachments]
        wanted += len(listed)
        found += sum(name in names for name in listed)
    assert wanted > 20
    assert found == wanted
