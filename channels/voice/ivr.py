# SPDX-License-Identifier: MIT
# ruff: noqa: ARG001 - every step takes the same four things, so that one table holds them all
"""The dialogue of the voice line: a pure function (place, what was heard, facts) → the next turn.

::

    welcome ─▶ language ─▶ menu ─1─▶ record ─▶ recorded: code and PIN, twice ─▶ end
                 │           ├──2─▶ code ─▶ status, or unknown (three tries) ─▶ end
                 │           ├──3─▶ own code ─▶ own PIN ─▶ the answer (channels.voice.answering)
                 │           ├──0─▶ once more      └──#─▶ end
                 └── no key, wrong key: twice more, then record anyway (file first, ask after)

    # ends a recording and an entry of several digits; alone it is an empty entry, asked for again.

    a call of ours ─▶ announce ─▶ answer: the code keyed ─▶ the answer is read, again if wished

Nothing is looked up here. A turn that wants a fact says so in ``needs``; the gateway finds it and
asks again with it. A place travels in the next action's URL, which the gateway signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from channels.voice import answering
from channels.voice.asking import REPEATS, ask_code, goodbye, wrong_code
from channels.voice.dialogue import (
    CodeReading,
    Facts,
    Filed,
    Heard,
    Line,
    Need,
    Place,
    Prompt,
    Renderer,
    Spoken,
    StatusFacts,
    Step,
    Turn,
)

#: How often a person may ask for the same words again: nobody stays in the line for ever.
REPEATS_BY_KEY = 5
#: Steps at which several digits are keyed.
_KEYED = frozenset({Step.CODE, Step.OWN_CODE, Step.OWN_PIN, Step.ANSWER})


def respond(line: Line, place: Place, heard: Heard, facts: Facts | None = None) -> Turn:
    """Give the next turn of a call.

    Args:
        line: renderer, URLs and languages.
        place: where the call is, from the signed URL.
        heard: keys pressed and the recording made.
        facts: what the last turn needed, or ``None``.
    """
    if heard.hung_up and place.step is not Step.RECORDED:
        return Turn(str(line.renderer()))
    if place.step in _KEYED:
        # The key that ends an entry is no part of it. Alone it ends nothing: whoever is used to
        # confirming each choice with it is asked for the code, and not hung up on.
        heard = replace(heard, digits=heard.digits.rstrip("#"))
    return _STEPS[place.step](line, place, heard, facts)


def apology(line: Line, place: Place) -> str:
    """What a caller hears when nothing can be stored now: a document."""
    return goodbye(line, place, "apology").document


def _welcome(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    return _ask_language(line, replace(place, step=Step.LANGUAGE))


def _ask_language(line: Line, place: Place) -> Turn:
    prompts = [
        Prompt(tag, "welcome", {"digit": Spoken(key, [f"digit-{key}"])})
        for key, tag in line.keys.items()
    ]
    return Turn(str(line.renderer().ask(prompts, digits=1, action=line.url(place))))


def _language(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    chosen = line.keys.get(heard.digits)
    if chosen:
        return _ask_menu(line, Place(Step.MENU, chosen))
    return _or_else(line, place, heard, _ask_language)


def _ask_menu(line: Line, place: Place) -> Turn:
    prompts = [Prompt(tag, "menu") for tag in line.tongues(place)]
    return Turn(str(line.renderer().ask(prompts, digits=1, action=line.url(place))))


def _menu(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if heard.digits == "1":
        return _ask_recording(line, Place(Step.RECORD, place.language))
    if heard.digits == "2":
        return ask_code(line, Place(Step.CODE, place.language), "code")
    if heard.digits == "3":
        return ask_code(line, Place(Step.OWN_CODE, place.language), "code")
    return _or_else(line, place, heard, _ask_menu)


def _or_else(line: Line, place: Place, heard: Heard, ask: Callable[[Line, Place], Turn]) -> Turn:
    """0: once more; #: the end; anything else or nothing: at most twice more, then record."""
    if heard.digits == "#":
        return goodbye(line, place, "goodbye")
    if heard.digits == "0":
        if place.repeats >= REPEATS_BY_KEY:
            return goodbye(line, place, "goodbye")
        return ask(line, replace(place, repeats=place.repeats + 1, silences=0))
    return _once_more(line, place, ask)


def _once_more(line: Line, place: Place, ask: Callable[[Line, Place], Turn]) -> Turn:
    """Repeat a prompt at most twice, then record anyway: a rotary telephone can complain too."""
    if place.silences < REPEATS:
        return ask(line, replace(place, silences=place.silences + 1))
    return _ask_recording(line, Place(Step.RECORD, place.language))


def _ask_recording(line: Line, place: Place) -> Turn:
    def notice(speech: Renderer, language: str) -> None:
        if line.emergency_numbers and not place.silences:
            speech.say(language, "emergency")
            for number in line.emergency_numbers:
                speech.spell(language, number, group=len(number))
        speech.say(language, "record")

    speech = line.renderer().each(line.tongues(place), notice)
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
    return goodbye(line, place, "nothing_recorded")


def _recorded(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if not heard.recording:
        if heard.hung_up:
            return Turn(str(line.renderer()))
        return _record(line, replace(place, silences=place.silences + 1), heard, facts)
    if not isinstance(facts, Filed):
        return Turn(needs=Need.FILED)
    if heard.hung_up:
        return Turn(str(line.renderer()))  # filed; nobody listens any more

    def thanks(speech: Renderer, language: str) -> None:
        if not facts.tracking_code:  # kept, but only a person can read it
            speech.say(language, "kept").say(language, "goodbye")
            return
        speech.say(language, "filed")
        for _ in range(2):
            speech.say(language, "your_code").spell(language, facts.tracking_code)
            if facts.pin:
                speech.say(language, "your_pin").spell(language, facts.pin, group=3)
        speech.say(language, "goodbye")

    return Turn(str(line.renderer().each(line.tongues(place), thanks).hang_up()))


def _code(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    if heard.digits in ("", "0"):
        return _or_else(line, place, heard, _ask_code_again)
    if not isinstance(facts, StatusFacts):
        return Turn(needs=Need.STATUS)
    if facts.reading is CodeReading.THROTTLED:
        return goodbye(line, place, "too_many_tries")
    if facts.reading is CodeReading.UNKNOWN:
        return wrong_code(line, place, "unknown_code", "unknown_three_times")

    def told(speech: Renderer, language: str) -> None:
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

    return Turn(str(line.renderer().each(line.tongues(place), told).hang_up()))


def _ask_code_again(line: Line, place: Place) -> Turn:
    return ask_code(line, place, "code")


_STEPS: Mapping[Step, Callable[[Line, Place, Heard, Facts | None], Turn]] = {
    Step.WELCOME: _welcome,
    Step.LANGUAGE: _language,
    Step.MENU: _menu,
    Step.RECORD: _record,
    Step.RECORDED: _recorded,
    Step.CODE: _code,
    **answering.STEPS,
}
