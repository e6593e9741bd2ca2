# SPDX-License-Identifier: MIT
"""Opens the mail door of this process with the settings, and closes it cleanly."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from functools import partial
from typing import TYPE_CHECKING

from channels.mail.address import is_ours
from channels.mail.limits import Limits
from channels.mail.smtp import MailDoor
from gateway import telemetry
from gateway.authenticating import authenticator_of
from gateway.reading_guard import ReadingGuard
from gateway.reading_process import ReadingProcess
from normalizer.normalize import preload

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.mail import Smtp
    from gateway.house import House

_POLL_SECONDS = 0.1


def run(
    house: House,
    stop: asyncio.Event | threading.Event,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve mail until ``stop`` is set. Blocks.

    Args:
        house: what the door hands deliveries to, and its settings.
        stop: set by a signal handler or another thread.
        announce: is told one line with the listening address once the door is open.

    Raises:
        OSError: the address is busy or not ours.
        ssl.SSLError: the certificate or its key cannot be used.
    """
    asyncio.run(serve(house, stop, announce))


async def serve(
    house: House,
    stop: asyncio.Event | threading.Event,
    announce: Callable[[str], None] = print,
) -> None:
    """As :func:`run`, inside a running event loop."""
    preload()
    door = open_door(house)
    smtp = house.settings.smtp
    host, port = await door.open(smtp.host, smtp.port)
    shown = f"[{host}]" if ":" in host else host
    where = host if host.startswith("unix:") else f"{smtp.protocol}://{shown}:{port}"
    announce(f"mail door listening on {where}")
    try:
        if isinstance(stop, asyncio.Event):
            await stop.wait()
        else:
            while not stop.is_set():  # noqa: ASYNC110 - a threading.Event cannot be awaited
                await asyncio.sleep(_POLL_SECONDS)
    finally:
        await door.close()


def open_door(house: House) -> MailDoor:
    """Build the door of these settings; it does not listen yet."""
    settings = house.settings
    smtp = settings.smtp
    return MailDoor(
        submit=house.submit,
        count=telemetry.mail_event,
        authenticator=authenticator_of(settings),
        reader=_reader(house),
        attempt=ReadingGuard(settings.data_dir / "reading").attempt,
        is_ours=partial(is_ours, domain=settings.mail.domain, mailbox=settings.mail.mailbox),
        clock=house.clock,
        hostname=smtp.hostname or settings.mail.domain,
        limits=Limits(
            max_size=smtp.max_size,
            max_bytes_at_once=smtp.max_bytes_at_once,
            max_connections=smtp.max_connections,
            max_connections_per_address=smtp.max_connections_per_address,
            max_recipients=smtp.max_recipients,
            max_errors=smtp.max_errors,
            command_limit=smtp.command_limit,
            command_timeout_seconds=smtp.command_timeout_seconds,
            data_timeout_seconds=smtp.data_timeout_seconds,
            session_timeout_seconds=smtp.session_timeout_seconds,
        ),
        protocol=smtp.protocol,
        tls=_tls(smtp),
    )


def _reader(house: House) -> ReadingProcess | None:
    """A process beside this one where there is a processor for it."""
    settings = house.settings
    beside = settings.smtp.reading == "beside"
    if settings.smtp.reading == "auto":
        beside = len(os.sched_getaffinity(0)) > 1
    if not beside:
        return None
    return ReadingProcess(
        settings.data_dir / "reading", house.country.region, house.country.default_language
    )


def _tls(smtp: Smtp) -> ssl.SSLContext | None:
    if not smtp.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(smtp.tls_certificate, smtp.tls_key or None)
    return context
