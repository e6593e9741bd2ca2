# SPDX-License-Identifier: MIT
"""From a recording to a transcript, a route or a person: once, whoever dies or is late."""

import http.server
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.message import Address, AddressScheme, Attachment, ChannelName, InboundMessage
from channels.voice import transcribe as port
from channels.voice.transcribe import Interrupted, Transcript, Word
from config import country
from config.settings import Settings
from gateway import wiring
from gateway.cli import guichet
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.relay import TRANSCRIBED, Relay
from gateway.sweeper import Sweeper
from gateway.transcription import Transcription
from gateway.wiring import build_workshop
from tracker import outbox as outbox_room
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import attachments, attention, case_events, cases, messages, outbox


def wav() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(8000), 8000, format="WAV")
    return file.getvalue()


@dataclass
class Engineer:
    """An engine that hears what a test says; it may be held in the middle of its work."""

    hears: Transcript | None = None
    languages: list[str | None] = field(default_factory=list)
    meanwhile: Any = None

    def transcribe(self, content, language, stop=port.never):
        self.languages.append(language)
        if self.meanwhile is not None:
            self.meanwhile()
        if stop():
            raise Interrupted
        return self.hears


def heard(text="pas d'eau ici", confidence=0.9) -> Transcript:
    words = tuple(Word(w, i, i + 0.5, confidence) for i, w in enumerate(text.split()))
    return Transcript(text, "fr", confidence, words, "test")


@dataclass
class World:
    """A register with one recording on it, and the worker that listens."""

    engine: Engine
    settings: Settings
    intake: Intake
    ear: Engineer
    stopped: bool = False

    def relay(self) -> Relay:
        work = Transcription(
            self.settings,
            self.engine,
            wiring.now,
            transcriber=self.ear,
            stop=lambda: self.stopped,
        )
        work._content = lambda *_, **__: wav()  # type: ignore[method-assign]
        return Relay(self.engine, self.settings, work.perform, wiring.now, TRANSCRIBED)

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(table).where(*where)))

    def call(self, language: str | None = "fr") -> None:
        sid = f"RE{uuid4().hex}"
        message = InboundMessage(
            sid,
            ChannelName.VOICE,
            None,
            Address(AddressScheme.TEL, "+212612345678"),
            "+2125",
            "",
            "",
            attachments=(
                Attachment("recording.wav", "audio/wav", b"", fetch_url=f"twilio-recording:{sid}"),
            ),
            language=language,
        )
        delivery = Delivery(ChannelName.VOICE, f"voice:{sid}", wiring.now(), "", {}, b"raw")
        assert isinstance(self.intake.accept(delivery, message), Accepted)


@pytest.fixture
def world(database_url: str, tmp_path) -> Iterator[World]:
    engine = open_engine(database_url)
    upgrade(engine)
    settings = Settings(
        profile="demo",
        data_dir=tmp_path,
        database={"url": database_url},
        web={"secret_keys": ["k" * 40]},
        queue={"redis_url": "redis://127.0.0.1:1/0", "lease_seconds": 0.6},
    )
    morocco = country.load("ma")
    writer = GroupCommit(engine)
    made = World(engine, settings, Intake(writer, Planner(settings, morocco), morocco), Engineer())
    made.call()
    yield made
    writer.close()
    engine.dispose()


def test_a_caller_who_chose_no_language_is_answered_in_the_one_heard(world):
    world.relay().drain()
    world.call(language=None)
    before = world.rows(cases)[-1]
    world.ear.hears = heard()
    world.relay().drain()

    assert before.language == "ar"
    assert world.ear.languages == ["fr", None]
    assert world.rows(cases)[-1].language == "fr"
    assert world.rows(messages)[-1].language == "fr"


@pytest.mark.parametrize(
    ("confidence", "language", "detail"),
    [(0.4, "fr", "unsure (40%)"), (0.9, "es", "nobody is answered in")],
)
def test_a_language_that_was_only_guessed_at_changes_nothing(world, confidence, language, detail):
    world.relay().drain()
    world.call(language=None)
    world.ear.hears = replace(heard(confidence=confidence), language=language)
    world.relay().drain()

    assert world.rows(cases)[-1].language == "ar"
    assert world.rows(outbox, outbox.c.kind == "route") == []
    assert detail in world.rows(attention)[-1].detail


def test_sure_words_are_kept_and_routed(world):
    world.ear.hears = heard()
    world.relay().drain()

    (file,) = world.rows(attachments)
    (route,) = world.rows(outbox, outbox.c.kind == "route")
    assert (file.transcript_state, file.transcript) == ("done", "pas d'eau ici")
    assert file.transcript_data["words"][0] == ["pas", 0, 0.5, 0.9]
    assert file.transcript_data["confidence"] == 0.9
    assert route.payload == {"transcript": "pas d'eau ici"}
    assert world.ear.languages == ["fr"]
    assert world.rows(attention) == []


@pytest.mark.parametrize(
    ("hears", "state", "reason"),
    [
        (heard(confidence=0.4), "done", "unsure (40%)"),
        (heard(""), "done", "no words were heard"),
        (None, "awaiting", "awaits transcription"),
    ],
)
def test_what_is_unsure_waits_for_a_person(world, hears, state, reason):
    world.ear.hears = hears
    world.relay().drain()

    (file,) = world.rows(attachments)
    (item,) = world.rows(attention)
    assert (file.transcript_state, item.reason) == (state, "untranscribed")
    assert reason in item.detail
    assert file.sha256 is not None  # the sound is kept all the same
    assert world.rows(outbox, outbox.c.kind == "route") == []


@pytest.mark.parametrize(
    ("words", "urgent"),
    [
        ("Il y a le feu dans ma maison, au secours, ma mère est coincée", True),
        ("pas d'eau ici", False),
    ],
)
def test_danger_is_raised_however_unsurely_it_was_heard(world, words, urgent):
    world.ear.hears = heard(words, confidence=0.3)
    world.relay().drain()

    (item,) = world.rows(attention)
    assert (item.reason, item.urgent) == ("untranscribed", urgent)


def test_no_machine_routes_beside_an_unsure_word_of_danger(world):
    """Two recordings of one call: of the one it is sure, of the other it is not."""
    (file,) = world.rows(attachments)
    second = {**file._mapping, "id": uuid4(), "position": 1}
    with world.engine.begin() as connection:
        connection.execute(attachments.insert(), second)
    said = iter([heard(), heard("Au feu, au secours, la maison brûle", confidence=0.3)])
    world.ear.transcribe = lambda *_: next(said)
    world.relay().drain()

    (item,) = world.rows(attention)
    assert item.urgent
    assert world.rows(outbox, outbox.c.kind == "route") == []


def test_a_stop_in_the_middle_is_begun_anew(world):
    world.ear.hears = heard()
    world.ear.meanwhile = lambda: setattr(world, "stopped", True)
    world.relay().drain(lambda: world.stopped)
    assert world.rows(attachments)[0].transcript_state == "awaiting"

    world.stopped, world.ear.meanwhile = False, None
    (entry,) = world.rows(outbox, outbox.c.kind == "transcribe")
    assert entry.state == "due"
    world.relay().drain()
    assert world.rows(attachments)[0].transcript_state == "done"


def test_stops_are_no_attempts(world):
    """However often workers are stopped: the recording is not given up for it."""
    world.ear.meanwhile = lambda: setattr(world, "stopped", True)
    for _ in range(world.settings.queue.max_attempts + 2):
        world.stopped = False
        with world.engine.begin() as connection:
            connection.execute(outbox.update().values(not_before=wiring.now()))
        assert world.relay().batch() == 1

    (entry,) = world.rows(outbox, outbox.c.kind == "transcribe")
    assert (entry.state, entry.attempts) == ("due", 0)
    assert world.rows(attention) == []


def test_a_recording_that_kills_its_workers_comes_before_a_person(world):
    with world.engine.begin() as connection:
        connection.execute(
            outbox.update().where(outbox.c.kind != "transcribe").values(state="done")
        )
    now = wiring.now()
    sweeper = Sweeper(
        world.settings, world.engine, build_workshop(world.settings).dispatcher, lambda: now
    )
    for _ in range(3):
        with world.engine.begin() as connection:
            assert outbox_room.claim(
                connection,
                kinds=TRANSCRIBED,
                limit=1,
                lease_seconds=60,
                worker="killed",
                now=now,
            )
        now += timedelta(seconds=61)
        sweeper.free_dead_claims(now)

    (entry,) = world.rows(outbox, outbox.c.kind == "transcribe")
    assert (entry.state, entry.last_error) == ("failed", "its worker died 3 times")
    (item,) = world.rows(attention)
    assert (item.case_id, item.outbox_id) == (entry.case_id, entry.id)


def test_a_claim_is_held_while_the_work_goes_on(world):
    """The sweeper must not take a long transcription for a dead one."""
    freed: list[bool] = []
    passed = threading.Event()

    def two_leases_later():
        (before,) = world.rows(outbox, outbox.c.kind == "transcribe")
        while not passed.wait(0.02):
            (now,) = world.rows(outbox, outbox.c.kind == "transcribe")
            if now.claimed_until > before.claimed_until + timedelta(seconds=0.6):
                passed.set()
            with world.engine.begin() as connection:
                outbox_room.free_expired(connection, wiring.now())
            freed.append(now.state != "claimed")

    world.ear.hears, world.ear.meanwhile = heard(), two_leases_later
    world.relay().drain()

    assert not any(freed)
    assert len(world.ear.languages) == 1


def test_a_late_twin_changes_nothing(world):
    """A worker taken for dead finishes beside the one that took its place: one transcript."""
    world.ear.hears = heard()

    def twin():
        world.ear.meanwhile = None
        with world.engine.begin() as connection:
            connection.execute(outbox.update().values(state="due"))
        world.relay().drain()

    world.ear.meanwhile = twin
    world.relay().drain()

    events = world.rows(case_events, case_events.c.type.like("%transcribed%"))
    assert len(world.ear.languages) == 2
    assert len(events) == len(world.rows(outbox, outbox.c.kind == "route")) == 1


def test_pending_recordings_are_caught_up_with(world, monkeypatch):
    """First no engine; then there is one, and a person need not listen any more."""
    world.relay().drain()
    assert len(world.rows(attention, attention.c.resolved_at.is_(None))) == 1

    world.ear.hears = heard()
    monkeypatch.setattr("gateway.worker.Transcription", lambda *_, **__: _performing(world))
    monkeypatch.setattr("gateway.worker.wiring.build_workshop", lambda _: world)
    settings = world.settings.model_copy(
        update={"voice": world.settings.voice.model_copy(update={"engine": "vosk"})}
    )
    monkeypatch.setattr("gateway.commands.transcribe.stand_back", lambda _: None)
    run = guichet.commands["transcribe"]
    done = CliRunner().invoke(run, ["--pending", "--json"], obj=settings)

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"asked": 1, "still_waiting": 0}
    assert world.rows(attention, attention.c.resolved_at.is_(None)) == []
    assert len(world.rows(outbox, outbox.c.kind == "route")) == 1


def _performing(world: World) -> Transcription:
    work = Transcription(world.settings, world.engine, wiring.now, transcriber=world.ear)
    work._content = lambda *_, **__: wav()  # type: ignore[method-assign]
    return work


@pytest.fixture
def cutting() -> Iterator[str]:
    """The address of a host that always cuts recordings off, as a lost connection does."""

    class Cutting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)  # without a length: the end of the connection is the end
            self.end_headers()
            self.wfile.write(wav()[:4000])

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cutting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_recording_that_stays_cut_off_is_kept_after_the_last_try(world, cutting):
    twilio = world.settings.twilio.model_copy(
        update={"account_sid": "AC1", "api_base_url": cutting}
    )
    queue = world.settings.queue.model_copy(update={"max_attempts": 3})
    settings = world.settings.model_copy(update={"twilio": twilio, "queue": queue})
    passed = timedelta()
    work = Transcription(settings, world.engine, wiring.now, transcriber=world.ear)
    relay = Relay(world.engine, settings, work.perform, lambda: wiring.now() + passed, TRANSCRIBED)
    for _ in range(2):
        relay.drain()
        assert world.rows(outbox, outbox.c.kind == "transcribe")[0].state == "due"
        assert world.rows(attachments)[0].sha256 is None
        passed += timedelta(hours=2)
    relay.drain()

    assert world.rows(outbox, outbox.c.kind == "transcribe")[0].state == "done"
    assert world.rows(attachments)[0].size == 4000


def test_a_command_without_an_engine_says_what_to_set(world):
    run = guichet.commands["transcribe"]
    done = CliRunner().invoke(run, ["--pending"], obj=world.settings)

    assert done.exit_code == 1
    assert "GUICHET_VOICE__ENGINE" in done.output
