# SPDX-License-Identifier: MIT
"""TwiML as sentences: say, spell, gather, record, always with a way on.

Two faults of real lines are excluded by the shape of these functions: a ``<Gather>`` or
``<Record>`` without ``action`` posts to the current document and loops (twilio-python #550), and a
``<Gather>`` without verbs after it ends the call when nobody presses a key.
TwiML: https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twilio.twiml.voice_response import Gather, VoiceResponse

#: Longest text of one ``<Say>`` we send; Twilio's own limit is 4096.
LONGEST_SAY = 1000
_SENTENCE_END = re.compile(r"(?<=[.!?؟۔\n])\s+")
#: What XML 1.0 cannot carry; a text pasted at the desk may hold it.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GROUP = 4


class Say(Protocol):
    """Looks up what is said."""

    def __call__(self, language: str, key: str, **values: object) -> str:
        """The text of ``voice.<key>`` in ``language`` (BCP 47)."""
        ...


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

    def __init__(self, sound: Sound, say: Say) -> None:
        self._sound = sound
        self._words = say
        self._response = VoiceResponse()

    def __str__(self) -> str:
        return str(self._response)

    def say(self, language: str, key: str, **values: object) -> Speech:
        """Say the wording ``voice.<key>``."""
        return self.read(language, self._words(language, key, **values))

    def read(self, language: str, text: str) -> Speech:
        """Read a text of any length, sentence by sentence."""
        for part in parts(text):
            self._response.say(part, **self._voice(language))
        return self

    def spell(self, language: str, digits: str, group: int = _GROUP) -> Speech:
        """Speak digits one by one, with a pause after each group."""
        for start in range(0, len(digits), group):
            self._response.say(spelled(digits[start : start + group]), **self._voice(language))
            self._response.pause(length=1)
        return self

    def ask(self, prompts: list[tuple[str, str]], *, digits: int, action: str) -> Speech:
        """Say prompts while waiting for keys; silence goes to the same action, with no digits.

        Args:
            prompts: (language, text) pairs, which a key interrupts.
            digits: how many keys; ``#`` ends earlier.
            action: absolute URL that is posted the keys.
        """
        gather = Gather(
            input="dtmf",
            action=action,
            method="POST",
            num_digits=digits,
            timeout=self._sound.key_seconds,
            finish_on_key="#",
        )
        for language, text in prompts:
            for part in parts(text):
                gather.say(part, **self._voice(language))
        self._response.append(gather)
        last = prompts[-1][0]
        self._response.say(self._words(last, "no_key"), **self._voice(last))
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
        self._response.say(self._words(language, "heard_nothing"), **self._voice(language))
        self._response.redirect(nothing, method="POST")
        return self

    def pause(self) -> Speech:
        """A second of silence."""
        self._response.pause(length=1)
        return self

    def hang_up(self) -> Speech:
        """End the call."""
        self._response.hangup()
        return self

    def _voice(self, language: str) -> dict[str, str]:
        primary = language.split("-", maxsplit=1)[0]
        chosen: dict[str, str] = {}
        for name, offered in (("voice", self._sound.voices), ("language", self._sound.languages)):
            value = offered.get(language) or offered.get(primary)
            if value:
                chosen[name] = value
        return chosen


def spelled(digits: str) -> str:
    """``"4821"`` → ``"4, 8, 2, 1"``: read one by one, not as a number."""
    return ", ".join(digits)


def parts(text: str) -> list[str]:
    """A text in pieces of at most :data:`LONGEST_SAY` characters, cut at sentences or words."""
    pieces: list[str] = []
    current = ""
    for sentence in _SENTENCE_END.split(_NOT_XML.sub(" ", text).strip()):
        rest = sentence.strip()
        while len(rest) > LONGEST_SAY:
            if current:
                pieces.append(current)
                current = ""
            cut = rest.rfind(" ", 1, LONGEST_SAY)
            cut = cut if cut > 0 else LONGEST_SAY
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        if len(current) + len(rest) + 1 > LONGEST_SAY:
            pieces.append(current)
            current = rest
        else:
            current = f"{current} {rest}".strip()
    return [piece for piece in (*pieces, current) if piece]
