# SPDX-License-Identifier: MIT
"""Recordings while no queue answers: the sweeper has a process of its own work them off.

Within the sweeper a recording of five minutes would hold up texts and mails, a model would stay in
its memory, and a stop would wait for both.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

from gateway.doorbell import TRANSCRIBE
from gateway.worker import LONGEST_STOP_SECONDS, give_back

if TYPE_CHECKING:
    from config.settings import Settings

logger = logging.getLogger(__name__)


class Transcribing:
    """One process, begun when needed, that ends when nothing is due.

    Args:
        settings: all settings.
        longest_stop_seconds: after a stop it has this long to come to a place where it can end.
    """

    def __init__(
        self, settings: Settings, longest_stop_seconds: float = LONGEST_STOP_SECONDS
    ) -> None:
        self._settings = settings
        self._longest_stop = longest_stop_seconds
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it works now."""
        return self._child is not None and self._child.poll() is None

    def begin(self) -> None:
        """Begin it, unless it runs. Never waits."""
        if self.running:
            return
        if self._child is not None and self._child.returncode:
            logger.warning("a transcription ended with status %d", self._child.returncode)
        command = [sys.executable, "-m", "gateway", "worker", TRANSCRIBE, "--without-queue"]
        try:
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        except OSError as error:
            logger.warning("no transcription can be begun: %s", type(error).__name__)

    def stop(self) -> None:
        """End it. What it has not recorded is given back, and done again."""
        if self._child is None or not self.running:
            return
        self._child.terminate()
        try:
            self._child.wait(self._longest_stop)
        except subprocess.TimeoutExpired:  # it waits for a silent host, or for a window of sound
            self._child.kill()
            self._child.wait()
            give_back(self._settings, self._child.pid)
