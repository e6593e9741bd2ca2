# SPDX-License-Identifier: MIT
"""The idempotency key of a mail.

The sender chooses the Message-ID, so it alone proves nothing (design, promise 2): the key holds it
*with* a digest of the sender, the date and the content. What relays add on the way is left out, so
that the same mail arriving by two routes is one delivery.
"""

from __future__ import annotations

import hashlib
import re

#: Header fields that a relay adds or changes on the way (RFC 5322 section 3.6.7 and practice).
_TRACE = re.compile(
    rb"^(?:received|received-spf|return-path|delivered-to|delivery-date|envelope-to"
    rb"|x-original-to|x-envelope-(?:from|to)|x-forwarded-(?:to|for|encrypted)|x-[a-z0-9-]*received"
    rb"|arc-[a-z0-9-]+|dkim[a-z0-9-]*|x-google-dkim-signature|x-gm-[a-z0-9-]+"
    rb"|x-google-smtp-source|authentication-results|x-spam[a-z0-9-]*|x-virus[a-z0-9-]*)"
    rb"[ \t]*:[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*",
    re.IGNORECASE | re.MULTILINE,
)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


def idempotency_key(raw: bytes, message_id: str, sender: str, date: str) -> str:
    """Make the key of one mail.

    Args:
        raw: the bytes as they came.
        message_id: RFC 5322 Message-ID, ``""`` when there is none.
        sender: the addr-spec of From, any case.
        date: the Date as text, ``""`` when there is none.

    Returns:
        ``email:`` and two hexadecimal SHA-256 digests (the first cut to 128 bits) with a colon
        between them: 103 characters, never a word of the mail.
    """
    end = _END_OF_HEADERS.search(raw)
    split = end.end() if end else len(raw)
    content = hashlib.sha256()
    for part in (sender.strip().lower(), date):
        content.update(part.encode("utf-8", "replace"))
        content.update(b"\0")
    content.update(_TRACE.sub(b"", raw[:split]).replace(b"\r", b""))
    content.update(memoryview(raw)[split:])
    name = hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
    return f"email:{name}:{content.hexdigest()}"
