# SPDX-License-Identifier: MIT
"""A real DNS server on loopback, over UDP and TCP, with whatever records a test writes."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_UDP_OCTETS = 512
_SOA = "ns.{zone} hostmaster.{zone} 1 3600 600 86400 {ttl}"


class NameServer:
    """Answers for every name; what it has no records for does not exist.

    Attributes:
        address: ``127.0.0.1:port``, for the settings.
        asked: how often each ``(name, kind)`` was asked for.
        silent: names under which it never answers.
        broken: names under which it answers SERVFAIL.
    """

    def __init__(self, ttl: int = 300) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self._ttl = ttl
        self._records: dict[str, dict[str, list[str]]] = {}
        server = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                answer = server.answer(data, limit=_UDP_OCTETS)
                if answer is not None:
                    sock.sendto(answer, self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = self.rfile.read(2)
                if len(head) == 2:
                    answer = server.answer(self.rfile.read(struct.unpack("!H", head)[0]))
                    if answer is not None:
                        self.wfile.write(struct.pack("!H", len(answer)) + answer)

        self._stream = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stream)
        self._stream.daemon_threads = True
        port = self._stream.server_address[1]
        self._datagram = socketserver.ThreadingUDPServer(("127.0.0.1", port), Datagram)
        self._datagram.daemon_threads = True
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        for one in (self._stream, self._datagram):
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for one in (self._stream, self._datagram):
            one.shutdown()
            one.server_close()

    def add(self, name: str, kind: str, *values: str) -> None:
        """Add records; the text of a TXT record is quoted and cut as a zone file wants it."""
        if kind == "TXT":
            values = tuple(
                " ".join(f'"{value[at : at + 250]}"' for at in range(0, len(value), 250))
                for value in values
            )
        self._records.setdefault(name.lower(), {}).setdefault(kind, []).extend(values)

    def remove(self, name: str) -> None:
        """Forget all records of a name."""
        self._records.pop(name.lower(), None)

    def answer(self, wire: bytes, limit: int = 65_535) -> bytes | None:
        """The answer to one query, or ``None`` for silence; too long for ``limit``: truncated."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if _below(name, self.silent):
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if _below(name, self.broken):
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        values = self._records.get(name, {}).get(kind, [])
        if values:
            response.answer.append(
                dns.rrset.from_text(question.name, self._ttl, "IN", kind, *values)
            )
        else:
            zone = name.rpartition(".")[2] + "."
            soa = _SOA.format(zone=zone, ttl=self._ttl)
            response.authority.append(dns.rrset.from_text(zone, self._ttl, "IN", "SOA", soa))
            if not any(one == name or one.endswith("." + name) for one in self._records):
                response.set_rcode(dns.rcode.NXDOMAIN)
        data = response.to_wire()
        if len(data) > limit:
            response = dns.message.make_response(query)
            response.flags |= dns.flags.RA | dns.flags.TC
            data = response.to_wire()
        return data


def _below(name: str, parents: set[str]) -> bool:
    return any(name == parent or name.endswith("." + parent) for parent in parents)
