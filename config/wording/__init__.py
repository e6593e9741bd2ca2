# SPDX-License-Identifier: MIT
"""What Guichet says, by language: one folder a BCP 47 tag, one TOML file an area.

``config/wording/fr/notices.toml`` holds the keys ``notices.…`` in French. A value is a text with
``{name}`` places, or a table of CLDR plural forms (``zero one two few many other``) chosen by the
value ``count``. Arabic has all six. An operator edits these files without touching code; a key
that a language lacks falls back along :data:`FALLBACK` and is counted, never silent.
"""

from __future__ import annotations

import logging
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

HERE = Path(__file__).parent
#: Where a missing text is looked for, in order.
FALLBACK = ("fr", "en")
#: Darija and Amazigh are answered in Arabic until natives have reviewed texts of their own.
ANSWERED_IN = {"ary": "ar", "ary-Latn": "ar", "zgh": "ar", "zgh-Latn": "ar"}
RIGHT_TO_LEFT = frozenset({"ar", "ary", "fa", "he", "ur"})
FIRST_STRONG_ISOLATE, LEFT_TO_RIGHT_ISOLATE, POP_ISOLATE = "\u2068", "\u2066", "\u2069"

logger = logging.getLogger(__name__)


class MissingWording(KeyError):  # noqa: N818 - a missing text is told by its key
    """No language has this key. A programming error, found by the wording test."""


class Wording:
    """All texts of one folder of languages.

    Args:
        folder: holds a folder a language; the shipped one by default.
    """

    def __init__(self, folder: Path = HERE) -> None:
        self._texts: dict[str, dict[str, Any]] = {}
        for language_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
            texts: dict[str, Any] = {}
            for file in sorted(language_folder.glob("*.toml")):
                _flatten(file.stem, tomllib.loads(file.read_text(encoding="utf-8")), texts)
            if texts:
                self._texts[language_folder.name] = texts

    @property
    def languages(self) -> tuple[str, ...]:
        """The BCP 47 tags that have texts."""
        return tuple(self._texts)

    def keys(self, language: str) -> frozenset[str]:
        """The keys that ``language`` itself has, without fallback."""
        return frozenset(self._texts.get(language, {}))

    def answering_language(self, language: str | None) -> str:
        """The language in which a person who wrote in ``language`` is answered."""
        tag = language or ""
        for candidate in (tag, ANSWERED_IN.get(tag, ""), tag.split("-")[0], *FALLBACK):
            if candidate in self._texts:
                return candidate
        return next(iter(self._texts))

    def text(self, language: str, key: str, **values: object) -> str:
        """The text of ``key`` (``"notices.acknowledge.sms"``) with its places filled.

        Raises:
            MissingWording: no language of the fallback has the key.
            KeyError: a place of the text was given no value.
        """
        for candidate in dict.fromkeys((self.answering_language(language), *FALLBACK)):
            entry = self._texts.get(candidate, {}).get(key)
            if entry is None:
                logger.warning("wording: %s has no %s", candidate, key)
                continue
            if isinstance(entry, dict):
                entry = _plural(candidate, entry, values)
            return str(entry).format_map(values) if values else str(entry)
        raise MissingWording(key)

    def has(self, language: str, key: str) -> bool:
        """Whether ``language`` itself has ``key``."""
        return key in self._texts.get(language, {})


def _flatten(prefix: str, table: dict[str, Any], into: dict[str, Any]) -> None:
    for name, value in table.items():
        key = f"{prefix}.{name}"
        if isinstance(value, dict) and not (value.keys() <= PLURAL_FORMS and "other" in value):
            _flatten(key, value, into)
        else:
            into[key] = value


PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})


def _plural(language: str, forms: dict[str, str], values: dict[str, object]) -> str:
    count = values.get("count", 0)
    form = _locale(language).plural_form(count if isinstance(count, int | float) else 0)
    return forms.get(form, forms["other"])


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def direction(language: str) -> str:
    """``"rtl"`` or ``"ltr"``: the HTML ``dir`` of a language.

    The script decides where the tag names it: Darija in Latin letters (``ary-Latn``) goes right.
    """
    primary, *further = language.split("-")
    return "rtl" if primary in RIGHT_TO_LEFT and "Latn" not in further else "ltr"


def isolate(value: str) -> str:
    """Isolate a code, number, phone or address left-to-right inside plain text (UAX #9)."""
    return f"{LEFT_TO_RIGHT_ISOLATE}{value}{POP_ISOLATE}"
