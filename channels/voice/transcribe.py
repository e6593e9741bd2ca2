# SPDX-License-Identifier: MIT
"""From a recording to a transcript, which is a hint beside the recording and never the record.

One small protocol; ``channels.voice.vosk`` and ``channels.voice.whisper`` fulfil it. Without an
engine the recording stays "awaiting transcription"; none is ever needed to file a complaint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Interrupted(Exception):  # noqa: N818 - it is no error: the process was asked to stop
    """The work was given up in the middle, because ``stop()`` said so. Nothing is known of it."""


class NotLoaded(Exception):  # noqa: N818 - the name is the sentence
    """The engine or its model cannot be loaded: it is broken, or not installed."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word heard: when (seconds from the start) and how surely (0 to 1)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a machine heard.

    Attributes:
        text: the words; ``""`` when it heard none.
        language: BCP 47 tag of the model that listened.
        confidence: mean over the words, 0 to 1; 0 without words.
        words: each word with its time.
        engine: name of the engine and the model's folder.
    """

    text: str
    language: str
    confidence: float
    words: tuple[Word, ...]
    engine: str


def mean_confidence(words: tuple[Word, ...]) -> float:
    """The mean over the words; 0 without words."""
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def never() -> bool:
    """Nobody asks to stop."""
    return False


class Transcriber(Protocol):
    """Listens to recordings."""

    def transcribe(
        self, content: bytes, language: str | None, stop: Callable[[], bool] = never
    ) -> Transcript | None:
        """Transcribe a sound file.

        Args:
            content: a file that libsndfile reads (WAV, FLAC, OGG, MP3).
            language: BCP 47 tag the caller chose, or ``None``.
            stop: asked now and then; true gives the work up.

        Returns:
            The transcript, or ``None`` where nothing speaks that language: keep waiting.

        Raises:
            MalformedMessage: the file is no sound, or of an unusable rate.
            NotLoaded: what speaks that language cannot be loaded.
            Interrupted: ``stop()`` was true.
        """
        ...


class NoTranscriber:
    """No engine: every recording awaits transcription."""

    def transcribe(
        self, content: bytes, language: str | None, stop: Callable[[], bool] = never
    ) -> Transcript | None:
        """Return ``None``."""
        return None
