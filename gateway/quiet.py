# SPDX-License-Identifier: MIT
"""A Flask that names the page that failed, and not the path: paths carry ids and tokens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask, request

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)


class QuietFlask(Flask):
    """Flask, with a log line of ours for what nobody caught."""

    def log_exception(
        self,
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None],
    ) -> None:
        """Log the endpoint and the traceback."""
        logger.error("a request failed: %s", request.endpoint, exc_info=exc_info)
