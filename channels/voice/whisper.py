# SPDX-License-Identifier: MIT
"""Whisper through faster-whisper: one multilingual model, on one thread, never from the network."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channels.voice.echoes import Passage, certainty, spoken
from channels.voice.sound import samples_of
from channels.voice.transcribe import (
    Interrupted,
    NotLoaded,
    Transcript,
    Word,
    mean_confidence,
    never,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

#: What the model was trained on (its own list of languages); Amazigh is not in it.
RATE = 16_000
WINDOW_SECONDS = 30
TOKENS, TOKENS_A_SECOND = 12, 7.0
#: What the longest prompt (223 tokens and the five that begin a window) leaves of 448.
MOST_TOKENS = 220
SHORTEST_WORD_SECONDS, SHORTEST_SENTENCE, AGAINST_ALL_ODDS = 0.02, 0.5, 0.1
#: Seconds: nobody says a word in less, and the alignment fails on less than two frames.
SHORTEST_SOUND = 0.1
#: Seconds, and the mean log probability of a token (faster-whisper's own threshold of doubt).
LAST_MOMENT, UNLIKELY = 0.6, -1.0
#: Seconds: how far the ends of words reach where speech is looked for without them, and how much of
#: it is left to a person.
NEAR, UNHEARD = 1.0, 2.0
#: Frames of 10 ms: the least that is listened to at once, and the silence left behind the speech.
LEAST_FRAMES, REST_FRAMES = 1_500, 100
ENDS = (".", "!", "?", "؟", "…")
#: Of its speed: how a recording is read the second time, pitch and all, when the first reading was
#: less than sure.
SLOWER, SURE = 0.94, 0.9
#: Tag → the name the model has for the nearest language it knows. Amazigh it would only mishear.
LANGUAGES: Mapping[str, str] = {"ar": "ar", "ary": "ar", "fr": "fr", "en": "en"}


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the model reads.

    Attributes:
        beam_size: readings followed at once.
        prompts: language → words that the speaker might have said before: they teach style and
            spelling, and are heard from nobody.
        read_twice: seconds up to which a recording that was not heard surely is read a second time,
            a little slower: what one reading mishears the other may not, and the surer one is kept.
    """

    beam_size: int = 5
    prompts: Mapping[str, str] = field(default_factory=dict)
    read_twice: float = WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class Reading:
    """One of the readings of a recording.

    Attributes:
        words: as they stand in the text, with their times in the recording.
        language: that the model took or found.
        missed: seconds of speech without words.
        confidence: mean over the words, 0 to 1; less where more than ``UNHEARD`` is missed.
    """

    words: tuple[Word, ...]
    language: str
    missed: float
    confidence: float

    @property
    def worth(self) -> tuple[bool, float]:
        """By this readings are compared: all of the speech first, then how sure it is."""
        return bool(self.words) and self.missed <= UNHEARD, self.confidence


class WhisperTranscriber:
    """One faster-whisper model, loaded when first needed and kept.

    Args:
        folder: where it lies, or a function that finds it and raises ``OSError`` where it cannot.
        decoding: how it reads.
    """

    def __init__(self, folder: Callable[[], Path], decoding: Decoding | None = None) -> None:
        self._folder = folder
        self._decoding = decoding or Decoding()
        self._model: Any = None
        self._engine = ""
        self._tried = False
        #: Why the model cannot be loaded; ``""``: it can, or nothing was asked of it yet.
        self._fault = ""
        self._loading = threading.Lock()

    def transcribe(
        self, content: bytes, language: str | None, stop: Callable[[], bool] = never
    ) -> Transcript | None:
        """Transcribe; without a language the model says itself which one it hears.

        ``None`` where it does not know the language.

        Raises:
            MalformedMessage: the file is no sound, or of an unusable rate.
            NotLoaded: there is no model; why not is logged once.
            Interrupted: ``stop()`` was true.
        """
        tongue = LANGUAGES.get((language or "").split("-", maxsplit=1)[0])
        if language and tongue is None:
            return None
        model = self._loaded()
        if model is None:
            raise NotLoaded(self._fault)
        sound, rate = samples_of(content, "float32")
        samples = _resampled(sound, rate)
        if len(samples) < SHORTEST_SOUND * RATE:
            return Transcript("", language or "", 0.0, (), self._engine)
        tongue = tongue or most_likely(model.detect_language(samples)[2])
        prompt = self._decoding.prompts.get(tongue, "")
        reading = self._read(model, samples, tongue, stop)
        readings = [reading]
        if reading.missed > UNHEARD and prompt:
            # Told what came before, the model now and then takes up the text far behind its
            # beginning. Without it, it begins at the beginning.
            readings.append(self._read(model, samples, tongue, stop, told=False))
        # Where there are no words at all, a second reading would only make some up.
        unsure = any(one.words for one in readings) and max(r.confidence for r in readings) < SURE
        if unsure and len(samples) <= self._decoding.read_twice * RATE:
            slower = _resampled(sound, rate, SLOWER)
            readings.append(self._read(model, slower, reading.language, stop, speed=SLOWER))
        best = max(readings, key=lambda one: one.worth)
        return Transcript(
            "".join(word.text for word in best.words).strip(),
            language or best.language,
            best.confidence * certainty(best.words, prompt),
            tuple(replace(word, text=word.text.strip()) for word in best.words),
            self._engine,
        )

    def _read(
        self,
        model: Any,
        samples: NDArray[np.generic],
        language: str | None,
        stop: Callable[[], bool],
        *,
        told: bool = True,
        speed: float = 1.0,
    ) -> Reading:
        """Read samples once, which have been brought to so much of their ``speed``."""
        seconds = len(samples) / RATE
        options = self.options(language, seconds)
        if not told:
            options["initial_prompt"] = None
        segments, about = model.transcribe(samples, language=language, **options)
        passages: list[Passage] = []
        for segment in segments:  # the work is done here, window by window
            if stop():
                raise Interrupted
            if passages and _is_made_up(segment, seconds):
                break
            heard = [
                Word(word.word, float(word.start), float(word.end), float(word.probability))
                for word in segment.words or ()
            ]
            passages.append(Passage(heard, float(segment.no_speech_prob)))
            if seconds - float(segment.end) < SHORTEST_SENTENCE:
                break  # what is left holds no sentence: the model would only make one up
        said = spoken(passages, options["initial_prompt"] or "")
        words = tuple(spoken_words(said, seconds))
        missed = unheard_seconds(samples, words)
        confidence = mean_confidence(words)
        if missed > UNHEARD:  # sure of what it heard, and deaf to the rest: a person listens
            confidence *= max(0.0, 1 - missed / seconds)
        placed = (replace(w, start=w.start * speed, end=w.end * speed) for w in words)
        return Reading(tuple(placed), str(about.language), missed, confidence)

    def options(self, language: str | None, seconds: float) -> dict[str, Any]:
        """What the engine is told, as its keywords: for a bare run beside ours as well."""
        return {
            "beam_size": self._decoding.beam_size,
            "initial_prompt": self._decoding.prompts.get(language or "") or None,
            "word_timestamps": True,
            # The same sound gives the same words: no second reading with chance in it.
            "temperature": 0.0,
            # A window that was misheard must not lead the next ones astray.
            "condition_on_previous_text": False,
            # Behind the end of a short recording lies silence, into which the model goes on
            # talking; nobody speaks faster than this.
            "max_new_tokens": min(
                TOKENS + int(TOKENS_A_SECOND * min(seconds, WINDOW_SECONDS)), MOST_TOKENS
            ),
        }

    def _loaded(self) -> Any:
        with self._loading:
            if not self._tried:
                self._tried = True
                try:
                    folder = self._folder()
                    self._model = load(folder)
                    self._engine = f"whisper {folder.name}"
                except (ImportError, OSError, RuntimeError, ValueError) as error:
                    self._fault = f"whisper cannot be loaded ({type(error).__name__})"
                    logger.error(  # noqa: TRY400 - what is missing is named, a trace tells no more
                        "whisper cannot be loaded (%s): recordings wait for a person",
                        type(error).__name__,
                    )
            return self._model


def most_likely(probabilities: Sequence[tuple[str, float]]) -> str:
    """Which language is spoken: one that is answered here, unless another is twice as likely.

    Args:
        probabilities: the model's name of each language and how probable it is, the highest first.
    """
    name, highest = probabilities[0]
    near = (other for other, probable in probabilities if 2 * probable > highest)
    return next((other for other in near if other in LANGUAGES.values()), name)


def unheard_seconds(samples: NDArray[np.generic], words: Sequence[Word]) -> float:
    """Seconds that sound like the words, and lie a second and more from either end of any of them.

    As loud as the words means: a tenth of a second of at least half their median loudness. Ends
    count because the alignment stretches a word over what was passed over beside it.
    """
    import numpy as np

    frame = RATE // 10
    count = len(samples) // frame
    if not words or not count:
        return 0.0
    loud = np.sqrt((np.reshape(samples[: count * frame], (count, frame)) ** 2).mean(axis=1))
    within, near = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for word in words:
        within[int(word.start * 10) : int(word.end * 10) + 1] = True
        for end in (word.start, word.end):
            near[max(0, int((end - NEAR) * 10)) : int((end + NEAR) * 10) + 1] = True
    if not within.any():
        return 0.0
    as_loud = loud >= np.median(loud[within]) / 2
    return float((as_loud & ~near).sum() / 10)


def _is_made_up(segment: Any, seconds: float) -> bool:
    """Whether the model does not believe itself what it heard in the last moment of the sound."""
    return seconds - float(segment.start) < LAST_MOMENT and float(segment.avg_logprob) < UNLIKELY


def spoken_words(words: Sequence[Word], seconds: float) -> Sequence[Word]:
    """The words without a last sentence that was made up into the silence after the speech.

    What was not spoken has no place in the sound: the alignment lays its words on one instant; or
    the sentence begins against all odds and would have to be said in less than half a second.
    """
    words = _placed(words)
    for end in _sentence_ends(words[:-1])[-2:]:
        first = words[end]
        if first.confidence < AGAINST_ALL_ODDS and seconds - first.start < SHORTEST_SENTENCE:
            return words[:end]
    return words


def _placed(words: Sequence[Word]) -> Sequence[Word]:
    last = len(words)
    while last and (_takes_no_time(words[last - 1]) or not _sounds(words[last - 1])):
        last -= 1
    if not any(_takes_no_time(word) and _sounds(word) for word in words[last:]):
        return words
    ends = _sentence_ends(words[:last])
    return words[: ends[-1]] if ends else words[:last]


def _sentence_ends(words: Sequence[Word]) -> list[int]:
    return [i for i, word in enumerate(words, 1) if word.text.rstrip().endswith(ENDS)]


def _takes_no_time(word: Word) -> bool:
    return word.end - word.start < SHORTEST_WORD_SECONDS


def _sounds(word: Word) -> bool:
    return any(character.isalnum() for character in word.text)


def without_padding(features: NDArray[np.generic]) -> NDArray[np.generic]:
    """The spectrum of a window, of shape (bands, frames), without what fills it up to 30 s.

    faster-whisper fills it with zeros, which are no silence but a faint hiss, and the model listens
    to all of it: of a short recording most of the work is hiss, into which it goes on talking. Here
    follows silence (the least value there is): a second, and more only up to half a window.
    """
    import numpy as np

    filled = np.flatnonzero(features.any(axis=-2))
    spoken = int(filled[-1]) + 1 if len(filled) else 0
    kept = min(max(spoken + REST_FRAMES, LEAST_FRAMES), features.shape[-1])
    if not spoken or spoken == features.shape[-1]:
        return features[..., :kept]
    shorter = features[..., :kept].copy()
    shorter[..., spoken:] = features[..., :spoken].min()
    return shorter


def load(folder: Path) -> Any:
    """The model of a folder on one thread, never from the network, that listens to no padding.

    Raises:
        ImportError: faster-whisper is not installed (the extra ``whisper``).
        OSError, RuntimeError, ValueError: the folder holds no model.
    """
    model = load_bare(folder)
    listen = model.encode
    model.encode = lambda features: listen(without_padding(features))
    return model


def load_bare(folder: Path) -> Any:
    """The same as faster-whisper has it, to measure ours beside.

    Raises: as :func:`load`.
    """
    from faster_whisper import WhisperModel

    if not (folder / "model.bin").is_file():
        raise FileNotFoundError("the folder holds no model.bin")
    return WhisperModel(
        str(folder),
        device="cpu",
        compute_type="int8",
        cpu_threads=1,
        num_workers=1,
        local_files_only=True,
    )


def _resampled(samples: NDArray[np.generic], rate: int, speed: float = 1.0) -> NDArray[np.generic]:
    """The samples at the model's rate, played at so much of their speed."""
    if rate * speed == RATE:
        return samples
    import soxr

    resampled: NDArray[np.generic] = soxr.resample(samples, rate * speed, RATE)
    return resampled
