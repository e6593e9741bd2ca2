# SPDX-License-Identifier: MIT
"""Notices in free text count only from a sender that is no person."""

import pytest

from channels.mail.autoreply import auto_submitted
from channels.mail.bounce import free_text_action

LOST = [
    ("failure notice", "Hi. This is the qmail-send program at mx.example."),
    ("Mail", "This message was created automatically by mail delivery software."),
    ("Non remis : Votre plainte", "Échec de la remise à ces destinataires ou groupes :"),
    ("Courriel", "Votre message à accueil@ville.example n'a pas pu être remis."),
    ("DELIVERY FAILURE: User not listed", "Your message could not be delivered."),
    ("Message status - undeliverable", "The message was undeliverable to the following:"),
    ("تعذر التسليم: شكاية", "تعذر تسليم الرسالة إلى المستلم."),
]
LATE = [
    ("Warning: message 1abc delayed 24 hours", "A message has not yet been delivered to a@b."),
    ("Delayed Mail (still being retried)", "THIS IS A WARNING MESSAGE ONLY."),
    ("Remise retardée", "Votre message n'a pas encore été remis. Inutile de le renvoyer."),
]


def headers(**fields: str) -> dict[str, list[str]]:
    return {name.replace("_", "-"): [value] for name, value in fields.items()}


@pytest.mark.parametrize(("subject", "text"), [*LOST, *LATE])
@pytest.mark.parametrize(
    "sender",
    [{"return_path": "<>"}, {"from": "Mail Delivery System <MAILER-DAEMON@mx.example>"}],
    ids=["empty return path", "daemon"],
)
def test_free_text_bounce(subject, text, sender):
    assert auto_submitted(headers(subject=subject, **sender), text) == "bounce"


@pytest.mark.parametrize(("subject", "text"), [*LOST, *LATE])
def test_the_same_words_of_a_person_are_a_persons(subject, text):
    fields = headers(subject=subject, **{"from": "amina@mail.example"})

    assert auto_submitted(fields, text) == "no"


@pytest.mark.parametrize(
    ("notices", "action"), [(LOST, "failed"), (LATE, "delayed")], ids=["lost", "late"]
)
def test_late_is_not_lost(notices, action):
    assert {free_text_action(headers(subject=s), text) for s, text in notices} == {action}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"subject": "Lu : Votre dossier"}, "Votre message a été lu le 3 mai 2026."),
        ({"subject": "Read: Water"}, "Your message was read on Monday."),
        ({"from": "staff@hotmail.com", "subject": "complaint about message from 192.0.2.1"}, ""),
        (
            {"from": "noreply@filter.example", "subject": "Please confirm"},
            "To have your message delivered, please follow this link.",
        ),
        (
            {"return-path": "<>", "subject": "Demande"},
            "Votre message est en attente de validation.",
        ),
        ({"content-type": "multipart/report; report-type=disposition-notification"}, ""),
        ({"content-type": "multipart/report; report-type=feedback-report"}, ""),
    ],
)
def test_receipts_reports_and_challenges_are_machines_but_no_bounces(fields, text):
    assert auto_submitted(headers(**fields), text) == "auto-generated"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("complaint about message from the city", "The city sent me a wrong bill."),
        ("Lu : rien", "Personne ne lit mes lettres."),
        ("Please confirm", "To have your message delivered, please wait: that is all I was told."),
    ],
)
def test_a_person_who_sounds_like_a_report_is_a_person(subject, text):
    fields = headers(subject=subject, **{"from": "amina@mail.example"})

    assert auto_submitted(fields, text) == "no"
