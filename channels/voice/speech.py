# SPDX-License-Identifier: MIT
"""The renderer for Twilio: a dialogue's verbs as TwiML, always with a way on.

Two faults of real lines are excluded by the shape of these functions: a ``<Gather>`` or
``<Record>`` without ``action`` posts to the current document and loops (twilio-python #550), and a
``<Gather>`` without verbs after it ends the call when nobody presses a key.
TwiML: https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twilio.twiml.voice_response import Gather, VoiceResponse

from channels.voice.dialogue import Prompt, Renderer
from channels.voice.prompts import Prompts, Utterance
from channels.voice.sentences import parts

_GROUP = 4


@dataclass(frozen=True, slots=True)
class Sound:
    """How the line sounds.

    Attributes:
        voices: BCP 47 tag → voice of ``<Say>``; the offer changes, so it is a setting.
        languages: BCP 47 tag → language of ``<Say>``; it must fit the voice or the verb fails.
        max_recording_seconds: longest recording.
        silence_seconds: silence that ends a recording; people search for words.
        key_seconds: wait for a key.
    """

    voices: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)
    max_recording_seconds: int = 300
    silence_seconds: int = 10
    key_seconds: int = 7


class Speech:
    """One TwiML document, built verb by verb."""

    def __init__(self, sound: Sound, prompts: Prompts) -> None:
        self._sound = sound
        self._prompts = prompts
        self._response = VoiceResponse()

    def __str__(self) -> str:
        return str(self._response)

    def say(self, language: str, key: str, **values: object) -> Speech:
        """Say or play the wording ``voice.<key>``."""
        return self._utter(self._response, self._prompts.prompt(language, key, **values))

    def read(self, language: str, text: str) -> Speech:
        """Read a text of any length, sentence by sentence."""
        spoken = self._prompts.spoken_language(language)
        return self._utter(self._response, [Utterance(spoken, text)])

    def spell(self, language: str, digits: str, group: int = _GROUP) -> Speech:
        """Speak digits one by one, with a pause after each group."""
        for start in range(0, len(digits), max(group, 1)):
            heard = self._prompts.digits(language, digits[start : start + group])
            self._utter(self._response, heard)
            self._response.pause(length=1)
        return self

    def ask(self, prompts: Sequence[Prompt], *, digits: int, action: str) -> Speech:
        """Say prompts while waiting for keys; silence goes to the same action, with no digits.

        Args:
            prompts: what a key interrupts.
            digits: how many keys. One: any key is the answer, ``#`` as well; more: ``#`` ends it.
            action: absolute URL that is posted the keys.
        """
        gather = Gather(
            input="dtmf",
            action=action,
            method="POST",
            num_digits=digits,
            timeout=self._sound.key_seconds,
            finish_on_key="" if digits == 1 else "#",
        )
        heard: list[list[Utterance]] = []
        for prompt in prompts:
            said = self._prompts.prompt(prompt.language, prompt.key, **prompt.values)
            if said not in heard:  # else by the same voice in the same words
                heard.append(said)
                self._utter(gather, said)
        self._response.append(gather)
        self.say(prompts[-1].language, "no_key")
        self._response.redirect(action, method="POST")
        return self

    def record(self, language: str, *, action: str, callback: str, nothing: str) -> Speech:
        """Beep and record; ``nothing`` is where the call goes on when nothing was recorded."""
        self._response.record(
            action=action,
            method="POST",
            max_length=self._sound.max_recording_seconds,
            timeout=self._sound.silence_seconds,
            finish_on_key="#",
            play_beep=True,
            trim="do-not-trim",
            recording_status_callback=callback,
            recording_status_callback_method="POST",
            recording_status_callback_event="completed",
        )
        # Reached only when nothing was recorded.
        self.say(language, "heard_nothing")
        self._response.redirect(nothing, method="POST")
        return self

    def each(self, languages: Sequence[str], passage: Callable[[Renderer, str], object]) -> Speech:
        """Write a passage once a language; what would be heard twice is left out."""
        heard = {str(Speech(self._sound, self._prompts))}
        for language in languages:
            part = Speech(self._sound, self._prompts)
            passage(part, language)
            if str(part) not in heard:
                heard.add(str(part))
                for verb in part._response.verbs:
                    self._response.append(verb)
        return self

    def pause(self) -> Speech:
        """A second of silence."""
        self._response.pause(length=1)
        return self

    def hang_up(self) -> Speech:
        """End the call."""
        self._response.hangup()
        return self

    def _utter(self, into: Gather | VoiceResponse, heard: Sequence[Utterance]) -> Speech:
        for one in heard:
            if one.clip:
                into.play(one.clip)
                continue
            for part in parts(one.text):
                into.say(part, **self._voice(one.language))
        return self

    def _voice(self, language: str) -> dict[str, str]:
        primary = language.split("-", maxsplit=1)[0]
        chosen: dict[str, str] = {}
        for name, offered in (("voice", self._sound.voices), ("language", self._sound.languages)):
            value = offered.get(language) or offered.get(primary)
            if value:
                chosen[name] = value
        return chosen
