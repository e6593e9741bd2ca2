# SPDX-License-Identifier: MIT
"""Recorded prompts: a folder of clips a language, for languages that no voice speaks.

``CLIPS/zgh/menu.mp3`` is the prompt ``voice.menu`` in Amazigh; ``digit-4``, ``number-21``,
``month-3`` and ``status-of-answered`` are what digits, dates and statuses are put together from;
``administration-SLUG`` and ``administration-none`` name who has the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from channels.errors import MalformedMessage
from channels.voice.dialogue import Spoken
from channels.voice.recording import check

#: What Twilio's ``<Play>`` takes of what we can check: file ending → media type.
MEDIA_TYPES: Mapping[str, str] = {".mp3": "audio/mpeg", ".wav": "audio/wav"}
_SAFE = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
DAYS, MONTHS = range(1, 32), range(1, 13)


@dataclass(frozen=True, slots=True)
class ClipFolder:
    """The clips that an operator laid down.

    Attributes:
        folder: holds a folder a BCP 47 tag; ``None`` where no clips are used.
    """

    folder: Path | None = None

    def find(self, language: str, name: str) -> Path | None:
        """The file of a clip, or ``None``. No name leads out of the folder."""
        if self.folder is None or not _SAFE.fullmatch(name) or not _TAG.fullmatch(language):
            return None
        files = (self.folder / language / f"{name}{ending}" for ending in MEDIA_TYPES)
        return next((file for file in files if file.is_file()), None)

    def languages(self) -> tuple[str, ...]:
        """The tags that have a folder."""
        if self.folder is None or not self.folder.is_dir():
            return ()
        return tuple(sorted(path.name for path in self.folder.iterdir() if path.is_dir()))

    def faults(self, language: str, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Which clips of ``names`` are missing, and which files are no sound."""
        missing, broken = [], []
        for name in names:
            file = self.find(language, name)
            if file is None:
                missing.append(name)
                continue
            try:
                check(file.read_bytes())
            except (MalformedMessage, OSError):
                broken.append(file.name)
        return missing, broken


def needed(
    keys: Mapping[str, str], statuses: Iterable[str], administrations: Mapping[str, str]
) -> dict[str, str]:
    """Every clip a language needs, with the words to be recorded.

    Args:
        keys: prompt → its wording with ``{places}``.
        statuses: the statuses of a case.
        administrations: slug → name; under ``""`` what is said before there is one.
    """
    wanted: dict[str, str] = {}
    for key, wording in sorted(keys.items()):
        if "{" not in wording:
            wanted[key] = wording
            continue
        pieces = [p.strip() for p in re.split(r"\{[a-z_]+\}", wording)]
        spoken = [p for p in pieces if any(c.isalnum() for c in p)]
        wanted |= {f"{key}-{number}": piece for number, piece in enumerate(spoken, 1)}
    wanted |= {f"digit-{digit}": str(digit) for digit in range(10)}
    wanted |= {f"number-{day}": str(day) for day in DAYS}
    wanted |= {f"month-{month}": f"month {month}" for month in MONTHS}
    wanted |= {f"status-of-{status}": status for status in statuses}
    wanted |= {_administration(slug): name for slug, name in administrations.items()}
    return wanted


def spoken_date(text: str, day: date) -> Spoken:
    """A date that clips can say: day, month, and the year digit by digit."""
    year = [f"digit-{digit}" for digit in str(day.year)]
    return Spoken(text, [f"number-{day.day}", f"month-{day.month}", *year])


def spoken_status(text: str, status: str) -> Spoken:
    """A status that a clip can say (its name has dashes, as a file's has)."""
    return Spoken(text, [f"status-of-{status.replace('_', '-')}"])


def spoken_administration(name: str, slug: str) -> Spoken:
    """An administration that a clip can say; without that clip a voice says the whole prompt."""
    return Spoken(name, [_administration(slug)])


def _administration(slug: str) -> str:
    return f"administration-{slug}" if slug else "administration-none"
