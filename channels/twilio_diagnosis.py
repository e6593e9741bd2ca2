# SPDX-License-Identifier: MIT
"""Why a signature of Twilio does not fit: other addresses, bodies and secrets are tried.

A variant that fits proves two things: the request is genuine, as nobody else has the secret, and
what differs from that variant is what is set wrong. Where none fits, nothing is proven: a forgery,
a wrong token, or a body that something on the way has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from channels.errors import MalformedMessage
from channels.twilio_account import FORM, form_of, is_form
from channels.twilio_signature import (
    ALGORITHMS,
    SETTINGS_HEADER,
    SHA1,
    SIGNATURE_HEADER,
    Secrets,
    body_hash_fits,
    fits,
    signed_parameters,
    spellings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channels.channel import Delivery

#: Fields that Twilio sends blank where it knows nothing; a proxy may drop them.
OFTEN_BLANK = tuple(f"{end}{of}" for end in ("From", "To") for of in ("City", "State", "Zip"))
OFTEN_BLANK += ("FromCountry", "ToCountry")
#: Longest host name or prefix that is tried.
LONGEST = 300


class SignatureFault(StrEnum):
    """What is wrong, in the order in which it is looked for."""

    NO_SIGNATURE = "no_signature"
    NO_SECRET = "no_secret"  # noqa: S105 - a name
    NO_BODY_HASH = "no_body_hash"
    UNREADABLE = "unreadable"
    ADDRESS = "address"
    PATH = "path"
    QUERY = "query"
    BODY = "body"
    SECRET = "secret"  # noqa: S105 - a name
    SHARED_KEY = "shared_key"
    ACCOUNT = "account"
    UNKNOWN = "unknown"


#: Faults that a variant has proven: the request was genuine.
PROVEN = frozenset(
    {
        SignatureFault.ADDRESS,
        SignatureFault.PATH,
        SignatureFault.QUERY,
        SignatureFault.BODY,
        SignatureFault.SECRET,
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """How the request itself names the place it was sent to; a hint, never believed.

    Attributes:
        scheme: ``http`` or ``https``, as the server sees it.
        hosts: of Host, X-Forwarded-Host and the like, with their ports.
        prefixes: paths that a proxy says it has taken away (X-Forwarded-Prefix).
    """

    scheme: str = ""
    hosts: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a signature does not fit.

    Attributes:
        fault: one word of a closed list.
        sentence: what happened and what to do; no secret, no word of the body, no query.
    """

    fault: SignatureFault
    sentence: str

    @property
    def proven(self) -> bool:
        """Whether the request was certainly Twilio's."""
        return self.fault in PROVEN


def explain(
    delivery: Delivery,
    secrets: Secrets,
    public_base_url: str,
    heard: Heard,
    account_sid: str = "",
) -> Finding:
    """Say why the signature of a refused delivery does not fit.

    Args:
        delivery: as :func:`channels.twilio_account.verify` refused it; its ``url`` is
            ``public_base_url`` and the raw target.
        secrets: what may have signed.
        public_base_url: the configured one, without a final slash.
        heard: what the request itself says of its address.
        account_sid: the configured account.
    """
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    given, settings = headers.get(SIGNATURE_HEADER, ""), headers.get(SETTINGS_HEADER, "")
    if not given:
        return _finding(SignatureFault.NO_SIGNATURE)
    known = tuple(secret for secret in (*secrets.auth_tokens, *secrets.shared_keys) if secret)
    if not known:
        return _finding(SignatureFault.NO_SECRET)
    pairs: list[tuple[str, str]] = []
    try:
        if is_form(headers.get("content-type", FORM)):
            pairs = list(form_of(delivery.body).pairs)
        elif not body_hash_fits(delivery.body, delivery.url):
            return _finding(SignatureFault.NO_BODY_HASH)
    except (MalformedMessage, ValueError):
        return _finding(SignatureFault.UNREADABLE)
    algorithm, candidates = secrets.candidates(settings)
    try:
        for fault, told, parameters in _variants(delivery, public_base_url, heard, pairs):
            if fits(given, spellings(told), parameters, candidates, algorithm):
                base = _base_of(told)
                return _finding(fault, base=base, ours=public_base_url)
        if _other_secret(given, delivery, signed_parameters(pairs), known):
            return _finding(SignatureFault.SECRET)
    except ValueError:
        return _finding(SignatureFault.UNREADABLE)
    if settings and not any(secrets.shared_keys):
        return _finding(SignatureFault.SHARED_KEY)
    account = dict(pairs).get("AccountSid", "")
    if account_sid and account and account != account_sid:
        return _finding(SignatureFault.ACCOUNT)
    return _finding(SignatureFault.UNKNOWN)


def _variants(
    delivery: Delivery, base: str, heard: Heard, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[SignatureFault, str, str]]:
    """What may have been signed instead: the fault it would prove, the URL, the parameters."""
    target = delivery.url.removeprefix(base) or "/"
    as_sent = signed_parameters(pairs)
    bases = [base, *_other_bases(base, heard)]
    for other in bases[1:]:
        yield SignatureFault.ADDRESS, other + target, as_sent
    for other, (fault, changed) in product(bases, _other_targets(target)):
        yield fault, other + changed, as_sent
    for other, changed_pairs in product(bases, _other_bodies(pairs)):
        yield SignatureFault.BODY, other + target, signed_parameters(changed_pairs)


def _other_bases(base: str, heard: Heard) -> list[str]:
    parts = urlsplit(base)
    hosts = [parts.netloc, parts.hostname or "", *heard.hosts]
    hosts += [host.rpartition(":")[0] for host in heard.hosts if ":" in host]
    prefixes = [parts.path, "", *heard.prefixes]
    schemes = dict.fromkeys([parts.scheme, "https", "http", heard.scheme])
    found = (
        f"{scheme}://{host}{prefix.rstrip('/')}"
        for host, prefix, scheme in product(
            dict.fromkeys(hosts), dict.fromkeys(prefixes), filter(None, schemes)
        )
        if host and len(host) + len(prefix) < LONGEST
    )
    return [one for one in dict.fromkeys(found) if one != base]


def _other_targets(target: str) -> list[tuple[SignatureFault, str]]:
    path, mark, query = target.partition("?")
    slash = path.rstrip("/") if path.endswith("/") else f"{path}/"
    changed = [
        (SignatureFault.PATH, slash + mark + query),
        (SignatureFault.PATH, f"/{path}{mark}{query}"),
        (SignatureFault.PATH, unquote(path) + mark + query),
        (SignatureFault.PATH, quote(unquote(path)) + mark + query),
    ]
    if mark:
        changed += [
            (SignatureFault.QUERY, path),
            (SignatureFault.QUERY, f"{path}?{unquote(query)}"),
            (SignatureFault.QUERY, f"{path}?{quote(unquote(query), safe='=&')}"),
            (SignatureFault.QUERY, f"{path}?{query.replace('+', '%20')}"),
            (SignatureFault.QUERY, f"{path}?{query.replace('%20', '+')}"),
        ]
    else:
        changed.append((SignatureFault.QUERY, f"{path}?"))
    return [(fault, one) for fault, one in changed if one != target]


def _other_bodies(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    names = {name for name, _ in pairs}
    lost = [(name, "") for name in OFTEN_BLANK if name not in names]
    for also in ([], [("Body", "")] if "Body" not in names else []):
        yield [*pairs, *lost, *also]
        if also:
            yield [*pairs, *also]
    yield [pair for pair in pairs if pair[1]]
    yield [(name, value.replace("\r\n", "\n")) for name, value in pairs]
    yield [(name, value.replace("\n", "\r\n")) for name, value in pairs]


def _other_secret(given: str, delivery: Delivery, parameters: str, known: Sequence[str]) -> bool:
    """Whether a secret signed that is written down with something around it, or kept elsewhere."""
    tidied = dict.fromkeys([*known, *(secret.strip().strip("\"'").strip() for secret in known)])
    return any(
        fits(given, spellings(delivery.url), parameters, tidied, algorithm)
        for algorithm in {SHA1, *ALGORITHMS.values()}
    )


def _base_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _finding(fault: SignatureFault, **values: str) -> Finding:
    return Finding(fault, _SENTENCES[fault].format(**values))


_SENTENCES = {
    SignatureFault.NO_SIGNATURE: (
        "the request has no X-Twilio-Signature: it is not Twilio's, or a proxy removes headers"
    ),
    SignatureFault.NO_SECRET: (
        "no secret is set: put the account's auth token into twilio.auth_tokens"
    ),
    SignatureFault.NO_BODY_HASH: (
        "the body is no form and its URL has no fitting bodySHA256: something on the way has "
        "changed the body or dropped the query"
    ),
    SignatureFault.UNREADABLE: "the body cannot be read as a form in UTF-8",
    SignatureFault.ADDRESS: (
        "Twilio signed for {base} and web.public_base_url is {ours}: scheme, host, port and path "
        "before /inbound must be those that are set at Twilio"
    ),
    SignatureFault.PATH: (
        "a proxy changes the path on its way: what Twilio calls at {base} must arrive with the "
        "same slashes and escapes"
    ),
    SignatureFault.QUERY: (
        "a proxy drops or rewrites the query of the URL on its way from {base}: pass it on byte "
        "for byte"
    ),
    SignatureFault.BODY: (
        "something on the way from {base} drops fields without a value or rewrites line ends: the "
        "body must arrive byte for byte"
    ),
    SignatureFault.SECRET: (
        "the secret fits only when spaces or quotes around it are removed, or when it stands in "
        "the other list: auth tokens belong in twilio.auth_tokens, secrets of shared keys in "
        "twilio.shared_keys"
    ),
    SignatureFault.SHARED_KEY: (
        "a Webhook Rule at Twilio signs with a shared key, and twilio.shared_keys is empty"
    ),
    SignatureFault.ACCOUNT: (
        "the request names another account than twilio.account_sid: a subaccount signs with its "
        "own auth token"
    ),
    SignatureFault.UNKNOWN: (
        "no other address and no other body fits either: compare twilio.auth_tokens with the "
        "primary auth token in Twilio's console; else it is a forgery, or its body was changed"
    ),
}
