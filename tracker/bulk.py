# SPDX-License-Identifier: MIT
"""Rows of several tables inserted in one round trip.

PostgreSQL: one statement for all tables; the rows travel as one JSON document, which
``jsonb_populate_recordset`` reads back (https://www.postgresql.org/docs/current/functions-json.html),
and bytes travel beside it as a ``bytea[]``. Foreign keys are checked at the end of a statement, so
parents and children may come together. SQLite: one ``executemany`` a table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table


def insert(
    connection: Connection,
    rows: Mapping[Table, Sequence[Mapping[str, Any]]],
    *,
    keep_first: frozenset[str] = frozenset(),
) -> None:
    """Insert rows of many tables.

    Args:
        connection: inside a transaction.
        rows: the rows of each table, parents before children; each row has all columns.
        keep_first: names of tables whose rows may be there already: then the first one stays.

    Raises:
        sqlalchemy.exc.IntegrityError: a key is there already; nothing of this call is inserted.
        sqlalchemy.exc.DataError: a value does not fit its column.
        ValueError: a time without a zone.
    """
    rows = {table: some for table, some in rows.items() if some}
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _insert_into_postgresql(connection, rows, keep_first)
        return
    for table, some in rows.items():
        statement, values_of, turned = _sqlite_statement(table, table.name in keep_first)
        given = []
        for row in some:
            values = list(values_of(row))
            for place, to_sql in turned:
                values[place] = to_sql(values[place])
            given.append(tuple(values))
        connection.exec_driver_sql(statement, given)


#: The place of a column, and what turns its values into the driver's.
_Turned = tuple[int, Callable[[Any], Any]]
#: The values of a row in the order of the columns.
_Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]


@lru_cache(maxsize=64)
def _sqlite_statement(table: Table, keep_first: bool) -> tuple[str, _Values, list[_Turned]]:  # noqa: FBT001
    """The statement for the driver itself: SQLAlchemy looks at each value anew in each row."""
    dialect = sqlite.dialect()
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    processors = [column.type.bind_processor(dialect) for column in table.columns]
    turned: list[_Turned] = [
        (place, one) for place, one in enumerate(processors) if one is not None
    ]
    values_of: _Values = itemgetter(*(column.name for column in table.columns))
    return statement + " ON CONFLICT DO NOTHING" * keep_first, values_of, turned


def _remembering(to_sql: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The rows of one message have nearly one time, in the words of the driver's own adapter."""

    @lru_cache(maxsize=256)
    def turn(value: datetime | None) -> Any:
        told = to_sql(value)
        return told.isoformat(" ") if isinstance(told, datetime) else told

    return turn


def _insert_into_postgresql(
    connection: Connection,
    rows: Mapping[Table, Sequence[Mapping[str, Any]]],
    keep_first: frozenset[str],
) -> None:
    document: dict[str, Any] = {}
    contents: list[list[bytes]] = []
    for table, some in rows.items():
        binary = _binary_column(table)
        if binary is None:
            document[table.name] = some
        else:  # its bytes travel beside the document, in the order of the rows
            document[table.name] = [{**row, binary: None} for row in some]
            contents.append([row[binary] for row in some])
    told = json.dumps(document, default=_plain, ensure_ascii=False, separators=(",", ":"))
    statement = _postgresql_statement(tuple(rows), keep_first)
    connection.exec_driver_sql(statement, (told, *contents))


@lru_cache(maxsize=64)
def _binary_column(table: Table) -> str | None:
    return next((c.name for c in table.columns if isinstance(c.type, LargeBinary)), None)


@lru_cache(maxsize=256)
def _postgresql_statement(tables: tuple[Table, ...], keep_first: frozenset[str]) -> str:
    """The statement for rows of these tables; names come from our own metadata alone.

    Short, because the driver keeps no translation of a statement over 4096 characters.
    """
    inserts, parameters = [], ["%s::jsonb"]
    for table in tables:
        name, binary = table.name, _binary_column(table)
        rows = f"jsonb_populate_recordset(NULL::{name}, document->'{name}')"
        if binary is None:
            insert_rows = f"INSERT INTO {name} SELECT given.* FROM sent, {rows} AS given"  # noqa: S608 - our own names
        else:
            bytes_of_row = f"b{len(parameters)}[given.ordinality]"
            columns = ", ".join(column.name for column in table.columns)
            values = ", ".join(
                bytes_of_row if column.name == binary else f"given.{column.name}"
                for column in table.columns
            )
            insert_rows = (
                f"INSERT INTO {name} ({columns}) SELECT {values} "  # noqa: S608 - our own names
                f"FROM sent, {rows} WITH ORDINALITY AS given"
            )
            parameters.append("%b::bytea[]")
        inserts.append(insert_rows + " ON CONFLICT DO NOTHING" * (name in keep_first))
    sent = ", ".join(f"b{place}" if place else "document" for place in range(len(parameters)))
    steps = [f"sent ({sent}) AS MATERIALIZED (SELECT {', '.join(parameters)})"]
    steps += [f"step{place} AS ({one})" for place, one in enumerate(inserts[:-1])]
    return f"WITH {', '.join(steps)} {inserts[-1]}"


def _plain(value: object) -> str:
    """Ids and times as text; a time without a zone is refused, as everywhere in this room."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            message = "a naive time cannot be stored; give it a zone (datetime.now(UTC))"
            raise ValueError(message)
        return value.isoformat()
    message = f"{type(value).__name__} cannot be stored in bulk"
    raise TypeError(message)
