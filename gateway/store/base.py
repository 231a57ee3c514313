"""What every part of the store needs: opening and closing, the two lanes, and sealed bodies."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.engine import Connection

from gateway.store import audit, chains, migrate, outbox, runs
from gateway.store.console_schema import console_accounts
from gateway.store.crypto import CannotOpen, Sealer
from gateway.store.engine import Database
from gateway.store.errors import StoreAway, told
from gateway.store.keys import check_key, check_known
from gateway.store.records import OutMail, Recovered
from gateway.store.standing import account_digest
from gateway.store.writer import Lane, Watch

T = TypeVar("T")

log = structlog.get_logger("gateway.store")

INLINE_OCTETS = 256 * 1024
"""Bodies up to this size are encrypted on the event loop (a quarter of a millisecond); larger ones in a thread."""


class OwnHead(Watch):
    """An older copy of the database that is put back under a process that writes is an event of the log, and so is one
    that went on otherwise: nothing else would show it before the next checkpoint."""

    def __init__(self, store: Base) -> None:
        self._store = store
        self._known: chains.Newest | None = None
        self._new: chains.Newest | None = None

    def begin(self, connection: Connection) -> None:
        had, run = self._known, self._store.run_id
        if had is None or chains.is_there(connection, run, had):
            return
        self._known = None
        found = chains.newest(connection, run)
        has = found[0] if found is not None else 0
        words = f"an older copy, or another database, was put back: this process had come to {had[0]}, and finds {has}"
        log.error("the database is an older copy, or another one", chain=run, had=had[0], has=has)
        event = audit.Event("gateway", self._store._clock(), "went-back", words)
        audit.add_events(connection, [event], run, self._store.origin)

    def end(self, connection: Connection) -> None:
        self._new = chains.newest(connection, self._store.run_id) if self._store.is_at_work else None

    def committed(self) -> None:
        self._known = self._new


BEFORE_LINKS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Revisions in which not every row of the log, or beside it, was linked."""

UPGRADE_SECONDS = 6 * 3600.0
"""How long an upgrade may take: broken off, it would begin anew at the next start, and never end. A million rows are
linked in some minutes."""


class Base:
    """An open database. One instance a process; safe for every thread of it."""

    def __init__(
        self, database: Database, sealer: Sealer, *, create: bool, clock: Callable[[], datetime], origin: str = ""
    ) -> None:
        self.database = database
        self.origin = origin
        """Who works with it, and on which machine: from where events come that do not say so themselves."""
        self.run_id = secrets.token_hex(8)
        """This process's name in rows that recovery looks at."""
        self._registered = self._started = False
        self._sealer = sealer
        self._create = create
        self._clock = clock
        self._writer = Lane("store-writer", database.writer, check=database.check_file, watch=OwnHead(self))
        self._reader = Lane("store-reader", database.reader, check=database.check_file)

    @classmethod
    def open(
        cls,
        url: str,
        key: bytes,
        *,
        older_keys: Sequence[bytes] = (),
        password: str = "",
        create: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        origin: str = "",
    ) -> Self:
        """The store at an SQLAlchemy URL (sqlite or postgresql). Connects to nothing yet.

        `key` (32 octets) encrypts bodies, `older_keys` still open what they closed. With `create`, `upgrade` makes a
        missing SQLite file. `origin` says for the log who works with it ("serve on mx1"). Raises StoreAway for a URL
        that cannot be used, KeyUnusable for a key of another length.
        """
        return cls(Database(url, password=password), Sealer(key, older_keys), create=create, clock=clock, origin=origin)

    async def start(self) -> None:
        """Be ready for mail: create or upgrade the tables, and check that the key is the one bodies are sealed with."""
        await asyncio.to_thread(self.upgrade)

    def upgrade(self) -> None:
        """Bring the database to the present schema; on a new file, make it."""
        with told():
            if self._create:
                self.database.create()

            def work(connection: Connection) -> None:
                before = migrate.current(connection)
                migrate.upgrade(connection)
                if before in BEFORE_LINKS:
                    chains.adopt(connection, self.run_id)
                    self._bind_accounts(connection)
                check_key(connection, self._sealer, self._clock())

        self._writer.run_now(work, patience=UPGRADE_SECONDS)

    def _bind_accounts(self, connection: Connection) -> None:
        for row in connection.execute(select(console_accounts)).all():
            event = audit.Event(f"account/{row.name}", self._clock(), "bound", account_digest(row))
            audit.add_events(connection, [event], self.run_id, self.origin)

    def is_current(self) -> bool:
        """Whether the schema is the one that this version works with. Raises StoreAway."""
        return self._read(migrate.current) == migrate.head()

    def check_key(self) -> None:
        """Raise WrongKey where this database was written with another key. Changes nothing."""
        self._read(lambda connection: check_known(connection, self._sealer))

    async def close(self) -> None:
        """Finish what waits, sign off, close all connections."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """The same for callers without an event loop."""
        self.sign_off_now()
        self._writer.close()
        self._reader.close()
        self.database.dispose()

    @property
    def is_at_work(self) -> bool:
        """Whether this process is one that recovery asks after."""
        return self._registered or self._started

    def sign_off_now(self) -> None:
        """Write down that this process has stopped, which is its last word in the log: what is done after it, before
        `close`, adds nothing to that. Once."""
        if self.is_at_work:
            self._registered = False
            try:
                self._writer.run_now(self._sign_off)
            except StoreAway:
                pass  # recovery finds out by the process table
            self._started = False

    def _sign_off(self, connection: Connection) -> None:
        runs.sign_off(connection, self.run_id, self._clock())
        if self._started:  # the last link of this chain: what comes after it did not come from here
            audit.add_events(connection, [audit.Event("gateway", self._clock(), "stopped")], self.run_id, self.origin)

    async def started(self, detail: str) -> None:
        """Write down that this process has begun to take mail; `close` writes that it stopped."""
        await self.log("gateway", "started", detail)
        self._started = True

    async def log(self, subject: str, what: str, detail: str = "", by: str = "", origin: str = "") -> None:
        """Write an event down: who, what, when, from where. `gateway.logged` has the words."""
        event = audit.Event(subject, self._clock(), what, detail, by, origin)
        await self._write(lambda connection: audit.add_events(connection, [event], self.run_id, self.origin))

    def log_now(self, subject: str, what: str, detail: str = "", by: str = "", origin: str = "") -> None:
        """The same for commands: blocks."""
        event = audit.Event(subject, self._clock(), what, detail, by, origin)
        self._writer.run_now(lambda connection: audit.add_events(connection, [event], self.run_id, self.origin))

    async def ping(self) -> None:
        """Write one row and commit it. Raises StoreAway or StoreFull with what is wrong."""
        await self._write(lambda connection: runs.register(connection, self.run_id, self._clock()))
        self._registered = True

    async def recover(self, now: datetime) -> Recovered:
        """At start, and every few minutes: settle what dead processes left (see `runs`)."""

        def work(connection: Connection) -> Recovered:
            runs.register(connection, self.run_id, now)
            return runs.recover(connection, self.run_id, self.origin, now)

        found = await self._write(work)
        self._registered = True
        return found

    sweep = recover

    # --- inside ----------------------------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with told():
            self.database.check_file()
            with self.database.reader.connect() as connection:
                return work(connection)

    async def _seal(self, body: bytes, row: str) -> bytes:
        if len(body) <= INLINE_OCTETS:
            return self._sealer.seal(body, row)
        return await asyncio.to_thread(self._sealer.seal, body, row)

    async def _seal_mails(self, mails: Sequence[OutMail]) -> list[outbox.Sealed]:
        return [outbox.Sealed(mail, await self._seal(mail.raw, outbox.row_name(mail.id))) for mail in mails]

    async def _open(self, sealed: bytes, row: str) -> bytes:
        try:
            if len(sealed) <= INLINE_OCTETS:
                return self._sealer.open(sealed, row)
            return await asyncio.to_thread(self._sealer.open, sealed, row)
        except CannotOpen as error:
            raise StoreAway(str(error)) from error
