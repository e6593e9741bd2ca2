# SPDX-License-Identifier: MIT
"""Whether a mail is from the domain it claims: SPF, DKIM and DMARC, as facts and never a refusal.

The facts, as fields of the message:

- ``spf``: a result word of RFC 7208; ``none`` also where the sending server is unknown;
- ``dkim``: ``pass``, ``fail``, ``none`` or ``temperror``; ``dkim_domains``: whose passed;
- ``dmarc``: ``pass``; ``fail``: the domain publishes a record and nothing aligned passed; ``none``:
  no record, or not everything could be checked; ``temperror``: the domain system did not answer;
- ``dmarc_policy``: what the domain asks for; ``dmarc_domain``: the domain of From asked about.
"""

from __future__ import annotations

from email.utils import getaddresses
from typing import TYPE_CHECKING, Protocol

from channels.mail import dmarc
from channels.mail.authentication_results import trusted_facts
from channels.mail.dkim import SIGNATURE_LIMIT, SignedMail
from channels.mail.dns import Unanswered
from channels.mail.parts import header_fields
from channels.mail.spf import check as check_spf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from channels.mail.dkim import DkimVerdict
    from channels.mail.dns import Records
    from channels.mail.spf import SpfVerdict
    from channels.message import InboundMessage

#: All the facts there may be.
NAMES = ("spf", "dkim", "dkim_domains", "dmarc", "dmarc_policy", "dmarc_domain")
_HEAD_LIMIT = 262_144
_SEVERAL = 3


class Authenticator(Protocol):
    """Determines the facts about the sender of a mail."""

    def wanted(self, message: InboundMessage, recipients: tuple[str, ...]) -> bool:
        """Whether the facts are needed before the mail is filed."""
        ...

    def facts(
        self, raw: bytes, message: InboundMessage, *, peer: str, helo: str, envelope_from: str
    ) -> Mapping[str, str]:
        """The facts, as fields of the message. Never raises, bounded in time."""
        ...


class _Wanting:
    """Wants the facts beforehand of mail that may join a case: others are told them later.

    Args:
        names_code: whether a text names a tracking code.
    """

    def __init__(self, names_code: Callable[[str], bool]) -> None:
        self._names_code = names_code

    def wanted(self, message: InboundMessage, recipients: tuple[str, ...]) -> bool:
        """Whether it is sent to a case, answers something, or names a code."""
        addresses = recipients or tuple(message.recipient.split(","))
        return (
            any(address.strip().lower().startswith("case+") for address in addresses)
            or bool(message.in_reply_to or message.references)
            or self._names_code(message.subject)
            or self._names_code(message.text)
        )


class Checking(_Wanting):
    """Checks for itself.

    Args:
        records: for the lookups.
        names_code: whether a text names a tracking code.
        seconds: the longest time for one mail, over all its lookups.
    """

    def __init__(
        self, records: Records, names_code: Callable[[str], bool], *, seconds: float = 5.0
    ) -> None:
        super().__init__(names_code)
        self._records = records
        self._seconds = seconds

    def facts(
        self, raw: bytes, message: InboundMessage, *, peer: str, helo: str, envelope_from: str
    ) -> Mapping[str, str]:
        """Check SPF, DKIM and DMARC. Never raises."""
        try:
            deadline = self._records.deadline(self._seconds)
            return judge(raw, message, peer, helo, envelope_from, self._records, deadline)
        except Exception:  # noqa: BLE001 - total: a mail is filed whatever its checking does
            return {"spf": "temperror", "dkim": "temperror", "dmarc": "temperror"}


class Trusting(_Wanting):
    """Believes what the operator's own mail server wrote into the mail.

    Args:
        servers: authserv-ids (RFC 8601, 2.5) of the operator's own servers.
        names_code: whether a text names a tracking code.
    """

    def __init__(self, servers: Iterable[str], names_code: Callable[[str], bool]) -> None:
        super().__init__(names_code)
        self._servers = tuple(servers)

    def facts(
        self, raw: bytes, message: InboundMessage, *, peer: str, helo: str, envelope_from: str
    ) -> Mapping[str, str]:
        """Read the topmost trusted results; empty when there are none. Never raises."""
        try:
            author = author_domain(message)
            facts = trusted_facts(raw, self._servers, author)
            if facts.get("dmarc") == "pass" and _authors(raw, None, author) != {author}:
                facts["dmarc"] = "none"
            return facts
        except Exception:  # noqa: BLE001 - as above
            return {}


def judge(
    raw: bytes,
    message: InboundMessage,
    peer: str,
    helo: str,
    envelope_from: str,
    records: Records,
    deadline: float,
) -> dict[str, str]:
    """The facts about one mail.

    The order matters: what strangers' slow servers can delay comes after what decides.

    Args:
        raw: its bytes as they came.
        message: what was read of them; its sender's domain is the one asked about.
        peer: the address of the sending server; ``""`` where it is unknown.
        helo: the name it gave.
        envelope_from: the reverse-path.
        records: for the lookups.
        deadline: see :meth:`Records.look_up`.
    """
    author = author_domain(message)
    mail = SignedMail(raw)
    authors = _authors(raw, mail, author)
    facts = {"dmarc": "none"}
    policy, unanswered = None, False
    try:
        for domain in sorted(authors - {""}, key=lambda one: (one != author, one))[:_SEVERAL]:
            policy = policy or dmarc.find_policy(domain, records, deadline)
    except Unanswered:
        unanswered = True
    strict_dkim = policy is not None and policy.strict_dkim
    strict_spf = policy is not None and policy.strict_spf

    def speaks(domain: str) -> bool:
        return dmarc.aligned(domain, author, strict=strict_dkim)

    indexes = range(len(mail.domains))
    decisive = [index for index in indexes if speaks(mail.domains[index])][:SIGNATURE_LIMIT]
    signed: list[DkimVerdict] = []
    for index in decisive:
        verdict = mail.verify(index, records, deadline)
        signed.extend([verdict] if verdict is not None else [])
        if verdict is not None and verdict.result == "pass":
            break
    by_dkim = {verdict.result for verdict in signed}
    spoken = check_spf(peer, envelope_from, helo, records, deadline)
    by_spf = spoken.result if dmarc.aligned(spoken.domain, author, strict=strict_spf) else "none"
    if unanswered:
        facts["dmarc"] = "temperror"
    elif policy is not None:
        facts["dmarc"] = _result(by_dkim, by_spf, spoken, sole=authors == {author})
        facts["dmarc_policy"] = policy.requested
    if author:
        facts["dmarc_domain"] = author
    others = [index for index in indexes if index not in decisive]
    for index in others[: SIGNATURE_LIMIT - len(decisive)]:
        verdict = mail.verify(index, records, deadline)
        signed.extend([verdict] if verdict is not None else [])
    return {"spf": spoken.result, **_dkim_facts(signed), **facts}


def _result(by_dkim: set[str], by_spf: str, spoken: SpfVerdict, *, sole: bool) -> str:
    """The DMARC result where a policy is published (RFC 7489, 6.6.2)."""
    if not sole:  # more than one author, or none: nobody can be said to have written it
        return "fail"
    if "pass" in by_dkim or by_spf == "pass":
        return "pass"
    if "temperror" in by_dkim or by_spf == "temperror":
        return "temperror"
    # Without the sender's address one half was not checked: that is no failure.
    return "fail" if spoken.checked else "none"


def _dkim_facts(signed: list[DkimVerdict]) -> dict[str, str]:
    results = {verdict.result for verdict in signed}
    word = next((one for one in ("pass", "temperror", "fail") if one in results), "none")
    passed = dict.fromkeys(verdict.domain for verdict in signed if verdict.result == "pass")
    return {"dkim": word, **({"dkim_domains": " ".join(passed)} if passed else {})}


def author_domain(message: InboundMessage) -> str:
    """The domain of the message's sender in lower case and ASCII (RFC 5891), or ``""``."""
    domain = message.sender.value.rpartition("@")[2].strip(". ").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _authors(raw: bytes, mail: SignedMail | None, author: str) -> set[str]:
    """The domains of From; never just ``author`` when the field is not single and clear.

    What our reader took for From must be what the signature was computed over: one field, seen
    alike by both.
    """
    head = raw[:_HEAD_LIMIT].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    fields = header_fields(head).get("from", [])
    clear = len(fields) == 1
    if mail is not None and mail.domains:
        seen = [b"".join(value.split()) for value in mail.authors]
        clear = clear and seen == [b"".join(fields[0].split())]
    found = {author}
    for value in fields[:5]:
        text = value[:4096].decode("utf-8", "replace")
        for _, address in getaddresses([text])[:20]:
            if "@" in address:
                domain = address.rpartition("@")[2].strip(". >").lower()
                found.add(domain if domain.isascii() else author)
    return found if clear and author else found | {""}
