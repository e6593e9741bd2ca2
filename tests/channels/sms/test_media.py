# SPDX-License-Identifier: MIT
"""Pictures of texts: fetched with the token from the API's host only, and from known hosts only."""

import httpx
import pytest

from channels.errors import MalformedMessage, Rejected, Unreachable
from channels.sms.media import fetch

ACCOUNT, AUTH = "AC" + "1" * 32, ("AC" + "1" * 32, "token")
REFERENCE = "twilio-media:MM1/ME1"
STORE = "https://mms.twiliocdn.com/a/b"


class Provider:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers.pop(0)

    def fetch(self, reference: str = REFERENCE) -> bytes:
        """Fetch through this provider."""
        return fetch(
            ACCOUNT,
            reference,
            "",
            AUTH,
            1000,
            content_hosts=["mms.twiliocdn.com"],
            transport=httpx.MockTransport(self),
        )


def to(url: str) -> httpx.Response:
    """A redirect."""
    return httpx.Response(307, headers={"Location": url})


def test_the_token_stays_at_the_api() -> None:
    """Basic auth at the API's host, none at the content store that it leads to."""
    provider = Provider(to(STORE), httpx.Response(200, content=b"picture"))

    assert provider.fetch() == b"picture"
    first, second = provider.asked
    assert (first.url.host, "Authorization" in first.headers) == ("api.twilio.com", True)
    assert (second.url.host, "Authorization" in second.headers) == ("mms.twiliocdn.com", False)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://192.0.2.1/secret",
        "https://localhost:8000/",
        "https://mms.twiliocdn.com.example/a",
        "http://mms.twiliocdn.com/a",
        "https://user@evil.example/a",
    ],
)
def test_a_redirect_elsewhere_is_not_followed(elsewhere: str) -> None:
    """A signed but odd answer cannot send a worker into the house's own network."""
    provider = Provider(to(elsewhere), httpx.Response(200, content=b"secret"))

    with pytest.raises(Rejected):
        provider.fetch()
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([httpx.Response(404)], Unreachable),
        ([httpx.Response(503)], Unreachable),
        ([httpx.Response(410)], Rejected),
        ([httpx.Response(200, content=b"x" * 1001)], MalformedMessage),
        ([to(STORE)] * 4, Rejected),
    ],
)
def test_what_goes_wrong(answers: list[httpx.Response], error: type[Exception]) -> None:
    """Not there yet: again. Refused, too large, round in circles: never."""
    with pytest.raises(error):
        Provider(*answers).fetch()


def test_only_a_reference_of_ours_is_fetched() -> None:
    """A URL from a form is none."""
    provider = Provider()
    with pytest.raises(MalformedMessage):
        provider.fetch("https://evil.example/")
    assert provider.asked == []
