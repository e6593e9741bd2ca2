# SPDX-License-Identifier: MIT
"""What the citizen's pages sign: the form's one-time nonce, and the link that confirms a contact.

Both are ``itsdangerous`` tokens over the signing keys (newest first, so that keys can be changed),
each with a salt of its own, and both carry their time, so that it is our clock which ages them.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from itsdangerous import BadData, Signer, URLSafeSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A form may lie open for a week on a telephone that has no network.
NONCE_LIFE = timedelta(days=7)
#: A confirmation link may be opened this long.
LINK_LIFE = timedelta(days=30)
_NONCE_SALT, _CONTACT_SALT = "form-nonce", "confirm_contact"
_ID_BYTES, _DIGEST_BYTES, _TIME_BYTES = 16, 8, 5


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link says: this case's contact, as it was when the link was made."""

    case_id: UUID
    contact_digest: bytes

    def fits(self, contact_value: str) -> bool:
        """Whether the case's contact is still the one that the link was sent to."""
        return secrets.compare_digest(self.contact_digest, _digest(contact_value))


def new_nonce(keys: Sequence[str], now: datetime) -> str:
    """Make the hidden field of one empty form."""
    value = [secrets.token_urlsafe(18), int(now.timestamp())]
    return str(_serializer(keys).dumps(value))


def read_nonce(keys: Sequence[str], token: str, now: datetime) -> str | None:
    """The nonce of a token of ours that is not too old, else ``None``."""
    try:
        nonce, stamp = _serializer(keys).loads(token)
    except (BadData, TypeError, ValueError):
        return None
    return str(nonce) if _fresh(int(stamp), now, NONCE_LIFE) else None


def contact_token(keys: Sequence[str], case_id: UUID, contact_value: str, now: datetime) -> str:
    """Make the token of a confirmation link: ``/<lang>/confirm/<token>``.

    Binary and about 67 characters long, as it also travels in text messages.
    """
    stamp = int(now.timestamp()).to_bytes(_TIME_BYTES)
    value = urlsafe_b64encode(case_id.bytes + _digest(contact_value) + stamp).rstrip(b"=")
    return _signer(keys).sign(value).decode()


def read_contact_token(keys: Sequence[str], token: str, now: datetime) -> Confirmation | None:
    """What a token of ours says, or ``None`` when it is not ours or too old."""
    try:
        value = _signer(keys).unsign(token)
        raw = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    except (BadData, ValueError):
        return None
    if len(raw) != _ID_BYTES + _DIGEST_BYTES + _TIME_BYTES:
        return None
    stamp = int.from_bytes(raw[-_TIME_BYTES:])
    if not _fresh(stamp, now, LINK_LIFE):
        return None
    return Confirmation(UUID(bytes=raw[:_ID_BYTES]), raw[_ID_BYTES:-_TIME_BYTES])


def _serializer(keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(keys)), salt=_NONCE_SALT)


def _signer(keys: Sequence[str]) -> Signer:
    return Signer(list(reversed(keys)), salt=_CONTACT_SALT)


def _fresh(stamp: int, now: datetime, life: timedelta) -> bool:
    # A little into the future is another machine's clock.
    return timedelta(minutes=-5) <= now - datetime.fromtimestamp(stamp, UTC) <= life


def _digest(contact_value: str) -> bytes:
    return hashlib.sha256(contact_value.encode()).digest()[:_DIGEST_BYTES]
