# SPDX-License-Identifier: MIT
"""Machine or person: by header fields alone, and in doubt a person."""

import json

import pytest

from channels.mail.autoreply import auto_submitted
from channels.mail.mime import read


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
        ({"return-path": "<>"}, "auto-replied"),
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


def test_public_set_of_machine_mail(corpora):
    folder = corpora / "machines"
    labels = json.loads((folder / "labels.json").read_text())
    found = total = 0
    for name, label in labels.items():
        if label != "bounce":
            continue
        path = folder / name
        path = path if path.is_file() else folder / f"{name}.eml"
        total += 1
        message = read(path.read_bytes(), envelope_from="x@example.org", envelope_to=())
        found += message.auto_submitted == "bounce"

    assert found / total >= 0.95
