# SPDX-License-Identifier: MIT
"""An account on an IMAP server (RFC 3501), and the way in: TLS first, never a fallback."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imapclient import IMAPClient, SocketTimeout


@dataclass(frozen=True, slots=True)
class Account:
    """Where the mail lies.

    Attributes:
        host: name that the server's certificate must bear.
        port: TCP port.
        user: as the server knows it.
        password: for LOGIN; not used when there is a token.
        oauth_token: for XOAUTH2 when not empty.
        oauth_token_file: holds the token instead; read at each login, as another program renews it.
        folder: its name, in Unicode.
        tls: ``starttls`` never falls back to clear text.
        timeout_seconds: silence in the midst of an answer before the connection is given up.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    oauth_token: str = field(default="", repr=False)
    oauth_token_file: Path | None = None
    folder: str = "INBOX"
    tls: Literal["none", "starttls", "implicit"] = "implicit"
    timeout_seconds: float = 60.0

    def connect(self) -> IMAPClient:
        """Connect and log in.

        Raises:
            OSError: the server is away, its certificate is not the right one, or the token's file
                cannot be read.
            imapclient.exceptions.IMAPClientError: it has no STARTTLS, or refuses the login.
        """
        secure = self.tls == "implicit"
        context = None if self.tls == "none" else ssl.create_default_context()
        client = IMAPClient(
            self.host,
            self.port,
            ssl=secure,
            ssl_context=context if secure else None,
            timeout=SocketTimeout(self.timeout_seconds, self.timeout_seconds),
        )
        try:
            client.socket().setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.tls == "starttls":
                client.starttls(context)
            token = self.oauth_token
            if self.oauth_token_file is not None:
                token = self.oauth_token_file.read_text(encoding="ascii").strip()
            if token:
                client.oauth2_login(self.user, token)
            else:
                client.login(self.user, self.password)
        except BaseException:
            hang_up(client)
            raise
        return client


def hang_up(client: IMAPClient) -> None:
    """Close the line without a word: LOGOUT may hang on a cut network."""
    try:
        client.shutdown()
    except (OSError, IMAPClient.Error):
        return
