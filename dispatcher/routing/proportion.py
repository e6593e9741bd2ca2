# SPDX-License-Identifier: MIT
"""What a share that was counted tells about the true one."""

from __future__ import annotations

#: Both ends together leave out so much.
CONFIDENCE = 0.95


def interval(right: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Between which shares the true one lies with this confidence.

    Exact, both ends: C. J. Clopper and E. S. Pearson, Biometrika 26, 1934. Of nothing counted,
    everything from 0 to 1 may be true.

    Args:
        right: how many were.
        of: how many were counted.
        confidence: of the interval, from 0 to 1.

    Raises:
        ValueError: more were right than were counted.
    """
    if not 0 <= right <= of:
        raise ValueError(f"{right} of {of}")
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = float(betaincinv(right, of - right + 1, tail)) if right else 0.0
    high = float(betaincinv(right + 1, of - right, 1 - tail)) if right < of else 1.0
    return low, high
