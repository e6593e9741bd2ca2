# SPDX-License-Identifier: MIT
"""Without a queue the sweeper has recordings worked off beside it, and ends them when it ends."""

import http.server
import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, select

from channels.channel import Accepted, Delivery
from channels.message import Address, AddressScheme, Attachment, ChannelName, InboundMessage
from config import country
from config.settings import Settings, load
from gateway import wiring
from gateway.doorbell import TRANSCRIBE
from gateway.intake import Intake
from gateway.planning import Planner
from gateway.sweeper import Sweeper
from gateway.transcribing import Transcribing
from gateway.worker import work_off
from guichet_testing.gateway import until
from guichet_testing.sound import wav
from tracker.database import open_engine
from tracker.group_commit import GroupCommit
from tracker.migrations import upgrade
from tracker.models import attachments, outbox


@dataclass
class Provider:
    """Keeps recordings, and may be silent about them until it is told to speak."""

    url: str
    asked: threading.Event = field(default_factory=threading.Event)
    speaks: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def provider() -> Iterator[Provider]:
    class Recordings(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.set()
            made.speaks.wait(60)
            sound = wav(np.zeros(800))
            self.send_response(200)
            self.send_header("Content-Length", str(len(sound)))
            self.end_headers()
            self.wfile.write(sound)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recordings)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed worker hangs up
    made = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.speaks.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class World:
    """A recording on record, a queue server that does not answer, and a sweeper."""

    settings: Settings
    engine: Engine
    sweeper: Sweeper
    beside: Transcribing

    def size(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(attachments.c.size)) or 0

    def states(self) -> list[str]:
        with self.engine.connect() as connection:
            query = select(outbox.c.state).where(outbox.c.kind == "transcribe")
            return list(connection.scalars(query))


@pytest.fixture
def world(tmp_path, monkeypatch, provider) -> Iterator[World]:
    for name, value in {
        "PROFILE": "demo",
        "DATA_DIR": str(tmp_path),
        "WEB__SECRET_KEYS": '["' + "k" * 40 + '"]',
        "QUEUE__REDIS_URL": "redis://127.0.0.1:1/0",
        "TWILIO__ACCOUNT_SID": "AC1",
        "TWILIO__AUTH_TOKENS": '["secret"]',
        "TWILIO__API_BASE_URL": provider.url,
    }.items():
        monkeypatch.setenv(f"GUICHET_{name}", value)
    settings = load(None)
    engine = open_engine(settings.database_url)
    upgrade(engine)
    morocco = country.load("ma")
    writer = GroupCommit(engine)
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
        language="fr",
    )
    delivery = Delivery(ChannelName.VOICE, f"voice:{sid}", wiring.now(), "", {}, b"raw")
    taken = Intake(writer, Planner(settings, morocco), morocco).accept(delivery, message)
    assert isinstance(taken, Accepted)
    workshop = wiring.build_workshop(settings, engine)
    sweeper = Sweeper(settings, engine, workshop.dispatcher, wiring.now)
    beside = sweeper._transcribing = Transcribing(settings, longest_stop_seconds=0.5)
    yield World(settings, engine, sweeper, beside)
    sweeper.stop()
    writer.close()
    engine.dispose()


def test_recordings_are_worked_off_beside_the_sweeper(world, provider):
    provider.speaks.set()
    world.sweeper.sweep()

    until(lambda: world.size() > 0, what="the recording")
    until(lambda: not world.beside.running, what="the end of the process")
    assert world.states() == ["done"]


def test_a_round_does_not_wait_for_a_recording_nor_does_a_stop(world, provider):
    """The provider is silent until the very end: only a process that is ended can be over."""
    world.sweeper.sweep()
    until(provider.asked.is_set, what="the question")
    first = world.beside._child
    world.sweeper.sweep()

    assert world.beside._child is first
    assert world.beside.running
    world.sweeper.stop()
    assert not world.beside.running
    assert world.size() == 0
    assert world.states() == ["due"]  # it was given back, and is done again


def test_it_stands_back(world, provider):
    world.sweeper.sweep()
    until(provider.asked.is_set, what="the question")

    assert world.beside._child is not None
    niceness = os.getpriority(os.PRIO_PROCESS, world.beside._child.pid)
    assert niceness >= world.settings.voice.niceness


def test_it_begins_nothing_more_when_the_sweeper_is_gone(world, provider, monkeypatch):
    parents = itertools.chain([4321], itertools.repeat(1))
    monkeypatch.setattr("gateway.worker.os.getppid", lambda: next(parents))
    monkeypatch.setattr("gateway.worker.stand_back", lambda _: None)
    work_off(world.settings, TRANSCRIBE, lambda: False)

    assert world.states() == ["due"]
    assert not provider.asked.is_set()
