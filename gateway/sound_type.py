# SPDX-License-Identifier: MIT
"""Whether a file is sound, by its first bytes: what its sender says it is counts for nothing."""

from __future__ import annotations

#: An MPEG audio frame of layer III begins with eleven set bits, two of version, then ``01``
#: (ISO/IEC 11172-3, 2.4.2.3); a UTF-16 mark begins with eleven set bits as well.
_SYNC, _FRAME_MASK, _FRAME = 0xFF, 0xE6, 0xE2


def sound_type(head: bytes | None) -> str | None:
    """The media type of a sound file, told by its first 16 bytes, or ``None`` for anything else.

    What the sender says it is counts for nothing here.
    """
    if not head:
        return None
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    signatures = ((b"ID3", "audio/mpeg"), (b"OggS", "audio/ogg"), (b"fLaC", "audio/flac"))
    for signature, media_type in signatures:
        if head.startswith(signature):
            return media_type
    if head[0] == _SYNC and len(head) > 1 and head[1] & _FRAME_MASK == _FRAME:
        return "audio/mpeg"
    return None
