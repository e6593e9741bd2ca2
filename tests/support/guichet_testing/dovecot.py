# SPDX-License-Identifier: MIT
"""A real Dovecot on loopback, and a TCP line to it that can be held and cut."""

import base64
import grp
import hashlib
import hmac
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from guichet_testing.gateway import free_port, listens, until
from guichet_testing.needs import program

USER, PASSWORD = "complaints", "not-a-secret-word"
TOKEN_KEY = b"a key of thirty-two octets or more"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
"""


class Dovecot:
    """An IMAP server of the test's own on loopback, run by an account without rights."""

    def __init__(self, *, tls: bool = False) -> None:
        self.program = program("dovecot", install="Debian: apt install dovecot-imapd")
        self.port = free_port()
        self.tls_port = free_port() if tls else 0
        self.user = USER
        self.folder = Path(tempfile.mkdtemp(prefix="gdc", dir="/tmp"))
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._uid, self._gid = account.pw_uid, account.pw_gid
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                user=account.pw_name,
                group=grp.getgrgid(account.pw_gid).gr_name,
                port=self.port,
                tls_port=self.tls_port,
                password=PASSWORD,
                ssl="yes" if tls else "no",
            )
        )
        self.certificate = self.folder / "certificate.pem"
        certify(self.certificate, self.folder / "key.pem")
        (self.folder / "oauth2.conf").write_text(
            "introspection_mode = local\nusername_attribute = sub\n"
            f"local_validation_key_dict = fs:posix:prefix={self.folder}/keys/\n"
        )
        key = self.folder / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(TOKEN_KEY))
        for name in ("run", "state", "home"):
            (self.folder / name).mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it listens."""
        account: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = {"user": self._uid, "group": self._gid, "extra_groups": []}
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self._uid, self._gid)
        self.process = subprocess.Popen(
            [str(self.program), "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account,
        )
        until(lambda: listens(self.port), what=f"Dovecot listening: {self.log()}")

    def log(self) -> str:
        """What it said last."""
        file = self.folder / "log"
        return file.read_text(errors="replace")[-1500:] if file.exists() else "no log"

    def remove(self) -> None:
        """End it and delete its mail."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.folder)

    @property
    def maildir(self) -> Path:
        """Where the mail of the present user lies."""
        return self.folder / "mail" / self.user

    @contextmanager
    def mailbox(self) -> Iterator[IMAPClient]:
        """The mailbox as its owner sees it."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            client.login(self.user, PASSWORD)
            yield client

    def put(self, *mails: bytes) -> None:
        """Lay mails into the mailbox."""
        with self.mailbox() as client:
            for mail in mails:
                client.append("INBOX", mail)

    def flags(self) -> list[set[bytes]]:
        """The flags of each mail of INBOX, in order; the server's own "recent" is left out."""
        with self.mailbox() as client:
            client.select_folder("INBOX", readonly=True)
            found = client.fetch(client.search("ALL"), ["FLAGS"])
            return [set(found[uid][b"FLAGS"]) - {b"\\Recent"} for uid in sorted(found)]

    def all_seen(self, count: int) -> bool:
        """Whether there are so many mails and each one is flagged as seen."""
        flags = self.flags()
        return len(flags) == count and all(b"\\Seen" in those for those in flags)


class Line:
    """A TCP line to Dovecot that can be held at a word of the client, silenced, and cut.

    ``rewrite`` makes another server of it: each pattern in an answer becomes the text.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.heard = bytearray()
        self.answered = bytearray()
        self.hold_at = b""
        self.rewrite: dict[bytes, bytes] = {}
        self.silent: set[int] = set()
        self.held = threading.Event()
        self.connections = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self) -> None:
        """Hang up on both sides."""
        for pair in self._pairs:
            for end in pair:
                hang_up(end)
        self._pairs.clear()

    def silence(self) -> None:
        """Pass nothing on any more over the connections there are; none of them is closed."""
        self.silent |= {id(client) for client, _ in self._pairs}

    def close(self) -> None:
        """Take no more connections, and hang up."""
        self._listener.close()
        self.cut()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self.connections += 1
            self._pairs.append((client, server))
            for pump in (self._there, self._back):
                threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while piece := client.recv(65_536):
                if id(client) in self.silent:
                    continue
                self.heard += piece
                if self.hold_at and self.hold_at in piece:
                    self.held.set()
                    continue  # it never arrives
                server.sendall(piece)
        except OSError:
            pass
        hang_up(server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while piece := server.recv(65_536):
                if id(client) in self.silent:
                    continue
                for text, other in self.rewrite.items():
                    piece = re.sub(text, other, piece)
                client.sendall(piece)
                self.answered += piece
        except OSError:
            pass
        hang_up(client)


def hang_up(end: socket.socket) -> None:
    """Hang up one side."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def certify(certificate: Path, key: Path) -> None:
    """Make a certificate for this machine's loopback address, signed by itself."""
    openssl = program("openssl", install="Debian: apt install openssl")
    subprocess.run(
        [
            *(str(openssl), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )


def token(user: str = USER) -> str:
    """A signed access token (RFC 7519) that this Dovecot believes."""

    def written(octets: bytes) -> str:
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    now = int(time.time())
    head = written(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = written(json.dumps({"sub": user, "iat": now - 60, "exp": now + 600}).encode())
    mark = hmac.new(TOKEN_KEY, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    return f"{head}.{claims}.{written(mark)}"
