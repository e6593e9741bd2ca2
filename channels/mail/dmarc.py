# SPDX-License-Identifier: MIT
"""DMARC (RFC 7489): what the domain of a From says of mail in its name, and who is aligned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from publicsuffixlist import PublicSuffixList

if TYPE_CHECKING:
    from channels.mail.dns import Records

RESULTS = frozenset({"pass", "fail", "none", "temperror"})
POLICIES = frozenset({"none", "quarantine", "reject"})
_RECORD_OCTETS = 4_096


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain has published.

    Attributes:
        requested: ``none``, ``quarantine`` or ``reject``, for the domain asked about.
        strict_dkim: whether ``d=`` must be the very domain (``adkim=s``).
        strict_spf: the same of the envelope (``aspf=s``).
    """

    requested: str
    strict_dkim: bool
    strict_spf: bool


def find_policy(domain: str, records: Records, deadline: float) -> Policy | None:
    """The policy for mail whose From is of ``domain`` (RFC 7489, 6.6.3).

    Args:
        domain: in lower case and ASCII.
        records: for the lookups.
        deadline: see :meth:`Records.look_up`.

    Returns:
        ``None`` when neither the domain nor its organisational domain publishes one.

    Raises:
        Unanswered: nobody said.
    """
    own = _published(domain, records, deadline)
    if own is not None:
        return _policy(own, own.get("p", ""))
    organisation = organizational_domain(domain)
    if organisation == domain:
        return None
    above = _published(organisation, records, deadline)
    if above is None:
        return None
    return _policy(above, above.get("sp", "") or above.get("p", ""))


def aligned(identity: str, author: str, *, strict: bool) -> bool:
    """Whether the domain ``identity`` speaks for the From domain ``author`` (RFC 7489, 3.1)."""
    if not identity or not author:
        return False
    if identity == author:
        return True
    return not strict and organizational_domain(identity) == organizational_domain(author)


def organizational_domain(domain: str) -> str:
    """The domain one label below the public suffix; a public suffix is its own (RFC 7489, 3.2)."""
    return _suffixes().privatesuffix(domain) or domain


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _published(domain: str, records: Records, deadline: float) -> dict[str, str] | None:
    """The tags of the one DMARC record of a domain; two count as none."""
    found = []
    for strings in records.look_up(f"_dmarc.{domain}", "TXT", deadline):
        text = b"".join(strings)[:_RECORD_OCTETS].decode("utf-8", "replace")
        tags = _tags(text)
        if tags is not None:
            found.append(tags)
    return found[0] if len(found) == 1 else None


def _tags(record: str) -> dict[str, str] | None:
    """The tags of a record; ``None`` for another kind of record or one without a use."""
    pieces = [piece.partition("=") for piece in record.split(";")]
    if [pieces[0][0].strip().lower(), pieces[0][2].strip()] != ["v", "DMARC1"]:
        return None
    tags: dict[str, str] = {}
    for name, _, value in pieces:
        tags.setdefault(name.strip().lower(), value.strip())
    if tags.get("p", "").lower() not in POLICIES:
        # RFC 7489, 6.6.3: with somewhere to report to it is a wish to be told; else nothing.
        if not tags.get("rua", "").lower().startswith("mailto:"):
            return None
        tags["p"] = tags["sp"] = "none"
    return tags


def _policy(tags: dict[str, str], requested: str) -> Policy:
    requested = requested.lower()
    return Policy(
        requested if requested in POLICIES else "none",
        strict_dkim=tags.get("adkim", "").lower() == "s",
        strict_spf=tags.get("aspf", "").lower() == "s",
    )
