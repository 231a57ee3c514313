"""Connections: SQLite set up so that what is committed is on the disk, or PostgreSQL through psycopg 3.

The writer has one connection of its own; readers have a few that cannot write. On SQLite readers never wait for the
writer, nor it for them (WAL).
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from gateway.store.crypto import sync_folder
from gateway.store.errors import StoreAway

LOCK_SECONDS = 5.0
"""How long a statement waits for somebody else's lock before the store counts as away."""

Use = Literal["write", "read"]


class Database:
    """Where the rows are. `writer` and `reader` open nothing before their first use."""

    def __init__(self, url: str, *, password: str = "") -> None:
        self.url = parse_url(url, password)
        self.file = Path(self.url.database or "").absolute() if self.is_sqlite else None
        self._identity: tuple[int, int] | None = None
        self.writer = self._engine("write")
        self.reader = self._engine("read")

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def create(self) -> None:
        """Make the SQLite file, readable by nobody else; the journal files beside it get its mode from SQLite."""
        if self.file is None or self.file.exists():
            return
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return
        sync_folder(self.file.parent)

    def check_file(self) -> tuple[int, int] | None:
        """The identity of the SQLite file (None on PostgreSQL). Raises StoreAway when it is not there.

        SQLite itself would go on writing to a deleted file, and all of it would be lost. Connections to a file that
        was replaced are closed here; once a file is back, the next use opens it.
        """
        if self.file is None:
            return None
        try:
            status = self.file.stat()
        except OSError as error:
            self.dispose()
            raise StoreAway(f"{self.file}: {error.strerror}") from error
        identity = (status.st_dev, status.st_ino)
        if self._identity not in (None, identity):
            self.dispose()
        self._identity = identity
        return identity

    def dispose(self) -> None:
        """Close all connections that are not in use."""
        self._identity = None
        self.writer.dispose()
        self.reader.dispose()

    def _engine(self, use: Use) -> Engine:
        size = 1 if use == "write" else 4
        pool: dict[str, Any] = {
            "poolclass": QueuePool,
            "pool_size": size,
            "max_overflow": 0,
            "pool_timeout": LOCK_SECONDS,
        }
        if self.file is not None:
            engine = create_engine(self.url, creator=lambda: open_sqlite(self.file, use), **pool)
            # A writer that starts as a reader could not be upgraded when another writer was faster (SQLITE_BUSY).
            begin = "BEGIN IMMEDIATE" if use == "write" else "BEGIN"
            event.listen(engine, "begin", lambda connection: _driver_sql(connection, begin))
            return engine
        # Never prepared: a plan made for any number of keys reads whole tables.
        arguments = {"connect_timeout": int(LOCK_SECONDS), "prepare_threshold": None}
        engine = create_engine(self.url, pool_pre_ping=True, connect_args=arguments, **pool)
        event.listen(engine, "connect", lambda connection, _record: _set_up_postgresql(connection, use))
        return engine


def parse_url(url: str, password: str = "") -> URL:
    """The URL with its driver. Raises StoreAway when the gateway cannot use it."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreAway(
            "the database setting is no URL; write sqlite:////path/to/gateway.db or postgresql://…"
        ) from error
    backend = {"postgres": "postgresql"}.get(parsed.get_backend_name(), parsed.get_backend_name())
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise StoreAway("a database in memory loses held mail; name a file: sqlite:////path/to/gateway.db")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return parsed.set(password=password) if password else parsed
    raise StoreAway(f"{backend} is not supported; use sqlite or postgresql")


def open_sqlite(file: Path | None, use: Use) -> sqlite3.Connection:
    """A connection as the gateway uses them. It begins no transaction by itself."""
    assert file is not None
    # mode=rw: a file that vanished must not come back empty behind our back.
    connection = sqlite3.connect(
        f"{file.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {int(LOCK_SECONDS * 1000)}")
        if use == "write":
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # in WAL: one fsync a commit, before it is answered
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten with zeros
            connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        else:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up_postgresql(connection: Any, use: Use) -> None:
    milliseconds = int(LOCK_SECONDS * 1000)
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(f"SET lock_timeout = {milliseconds}")
        cursor.execute(f"SET statement_timeout = {milliseconds * 6}")
        if use == "read":
            cursor.execute("SET default_transaction_read_only = on")
    connection.commit()


def _driver_sql(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
