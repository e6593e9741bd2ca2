# SPDX-License-Identifier: MIT
"""The same mail has one key; another mail under the same Message-ID has another."""

import pytest

from channels.mail.key import idempotency_key

HEAD = b"From: amina@example.org\r\nSubject: Plainte\r\nMessage-ID: <1@example.org>\r\n"
MAIL = HEAD + b"\r\nLa rue est sombre\r\nReceived: nothing\r\n"


def key(raw: bytes, message_id="1@example.org", sender="amina@example.org", date="2026") -> str:
    return idempotency_key(raw, message_id, sender, date)


def test_its_form():
    assert len(key(MAIL)) == 103
    assert key(MAIL).startswith("email:")
    assert key(b"") != key(MAIL)


@pytest.mark.parametrize(
    "trace",
    [
        b"Received: from a by b\r\n",
        b"Received: from a\r\n\tby b;\r\n today\r\n",
        b"received : from a\r\n",
        b"Return-Path: <a@b>\r\nDelivered-To: c\r\n",
        b"X-Received: x\r\nX-Original-To: y\r\n",
        b"ARC-Seal: i=1;\r\n b=abc\r\nARC-Message-Signature: z\r\n",
        b"DKIM-Signature: v=1;\r\n b=abc\r\n",
        b"Authentication-Results: x; spf=pass\r\n",
    ],
)
def test_trace_fields_do_not_count(trace):
    assert key(trace + MAIL) == key(MAIL)
    assert key(HEAD + trace + MAIL[len(HEAD) :]) == key(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"sombre", b"sale"),
        MAIL.replace(b"Plainte", b"Rappel"),
        MAIL.replace(b"Received: nothing\r\n", b""),
        MAIL + b"\x00",
    ],
)
def test_other_words_count(other):
    assert key(other) != key(MAIL)


def test_another_person_date_or_id_counts():
    assert key(MAIL, sender="b@example.org") != key(MAIL)
    assert key(MAIL, sender="Amina@Example.org") == key(MAIL)
    assert key(MAIL, date="2027") != key(MAIL)
    assert key(MAIL, message_id="") != key(MAIL)
