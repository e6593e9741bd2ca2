# SPDX-License-Identifier: MIT
"""Machine or person: by header fields, then by words, and in doubt a person."""

import json

import pytest

from channels.mail.autoreply import auto_submitted
from guichet_testing.labelled_mail import automatic, kinds, ordinary, other_machines


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "no"),
        ({"subject": "Panne", "from": "a@b.example", "return-path": "<a@b.example>"}, "no"),
        ({"auto-submitted": "no"}, "no"),
        ({"auto-submitted": "Auto-Replied; x=y"}, "auto-replied"),
        ({"auto-submitted": "auto-generated"}, "auto-generated"),
        ({"auto-submitted": "auto-notified"}, "auto-generated"),
        ({"x-autoreply": "yes"}, "auto-replied"),
        ({"subject": "Réponse automatique : absence"}, "auto-replied"),
        ({"subject": "رد تلقائي: شكاية"}, "auto-replied"),
        ({"subject": "Automatic reply: x"}, "auto-replied"),
        # No reason to drop a complaint: a relay may have sent it on.
        ({"return-path": "<>"}, "bulk"),
        ({"content-type": "multipart/report; report-type=delivery-status"}, "bounce"),
        (
            {"content-type": "multipart/report; report-type=disposition-notification"},
            "auto-generated",
        ),
        ({"content-type": "multipart/report; report-type=feedback-report"}, "auto-generated"),
        ({"x-failed-recipients": "a@b.example"}, "bounce"),
        ({"from": "MAILER-DAEMON@x.example", "subject": "Undelivered Mail"}, "bounce"),
        ({"return-path": "<>", "subject": "Mail delivery failed: returning"}, "bounce"),
        # A person who complains about such a thing is a person.
        ({"from": "amina@x.example", "subject": "Mail delivery failed, why?"}, "no"),
        ({"precedence": "bulk"}, "bulk"),
        ({"precedence": "auto_reply"}, "auto-replied"),
        ({"list-unsubscribe": "<x>"}, "bulk"),
        ({"x-auto-response-suppress": "All"}, "bulk"),
        ({"x-auto-response-suppress": "None"}, "no"),
    ],
)
def test_kinds(headers, kind):
    assert auto_submitted({name: [value] for name, value in headers.items()}) == kind


DROPPED = ("bounce", "auto-replied", "auto-generated")


def test_automatic_answers_are_found():
    mails = automatic()
    missed = [m.name for m in mails if kinds(m.raw, m.envelope_from)[1] not in DROPPED]

    assert len(mails) >= 55
    assert len(missed) <= 0.05 * len(mails), missed


@pytest.mark.parametrize("way", [0, 1], ids=["fields", "text"])
def test_no_complaint_is_dropped(way):
    mails = ordinary()

    assert len(mails) >= 200
    assert [m.name for m in mails if kinds(m.raw, m.envelope_from)[way] in DROPPED] == []


def test_nearly_all_complaints_may_be_acknowledged():
    mails = [m for m in ordinary() if m.answerable]
    silent = [m.name for m in mails if kinds(m.raw, m.envelope_from)[1] != "no"]

    assert len(mails) >= 240
    assert len(silent) <= 0.02 * len(mails), silent


@pytest.mark.parametrize(
    ("verdict", "mail"),
    [(verdict, mail) for _, verdict, mail in other_machines()],
    ids=[mail.name for _, _, mail in other_machines()],
)
def test_other_machines_are_known_for_what_they_are(verdict, mail):
    assert kinds(mail.raw, mail.envelope_from)[1] == verdict


@pytest.mark.parametrize(
    ("headers", "text", "kind"),
    [
        ({"from": "case+482109375516.abcdefgh234567ab@other.example"}, "Bonjour.", "bulk"),
        ({"from": "a@b.example"}, "-- reply above this line --\n\nHello.", "bulk"),
        ({"from": "a@b.example"}, "\u2067الرد فوق هذا السطر\u2069\n\nشكرا", "bulk"),
        ({"from": "a@b.example"}, "Still broken.\n\n-- reply above this line --\nHello.", "no"),
        ({"from": "case+1@b.example"}, "Bonjour.", "no"),
    ],
)
def test_a_gateway_of_our_kind_is_not_answered(headers, text, kind):
    assert auto_submitted({name: [value] for name, value in headers.items()}, text) == kind


def test_public_set_of_machine_mail(corpora):
    folder = corpora / "machines"
    labels = json.loads((folder / "labels.json").read_text())
    bounces = [name for name, label in labels.items() if label == "bounce"]
    verdicts = [kinds((folder / name).read_bytes(), "x@example.org") for name in bounces]

    for way, least in ((0, 0.97), (1, 0.985)):
        assert sum(kind[way] == "bounce" for kind in verdicts) / len(bounces) >= least
