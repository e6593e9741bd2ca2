# SPDX-License-Identifier: MIT
"""Vosk (Apache-2.0): runs on telephone sound as it is, 8 kHz, one model a language."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from channels.voice.sound import samples_of
from channels.voice.transcribe import (
    Interrupted,
    NotLoaded,
    Transcript,
    Word,
    mean_confidence,
    never,
)

logger = logging.getLogger(__name__)

_BLOCK_FRAMES = 4_000


class VoskTranscriber:
    """Vosk, with one model a language, loaded when first needed and kept.

    Args:
        models: BCP 47 tag → folder of a model. Always a folder: by language name Vosk would
            download one.
    """

    def __init__(self, models: Mapping[str, str]) -> None:
        self._folders = dict(models)
        self._models: dict[str, Any] = {}
        #: Why a model cannot be loaded; ``""``: it can, or nothing was asked of it yet.
        self._fault = ""
        self._loading = threading.Lock()

    def transcribe(
        self, content: bytes, language: str | None, stop: Callable[[], bool] = never
    ) -> Transcript | None:
        """Transcribe with the model of ``language``, or of its primary language.

        ``None`` where there is no model for it.

        Raises:
            MalformedMessage: the file is no sound, or of an unusable rate.
            NotLoaded: engine or model cannot be loaded; why not is logged once.
            Interrupted: ``stop()`` was true.
        """
        tag = self._tag(language)
        if tag is None:
            return None
        mono, rate = samples_of(content, "int16")
        model = self._model(tag)
        if model is None:
            raise NotLoaded(self._fault)
        from vosk import KaldiRecognizer

        recognizer = KaldiRecognizer(model, float(rate))
        recognizer.SetWords(True)
        results: list[dict[str, Any]] = []
        for start in range(0, len(mono), _BLOCK_FRAMES):
            if stop():
                raise Interrupted
            if recognizer.AcceptWaveform(mono[start : start + _BLOCK_FRAMES].tobytes()):
                results.append(json.loads(recognizer.Result()))
        results.append(json.loads(recognizer.FinalResult()))
        return transcript_of(results, tag, f"vosk {Path(self._folders[tag]).name}")

    def _tag(self, language: str | None) -> str | None:
        """The model for a language; a wrong model hears only noise, so none is guessed."""
        if not language:
            return None
        primary = language.split("-", maxsplit=1)[0]
        return next((tag for tag in (language, primary) if tag in self._folders), None)

    def _model(self, tag: str) -> Any:
        with self._loading:
            if tag not in self._models:
                self._models[tag] = _load(tag, Path(self._folders[tag]))
                if self._models[tag] is None:
                    self._fault = f"the speech model of vosk for {tag} cannot be loaded"
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


def transcript_of(results: list[dict[str, Any]], tag: str, engine: str) -> Transcript:
    """Vosk's results in a row as one transcript."""
    words = tuple(
        Word(str(w["word"]), float(w["start"]), float(w["end"]), float(w["conf"]))
        for result in results
        for w in result.get("result", ())
    )
    text = " ".join(str(r.get("text", "")) for r in results if r.get("text")).strip()
    return Transcript(text, tag, mean_confidence(words), words, engine)
