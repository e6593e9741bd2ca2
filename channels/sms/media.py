# SPDX-License-Identifier: MIT
"""Pictures and files that came with a text: fetched by a worker, never inside a webhook.

Twilio keeps them behind basic auth, may say 404 at first, and answers with a redirect to its
content store; the account's token goes to the API's own host only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from channels.errors import MalformedMessage, Rejected, Unreachable
from channels.sms.twilio import MEDIA_SCHEME

_REFERENCE = re.compile(re.escape(MEDIA_SCHEME) + r"((?:SM|MM)\w{1,64})/(ME\w{1,64})", re.ASCII)
MAX_REDIRECTS = 2
TWILIO_API = "https://api.twilio.com"


def fetch(
    account_sid: str,
    reference: str,
    base_url: str,
    auth: tuple[str, str],
    max_bytes: int,
    *,
    content_hosts: Sequence[str] = (),
    timeout_seconds: float = 30.0,
    transport: httpx.BaseTransport | None = None,
) -> bytes:
    """Fetch one file.

    Args:
        account_sid: ``AC…``.
        reference: ``twilio-media:MM…/ME…``, as :func:`channels.sms.twilio.read_message` made it.
        base_url: the API's address; ``""`` for Twilio's own.
        auth: account and token for basic auth; sent to this host only.
        max_bytes: largest file taken.
        content_hosts: hosts besides the API's own that a redirect may lead to.
        timeout_seconds: longest silence of the other side.
        transport: another transport, for tests.

    Raises:
        MalformedMessage: the reference is none, or the file is larger than ``max_bytes``.
        Unreachable: not there yet, or the provider does not answer; try again.
        Rejected: the provider refuses for good, redirects without end, or to a host of its own
            choice.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise MalformedMessage("this is no reference to a media file")
    url = httpx.URL(
        f"{(base_url or TWILIO_API).rstrip('/')}/2010-04-01/Accounts/{account_sid}"
        f"/Messages/{found[1]}/Media/{found[2]}"
    )
    credentials: tuple[str, str] | None = auth
    allowed = {url.host, *content_hosts}
    try:
        with httpx.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        ) as client:
            for _ in range(MAX_REDIRECTS + 1):
                with client.stream("GET", url, auth=credentials) as response:
                    if response.is_redirect:
                        following = url.join(response.headers.get("Location", ""))
                        if url.scheme == "https" and following.scheme != "https":
                            raise Rejected("the provider redirects to an open connection")
                        if following.host not in allowed:
                            raise Rejected("the provider redirects to an unknown host")
                        url, credentials = following, None
                        continue
                    _check(response)
                    return _read(response, max_bytes)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Unreachable("the media file cannot be fetched now") from None
    raise Rejected("the provider redirects without end")


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if response.is_success:
        return
    if status in (401, 403, 404, 408, 429) or response.is_server_error:
        raise Unreachable(f"the media file is not there yet ({status})", code=str(status))
    raise Rejected(f"the provider refuses the media file ({status})", code=str(status))


def _read(response: httpx.Response, max_bytes: int) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > max_bytes:
            raise MalformedMessage("the media file is larger than allowed")
    return bytes(content)
