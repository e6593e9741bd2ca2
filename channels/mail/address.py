# SPDX-License-Identifier: MIT
"""Our addresses: the public mailbox, and ``case+CODE.TOKEN@DOMAIN`` for each case's thread.

The token shows that we gave this address to somebody; it proves no identity. It is the first 80
bits of HMAC-SHA256, as 16 characters of RFC 4648 base32 in lower case, because mail systems may
change the case of a local part.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: RFC 5321, section 4.5.3.1.1.
LOCAL_PART_LIMIT = 64
TOKEN_LENGTH = 16

_THREAD = re.compile(rf"case\+([0-9]{{1,40}})\.([a-z2-7]{{{TOKEN_LENGTH}}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ThreadClaim:
    """What a thread address claims.

    Attributes:
        code: the tracking code in it, digits only.
        valid: whether one of our keys made its token.
    """

    code: str
    valid: bool


def thread_address(code: str, domain: str, keys: Sequence[str]) -> str:
    """The address whose mail belongs to the case ``code``.

    Args:
        code: the tracking code, digits only.
        domain: our mail domain.
        keys: signing keys, the newest first; the newest signs.

    Raises:
        ValueError: there is no key, or the code is not digits.
    """
    if not keys:
        raise ValueError("no signing key: set web.secret_keys")
    if not (code.isascii() and code.isdigit()):
        raise ValueError("a tracking code is digits only")
    return f"case+{code}.{_token(code, keys[0])}@{domain}"


def read_thread_address(address: str, domain: str, keys: Sequence[str]) -> ThreadClaim | None:
    """Read a thread address, without regard to case; ``None`` when it is not one of ours.

    Every key is tried in constant time, so that the time tells neither the key nor the token.
    """
    local, _, host = address.strip().rpartition("@")
    if not _same_domain(host, domain):
        return None
    match = _THREAD.fullmatch(local)
    if match is None:
        return None
    code, token = match[1], match[2].lower()
    valid = False
    for key in keys:
        valid |= hmac.compare_digest(_token(code, key), token)
    return ThreadClaim(code, valid)


def is_ours(address: str, domain: str, mailbox: str) -> bool:
    """Whether mail for ``address`` is accepted here: the mailbox, a thread, the postmaster.

    RFC 5321, section 4.5.1, asks every domain that takes mail for ``postmaster``, also without a
    domain. Anything else would make us a relay.
    """
    text = address.strip().lower()
    if text == "postmaster":
        return True
    local, _, host = text.rpartition("@")
    if not local or len(local) > LOCAL_PART_LIMIT or not _same_domain(host, domain):
        return False
    return local in (mailbox.lower(), "postmaster") or (
        local.startswith("case+") and len(local) > len("case+")
    )


def _same_domain(host: str, domain: str) -> bool:
    return host.rstrip(".").lower() == domain.rstrip(".").lower()


def _token(code: str, key: str) -> str:
    digest = hmac.new(key.encode(), b"mail thread:" + code.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[: TOKEN_LENGTH * 5 // 8]).decode("ascii").lower()
