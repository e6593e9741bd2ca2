# SPDX-License-Identifier: MIT
"""What becomes of what Whisper reads: made-up rests, passed-over speech, padding, two readings."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from channels.voice.transcribe import Word
from channels.voice.whisper import (
    Decoding,
    WhisperTranscriber,
    most_likely,
    spoken_words,
    unheard_seconds,
    without_padding,
)
from guichet_testing.sound import wav


def word(text, start, end, confidence=0.9):
    return Word(text, start, end, confidence)


SAID = [word(" C'est", 0.0, 0.4), word(" valide.", 0.4, 1.0)]


@pytest.mark.parametrize(
    ("probabilities", "language"),
    [
        ([("fr", 0.9), ("es", 0.05)], "fr"),
        ([("pt", 0.42), ("fr", 0.41)], "fr"),
        ([("fa", 0.5), ("ur", 0.3), ("ar", 0.28)], "ar"),
        ([("es", 0.94), ("en", 0.03)], "es"),
    ],
)
def test_the_language_of_a_recording_is_one_that_is_answered_unless_another_is_surer(
    probabilities, language
):
    assert most_likely(probabilities) == language


@pytest.mark.parametrize(
    "made_up",
    [
        [word(" Je", 1.4, 1.4), word(" vous", 1.4, 1.4), word(" invite", 1.4, 1.4)],
        [word(" C", 1.3, 1.4, 0.01), word("'est", 1.4, 1.4), word(" bon", 1.4, 1.45, 0.04)],
        [word(" Ça", 1.2, 1.3, 0.02), word(" va", 1.3, 1.4, 0.9)],
    ],
)
def test_a_sentence_made_up_into_the_silence_is_left_out(made_up):
    assert list(spoken_words([*SAID, *made_up], 1.5)) == SAID


@pytest.mark.parametrize(
    "spoken",
    [
        [word(" Merci.", 1.1, 1.4)],  # short, but surely heard
        [word(" Au", 1.1, 1.3, 0.05), word(" revoir.", 1.3, 3.0)],  # unsure, but not at the end
        [word(" …", 1.4, 1.4)],
        [],
    ],
)
def test_what_was_spoken_is_kept(spoken):
    seconds = 4.0 if spoken and spoken[-1].end > 2 else 1.5

    assert list(spoken_words([*SAID, *spoken], seconds)) == [*SAID, *spoken]


def test_no_words_are_no_words():
    assert list(spoken_words([], 1.0)) == []


@pytest.fixture
def resampler() -> None:
    """What brings telephone sound to the model's rate, also where the model is a simple one."""
    pytest.importorskip("soxr", reason="needs the extra whisper (make voice)")


class Model:
    """Gives segments as faster-whisper does: one by one, each read when it is asked for."""

    def __init__(self, *segments: SimpleNamespace) -> None:
        self._segments = segments
        self.read: list[str] = []
        self.seconds: list[float] = []
        self.without_prompt: tuple[SimpleNamespace, ...] = segments
        self.slower: tuple[SimpleNamespace, ...] | None = None

    def transcribe(self, samples: Any, **options: Any) -> tuple[Any, Any]:
        self.seconds.append(len(samples) / 16_000)
        segments = self._segments if options["initial_prompt"] else self.without_prompt
        if self.slower and self.seconds[-1] > self.seconds[0]:
            segments = self.slower
        return self._each(segments), SimpleNamespace(language="fr")

    def _each(self, segments: tuple[SimpleNamespace, ...]) -> Iterator[SimpleNamespace]:
        for segment in segments:
            self.read.append(segment.words[0].word)
            yield segment


def segment(
    text: str,
    start: float,
    end: float,
    likely: float = -0.2,
    probability: float = 0.9,
    no_speech: float = 0.0,
) -> SimpleNamespace:
    said = [f" {word}" for word in text.split()]
    each = (end - start) / len(said)
    words = [
        SimpleNamespace(
            word=word,
            start=start + number * each,
            end=start + (number + 1) * each,
            probability=probability,
        )
        for number, word in enumerate(said)
    ]
    return SimpleNamespace(
        words=words, start=start, end=end, avg_logprob=likely, no_speech_prob=no_speech
    )


@pytest.mark.parametrize(
    ("second", "heard", "read"),
    [
        (segment(" C'est bon.", 1.8, 1.9), "Merci beaucoup.", 1),  # nothing more can be said
        (segment(" Au revoir.", 2.2, 2.9), "Merci beaucoup. Au revoir.", 2),
        (segment(" Au revoir.", 2.5, 2.9, -1.2), "Merci beaucoup.", 2),  # it doubts it itself
        (segment(" Au revoir.", 2.2, 2.9, -1.2), "Merci beaucoup. Au revoir.", 2),
    ],
)
def test_what_is_left_after_the_speech_is_read_only_where_it_can_hold_some(
    resampler, monkeypatch, tmp_path, second, heard, read
):
    seconds = 2.0 if second.end < 2 else 3.0
    model = Model(segment(" Merci beaucoup.", 0.0, 1.7), second)
    monkeypatch.setattr("channels.voice.whisper.load", lambda _: model)
    listening = WhisperTranscriber(lambda: tmp_path, Decoding(read_twice=0))

    told = listening.transcribe(wav(np.zeros(int(seconds * 8000))), "fr")
    assert told is not None
    assert told.text == heard
    assert len(model.read) == read


BEGINNING, END = segment(" Le début.", 0.2, 4.8), segment(" La fin.", 5.2, 9.8)


def heard_by(model, monkeypatch, tmp_path, prompts):
    """Ten seconds of even sound, heard by this model."""
    monkeypatch.setattr("channels.voice.whisper.load", lambda _: model)
    sound = np.sin(np.arange(80_000) / 5) / 4
    told = WhisperTranscriber(lambda: tmp_path, Decoding(1, prompts)).transcribe(wav(sound), "fr")
    assert told is not None
    return told


def test_a_beginning_that_was_passed_over_is_read_again_without_the_prompt(
    resampler, monkeypatch, tmp_path
):
    model = Model(END)
    model.without_prompt = (BEGINNING, END)
    told = heard_by(model, monkeypatch, tmp_path, {"fr": "Parlez."})

    assert told.text == "Le début. La fin."
    assert told.confidence == pytest.approx(0.9)


@pytest.mark.parametrize("prompts", [{}, {"fr": "Parlez."}])
def test_speech_that_stays_unheard_is_left_to_a_person(resampler, monkeypatch, tmp_path, prompts):
    told = heard_by(Model(END), monkeypatch, tmp_path, prompts)

    assert told.text == "La fin."
    assert told.confidence < 0.6


def test_silence_between_words_is_not_unheard(resampler, monkeypatch, tmp_path):
    monkeypatch.setattr("channels.voice.whisper.load", lambda _: Model(END))
    sound = np.sin(np.arange(80_000) / 5) / 4
    sound[:40_000] = 0
    told = WhisperTranscriber(lambda: tmp_path).transcribe(wav(sound), "fr")

    assert told is not None
    assert told.confidence == pytest.approx(0.9)


def heard_twice(monkeypatch, tmp_path, first, slower, seconds=10, **decoding):
    """What is kept of these two readings of even sound, and the model."""
    model = Model(*first)
    model.slower = tuple(slower)
    monkeypatch.setattr("channels.voice.whisper.load", lambda _: model)
    sound = np.sin(np.arange(seconds * 8000) / 5) / 4
    told = WhisperTranscriber(lambda: tmp_path, Decoding(1, **decoding)).transcribe(
        wav(sound), "fr"
    )
    assert told is not None
    return told, model


UNSURE = segment(" Le bout.", 0.2, 4.8, probability=0.5)
UNSURER = segment(" Le goût.", 0.2, 4.8, probability=0.4)


@pytest.mark.parametrize(
    ("first", "slower", "kept"),
    [
        ([UNSURE, END], [BEGINNING, END], "Le début. La fin."),
        ([UNSURE, END], [UNSURER, END], "Le bout. La fin."),
        # Surer, but deaf to one half: words are never given up for confidence.
        ([UNSURE, END], [END], "Le bout. La fin."),
        ([END], [UNSURE, END], "Le bout. La fin."),
        ([UNSURE, END], [], "Le bout. La fin."),
    ],
)
def test_of_two_readings_the_surer_of_those_that_heard_all_is_kept(
    resampler, monkeypatch, tmp_path, first, slower, kept
):
    told, model = heard_twice(monkeypatch, tmp_path, first, slower)

    assert told.text == kept
    assert model.seconds == pytest.approx([10, 10 / 0.94], abs=0.01)


def test_times_of_the_slower_reading_are_those_of_the_recording(resampler, monkeypatch, tmp_path):
    slower = [segment(" Bonjour.", 0.0, 10 / 0.94)]
    told, _ = heard_twice(monkeypatch, tmp_path, [segment(" Bon.", 0, 10, -0.2, 0.4)], slower)

    assert [(word.text, word.start) for word in told.words] == [("Bonjour.", 0.0)]
    assert told.words[0].end == pytest.approx(10)


def test_silence_is_read_once(resampler, monkeypatch, tmp_path):
    told, model = heard_twice(monkeypatch, tmp_path, [], [BEGINNING, END])

    assert told.text == ""
    assert told.confidence == 0
    assert len(model.seconds) == 1


def test_what_was_surely_heard_is_read_once(resampler, monkeypatch, tmp_path):
    told, model = heard_twice(monkeypatch, tmp_path, [BEGINNING, END], [UNSURE, END])

    assert told.text == "Le début. La fin."
    assert len(model.seconds) == 1


@pytest.mark.parametrize("decoding", [{"read_twice": 0}, {"read_twice": 9.9}])
def test_a_longer_recording_is_read_once(resampler, monkeypatch, tmp_path, decoding):
    told, model = heard_twice(monkeypatch, tmp_path, [UNSURE, END], [BEGINNING, END], **decoding)

    assert told.text == "Le bout. La fin."
    assert len(model.seconds) == 1


def test_a_word_that_is_stretched_over_speech_hides_none_of_it():
    """The alignment has a place for every moment: what was passed over goes to a word beside it."""
    sound = np.sin(np.arange(160_000) / 5) / 4
    words = [Word(" cette", 0.8, 8.9, 0.9), Word(" fin.", 8.9, 9.8, 0.9)]

    assert unheard_seconds(sound, words) == pytest.approx(6.0, abs=0.3)
    assert unheard_seconds(sound[:32_000], [Word(" longtemps.", 0.0, 2.0, 0.9)]) == 0


def window(spoken: int) -> np.ndarray:
    """A window as faster-whisper fills it: a spectrum, and zeros behind it."""
    features = np.zeros((80, 3000), dtype=np.float32)
    features[:, :spoken] = np.random.default_rng(1).uniform(-0.9, 1.4, (80, spoken))
    return features


@pytest.mark.parametrize(
    ("spoken", "kept"), [(400, 1500), (1399, 1500), (1450, 1550), (2899, 2999), (2950, 3000)]
)
def test_behind_the_speech_lies_silence_and_little_of_it(spoken, kept):
    given = window(spoken)
    before = given.copy()
    listened = without_padding(given)

    assert listened.shape == (80, kept)
    assert (listened[:, :spoken] == before[:, :spoken]).all()
    assert (listened[:, spoken:] == before.min()).all()
    assert (given == before).all()


def test_a_full_window_and_an_empty_one_stay_what_they_are():
    full = window(3000)

    assert without_padding(full) is full or (without_padding(full) == full).all()
    assert without_padding(np.zeros((80, 3000), dtype=np.float32)).shape == (80, 1500)
