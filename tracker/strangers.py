# SPDX-License-Identifier: MIT
"""Which senders of a group of messages have no case yet: asked once a group, not once a message.

Most texts come from people who never wrote before. The group-commit writer asks for all of them
together when it begins; what is opened meanwhile in the same transaction is known here at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select

from tracker.models import cases

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

#: Scheme and value of an address.
Sender = tuple[str, str]

#: Of each connection that is at work on a group: senders without a case.
_STRANGERS: WeakKeyDictionary[Connection, set[Sender]] = WeakKeyDictionary()
_KNOWN = select(cases.c.contact_scheme, cases.c.contact_value).where(
    cases.c.contact_scheme.in_(bindparam("schemes", expanding=True)),
    cases.c.contact_value.in_(bindparam("values", expanding=True)),
)


def ask(connection: Connection, senders: Collection[Sender]) -> None:
    """Ask for the senders of a group; for one alone it would be a question more, not fewer."""
    wanted = set(senders)
    if len(wanted) > 1:
        schemes, values = ({sender[part] for sender in wanted} for part in (0, 1))
        known = connection.execute(_KNOWN, {"schemes": list(schemes), "values": list(values)})
        _STRANGERS[connection] = wanted - {(row[0], row[1]) for row in known}


def is_one(connection: Connection, scheme: str, value: str) -> bool:
    """Whether this sender certainly has no case."""
    return (scheme, value) in _STRANGERS.get(connection, ())


def met(connection: Connection, scheme: str, value: str) -> None:
    """A case of theirs is being opened."""
    _STRANGERS.get(connection, set()).discard((scheme, value))


def forget(connection: Connection) -> None:
    """The transaction is over."""
    _STRANGERS.pop(connection, None)
