# SPDX-License-Identifier: MIT
"""The table of turns through the real door and a real database: exact words, exact rows.

The dialogue's own test compares its documents with those written down; here the same documents come
out of the HTTP door, where the facts are rows of the database and the places are signed. Then every
place that a call can reach is visited with every kind of key, each webhook twice, and each call
ended: it leaves one case, or one missed call for a person, or it got what it came for.
"""

import html
import re
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, update

from channels.voice.dialogue import Heard, Place, Step
from gateway import intake, wiring
from gateway.inbound import calls, recordings
from gateway.inbound.line import SALT, _serializer, line_of
from guichet_testing.voice_turns import (
    ADMINISTRATION,
    ANSWER_TEXT,
    CASE,
    CODE,
    ENTRY,
    EXPECTED_ON,
    FILED_ON,
    LONG_TEXT,
    OTHER_CODE,
    PIN,
    STATUS,
    TURNS,
    UNCHOSEN,
    WRONG_PIN,
    TurnOfACall,
    expected,
    in_lines,
    readable_url,
)
from normalizer import tracking_code
from tracker import answers, register, throttle
from tracker import models as tables
from tracker.models import OutboxKind
from tracker.outbox import put

BASE = "/inbound/voice/twilio"
CALLER, LINE = "+212612345678", "+212537000000"
SIGNED = re.compile(r"https://guichet\.example/inbound/voice/twilio/[a-z-]+\?at=([^\"<&\s]+)")
OUTBOUND = (Step.ANNOUNCE, Step.ANSWER, Step.AGAIN)


#: What can be done at each step; ``RE`` stands for a recording of its own.
DONE: dict[Step, list[Heard]] = {
    Step.WELCOME: [Heard()],
    Step.LANGUAGE: [Heard("2"), Heard("0"), Heard("#"), Heard("9"), Heard()],
    Step.MENU: [*map(Heard, "1230#9"), Heard()],
    Step.RECORD: [Heard()],
    Step.RECORDED: [
        Heard("#", "RE"), Heard("", "RE"), Heard("", "RE", hung_up=True), Heard(hung_up=True),
        Heard(),
    ],
    Step.CODE: [*map(Heard, (CODE, OTHER_CODE, "0", "#", ""))],
    Step.OWN_CODE: [*map(Heard, (CODE, OTHER_CODE, "0", "#", ""))],
    Step.OWN_PIN: [*map(Heard, (PIN, WRONG_PIN, "0", "#", ""))],
    Step.OWN_ANSWER: [*map(Heard, ("0", "1", "#", "9", ""))],
    Step.ANNOUNCE: [Heard(), Heard(machine=True)],
    Step.ANSWER: [*map(Heard, (CODE, OTHER_CODE, "0", "#", ""))],
    Step.AGAIN: [*map(Heard, ("0", "1", "#", "9", ""))],
}  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """The code and the PIN that are drawn are those of the table."""
    monkeypatch.setattr(tracking_code, "new_code", lambda *_: CODE)
    monkeypatch.setattr(register, "new_pin", lambda: PIN)


def form(sid, step, heard=None, **more):
    """What Twilio posts."""
    parties = {"Direction": "inbound", "From": CALLER, "To": LINE}
    if step in OUTBOUND:
        parties = {"Direction": "outbound-api", "From": LINE, "To": CALLER}
    pairs = {"CallSid": sid, "CallStatus": "in-progress", **parties}
    if heard is not None:
        pairs["Digits"] = "hangup" if heard.hung_up else heard.digits
        if heard.recording:
            pairs |= {"RecordingSid": heard.recording, "RecordingDuration": "9"}
        if heard.machine:
            pairs["AnsweredBy"] = "machine_end_beep"
    return pairs | more


def count(door, table) -> int:
    with door.house.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def rows(door):
    return count(door, tables.cases), count(door, tables.deliveries)


def filed(door, language) -> Any:
    """A case that was filed by telephone, referred, with the dates of the table."""
    action = line_of(door.house).url(Place(Step.RECORDED, language))
    sid = f"CA{uuid4().hex}"
    door.post(action, form(sid, Step.RECORDED, Heard("#", "REbefore")))
    days = {
        "requested_datetime": datetime(FILED_ON.year, FILED_ON.month, FILED_ON.day, 9, tzinfo=UTC),
        "expected_datetime": None,
        "answer_due": datetime(EXPECTED_ON.year, EXPECTED_ON.month, EXPECTED_ON.day, 9, tzinfo=UTC),
    }
    with door.house.engine.begin() as connection:
        connection.execute(
            update(tables.cases).values(status=STATUS, administration=ADMINISTRATION, **days)
        )
    return door.rows(tables.cases)[0]


def answered(door, case, text) -> UUID:
    with door.house.engine.begin() as connection:
        row: Any = register.find_case(connection, case.tracking_code)
        now = door.house.clock()
        answers.answer_case(
            connection, row, text, author_name="A", administration=ADMINISTRATION, now=now
        )
    entry: UUID = next(row.id for row in door.rows(tables.outbox) if row.kind == "reply")
    return entry


def emptied(door):
    """Nobody has called yet; the administrations are known."""
    with door.house.engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table))
    wiring.load_administrations(door.house.settings, door.house.engine)


def tried_too_often(door):
    with door.house.engine.begin() as connection:
        for _ in range(door.house.settings.limits.code_tries + 1):
            subject = calls.digest_of(door.house, CALLER)
            throttle.record(connection, calls.SCOPE, subject, door.house.clock())


def arrange(door, turn: TurnOfACall, language: str, monkeypatch) -> dict[str, str]:
    """Make the rows of which the turn's facts are read; which id stands for which of the table."""
    if turn.facts == "kept":
        monkeypatch.setattr(intake, "normalize", lambda *_, **__: 1 / 0)
    if turn.facts in ("", "filed", "kept", "unknown"):
        return {}
    case = filed(door, language)
    told = {str(case.id): CASE}
    if turn.facts == "news":
        with door.house.engine.begin() as connection:
            entry = put(
                connection, OutboxKind.NOTIFY, "news", now=door.house.clock(), channel="voice",
                case_id=case.id, payload={"text": "x"},
            )  # fmt: skip
        return told | {str(entry): ENTRY}
    if turn.facts in ("answer", "long", "closed", "answer throttled"):
        entry = answered(door, case, LONG_TEXT if turn.facts == "long" else ANSWER_TEXT)
        told |= {str(entry): ENTRY}
    if turn.facts in ("throttled", "keyed too often", "answer throttled"):
        tried_too_often(door)
    return told


def readable(door, text: str, ids: dict[str, str]) -> str:
    """The document with its signed places told, and the ids of the table in them."""

    def told(found: re.Match[str]) -> str:
        step, language, silences, tries, entry, repeats, part = _serializer(door.house, SALT).loads(
            found[1]
        )
        entry = ids.get(entry, entry if entry in ("", ENTRY) else CASE)
        place = Place(Step(step), language, silences, tries, entry, repeats, part)
        return html.escape(readable_url(place))

    return in_lines(SIGNED.sub(told, text))


def address(door, turn: TurnOfACall, language: str, ids: dict[str, str]) -> str:
    """Where the provider posts the turn."""
    real = {stands: real for real, stands in ids.items()}
    place = turn.place(language)
    if turn.step is Step.WELCOME:
        return BASE
    entry = real.get(place.entry, place.entry)
    if turn.step is Step.ANNOUNCE:
        return f"{BASE}/answer/{entry}"
    more = dict(turn.more)
    return line_of(door.house).url(Place(turn.step, place.language, entry=entry, **more))


@pytest.mark.parametrize("language", [UNCHOSEN, "fr", "ar"])
@pytest.mark.parametrize("step", DONE)
@pytest.mark.usefixtures("drawn")
def test_the_door_says_exactly_the_expected_words_and_files_exactly_once(door, step, language):
    written = expected(language)
    tongue = "" if language == UNCHOSEN else language
    for turn in TURNS:
        if turn.step is not step or turn.name not in written:
            continue
        emptied(door)
        with pytest.MonkeyPatch.context() as patch:
            ids = arrange(door, turn, tongue, patch)
            before = rows(door)
            asked, posted = address(door, turn, tongue, ids), form("CA1", step, turn.heard)
            said = [door.post(asked, posted).text for _ in range(2)]
        assert [readable(door, text, ids) for text in said] == [written[turn.name]] * 2
        made = tuple(now - then for now, then in zip(rows(door), before, strict=True))
        assert made == {"filed": (1, 1), "kept": (0, 1)}.get(turn.facts, (0, 0)), turn.name


# --- Every place that a call can reach ------------------------------------------------------------


def reached(door, text: str) -> list[Place]:
    """The places that a document leads to."""
    found = []
    for token in SIGNED.findall(text):
        step, *more = _serializer(door.house, SALT).loads(token)
        if step != Step.RECORDING:
            found.append(Place(Step(step), *more))
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_wherever_a_call_ends_nothing_is_lost_and_nothing_doubled(door, monkeypatch):
    emptied(door)
    case = filed(door, "fr")
    entry = str(answered(door, case, LONG_TEXT))
    codes = (f"{number:012d}" for number in range(10**6))
    monkeypatch.setattr(tracking_code, "new_code", lambda *_: next(codes))
    start = [Place(Step.WELCOME), Place(Step.ANNOUNCE, entry=entry)]
    seen, todo = set(start), deque(start)
    ended = 0
    while todo:
        place = todo.popleft()
        for heard in DONE[place.step]:
            ended += 1
            said = visit(door, place, heard, ended)
            for one in reached(door, said):
                # One case that is not there is as good as another.
                known = one.entry in ("", entry, str(case.id))
                place_there = one if known else replace(one, entry=CASE)
                if place_there not in seen:
                    seen.add(place_there)
                    todo.append(place_there)

    assert {place.step for place in seen} == set(Step) - {Step.RECORDING}


def visit(door, place: Place, heard: Heard, number: int) -> str:
    """One call that does this at this place, then ends; check what it left. Returns its words."""
    with door.house.engine.begin() as connection:
        connection.execute(delete(tables.throttle))  # each is the first call of somebody
    before = rows(door)
    sid = f"CA{number:032d}"
    recording = heard.recording and f"RE{number:032d}"
    done = Heard(heard.digits, recording, heard.hung_up, heard.machine)
    url = line_of(door.house).url(place)
    if place.step is Step.ANNOUNCE:
        url = f"{BASE}/answer/{place.entry}"
    answers_ = [door.post(url, form(sid, place.step, done)) for _ in range(2)]
    assert [one.status_code for one in answers_] == [200, 200]
    assert answers_[0].text == answers_[1].text or place.step is Step.OWN_CODE
    got_it = is_served(door)
    for _ in range(2):
        over = form(sid, place.step, CallStatus="completed")
        assert door.post(f"{BASE}/status", over).status_code == 204
    cases_made, kept = (now - then for now, then in zip(rows(door), before, strict=True))
    what = f"{place} {heard}"
    assert cases_made == int(bool(recording)), what
    missed = not got_it and place.step not in OUTBOUND
    assert kept == cases_made + int(missed), what
    assert not (recording and missed), what
    return str(answers_[0].text)


def is_served(door) -> bool:
    query = select(func.count()).select_from(tables.throttle)
    with door.house.engine.connect() as connection:
        return bool(connection.scalar(query.where(tables.throttle.c.scope == recordings.SERVED)))
