# SPDX-License-Identifier: MIT
"""Questions that several steps of a call share: for a code, for a PIN, and the last word."""

from __future__ import annotations

from dataclasses import replace

from channels.voice.dialogue import Line, Place, Prompt, Turn

#: A question is asked this many times more when no key, or a wrong one, was pressed.
REPEATS = 2
#: Wrong codes of one call.
TRIES = 3
CODE_DIGITS = 12
PIN_DIGITS = 6


def ask_code(line: Line, place: Place, key: str, *, digits: int = CODE_DIGITS) -> Turn:
    """Ask for ``digits`` keys with the wording ``key``."""
    prompts = [Prompt(tag, key) for tag in line.tongues(place)]
    return Turn(str(line.renderer().ask(prompts, digits=digits, action=line.url(place))))


def wrong_code(line: Line, place: Place, again: str, last: str) -> Turn:
    """Ask once more with the wording ``again``; after the third try say ``last`` and end."""
    tried = replace(place, tries=place.tries + 1, silences=0)
    if tried.tries >= TRIES:
        return replace(goodbye(line, place, last), wrong_code=True)
    return replace(ask_code(line, tried, again), wrong_code=True)


def goodbye(line: Line, place: Place, key: str) -> Turn:
    """Say the wording ``key`` and end the call."""
    speech = line.renderer().each(line.tongues(place), lambda said, tongue: said.say(tongue, key))
    return Turn(str(speech.hang_up()))
