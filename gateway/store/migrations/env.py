"""Run by alembic. With a connection in `attributes` (the gateway's own way) it works in that transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from gateway.store.columns import UtcTime
from gateway.store.schema import metadata


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write columns of our own types down as what the database sees, so that old migrations never change."""
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
