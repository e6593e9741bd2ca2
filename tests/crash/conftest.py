# SPDX-License-Identifier: MIT
"""A gateway whose way to its providers is slow and can be held, so that a send is open when asked.

The providers themselves are the simulator's; between them and the gateway stands a TCP proxy.
"""

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from guichet_testing.gateway import RunningGateway
from guichet_testing.servers import Databases, PostgresServer

SETTINGS = {
    "QUEUE__LEASE_SECONDS": "3",
    "QUEUE__SWEEP_SECONDS": "0.5",
    "DATABASE__LOCK_TIMEOUT_SECONDS": "3",
    "TWILIO__LOOK_MINUTES": "0",
    "LOG_LEVEL": "WARNING",
}
#: Seconds that a provider takes for each message: a worker's forked job lives for a while.
PAUSE = 0.03
PIECE = 65_536
CODE = re.compile(r"\d{4}-\d{4}-\d{4}")


def is_text(sent: bytes) -> bool:
    """Whether these bytes begin a request that sends a text."""
    return sent.startswith(b"POST ") and b"/Messages.json" in sent.partition(b"\r\n")[0]


def is_mail(sent: bytes) -> bool:
    """Whether these bytes end a mail (RFC 5321, 4.1.1.4): only now the relay answers for it."""
    return sent.endswith(b"\r\n.\r\n")


class SlowWay:
    """A TCP proxy on loopback that pauses at each message and can be held.

    Args:
        target: the provider's port.
        is_message: tells the bytes that hand a message over.
    """

    def __init__(self, target: int, is_message: Callable[[bytes], bool]) -> None:
        self._target = target
        self._is_message = is_message
        self._free = threading.Event()
        self._free.set()
        self._held = ""
        self._open: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    @contextmanager
    def holding(self, what: str) -> Iterator[None]:
        """Hold messages for the length of a ``with`` block.

        Args:
            what: ``answer``: the provider takes the message, nobody hears of it; ``message``: it
                does not even reach the provider, and never will if its sender is gone by then.
        """
        self._open.clear()
        self._held = what
        self._free.clear()
        try:
            yield
        finally:
            self._held = ""
            self._free.set()

    def senders(self) -> list[int]:
        """The processes whose message is held now."""
        return [pid for port in self._open for pid in owners(port, self.port)]

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            handed = threading.Event()
            for pump in (self._there, self._back):
                threading.Thread(target=pump, args=(client, server, handed), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket, handed: threading.Event) -> None:
        try:
            while piece := client.recv(PIECE):
                if self._is_message(piece):
                    self._wait("message", client)
                    if gone(client):
                        break
                    handed.set()
                server.sendall(piece)
        except OSError:
            pass
        end(client, server)

    def _back(self, client: socket.socket, server: socket.socket, handed: threading.Event) -> None:
        try:
            while piece := server.recv(PIECE):
                if handed.is_set():
                    handed.clear()
                    threading.Event().wait(PAUSE)
                    self._wait("answer", client)
                client.sendall(piece)
        except OSError:
            pass
        end(client, server)

    def _wait(self, what: str, client: socket.socket) -> None:
        if self._held == what:
            self._open.append(client.getpeername()[1])
            self._free.wait()


def gone(client: socket.socket) -> bool:
    """Whether the other side has hung up."""
    if not select.select([client], [], [], 0)[0]:
        return False
    try:
        return not client.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def end(*lines: socket.socket) -> None:
    """Hang up."""
    for line in lines:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def owners(port: int, peer_port: int) -> list[int]:
    """The processes that hold the connection from ``port`` to ``peer_port`` of this machine."""
    table = Path("/proc/net/tcp").read_text()
    line = re.search(rf":\s+\w+:{port:04X} \w+:{peer_port:04X} (?:\S+\s+){{6}}(\d+)", table)
    if line is None:
        return []
    wanted, found = f"socket:[{line[1]}]", []
    for files in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(file.readlink()) == wanted for file in files.iterdir()):
                found.append(int(files.parent.name))
        except OSError:
            continue
    return found


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def words_of(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except OSError:
        return []


@dataclass(frozen=True)
class Heard:
    """One text or mail that a citizen received.

    Attributes:
        words: all of it, a mail's subject first.
        message_id: a mail's, which repeats where the same mail came twice; a text's own sid.
    """

    words: str
    message_id: str

    @property
    def acknowledges(self) -> bool:
        """Whether it says that a complaint is filed."""
        return "enregistr" in self.words

    @property
    def codes(self) -> set[str]:
        """The codes that it names, as bare digits."""
        return {code.replace("-", "") for code in CODE.findall(self.words)}


@dataclass
class Stage:
    """A gateway, its ways out, and on PostgreSQL a server of its own that may be killed.

    Attributes:
        house: the gateway.
        server: its PostgreSQL, or ``None`` on SQLite.
        texts: the way to the provider of texts.
        mails: the way to the mail relay.
        outside: asks the simulator what citizens received.
    """

    house: RunningGateway
    server: PostgresServer | None
    texts: SlowWay
    mails: SlowWay
    outside: httpx.Client

    def victims(self, kind: str) -> list[int]:
        """The processes of one kind, found below the supervisor and nowhere else."""
        assert self.house.serve is not None
        found = []
        for pid in children_of(self.house.serve.pid):
            words = words_of(pid)
            if kind == "valkey" and words and "valkey" in words[0]:
                found.append(pid)
            elif words[-1:] == [kind]:
                found += [pid, *children_of(pid)] if kind == "web" else [pid]
        return found

    def all_processes(self) -> set[int]:
        """Every process below the supervisor, and it."""
        assert self.house.serve is not None
        found, waiting = set(), [self.house.serve.pid]
        while waiting:
            pid = waiting.pop()
            found.add(pid)
            waiting += children_of(pid)
        return found

    def is_horse(self, pid: int) -> bool:
        """Whether a process is a relay worker's forked job, be the worker itself alive or dead."""
        return words_of(pid)[-2:] == ["worker", "relay"] and pid not in self.victims("relay")

    def heard_by(self, who: str) -> list[Heard]:
        """All that a citizen received: at a mail address or a telephone."""
        if "@" in who:
            mails = [m for m in self._look("mail", who, "mails") if not m["outgoing"]]
            return [Heard(f"{m['subject']}\n{m['text']}", m["message_id"]) for m in mails]
        texts = [t for t in self._look("sms", who, "texts") if t["direction"] != "inbound"]
        return [Heard(t["body"], t["sid"]) for t in texts]

    def _look(self, kind: str, whose: str, what: str) -> list[dict[str, str]]:
        answer = self.outside.get(f"{self.house.outside}/{kind}/{whose}")
        return list(answer.json()[what])

    def unsettled(self) -> list[tuple[str, str, str]]:
        """Outbox entries that are not done yet: kind, state, last error."""
        return [
            (entry["kind"], entry["state"], entry["last_error"])
            for entry in self.house.export("outbox")
            if entry["state"] not in ("done", "held")
        ]

    def once_unknown(self) -> set[str]:
        """Whose entries were ``unknown`` once: a mail to them may have gone twice."""
        with self.database().connect() as connection:
            rows = connection.execute(text("SELECT recipient, payload FROM outbox"))
            return {row.recipient for row in rows if "was_unknown" in str(row.payload)}

    def database(self) -> Engine:
        """The gateway's database, looked into from outside."""
        url = self.house.environment.get("GUICHET_DATABASE__URL")
        file = self.house.data_dir / "guichet.sqlite3"
        return create_engine(url or f"sqlite:///{file}", poolclass=NullPool)


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A gateway behind slow ways; on PostgreSQL with a server of its own."""
    server = url = None
    if request.param == "postgresql":
        server = PostgresServer()
        server.start()
        url = Databases(server.base_url).create()
    house = RunningGateway(url, **SETTINGS)
    texts = SlowWay(house.simulator_port, is_text)
    mails = SlowWay(house.sink_port, is_mail)
    house.environment["GUICHET_TWILIO__API_BASE_URL"] = f"http://127.0.0.1:{texts.port}"
    house.environment["GUICHET_RELAY__PORT"] = str(mails.port)
    try:
        house.start()
        with httpx.Client(timeout=30) as outside:
            yield Stage(house, server, texts, mails, outside)
    finally:
        house.close()
        for way in (texts, mails):
            way.close()
        if server is not None:
            server.remove()
