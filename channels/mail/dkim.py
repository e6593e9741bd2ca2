# SPDX-License-Identifier: MIT
"""DKIM (RFC 6376) by dkimpy: which domains signed this mail, in bounded work.

Beyond the library: a signature that leaves part of the body unsigned (``l=``), is made with SHA-1
(RFC 8301) or by a key in test mode proves nothing; what would take long by its shape is refused.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dkim
from dkim.canonicalization import CanonicalizationPolicy
from dkim.util import InvalidTagValueList, parse_tag_value

from channels.mail.dns import Unanswered

if TYPE_CHECKING:
    from channels.mail.dns import Records

#: So many signatures of one mail are checked.
SIGNATURE_LIMIT = 5
HEAD_LIMIT = 262_144
FIELD_LIMIT = 1_000
_SIGNATURE_OCTETS = 8_192
_SIGNED_FIELDS = 200
_KEY_OCTETS = 2_048
# Longer runs make the library's patterns slow; no signer writes them.
_LONG_BLANK = re.compile(rb"\s{129}")
# dkimpy tells names of strangers at ERROR: its words go nowhere.
_SILENCE = logging.getLogger("channels.mail.dkim.library")
_SILENCE.setLevel(logging.CRITICAL + 1)
_BLANKS = re.compile(rb"[ \t]+")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class DkimVerdict:
    """What became of one signature.

    Attributes:
        result: ``pass``, ``fail`` or ``temperror``.
        domain: its ``d=``, in lower case.
    """

    result: str
    domain: str


class SignedMail:
    """A mail and its signatures.

    Args:
        raw: its bytes as they came.

    Attributes:
        authors: the bodies of its From fields, as the verification sees them.
        domains: the ``d=`` of each signature, ``""`` for one that cannot be read.
    """

    def __init__(self, raw: bytes) -> None:
        self.authors: list[bytes] = []
        self.domains: list[str] = []
        self._tags: list[dict[bytes, bytes]] = []
        self._signer: Any = None
        end = _END_OF_HEAD.search(raw, 0, HEAD_LIMIT)
        if end is None and len(raw) > HEAD_LIMIT:
            return
        try:
            signer = dkim.DKIM(raw, logger=_SILENCE)
        except Exception:  # noqa: BLE001 - total: a head that the library cannot read is unsigned
            return
        if len(signer.headers) > FIELD_LIMIT:
            return
        self._signer = signer
        self._body: bytes = signer.body
        self._trimmed: bytes | None = None
        for name, value in signer.headers:
            lower = name.lower()
            if lower == b"from":
                self.authors.append(value)
            elif lower == b"dkim-signature":
                tags = _tags(value)
                self._tags.append(tags)
                self.domains.append(tags.get(b"d", b"").decode("ascii", "replace").lower())

    def verify(self, index: int, records: Records, deadline: float) -> DkimVerdict | None:
        """Verify one signature. Never raises.

        Args:
            index: its place among the signatures, from the top.
            records: for its key.
            deadline: see :meth:`Records.look_up`.

        Returns:
            ``None`` for a key in test mode: such mail counts as unsigned (RFC 6376, 3.6.1).
        """
        tags, domain = self._tags[index], self.domains[index]
        if not domain or tags.get(b"a", b"").lower() == b"rsa-sha1":
            return DkimVerdict("fail", domain)
        key = _Key(records, deadline)
        try:
            canonical = CanonicalizationPolicy.from_c_value(tags.get(b"c"))
            relaxed = canonical.body_algorithm.name == b"relaxed"
            self._signer.body = self._body_trimmed() if relaxed else self._body
            valid = self._signer.verify(index, dnsfunc=key)
            if valid and b"l" in tags:
                whole = len(canonical.canonicalize_body(self._signer.body))
                valid = int(tags[b"l"]) >= whole
        except Unanswered:
            return DkimVerdict("temperror", domain)
        except Exception:  # noqa: BLE001 - whatever a forged signature or key makes the library say
            valid = False
        if key.testing:
            return None
        if (
            valid
            and key.strict
            and tags.get(b"i", b"").rpartition(b"@")[2].lower()
            not in (
                b"",
                tags[b"d"].lower(),
            )
        ):
            valid = False
        return DkimVerdict("pass" if valid else "fail", domain)

    def _body_trimmed(self) -> bytes:
        """The body relaxed already (RFC 6376, 3.4.4): the library would need quadratic time."""
        if self._trimmed is None:
            lines = self._body.split(b"\r\n")
            trimmed = b"\r\n".join([line.rstrip(b" \t") for line in lines[:-1]] + lines[-1:])
            self._trimmed = _BLANKS.sub(b" ", trimmed)
        return self._trimmed


class _Key:
    """Fetches the key of a signature for the library, and notes the flags of its record."""

    def __init__(self, records: Records, deadline: float) -> None:
        self._records = records
        self._deadline = deadline
        self.testing = False
        self.strict = False

    def __call__(self, name: bytes, timeout: float = 0.0) -> bytes | None:
        """The first TXT record at ``name``; the library's ``timeout`` is not ours."""
        if not name.isascii():
            return None
        found = self._records.look_up(name.decode("ascii"), "TXT", self._deadline)
        text: bytes = b"".join(found[0]) if found else b""
        if not text or len(text) > _KEY_OCTETS:
            return None
        try:
            flags = parse_tag_value(text).get(b"t", b"").split(b":")
        except InvalidTagValueList:
            flags = []
        stripped = {flag.strip() for flag in flags}
        self.testing, self.strict = b"y" in stripped, b"s" in stripped
        return text


def _tags(value: bytes) -> dict[bytes, bytes]:
    """The tags of a signature; empty for one that cannot be read or is meant to take long."""
    if len(value) > _SIGNATURE_OCTETS or _LONG_BLANK.search(value):
        return {}
    try:
        tags: dict[bytes, bytes] = parse_tag_value(value)
    except InvalidTagValueList:
        return {}
    if tags.get(b"h", b"").count(b":") > _SIGNED_FIELDS:
        return {}
    return tags
