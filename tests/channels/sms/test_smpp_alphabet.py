# SPDX-License-Identifier: MIT
"""Alphabets, joining, and reading what no SMSC should send."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import MalformedMessage
from channels.sms.part import Part, join, read_part, read_pdus
from channels.sms.segments import BASIC, EXTENDED, Encoding, concatenated, length
from channels.sms.smpp_alphabet import Alphabet, decode, encode, octets
from channels.sms.smpp_pdu import (
    Buffer,
    FramingLost,
    MalformedPdu,
    Pdu,
    ShortMessage,
    read_short_message,
)
from guichet_testing.smsc_wire import concatenated as header
from guichet_testing.smsc_wire import deliver_body, pack

AT = datetime(2026, 11, 25, tzinfo=UTC)
GSM = "".join(sorted(BASIC | EXTENDED))
ARABIC = "الطريق مظلم منذ أسبوع 😀"


def part(number, total, data, *, data_coding=8):
    body = deliver_body(
        "212612345678",
        header(7, total, number) + data,
        esm_class=0x40,
        data_coding=data_coding,
    )
    (one,) = read_pdus(pack(5, number, body), smsc="operator", region="MA", received_at=AT)
    return one


@given(st.text(st.sampled_from(GSM)))
def test_septets_there_and_back(text):
    assert decode([octets(text, 0, Alphabet.GSM7)], 0, Alphabet.GSM7) == text


@given(st.text(), st.sampled_from(Alphabet), st.booleans())
def test_any_text_there_and_back(text, alphabet, little):
    data_coding, _ = encode(text, alphabet)
    sent = octets(text, data_coding, alphabet, little_endian=little)
    got = decode([sent], data_coding, alphabet, little_endian=little)
    kept = text.encode("utf-16", "replace").decode("utf-16").replace("\0", "")
    # A byte order mark at the beginning is taken for one.
    assert got in (kept, kept.removeprefix("\ufeff"), *([got] if text[:1] == "\ufffe" else []))


@given(st.text(min_size=1), st.integers(2, 153))
def test_concatenated_parts_are_the_text_and_fit(text, room):
    encoding = length(text).encoding
    pieces = concatenated(text, encoding, max(room, 40))
    assert "".join(pieces) == text
    for piece in pieces:
        units = len(piece.encode("utf-16-le", "surrogatepass")) // 2
        if encoding is Encoding.GSM7:
            units = sum(2 if one in EXTENDED else 1 for one in piece)
        assert units <= max(room, 40)


@pytest.mark.parametrize("size", [67, 66, 133, 7, 3])
def test_units_cut_between_two_parts(size):
    text = ARABIC * 12
    data = text.encode("utf-16-be")
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    parts = [part(number, len(pieces), piece) for number, piece in enumerate(pieces, 1)]
    message = join(parts, Alphabet.GSM7)
    assert len(parts) > 4
    assert message.text == text
    assert message.incomplete == ""
    assert message.message_id == parts[0].key
    assert message.fields["sender_kind"] == "tel"


def test_an_escape_cut_between_two_parts():
    data = octets("prix 5 € {x}", 0, Alphabet.GSM7)
    cut = data.index(0x1B) + 1
    parts = [part(1, 2, data[:cut], data_coding=0), part(2, 2, data[cut:], data_coding=0)]
    assert join(list(reversed(parts)), Alphabet.GSM7).text == "prix 5 € {x}"


@pytest.mark.parametrize("stray", ["after", "before", "zero after"])
@pytest.mark.parametrize("several", [False, True])
def test_a_stray_octet_does_not_put_a_text_out_of_step(stray, several):
    texts = ["الماء مقطوع عن الحي منذ ثلاثة أيام "] * (3 if several else 1)
    wrapped = {
        "after": lambda data: data + b"\x07",
        "before": lambda data: b"\x07" + data,
        "zero after": lambda data: data + b"\0",
    }[stray]
    pieces = [wrapped(text.encode("utf-16-be")) for text in texts]
    parts = [part(number, len(pieces), piece) for number, piece in enumerate(pieces, 1)]
    text = join(parts, Alphabet.GSM7).text
    assert text.replace("\ufffd", "") == "".join(texts)


@pytest.mark.parametrize(
    ("data", "data_coding", "alphabet", "text"),
    [
        (b"\x1b", 0, Alphabet.GSM7, " "),
        (b"\x1b\x1b", 0, Alphabet.GSM7, " "),
        (b"\x1bA", 0, Alphabet.GSM7, "A"),
        (b"\xe9t\xe9", 0, Alphabet.GSM7, "été"),
        (b"\xe9t\xe9", 0, Alphabet.LATIN1, "été"),
        (b"\xe9t\xe9", 0, Alphabet.ASCII, "été"),
        (b"\xe9t\xe9", 1, Alphabet.GSM7, "été"),
        (b"l\x92\xe9t\xe9 \x80", 3, Alphabet.GSM7, "l’été €"),
        ("سلام".encode("utf-16-le"), 8, Alphabet.GSM7, "\u3306\u4406\u2706\u4506"),
        (b"\xff\xfe" + "سلام".encode("utf-16-le"), 8, Alphabet.GSM7, "سلام"),
        (b"\xfe\xff" + "سلام".encode("utf-16-be"), 8, Alphabet.GSM7, "سلام"),
        ("سلام".encode("utf-16-be"), 0x18, Alphabet.GSM7, "سلام"),
        ("سلام".encode(), 4, Alphabet.GSM7, "سلام"),
        (b"\xe9t\xe9", 0xF5, Alphabet.GSM7, "été"),
        (b"\x05t\x05", 0xF1, Alphabet.GSM7, "été"),
        ("Привет".encode("iso8859-5"), 6, Alphabet.GSM7, "Привет"),
        (b"\0a\0\0\0b", 8, Alphabet.GSM7, "ab"),
        (b"", 8, Alphabet.GSM7, ""),
        (b"\0", 8, Alphabet.GSM7, ""),
    ],
)
def test_what_each_data_coding_says(data, data_coding, alphabet, text):
    assert decode([data], data_coding, alphabet) == text


def test_little_endian_as_a_setting():
    data = ARABIC.encode("utf-16-le")
    parts = [part(1, 2, data[:9]), part(2, 2, data[9:])]
    assert join(parts, Alphabet.GSM7, utf16_little_endian=True).text == ARABIC


def test_a_part_that_came_twice_with_other_words_is_added():
    parts = [part(1, 2, b"one ", data_coding=0), part(2, 2, b"two", data_coding=0)]
    parts.append(part(2, 2, b"three", data_coding=0))
    message = join(parts, Alphabet.GSM7)
    assert message.text == "one two\nthree"
    assert "came twice" in message.incomplete


def test_missing_parts_at_both_ends():
    message = join([part(2, 3, b"b", data_coding=0)], Alphabet.GSM7)
    assert message.text == "[part 1/3 missing]b[part 3/3 missing]"
    with pytest.raises(MalformedMessage):
        join([], Alphabet.GSM7)


def test_parts_of_a_kept_delivery_are_cut_apart_again():
    parts = [part(1, 2, b"one "), part(2, 2, b"two")]
    body = b"".join(one.pdu for one in parts)
    again = read_pdus(body, smsc="operator", region="MA", received_at=AT)
    assert again == parts
    for broken in (body[:-1], body + b"\0", pack(4, 1), pack(5, 1, b"x")):
        with pytest.raises(MalformedMessage):
            read_pdus(broken, smsc="operator", region="MA", received_at=AT)


def test_the_key_tells_apart_what_differs():
    one = part(1, 2, b"one")
    assert part(1, 2, b"one").key == one.key
    assert len(one.key) == 64
    others = [part(2, 2, b"one"), part(1, 3, b"one"), part(1, 2, b"two")]
    assert len({one.key, *(other.key for other in others)}) == 4
    pdu = Pdu(5, 0, 1, one.pdu)
    message = read_short_message(pdu)
    for changed in (
        replace(message, source="212612345679"),
        replace(message, destination="3738"),
    ):
        other = read_part(pdu, changed, smsc="operator", region="MA", received_at=AT)
        assert other.key != one.key


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(body):
    for command in (5, 0x103):
        pdu = Pdu(command, 0, 1, pack(command, 1, body))
        try:
            message = read_short_message(pdu)
        except MalformedPdu:
            continue
        one = read_part(pdu, message, smsc="operator", region="MA", received_at=AT)
        assert isinstance(one, Part)
        assert isinstance(join([one], Alphabet.GSM7).text, str)


@given(st.binary(max_size=160), st.integers(0, 255), st.integers(0, 255))
def test_any_words_are_joined(content, esm_class, data_coding):
    message = ShortMessage(1, "212612345678", 0, "3737", esm_class, data_coding, content)
    one = read_part(Pdu(5, 0, 1, b""), message, smsc="operator", region="MA", received_at=AT)
    assert 1 <= one.number <= one.total <= 255
    assert "\0" not in join([one], Alphabet.GSM7).text


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(1, 50))
def test_units_are_the_same_however_the_stream_is_cut(bodies, size):
    sent = [pack(5, number, body) for number, body in enumerate(bodies)]
    stream = b"".join(sent)
    buffer, got = Buffer(), []
    for at in range(0, len(stream), size):
        buffer.feed(stream[at : at + size])
        while (pdu := buffer.take()) is not None:
            got.append(pdu.raw)
    assert got == sent


@given(st.binary(max_size=400))
def test_any_stream_is_cut_or_ends(stream):
    buffer = Buffer()
    buffer.feed(stream)
    try:
        while buffer.take() is not None:
            pass
    except FramingLost:
        assert len(stream) >= 4
