# SPDX-License-Identifier: MIT
"""Figures and logs. No label and no line carries a citizen's words, number, address or code.

Several processes count into files under ``PROMETHEUS_MULTIPROC_DIR`` (set by ``serve``); one of
them serves the sum on the metrics address.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter

from channels.errors import ChannelError

if TYPE_CHECKING:
    from types import TracebackType

DELIVERED = Counter("guichet_deliveries", "Accepted deliveries", ["channel", "state", "repeated"])
TRY_LATER = Counter("guichet_try_later", "Deliveries answered with a temporary failure", ["door"])
REFUSED = Counter("guichet_refused", "Requests refused before acceptance", ["door", "reason"])
MAIL = Counter("guichet_mail_door", "Events of the mail door", ["event"])
SMPP = Counter("guichet_smpp", "Events of the SMPP door", ["event"])
OUTBOX = Counter("guichet_outbox", "Outbox entries by what became of them", ["kind", "state"])
RECEIPTS = Counter("guichet_receipts", "Providers' receipts", ["channel", "delivery_status"])


def delivered(channel: str, state: str, repeated: bool) -> None:  # noqa: FBT001
    """Count one accepted delivery."""
    DELIVERED.labels(channel, state, "yes" if repeated else "no").inc()


def try_later(door: str) -> None:
    """Count one temporary failure."""
    TRY_LATER.labels(door).inc()


def refused(door: str, reason: str) -> None:
    """Count one refusal; ``reason`` is one of a few fixed words."""
    REFUSED.labels(door, reason).inc()


def mail_event(event: str) -> None:
    """Count one event of the mail door (``accepted``, ``refused_recipient``, ``too_large`` …)."""
    MAIL.labels(event).inc()


def smpp_event(event: str) -> None:
    """Count one event of the SMPP door (``part``, ``put_off``, ``throttled`` …)."""
    SMPP.labels(event).inc()


def worked(kind: str, state: str) -> None:
    """Count one finished outbox entry."""
    OUTBOX.labels(kind, state).inc()


def receipt(channel: str, delivery_status: str) -> None:
    """Count one receipt of a provider."""
    RECEIPTS.labels(channel, delivery_status).inc()


def _wordless(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """A traceback without the words of its exceptions: drivers quote the row they fail at."""
    chain: list[BaseException] = []
    error: BaseException | None = exc_info[1]
    while error is not None and error not in chain:
        chain.insert(0, error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "then ".join(
        "".join(("in:\n", *traceback.format_tb(one.__traceback__), _kind(one), "\n"))
        for one in chain
    )


def _kind(error: BaseException) -> str:
    """What an exception is, with what is safe to tell of it: a code, never a sentence of others."""
    told = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    if isinstance(error, OSError) and error.errno:
        told = os.strerror(error.errno)
    elif isinstance(error, ChannelError):
        told = str(error)  # written to be logged
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{name} ({told})" if told else name


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught goes the way of every log line, so that it quotes nobody either."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("gateway").critical("uncaught", exc_info=(kind, error, trace))


def set_up_logging(level: str) -> None:
    """Log one JSON object a line to standard error; libraries that print addresses are hushed."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_wordless),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        ),
    )
    sys.excepthook = _uncaught
    threading.excepthook = lambda what: _uncaught(
        what.exc_type, what.exc_value or what.exc_type(), what.exc_traceback
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "mail.log",
        "mail.debug",
        "twilio",
        "twilio.http_client",
        "httpx",
        "urllib3",
        "werkzeug",
        "rq",
        "rq.worker",
        "alembic",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
