# SPDX-License-Identifier: MIT
"""SPF (RFC 7208) by pyspf, with our own remembered lookups and an end in time."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import spf

from channels.mail.dns import Unanswered

if TYPE_CHECKING:
    from channels.mail.dns import Records

RESULTS = frozenset({"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"})
_NAME_LIMIT = 253
#: Peers of our own network pass mail on: theirs is not the address that SPF speaks of.
_INNER = tuple(
    ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True)
class SpfVerdict:
    """What SPF says.

    Attributes:
        result: one of :data:`RESULTS`.
        domain: whom it speaks of: the domain of MAIL FROM, else the HELO name.
        checked: whether there was an address to check; ``False``: ``result`` says nothing.
    """

    result: str
    domain: str
    checked: bool


def check(
    peer: str, envelope_from: str, helo: str, records: Records, deadline: float
) -> SpfVerdict:
    """Check whether ``peer`` may send mail for this envelope. Never raises.

    Args:
        peer: the address of the sending server, as text; ``""`` where it is unknown.
        envelope_from: the reverse-path; ``""``: the HELO name is checked (RFC 7208, 2.4).
        helo: the name the peer gave.
        records: for the lookups.
        deadline: see :meth:`Records.look_up`.
    """
    domain = identity(envelope_from, helo)
    if not is_outside(peer):
        return SpfVerdict("none", domain, checked=False)
    if not domain:
        return SpfVerdict("none", "", checked=True)

    def look_up(
        name: str,
        kind: str,
        cnames: object = None,  # noqa: ARG001 - ours follow CNAME already
        ignore_void: bool = False,  # noqa: FBT001, FBT002 - pyspf calls it so
    ) -> list[Any]:
        try:
            found = list(records.look_up(str(name), str(kind), deadline))
        except Unanswered:
            raise spf.TempError("no answer") from None
        if not found and not ignore_void:
            query.void_lookups += 1
            if query.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many lookups without an answer")  # RFC 7208, 4.6.4
        return found

    try:
        query = spf.query(
            i=str(_peer_address(peer)),
            s=envelope_from if "@" in envelope_from else f"postmaster@{domain}",
            h=helo or "unknown",
        )
        query.dns = look_up
        # Why somebody fails is told to nobody, so its words are not fetched.
        query.get_explanation = lambda _spec: ""
        result = str(query.check()[0])
    except Exception:  # noqa: BLE001 - pyspf raises of every kind on records and names of strangers
        result = "permerror"
    return SpfVerdict(result if result in RESULTS else "permerror", domain, checked=True)


def identity(envelope_from: str, helo: str) -> str:
    """The domain that SPF speaks of, in lower case and ASCII; ``""`` for none."""
    domain = (envelope_from.rpartition("@")[2] if "@" in envelope_from else helo).strip(". ")
    if not 0 < len(domain) <= _NAME_LIMIT or not domain.isascii() or domain.startswith("["):
        return ""
    return domain.lower()


def is_outside(peer: str) -> bool:
    """Whether ``peer`` is an address beyond our own network."""
    try:
        address = _peer_address(peer)
    except ValueError:
        return False
    return not any(address in network for network in _INNER if network.version == address.version)


def _peer_address(peer: str) -> Any:
    address = ip_address(peer.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
