# SPDX-License-Identifier: MIT
"""A whole gateway as processes on loopback, with the simulator as its outside world."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], *, seconds: float = 60.0, what: str = "it") -> Any:
    """Wait until ``condition()`` is true and return its value; raise when it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:g} s")


class RunningGateway:
    """``guichet serve`` and, beside it, ``guichet simulator``: killable apart from each other.

    Args:
        database_url: an empty database, or ``None`` for SQLite in the data folder.
        settings: further environment, ``{"QUEUE__SWEEP_SECONDS": "1"}``.
    """

    def __init__(self, database_url: str | None = None, **settings: str) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="gch"))
        self.secret = secrets.token_urlsafe(40)
        self.web_port, self.smtp_port = free_port(), free_port()
        self.simulator_port, self.sink_port = free_port(), free_port()
        self.metrics_port = free_port()
        self.environment = {
            **os.environ,
            "GUICHET_PROFILE": "demo",
            "GUICHET_DATA_DIR": str(self.data_dir),
            "GUICHET_LOG_LEVEL": "INFO",
            # The first training takes the CPU of many tests; rules alone route meanwhile.
            "GUICHET_ROUTING__LEARN_AT_START": "false",
            "GUICHET_WEB__PORT": str(self.web_port),
            "GUICHET_WEB__SECRET_KEYS": json.dumps([self.secret]),
            "GUICHET_SMTP__PORT": str(self.smtp_port),
            "GUICHET_MAIL__DOMAIN": "guichet.example",
            "GUICHET_SIMULATOR__PORT": str(self.simulator_port),
            "GUICHET_SIMULATOR__SMTP_PORT": str(self.sink_port),
            "GUICHET_RELAY__HOST": "127.0.0.1",
            "GUICHET_RELAY__PORT": str(self.sink_port),
            "GUICHET_RELAY__TLS": "none",
            "GUICHET_TWILIO__ACCOUNT_SID": "AC" + "1" * 32,
            "GUICHET_TWILIO__AUTH_TOKENS": json.dumps([secrets.token_hex(16)]),
            "GUICHET_TWILIO__NUMBER": "+212520000000",
            "GUICHET_TWILIO__API_BASE_URL": f"http://127.0.0.1:{self.simulator_port}",
            "GUICHET_METRICS__PORT": str(self.metrics_port),
            "GUICHET_QUEUE__SWEEP_SECONDS": "0.5",
            "GUICHET_QUEUE__LEASE_SECONDS": "5",
            "GUICHET_QUEUE__RETRY_BASE_SECONDS": "0.5",
        }
        if database_url:
            self.environment["GUICHET_DATABASE__URL"] = database_url
        self.environment |= {f"GUICHET_{name}": value for name, value in settings.items()}
        self.log = self.data_dir / "serve.log"
        self.serve: subprocess.Popen[bytes] | None = None
        self.simulator: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """The public base URL."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def outside(self) -> str:
        """The simulator's JSON API."""
        return f"http://127.0.0.1:{self.simulator_port}/simulator/api"

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one ``guichet`` command with this gateway's environment, logging to the file."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gateway", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> RunningGateway:
        """Start the simulator (once) and the gateway; return when it can commit."""
        if self.simulator is None:
            self.simulator = self.spawn("simulator")
        self.serve = self.spawn("serve")
        self.await_ready()
        return self

    def await_ready(self, seconds: float = 40.0) -> None:
        """Wait until the web door is ready and the mail door and the simulator listen."""
        until(self.ready, seconds=seconds, what=f"readiness (log: {self.tail()})")
        for port in (self.smtp_port, self.simulator_port, self.sink_port):
            until(partial(listens, port), what=f"listening on {port}: {self.tail()}")

    def ready(self) -> bool:
        """Whether ``/health/ready`` says it can commit."""
        try:
            return httpx.get(f"{self.base}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> int:
        """SIGTERM, as a service manager would; returns the exit status."""
        if self.serve is None:
            return 0
        self.serve.send_signal(signal.SIGTERM)
        status = self.serve.wait(15)
        self.serve = None
        return status

    def close(self) -> None:
        """End everything and delete the data."""
        for process in (self.serve, self.simulator):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run one ``guichet`` command to its end and return its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def export(self, what: str) -> list[dict[str, Any]]:
        """``guichet export WHAT``, parsed."""
        return [json.loads(line) for line in self.run("export", what).splitlines()]

    def tail(self) -> str:
        """The end of the log, for messages of failing tests."""
        if not self.log.exists():
            return "no log"
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]


def listens(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
