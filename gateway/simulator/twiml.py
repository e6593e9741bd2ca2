# SPDX-License-Identifier: MIT
"""TwiML read as a list of steps (https://www.twilio.com/docs/voice/twiml).

Only what a keypad dialogue uses is read: Say, Play, Pause, Gather, Record, Redirect, Hangup,
Reject, Dial. Attributes get Twilio's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotTwiml(ValueError):  # noqa: N818 - Twilio's error 12100
    """The document is no XML, or its root is not ``<Response>``."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One instruction.

    Attributes:
        name: the element's name (``Say``, ``Gather`` …).
        text: all text inside it, whitespace folded.
        attributes: as given.
        inner: the verbs inside a ``<Gather>``.
    """

    name: str
    text: str
    attributes: Mapping[str, str]
    inner: tuple[Verb, ...] = ()

    @property
    def action(self) -> str:
        """Where the result goes; ``""`` means the current document's own URL."""
        return self.attributes.get("action", "")

    @property
    def method(self) -> str:
        """How it goes there."""
        return self.attributes.get("method", "POST").upper()

    @property
    def finish_keys(self) -> str:
        """The keys that end a ``<Gather>`` (``#``) or a ``<Record>`` (any key)."""
        default = "1234567890*#" if self.name == "Record" else "#"
        return self.attributes.get("finishOnKey", default)

    @property
    def number_of_digits(self) -> int | None:
        """How many keys end a ``<Gather>``, or ``None`` for any number."""
        digits = self.attributes.get("numDigits", "")
        return int(digits) if digits.isdigit() else None

    @property
    def sends_empty(self) -> bool:
        """Whether a ``<Gather>`` calls its action although no key came."""
        return self.attributes.get("actionOnEmptyResult", "false").lower() == "true"


def read(document: str | bytes) -> tuple[Verb, ...]:
    """Read a TwiML document.

    Raises:
        NotTwiml: see there.
    """
    try:
        # Our own gateway on this machine wrote it; the simulator reads no other document.
        root = ET.fromstring(document)  # noqa: S314
    except ET.ParseError as error:
        raise NotTwiml(f"12100 document parse failure: {error}") from error
    if root.tag != "Response":
        raise NotTwiml("12100 document parse failure: the root is not <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ET.Element) -> Verb:
    inner = tuple(_verb(child) for child in element) if element.tag == "Gather" else ()
    text = " ".join("".join(element.itertext()).split())
    return Verb(element.tag, text, dict(element.attrib), inner)
