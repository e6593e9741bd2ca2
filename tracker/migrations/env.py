# SPDX-License-Identifier: MIT
"""Alembic's entry: runs on the connection that :func:`tracker.migrations.upgrade` hands it."""

from alembic import context

from tracker.models import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
