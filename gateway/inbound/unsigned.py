# SPDX-License-Identifier: MIT
"""Keeps why the last webhook was refused for its signature, for ``guichet doctor``.

One small file in ``data_dir``: a time, a word of a closed list and a sentence without personal
data. It is written at most once a second, so that a flood of forgeries costs nothing, and a
proven fault (the request was genuine) is not covered by a mere forgery. The first webhook
that is verified afterwards removes it.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from channels.twilio_diagnosis import Heard, SignatureFault, explain
from channels.twilio_signature import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from channels.channel import Delivery
    from config.settings import Settings
    from gateway.house import House

logger = logging.getLogger(__name__)

FILE = "refused-signature.json"
#: Seconds between two looks into why a signature does not fit.
PAUSE_SECONDS = 1.0

#: When the next look is due, and in which folders nothing is kept, for this process.
_next_look: dict[str, float] = {}
_clean: set[str] = set()


@dataclass(frozen=True, slots=True)
class Refused:
    """The last refusal.

    Attributes:
        at: RFC 3339, UTC.
        fault: a word of :class:`SignatureFault`.
        sentence: what happened and what to do.
        proven: whether the request was certainly the provider's.
    """

    at: str
    fault: str
    sentence: str
    proven: bool


def secrets_of(settings: Settings) -> Secrets:
    """What may have signed, under these settings."""
    twilio = settings.twilio
    return Secrets(
        tuple(token.get_secret_value() for token in twilio.auth_tokens),
        tuple(key.get_secret_value() for key in twilio.shared_keys),
    )


def note_refusal(house: House, delivery: Delivery, environ: Mapping[str, Any]) -> None:
    """Look why a signature does not fit and keep that, unless one was looked at just now."""
    settings, folder = house.settings, str(house.settings.data_dir)
    now = time.monotonic()
    if now < _next_look.get(folder, 0.0):
        return
    _next_look[folder] = now + PAUSE_SECONDS
    finding = explain(
        delivery,
        secrets_of(settings),
        settings.public_base_url,
        _heard(environ),
        settings.twilio.account_sid,
    )
    if finding.fault is SignatureFault.NO_SIGNATURE:
        return  # anybody's request; it says nothing of our settings
    if not finding.proven:
        earlier = last_refusal(settings.data_dir)
        if earlier is not None and earlier.proven:
            return
    else:
        logger.warning("a genuine webhook was refused: %s", finding.sentence)
    at = delivery.received_at.isoformat(timespec="seconds")
    kept = Refused(at, str(finding.fault), finding.sentence, finding.proven)
    file = settings.data_dir / FILE
    fresh = file.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # a full disk must not turn a 403 into a 500
        fresh.write_text(json.dumps(asdict(kept)), encoding="utf-8")
        fresh.replace(file)
    _clean.discard(folder)


def note_success(house: House) -> None:
    """Forget what was kept: a signature fits."""
    folder = house.settings.data_dir
    if str(folder) in _clean:
        return
    _clean.add(str(folder))
    with suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)


def last_refusal(folder: Path) -> Refused | None:
    """What is kept in ``data_dir``, or ``None``."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return Refused(
            str(told["at"]), str(told["fault"]), str(told["sentence"]), bool(told["proven"])
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _heard(environ: Mapping[str, Any]) -> Heard:
    """What the request says of its address. Only compared, never believed."""

    def first(name: str) -> str:
        return str(environ.get(name, "")).partition(",")[0].strip()

    hosts = (first("HTTP_HOST"), first("HTTP_X_FORWARDED_HOST"), first("HTTP_X_ORIGINAL_HOST"))
    port = first("HTTP_X_FORWARDED_PORT")
    with_port = tuple(f"{host}:{port}" for host in hosts if port.isdigit() and host)
    prefixes = (first("HTTP_X_FORWARDED_PREFIX"), str(environ.get("SCRIPT_NAME", "")))
    return Heard(
        first("HTTP_X_FORWARDED_PROTO").lower() or str(environ.get("wsgi.url_scheme", "")),
        tuple(dict.fromkeys(host for host in (*hosts, *with_port) if host)),
        tuple(dict.fromkeys(prefix for prefix in prefixes if prefix)),
    )
