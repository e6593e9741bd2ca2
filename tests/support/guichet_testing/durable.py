# SPDX-License-Identifier: MIT
"""How durable the connections of running processes are, told by themselves while they write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

#: What a durable connection says. On PostgreSQL with the source of the setting: ``client`` is the
#: connection's own, whatever the server's default is.
DURABLE = {"sqlite": "2 wal", "postgresql": "on client"}

_SQLITE_TELLS = (
    "(SELECT synchronous FROM pragma_synchronous) || ' ' || "
    "(SELECT journal_mode FROM pragma_journal_mode)"
)
_TABLE = "CREATE TABLE told_by_trigger (writes TEXT, setting TEXT)"
_BEGIN = {
    "sqlite": (
        _TABLE,
        (
            f"CREATE TRIGGER tells_delivery AFTER INSERT ON deliveries BEGIN "
            f"INSERT INTO told_by_trigger SELECT NEW.channel, {_SQLITE_TELLS}; END"
        ),
        (
            f"CREATE TRIGGER tells_outbox AFTER UPDATE ON outbox BEGIN "
            f"INSERT INTO told_by_trigger SELECT 'outbox ' || NEW.state, {_SQLITE_TELLS}; END"
        ),
    ),
    "postgresql": (
        _TABLE,
        (
            "CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "INSERT INTO told_by_trigger SELECT CASE TG_TABLE_NAME WHEN 'outbox' "
            "THEN 'outbox ' || (to_jsonb(NEW)->>'state') ELSE to_jsonb(NEW)->>'channel' END, "
            "setting || ' ' || source FROM pg_settings WHERE name = 'synchronous_commit'; "
            "RETURN NULL; END $$"
        ),
        (
            "CREATE TRIGGER tells_delivery AFTER INSERT ON deliveries "
            "FOR EACH ROW EXECUTE FUNCTION tells()"
        ),
        "CREATE TRIGGER tells_outbox AFTER UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION tells()",
    ),
}
_END = {
    "sqlite": (
        "DROP TRIGGER tells_delivery",
        "DROP TRIGGER tells_outbox",
        "DROP TABLE told_by_trigger",
    ),
    "postgresql": ("DROP FUNCTION tells() CASCADE", "DROP TABLE told_by_trigger"),
}


@contextmanager
def watched(engine: Engine) -> Iterator[Callable[[], set[tuple[str, str]]]]:
    """Put triggers on ``deliveries`` and ``outbox`` for the length of a ``with`` block.

    Yields:
        what was told so far: ``{("sms", "2 wal"), ("outbox done", "2 wal")}``.
    """
    kind = engine.dialect.name

    def told() -> set[tuple[str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT writes, setting FROM told_by_trigger"))
            return {(row.writes, row.setting) for row in rows}

    with engine.begin() as connection:
        for statement in _BEGIN[kind]:
            connection.exec_driver_sql(statement)
    try:
        yield told
    finally:
        with engine.begin() as connection:
            for statement in _END[kind]:
                connection.exec_driver_sql(statement)
