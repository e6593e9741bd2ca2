# SPDX-License-Identifier: MIT

"""Hearing an answer: on a call of ours after the code, on the citizen's own after code and PIN.

A long answer is read part by part: 1 goes on, 0 reads the part again, ``#`` ends. An answering
machine is told that there is an answer and whom to call, never the code and no word of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from channels.voice.asking import (
    PIN_DIGITS,
    REPEATS,
    ask_code,
    goodbye,
    wrong_code,
)
from channels.voice.dialogue import (
    AnswerFacts,
    CodeReading,
    Facts,
    Heard,
    Keyed,
    Line,
    Need,
    Place,
    Prompt,
    Renderer,
    Step,
    Turn,
)
from channels.voice.sentences import parts

#: Telephone numbers are told two digits at a time, as they are said.
IN_PAIRS = 2
#: How often parts may be read again in one call.
READINGS = 5


def _announce(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    """A call of ours is answered.

    The code is never spoken before it is keyed: it is the proof. Only where its caller hung up
    before hearing it, at a telephone that gets no texts, do we call to tell it.
    """
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.ANNOUNCEMENT)
    if facts.untold_code:
        return _tell_code(line, replace(place, language=facts.language), heard, facts)
    if heard.machine:
        return _leave_word(line, replace(place, language=facts.language), facts)
    asking = replace(place, step=Step.ANSWER, language=facts.language)
    return ask_code(line, asking, "announce" if facts.is_answer else "announce_notice")


def _tell_code(line: Line, place: Place, heard: Heard, facts: AnswerFacts) -> Turn:
    """The code, as a text would have told it, and no PIN; to an answering machine nothing."""
    if heard.machine:
        return Turn(str(line.renderer().hang_up()))

    def word(speech: Renderer, language: str) -> None:
        speech.say(language, "filed").pause()
        for _ in range(2):
            speech.say(language, "your_code").spell(language, facts.untold_code)
        speech.say(language, "goodbye")

    said = line.renderer().each(line.tongues(place), word).hang_up()
    return Turn(str(said), reading=(1, 1))


def _leave_word(line: Line, place: Place, facts: AnswerFacts) -> Turn:
    def word(speech: Renderer, language: str) -> None:
        for _ in range(2):
            speech.say(language, "voicemail_call").spell(language, facts.number, group=IN_PAIRS)
            if facts.text_number == facts.number:
                speech.say(language, "voicemail_text_same").pause()
            elif facts.text_number:
                speech.say(language, "voicemail_text")
                speech.spell(language, facts.text_number, group=IN_PAIRS)

    return Turn(str(line.renderer().each(line.tongues(place), word).hang_up()))


def _answer(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    """The code was keyed on a call of ours."""
    if heard.digits in ("", "0"):
        return _asked_again(line, place, "announce_code")
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.ANSWER)
    if facts.reading is CodeReading.THROTTLED:
        return goodbye(line, place, "too_many_tries")
    if facts.reading is CodeReading.UNKNOWN:
        return wrong_code(line, place, "unknown_code", "unknown_three_times")
    opened = replace(place, step=Step.AGAIN, silences=0, part=0, repeats=0)
    return _read(line, opened, facts)


def _own_code(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    """The caller keyed a code to hear their answer: the PIN is asked for, whatever the code."""
    if heard.digits in ("", "0"):
        return _asked_again(line, place, "code")
    if not isinstance(facts, Keyed):
        return Turn(needs=Need.KEYED)
    if facts.throttled:
        return goodbye(line, place, "too_many_tries")
    asking = replace(place, step=Step.OWN_PIN, entry=facts.case, silences=0)
    return ask_code(line, asking, "pin", digits=PIN_DIGITS)


def _own_pin(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    """Code and PIN are judged together: "no such code", "wrong PIN" and "not yours" are one."""
    if heard.digits in ("", "0"):
        return _asked_again(line, place, "pin", digits=PIN_DIGITS)
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=Need.OWN_ANSWER)
    if facts.reading is CodeReading.THROTTLED:
        return goodbye(line, place, "too_many_tries")
    if facts.reading is CodeReading.UNKNOWN:
        back = replace(place, step=Step.OWN_CODE, entry="")
        return wrong_code(line, back, "wrong_code_or_pin", "wrong_three_times")
    if not facts.text:
        return goodbye(line, place, "no_answer_yet")
    opened = replace(place, step=Step.OWN_ANSWER, silences=0, part=0, repeats=0)
    return _read(line, opened, facts)


def _asked_again(line: Line, place: Place, key: str, *, digits: int = 12) -> Turn:
    if place.silences < REPEATS:
        return ask_code(line, replace(place, silences=place.silences + 1), key, digits=digits)
    return goodbye(line, place, "call_later")


def _again(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    return _go_on(line, place, heard, facts, Need.REPEAT)


def _own_answer(line: Line, place: Place, heard: Heard, facts: Facts | None) -> Turn:
    return _go_on(line, place, heard, facts, Need.OWN_REPEAT)


def _go_on(line: Line, place: Place, heard: Heard, facts: Facts | None, need: Need) -> Turn:
    """After a part: 1 the next one, 0 the same again. The signed place says that it is open.

    While something is still to be read, silence or another key is asked about again: the answer is
    not given up for one slip of a finger.
    """
    if heard.digits == "#":
        return goodbye(line, place, "goodbye")
    if not isinstance(facts, AnswerFacts):
        return Turn(needs=need)
    pieces = _pieces(line, facts)
    last = place.part + 1 >= len(pieces)
    if heard.digits not in ("0", "1"):
        if last or place.silences >= REPEATS:
            return goodbye(line, place, "goodbye")
        asking = replace(place, silences=place.silences + 1)
        prompts = [Prompt(place.language, "go_on")]
        return Turn(str(line.renderer().ask(prompts, digits=1, action=line.url(asking))))
    chosen = replace(place, silences=0)
    if heard.digits == "1":
        if last:
            return goodbye(line, place, "goodbye")
        return _read(line, replace(chosen, part=place.part + 1), facts)
    if place.repeats >= READINGS:
        return goodbye(line, place, "goodbye")
    # Behind the last part the whole is meant, not its last sentences.
    return _read(
        line, replace(chosen, repeats=place.repeats + 1, part=0 if last else place.part), facts
    )


def _read(line: Line, place: Place, facts: AnswerFacts) -> Turn:
    """Read one part and ask how to go on; keys interrupt nothing that is still to be read."""
    pieces = _pieces(line, facts)
    part = min(place.part, len(pieces) - 1)
    speech = line.renderer()
    if facts.administration and part == 0:
        speech.say(place.language, "answer_of", administration=facts.administration)
    speech.read(facts.text_language or place.language, pieces[part]).pause()
    more = part + 1 < len(pieces)
    prompts = [Prompt(place.language, "go_on" if more else "again")]
    speech.ask(prompts, digits=1, action=line.url(replace(place, part=part)))
    return Turn(str(speech), reading=(part + 1, len(pieces)))


def _pieces(line: Line, facts: AnswerFacts) -> list[str]:
    return parts(facts.text, line.part_characters) or [""]


STEPS: Mapping[Step, Callable[[Line, Place, Heard, Facts | None], Turn]] = {
    Step.OWN_CODE: _own_code,
    Step.OWN_PIN: _own_pin,
    Step.OWN_ANSWER: _own_answer,
    Step.ANNOUNCE: _announce,
    Step.ANSWER: _answer,
    Step.AGAIN: _again,
}
