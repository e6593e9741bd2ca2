# SPDX-License-Identifier: MIT
"""Passwords as argon2id hashes (RFC 9106), checked as slowly for nobody as for a user."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: A longer one is refused unread: hashing megabytes is a way to keep a server busy.
LONGEST_PASSWORD = 1024


def hash_password(password: str) -> str:
    """The hash to keep, for a command that adds one user."""
    return PasswordHasher().hash(password)


class Passwords:
    """Hashes and checks passwords.

    Args:
        hasher: the costs; argon2-cffi's own by default (RFC 9106, low-memory profile).
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """The hash to keep, with its salt and costs in it (PHC string format)."""
        return self._hasher.hash(password)

    def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` is the one hashed.

        ``None`` stands for a user that does not exist: a decoy is checked, which takes as long,
        and the answer is always ``False``.
        """
        if len(password) > LONGEST_PASSWORD:
            password = ""
        try:
            self._hasher.verify(password_hash or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(password_hash)
