# SPDX-License-Identifier: MIT
"""From a recording to a transcript, which is a hint beside the recording and never the record.

Vosk (Apache-2.0) runs on telephone sound as it is, 8 kHz. Without a model the recording stays
"awaiting transcription"; no engine is ever needed to file a complaint.
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import soundfile

from channels.errors import MalformedMessage

logger = logging.getLogger(__name__)

#: Telephone sound; more is fine for a model, less is no speech.
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
_BLOCK_FRAMES = 4_000


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


class Transcriber(Protocol):
    """Listens to recordings."""

    def transcribe(self, content: bytes, language: str | None) -> Transcript | None:
        """Transcribe a sound file.

        Args:
            content: a file that libsndfile reads (WAV, FLAC, OGG, MP3).
            language: BCP 47 tag the caller chose, or ``None``.

        Returns:
            The transcript, or ``None`` where nothing speaks that language: keep waiting.

        Raises:
            MalformedMessage: the file is no sound.
        """
        ...


class NoTranscriber:
    """No engine: every recording awaits transcription."""

    def transcribe(self, content: bytes, language: str | None) -> Transcript | None:
        """Return ``None``."""
        return None


class VoskTranscriber:
    """Vosk, with one model a language, loaded when first needed and kept.

    Args:
        models: BCP 47 tag → folder of a model. Always a folder: by language name Vosk would
            download one.
    """

    def __init__(self, models: Mapping[str, str]) -> None:
        self._folders = dict(models)
        self._models: dict[str, Any] = {}
        self._loading = threading.Lock()

    def transcribe(self, content: bytes, language: str | None) -> Transcript | None:
        """Transcribe with the model of ``language``, or of its primary language.

        ``None`` also where the engine or the model cannot be loaded: that is logged, and the
        recording awaits transcription; a person can hear it.

        Raises:
            MalformedMessage: the file is no sound, or of an unusable rate.
        """
        tag = self._tag(language)
        if tag is None:
            return None
        try:
            samples, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            raise MalformedMessage("the recording is no sound that can be read") from error
        # Vosk says nothing of a wrong rate, it only mishears; so the true one is given and checked.
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise MalformedMessage(f"the recording has {rate} samples a second")
        mono = samples[:, 0].copy()
        model = self._model(tag)
        if model is None:
            return None
        from vosk import KaldiRecognizer

        recognizer = KaldiRecognizer(model, float(rate))
        recognizer.SetWords(True)
        results: list[dict[str, Any]] = [
            json.loads(recognizer.Result())
            for start in range(0, len(mono), _BLOCK_FRAMES)
            if recognizer.AcceptWaveform(mono[start : start + _BLOCK_FRAMES].tobytes())
        ]
        results.append(json.loads(recognizer.FinalResult()))
        return _transcript(results, tag, f"vosk {Path(self._folders[tag]).name}")

    def _tag(self, language: str | None) -> str | None:
        """The model for a language; a wrong model hears only noise, so none is guessed."""
        if not language:
            return None
        primary = language.split("-")[0]
        return next((tag for tag in (language, primary) if tag in self._folders), None)

    def _model(self, tag: str) -> Any:
        with self._loading:
            if tag not in self._models:
                self._models[tag] = _load(tag, Path(self._folders[tag]))
            return self._models[tag]


def _load(tag: str, folder: Path) -> Any:
    """A model, or ``None`` where it cannot be loaded (remembered, so that it is told once)."""
    if not folder.is_dir():
        logger.error("no speech model folder for %s: its recordings wait for a person", tag)
        return None
    try:
        import vosk

        vosk.SetLogLevel(-1)  # Kaldi prints what it reads of a model to stderr
        return vosk.Model(model_path=str(folder))
    except Exception:  # Vosk raises a bare Exception for a folder that is no model
        logger.exception("the speech model for %s cannot be loaded", tag)
        return None


def _transcript(results: list[dict[str, Any]], tag: str, engine: str) -> Transcript:
    words = tuple(
        Word(str(w["word"]), float(w["start"]), float(w["end"]), float(w["conf"]))
        for result in results
        for w in result.get("result", ())
    )
    text = " ".join(str(r.get("text", "")) for r in results if r.get("text")).strip()
    confidence = sum(word.confidence for word in words) / len(words) if words else 0.0
    return Transcript(text, tag, confidence, words, engine)
