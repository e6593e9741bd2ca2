# SPDX-License-Identifier: MIT
"""The domain name system as mail needs it: records of one name and kind, remembered, in time.

What a name has and that it has none are remembered for their time to live (RFC 2308), within
bounds; that a server did not answer, for some seconds, so that a dead one is waited for once.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dns.message import Message

#: Bounds on how long an answer is believed, in seconds.
SHORTEST_SECONDS = 30.0
LONGEST_SECONDS = 3600.0
LONGEST_ABSENT_SECONDS = 900.0
UNANSWERED_SECONDS = 10.0
#: An answer with more octets than this is used and not kept.
KEPT_OCTETS = 8_192
DNS_PORT = 53


class Unanswered(Exception):  # noqa: N818 - what happened: nobody said yes or no
    """No server answered in time, or none could: nothing is known."""


@dataclass(frozen=True, slots=True)
class _Kept:
    values: tuple[Any, ...] | None  # None: unanswered
    until: float


class Records:
    """Looks records up, and remembers them. For many threads at once.

    Args:
        nameservers: ``address``, ``address:port`` or ``[address]:port`` each; empty: the system's.
        query_seconds: the longest wait for one answer, over all servers and tries.
        remembered: how many answers are kept; the one not asked for longest goes first.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        nameservers: Iterable[str] = (),
        *,
        query_seconds: float = 2.0,
        remembered: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.query_seconds = query_seconds
        self._remembered = remembered
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._resolver = _resolver(tuple(nameservers))

    def __len__(self) -> int:
        return len(self._kept)

    def deadline(self, seconds: float) -> float:
        """The moment ``seconds`` from now, as :meth:`look_up` takes it."""
        return self._clock() + seconds

    def look_up(self, name: str, kind: str, deadline: float) -> tuple[Any, ...]:
        """The records of a name.

        Args:
            name: in ASCII, with or without the final dot.
            kind: ``TXT`` (each a tuple of bytes), ``A`` or ``AAAA`` (text), ``MX`` (preference and
                name) or ``PTR`` (name).
            deadline: the clock's moment after which no answer is of use.

        Returns:
            the records; empty when there are none, or no such name.

        Raises:
            Unanswered: nobody answered in time.
        """
        key = (name.rstrip(".").lower(), kind)
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.until > now:
                self._kept.move_to_end(key)
                if kept.values is None:
                    raise Unanswered
                return kept.values
        seconds = min(self.query_seconds, deadline - now)
        if seconds <= 0 or self._resolver is None:
            raise Unanswered
        try:
            values, lifetime = self._ask(self._resolver, key, seconds)
        except Unanswered:
            if seconds == self.query_seconds:  # given its whole time, it said nothing
                self._keep(key, _Kept(None, self._clock() + UNANSWERED_SECONDS))
            raise
        self._keep(key, _Kept(values, self._clock() + lifetime))
        return values

    @staticmethod
    def _ask(
        resolver: dns.resolver.Resolver, key: tuple[str, str], seconds: float
    ) -> tuple[tuple[Any, ...], float]:
        name, kind = key
        try:
            asked = dns.name.from_text(name)
            answer = resolver.resolve(
                asked, kind, lifetime=seconds, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN as error:
            told: list[Message] = list(error.kwargs["responses"].values())
            seconds_told = [_lifetime(message) for message in told]
            return (), _bounded(min(seconds_told, default=0.0), LONGEST_ABSENT_SECONDS)
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return (), LONGEST_ABSENT_SECONDS  # no such name can be
        except dns.resolver.YXDOMAIN:
            return (), LONGEST_ABSENT_SECONDS
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Unanswered from error
        lifetime = answer.chaining_result.minimum_ttl
        if answer.rrset is None:
            return (), _bounded(lifetime, LONGEST_ABSENT_SECONDS)
        return tuple(_value(kind, one) for one in answer.rrset), _bounded(lifetime, LONGEST_SECONDS)

    def _keep(self, key: tuple[str, str], kept: _Kept) -> None:
        if _octets(kept.values or ()) > KEPT_OCTETS:
            return
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > self._remembered:
                self._kept.popitem(last=False)


def read_nameserver(text: str) -> tuple[str, int]:
    """The address and port of a nameserver as written in the settings.

    Raises:
        ValueError: it is no IP address with or without a port.
    """
    address, port = text.strip(), str(DNS_PORT)
    if address.startswith("["):
        address, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    return str(ip_address(address)), int(port)


def _resolver(nameservers: tuple[str, ...]) -> dns.resolver.Resolver | None:
    if not nameservers:
        try:
            return dns.resolver.Resolver(configure=True)
        except dns.resolver.NoResolverConfiguration:
            return None
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [
        dns.nameserver.Do53Nameserver(*read_nameserver(text)) for text in nameservers
    ]
    return resolver


def _value(kind: str, record: Any) -> Any:
    match kind:
        case "TXT":
            return tuple(record.strings)
        case "A" | "AAAA":
            return str(record.address)
        case "MX":
            return record.preference, record.exchange.to_text(omit_final_dot=True)
        case "PTR":
            return record.target.to_text(omit_final_dot=True)
    message = f"no reading of {kind} records"
    raise ValueError(message)


def _lifetime(message: Message) -> float:
    """How long it holds that there is no such name (RFC 2308, 5)."""
    if not isinstance(message, dns.message.QueryMessage):
        return 0.0
    return float(message.resolve_chaining().minimum_ttl)


def _octets(values: tuple[Any, ...]) -> int:
    return sum(len(str(value)) for value in values)


def _bounded(seconds: float, longest: float) -> float:
    return max(SHORTEST_SECONDS, min(seconds, longest))
