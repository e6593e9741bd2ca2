# SPDX-License-Identifier: MIT
"""Requests of the provider to the gateway, signed as Twilio signs them.

A webhook's URL is the *public* one, because that is what is signed; the request itself goes to the
gateway's own address on this machine. Nothing is ever sent anywhere else.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlencode, urljoin
from uuid import uuid4

import httpx
from twilio.request_validator import RequestValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.settings import Settings

logger = logging.getLogger(__name__)

#: Twilio gives a webhook 10 s to connect and 15 s in all (error 11205).
TIMEOUT = httpx.Timeout(15.0, connect=10.0)


class WebhookFailed(Exception):  # noqa: N818 - named as Twilio's debugger names it
    """The gateway could not be reached or did not answer 2xx.

    Attributes:
        status: the HTTP status, or 0 when there was no answer.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Webhooks:
    """Signs and sends webhooks; slow ones go by a few threads of its own.

    Args:
        settings: the public URL, the gateway's address and the account's token.
    """

    def __init__(self, settings: Settings) -> None:
        self.account_sid = settings.twilio.account_sid
        self.public_base = settings.public_base_url
        self._local_base = local_base_url(settings)
        tokens = [token.get_secret_value() for token in settings.twilio.auth_tokens]
        self._validator = RequestValidator(tokens[0] if tokens else "")
        self._client = httpx.Client(timeout=TIMEOUT, trust_env=False)
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="simulator-webhook")

    def absolute(self, url: str, document: str = "") -> str:
        """Make ``url`` absolute: against the document it stands in, else the public URL."""
        return urljoin(document or f"{self.public_base}/", url)

    def send(self, url: str, form: Mapping[str, str], method: str = "POST") -> httpx.Response:
        """Send one signed request and return the gateway's 2xx answer.

        Args:
            url: the public URL; its fragment (Twilio's retry settings) is neither sent nor signed.
            form: the parameters, blank values included.
            method: ``POST`` (form) or ``GET`` (query).

        Raises:
            WebhookFailed: no answer, another status than 2xx, or a URL that is not the gateway's.
        """
        address = urldefrag(self.absolute(url)).url
        if method.upper() == "GET":
            joint = "&" if "?" in address else "?"
            address, form = f"{address}{joint}{urlencode(form)}", {}
        if not address.startswith(f"{self.public_base}/"):
            raise WebhookFailed("the URL is not the gateway's: nothing is sent elsewhere")
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(address, dict(form)),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
        }
        local = self._local_base + address.removeprefix(self.public_base)
        try:
            if method.upper() == "GET":
                response = self._client.get(local, headers=headers)
            else:
                response = self._client.post(local, data=dict(form), headers=headers)
        except httpx.HTTPError as error:
            raise WebhookFailed(f"no answer: {type(error).__name__}") from error
        if not response.is_success:
            raise WebhookFailed(
                f"the gateway answered {response.status_code}", status=response.status_code
            )
        return response

    def later(self, work: Callable[[], None]) -> None:
        """Do ``work`` on a thread of its own; what fails is logged without its content."""
        self._threads.submit(_guarded, work)

    def close(self) -> None:
        """Drop what has not begun and let go of the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()


def local_base_url(settings: Settings) -> str:
    """The gateway's own address on this machine, without a final slash."""
    host = settings.web.host
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://{host}:{settings.web.port}"


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except WebhookFailed as failure:
        # Twilio does not repeat a status callback either: whoever needs it asks the API.
        logger.warning("simulator: a callback failed: %s", failure)
    except Exception:
        # The one wide catch of these threads: a bug must be seen, and must not end the process.
        logger.exception("simulator: a background step failed")
