# SPDX-License-Identifier: MIT
"""Texts of ours through an SMSC, over real TCP."""

import random
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from channels.errors import DeliveryError, Rejected, Throttled, Uncertain, Unreachable
from channels.message import Address, AddressScheme
from channels.sms.part import Outgoing
from channels.sms.smpp_alphabet import Alphabet
from channels.sms.smpp_receipt import IdForm, MessageIds
from channels.sms.smpp_telling import Telling
from channels.sms.smpp_window import Window
from guichet_testing.smsc import Behaviour, running
from guichet_testing.smsc_esme import (
    MemoryOutbox,
    MemoryStore,
    account_at,
    door_running,
    text_of_ours,
)

LONG_ARABIC = "تم تسجيل شكايتكم وإحالتها على المصلحة المختصة. 😀 " * 6
LONG_FRENCH = "Votre réclamation est enregistrée et transmise à l'administration {code} € " * 4
CODE = "رمزكم 4821-0935-7716 احتفظوا به."


def read_on_a_phone(submits):
    """What phones show: texts joined by reference, as a handset does."""
    held: dict = defaultdict(dict)
    for submit in submits:
        words = submit.short_message
        place = (0, 1, 1)
        if submit.esm_class & 0x40:
            header, words = words[: words[0] + 1], words[words[0] + 1 :]
            wide = header[1] == 8
            reference = int.from_bytes(header[3:5], "big") if wide else header[3]
            place = (reference, *header[-2:])
            room = 140 - len(header)
            assert len(words) <= (room if submit.data_coding == 8 else room * 8 // 7)
        else:
            assert len(words) <= (140 if submit.data_coding == 8 else 160)
        held[submit.destination, place[:2]][place[2]] = (submit.data_coding, words)
    texts = []
    for (_, (_, total)), parts in held.items():
        assert sorted(parts) == list(range(1, total + 1))
        pieces = []
        for _, (data_coding, words) in sorted(parts.items()):
            # Each part must be whole characters: a phone may show it alone.
            pieces.append(words.decode("utf-16-be") if data_coding == 8 else septets(words))
        texts.append("".join(pieces))
    return texts


def septets(words):
    """Enough of TS 23.038 for the French texts of this test."""
    assert not words.endswith(b"\x1b")
    table = {0x00: "@", 0x05: "é", 0x7F: "à", 0x04: "è", 0x27: "'"}
    extended = {0x28: "{", 0x29: "}", 0x65: "€"}
    text, escaped = "", False
    for octet in words:
        if octet == 0x1B:
            escaped = True
            continue
        text += extended[octet] if escaped else table.get(octet, chr(octet))
        escaped = False
    return text


def sent(outbox, behaviours, texts, store=None, **changes):
    """Send texts until all of them are told about; returns the SMSC and the events."""
    outbox.waiting.extend(texts)
    entries = {text.entry_id for text in texts}
    with (
        running(*behaviours) as smsc,
        door_running(account_at(smsc.port, **changes), store, outbox) as esme,
    ):
        smsc.wait(lambda: entries <= {entry for entry, _ in outbox.told})
        if store is not None:
            receipts = sum(one.status == 0 for one in smsc.ledger.submits)
            smsc.wait(lambda: len(store.receipts) >= receipts)
    return smsc, esme.events


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("text", "data_coding"),
    [
        (LONG_ARABIC, 8),
        (LONG_FRENCH, 0),
        ("x" * 160, 0),
        ("x" * 161, 0),
        ("ض" * 70, 8),
        ("ض" * 71, 8),
        ("x" * 151 + "{{{{" + "y" * 40, 0),
        ("ض" * 65 + "😀😀" + "ض" * 40, 8),
        ("ض" * 60 + CODE + "ض" * 60, 8),
    ],
)
def test_texts_arrive_as_they_were_written(text, data_coding, bits):
    outbox = MemoryOutbox()
    smsc, _ = sent(outbox, [Behaviour()], [text_of_ours("one", text)], reference_bits=bits)
    submits = smsc.ledger.submits
    assert read_on_a_phone(submits) == [text]
    assert {one.data_coding for one in submits} == {data_coding}
    assert {one.registered_delivery for one in submits} == {1}
    assert {(one.source, one.source_ton) for one in submits} == {("3737", 0)}
    assert {(one.destination, one.destination_ton) for one in submits} == {("212612345678", 1)}
    assert outbox.told == [("one", tuple(one.message_id for one in submits))]


def test_a_code_is_never_cut():
    outbox = MemoryOutbox()
    code = "4821-0935-7716"
    texts = [text_of_ours(str(lead), "ض" * lead + code + "ض" * 70) for lead in range(45, 68)]
    smsc, _ = sent(outbox, [Behaviour()], texts)
    whole = sum(code in one.short_message[6:].decode("utf-16-be") for one in smsc.ledger.submits)
    assert whole == len(texts)


def test_references_to_one_number_do_not_come_back_soon():
    outbox = MemoryOutbox()
    texts = [text_of_ours(str(number), "x" * 161) for number in range(200)]
    smsc, _ = sent(outbox, [Behaviour()], texts)
    references = Counter(one.short_message[3] for one in smsc.ledger.submits)
    assert len(references) == 200
    assert set(references.values()) == {2}


@pytest.mark.parametrize("status", [0x58, 0x14])
def test_a_throttled_segment_waits_and_goes_again(status):
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda number: status if number % 3 else 0)
    texts = [text_of_ours(str(number), LONG_FRENCH) for number in range(3)]
    smsc, events = sent(outbox, [behaviour], texts)
    accepted = [one for one in smsc.ledger.submits if one.status == 0]
    assert sorted(read_on_a_phone(accepted)) == [LONG_FRENCH] * 3
    assert {said for _, said in outbox.words()} == {"submitted"}
    assert events["throttled"] == sum(one.status != 0 for one in smsc.ledger.submits)


def test_a_text_of_one_segment_that_is_throttled_is_not_told_as_failed():
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda number: 0x58 if number <= 3 else 0)
    smsc, _ = sent(outbox, [behaviour], [text_of_ours("one", "x")])
    assert outbox.told == [("one", ("1",))]
    assert [one.status for one in smsc.ledger.submits] == [0x58] * 3 + [0]


def test_a_text_that_is_throttled_for_too_long_is_given_back():
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda _: 0x58)
    sent(outbox, [behaviour], [text_of_ours("one", "x")], hold_seconds=0.2)
    ((_, error),) = outbox.told
    assert isinstance(error, Throttled)
    assert error.retry_after == 0.05


@pytest.mark.parametrize(
    ("status", "leaf", "retryable"),
    [
        (0x0B, Rejected, False),
        (0x0A, Rejected, False),
        (0x08, Unreachable, True),
        (0x45, Unreachable, True),
        (0x64, Unreachable, True),
        (0x66, Rejected, False),
        (0x412, Unreachable, True),
        (0x99, Rejected, False),
    ],
)
def test_a_refusal_is_told_by_its_leaf(status, leaf, retryable):
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda number: status if number == 1 else 0)
    texts = [text_of_ours("refused", "x"), text_of_ours("after", "y")]
    sent(outbox, [behaviour], texts, window=1)
    (_, error), after = outbox.told
    assert type(error) is leaf
    assert isinstance(error, DeliveryError)
    assert (error.retryable, error.code) == (retryable, f"0x{status:02X}")
    assert "212612345678" not in str(error)
    assert after == ("after", ("1",))


def test_a_final_refusal_of_one_segment_is_told_once():
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda number: 0x0B if number == 2 else 0)
    sent(outbox, [behaviour], [text_of_ours("one", LONG_ARABIC), text_of_ours("two", "x")])
    assert sorted(outbox.words()) == [("one", "Rejected"), ("two", "submitted")]


def test_a_passing_error_of_one_segment_repeats_that_segment_only():
    outbox = MemoryOutbox()
    behaviour = Behaviour(submit_status=lambda number: 0x08 if number == 2 else 0)
    smsc, _ = sent(outbox, [behaviour], [text_of_ours("one", LONG_ARABIC)])
    accepted = [one for one in smsc.ledger.submits if one.status == 0]
    assert len(smsc.ledger.submits) == len(accepted) + 1
    assert read_on_a_phone(accepted) == [LONG_ARABIC]
    assert outbox.words() == [("one", "submitted")]


@pytest.mark.parametrize("fault", ["silent", "drops"])
def test_a_segment_without_an_answer_makes_the_text_uncertain_and_it_is_not_sent_again(fault):
    outbox = MemoryOutbox()
    if fault == "silent":
        first = Behaviour(submit_status=lambda number: None if number == 2 else 0)
    else:
        first = Behaviour(drop_at_submit=2)
    texts = [text_of_ours("one", LONG_ARABIC), text_of_ours("two", "x")]
    smsc, events = sent(outbox, [first, Behaviour()], texts, response_timeout_seconds=0.4, window=2)
    assert sorted(outbox.words()) == [("one", "Uncertain"), ("two", "submitted")]
    seen = Counter(one.short_message for one in smsc.ledger.submits)
    assert set(seen.values()) == {1}
    assert events["submit_unanswered"] >= 1


def test_an_answer_that_comes_after_all_corrects_an_uncertain():
    outbox = MemoryOutbox()
    outbox.waiting.append(text_of_ours("one", "x"))
    behaviour = Behaviour(submit_late_by=0.6)
    with (
        running(behaviour) as smsc,
        door_running(account_at(smsc.port, response_timeout_seconds=0.2), None, outbox) as esme,
    ):
        smsc.wait(lambda: len(outbox.told) == 2)
        assert esme.events["response_late"] == 1
    assert outbox.words() == [("one", "Uncertain"), ("one", "submitted")]


def test_what_the_house_could_not_be_told_is_told_again():
    outbox = MemoryOutbox(failures=2)
    _, events = sent(outbox, [Behaviour()], [text_of_ours("one", "x")])
    assert outbox.told == [("one", ("1",))]
    assert events["house_failed"] == 2


@pytest.mark.parametrize("receipts", ["late", "early", "twice"])
@pytest.mark.parametrize("by", ["text", "tlv"])
def test_receipts_bear_the_ids_that_were_submitted(receipts, by):
    outbox, store = MemoryOutbox(), MemoryStore()
    behaviour = Behaviour(
        receipts=receipts,
        receipt_by=by,
        response_id=lambda number: f"{number + 0xAB00:08X}",
        receipt_id=(lambda number: f"{number + 0xAB00:08x}")
        if by == "tlv"
        else (lambda number: f"{number + 0xAB00:012}"),
    )
    ids = MessageIds(IdForm.HEX, IdForm.DECIMAL)
    texts = [text_of_ours(str(number), LONG_ARABIC) for number in range(3)]
    sent(outbox, [behaviour], texts, store, ids=ids)
    submitted = [one for _, said in outbox.told if isinstance(said, tuple) for one in said]
    assert len(submitted) == len(set(submitted)) > 9
    assert {one.message_id for one in store.receipts} == set(submitted)
    assert not store.parts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (Outgoing("one", Address(AddressScheme.ALPHANUMERIC, "SUPPORT"), "", "x"), "recipient"),
        (text_of_ours("one", ""), "empty"),
        (text_of_ours("one", "ض" * 67 * 256), "length"),
        (Outgoing("one", Address(AddressScheme.TEL, "+212612345678"), "مكتب", "x"), "sender"),
    ],
)
def test_what_cannot_be_sent_is_rejected_and_stops_nothing(text, code):
    outbox = MemoryOutbox()
    sent(outbox, [Behaviour()], [text, text_of_ours("two", "x")])
    (_, error), after = outbox.told
    assert isinstance(error, Rejected)
    assert error.code == code
    assert after == ("two", ("1",))


@pytest.mark.parametrize(
    ("alphabet", "text", "data_coding", "octets"),
    [
        (Alphabet.LATIN1, "reçu", 8, "reçu".encode("utf-16-be")),
        (Alphabet.LATIN1, "été [1]", 0, "été [1]".encode("latin-1")),
        (Alphabet.LATIN1, "5 €", 8, "5 €".encode("utf-16-be")),
        (Alphabet.ASCII, "été", 8, "été".encode("utf-16-be")),
        (Alphabet.ASCII, "ete", 0, b"ete"),
        (Alphabet.GSM7, "@été_", 0, b"\x00\x05t\x05\x11"),
    ],
)
def test_the_operators_alphabet(alphabet, text, data_coding, octets):
    outbox = MemoryOutbox()
    texts = [text_of_ours("one", text)]
    smsc, _ = sent(outbox, [Behaviour()], texts, default_alphabet=alphabet)
    (submit,) = smsc.ledger.submits
    assert (submit.data_coding, submit.short_message) == (data_coding, octets)


def test_the_window_is_never_exceeded_and_the_pace_is_kept():
    outbox = MemoryOutbox()
    outbox.waiting.extend(text_of_ours(str(number), "x") for number in range(20))
    silent = Behaviour(submit_status=lambda _: None)
    with (
        running(silent) as smsc,
        door_running(account_at(smsc.port, window=3), None, outbox) as esme,
    ):
        smsc.wait(lambda: len(smsc.ledger.submits) == 3)
        smsc.queue(b"")  # answered when whatever lay before it was handled
        smsc.wait(lambda: bool(smsc.ledger.statuses))
        assert len(smsc.ledger.submits) == 3
        esme.end()
    words = Counter(said for _, said in outbox.words())
    assert words["Uncertain"] == 3
    assert set(words) == {"Uncertain", "Unreachable"}


def test_a_ring_is_heard_at_once():
    outbox = MemoryOutbox()
    with (
        running() as smsc,
        door_running(account_at(smsc.port, poll_seconds=3600.0), None, outbox) as esme,
    ):
        smsc.wait(lambda: esme.door.told == "bound")
        smsc.queue(b"")
        smsc.wait(lambda: bool(smsc.ledger.statuses))  # by now the outbox was found empty
        outbox.waiting.append(text_of_ours("one", "x"))
        esme.door.wake()
        smsc.wait(lambda: bool(outbox.told))
    esme.door.wake()  # also after its end


def test_texts_that_were_not_sent_outlive_the_connection():
    outbox = MemoryOutbox()
    drops = Behaviour(drop_at_submit=3)
    texts = [text_of_ours(str(number), "x") for number in range(12)]
    smsc, _ = sent(outbox, [drops, Behaviour()], texts, window=4)
    said = Counter(word for _, word in outbox.words())
    assert said["submitted"] + said["Uncertain"] == 12
    assert 1 <= said["Uncertain"] <= 4
    assert [one.connection for one in smsc.ledger.submits] == sorted(
        one.connection for one in smsc.ledger.submits
    )


def test_pace():
    """The moments are those of a clock that moves by itself: nothing is slept."""
    outbox = MemoryOutbox()
    outbox.waiting.extend(text_of_ours(str(number), "x") for number in range(50))
    account = account_at(1, window=100, throughput_per_second=10.0)
    window = Window(account, outbox, Telling(lambda _: None), lambda _: None, random.Random(1))
    moments = []
    for tick in range(3000):
        now = 100 + tick / 1000
        window.fill(now)
        while window.next_unit(now) is not None:
            moments.append(now)
    assert 29 <= len(moments) <= 31
    assert min(later - sooner for sooner, later in pairwise(moments)) >= 0.099


def test_uncertain_says_what_to_do_and_no_number():
    outbox = MemoryOutbox()
    sent(outbox, [Behaviour(drop_at_submit=1)], [text_of_ours("one", "x")])
    ((_, error),) = outbox.told
    assert isinstance(error, Uncertain)
    assert "212" not in str(error)
