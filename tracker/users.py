# SPDX-License-Identifier: MIT
"""Who may sign in at the desk. Only hashes of passwords come here; hashing is the desk's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tracker.identity import new_id
from tracker.models import Role, administrations, users

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Row

#: RFC 5321 section 4.5.3.1.3: a path of 256 octets holds an address of 254.
LONGEST_EMAIL = 254
#: These see the cases of one administration, so they must belong to one.
OF_ONE_ADMINISTRATION = frozenset({Role.AGENT})
#: These may: without one they stand above all of them and decide a third transfer.
OF_ONE_OR_ALL = frozenset({Role.SUPERVISOR})


class InvalidUser(ValueError):  # noqa: N818 - named as it reads where it is caught
    """A user that cannot be added as asked; the message says what to change."""


def fold(email: str) -> str:
    """The one spelling under which a user is kept: no blanks around, lower case.

    RFC 5321 section 2.4 lets a local part depend on case; no mail system in use does.
    """
    return email.strip().lower()


def add(
    connection: Connection,
    *,
    email: str,
    password_hash: str,
    role: Role | str,
    administration: str | None,
    now: datetime,
) -> UUID:
    """Add a user and return the new id.

    Args:
        connection: inside a writing transaction.
        email: an addr-spec; any case.
        password_hash: as the hasher wrote it, never a password.
        role: what the user may do.
        administration: slug; needed for an agent and a supervisor, ``None`` for who sees all.
        now: aware UTC.

    Raises:
        ValueError: there is no such role.
        InvalidUser: the address is no address or taken, or the administration is missing,
            unknown or of no use to this role.
    """
    email, role = fold(email), Role(role)
    local, _, domain = email.rpartition("@")
    if not local or not domain or len(email) > LONGEST_EMAIL or " " in email:
        raise InvalidUser("the email must look like name@example.org")
    bound = role in OF_ONE_ADMINISTRATION
    if bound != bool(administration) and role not in OF_ONE_OR_ALL:
        raise InvalidUser(
            f"the role {role} needs an administration"
            if bound
            else f"the role {role} works for all administrations: leave the administration out"
        )
    if administration and not connection.scalar(
        select(administrations.c.slug).where(administrations.c.slug == administration)
    ):
        raise InvalidUser(f"there is no administration {administration!r}")
    if find_by_email(connection, email) is not None:
        raise InvalidUser("there is already a user with this email")
    user_id = new_id()
    connection.execute(
        users.insert().values(
            id=user_id,
            email=email,
            password_hash=password_hash,
            role=str(role),
            administration=administration or None,
            disabled=False,
            session_epoch=0,
            created_at=now,
        ),
    )
    return user_id


def find_by_email(connection: Connection, email: str) -> Row[Any] | None:
    """The row of ``users`` with this address (any case), or ``None``."""
    return connection.execute(select(users).where(users.c.email == fold(email))).first()


def find(connection: Connection, user_id: UUID) -> Row[Any] | None:
    """The row of ``users`` with this id, or ``None``."""
    return connection.execute(select(users).where(users.c.id == user_id)).first()


def disable(connection: Connection, email: str) -> bool:
    """Shut a user out, also from open sessions; ``False`` when there is no such user."""
    changed = connection.execute(
        users.update()
        .where(users.c.email == fold(email))
        .values(disabled=True, session_epoch=users.c.session_epoch + 1),
    )
    return changed.rowcount > 0


def set_password_hash(
    connection: Connection, user_id: UUID, password_hash: str, *, end_sessions: bool
) -> None:
    """Keep a new hash.

    Args:
        connection: inside a writing transaction.
        user_id: whose.
        password_hash: the new one.
        end_sessions: ``True`` for a new password (every open session is over), ``False`` for the
            old password hashed anew with today's costs.
    """
    values: dict[str, Any] = {"password_hash": password_hash}
    if end_sessions:
        values["session_epoch"] = users.c.session_epoch + 1
    connection.execute(users.update().where(users.c.id == user_id).values(**values))


def end_sessions(connection: Connection, user_id: UUID) -> None:
    """Sign a user out everywhere."""
    connection.execute(
        users.update().where(users.c.id == user_id).values(session_epoch=users.c.session_epoch + 1),
    )


def list_users(connection: Connection) -> Sequence[Any]:
    """All users by address: ``email, role, administration, disabled, created_at``; no hashes."""
    rows: Sequence[Any] = connection.execute(
        select(
            users.c.email,
            users.c.role,
            users.c.administration,
            users.c.disabled,
            users.c.created_at,
        ).order_by(users.c.email),
    ).all()
    return rows
