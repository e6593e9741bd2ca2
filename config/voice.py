# SPDX-License-Identifier: MIT
"""Settings of the voice line: what it sounds like, when it calls, and who listens to recordings."""

from __future__ import annotations

import tomllib
from datetime import time
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from config.wording import ANSWERED_IN
from config.wording import HERE as WORDING

#: Prompts of languages that are spoken by recorded clips: one TOML file a BCP 47 tag.
SPOKEN = Path(__file__).parent / "spoken"
CATALOGUE = Path(__file__).parent / "voice_models.toml"


class Voice(BaseModel):
    """The voice line."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["none", "vosk", "whisper"] = "none"
    models: dict[str, str] = Field(
        default_factory=dict,
        description="BCP 47 tag → model folder, for vosk; those installed by "
        "`guichet voice models install` are used without being named",
    )
    whisper_model: str = Field(
        "", description="folder of a faster-whisper model; empty: joined from the extra's packages"
    )
    beam_size: int = Field(5, ge=1, le=20, description="how many readings whisper follows at once")
    read_twice_seconds: float = Field(
        30,
        ge=0,
        description="recordings up to so long of which whisper is not sure are read twice, the "
        "second time a little slower, and the surer reading is kept; 0: never",
    )
    speaks_like: dict[str, str] = Field(
        default_factory=dict,
        description="language → words that whisper takes for said before the recording; they teach "
        "it how such words are written. Not given: what the line says before the beep; empty: none",
    )
    confident: float = Field(
        0.75, ge=0, le=1, description="below this a person listens before a case is routed"
    )
    niceness: int = Field(15, ge=0, le=19, description="how far transcriptions stand back")
    model_hosts: list[str] = Field(
        default=["alphacephei.com"], description="hosts that models may be installed from"
    )
    catalogue: str = Field("", description="TOML of models; empty: the shipped one")
    max_recording_seconds: int = 300
    max_recording_bytes: int = 40_000_000
    fetch_seconds: float = Field(
        120,
        gt=0,
        description="longest time that fetching a recording takes; then it is tried again",
    )
    language_keys: dict[str, str] = Field(
        default_factory=lambda: {"1": "ar", "2": "fr", "3": "en", "4": "ary", "5": "zgh"},
        description="key → BCP 47 tag, in the order they are announced",
    )
    say_voices: dict[str, str] = Field(
        default_factory=lambda: {
            "ar": "Polly.Zeina",
            "fr": "Polly.Lea",
            "en": "Polly.Amy",
        },
        description="BCP 47 tag → voice of <Say>",
    )
    say_languages: dict[str, str] = Field(
        default_factory=lambda: {"ar": "arb", "fr": "fr-FR", "en": "en-GB"},
        description="BCP 47 tag → language of <Say>; it must fit the voice",
    )
    clips: str = Field(
        "", description="folder of recorded prompts, a folder a language; empty: none"
    )
    part_characters: int = Field(
        600, ge=100, le=4000, description="longest part of an answer read without asking"
    )
    call_from: time = Field(time(9), description="from when citizens are called, local time")
    call_until: time = Field(
        time(20), description="until when; the same as call_from: at any hour (as in the demo)"
    )
    call_tries: int = Field(
        3, ge=1, le=10, description="calls for one answer while the line is busy or rings out"
    )
    call_again_minutes: float = Field(30.0, gt=0, description="between two of them")
    tell_code_minutes: float = Field(
        2.0,
        gt=0,
        description="until who hung up before the code was told, and gets no texts, is called",
    )
    callback_minutes: float = Field(
        15.0,
        gt=0,
        description="when the provider is asked how a call of ours ended that it told no end of",
    )
    machine_detection: bool = Field(
        default=True, description="let the provider tell answering machines from people"
    )

    @model_validator(mode="after")
    def _keys_are_keys(self) -> Self:
        """One digit each, and neither 0 (once more) nor one twice."""
        bad = [key for key in self.language_keys if len(key) != 1 or key not in "123456789"]
        if bad or not self.language_keys:
            raise ValueError("language_keys: each key must be one digit from 1 to 9")
        return self

    @model_validator(mode="after")
    def _languages_are_worded(self) -> Self:
        """Else callers who chose one of them would hear another, by which nobody can go."""
        worded = languages_of_line()
        unknown = [
            tag
            for tag in self.language_keys.values()
            if tag not in worded and tag.split("-", maxsplit=1)[0] not in worded
        ]
        if unknown:
            raise ValueError(
                f"language_keys: the line has no words in {', '.join(unknown)}; "
                f"it has them in {', '.join(sorted(worded))}"
            )
        return self


def languages_of_line() -> frozenset[str]:
    """The tags in which the line has words: to be said, to be recorded, or said in another's."""
    said = {file.parent.name for file in WORDING.glob("*/voice.toml")}
    recorded = {file.stem for file in SPOKEN.glob("*.toml")}
    return frozenset({*said, *recorded, *ANSWERED_IN})


def spoken_prompts(language: str) -> dict[str, str]:
    """The prompts to be recorded in ``language``; empty where the wording has them itself."""
    file = SPOKEN / f"{language}.toml"
    if not language.replace("-", "").isalnum() or not file.is_file():
        return {}
    return {key: str(text) for key, text in tomllib.loads(file.read_text("utf-8")).items()}
