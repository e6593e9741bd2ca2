# SPDX-License-Identifier: MIT
"""Recordings at the desk: one that the provider does not give is asked for until it is there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import SecretStr
from sqlalchemy import select

from channels.channel import Accepted, Delivery
from channels.errors import MalformedMessage
from channels.message import Address, AddressScheme, Attachment, ChannelName, InboundMessage
from channels.voice import transcribe as port
from channels.voice.transcribe import NotLoaded, Transcript, Word
from gateway.relay import TRANSCRIBED, Relay
from gateway.transcription import Transcription
from tracker.models import AttentionReason, attachments, case_events, cases, messages, outbox
from tracker.models import attention as items

PAGE = "/desk/attention"
#: What is told of recordings without a sure transcript.
HEARD = (
    "A machine heard this, unsurely",
    "heard no words",
    "No machine that writes recordings down is set up",
    "No machine here writes down the language",
    "does not work now",
    "no machine here can read",
)
CALLER = "+212612345678"


def wav(rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(rate), rate, format="WAV")
    return file.getvalue()


def heard(text: str, confidence: float, language: str = "fr") -> Transcript:
    words = tuple(Word(w, i, i + 0.5, confidence) for i, w in enumerate(text.split()))
    return Transcript(text, language, confidence, words, "test")


@dataclass
class Ear:
    """An engine that hears what a test says, or fails as it says."""

    hears: Transcript | Exception | None = None

    def transcribe(self, content, language, stop=port.never):
        if isinstance(self.hears, Exception):
            raise self.hears
        return self.hears


@dataclass
class Line:
    """The provider on loopback, the worker that fetches from it, and the desk that sees to it."""

    desk: Any
    base_url: str
    #: What the provider answers: a status and a body.
    gives: tuple[int, bytes] = (404, b"")
    asked: list[str] = field(default_factory=list)
    ear: Ear = field(default_factory=Ear)

    def call(self, sid: str = "RE1", caller: str = CALLER, language: str | None = "fr") -> None:
        message = InboundMessage(
            sid,
            ChannelName.VOICE,
            None,
            Address(AddressScheme.TEL, caller),
            "+2125",
            "",
            "",
            attachments=(
                Attachment("recording.wav", "audio/wav", b"", fetch_url=f"twilio-recording:{sid}"),
            ),
            language=language,
        )
        delivery = Delivery(ChannelName.VOICE, f"voice:{sid}", self.desk.clock(), "", {}, b"raw")
        assert isinstance(self.desk.house.accept(delivery, message), Accepted)

    def work(self) -> None:
        """One round of the worker."""
        house = self.desk.house
        work = Transcription(house.settings, house.engine, self.desk.clock, transcriber=self.ear)
        Relay(house.engine, house.settings, work.perform, self.desk.clock, TRANSCRIBED).drain()

    def give_up(self) -> None:
        """Let the worker try as often as it does."""
        for _ in range(self.desk.house.settings.queue.max_attempts):
            self.work()
            self.desk.clock.turn(hours=2)

    def open(self) -> list[Any]:
        return list(self.desk.rows(select(items).where(items.c.resolved_at.is_(None))))

    def entries(self) -> list[Any]:
        query = select(outbox).where(outbox.c.kind == "transcribe").order_by(outbox.c.created_at)
        return list(self.desk.rows(query))


@contextmanager
def _provider(line_of: dict[str, Line]) -> Iterator[str]:
    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            line = line_of["line"]
            line.asked.append(self.path)
            status, body = line.gives
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def line(desk) -> Iterator[Line]:
    found: dict[str, Line] = {}
    with _provider(found) as base_url:
        twilio = desk.house.settings.twilio
        twilio.account_sid, twilio.api_base_url = "AC1", base_url
        twilio.auth_tokens = [SecretStr("a token")]
        found["line"] = made = Line(desk, base_url)
        made.call()
        yield made


@pytest.mark.parametrize("gives", [(404, b""), (200, b"<html>maintenance</html>")])
def test_a_recording_that_cannot_be_fetched_is_fetched_again_from_the_desk(line, gives):
    line.gives = gives
    line.give_up()

    (item,) = line.open()
    assert item.reason == "unfetched"
    assert len(line.asked) == line.desk.house.settings.queue.max_attempts
    triage = line.desk.client("triage")
    page = triage.text(PAGE)
    assert "Recording or file not fetched" in page
    assert "Send another way" not in page
    assert triage.post(f"{PAGE}/{item.id}/send", {"way": "0"}).status_code == 404

    assert triage.post(f"{PAGE}/{item.id}/fetch").status_code == 302
    assert "Being fetched again" in triage.text(PAGE)
    assert [row.id for row in line.open()] == [item.id]
    assert line.entries()[-1].message_id == line.entries()[0].message_id

    line.gives, line.ear.hears = (200, wav()), heard("pas d'eau ici", 0.9)
    line.work()
    assert line.open() == []
    (file,) = line.desk.rows(select(attachments))
    assert file.sha256 is not None
    assert file.transcript == "pas d'eau ici"
    assert line.desk.one(select(items)).action == "fetched"


def test_what_fails_again_stays_one_item_and_is_asked_for_once_at_a_time(line):
    line.give_up()
    triage = line.desk.client("triage")
    (item,) = line.open()

    for _ in range(2):
        triage.post(f"{PAGE}/{item.id}/fetch")
    assert len(line.entries()) == 2
    line.give_up()
    assert [row.id for row in line.open()] == [item.id]
    triage = line.desk.client("triage")  # a day has passed
    assert "Being fetched again" not in triage.text(PAGE)

    line.desk.clock.turn(minutes=1)
    triage.post(f"{PAGE}/{item.id}/fetch")
    assert [row.state for row in line.entries()] == ["failed", "failed", "due"]
    told = line.desk.rows(
        select(case_events).where(case_events.c.type == "guichet.recording.not_fetched")
    )
    assert len(told) == 2
    assert f"/desk/cases/{item.case_id}" in triage.text(PAGE)
    assert "could not be fetched" in triage.text(f"/desk/cases/{item.case_id}")


def test_an_item_of_a_former_version_is_no_dead_end_either(line):
    """It was listed as a message of ours that did not arrive."""
    line.give_up()
    (item,) = line.open()
    with line.desk.house.engine.begin() as connection:
        connection.execute(items.update().values(reason=str(AttentionReason.UNDELIVERED)))
    triage = line.desk.client("triage")
    assert "Recording or file not fetched" in triage.text(PAGE)

    triage.post(f"{PAGE}/{item.id}/fetch")
    line.gives, line.ear.hears = (200, wav()), heard("pas d'eau ici", 0.9)
    line.work()

    assert line.open() == []


@pytest.mark.parametrize(("chosen", "answered_in"), [(None, "fr"), ("en", "en")])
def test_what_a_person_heard_tells_the_language_that_a_caller_did_not_choose(
    line, chosen, answered_in
):
    line.gives, line.ear.hears = (200, wav()), heard("", 0.0)
    line.work()
    line.call("RE2", language=chosen)
    line.work()
    item = line.open()[-1]
    (file,) = line.desk.rows(
        select(attachments.c.id)
        .join(messages, messages.c.id == attachments.c.message_id)
        .where(messages.c.case_id == item.case_id)
    )
    typed = {"file": str(file.id), "transcript": "Il n'y a plus d'eau dans notre quartier"}
    line.desk.client("triage").post(f"{PAGE}/{item.id}/transcribe", typed)

    (case,) = line.desk.rows(select(cases).where(cases.c.id == item.case_id))
    assert case.language == answered_in


def test_danger_that_was_heard_unsurely_stands_first(line):
    line.gives, line.ear.hears = (200, wav()), heard("pas d'eau ici", 0.3)
    line.work()
    line.desk.clock.turn(minutes=5)
    line.call("RE2")
    line.ear.hears = heard("Il y a le feu dans ma maison, au secours", 0.3)
    line.work()

    page = line.desk.client("triage").text(PAGE)

    first, second = page.split("<article")[1:]
    assert "Somebody may be in danger" in first
    assert "Nobody has been told yet which number to call" in first
    assert "Keep the transcript" in first
    assert "danger" not in second


@pytest.mark.parametrize(
    ("engine", "hears", "told"),
    [
        ("whisper", heard("pas d'eau", 0.4), "A machine heard this, unsurely"),
        ("whisper", heard("", 0.0), "heard no words"),
        ("none", None, "No machine that writes recordings down is set up"),
        ("whisper", None, "No machine here writes down the language"),
        ("whisper", NotLoaded(), "does not work now"),
        ("whisper", RuntimeError("out of memory"), "does not work now"),
        ("whisper", MalformedMessage("of 4000 samples a second"), "no machine here can read"),
    ],
)
def test_what_is_said_of_a_recording_is_true_of_it(line, engine, hears, told):
    line.gives, line.ear.hears = (200, wav()), hears
    line.desk.house.settings.voice.engine = engine
    line.work()

    page = line.desk.client("triage").text(PAGE)

    said = [one for one in (*HEARD, "No machine could write this recording down") if one in page]
    assert said == [told]
    (file,) = line.desk.rows(select(attachments))
    assert file.sha256 is not None
    assert line.entries()[0].state == "done"


def test_a_transcript_says_its_language_and_the_player_what_it_plays(line):
    line.gives, line.ear.hears = (200, wav()), heard("ما كاين الما", 0.4, "ar")
    line.work()
    triage = line.desk.client("triage")
    (file,) = line.desk.rows(select(attachments))
    (item,) = line.open()
    player = f'<audio controls preload="none" src="/desk/attachments/{file.id}" aria-label='

    for page, name in (
        (triage.text(PAGE), "Recording"),
        (triage.text(f"/desk/cases/{item.case_id}"), "Recording of \u2068November 24, 2026"),
    ):
        assert f'{player}"{name}' in page
        assert '<p class="words" dir="auto" lang="ar">ما كاين الما</p>' in page

    triage.post(f"{PAGE}/{item.id}/transcribe", {"file": str(file.id), "transcript": "pas d'eau"})
    page = triage.text(f"/desk/cases/{item.case_id}")
    assert '<p class="words" dir="auto" lang="fr">pas d&#39;eau</p>' in page
