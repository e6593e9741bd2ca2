# SPDX-License-Identifier: MIT
"""``guichet`` on a bare machine: no variable of ours but those that a test names."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import guichet

PREFIX = "GUICHET_"


def run(
    folder: Path, *words: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run one command as a process to its end.

    Args:
        folder: where it runs.
        words: the command's.
        stdin: what is typed.
        variables: of the environment, without our prefix (``DATA_DIR="x"``).
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder,
        env=inherited | {PREFIX + name: value for name, value in variables.items()},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def call(folder: Path, *words: str, **variables: str) -> Result:
    """Run one command in this process, quicker: for what ends before a command does its work."""
    # A name without a value is taken away, and all are put back; --config leaves one behind.
    environment: dict[str, str | None] = dict.fromkeys(
        [*(name for name in os.environ if name.startswith(PREFIX)), f"{PREFIX}SETTINGS_FILE"]
    )
    environment |= {PREFIX + name: value for name, value in variables.items()}
    with chdir(folder):
        return CliRunner().invoke(guichet, list(words), env=environment, prog_name="guichet")
