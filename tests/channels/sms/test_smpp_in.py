# SPDX-License-Identifier: MIT
"""What an SMSC delivers, over real TCP, with the faults of real ones."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone

import pytest

from channels.message import AddressScheme, DeliveryStatus
from channels.sms.part import join
from channels.sms.smpp_alphabet import Alphabet
from channels.sms.smpp_receipt import IdForm, MessageIds
from guichet_testing.smsc import DATA_SM, DELIVER_SM, RAW_SEQUENCE, Behaviour, running
from guichet_testing.smsc_esme import MemoryStore, account_at, door_running
from guichet_testing.smsc_wire import (
    concatenated,
    data_body,
    deliver_body,
    pack,
    parts_of,
    tlv,
)

ARABIC = "الماء مقطوع عن الحي منذ ثلاثة أيام ولا أحد يجيب على الهاتف. " * 8
AMINA, BRAHIM = "212612345678", "212698765432"


def texts_of(store):
    """Every text, joined of what the store holds, by its sender."""
    held = defaultdict(list)
    for part in store.parts.values():
        held[part.source.value, part.reference_bits, part.reference, part.total].append(part)
    return sorted((sender, join(parts, Alphabet.GSM7).text) for (sender, *_), parts in held.items())


def settled(smsc, numbers):
    smsc.wait(lambda: set(numbers) <= smsc.ledger.acknowledged())


@pytest.mark.parametrize("dribble", [False, True], ids=["many at once", "byte by byte"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_long_arabic_text_out_of_order(bits, dribble):
    store = MemoryStore()
    bodies = parts_of(AMINA, ARABIC, reference=77, bits=bits)
    assert len(bodies) >= 7
    random.Random(3).shuffle(bodies)
    with running(Behaviour(dribble=dribble)) as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(*bodies))
    assert texts_of(store) == [("+" + AMINA, ARABIC)]
    assert {part.received_at.tzinfo for part in store.parts.values()} != {None}
    assert all(answers == [0] for answers in smsc.ledger.statuses.values())


def test_two_phones_with_the_same_reference():
    store = MemoryStore()
    one, two = ARABIC + "واحد", ARABIC + "اثنان"
    mixed = [
        body
        for pair in zip(
            parts_of(AMINA, one, reference=5), parts_of(BRAHIM, two, reference=5), strict=True
        )
        for body in pair
    ]
    with running() as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(*mixed))
    assert texts_of(store) == sorted([("+" + AMINA, one), ("+" + BRAHIM, two)])


def test_ten_parts_and_more_are_put_in_order_of_their_numbers():
    store = MemoryStore()
    text = "".join(f"{number:04}" for number in range(180))
    bodies = parts_of(AMINA, text, reference=300, bits=16)
    assert len(bodies) > 10
    with running() as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(*reversed(bodies)))
    assert texts_of(store) == [("+" + AMINA, text)]


def test_a_missing_part_is_marked_and_a_late_or_repeated_one_is_known():
    store = MemoryStore()
    bodies = parts_of(AMINA, "أ" * 67 + "ب" * 67 + "ج" * 10, reference=9)
    with running() as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(bodies[0], bodies[2], bodies[0]))
        message = join(list(store.parts.values()), Alphabet.GSM7)
        assert message.text == "أ" * 67 + "[part 2/3 missing]" + "ج" * 10
        assert message.incomplete == "[part 2/3 missing]"
        settled(smsc, smsc.queue(bodies[1]))
    assert len(store.parts) == 3
    assert texts_of(store) == [("+" + AMINA, "أ" * 67 + "ب" * 67 + "ج" * 10)]


def test_sar_parameters_payload_data_sm_and_unknown_parameters():
    store = MemoryStore()

    def sar(number):
        place = tlv(0x020C, b"\x01\x02") + tlv(0x020E, b"\x02") + tlv(0x020F, bytes((number,)))
        return tlv(0x1403, b"operator's own") + place

    long = "x" * 900
    with running() as smsc, door_running(account_at(smsc.port), store) as esme:
        settled(
            smsc,
            smsc.queue(
                deliver_body(AMINA, b"world", parameters=sar(2)),
                deliver_body(AMINA, b"hello ", parameters=sar(1)),
                deliver_body(BRAHIM, b"", parameters=tlv(0x0424, long.encode())),
                deliver_body("212600000001", b"cut", parameters=b"\x14\x05\x00\x20ab"),
            )
            + smsc.queue(data_body("212600000002", b"data"), command=DATA_SM),
        )
    assert texts_of(store) == [
        ("+212600000001", "cut"),
        ("+212600000002", "data"),
        ("+" + AMINA, "hello world"),
        ("+" + BRAHIM, long),
    ]
    (part, *_) = [part for part in store.parts.values() if part.total == 2]
    assert (part.reference, part.reference_bits) == (0x0102, 16)
    assert esme.events["damaged_parameters"] == 1


def test_what_one_read_holds_is_kept_together():
    store = MemoryStore()
    bodies = [deliver_body(AMINA, f"text {number}".encode()) for number in range(200)]
    with running(Behaviour(window=200)) as smsc:
        numbers = smsc.queue(*bodies)  # before the door: the first write holds all of them
        with door_running(account_at(smsc.port), store):
            settled(smsc, numbers)
    assert sum(store.batches) == 200
    assert max(store.batches) == 50
    assert len(store.batches) < 20


@pytest.mark.parametrize("fault", ["refuses", "raises"])
def test_what_is_not_stored_is_put_off_and_comes_again(fault):
    seen = set()

    def verdict(item):
        if item.user_data in seen:
            return True
        seen.add(item.user_data)
        if fault == "raises":
            raise OSError("no database")
        return False

    store = MemoryStore(verdict)
    with running() as smsc, door_running(account_at(smsc.port), store) as esme:
        numbers = smsc.queue(*[deliver_body(AMINA, b"%d" % number) for number in range(5)])
        settled(smsc, numbers)
        assert esme.events["put_off"] >= 5
    for number in numbers:
        *put_off, last = smsc.ledger.statuses[number]
        assert last == 0
        assert set(put_off) == {0x64}
    assert len(store.parts) == 5


@pytest.mark.parametrize(
    ("broken", "answer"),
    [
        (deliver_body(AMINA, b"abc")[:12], (0x80000005, 0x02)),
        (deliver_body(AMINA, b"abc")[:-1], (0x80000005, 0x01)),
        (b"", (0x80000005, 0x02)),
        (deliver_body("2" * 70, b"abc"), (0x80000005, 0x0A)),
    ],
    ids=["cut in an address", "cut in the words", "empty", "endless address"],
)
def test_a_malformed_unit_is_answered_and_the_next_one_read(broken, answer):
    store = MemoryStore()
    behaviour = Behaviour(raw=[pack(DELIVER_SM, RAW_SEQUENCE, broken)])
    with running(behaviour) as smsc, door_running(account_at(smsc.port), store) as esme:
        settled(smsc, smsc.queue(deliver_body(AMINA, b"after it")))
        assert smsc.ledger.answers == [(*answer, RAW_SEQUENCE)]
        assert esme.events["malformed"] == 1
        assert smsc.ledger.events.count("connected") == 1
    assert texts_of(store) == [("+" + AMINA, "after it")]


def test_an_unknown_command_is_refused_and_an_unknown_response_is_not():
    raw = [pack(0x0000_0777, RAW_SEQUENCE), pack(0x8000_0777, 99), pack(0x102, 98, b"\0" * 9)]
    with running(Behaviour(raw=raw)) as smsc, door_running(account_at(smsc.port)) as esme:
        settled(smsc, smsc.queue(deliver_body(AMINA, b"after it")))
        assert smsc.ledger.answers == [(0x80000000, 0x03, RAW_SEQUENCE)]
        assert esme.events["unknown_command"] == 1


def test_no_whole_unit_however_odd_ends_the_session():
    draw = random.Random(11)
    commands = [0, 4, 5, 9, 0xB, 0x15, 0x102, 0x103, 0x80000000, 0x80000004, 0x80000005, 0x80000009]
    odd = [
        pack(
            draw.choice([*commands, draw.getrandbits(31) | 0x400]),
            RAW_SEQUENCE + number,
            draw.randbytes(draw.choice([0, 1, 7, 40, 300])),
            draw.choice([0, 0x58, 0xFFFFFFFF]),
        )
        for number in range(400)
    ]
    odd += [
        pack(5, RAW_SEQUENCE, deliver_body(AMINA, draw.randbytes(90))[: at + 12])
        for at in range(99)
    ]
    store = MemoryStore()
    with (
        running(Behaviour(raw=odd)) as smsc,
        door_running(account_at(smsc.port), store) as esme,
    ):
        settled(smsc, smsc.queue(deliver_body(BRAHIM, b"after all of it")))
        assert smsc.ledger.events.count("connected") == 1
        assert esme.events["malformed"] > 50
        assert esme.events["unknown_command"] > 50
    for held in store.parts.values():
        join([held], Alphabet.GSM7)


@pytest.mark.parametrize("length", [0, 15, 65_537, 0xFFFFFFFF])
def test_a_length_out_of_bounds_ends_the_connection_not_the_door(length):
    lost = length.to_bytes(4, "big") + b"\0\0\0\x05" + bytes(8)
    store = MemoryStore()
    with (
        running(Behaviour(raw=[lost]), Behaviour()) as smsc,
        door_running(account_at(smsc.port), store) as esme,
    ):
        settled(smsc, smsc.queue(deliver_body(AMINA, b"kept there")))
        assert (0x80000000, 0x02, 0) in smsc.ledger.answers
        assert esme.events["framing_lost"] == 1
    assert texts_of(store) == [("+" + AMINA, "kept there")]


@pytest.mark.parametrize(
    ("end", "behaviour"),
    [
        ("unbind", Behaviour(window=4, unbind_after=7)),
        ("drop", Behaviour(window=4, drop_after=7)),
    ],
)
def test_every_connection_of_the_smsc_ends_and_nothing_is_lost_or_doubled(end, behaviour):
    store = MemoryStore()
    bodies = [deliver_body(AMINA, f"text {number}".encode()) for number in range(60)]
    with running(behaviour) as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(*bodies))
        assert smsc.ledger.events.count("connected") > 5
        assert ("unbind_resp" in smsc.ledger.events) == (end == "unbind")
    assert len(store.parts) == 60


@pytest.mark.parametrize(
    ("data", "data_coding", "habits", "text"),
    [
        (b"\x05t\x05 \x00 \x1be", 0, {}, "été @ €"),
        (b"\xe9t\xe9", 0, {"default_alphabet": Alphabet.LATIN1}, "été"),
        (b"re\xe7ue \x92", 3, {}, "reçue ’"),
        ("ماء 😀".encode("utf-16-be"), 8, {}, "ماء 😀"),
        ("ماء 😀".encode("utf-16-be") + b"\0", 8, {}, "ماء 😀"),
        ("ماء 😀".encode("utf-16-le"), 8, {"utf16_little_endian": True}, "ماء 😀"),
        ("ماء".encode("utf-16-be"), 0x18, {}, "ماء"),
    ],
)
def test_codings_and_habits_of_operators(data, data_coding, habits, text):
    store = MemoryStore()
    with running() as smsc, door_running(account_at(smsc.port, **habits), store):
        settled(smsc, smsc.queue(deliver_body(AMINA, data, data_coding=data_coding)))
    (part,) = store.parts.values()
    alphabet = habits.get("default_alphabet", Alphabet.GSM7)
    little = habits.get("utf16_little_endian", False)
    assert join([part], alphabet, utf16_little_endian=little).text == text


RECEIPT = (
    "id:{} sub:001 dlvrd:001 submit date:2611250429 done date:2611250430 stat:{} err:{} text:x"
)


@pytest.mark.parametrize(
    ("ids", "message_id", "expected"),
    [
        (MessageIds(), "00AbC9", "00abc9"),
        (MessageIds(strip_zeros=True), "00AbC9", "abc9"),
        (MessageIds(IdForm.HEX, IdForm.DECIMAL), "0000703710", "703710"),
        (MessageIds(IdForm.HEX, IdForm.HEX), "0xABCDE", "703710"),
        (MessageIds(IdForm.HEX, IdForm.DECIMAL), "not-a-number", "not-a-number"),
    ],
)
def test_receipts_by_text(ids, message_id, expected):
    store = MemoryStore()
    states = [
        ("DELIVRD", DeliveryStatus.DELIVERED),
        ("delivered", DeliveryStatus.DELIVERED),
        ("UNDELIV", DeliveryStatus.FAILED),
        ("EXPIRED", DeliveryStatus.FAILED),
        ("REJECTED", DeliveryStatus.FAILED),
        ("ENROUTE", DeliveryStatus.SENT),
        ("SOMETHING", DeliveryStatus.UNKNOWN),
    ]
    bodies = [
        deliver_body(AMINA, RECEIPT.format(message_id, stat, "034").encode(), esm_class=4)
        for stat, _ in states
    ]
    wide = RECEIPT.format(message_id, "DELIVRD", "034").encode("utf-16-be")
    bodies.append(deliver_body(AMINA, b"", esm_class=4, data_coding=8, parameters=tlv(0x424, wide)))
    with running() as smsc, door_running(account_at(smsc.port, ids=ids), store):
        settled(smsc, smsc.queue(*bodies))
    assert {one.message_id for one in store.receipts} == {expected}
    assert [one.delivery_status for one in store.receipts] == [
        *[status for _, status in states],
        DeliveryStatus.DELIVERED,
    ]
    assert all(one.detail.endswith(" 034") for one in store.receipts)
    assert all(one.at is None for one in store.receipts)
    assert not store.parts


def test_the_moment_of_a_receipt_where_the_zone_is_known():
    store = MemoryStore()
    body = deliver_body(AMINA, RECEIPT.format("1", "DELIVRD", "000").encode(), esm_class=4)
    odd = body.replace(b"done date:2611250430", b"done date:2613450430")
    zone = timezone(timedelta(hours=1))
    with running() as smsc, door_running(account_at(smsc.port, receipt_zone=zone), store):
        settled(smsc, smsc.queue(body, odd))
    assert [one.at for one in store.receipts] == [
        datetime(2026, 11, 25, 3, 30, tzinfo=UTC),
        None,
    ]


def test_receipts_by_parameters_and_words_marked_as_receipts_by_mistake():
    store = MemoryStore()
    named = tlv(0x001E, b"0ABC\0") + tlv(0x0427, b"\x05") + tlv(0x0423, b"\x03\x00\x22")
    with running() as smsc, door_running(account_at(smsc.port), store) as esme:
        settled(
            smsc,
            smsc.queue(
                deliver_body(AMINA, b"", esm_class=4, parameters=named),
                deliver_body(AMINA, b"id:77 stat:DELIVRD", parameters=named),
                deliver_body(AMINA, b"stat:DELIVRD", esm_class=4),
                deliver_body(AMINA, b"my street is dark", esm_class=4),
                deliver_body(AMINA, b"id:123 stat:DELIVRD I am a citizen"),
            ),
        )
        assert esme.events["receipt_without_id"] == 2
    assert [(one.message_id, one.detail) for one in store.receipts] == [("0abc", "UNDELIV 34")] * 2
    assert texts_of(store)[0][0] == "+" + AMINA
    assert {part.user_data for part in store.parts.values()} == {
        b"my street is dark",
        b"id:123 stat:DELIVRD I am a citizen",
    }


def test_senders():
    senders = [
        ("212612345678", 1, AddressScheme.TEL, "+212612345678"),
        ("+212612345678", 0, AddressScheme.TEL, "+212612345678"),
        ("00212612345678", 0, AddressScheme.TEL, "+212612345678"),
        ("00212612345678", 1, AddressScheme.TEL, "+212612345678"),
        ("0612345678", 2, AddressScheme.TEL, "+212612345678"),
        ("612345678", 2, AddressScheme.TEL, "+212612345678"),
        ("0612345678", 0, AddressScheme.TEL, "+212612345678"),
        ("33612345678", 0, AddressScheme.TEL, "+33612345678"),
        ("32665", 3, AddressScheme.SHORT_CODE, "32665"),
        ("SUPPORT", 5, AddressScheme.ALPHANUMERIC, "SUPPORT"),
        ("1234", 5, AddressScheme.ALPHANUMERIC, "1234"),
        ("", 0, AddressScheme.ANONYMOUS, ""),
    ]
    store = MemoryStore()
    bodies = [
        deliver_body(source, b"%d" % number, source_ton=ton)
        for number, (source, ton, _, _) in enumerate(senders)
    ]
    with running() as smsc, door_running(account_at(smsc.port), store):
        settled(smsc, smsc.queue(*bodies))
    found = {int(part.user_data): part.source for part in store.parts.values()}
    for number, (source, ton, scheme, value) in enumerate(senders):
        assert (found[number].scheme, found[number].value) == (scheme, value), (source, ton)


def test_a_header_with_other_elements_and_one_that_is_none():
    store = MemoryStore()
    ports = b"\x05\x04\x0b\x84\x0b\x84"
    both = bytes((len(ports) + 5,)) + ports + concatenated(8, 2, 1)[1:]
    with running() as smsc, door_running(account_at(smsc.port), store):
        settled(
            smsc,
            smsc.queue(
                deliver_body(AMINA, both + b"first ", esm_class=0x40),
                deliver_body(AMINA, concatenated(8, 2, 2) + b"second", esm_class=0x43),
                deliver_body(BRAHIM, b"\x7fno header", esm_class=0x40),
                deliver_body("212600000003", concatenated(8, 0, 0) + b"zero", esm_class=0x40),
                deliver_body("212600000004", concatenated(8, 2, 3) + b"above", esm_class=0x40),
            ),
        )
    assert texts_of(store) == [
        ("+212600000003", "zero"),
        ("+212600000004", "above"),
        ("+" + AMINA, "first second"),
        ("+" + BRAHIM, "\x7fno header".replace("\x7f", "à")),
    ]
