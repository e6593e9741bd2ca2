# SPDX-License-Identifier: MIT
"""Recordings and media come from the configured host only, and only as what they should be."""

import base64
import io
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from channels.errors import MalformedMessage, Rejected, Unreachable
from channels.voice import recording
from channels.voice.transcribe import Interrupted, NotLoaded, NoTranscriber
from channels.voice.vosk import VoskTranscriber, transcript_of

AUTH = ("AC1", "secret")


def wav(rate=8000, seconds=1, subtype="PCM_16"):
    """A second of silence as a sound file."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(rate * seconds), rate, format="WAV", subtype=subtype)
    return file.getvalue()


def fetch(answer, sid="RE1", max_bytes=100_000, **more):
    """Fetch from a host that answers with ``answer``; give the result and the requests."""
    asked = []

    def respond(request):
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(respond)
    content = recording.fetch(
        "AC1", sid, "http://api.test/", AUTH, max_bytes, transport=transport, **more
    )
    return content, asked


@pytest.mark.parametrize("sid", ["RE1", "twilio-recording:RE1"])
def test_a_recording_is_fetched_by_its_ids(sid):
    sound = wav()
    content, (request,) = fetch(httpx.Response(200, content=sound), sid)

    assert content == sound
    assert str(request.url) == "http://api.test/2010-04-01/Accounts/AC1/Recordings/RE1.wav"
    token = base64.b64encode(b"AC1:secret").decode()
    assert request.headers["authorization"] == f"Basic {token}"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<xml/>"),
        httpx.Response(401),
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_what_may_pass_is_tried_again(answer):
    with pytest.raises(Unreachable):
        fetch(answer)


@pytest.mark.parametrize("status", [302, 307, 410])
def test_a_redirect_is_not_followed_with_the_token(status):
    with pytest.raises(Rejected):
        fetch(httpx.Response(status, headers={"Location": "http://evil.test/"}))


@pytest.mark.parametrize(
    "content",
    [b"<?xml version='1.0'?><Error/>", b"<html>maintenance</html>", b"", b"RIFF\x00", b"\x00" * 99],
)
def test_what_is_no_sound_is_told_and_tried_again(content):
    with pytest.raises(Unreachable, match="no sound"):
        fetch(httpx.Response(200, content=content))


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a host that answers at once and then gives a byte now and then."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
            while not over.wait(0.02):
                try:
                    peer.sendall(b"x")
                except OSError:  # nobody listens any more
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join()


def test_a_host_that_drips_holds_nobody_for_ever(dripping):
    with pytest.raises(Unreachable, match="slowly"):
        recording.fetch("AC1", "RE1", dripping, AUTH, 100_000, longest_seconds=0.2)


def test_a_stop_gives_a_fetch_up(dripping):
    with pytest.raises(Interrupted):
        recording.fetch("AC1", "RE1", dripping, AUTH, 100_000, stop=lambda: True)


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
@pytest.mark.parametrize("length", [-1, 1000, 44, 40])
def test_a_recording_that_is_cut_off_is_tried_again(subtype, length):
    cut = wav(subtype=subtype)[:length]

    assert recording.is_cut(cut)
    if length > 100:
        with pytest.raises(Unreachable, match="less sound"):
            fetch(httpx.Response(200, content=cut))
        assert fetch(httpx.Response(200, content=cut), even_cut=True)[0] == cut


def unknown_length(size):
    """A WAV written while the sound still came: its header tells no length."""
    whole = bytearray(wav())
    at = whole.index(b"data") + 4
    whole[at : at + 4] = size.to_bytes(4, "little")
    return bytes(whole)


def flac():
    file = io.BytesIO()
    soundfile.write(file, np.zeros(800), 8000, format="FLAC")
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        wav(),
        wav(subtype="ULAW"),
        wav() + b"LIST\x02\x00\x00\x00ab",
        unknown_length(0xFFFFFFFF),
        unknown_length(0x7FFFFFFF),
        unknown_length(0),
        flac(),
    ],
)
def test_a_whole_recording_is_not_taken_for_a_cut_one(content):
    assert not recording.is_cut(content)


@pytest.mark.parametrize("sid", ["", "http://169.254.169.254/", "RE1/../x", "RE1?x", "RÉ1"])
def test_what_is_no_id_is_never_asked_for(sid):
    with pytest.raises(MalformedMessage):
        fetch(httpx.Response(200, content=wav()), sid)


def test_a_recording_over_the_limit_is_refused():
    with pytest.raises(MalformedMessage, match="larger"):
        fetch(httpx.Response(200, content=wav()), max_bytes=1000)


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "ALAW"])
def test_telephone_sound_of_every_kind_is_sound(subtype):
    assert recording.check(wav(subtype=subtype)) == pytest.approx(1.0)


def test_words_are_joined_with_their_confidence():
    results: list[dict[str, Any]] = [
        {"text": "bonjour", "result": [{"word": "bonjour", "start": 0, "end": 0.5, "conf": 1.0}]},
        {"text": ""},
        {"text": "eau", "result": [{"word": "eau", "start": 1, "end": 1.2, "conf": 0.5}]},
    ]
    heard = transcript_of(results, "fr", "vosk small")

    assert (heard.text, heard.confidence, len(heard.words)) == ("bonjour eau", 0.75, 2)
    assert transcript_of([{"text": ""}], "fr", "vosk").confidence == 0.0


def test_without_an_engine_or_a_language_a_recording_waits(tmp_path):
    vosk = VoskTranscriber({"fr": str(tmp_path / "missing")})

    assert NoTranscriber().transcribe(wav(), "fr") is None
    assert vosk.transcribe(wav(), None) is None
    assert vosk.transcribe(wav(), "ar") is None
    with pytest.raises(NotLoaded):
        vosk.transcribe(wav(), "fr")


@pytest.mark.parametrize("content", [b"no sound", wav(rate=4000)])
def test_an_engine_is_not_fed_what_it_cannot_hear(tmp_path, content):
    with pytest.raises(MalformedMessage):
        VoskTranscriber({"fr": str(tmp_path)}).transcribe(content, "fr-MA")


def test_a_folder_that_is_no_model_is_told_once_and_the_recording_waits(tmp_path, caplog):
    pytest.importorskip("vosk")
    vosk = VoskTranscriber({"fr": str(tmp_path)})

    for _ in range(2):
        with pytest.raises(NotLoaded):
            vosk.transcribe(wav(), "fr")
    assert caplog.text.count("cannot be loaded") == 1
