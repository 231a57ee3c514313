"""Databases with all tables and no rows, made by the migrations once a run and copied: making one takes a while.

tests/store/test_migrations.py makes its own, and so does whatever shows a first start.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path

from gateway.store import migrate
from gateway.store.engine import Database

_create = Database.create


@functools.cache
def tables() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="rg-tables-"))
    try:
        migrated(f"sqlite:///{folder}/gateway.db")
        return (folder / "gateway.db").read_bytes()
    finally:
        shutil.rmtree(folder)


def migrated(url: str) -> None:
    """Make the tables where there are none."""
    database = Database(url)
    _create(database)
    with database.writer.begin() as connection:
        migrate.upgrade(connection)
    database.dispose()


def put_tables(file: Path) -> None:
    """A database file as the gateway makes it, where there is none."""
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as written:
        written.write(tables())


def create(database: Database) -> None:
    """`Database.create`, with tables."""
    if database.file is not None:
        put_tables(database.file)
