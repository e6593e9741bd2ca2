# SPDX-License-Identifier: MIT
"""What people decide becomes a label, on both databases; the latest word about a case counts."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from normalizer.tracking_code import new_code
from tracker import answers, blind_checks, dividing, elsewhere, learning, register, transfers
from tracker.database import open_engine, reading
from tracker.identity import new_id
from tracker.learning import Suggestion
from tracker.models import (
    CaseStatus,
    LabelKind,
    attachments,
    attention,
    case_events,
    cases,
    messages,
    metadata,
    outbox,
    routing_labels,
    suggestions,
)
from tracker.models import transfers as transfers_table

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def fetched(connection, case_id):
    """The row of a case."""
    return connection.execute(select(cases).where(cases.c.id == case_id)).one()


class Record:
    """A database at the newest schema, with a clock that moves on with each deed."""

    def __init__(self, engine):
        self.engine = engine
        self.now = NOW

    def later(self):
        self.now += timedelta(minutes=1)
        return self.now

    def case(self, text="Pas d'eau depuis lundi", channel="sms"):
        case_id = new_id()
        with self.engine.begin() as connection:
            connection.execute(
                cases.insert().values(
                    id=case_id,
                    tracking_code=new_code("212"),
                    pin="123456",
                    kind="complaint",
                    channel=channel,
                    status="received",
                    language="fr",
                    subject="",
                    description=text,
                    contact_scheme="tel",
                    contact_value="+212612345678",
                    contact_confirmed=True,
                    requested_datetime=self.now,
                    updated_at=self.now,
                )
            )
        return case_id

    def routed(self, case_id, slug, *, automatic=True):
        """The machine suggests, and sends the case to the administration if it may."""
        with self.engine.begin() as connection:
            case = fetched(connection, case_id)
            learning.suggest(
                connection,
                case_id,
                Suggestion(
                    case.description,
                    "fr",
                    [(slug, 0.8), ("sante", 0.1)],
                    first=slug,
                    margin=1.5,
                    model="m1",
                    rule=f"{slug}/12345678",
                    administration=slug if automatic else None,
                ),
                now=self.later(),
            )
            if automatic:
                answers.assign(
                    connection,
                    case,
                    slug,
                    by="rules",
                    reasons=["…"],
                    now=self.now,
                    source="/dispatcher/routing",
                    label=None,
                )

    def do(self, deed, case_id, *args, **kwargs):
        with self.engine.begin() as connection:
            case = fetched(connection, case_id)
            return deed(connection, case, *args, now=self.later(), **kwargs)

    def assign(self, case_id, slug):
        return self.do(answers.assign, case_id, slug, by="t@example.org", reasons=["because"])

    def answer(self, case_id, **kwargs):
        return self.do(
            answers.answer_case,
            case_id,
            "Nous arrivons.",
            author_name="agent@example.org",
            administration=None,
            **kwargs,
        )

    def rows(self, statement):
        with reading(self.engine).connect() as connection:
            return connection.execute(statement).all()

    def labels(self):
        return [
            (row.kind, row.label, row.previous)
            for row in self.rows(select(routing_labels).order_by(routing_labels.c.decided_at))
        ]

    def confirmed(self, **kwargs):
        with reading(self.engine).connect() as connection:
            return learning.confirmed(connection, **kwargs)

    def item(self, case_id):
        (row,) = self.rows(select(attention).where(attention.c.case_id == case_id))
        return row


@pytest.fixture
def record(database_url):
    engine = open_engine(database_url)
    metadata.create_all(engine)
    yield Record(engine)
    engine.dispose()


def test_a_choice_at_triage_is_a_label_with_the_suggestion_that_the_person_saw(record):
    case = record.case()
    record.routed(case, "eau", automatic=False)
    record.assign(case, "sante")

    (row,) = record.rows(select(routing_labels))
    assert (row.kind, row.label, row.previous) == ("triage", "sante", None)
    assert (row.model, row.automatic, row.decided_by) == ("m1", False, "t@example.org")
    assert row.text_digest == learning.digest("Pas d'eau depuis lundi")
    assert row.decided_at == record.now
    (one,) = record.confirmed()
    assert (one.labels, one.first, one.margin, one.rule) == (("sante",), "eau", 1.5, "eau/12345678")
    assert one.candidates == ("eau", "sante")
    assert one.text == "Pas d'eau depuis lundi"


def test_a_transfer_is_the_later_word_and_names_who_had_the_case(record):
    case = record.case()
    record.assign(case, "sante")
    record.assign(case, "eau")
    other = record.case("Route coupée")
    record.assign(other, "eau")
    record.do(transfers.give_up, other, reason="pas nous", by="agent@example.org")
    record.assign(other, "equipement")

    assert record.labels() == [
        ("triage", "sante", None),
        ("transfer", "eau", "sante"),
        ("triage", "eau", None),
        ("transfer", "equipement", None),
    ]
    assert [one.labels for one in record.confirmed()] == [("eau",), ("equipement",)]
    assert [one.labels for one in record.confirmed(latest=1)] == [("equipement",)]
    assert record.confirmed(since=record.now) == []


def test_what_the_machine_sent_and_its_administration_answered_is_confirmed_once(record):
    case = record.case()
    record.routed(case, "eau")
    assert record.labels() == []
    record.answer(case, question=True)
    assert record.labels() == []
    record.answer(case)
    record.answer(case)

    assert record.labels() == [("confirmation", "eau", None)]
    assert record.confirmed()[0].automatic


def test_an_answer_confirms_nothing_that_people_chose_or_spoke_about(record):
    chosen, moved = record.case(), record.case("Route coupée")
    record.routed(chosen, "eau", automatic=False)
    record.assign(chosen, "eau")
    record.routed(moved, "eau")
    record.assign(moved, "sante")
    record.answer(chosen)
    record.answer(moved)

    assert [kind for kind, _, _ in record.labels()] == ["triage", "transfer"]


def test_what_is_nobodys_and_what_is_several_administrations_is_learnt_as_such(record):
    court, both = record.case("Mon voisin me doit de l'argent"), record.case("Eau et route")
    for case in (court, both):
        with record.engine.begin() as connection:
            row = fetched(connection, case)
            register.change_status(
                connection, row, CaseStatus.TRIAGE, by="rules", source="/x", at=NOW, tell=False
            )
    record.do(elsewhere.direct, court, elsewhere.Elsewhere.COURT, by="t@example.org")
    record.do(
        dividing.divide,
        both,
        {"eau": "desk", "equipement": "desk"},
        reasons=["both"],
        by="t@example.org",
        calling_code="212",
    )

    assert [one.labels for one in record.confirmed()] == [
        ("person:court",),
        ("eau", "equipement"),
    ]


def test_a_case_that_went_into_another_is_learnt_once(record):
    first, second = record.case("Pas d'eau à Salé"), record.case("Pas d'eau à Salé, toujours")
    for case in (first, second):
        record.assign(case, "eau")
    assert len(record.confirmed()) == 2
    with record.engine.begin() as connection:
        connection.execute(cases.update().where(cases.c.id == second).values(merged_into=first))
    record.assign(first, "sante")

    (learnt,) = record.confirmed()
    assert (learnt.case_id, learnt.labels) == (first, ("sante",))
    with record.engine.begin() as connection:  # split off again, its label is its own
        connection.execute(cases.update().where(cases.c.id == second).values(merged_into=None))
    assert {one.labels for one in record.confirmed()} == {("sante",), ("eau",)}


def test_a_recording_is_learnt_by_its_transcript_and_a_case_without_words_not_at_all(record):
    spoken, silent = record.case("", channel="voice"), record.case("")
    with record.engine.begin() as connection:
        message_id = register.add_message(
            connection,
            spoken,
            {
                "direction": "inbound",
                "author": "citizen",
                "channel": "voice",
                "sender": "+212612345678",
                "text": "",
                "language": "ary",
                "date": NOW,
            },
        )
        connection.execute(
            attachments.insert().values(
                id=new_id(),
                message_id=message_id,
                position=0,
                media_type="audio/wav",
                transcript_state="done",
                transcript="الما مقطوع هادي سيمانة",
            )
        )
    record.assign(spoken, "eau")
    record.assign(silent, "eau")

    assert [one.text for one in record.confirmed()] == ["الما مقطوع هادي سيمانة"]
    assert len(record.rows(select(messages))) == 1


def test_the_words_of_the_citizen_stand_in_no_row_of_learning(record):
    case = record.case("secret-words-of-the-citizen")
    record.routed(case, "eau")
    record.answer(case)

    for table in (suggestions, routing_labels):
        for row in record.rows(select(table)):
            assert "secret-words" not in str(row)


# --- Blind checks ---------------------------------------------------------------------------------


def test_the_share_that_is_drawn_is_the_share_that_was_asked_for():
    ids = [new_id() for _ in range(20_000)]
    drawn = sum(blind_checks.drawn(one, 0.03) for one in ids)
    assert 480 <= drawn <= 720
    assert not any(blind_checks.drawn(one, 0.0) for one in ids)
    assert all(blind_checks.drawn(one, 1.0) for one in ids)
    assert [blind_checks.drawn(one, 0.5) for one in ids[:50]] == [
        blind_checks.drawn(one, 0.5) for one in ids[:50]
    ]


def asked(record, slug="eau"):
    case = record.case()
    record.routed(case, slug)
    with record.engine.begin() as connection:
        blind_checks.ask(connection, case, slug, at=record.now)
        blind_checks.ask(connection, case, slug, at=record.now)
    return case


def judged(record, case, label):
    with record.engine.begin() as connection:
        row = fetched(connection, case)
        return blind_checks.judge(
            connection, record.item(case), row, label, by="t@example.org", now=record.later()
        )


def test_a_check_that_agrees_is_a_label_and_comes_off_the_list(record):
    case = asked(record)
    assert judged(record, case, "eau")

    assert record.labels() == [("blind_check", "eau", "eau")]
    item = record.item(case)
    assert item.action == "agreed"
    assert item.resolved_at == record.now


def test_a_check_that_differs_waits_for_a_second_look_and_the_case_stays(record):
    case = asked(record)
    assert not judged(record, case, "sante")

    assert record.item(case).resolved_at is None
    (row,) = record.rows(select(cases).where(cases.c.id == case))
    assert row.administration == "eau"


def test_a_correction_hands_the_case_on_and_counts_as_no_refusal(record):
    case = asked(record)
    judged(record, case, "sante")
    with record.engine.begin() as connection:
        row = fetched(connection, case)
        blind_checks.correct(
            connection,
            record.item(case),
            row,
            "sante",
            by="t@example.org",
            reason="a blind check chose another administration",
            now=record.later(),
        )

    (row,) = record.rows(select(cases).where(cases.c.id == case))
    assert (row.administration, row.status) == ("sante", "referred")
    assert record.rows(select(transfers_table)) == []
    assert record.labels() == [("blind_check", "sante", "eau"), ("correction", "sante", "eau")]
    assert record.item(case).action == "corrected"
    told = record.rows(select(outbox.c.payload).where(outbox.c.kind == "notify"))
    assert {"notice": "transferred", "administration": "sante"} in [row.payload for row in told]
    moved = record.rows(
        select(case_events.c.data).where(case_events.c.type == "guichet.case.transferred")
    )
    assert [row.data["number"] for row in moved] == [0]


def test_after_a_second_look_the_machine_may_stand(record):
    case = asked(record)
    judged(record, case, "person:court")
    with record.engine.begin() as connection:
        row = fetched(connection, case)
        blind_checks.let_stand(
            connection, record.item(case), row, by="s@example.org", now=record.later()
        )
    record.answer(case)

    assert record.labels() == [
        ("blind_check", "person:court", "eau"),
        (str(LabelKind.CONFIRMATION), "eau", None),
    ]
    assert record.confirmed()[0].labels == ("eau",)


def test_a_settled_case_is_not_handed_on(record):
    case = asked(record)
    judged(record, case, "sante")
    record.answer(case)
    with record.engine.begin() as connection, pytest.raises(ValueError, match="settled"):
        blind_checks.correct(
            connection,
            record.item(case),
            fetched(connection, case),
            "sante",
            by="t@example.org",
            reason="…",
            now=record.later(),
        )
