# SPDX-License-Identifier: MIT
"""What a model says where nobody spoke: the words it was prompted with, or one phrase in a loop.

A person may say such words too, and who calls for help repeats it. So words are dropped only where
the model itself hears no speech; elsewhere they stay, and are at most less sure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from channels.voice.transcribe import Word

#: From this probability of "no speech" on, words of the prompt are dropped (faster-whisper's own
#: threshold), and other loops. Noise and tones gave 0.62 and more for the former, 0.8 for the
#: latter. Words said three or eight times over, also under noise as loud as they are, began with
#: 0.38 at most (later passages: up to 0.94, where the end of a repetition may go).
NO_SPEECH, NO_SPEECH_IN_A_LOOP = 0.6, 0.75
#: How much of a text a loop must be, and how often its phrase is said: where no speech is heard,
#: and where it is ("au secours, au secours, au secours" is no slip of the model).
MOST_OF_IT, HALF_OF_IT = 0.8, 0.5
THREE_TIMES, FIVE_TIMES = 3, 5
#: Letters of the phrase. Only short ones came from noise; a whole sentence that a person repeats
#: under loud noise had 0.79.
_LONGEST_PHRASE = {THREE_TIMES: 24, FIVE_TIMES: 80}
_LOOPS = {
    times: re.compile(rf"(.{{1,{longest}}}?)\1{{{times - 1},}}")
    for times, longest in _LONGEST_PHRASE.items()
}


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that were heard together.

    Attributes:
        words: as they stand in the text.
        no_speech: how probable it is that nobody speaks there, 0 to 1.
    """

    words: Sequence[Word]
    no_speech: float


def spoken(passages: Sequence[Passage], prompt: str) -> list[Word]:
    """The words of the passages, without those that come from the model and from no speaker.

    Args:
        passages: in their order.
        prompt: what the model was told to come before; ``""``: nothing.
    """
    kept: list[Word] = []
    silent: list[Passage] = []
    for passage in (*passages, Passage((), 0.0)):
        if passage.no_speech >= NO_SPEECH:
            silent.append(passage)  # a loop may be cut into several passages
            continue
        kept += _said_in_silence(silent, prompt)
        kept += passage.words
        silent = []
    return kept if any(_letters(word.text) for word in kept) else []


def certainty(words: Sequence[Word], prompt: str) -> float:
    """By how much the words are to be believed: 1, or less where they only repeat.

    They may have been said, but a loop hides what was said beside it: a person listens.
    """
    if _only_prompt(words, prompt):
        return 0.0
    share = _looped("".join(_letters(word.text) for word in words), FIVE_TIMES)
    return 1 - share if share > HALF_OF_IT else 1.0


def _said_in_silence(passages: Sequence[Passage], prompt: str) -> list[Word]:
    said = [one for one in passages if not _only_prompt(one.words, prompt)]
    words = [word for one in said for word in one.words]
    least = min((one.no_speech for one in said), default=0.0)
    text = "".join(_letters(word.text) for word in words)
    if least >= NO_SPEECH_IN_A_LOOP and _looped(text, THREE_TIMES) >= MOST_OF_IT:
        return []
    return words


def _only_prompt(words: Sequence[Word], prompt: str) -> bool:
    """Whether all the words are words of the prompt; the last one may be cut off."""
    told = {_letters(word) for word in prompt.split()}
    heard = [letters for word in words for part in word.text.split() if (letters := _letters(part))]
    if not heard or not told:
        return False
    cut_off = any(word.startswith(heard[-1]) for word in told)
    return cut_off and told.issuperset(heard[:-1])


def _looped(text: str, times: int) -> float:
    """How much of a text is one phrase after itself, so often; digits may follow each other."""
    loops = (m for m in _LOOPS[times].finditer(text) if not m[1].isdigit())
    return sum(len(m[0]) for m in loops) / len(text) if text else 0.0


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
