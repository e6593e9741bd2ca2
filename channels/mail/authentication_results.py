# SPDX-License-Identifier: MIT
"""What the operator's own mail server has found out, read from Authentication-Results (RFC 8601).

A field proves something only when that server wrote it. Whoever sends a mail may put the same
field into it, but only below the server's own Received: so the topmost of ours counts, with those
that stand directly beside it, and nothing below the first Received of a stranger. The server must
take forged ones out (RFC 8601, section 5), as all common ones do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authres import AuthenticationResultsHeader

from channels.mail import dmarc, spf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEAD_LIMIT = 262_144
_FIELD_OCTETS = 4_096
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_BY = re.compile(r"\bby\s+([A-Za-z0-9.-]{1,255})", re.IGNORECASE)


def trusted_facts(raw: bytes, trusted: Iterable[str], author: str) -> dict[str, str]:
    """The facts of the topmost fields of a trusted server. Never raises.

    Args:
        raw: the mail as it came.
        trusted: authserv-ids of the operator's own servers.
        author: the domain of From, in lower case and ASCII.

    Returns:
        as :func:`channels.mail.authenticity.judge` gives them; empty when no server said anything.
    """
    results = [result for text in _fields(raw, trusted) for result in _results(text)]
    if not results:
        return {}
    facts = {"spf": "none", "dkim": "none", "dmarc": "none"}
    domains = []
    for method, result, properties in results:
        if method == "spf" and result in spf.RESULTS:
            facts["spf"] = result
        elif method == "dkim":
            domain = properties.get("header.d", "") or properties.get("header.i", "")
            if result == "pass":
                domains.append(domain.rpartition("@")[2].lower())
            if facts["dkim"] != "pass":
                facts["dkim"] = (
                    result if result in ("pass", "fail", "temperror", "none") else "fail"
                )
        elif method == "dmarc" and _is_of(properties.get("header.from", ""), author):
            facts["dmarc"] = {"permerror": "none"}.get(result, result)
            if facts["dmarc"] not in dmarc.RESULTS:
                facts["dmarc"] = "none"
            facts["dmarc_domain"] = author
    if domains := list(dict.fromkeys(domain for domain in domains if domain)):
        facts["dkim_domains"] = " ".join(domains[:5])
    return facts


def _is_of(header_from: str, author: str) -> bool:
    return bool(author) and header_from.rpartition("@")[2].strip(". ").lower() == author


def _fields(raw: bytes, trusted: Iterable[str]) -> list[str]:
    """The bodies of the fields that count."""
    names = {name.strip().lower() for name in trusted}
    head = raw[:_HEAD_LIMIT].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found: list[str] = []
    for line in _FOLD.sub(b"", head).split(b"\n"):
        name, _, value = line.partition(b":")
        text = value[:_FIELD_OCTETS].decode("ascii", "replace").strip()
        match name.strip().lower():
            case b"authentication-results":
                if (_server(text) in names) and len(value) <= _FIELD_OCTETS:
                    found.append(text)
                elif found:
                    break
            case b"received":
                by = _BY.search(text)
                if found or by is None or not _is_ours(by[1], names):
                    break
            case _:
                pass
    return found


def _server(text: str) -> str:
    return text.partition(";")[0].split()[0].lower() if text.partition(";")[0].split() else ""


def _is_ours(host: str, names: set[str]) -> bool:
    """Whether a host of Received is one of our servers, or of the same organisation."""
    host = host.strip(".").lower()
    return any(dmarc.aligned(host, name, strict=False) for name in names)


def _results(text: str) -> list[tuple[str, str, Mapping[str, str]]]:
    try:
        header = AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
        return [
            (
                str(result.method).lower(),
                str(result.result).lower(),
                {
                    f"{one.type}.{one.name}".lower(): str(one.value)
                    for one in getattr(result, "properties", ())
                },
            )
            for result in header.results
        ]
    except Exception:  # noqa: BLE001 - total: a field that cannot be read says nothing
        return []
