# SPDX-License-Identifier: MIT
"""Which senders of a group of messages have no case yet: asked once a group, not once a message.

Most texts come from people who never wrote before. The group-commit writer asks for all of them
together when it begins; what is opened meanwhile in the same transaction is known here at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

#: Scheme and value of an address.
Sender = tuple[str, str]

#: Of each connection that is at work on a group: senders without a case.
_STRANGERS: WeakKeyDictionary[Connection, set[Sender]] = WeakKeyDictionary()
#: One text each whatever the number of senders: SQLAlchemy would write a list anew every time.
_KNOWN = {
    "sqlite": "SELECT contact_value FROM cases WHERE contact_scheme = ?"
    " AND contact_value IN (SELECT value FROM json_each(?))",
    "postgresql": "SELECT contact_value FROM cases WHERE contact_scheme = %s"
    " AND contact_value = ANY(%s)",
}


def ask(connection: Connection, senders: Collection[Sender]) -> None:
    """Ask for the senders of a group; for one alone it would be a question more, not fewer."""
    wanted = set(senders)
    if len(wanted) < 2:  # noqa: PLR2004 - see above
        return
    unknown = set(wanted)
    dialect = connection.dialect.name
    for scheme in {scheme for scheme, _ in wanted}:
        values = [value for one, value in wanted if one == scheme]
        told = json.dumps(values) if dialect == "sqlite" else values
        known = connection.exec_driver_sql(_KNOWN[dialect], (scheme, told))
        unknown -= {(scheme, row[0]) for row in known}
    _STRANGERS[connection] = unknown


def is_one(connection: Connection, scheme: str, value: str) -> bool:
    """Whether this sender certainly has no case."""
    return (scheme, value) in _STRANGERS.get(connection, ())


def met(connection: Connection, scheme: str, value: str) -> None:
    """A case of theirs is being opened."""
    _STRANGERS.get(connection, set()).discard((scheme, value))


def forget(connection: Connection) -> None:
    """The transaction is over."""
    _STRANGERS.pop(connection, None)
