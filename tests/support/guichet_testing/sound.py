# SPDX-License-Identifier: MIT
"""Sound as a telephone line carries it."""

import io

import numpy as np
import soundfile


def wav(samples: np.ndarray, rate: int = 8000) -> bytes:
    """The samples as a WAV file in mu-law, as a telephone line gives them."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="ULAW")
    return file.getvalue()
