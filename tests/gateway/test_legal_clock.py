# SPDX-License-Identifier: MIT
"""The legal clock of a whole house, on both databases: never reset, never negative, told once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Row, delete, select

from channels.mail.reply import MARKER_LINES
from channels.message import ChannelName, DeliveryStatus, OutboundMessage, Receipt
from config import country
from config.settings import Settings
from dispatcher.administration import Administration, OutletName, store
from gateway import moving
from gateway.desk.reading import SETTLED
from gateway.export import export_deadlines
from gateway.legal_clock import LegalClock, terms_of
from gateway.plan import Move
from gateway.relay import Relay
from gateway.wiring import build_workshop
from normalizer.tracking_code import display, new_code
from tracker import answers, ledger, register
from tracker.database import open_engine, reading
from tracker.deadlines import Terms, answer_due
from tracker.migrations import upgrade
from tracker.models import (
    CaseStatus,
    attention,
    case_events,
    cases,
    deadlines,
    messages,
    metadata,
    outbox,
)
from tracker.status import allowed

#: Before the change of the clocks in Ramadan 2026.
START = datetime(2026, 2, 10, 10, tzinfo=UTC)
MOROCCO = country.load("ma")
CASABLANCA = ZoneInfo("Africa/Casablanca")
TERMS = terms_of(MOROCCO, Settings(profile="demo"))
REGISTER = [
    Administration(
        "interieur",
        {"fr": "Ministère de l'intérieur"},
        outlet=OutletName.MAIL,
        email="interieur@admin.example",
    ),
    Administration("region", {"fr": "Région"}, parent="interieur"),
    Administration(
        "eau",
        {"fr": "Office de l'eau"},
        parent="region",
        outlet=OutletName.MAIL,
        email="eau@admin.example",
    ),
    Administration("sante", {"fr": "Santé"}),
]


@dataclass
class House:
    """A register, its clock, and time that can be turned."""

    engine: Engine
    terms: Terms
    now: datetime = START

    def __post_init__(self) -> None:
        self.legal = LegalClock(self.engine, self.terms, lambda: self.now)

    def case(self, received: datetime | None = None, **more: Any) -> Row[Any]:
        """Open a case with the dates of its receipt."""
        received = received or self.now
        clock = self.terms.clock(received)
        values = {
            **register.new_case_values(calling_code="212", now=received),
            "tracking_code": new_code("212"),
            "kind": "complaint",
            "channel": "sms",
            "language": "fr",
            "subject": "",
            "description": "Pas d'eau",
            "contact_scheme": "tel",
            "contact_value": "+212612345678",
            "contact_confirmed": True,
            "requested_datetime": received,
            "forward_by": clock.forward_by,
            "expected_datetime": clock.answer_by,
            **more,
        }
        with self.engine.begin() as connection:
            connection.execute(cases.insert().values(values))
            said = {
                "direction": "inbound",
                "author": "citizen",
                "channel": "sms",
                "text": "Pas d'eau",
                "date": received,
            }
            register.add_message(connection, values["id"], said)
        return self.fresh(values["id"])

    def fresh(self, case_id: Any) -> Row[Any]:
        with reading(self.engine).connect() as connection:
            return connection.execute(select(cases).where(cases.c.id == case_id)).one()

    def turn(self, **delta: float) -> None:
        """Let time pass and the sweeper look."""
        self.now += timedelta(**delta)
        self.legal.round()

    def assign(self, case: Row[Any], slug: str) -> None:
        with self.engine.begin() as connection:
            answers.assign(
                connection, self.fresh(case.id), slug, by="triage", reasons=["…"], now=self.now
            )

    def move(self, case: Row[Any], status: CaseStatus) -> None:
        with self.engine.begin() as connection:
            answers.set_status(connection, self.fresh(case.id), status, by="x", now=self.now)

    def answer(self, case: Row[Any], **more: Any) -> None:
        with self.engine.begin() as connection:
            answers.answer_case(
                connection,
                self.fresh(case.id),
                "Oui.",
                author_name="A",
                administration="eau",
                now=self.now,
                **more,
            )

    def comes_back(self, case: Row[Any]) -> None:
        """The citizen writes again."""
        with self.engine.begin() as connection:
            moving.reopen(connection, self.fresh(case.id), "/channels/sms", self.now)

    def merge(self, case: Row[Any], into: Row[Any]) -> None:
        wanted = Move(self.fresh(case.id), into=self.fresh(into.id))
        with self.engine.begin() as connection:
            moving.move(connection, wanted, at=self.now, channel="sms")

    def lines(self, case: Row[Any]) -> dict[tuple[str, int], Row[Any]]:
        with reading(self.engine).connect() as connection:
            rows = connection.execute(select(deadlines).where(deadlines.c.case_id == case.id))
            return {(row.deadline, row.number): row for row in rows}

    def told(self, notice: str) -> list[Row[Any]]:
        with reading(self.engine).connect() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
        return [row for row in rows if row.payload.get("notice") == notice]

    def events(self, case: Row[Any], what: str) -> list[dict[str, Any]]:
        with reading(self.engine).connect() as connection:
            rows = connection.execute(
                select(case_events)
                .where(case_events.c.case_id == case.id, case_events.c.type.endswith(what))
                .order_by(case_events.c.id)
            )
            return [row.data for row in rows]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    upgrade(made)
    with made.begin() as connection:
        store(connection, REGISTER)
    yield made
    made.dispose()


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine, TERMS)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(CASABLANCA):%d/%m %H:%M}"


# --- What meets a deadline ------------------------------------------------------------------------


def test_to_be_handed_over_meets_forwarding_at_that_moment_and_transfers_do_not_touch_it(house):
    case = house.case()
    house.turn(days=3)
    house.assign(case, "sante")
    house.turn(minutes=1)
    house.turn(days=30)
    house.assign(case, "eau")
    house.turn(minutes=1)
    forward, answer = house.lines(case)["forward", 1], house.lines(case)["answer", 1]

    assert forward.met_at == START + timedelta(days=3)
    assert (forward.late_days, forward.administration, forward.next_at) == (0, "sante", None)
    assert (answer.starts_at, answer.due) == (START, case.expected_datetime)
    assert (answer.met_at, answer.late_days, answer.administration) == (None, None, None)


def test_only_the_answer_meets_the_answer(house):
    """Not a question, and not a notice that it will be late."""
    case = house.case()
    house.assign(case, "eau")
    house.answer(case, question=True)
    house.turn(days=1)
    assert house.lines(case)["answer", 1].met_at is None
    house.turn(days=62)
    assert len(house.told("answer_late")) == 1
    assert house.lines(case)["answer", 1].met_at is None
    house.answer(case)
    house.turn(minutes=1)
    met = house.lines(case)["answer", 1]

    assert met.met_at == START + timedelta(days=63, minutes=0)
    assert (met.late_days, met.administration) == (3, "eau")


def test_who_had_the_case_on_the_due_day_stands_in_the_ledger(house):
    """Handed on after it was overdue, it was late where it lay."""
    case = house.case()
    house.assign(case, "sante")
    house.turn(days=62)
    house.assign(case, "eau")
    house.turn(days=1)
    house.answer(case)
    house.turn(minutes=1)

    assert house.lines(case)["answer", 1].administration == "sante"


def test_a_reopening_is_a_line_of_its_own_and_what_people_are_told_keeps_step(house):
    case = house.case()
    house.assign(case, "eau")
    house.turn(days=10)
    house.answer(case)
    house.turn(minutes=1)
    first = house.lines(case)["answer", 1]
    house.turn(days=100)
    house.comes_back(case)
    reopened = house.now
    house.turn(minutes=1)
    lines, now = house.lines(case), house.fresh(case.id)

    assert lines["answer", 1] == first
    assert lines["follow_up", 1].starts_at == reopened
    assert lines["follow_up", 1].due == TERMS.clock(reopened).answer_by
    assert now.expected_datetime == case.expected_datetime
    assert answer_due(now) == lines["follow_up", 1].due
    assert house.told("answer_late") == []


def test_who_withdraws_is_owed_nothing_and_is_owed_the_same_when_they_come_back(house):
    case = house.case()
    house.assign(case, "eau")
    house.turn(days=10)
    house.move(case, CaseStatus.WITHDRAWN)
    house.turn(minutes=1)
    ended = house.lines(case)["answer", 1]
    house.move(case, CaseStatus.IN_PROGRESS)
    house.turn(minutes=1)
    again = house.lines(case)

    assert (ended.met_at, ended.ended_at, ended.next_at) == (None, START + timedelta(days=10), None)
    assert set(again) == {("forward", 1), ("answer", 1)}
    assert (again["answer", 1].due, again["answer", 1].ended_at) == (case.expected_datetime, None)


# --- Merging and splitting ------------------------------------------------------------------------


@pytest.mark.parametrize("older_stays", [True, False])
def test_a_merge_keeps_the_earlier_receipt_whichever_case_stays(house, older_stays):
    older = house.case()
    house.turn(days=20)
    newer = house.case()
    house.turn(days=1)
    stays, goes = (older, newer) if older_stays else (newer, older)
    house.merge(goes, stays)
    house.turn(minutes=1)
    now, line = house.fresh(stays.id), house.lines(stays)["answer", 1]

    assert now.requested_datetime == line.starts_at == START
    assert now.forward_by == older.forward_by == house.lines(stays)["forward", 1].due
    assert now.expected_datetime == line.due == older.expected_datetime
    assert house.lines(goes)["answer", 1].ended_at == house.now - timedelta(minutes=1)


def test_a_complaint_merged_into_an_answered_case_keeps_its_own_day(house):
    """The case is reopened by it: the days run from when that complaint was received."""
    answered = house.case()
    house.assign(answered, "eau")
    house.answer(answered)
    house.turn(days=5)
    newer = house.case()
    house.turn(days=30)
    house.merge(newer, answered)
    house.turn(minutes=1)
    lines = house.lines(answered)

    assert lines["answer", 1].met_at == START
    assert lines["follow_up", 1].starts_at == newer.requested_datetime
    assert lines["follow_up", 1].due == newer.expected_datetime
    assert answer_due(house.fresh(answered.id)) == newer.expected_datetime


def test_a_late_complaint_does_not_make_an_answer_late_afterwards(house):
    """A case that was answered in time stays so, although an older one is merged into it."""
    older = house.case()
    house.turn(days=50)
    newer = house.case()
    house.assign(newer, "eau")
    house.turn(days=30)
    house.answer(newer)
    house.turn(minutes=1)
    house.merge(older, newer)
    house.turn(minutes=1)
    lines = house.lines(newer)

    assert lines["answer", 1].late_days == 0
    assert lines["follow_up", 1].due == older.expected_datetime
    assert house.fresh(newer.id).expected_datetime == newer.expected_datetime


def test_a_case_that_was_answered_and_reopened_brings_the_day_of_its_reopening(house):
    """Its first clock was met: the case that takes it in is not late for it."""
    reopened = house.case()
    house.assign(reopened, "eau")
    house.answer(reopened)
    house.turn(days=40)
    house.comes_back(reopened)
    back = house.now
    house.turn(minutes=1)
    house.turn(days=10)
    newer = house.case()
    house.merge(reopened, newer)
    house.turn(minutes=1)
    now, lines = house.fresh(newer.id), house.lines(newer)

    assert now.requested_datetime == lines["answer", 1].starts_at == back
    assert now.expected_datetime == lines["answer", 1].due == TERMS.clock(back).answer_by
    assert now.forward_by == newer.forward_by


def test_a_text_split_off_has_the_clock_of_its_own_receipt(house):
    case = house.case()
    house.turn(days=2)
    with reading(house.engine).connect() as connection:
        text = connection.execute(select(messages).where(messages.c.case_id == case.id)).one()
    clock = TERMS.clock(text.date)
    values = {
        **register.new_case_values(calling_code="212", now=text.date),
        "forward_by": clock.forward_by,
        "expected_datetime": clock.answer_by,
    }
    with house.engine.begin() as connection:
        wanted = Move(house.fresh(case.id), message=text, values=values)
        moving.move(connection, wanted, at=house.now, channel="sms")
    house.turn(minutes=1)
    new = house.fresh(values["id"])

    assert new.requested_datetime == text.date == START
    assert house.lines(new)["answer", 1].due == TERMS.clock(START).answer_by
    assert house.lines(case)["answer", 1].due == case.expected_datetime


# --- What is said on the way ----------------------------------------------------------------------


def test_an_administration_is_reminded_above_it_is_told_and_the_citizen_once(house):
    """Through the whole life of a case that nobody answers."""
    case = house.case()
    house.assign(case, "eau")
    said: list[tuple[str, str, str]] = []
    seen: set[Any] = set()
    while house.now < START + timedelta(days=90):
        house.turn(hours=3)
        for notice in ("reminder", "escalation", "answer_late"):
            for row in house.told(notice):
                if row.id not in seen:
                    seen.add(row.id)
                    said.append((local(row.created_at)[:5], notice, row.recipient))

    assert said == [
        ("04/04", "reminder", "eau"),
        ("10/04", "reminder", "eau"),
        ("11/04", "reminder", "eau"),
        ("12/04", "reminder", "eau"),  # it is overdue now
        ("12/04", "answer_late", "+212612345678"),
        ("18/04", "reminder", "eau"),
        ("25/04", "reminder", "eau"),
        ("02/05", "reminder", "eau"),
        ("02/05", "escalation", "interieur"),
        ("09/05", "reminder", "eau"),
    ]
    assert house.events(case, "escalated") == [
        {"administration": "region", "deadline": "answer", "days": 7},
        {"administration": "interieur", "deadline": "answer", "days": 21},
    ]
    assert [one["deadline"] for one in house.events(case, "overdue")] == ["answer"]
    assert house.lines(case)["answer", 1].escalated_to == "interieur"


def test_two_sweepers_say_nothing_twice(house):
    house.assign(house.case(), "eau")
    house.turn(minutes=1)
    house.now += timedelta(days=100)
    other = LegalClock(house.engine, TERMS, lambda: house.now)
    for legal in (house.legal, other, house.legal, other):
        legal.round()

    assert len(house.told("answer_late")) == 1
    assert len(house.told("reminder")) == 1  # and not one for each that was missed
    assert len(house.told("escalation")) == 1
    assert other.round() == 0


def test_one_mail_names_all_the_cases_of_a_day(house):
    codes = set()
    for _ in range(60):
        case = house.case()
        codes.add(case.tracking_code)
        house.assign(case, "eau")
    house.turn(minutes=1)
    house.now += timedelta(days=54)
    house.legal.round()
    mails = house.told("reminder")

    assert [len(mail.payload["cases"]) for mail in mails] == [50, 10]
    assert {one["code"] for mail in mails for one in mail.payload["cases"]} == codes


def test_a_house_that_stood_still_makes_up_for_no_old_step(house):
    """Cases of before the ledger: no flood of notices, but the lines are true."""
    old = house.case(START - timedelta(days=200))
    house.assign(old, "eau")
    answered = house.case(START - timedelta(days=300))
    house.assign(answered, "eau")
    house.answer(answered)
    with house.engine.begin() as connection:
        connection.execute(delete(deadlines))
    house.turn(days=1)

    assert house.told("answer_late") == house.told("escalation") == []
    assert house.lines(answered)["answer", 1].late_days == 240
    assert house.lines(old)["answer", 1].met_at is None
    house.turn(days=7)
    assert len(house.told("reminder")) == 1


def test_a_case_that_nobody_has_when_forwarding_is_overdue_is_on_the_list_once(house):
    case = house.case()
    house.turn(days=17)
    house.turn(days=60)
    with reading(house.engine).connect() as connection:
        items = connection.execute(select(attention)).all()

    assert [(item.reason, item.case_id) for item in items] == [("unrouted", case.id)]
    assert house.told("reminder") == house.told("escalation") == []
    assert len(house.told("answer_late")) == 1


def test_a_notice_of_delay_waits_for_the_morning(house):
    """The sweeper stood still and comes back at night."""
    house.case()
    house.turn(minutes=1)
    house.now = datetime(2026, 4, 20, 2, 0, tzinfo=CASABLANCA).astimezone(UTC)
    house.legal.round()
    (notice,) = house.told("answer_late")

    assert local(notice.not_before) == "20/04 09:00"


def test_a_circle_of_parents_ends(house):
    circle = [replace(REGISTER[0], parent="eau"), *REGISTER[1:]]
    with house.engine.begin() as connection:
        store(connection, circle)
    case = house.case()
    house.assign(case, "eau")
    house.legal = LegalClock(
        house.engine, replace(TERMS, escalate_after=(1, 2, 3, 4)), lambda: house.now
    )
    house.turn(minutes=1)
    house.turn(days=70)

    assert [one["administration"] for one in house.events(case, "escalated")] == [
        "region",
        "interieur",
    ]


def test_a_round_is_bounded_and_the_next_one_goes_on(house):
    for _ in range(5):
        house.case()
    small = LegalClock(house.engine, TERMS, lambda: house.now, batch_size=2)
    with house.engine.begin() as connection:
        assert ledger.enrol(connection, now=house.now, limit=2) == 2
        assert len(ledger.waiting(connection, now=house.now, limit=1)) == 1
    house.now += timedelta(minutes=1)

    assert small.round() == 5
    assert small.round() == 0


def test_the_minute_is_kept(house):
    case = house.case()
    house.legal.tick()
    assert house.lines(case)
    second = house.case()
    house.now += timedelta(seconds=59)
    house.legal.tick()
    assert house.lines(second) == {}
    house.now += timedelta(seconds=1)
    house.legal.tick()
    assert house.lines(second)


@dataclass
class Way:
    """A way out that keeps what it is given."""

    name: ChannelName
    sent: list[OutboundMessage]

    def send(self, message: OutboundMessage) -> Receipt:
        self.sent.append(message)
        return Receipt(f"id{len(self.sent)}", DeliveryStatus.SENT)


@pytest.fixture
def relay(house: House, database_url: str, tmp_path: Path) -> tuple[Relay, dict[str, Way]]:
    """The relay of the house, with its own words and ways out that keep what they are given."""
    demo = Settings(
        profile="demo",
        data_dir=tmp_path,
        database={"url": database_url},
        web={"public_base_url": "https://guichet.example", "secret_keys": ["k" * 40]},
        mail={"domain": "g.example"},
    )
    ways = {name: Way(ChannelName(name), []) for name in ("email", "sms")}
    shop = build_workshop(demo, house.engine)
    dispatcher = replace(shop.dispatcher, channels=ways, clock=lambda: house.now)
    return Relay(house.engine, demo, dispatcher.perform, lambda: house.now), ways


def test_what_is_due_leaves_by_the_outlet_and_by_the_citizens_channel(house, relay):
    two = [house.case(), house.case()]
    answered = house.case()
    for case in (*two, answered):
        house.assign(case, "eau")
    relay[0].drain()
    for way in relay[1].values():
        way.sent.clear()
    house.turn(minutes=1)
    house.now = datetime(2026, 5, 2, 9, 30, tzinfo=CASABLANCA).astimezone(UTC)
    house.legal.round()
    house.answer(answered)  # before its notice of delay was sent
    relay[0].drain()
    mails = {mail.recipient.value: mail for mail in relay[1]["email"].sent}
    texts = [text.text for text in relay[1]["sms"].sent]
    codes = [display(case.tracking_code) for case in two]

    assert set(mails) == {"eau@admin.example", "interieur@admin.example"}
    reminder, escalation = mails["eau@admin.example"], mails["interieur@admin.example"]
    assert reminder.subject == (
        "تذكير: 3 ملفات تنتظر جوابكم / Rappel : 3 dossiers attendent votre réponse"
    )
    assert escalation.subject == (
        "3 أجوبة متأخرة: Office de l'eau / 3 réponses en retard : Office de l'eau"
    )
    for mail in mails.values():
        assert mail.auto_submitted == "auto-generated"
        assert mail.reply_to == ""
        assert mail.language == "ar"
        arabic, french = mail.text.split("\n\n* * *\n\n")
        assert arabic.startswith(MARKER_LINES["ar"])
        assert "السلام عليكم" in arabic
        assert french.startswith("Bonjour")
        assert french.count("11/04/2026") == 3
        assert all(f"- {code}, " in french for code in codes)
        for words in (arabic, french):
            assert len(re.findall(r"case\+\d{12}\.[a-z2-7]{16}@g\.example", words)) == 3
    late = [text for text in texts if "en retard" in text]
    assert sorted(late) == sorted(
        f"Plainte {code}: la réponse due avant le 11/04/2026 est en retard, pardon. "
        "Nous suivons votre dossier. Vous n'avez rien à faire."
        for code in codes
    )


def test_a_reminder_of_one_case_is_answered_in_its_thread(house, relay):
    case = house.case()
    house.assign(case, "eau")
    relay[0].drain()
    relay[1]["email"].sent.clear()
    house.turn(minutes=1)
    house.turn(days=54)
    relay[0].drain()
    (mail,) = relay[1]["email"].sent

    assert mail.subject == "تذكير: ملف واحد ينتظر جوابكم / Rappel : 1 dossier attend votre réponse"
    assert mail.reply_to.startswith(f"case+{case.tracking_code}.")


# --- A profile in which waiting stops the clock ---------------------------------------------------


def test_waiting_stops_the_clock_only_where_the_profile_says_so(house):
    stopping = House(house.engine, replace(TERMS, waiting_stops=True), house.now)
    case, plain = stopping.case(), house.case()
    for one in (case, plain):
        house.assign(one, "eau")
        house.answer(one, question=True)
    house.now = stopping.now = START + timedelta(days=80)
    stopping.legal.round()
    assert stopping.told("answer_late") == []
    stopping.comes_back(case)
    stopping.turn(minutes=1)
    line = stopping.lines(case)["answer", 1]

    assert line.waited_days == 80
    assert local(line.due)[:5] == "30/06"  # 11 April and 80 days
    assert answer_due(stopping.fresh(case.id)) == line.due
    assert stopping.fresh(case.id).expected_datetime == case.expected_datetime
    stopping.turn(days=1)
    assert stopping.lines(case)["answer", 1].due == line.due


# --- Whatever happens, in whatever order ----------------------------------------------------------

deeds = st.lists(
    st.tuples(
        st.sampled_from(
            ["assign", "move", "move", "ask", "answer", "comes_back", "merge", "merge", "open"]
        ),
        st.integers(0, 10**6),
        st.sampled_from([0, 1, 60, 1440, 20_000, 60_000]),
    ),
    min_size=1,
    max_size=10,
)


class Life:
    """Some cases of one house, what is done to them, and what must hold after each deed."""

    def __init__(self, engine: Engine) -> None:
        self.house = House(engine, TERMS)
        self.opened = [self.house.case()]

    def do(self, what: str, chosen: int, minutes: int) -> None:
        """Let time pass, do one thing to one case, let the sweeper look."""
        house = self.house
        house.turn(minutes=minutes)
        case = house.fresh(self.opened[chosen % len(self.opened)].id)
        if what == "open":
            self.opened.append(house.case())
        elif case.merged_into is not None:
            pass  # no door leads to it any more
        elif what == "merge":
            self.merge(case, chosen)
        elif what == "move":
            moves = sorted(allowed(case.status))
            house.move(case, moves[chosen % len(moves)])
        elif what == "assign" and case.status not in SETTLED:
            house.assign(case, ("eau", "sante")[chosen % 2])
        elif what == "comes_back":
            house.comes_back(case)
        elif what in ("ask", "answer"):
            house.answer(case, question=what == "ask")
        house.turn(minutes=1)

    def merge(self, case: Row[Any], chosen: int) -> None:
        """What was owed on either case is owed no later on the one that stays."""
        others = [self.house.fresh(one.id) for one in self.opened if one.id != case.id]
        others = [one for one in others if one.merged_into is None]
        if not others:
            return
        into = others[chosen % len(others)]
        before = [due for due in map(self.owed, (case, into)) if due is not None]
        self.house.merge(case, into)
        self.house.turn(minutes=1)
        if into.status not in ("withdrawn", "out_of_competence") and before:
            after = self.owed(into)
            assert after is not None
            assert after <= min(before)

    def owed(self, case: Row[Any]) -> datetime | None:
        """When the answer that is owed on a case is due; one at most is."""
        lines = self.house.lines(case).values()
        found = [
            line.due
            for line in lines
            if line.deadline != "forward" and not (line.met_at or line.ended_at)
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def check(self) -> None:
        """The first clock is where its receipt set it, or earlier by a merge; none is negative."""
        for opened in self.opened:
            now, lines = self.house.fresh(opened.id), self.house.lines(opened)
            first, forward = lines["answer", 1], lines["forward", 1]
            assert first.due == now.expected_datetime <= opened.expected_datetime
            assert first.starts_at == now.requested_datetime <= opened.requested_datetime
            assert forward.due == now.forward_by <= opened.forward_by
            assert TERMS.clock(now.requested_datetime).answer_by == now.expected_datetime
            for line in lines.values():
                over = line.met_at or line.ended_at
                assert line.due > line.starts_at
                assert over is None or over >= line.starts_at
                assert (over is None) == (line.late_days is None)
                assert line.late_days is None or line.late_days >= 0


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds)
def test_no_clock_is_ever_reset_and_none_is_negative(engine, life):
    """Transfers, refusals, questions, comments, reopenings and merges over the change of clocks."""
    with engine.begin() as connection:  # each life begins in an empty house
        for table in reversed(metadata.sorted_tables):
            if table.name != "administrations":
                connection.execute(delete(table))
    lived = Life(engine)
    for deed in life:
        lived.do(*deed)
        lived.check()
    told = list(export_deadlines(engine, TERMS.calendar, lived.house.now))
    assert all(line["late_days"] >= 0 for line in told)
    assert len(told) >= 2 * len(lived.opened)
    late = [row.idempotency_key for row in lived.house.told("answer_late")]
    assert len(late) <= sum(line["deadline"] != "forward" for line in told)
