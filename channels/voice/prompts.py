# SPDX-License-Identifier: MIT
"""How a prompt sounds: recorded clips where they are whole, else a voice, else a language with one.

A prompt without values is one clip, named like its wording (``menu``). One with values is cut at
its places: ``status`` in French begins "Votre plainte, déposée le {date}, est : {status}." and is
put together from ``status-1``, the date's clips, ``status-2``, the status' clip and so on. A
language in which one clip of a prompt is missing, and which no voice speaks, gives the whole prompt
to the language that stands in for it: half a sentence in two languages helps nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from channels.voice.dialogue import Say, Spoken

#: Prompts that name their own language. Spoken by another, they have words of their own there:
#: ``welcome_zgh`` of Arabic says "for Amazigh, press …".
NAMES_ITS_LANGUAGE = frozenset({"welcome"})
_PLACE = re.compile("\x1f([a-z_]+)\x1f")

Clips = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that is heard: a text in a language, or a clip at a URL."""

    language: str = ""
    text: str = ""
    clip: str = ""


def no_clips(_language: str, _name: str) -> str | None:
    """No language has clips."""
    return None


@dataclass(frozen=True, slots=True)
class Prompts:
    """Chooses how prompts are heard.

    Attributes:
        words: the wording.
        voiced: BCP 47 tags that a voice speaks; empty: all of them.
        clips: (language, name) → URL of a recorded clip, or ``None``.
        stands_in: tag without a voice → the tag that speaks for it.
    """

    words: Say
    voiced: frozenset[str] = frozenset()
    clips: Clips = no_clips
    stands_in: Mapping[str, str] = field(default_factory=dict)

    def spoken_language(self, language: str) -> str:
        """The language whose voice speaks where there are no clips."""
        if language in self.stands_in and not self._has_voice(language):
            return self.stands_in[language]
        return language

    def prompt(self, language: str, key: str, **values: object) -> list[Utterance]:
        """How the wording ``voice.<key>`` is heard in ``language``."""
        names = self.clip_names(language, key, values)
        played = self._all(language, names)
        if played is not None:
            return played
        spoken = self.spoken_language(language)
        if spoken == language:
            return [Utterance(language, self.words(language, key, **values))]
        if key in NAMES_ITS_LANGUAGE:
            key = f"{key}_{language}"
        return self.prompt(spoken, key, **values)

    def digits(self, language: str, digits: str) -> list[Utterance]:
        """A group of digits, one by one."""
        played = self._all(language, [f"digit-{digit}" for digit in digits])
        if played is not None:
            return played
        spoken = self.spoken_language(language)
        if spoken != language:
            return self.digits(spoken, digits)
        return [Utterance(language, ", ".join(digits))]

    def clip_names(self, language: str, key: str, values: Mapping[str, object]) -> list[str] | None:
        """The clips that a prompt is put together from; ``None``: a value of it has none."""
        if not values:
            return [key]
        template = self.words(language, key, **{name: f"\x1f{name}\x1f" for name in values})
        names: list[str] = []
        pieces = 0
        for position, piece in enumerate(_PLACE.split(template)):
            if position % 2:
                value = values[piece]
                if not isinstance(value, Spoken) or not value.clips:
                    return None
                names += value.clips
            elif any(character.isalnum() for character in piece):
                pieces += 1
                names.append(f"{key}-{pieces}")
        return names

    def _all(self, language: str, names: Sequence[str] | None) -> list[Utterance] | None:
        if names is None:
            return None
        found = [self.clips(language, name) for name in names]
        return [Utterance(clip=url) for url in found if url] if all(found) else None

    def _has_voice(self, language: str) -> bool:
        return not self.voiced or language in self.voiced
