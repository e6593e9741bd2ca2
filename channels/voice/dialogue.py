# SPDX-License-Identifier: MIT
"""What a dialogue on the telephone is made of: places, what was heard, facts, turns.

Nothing here knows a provider. A renderer writes a turn down in the provider's language, an adapter
reads what the provider says was heard (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self


class Step(StrEnum):
    """Where a call is."""

    WELCOME = "welcome"
    LANGUAGE = "language"
    MENU = "menu"
    RECORD = "record"
    RECORDED = "recorded"
    RECORDING = "recording"
    CODE = "code"
    # The caller asks for their answer: code, then PIN.
    OWN_CODE = "own-code"
    OWN_PIN = "own-pin"
    OWN_ANSWER = "own-answer"
    # We called: the code alone.
    ANNOUNCE = "announce"
    ANSWER = "answer"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Place:
    """A step and what is known by then.

    Attributes:
        step: where the call is.
        language: BCP 47 tag that the caller chose, or ``""``.
        silences: prompts in a row that got no key or a wrong one.
        tries: wrong codes so far.
        entry: id of the outbox entry for which we called; of the case whose code the caller keyed;
            or ``""``.
        repeats: how often the key for "once more" was pressed.
        part: which part of a long answer is being read, from 0.
    """

    step: Step
    language: str = ""
    silences: int = 0
    tries: int = 0
    entry: str = ""
    repeats: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller did.

    Attributes:
        digits: keys pressed.
        recording: the id of the recording just made, or ``""``.
        hung_up: nobody listens any more.
        machine: an answering machine picked up a call of ours.
    """

    digits: str = ""
    recording: str = ""
    hung_up: bool = False
    machine: bool = False


class Need(StrEnum):
    """A fact that a turn waits for."""

    FILED = "filed"
    STATUS = "status"
    KEYED = "keyed"
    OWN_ANSWER = "own-answer"
    OWN_REPEAT = "own-repeat"
    ANNOUNCEMENT = "announcement"
    ANSWER = "answer"
    REPEAT = "repeat"


class CodeReading(StrEnum):
    """What a keyed code turned out to be."""

    FOUND = "found"
    UNKNOWN = "unknown"
    THROTTLED = "throttled"


class Spoken(str):
    """A text that may also be put together from recorded clips.

    Attributes:
        clips: names of clips that say the same, in order; empty: only the text says it.
    """

    __slots__ = ("clips",)
    clips: tuple[str, ...]

    def __new__(cls, text: str, clips: Sequence[str] = ()) -> Self:
        """A text with its clips."""
        made = super().__new__(cls, text)
        made.clips = tuple(clips)
        return made


@dataclass(frozen=True, slots=True)
class Filed:
    """The recording is filed: what the caller is told at once.

    Attributes:
        tracking_code: 12 digits, or ``""`` where it is kept but no case could be made yet.
        pin: 6 digits of a new case, or ``""``.
    """

    tracking_code: str
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A code was keyed. Whether it is known is told only with the PIN (design, promise 6).

    Attributes:
        case: its case's id, or another one where there is no such case.
        throttled: this caller has tried too often.
    """

    case: str
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class StatusFacts:
    """What a code alone may tell (design, promise 6): no words, no names, no answer.

    Attributes:
        reading: whether the code is known.
        status: the status in the caller's words.
        filed_on: a date in the caller's words.
        administration: its name, or what is said before there is one.
        expected_on: until when an answer is due, or ``""``.
    """

    reading: CodeReading
    status: str = ""
    filed_on: str = ""
    administration: str = ""
    expected_on: str = ""


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What a call has to say of an answer.

    Attributes:
        reading: whether what was keyed opens the case.
        text: the words to read; ``""`` before they are opened, or where there are none yet.
        text_language: their language.
        administration: who answers, or ``""``.
        is_answer: an administration's answer rather than a notice of ours.
        language: the language the call begins in.
        number: our number, digits as they are dialled, which an answering machine is told.
        text_number: the number for texts, the same way; ``""`` where there is none.
        untold_code: the tracking code, when we call because its caller hung up before hearing it.
    """

    reading: CodeReading = CodeReading.UNKNOWN
    text: str = ""
    text_language: str = ""
    administration: str = ""
    is_answer: bool = True
    language: str = ""
    number: str = ""
    text_number: str = ""
    untold_code: str = ""


Facts = Filed | Keyed | StatusFacts | AnswerFacts


@dataclass(frozen=True, slots=True)
class Turn:
    """What is said next.

    Attributes:
        document: what the provider is answered, or ``""`` while a fact is missing.
        needs: the fact to look up before asking again, or ``None``.
        reading: which part of how many of an answer, from 1, is being read to a person who opened
            it; ``None`` where none is.
        wrong_code: a wrong code, or PIN, was keyed; count it.
    """

    document: str = ""
    needs: Need | None = None
    reading: tuple[int, int] | None = None
    wrong_code: bool = False

    @property
    def read_out(self) -> bool:
        """Whether the last part of an answer is being read: it is delivered."""
        return self.reading is not None and self.reading[0] == self.reading[1]


class Say(Protocol):
    """Looks up what is said."""

    def __call__(self, language: str, key: str, **values: object) -> str:
        """The text of ``voice.<key>`` in ``language`` (BCP 47)."""
        ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """One sentence of a question: wording ``voice.<key>`` in ``language`` with its values."""

    language: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)


class Renderer(Protocol):
    """Writes one turn down, verb by verb; ``str()`` of it is the document."""

    def say(self, language: str, key: str, **values: object) -> Renderer:
        """Say the wording ``voice.<key>``."""
        ...

    def read(self, language: str, text: str) -> Renderer:
        """Read a text that is no wording of ours."""
        ...

    def spell(self, language: str, digits: str, group: int = 4) -> Renderer:
        """Speak digits one by one, with a pause after each group."""
        ...

    def ask(self, prompts: Sequence[Prompt], *, digits: int, action: str) -> Renderer:
        """Say prompts, which a key interrupts, and wait for keys.

        Args:
            prompts: what is said meanwhile.
            digits: how many keys end it. One: any key, ``#`` as well; more: ``#`` ends earlier.
            action: URL that is posted the keys; silence goes there too, with none.
        """
        ...

    def record(self, language: str, *, action: str, callback: str, nothing: str) -> Renderer:
        """Beep and record; ``nothing`` is where the call goes on when nothing was recorded."""
        ...

    def each(
        self, languages: Sequence[str], passage: Callable[[Renderer, str], object]
    ) -> Renderer:
        """Write ``passage(renderer, language)`` once a language, and nothing heard already twice.

        A language may be spoken by another that stands in for it: its passage is left out where it
        would be heard word for word as an earlier one.
        """
        ...

    def pause(self) -> Renderer:
        """A second of silence."""
        ...

    def hang_up(self) -> Renderer:
        """End the call."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """What the dialogue is given once per request.

    Attributes:
        renderer: makes an empty document.
        url: signs a place into an absolute action URL.
        keys: key → BCP 47 tag, in the order they are announced.
        emergency_numbers: told where somebody is in danger.
        part_characters: longest part of an answer that is read without asking.
    """

    renderer: Callable[[], Renderer]
    url: Callable[[Place], str]
    keys: Mapping[str, str]
    emergency_numbers: Sequence[str] = ()
    part_characters: int = 600

    def tongues(self, place: Place) -> tuple[str, ...]:
        """The languages to speak in: the chosen one, or all while none is."""
        return (place.language,) if place.language else tuple(self.keys.values())
