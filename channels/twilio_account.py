# SPDX-License-Identifier: MIT
"""What texts and calls share at Twilio: signed forms, the REST client, and its errors.

Twilio posts forms (``application/x-www-form-urlencoded``), signed over the *public* URL and every
pair of the form (see ``channels.twilio_signature``). The signature has no time in it: the
idempotency key of a delivery is also the defence against a replay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import requests
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from channels.channel import Delivery
from channels.errors import (
    DeliveryError,
    MalformedMessage,
    OptedOut,
    Rejected,
    Throttled,
    Uncertain,
    Unreachable,
    UnverifiedRequest,
)
from channels.twilio_signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    Secrets,
    body_hash_fits,
    fits,
    signed_parameters,
    spellings,
)

FORM = "application/x-www-form-urlencoded"
#: More pairs than any provider sends; a hostile body must not cost more than this.
MAX_PAIRS = 500
TOO_MANY_REQUESTS = 429

#: Twilio's error codes (https://www.twilio.com/docs/api/errors) in our tree; the one place of it.
#: What is our own account's fault (20003 …) is retryable: the citizen's message must outlive a
#: wrong token, and the last attempt hands it to a person.
ERRORS: Mapping[int, type[DeliveryError]] = {
    20003: Unreachable,  # authentication failed
    20005: Unreachable,  # account not active
    20429: Throttled,  # too many requests
    20500: Uncertain,  # internal server error: it may have been created
    20503: Unreachable,  # service unavailable
    13227: Rejected,  # no permission to call that country
    21211: Rejected,  # invalid To
    21212: Rejected,  # invalid From
    21214: Rejected,  # To cannot be reached
    21215: Rejected,  # no permission to call that country
    21216: Rejected,  # not allowed to call To
    21217: Rejected,  # not a phone number
    21219: Rejected,  # To not verified (trial account)
    21408: Rejected,  # no permission to text that country
    21602: Rejected,  # no body
    21603: Rejected,  # no From
    21604: Rejected,  # no To
    21606: Rejected,  # From cannot send texts
    21610: OptedOut,  # the recipient sent STOP
    21611: Throttled,  # queue of this From is full
    21612: Rejected,  # no route from From to To
    21614: Rejected,  # To is no mobile number
    21617: Rejected,  # longer than 1600 characters
    21635: Rejected,  # To is a landline
    30001: Throttled,  # queue overflow
    30002: Unreachable,  # account suspended
    30003: Unreachable,  # handset unreachable
    30004: Rejected,  # blocked
    30005: Rejected,  # unknown handset
    30006: Rejected,  # landline or unreachable carrier
    30007: Rejected,  # filtered by the carrier
    30008: Unreachable,  # unknown error: worth another try
    30036: Rejected,  # validity period over
    32205: Rejected,  # no permission to call that country
    63016: Rejected,  # WhatsApp: outside the 24-hour window
}

_BY_STATUS: Mapping[int, type[DeliveryError]] = {
    401: Unreachable,
    403: Unreachable,
    408: Uncertain,
    429: Throttled,
    500: Uncertain,
    502: Uncertain,
    503: Unreachable,
    504: Uncertain,
}

_SENTENCES: Mapping[type[DeliveryError], str] = {
    Unreachable: "the provider cannot take it now; try again later",
    Throttled: "the provider asks for a slower pace",
    Rejected: "the provider refused it for good",
    OptedOut: "the recipient asked this sender for silence; use another channel",
    Uncertain: "the provider did not say whether it took it; ask it before sending again",
}


class Form:
    """The pairs of a posted form, in order, blank values and repeated names kept.

    A multi-dict as the official validator reads one (``getlist``, iteration over names).
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self.pairs))

    def __len__(self) -> int:
        return len(self.pairs)

    def getlist(self, name: str) -> list[str]:
        """All values of ``name``, in order; empty when it is not there."""
        return [value for key, value in self.pairs if key == name]

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name``, or ``default``."""
        return next((value for key, value in self.pairs if key == name), default)


def form_of(body: bytes) -> Form:
    """Read a form body.

    Raises:
        MalformedMessage: it is no UTF-8 form, or has more than :data:`MAX_PAIRS` fields.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_PAIRS,
        )
    except ValueError as error:  # UnicodeError is one
        raise MalformedMessage("the body is not a form in UTF-8") from error
    return Form(pairs)


def verify(
    delivery: Delivery,
    auth_tokens: Sequence[str],
    public_url: str,
    shared_keys: Sequence[str] = (),
) -> Form:
    """Check the signature of a webhook and give its form.

    Args:
        delivery: headers with ``X-Twilio-Signature`` and ``Content-Type`` (any case); raw body.
        auth_tokens: the account's tokens, any of which may have signed (rotation).
        public_url: what Twilio was told to call: the configured public base URL, then the request's
            raw path and raw query, byte for byte. Never built from a request's own Host header.
        shared_keys: secrets of shared keys, any of which may have signed with the algorithm that
            ``X-Twilio-Webhooks-Signature-Settings`` names. Without one that header is not looked
            at; with one, whoever sends the header must have signed with a shared key.

    Returns:
        The form; empty for a JSON body, whose hash the signed URL must carry (``bodySHA256``).

    Raises:
        UnverifiedRequest: the signature is missing or fits no secret.
    """
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    signature = headers.get(SIGNATURE_HEADER, "")
    if not signature:
        raise UnverifiedRequest("the request has no signature")
    secrets = Secrets(tuple(auth_tokens), tuple(shared_keys))
    algorithm, candidates = secrets.candidates(headers.get(SETTINGS_HEADER, ""))
    form = Form(())
    try:
        parameters = ""
        if is_form(headers.get("content-type", FORM)):
            form = form_of(delivery.body)
            parameters = signed_parameters(form.pairs)
        elif not body_hash_fits(delivery.body, public_url):
            raise UnverifiedRequest("a body that is no form needs its bodySHA256 in the signed URL")
        known = fits(signature, spellings(public_url), parameters, candidates, algorithm)
    except (MalformedMessage, ValueError) as error:
        # What cannot be read cannot be checked, and what cannot be checked is not verified.
        raise UnverifiedRequest("the signature cannot be checked") from error
    if not known:
        raise UnverifiedRequest("the signature fits none of the account's secrets")
    return form


def is_form(content_type: str) -> bool:
    """Whether a body of this Content-Type is signed by its pairs (and not by a hash)."""
    return content_type.partition(";")[0].strip().lower() in ("", FORM)


class _PacedHttpClient(TwilioHttpClient):  # type: ignore[misc] # the SDK ships no types
    """The SDK's client, which keeps what a 429 says of the pause and writes no log.

    The SDK logs URLs and parameters, which hold numbers; nothing of it may reach our log.
    """

    def log_request(self, kwargs: Any) -> None:
        """Write nothing."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Write nothing."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request, once.

        Raises:
            Throttled: HTTP 429, with the seconds of Retry-After where they are given.
        """
        response = super().request(*args, **kwargs)
        if response.status_code == TOO_MANY_REQUESTS:
            pause = str(response.headers.get("Retry-After", ""))
            raise Throttled(
                _SENTENCES[Throttled],
                code=str(TOO_MANY_REQUESTS),
                retry_after=float(pause) if pause.isdigit() else None,
            )
        return response


def client_of(
    account_sid: str, auth_token: str, api_base_url: str, timeout_seconds: float
) -> Client:
    """Build the official SDK's client: a time-out, no repetition, no environment of the process.

    Its own default waits for ever; ``TWILIO_EDGE`` would mangle another base URL; a repeated POST
    would send a text twice.

    Args:
        account_sid: the account (``AC…``); may be empty where nothing is ever sent.
        auth_token: the newest auth token.
        api_base_url: another API address, or ``""`` for Twilio's own.
        timeout_seconds: longest wait for a connection, and for an answer.
    """
    # urllib3 would log each request line, which holds numbers in list filters.
    logging.getLogger("twilio").setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)
    client = Client(
        # The SDK refuses to be made without credentials; a gateway without an account still starts.
        account_sid or "AC-not-set",
        auth_token or "not-set",
        http_client=_PacedHttpClient(timeout=timeout_seconds),
        environment={"_": ""},  # an empty one would fall back to os.environ
    )
    if api_base_url:
        client.api.base_url = api_base_url.rstrip("/")
    return client


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what the SDK and its transport raise into our tree, without numbers in the sentence.

    Raises:
        DeliveryError: one of its leaves. ``from None``: the SDK's own message names numbers.
    """
    try:
        yield
    except TwilioException as error:
        raise _of_provider(error) from None
    except requests.exceptions.ReadTimeout:
        raise _made(Uncertain, "timeout") from None
    except (
        requests.exceptions.ConnectTimeout,
        requests.exceptions.SSLError,
        requests.exceptions.ProxyError,
    ):
        raise _made(Unreachable, "connect") from None
    except requests.exceptions.ConnectionError as error:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, NewConnectionError):
            raise _made(Unreachable, "connect") from None
        # The connection broke after it stood: the request may have been read.
        raise _made(Uncertain, "connection lost") from None
    except (
        requests.exceptions.RequestException,
        # The SDK reads JSON without looking at its shape.
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ):
        raise _made(Uncertain, "unreadable answer") from None


def _of_provider(error: TwilioException) -> DeliveryError:
    status = int(getattr(error, "status", 0) or 0)
    code = int(getattr(error, "code", 0) or 0)
    leaf = ERRORS.get(code) or _BY_STATUS.get(status) or (Uncertain if status >= 500 else Rejected)  # noqa: PLR2004
    return _made(leaf, str(code or status))


def _made(leaf: type[DeliveryError], code: str) -> DeliveryError:
    return leaf(f"{_SENTENCES[leaf]} ({code})", code=code)
