# SPDX-License-Identifier: MIT
"""One telephone, several cases: filed first, threaded rightly, moved by one word, nothing lost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, Row, Table, select

from channels.channel import Accepted, Delivery
from channels.message import Address, AddressScheme, ChannelName, InboundMessage
from config import country
from config.settings import Settings
from gateway.intake import Intake
from gateway.planning import Planner
from tracker import opt_outs, register
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import case_events, cases, messages, outbox

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMINA, OMAR = "+212612345678", "+212687654321"


def subject_of(words: str) -> str | None:
    """The administration that a word plainly names."""
    for word, slug in (("eau", "water"), ("lampadaire", "town"), ("école", "school")):
        if word in words:
            return slug
    return None


@dataclass
class Phone:
    """Texts to an intake whose clock is turned by hand."""

    engine: Engine
    intake: Intake
    now: datetime = START

    def text(self, words: str, *, after: float = 0.0, sender: str = AMINA, **more: Any) -> Accepted:
        """Send a text, so many minutes after the one before."""
        self.now += timedelta(minutes=after)
        channel = more.pop("channel", ChannelName.SMS)
        key = more.pop("key", f"sms:{uuid4()}")
        sid = f"SM{uuid4().hex}"
        who = Address(AddressScheme.TEL, sender)
        message = InboundMessage(sid, channel, self.now, who, "+2125", "", words, **more)
        answer = self.intake.accept(Delivery(channel, key, self.now, "", {}, b"raw"), message)
        assert isinstance(answer, Accepted)
        return answer

    def rows(self, table: Table, *where: Any) -> list[Row[Any]]:
        """Rows of a table, the oldest first."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(table).where(*where).order_by(table.c.id)).all())

    def case(self, code: str | None) -> Row[Any]:
        """The case that a code finds."""
        assert code is not None
        with self.engine.connect() as connection:
            found = register.find_case(connection, code)
        assert found is not None
        return found

    def words(self, code: str | None) -> list[str]:
        """What its citizen wrote in the case of a code."""
        return [
            m.text
            for m in self.rows(messages, messages.c.case_id == self.case(code).id)
            if m.author == "citizen"
        ]

    def change(self, code: str | None, **values: Any) -> None:
        """Change a case as the desk does."""
        case_id = self.case(code).id
        with self.engine.begin() as connection:
            connection.execute(cases.update().where(cases.c.id == case_id).values(**values))

    def notices(self) -> list[str]:
        """What was put out to be told, the oldest first."""
        told = self.rows(outbox, outbox.c.kind == "notify")
        return [entry.payload["notice"] for entry in told]

    def asked_beside(self) -> list[str]:
        """The other code that each acknowledgement asks about, or ``""``."""
        told = self.rows(outbox, outbox.c.kind == "acknowledge")
        return [entry.payload.get("other", "") for entry in told]


def phone_with(engine: Engine, **sms: Any) -> Iterator[Phone]:
    settings = Settings(profile="demo", web={"secret_keys": ["k" * 40]}, sms=sms)
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    yield Phone(engine, Intake(writer, Planner(settings, morocco, subject_of), morocco))
    writer.close()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty database, migrated."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def phone(engine: Engine) -> Iterator[Phone]:
    """A telephone, with the settings as they come."""
    yield from phone_with(engine)


def test_one_complaint_in_several_texts_is_one_case(phone: Phone) -> None:
    """Each within five minutes of the one before; told once which case they went to."""
    first = phone.text("Pas d'eau depuis lundi dans tout le quartier")
    for words in ("Rue des Orangers, au fond", "Les voisins n'ont plus d'eau non plus"):
        assert phone.text(words, after=4).tracking_code == first.tracking_code

    assert len(phone.rows(cases)) == 1
    assert len(phone.words(first.tracking_code)) == 3
    assert phone.notices() in (["joined"], ["joined", "joined"])


def test_a_code_alone_is_answered_in_the_language_of_its_case(phone: Phone) -> None:
    """Digits are of no language, and the country's first is not everybody's."""
    code = phone.text("Pas d'eau depuis lundi dans tout le quartier").tracking_code
    assert code is not None
    for words in (code, f"{code[:4]} {code[4:8]} {code[8:]}", f"Où en est mon dossier {code} ?"):
        phone.text(words, after=60)

    told = phone.rows(outbox, outbox.c.kind == "notify")
    assert [entry.payload["notice"] for entry in told] == ["status"] * 3
    assert [entry.payload["language"] for entry in told] == ["", "", "fr"]
    assert phone.case(code).language == "fr"


@pytest.mark.parametrize(
    ("words", "minutes"),
    [("Le lampadaire de ma rue est éteint", 1), ("Il y a une fuite au coin", 6)],
)
def test_another_subject_or_a_later_text_is_a_case_of_its_own(
    phone: Phone, words: str, minutes: int
) -> None:
    """Filed first and linked; the acknowledgement asks whether it goes on with the other."""
    first = phone.text("Pas d'eau depuis lundi")
    second = phone.text(words, after=minutes)

    assert second.tracking_code != first.tracking_code
    assert phone.case(second.tracking_code).linked_to == phone.case(first.tracking_code).id
    assert phone.asked_beside() == ["", first.tracking_code]


@pytest.mark.parametrize("values", [{"status": "referred"}, {"administration": "water"}])
def test_what_was_referred_takes_no_further_text_by_itself(
    phone: Phone, values: dict[str, str]
) -> None:
    """An administration at work is not handed words that may be another matter."""
    first = phone.text("Pas d'eau depuis lundi")
    phone.change(first.tracking_code, **values)

    assert phone.text("Rue des Orangers", after=1).tracking_code != first.tracking_code


def test_the_window_is_a_setting(engine: Engine) -> None:
    """At 0 no text is joined."""
    for phone in phone_with(engine, same_case_minutes=0):
        phone.text("Pas d'eau depuis lundi")
        phone.text("Rue des Orangers")

        assert len(phone.rows(cases)) == 2


def test_another_telephone_is_nobody_elses(phone: Phone) -> None:
    """Nor is a number that somebody typed into a form."""
    first = phone.text("Pas d'eau depuis lundi")
    other = phone.text("Rue des Orangers", sender=OMAR)
    phone.change(first.tracking_code, contact_confirmed=False)
    third = phone.text("Rue des Orangers", after=1)

    codes = {first.tracking_code, other.tracking_code, third.tracking_code}
    assert len(codes) == len(phone.rows(cases)) == 3
    assert [case.linked_to for case in phone.rows(cases)] == [None] * 3


@pytest.mark.parametrize("word", ["SUITE", "same", "نفس القضية", "La même affaire."])
def test_one_word_merges_a_case_into_the_one_before(phone: Phone, word: str) -> None:
    """Both codes find one case with every word in it; its legal clock is the older one's."""
    first = phone.text("Pas d'eau depuis lundi")
    deadline = phone.case(first.tracking_code).expected_datetime
    second = phone.text("C'est au 12, rue des Orangers", after=60)
    phone.text(word, after=1)

    one = phone.case(first.tracking_code)
    assert phone.case(second.tracking_code).id == one.id
    assert (one.tracking_code, one.expected_datetime) == (first.tracking_code, deadline)
    assert phone.words(second.tracking_code) == [
        "Pas d'eau depuis lundi",
        "C'est au 12, rue des Orangers",
    ]
    assert phone.notices() == ["merged"]
    told = [e.data["into_code"] for e in phone.rows(case_events) if e.type == "guichet.case.merged"]
    assert told == [first.tracking_code] * 2
    asked = phone.text(str(second.tracking_code), after=1)
    assert asked.tracking_code == second.tracking_code
    assert phone.notices() == ["merged", "status"]


@pytest.mark.parametrize("word", ["AUTRE", "other", "أخرى", "Une autre affaire"])
def test_one_word_splits_a_joined_text_off(phone: Phone, word: str) -> None:
    """It becomes a case of its own, acknowledged, with the clock of its own receipt."""
    first = phone.text("Pas d'eau depuis lundi")
    key = f"sms:{uuid4()}"
    joined = phone.text("Et le maire ne répond pas", after=2, key=key)
    assert joined.tracking_code == first.tracking_code
    phone.text(word, after=10)

    old, new = phone.rows(cases)
    assert phone.words(old.tracking_code) == ["Pas d'eau depuis lundi"]
    assert phone.words(new.tracking_code) == ["Et le maire ne répond pas"]
    assert new.linked_to == old.id
    assert new.requested_datetime == START + timedelta(minutes=2)
    assert len(phone.asked_beside()) == 2
    again = phone.text("Et le maire ne répond pas", key=key)
    assert (again.repeated, again.tracking_code) == (True, new.tracking_code)


def test_a_move_is_made_once_and_only_for_a_day(phone: Phone) -> None:
    """Later, or with nothing to move, the words are a text like any other: kept."""
    first = phone.text("Pas d'eau depuis lundi")
    phone.text("Rue des Orangers", after=60)
    for _ in range(3):
        phone.text("La même affaire", after=1)
    merged = [e for e in phone.rows(case_events) if e.type == "guichet.case.merged"]
    assert len(merged) == 2  # one move, on both timelines
    assert phone.words(first.tracking_code)[2:] == ["La même affaire"] * 2

    later = phone.text("Le lampadaire est cassé", after=10)
    late = phone.text("La même affaire", after=25 * 60)
    assert phone.words(late.tracking_code) == ["La même affaire"]
    assert phone.case(later.tracking_code).merged_into is None


@pytest.mark.parametrize("text", ["un viol hier soir", "السلام عليكم الواد", "baraka mn dolm"])
def test_what_only_looks_like_a_command_is_filed(phone: Phone, text: str) -> None:
    """A word that nobody knows may be all there is of a complaint (design, promise 5)."""
    filed = phone.text(text)

    assert phone.words(filed.tracking_code) == [text]


def test_danger_is_no_command_whatever_it_looks_like(phone: Phone) -> None:
    """Some words for *save me* have the letters of words for *leave me*."""
    filed = phone.text("عتقوني")

    assert phone.words(filed.tracking_code) == ["عتقوني"]


def test_thanks_with_odd_words_beside_a_code_are_kept(phone: Phone) -> None:
    """They are the citizen's, and say more than thanks."""
    first = phone.text("Pas d'eau depuis lundi")
    said = f"{first.tracking_code} merci bien, les gars ont fignolé ça nickel"
    phone.text(said, after=60)

    assert said in phone.words(first.tracking_code)


def test_three_words_answer_a_question(phone: Phone) -> None:
    """The case waits for its citizen: a short text goes there, a long one is a case of its own."""
    first = phone.text("Pas d'eau depuis lundi")
    phone.change(first.tracking_code, status="waiting_for_citizen", administration="water")

    assert phone.text("Oui demain matin", after=600).tracking_code == first.tracking_code
    assert phone.case(first.tracking_code).status == "in_progress"
    long = phone.text("Le chantier voisin fait du bruit toute la nuit", after=600)
    assert long.tracking_code != first.tracking_code


@pytest.mark.parametrize("word", ["code", "رمز", "suivi", "Mon code svp"])
def test_my_last_code_is_told_to_its_own_telephone(phone: Phone, word: str) -> None:
    """Codes and states of the open cases of that number, nothing else, and no case is made."""
    first = phone.text("Pas d'eau depuis lundi")
    second = phone.text("Le lampadaire est cassé", after=60)
    closed = phone.text("La route est coupée", after=60)
    phone.change(closed.tracking_code, status="closed")
    phone.text("Bruit de chantier", sender=OMAR)
    phone.text(word, after=1)
    phone.text(word, after=1, sender="+212600000009")

    own, stranger = phone.rows(outbox, outbox.c.kind == "notify")
    assert (own.payload["notice"], own.recipient) == ("own_cases", AMINA)
    assert own.payload["cases"] == [
        {"code": second.tracking_code, "status": "received"},
        {"code": first.tracking_code, "status": "received"},
    ]
    assert stranger.payload["notice"] == "own_none"
    assert len(phone.rows(cases)) == 4


def test_a_place_on_whatsapp_becomes_the_place_of_the_case(phone: Phone) -> None:
    """Also when it is sent after the words, as people do; a later one replaces nothing."""
    first = phone.text("Nid de poule dangereux", channel=ChannelName.WHATSAPP)
    for place in ("Marjane · 33.9716, -6.8498", "Ailleurs · 34.0, -6.0"):
        told = phone.text(place, after=1, channel=ChannelName.WHATSAPP, fields={"location": place})
        assert told.tracking_code == first.tracking_code

    assert phone.case(first.tracking_code).location == "Marjane · 33.9716, -6.8498"
    assert len(phone.words(first.tracking_code)) == 3


def test_a_place_alone_is_filed_though_it_is_only_digits(phone: Phone) -> None:
    """Twelve digits of degrees are no code with a slip."""
    place = "33.971612, -6.849813"
    told = phone.text(place, channel=ChannelName.WHATSAPP, fields={"location": place})

    assert phone.case(told.tracking_code).location == place


def test_an_answer_to_one_of_our_messages_joins_its_case(phone: Phone) -> None:
    """WhatsApp says which message was answered; from another telephone that proves nothing."""
    first = phone.text("Pas d'eau depuis lundi", channel=ChannelName.WHATSAPP)
    case_id = phone.case(first.tracking_code).id
    with phone.engine.begin() as connection:
        register.add_message(
            connection,
            case_id,
            {
                "direction": "outbound",
                "author": "system",
                "channel": "whatsapp",
                "text": "Plainte enregistrée",
                "date": phone.now,
                "message_id": "SM77",
            },
        )
    words = "C'est revenu mais elle est marron"
    answer: dict[str, Any] = {"channel": ChannelName.WHATSAPP, "in_reply_to": ("SM77",)}
    own = phone.text(words, after=600, **answer)
    stranger = phone.text(words, after=1, sender=OMAR, **answer)

    assert own.tracking_code == first.tracking_code
    assert stranger.tracking_code != first.tracking_code


@pytest.mark.parametrize(("out", "again"), [("arrêt", "start"), ("توقف", "استئناف")])
def test_an_opt_out_is_remembered_for_its_address_until_it_is_taken_back(
    phone: Phone, out: str, again: str
) -> None:
    """On its own channel, and no case is made of it."""

    def silent() -> frozenset[tuple[str, str]]:
        with phone.engine.connect() as connection:
            return opt_outs.among(connection, [AMINA, OMAR])

    phone.text(out)
    phone.text(out, after=1)
    assert silent() == {("sms", AMINA)}
    phone.text(again, after=1)
    assert silent() == frozenset()
    assert phone.rows(cases) == []


@pytest.mark.parametrize(
    ("word", "silent"), [("STOP", {("sms", AMINA)}), ("START", set()), ("HELP", set())]
)
def test_what_the_provider_answered_is_remembered_and_not_answered(
    phone: Phone, word: str, silent: set[tuple[str, str]]
) -> None:
    """OptOutType: Twilio has told them already."""
    phone.text(word, fields={"opt_out_type": word})

    with phone.engine.connect() as connection:
        assert opt_outs.among(connection, [AMINA]) == silent
    assert phone.rows(cases) == phone.rows(outbox) == []


def test_a_message_of_a_group_sees_the_case_before_it(phone: Phone) -> None:
    """Two texts of one telephone in one commit are still one complaint."""
    who = Address(AddressScheme.TEL, AMINA)
    first = InboundMessage("SM1", ChannelName.SMS, START, who, "+2125", "", "Pas d'eau ici")
    texts = [replace(first, message_id=f"SM{n}", text=f"Pas d'eau ici, {n}") for n in range(6)]
    waiting = [
        phone.intake.submit(Delivery(ChannelName.SMS, f"sms:{n}", START, "", {}, b"raw"), text)
        for n, text in enumerate(texts)
    ]
    answers = [one.result(30) for one in waiting]

    assert all(isinstance(answer, Accepted) for answer in answers)
    assert len(phone.rows(cases)) == 1
    assert len(phone.rows(messages)) == 6


def test_a_question_in_words_that_nobody_knows_is_answered_and_kept(phone: Phone) -> None:
    """Perhaps they say more. The case goes on as it was; a plain question leaves nothing."""
    first = phone.text("Pas d'eau depuis lundi")
    phone.change(first.tracking_code, status="answered", administration="water")
    phone.text(f"quel est l'etat de ma plainte {first.tracking_code}")
    odd = f"quel est l'etat zarbi de ma plainte {first.tracking_code}"
    phone.text(odd)
    phone.text(odd, sender=OMAR)

    assert phone.notices() == ["status"] * 3
    assert phone.words(first.tracking_code) == ["Pas d'eau depuis lundi", odd]
    assert phone.case(first.tracking_code).status == "answered"
