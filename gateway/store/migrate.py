"""Bringing a database to the present schema, from the package itself: no alembic.ini, no folder to be in."""

from __future__ import annotations

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.engine import Connection

from gateway.store.errors import StoreAway

FOLDER = Path(__file__).with_name("migrations")

UPGRADE_LOCK = 7_305_471_862
"""The PostgreSQL advisory lock of upgrades: two nodes that start together upgrade one after the other."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings; a connection makes `env.py` work in its transaction."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


@functools.cache
def head() -> str:
    """The revision that this version of the gateway works with."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None
    return revision


def current(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> None:
    """Upgrade in the transaction of `connection`: all of it or nothing. Raises StoreAway for a newer database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
    if current(connection) == head():  # as at every start but the first of a version
        return
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise StoreAway(
            f"the database was written by another version of the gateway ({error}): install that one, or a newer one"
        ) from error
