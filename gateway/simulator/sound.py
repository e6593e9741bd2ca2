# SPDX-License-Identifier: MIT
"""The sounds a simulated caller makes: WAV, 8 kHz, 16 bit, mono, as Twilio records them."""

from __future__ import annotations

import array
import io
import math
import sys
import wave

RATE = 8000
#: The biggest file taken in place of a voice; five minutes of telephone sound are 4.8 MB.
MOST_BYTES = 20_000_000


class NotASound(ValueError):  # noqa: N818 - the name is the sentence
    """The bytes are no WAV file, or too many."""


def tone(seconds: float = 2.0, hertz: float = 440.0) -> bytes:
    """A plain tone as a WAV file, in place of a voice."""
    samples = array.array(
        "h",
        (
            int(8000 * math.sin(2 * math.pi * hertz * position / RATE))
            for position in range(int(RATE * seconds))
        ),
    )
    if sys.byteorder == "big":  # WAV is little-endian
        samples.byteswap()
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return written.getvalue()


def checked(content: bytes) -> bytes:
    """Return ``content`` if it is a WAV file (RIFF/WAVE) of bearable size.

    Raises:
        NotASound: it is not.
    """
    if len(content) > MOST_BYTES:
        raise NotASound(f"the sound is larger than {MOST_BYTES} bytes")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise NotASound("the sound is not a WAV file")
    return content


def seconds_of(content: bytes) -> int:
    """The length in whole seconds, at least 1; 1 where only another program can read the codec."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            seconds = math.ceil(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return 1
    return max(1, int(seconds))
