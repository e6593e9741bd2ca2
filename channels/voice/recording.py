# SPDX-License-Identifier: MIT
"""Fetches a recording: the complaint itself. By a worker, never inside a webhook.

The URL is built from the two ids alone and goes to the configured host only: a ``RecordingUrl``
from a form is never fetched. The file may not be ready when the webhook comes, so a 404 means
*try again*, and so does what is no sound: a page that says *maintenance* comes with a 200.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable

import httpx
import soundfile

from channels.errors import MalformedMessage, Rejected, Unreachable
from channels.voice.transcribe import Interrupted, never

_SID = re.compile(r"[A-Z]{2}[0-9a-zA-Z]{1,64}", re.ASCII)
TWILIO_API = "https://api.twilio.com"
#: From this size on a WAV's header means "nobody knows yet".
_UNKNOWN_SIZE = 0x7FFF0000
#: What passes when the provider is asked again: not ready, not allowed yet, busy.
_RETRYABLE = frozenset({401, 403, 404, 408, 409, 425, 429})


def fetch(
    account_sid: str,
    recording_sid: str,
    base_url: str,
    auth: tuple[str, str],
    max_bytes: int,
    *,
    timeout_seconds: float = 30.0,
    longest_seconds: float = 120.0,
    even_cut: bool = False,
    stop: Callable[[], bool] = never,
    transport: httpx.BaseTransport | None = None,
) -> bytes:
    """Fetch one recording as WAV (8 kHz, 16-bit, mono at Twilio).

    Args:
        account_sid: ``AC…``.
        recording_sid: ``RE…``, with or without ``twilio-recording:`` before it.
        base_url: the API's address; ``""`` for Twilio's own.
        auth: account and token for basic auth; sent to this host only.
        max_bytes: largest file taken.
        timeout_seconds: longest silence of the other side.
        longest_seconds: how long the file may take to come, in all.
        even_cut: take a WAV that holds less than its header announces.
        stop: asked as pieces come; true gives the work up.
        transport: another transport, for tests.

    Returns:
        The bytes as they came: they are the record.

    Raises:
        Unreachable: not ready yet, no sound, too slow, cut off, or the provider does not answer;
            try again.
        Rejected: the provider refuses for good.
        MalformedMessage: the ids are none, or it is larger than ``max_bytes``.
        Interrupted: ``stop()`` was true.
    """
    until = time.monotonic() + longest_seconds
    sid = recording_sid.rpartition(":")[2]
    if not (_SID.fullmatch(account_sid) and _SID.fullmatch(sid)):
        raise MalformedMessage("these are no ids of a recording")
    url = (
        f"{(base_url or TWILIO_API).rstrip('/')}"
        f"/2010-04-01/Accounts/{account_sid}/Recordings/{sid}.wav"
    )
    try:
        with (
            httpx.Client(
                timeout=timeout_seconds,
                follow_redirects=False,  # the token must not travel on
                trust_env=False,
                transport=transport,
            ) as client,
            client.stream("GET", url, auth=auth) as response,
        ):
            content = _read(response, max_bytes, until, stop)
    except httpx.HTTPError:
        raise Unreachable("the recording cannot be fetched now") from None
    try:
        check(content)
    except MalformedMessage as error:
        raise Unreachable(str(error), code="no sound") from error
    if is_cut(content) and not even_cut:
        raise Unreachable("the recording came with less sound than it announces")
    return content


def is_cut(content: bytes) -> bool:
    """Whether a WAV holds less sound than its header announces.

    Without a Content-Length a lost connection looks like the end of the file, and libsndfile takes
    what there is for all of it.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return False
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"data":
            # Who writes while the sound still comes does not know its length, and says so.
            return size < _UNKNOWN_SIZE and at + 8 + size > len(content)
        at += 8 + size + size % 2
    return True


def check(content: bytes) -> float:
    """Look whether ``content`` is sound; a provider's XML error was once stored as a voice file.

    Returns:
        Its length in seconds.

    Raises:
        MalformedMessage: it is no sound that we can read.
    """
    try:
        facts = soundfile.info(io.BytesIO(content))
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise MalformedMessage("the file fetched as a recording is no sound") from error
    if facts.frames <= 0 or facts.samplerate <= 0:
        raise MalformedMessage("the recording holds no sound")
    return float(facts.frames / facts.samplerate)


def _read(
    response: httpx.Response, max_bytes: int, until: float, stop: Callable[[], bool]
) -> bytes:
    status = response.status_code
    if status in _RETRYABLE or response.is_server_error:
        raise Unreachable(f"the recording is not there yet ({status})", code=str(status))
    if not response.is_success:
        raise Rejected(f"the provider refuses the recording ({status})", code=str(status))
    content = bytearray()
    for chunk in response.iter_bytes():
        if stop():
            raise Interrupted
        if time.monotonic() > until:
            raise Unreachable("the recording comes too slowly")
        content += chunk
        if len(content) > max_bytes:
            raise MalformedMessage("the recording is larger than allowed")
    return bytes(content)
