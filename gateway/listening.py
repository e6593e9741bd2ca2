# SPDX-License-Identifier: MIT
"""Which engine listens to recordings, with which models, by the settings."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from channels.voice.transcribe import NoTranscriber, Transcriber
from channels.voice.vosk import VoskTranscriber
from channels.voice.whisper import LANGUAGES, Decoding, WhisperTranscriber
from channels.voice.whisper_parts import joined
from config.voice import CATALOGUE, Voice
from config.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings

#: What the line says last before it records.
BEFORE_THE_BEEP, SENTENCES = "voice.record", 2
_SENTENCE_END = re.compile(r"(?<=[.!?؟])\s+")


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue.

    Attributes:
        name: also its folder's name.
        engine: vosk or whisper.
        languages: BCP 47 tags.
        url: of a ZIP file; ``""`` where packages of the index hold it.
        package: those packages, or ``""``.
        bytes: about how large the download is.
        licence: SPDX identifier.
        sha256: of the download, or ``""`` where its maker publishes none.
    """

    name: str
    engine: str
    languages: tuple[str, ...]
    bytes: int
    licence: str
    url: str = ""
    package: str = ""
    sha256: str = ""


def catalogue(settings: Settings) -> dict[str, Model]:
    """The models that may be installed.

    Raises:
        ValueError: the operator's catalogue does not fit.
        OSError: it cannot be read.
    """
    file = Path(settings.voice.catalogue) if settings.voice.catalogue else CATALOGUE
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
        return {
            name: Model(name=name, **{**entry, "languages": tuple(entry["languages"])})
            for name, entry in read.items()
        }
    except (TypeError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error


def models_folder(settings: Settings) -> Path:
    """Where models are installed."""
    return settings.data_dir.resolve() / "models"


def vosk_models(settings: Settings) -> Mapping[str, str]:
    """Language → folder: what is installed, and above it what the settings name."""
    folder = models_folder(settings)
    installed = {
        language: str(folder / model.name)
        for model in catalogue(settings).values()
        if model.engine == "vosk" and (folder / model.name).is_dir()
        for language in model.languages
    }
    return installed | settings.voice.models


def whisper_folder(settings: Settings) -> Path:
    """The folder of the Whisper model, joined from the extra's packages at the first call.

    Raises:
        OSError: the extra is not installed, or the folder cannot be written.
    """
    if settings.voice.whisper_model:
        return Path(settings.voice.whisper_model)
    return joined(models_folder(settings))


def transcriber_of(settings: Settings) -> Transcriber:
    """The engine of these settings; it loads its model when the first recording comes."""
    match settings.voice.engine:
        case "vosk":
            return VoskTranscriber(vosk_models(settings))
        case "whisper":
            decoding = decoding_of(settings.voice)
            return WhisperTranscriber(lambda: whisper_folder(settings), decoding)
    return NoTranscriber()


def decoding_of(voice: Voice) -> Decoding:
    """How Whisper reads: after what every caller heard before the beep, or the operator's words.

    A recording goes on where the line left off. The model, which was trained to go on with a text,
    writes such words as the line itself says (*touche dièse*) as they are written there. Its last
    sentences do that better than all of it.
    """
    heard = {tag: _last_words(Wording().text(tag, BEFORE_THE_BEEP)) for tag in LANGUAGES.values()}
    return Decoding(voice.beam_size, heard | voice.speaks_like, voice.read_twice_seconds)


def _last_words(prompt: str) -> str:
    return " ".join(_SENTENCE_END.split(prompt.strip())[-SENTENCES:])
