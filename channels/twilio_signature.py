# SPDX-License-Identifier: MIT
"""Twilio's webhook signature: which secrets and which algorithm may have signed, and the check.

The signed string is the public URL followed by every name and value of the form, sorted, without
separators; for a body that is no form it is the URL alone, whose ``bodySHA256`` signs the body
(https://www.twilio.com/docs/usage/security). It is keyed with

- an auth token of the account, HMAC-SHA1, or
- a shared key, where a Webhook Rule matches; the request then says so in a header
  (https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys)::

    X-Twilio-Webhooks-Signature-Settings: key=webhooks_sharedkey_…,algorithm=HMAC_SHA256

The header is not signed. So it is read only where a shared key is configured, it never brings an
auth token to another algorithm, and it names one of two algorithms or none at all.

The check is our own: the SDK's looks at the URL anew for each token and signs twice for each. That
both accept the same requests is held by a property test.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SIGNATURE_HEADER = "x-twilio-signature"
SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
SHA1 = "sha1"
#: What the header may name, and hashlib's name of it.
ALGORITHMS = {"HMAC_SHA1": SHA1, "HMAC_SHA256": "sha256"}
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Secrets:
    """What may have signed a webhook; lists, newest first, for rotation.

    Attributes:
        auth_tokens: of the account; HMAC-SHA1 only.
        shared_keys: secrets of shared keys; the header names their algorithm.
    """

    auth_tokens: tuple[str, ...] = ()
    shared_keys: tuple[str, ...] = ()

    def candidates(self, settings: str) -> tuple[str, tuple[str, ...]]:
        """The algorithm and the secrets that a request with this settings header may be signed by.

        Args:
            settings: the header's value, or ``""``.

        Returns:
            hashlib's name and the secrets; no secrets where the header names no known algorithm.
        """
        if not settings or not any(self.shared_keys):
            return SHA1, self.auth_tokens
        algorithm = ALGORITHMS.get(algorithm_of(settings), "")
        return (algorithm, self.shared_keys) if algorithm else (SHA1, ())


def algorithm_of(settings: str) -> str:
    """The algorithm that a settings header names (``HMAC_SHA256``); ``HMAC_SHA1`` if it is silent.

    Names are compared in upper case.
    """
    for part in settings.split(","):
        name, found, value = part.partition("=")
        if found and name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def signed_parameters(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as they are signed: sorted, blank values kept, equal pairs once."""
    return "".join([name + value for name, value in sorted(set(pairs))])


def signature(secret: str, url: str, parameters: str, algorithm: str = SHA1) -> str:
    """The signature of one URL: base64 of the HMAC, as it stands in the header."""
    digest = hmac.digest(secret.encode(), (url + parameters).encode(), algorithm)
    return b64encode(digest).decode("ascii")


def fits(
    given: str,
    urls: Sequence[str],
    parameters: str,
    secrets: Iterable[str],
    algorithm: str = SHA1,
) -> bool:
    """Whether one of the secrets signed one of the URLs, in a time that tells nothing of either.

    Raises:
        ValueError: a URL or a parameter holds half a surrogate pair.
    """
    told = given.encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        if not secret:  # an empty key would let anybody sign
            continue
        key = secret.encode()
        for url in urls:
            digest = hmac.digest(key, (url + parameters).encode(), algorithm)
            found |= hmac.compare_digest(b64encode(digest), told)
    return found


def spellings(url: str) -> tuple[str, ...]:
    """The URL as it stands, and with its scheme's default port added or its port left out.

    Twilio is not of one mind about the port (https://www.twilio.com/docs/usage/security).
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return (url,)
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    # A query is signed byte for byte; only what stands before it is spelt in two ways.
    return tuple(origin + rest[end:] for origin in _origins(scheme, rest[:end]))


@lru_cache(maxsize=64)
def _origins(scheme: str, authority: str) -> tuple[str, ...]:
    host, colon, port = authority.rpartition(":")
    has_port = bool(colon) and port.isdigit()
    if has_port:
        return f"{scheme}://{authority}", f"{scheme}://{host}"
    default = _DEFAULT_PORTS.get(scheme.lower(), "")
    return tuple(dict.fromkeys([f"{scheme}://{authority}", f"{scheme}://{authority}{default}"]))


def body_hash_fits(body: bytes, url: str) -> bool:
    """Whether the URL's ``bodySHA256`` is that of the body; ``False`` where it has none."""
    told = parse_qs(url.partition("?")[2], keep_blank_values=True).get("bodySHA256", [""])[0]
    expected = hashlib.sha256(body).hexdigest().encode("ascii")
    return hmac.compare_digest(expected, told.encode("utf-8", "surrogatepass"))
