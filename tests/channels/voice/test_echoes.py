# SPDX-License-Identifier: MIT
"""Noise and tones become no words of ours; what a person says or repeats is kept."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from channels.voice.echoes import Passage, certainty, spoken
from channels.voice.transcribe import Word
from channels.voice.whisper import WhisperTranscriber
from channels.voice.whisper_parts import joined
from config.voice import Voice
from gateway.listening import decoding_of
from guichet_testing.sound import wav

CLIPS = Path("/usr/share/asterisk/sounds/fr_CA_f_June")
RATE = 8000
PROMPT = "بعد سماع الإشارة، اذكروا اسمكم. وعند الانتهاء، اضغطوا على مفتاح المربع."
HELP = "Au secours, au secours, au secours !"
FIVE = "Au secours ! " * 5


def said(text: str) -> list[Word]:
    return [Word(f" {word}", 0.0, 1.0, 0.9) for word in text.split()]


def kept(*passages: tuple[str, float], prompt: str = PROMPT) -> str:
    given = [Passage(said(text), no_speech) for text, no_speech in passages]
    return "".join(word.text for word in spoken(given, prompt)).strip()


@pytest.mark.parametrize(
    ("text", "no_speech"),
    [
        ("وعند الانتهاء، " * 9 + "وعند الان", 0.97),
        ("وعند", 0.96),
        ("اضغطوا على مفتاح المربع.", 0.62),
        ("أشياء " * 20 + "أش", 0.85),
        ("كيف تتمنى أن " + "تتمنى أن " * 12, 0.88),
        ("Beep. " * 8, 0.81),
        ("嗚" * 12, 0.8),
        (". .", 0.0),
        ("", 0.0),
    ],
)
def test_what_a_model_says_into_noise_is_no_transcript(text, no_speech):
    assert kept((text, no_speech)) == ""


def test_a_loop_that_is_cut_into_passages_is_one():
    assert kept(*[("Beep.", 0.81)] * 5) == ""
    assert kept(("Il n'y a plus d'eau.", 0.1), *[("Beep.", 0.81)] * 5) == "Il n'y a plus d'eau."


@pytest.mark.parametrize(
    "passage",
    [
        (HELP, 0.1),
        (FIVE.strip(), 0.7),  # in a noise as loud as the voice
        ("Au secours, au secours.", 0.9),
        ("اضغطوا على مفتاح المربع.", 0.3),  # a person says so
        ("Il y a un feu. Beep beep beep.", 0.9),  # words beside the loop
        ("06 66 66 66 66", 0.9),
        ("Il y a le feu dans notre immeuble, venez ! " * 8 + "Vite.", 0.8),
    ],
)
def test_what_may_have_been_said_is_kept(passage):
    assert kept(passage) == passage[0]


def test_without_a_prompt_its_words_are_words_like_others():
    assert kept(("اضغطوا على مفتاح المربع.", 0.9), prompt="") == "اضغطوا على مفتاح المربع."


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        (HELP, 1.0),
        ("", 1.0),
        ("Il n'y a plus d'eau depuis trois jours, plus d'eau, plus d'eau, plus d'eau.", 1.0),
        ("06 66 66 66 66", 1.0),
        ("بعد سماع الإشارة لا يوجد ماء.", 1.0),
        (FIVE, 0.0),
        ("اضغطوا على مفتاح المربع", 0.0),
        ("Je dis que " + "voilà " * 9, 0.15),
    ],
)
def test_what_only_repeats_is_not_to_be_relied_on(text, sure):
    assert certainty(said(text), PROMPT) == pytest.approx(sure, abs=0.03)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory) -> WhisperTranscriber:
    """The engine as it is set up, but for a narrower beam: it hears the same here."""
    pytest.importorskip("faster_whisper", reason="needs the extra whisper (make voice)")
    models = tmp_path_factory.mktemp("models")
    return WhisperTranscriber(lambda: joined(models), decoding_of(Voice(beam_size=1)))


def noise(seconds: float, loud: float) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(int(RATE * seconds)) * loud


def busy() -> np.ndarray:
    """The tone of a busy line."""
    time = np.arange(RATE * 8) / RATE
    return 0.3 * np.sin(2 * np.pi * 425 * time) * (time % 1 < 0.5)


@pytest.mark.parametrize(
    ("sound", "language"),
    [(noise(8, 0.01), "ar"), (noise(3, 0.2), "ar"), (busy(), "ar"), (busy(), "en")],
    ids=["hiss", "loud noise", "busy line", "busy line in English"],
)
def test_no_words_are_heard_where_nobody_speaks(whisper, sound, language):
    heard = whisper.transcribe(wav(sound), language)

    assert heard is not None
    assert (heard.text, heard.words, heard.confidence) == ("", (), 0.0)


def test_a_person_may_repeat_themselves(whisper):
    file = CLIPS / "vm-goodbye.wav"
    if not file.is_file():
        pytest.skip("needs human speech (Debian: apt install asterisk-core-sounds-fr-wav)")
    once, rate = soundfile.read(io.BytesIO(file.read_bytes()))
    heard = whisper.transcribe(wav(np.tile(once, 3), rate), "fr")

    assert heard is not None
    assert heard.text.lower().count("au revoir") == 3
    assert heard.confidence > 0.7


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_what_the_line_itself_says_is_known_as_its_echo(language):
    prompt = decoding_of(Voice()).prompts[language]

    assert certainty(said(prompt), prompt) == 0
