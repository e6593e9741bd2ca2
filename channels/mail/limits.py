# SPDX-License-Identifier: MIT
"""How much the mail door takes, and from whom it is taking it now."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one door takes.

    Attributes:
        max_size: bytes of one mail (RFC 1870), announced and enforced.
        max_bytes_at_once: bytes of all mails that are in memory at one moment, then 452.
        max_connections: connections in all.
        max_connections_per_address: connections from one IPv4 address or one IPv6 /64 network; a
            peer on a Unix socket has no address and is counted in all only.
        max_recipients: recipients of one mail, then 452.
        max_errors: answers of a session that begin with 5, unknown mailboxes among them; the next
            one is 421.
        command_limit: calls of one command in a session, then 421 (ten times that for RCPT).
        command_timeout_seconds: silence between commands before we hang up.
        data_timeout_seconds: longest time that the transfer of one mail may take.
        session_timeout_seconds: longest session; a mail that is under way is taken to its end.
        answer_timeout_seconds: longest wait for the commit, then 451.
    """

    max_size: int = 30_000_000
    max_bytes_at_once: int = 300_000_000
    max_connections: int = 200
    max_connections_per_address: int = 20
    max_recipients: int = 100
    max_errors: int = 20
    command_limit: int = 200
    command_timeout_seconds: float = 60.0
    data_timeout_seconds: float = 300.0
    session_timeout_seconds: float = 1800.0
    answer_timeout_seconds: float = 50.0


class Connections:
    """Counts the open connections, in all and per network. For one event loop.

    Args:
        limits: how many are too many.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._networks: Counter[str] = Counter()

    def enter(self, peer: str) -> bool:
        """Count a connection in; ``False`` when there are too many."""
        network = network_of(peer)
        if self._networks.total() >= self._limits.max_connections or (
            network and self._networks[network] >= self._limits.max_connections_per_address
        ):
            return False
        self._networks[network] += 1
        return True

    def leave(self, peer: str) -> None:
        """Count a connection out."""
        network = network_of(peer)
        self._networks[network] -= 1
        if self._networks[network] <= 0:
            del self._networks[network]


def network_of(peer: str) -> str:
    """What counts as one address: an IPv4 address, an IPv6 /64 network."""
    if ":" not in peer:
        return peer
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
