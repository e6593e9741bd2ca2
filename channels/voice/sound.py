# SPDX-License-Identifier: MIT
"""A sound file as the samples that an engine listens to."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import soundfile

from channels.errors import MalformedMessage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Telephone sound; more is fine for a model, less is no speech.
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000


def samples_of(content: bytes, dtype: str) -> tuple[NDArray[np.generic], int]:
    """The first channel of a sound file and its rate.

    Engines say nothing of a wrong rate, they only mishear; so the true one is checked and given.

    Args:
        content: WAV (PCM, mu-law, A-law), FLAC, OGG or MP3.
        dtype: ``int16`` or ``float32``.

    Raises:
        MalformedMessage: it is no sound, or of an unusable rate.
    """
    try:
        found: Any = soundfile.read(io.BytesIO(content), dtype=dtype, always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise MalformedMessage("the recording is no sound that can be read") from error
    samples, rate = found
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise MalformedMessage(f"the recording has {rate} samples a second")
    return samples[:, 0].copy(), int(rate)
