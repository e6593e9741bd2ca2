# SPDX-License-Identifier: MIT
# ruff: noqa: ARG001 - every step takes the same four things, so that one table holds them all
"""The dialogue of the voice line: a pure function (place, what was heard, facts) → TwiML.

::

    welcome ─▶ language ─▶ menu ─1─▶ record ─▶ recorded: code and PIN, twice ─▶ end
                 │           └──2─▶ code ─▶ status, or unknown (three tries) ─▶ end
                 └── no key, wrong key: twice more, then record anyway (file first, ask after)

    a call of ours ─▶ announce ─▶ answer: the code keyed ─▶ the answer is read, twice if wished

Nothing is looked up here. A turn that wants a fact says so in ``needs``; the gateway finds it and
asks again with it. A place travels in the next action's URL, which the gateway signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from channels.voice.speech import Say, Sound, Speech

REPEATS = 2
TRIES = 3
CODE_DIGITS = 12


class Step(StrEnum):
    """Where a call is."""

    WELCOME = "welcome"
    LANGUAGE = "language"
    MENU = "menu"
    RECORD = "record"
    RECORDED = "recorded"
    RECORDING = "recording"
    CODE = "code"
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
        entry: id of the outbox entry for which we called, or ``""``.
    """

    step: Step
    language: str = ""
    silences: int = 0
    tries: int = 0
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller did.

    Attributes:
        digits: keys pressed; ``"hangup"`` when they hung up (Twilio's word).
        recording_sid: the recording just made, or ``""``.
    """

    digits: str = ""
    recording_sid: str = ""


class Need(StrEnum):
    """A fact that a turn waits for."""

    FILED = "filed"
    STATUS = "status"
    ANNOUNCEMENT = "announcement"
    ANSWER = "answer"
    REPEAT = "repeat"


class CodeReading(StrEnum):
    """What a keyed code turned out to be."""

    FOUND = "found"
    UNKNOWN = "unknown"
    THROTTLED = "throttled"


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
    """What a call of ours has to say.

    Attributes:
        reading: whether the keyed code is the case's.
        text: the words to read; ``""`` before the code was keyed.
        text_language: their language.
        administration: who answers, or ``""``.
        is_answer: an administration's answer rather than a notice of ours.
        language: the language the call begins in.
    """

    reading: CodeReading = CodeReading.UNKNOWN
    text: str = ""
    text_language: str = ""
    administration: str = ""
    is_answer: bool = True
    language: str = ""


Facts = Filed | StatusFacts | AnswerFacts


@dataclass(frozen=True, slots=True)
class Turn:
    """What is said next.

    Attributes:
        twiml: the document, or ``""`` while a fact is missing.
        needs: the fact to look up before asking again, or ``None``.
        read_out: an answer is being read to a person who keyed the code: it is delivered.
        wrong_code: a wrong code was keyed; count it.
    """

    twiml: str = ""
    needs: Need | None = None
    read_out: bool = False
    wrong_code: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What the dialogue is given once per request.

    Attributes:
        say: the wording.
        url: signs a place into an absolute action URL.
        sound: voices and times.
        keys: key → BCP 47 tag, in the order they are announced.
    """

    say: Say
    url: Callable[[Place], str]
    sound: Sound
    keys: Mapping[str, str] = field(default_factory=lambda: {"1": "ar", "2": "fr", "3": "en"})

    def speech(self) -> Speech:
        """An empty document."""
        return Speech(self.sound, self.say)

    def tongues(self, place: Place) -> tuple[str, ...]:
        """The languages to speak in: the chosen one, or all while none is."""
        return (place.language,) if place.language else tuple(self.keys.values())


def respond(line: Line, place: Place, heard: Heard, facts: Facts | None = None) -> Turn:
    """Give the next turn of a call.

    Args:
        line: wording, URLs and voices.
        place: where the call is, from the signed URL.
        heard: keys pressed and the recording made.
        facts: what the last turn needed, or ``None``.
    """
    if heard.digits == "hangup" and place.step is not Step.RECORDED:
        return Turn(str(line.speech()))
    return _STEPS[place.step](line, place, heard, facts)


def apology(line: Line, place: Place) -> str:
    """What a caller hears when nothing can be stored now. TwiML."""
    speech = line.speech()
    for language in line.tongues(place):
        speech.say(language, "apology")
    return str(speech.hang_up())


def _welcome(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    return _ask_language(line, replace(place, step=Step.LANGUAGE))


def _ask_language(line: Line, place: Place) -> Turn:
    prompts = [(tag, line.say(tag, "welcome")) for tag in line.keys.values()]
    return Turn(str(line.speech().ask(prompts, digits=1, action=line.url(place))))


def _language(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    chosen = line.keys.get(heard.digits)
    if chosen:
        return _ask_menu(line, Place(Step.MENU, chosen))
    return _once_more(line, place, _ask_language)


def _ask_menu(line: Line, place: Place) -> Turn:
    prompts = [(place.language, line.say(place.language, "menu"))]
    return Turn(str(line.speech().ask(prompts, digits=1, action=line.url(place))))


def _menu(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if heard.digits == "1":
        return _ask_recording(line, Place(Step.RECORD, place.language))
    if heard.digits == "2":
        return _ask_code(line, Place(Step.CODE, place.language), "code")
    return _once_more(line, place, _ask_menu)


def _once_more(line: Line, place: Place, ask: Callable[[Line, Place], Turn]) -> Turn:
    """Repeat a prompt at most twice, then record anyway: a rotary telephone can complain too."""
    if place.silences < REPEATS:
        return ask(line, replace(place, silences=place.silences + 1))
    return _ask_recording(line, Place(Step.RECORD, place.language))


def _ask_recording(line: Line, place: Place) -> Turn:
    speech = line.speech()
    for language in line.tongues(place):
        speech.say(language, "record")
    speech.record(
        line.tongues(place)[-1],
        action=line.url(replace(place, step=Step.RECORDED)),
        callback=line.url(Place(Step.RECORDING, place.language)),
        nothing=line.url(replace(place, step=Step.RECORD, silences=place.silences + 1)),
    )
    return Turn(str(speech))


def _record(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if place.silences <= REPEATS:
        return _ask_recording(line, place)
    return _goodbye(line, place, "nothing_recorded")


def _recorded(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if not heard.recording_sid:
        return _record(line, replace(place, silences=place.silences + 1), heard, facts)
    if not isinstance(facts, Filed):
        return Turn(needs=Need.FILED)
    speech = line.speech()
    if heard.digits == "hangup":
        return Turn(str(speech))  # filed; nobody listens any more
    for language in line.tongues(place):
        if not facts.tracking_code:  # kept, but only a person can read it
            speech.say(language, "kept").say(language, "goodbye")
            continue
        speech.say(language, "filed")
        for _ in range(2):
            speech.say(language, "your_code").spell(language, facts.tracking_code)
            if facts.pin:
                speech.say(language, "your_pin").spell(language, facts.pin, group=3)
        speech.say(language, "goodbye")
    return Turn(str(speech.hang_up()))


def _ask_code(line: Line, place: Place, key: str) -> Turn:
    prompts = [(tag, line.say(tag, key)) for tag in line.tongues(place)]
    return Turn(str(line.speech().ask(prompts, digits=CODE_DIGITS, action=line.url(place))))


def _code(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if not heard.digits:
        return _once_more(line, place, lambda line, place: _ask_code(line, place, "code"))
    if not isinstance(facts, StatusFacts):
        return Turn(needs=Need.STATUS)
    if facts.reading is CodeReading.FOUND:
        speech = line.speech()
        for language in line.tongues(place):
            for _ in range(2):
                speech.say(
                    language,
                    "status",
                    status=facts.status,
                    date=facts.filed_on,
                    administration=facts.administration,
                )
                if facts.expected_on:
                    speech.say(language, "expected", date=facts.expected_on)
            speech.say(language, "goodbye")
        return Turn(str(speech.hang_up()))
    if facts.reading is CodeReading.THROTTLED:
        return _goodbye(line, place, "too_many_tries")
    return _wrong_code(line, place)


def _wrong_code(line: Line, place: Place) -> Turn:
    tried = replace(place, tries=place.tries + 1, silences=0)
    if tried.tries >= TRIES:
        return replace(_goodbye(line, place, "unknown_three_times"), wrong_code=True)
    return replace(_ask_code(line, tried, "unknown_code"), wrong_code=True)


def _announce(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    """A call of ours is answered. The code is never spoken before it is keyed: it is the proof."""
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.ANNOUNCEMENT)
    asking = replace(place, step=Step.ANSWER, language=facts.language)
    return _ask_code(line, asking, "announce" if facts.is_answer else "announce_notice")


def _answer(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if not heard.digits:
        if place.silences < REPEATS:
            return _ask_code(line, replace(place, silences=place.silences + 1), "announce_code")
        return _goodbye(line, place, "call_later")
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.ANSWER)
    if facts.reading is CodeReading.THROTTLED:
        return _goodbye(line, place, "too_many_tries")
    if facts.reading is CodeReading.UNKNOWN:
        return _wrong_code(line, place)
    speech = line.speech()
    if facts.administration:
        speech.say(place.language, "answer_of", administration=facts.administration)
    speech.read(facts.text_language or place.language, facts.text).pause()
    prompts = [(place.language, line.say(place.language, "again"))]
    # One key repeats it: the person has just proved in this very call that they know the code.
    speech.ask(prompts, digits=1, action=line.url(replace(place, step=Step.AGAIN, silences=0)))
    return Turn(str(speech), read_out=True)


def _again(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if heard.digits != "1" or place.tries >= TRIES:
        return _goodbye(line, place, "goodbye")
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.REPEAT)
    found = replace(facts, reading=CodeReading.FOUND)
    turn = _answer(line, replace(place, tries=place.tries + 1), Heard("1"), found)
    return replace(turn, read_out=False)


def _goodbye(line: Line, place: Place, key: str) -> Turn:
    speech = line.speech()
    for language in line.tongues(place):
        speech.say(language, key)
    return Turn(str(speech.hang_up()))


_STEPS: Mapping[Step, Callable[[Line, Place, Heard, Facts | None], Turn]] = {
    Step.WELCOME: _welcome,
    Step.LANGUAGE: _language,
    Step.MENU: _menu,
    Step.RECORD: _record,
    Step.RECORDED: _recorded,
    Step.CODE: _code,
    Step.ANNOUNCE: _announce,
    Step.ANSWER: _answer,
    Step.AGAIN: _again,
}
