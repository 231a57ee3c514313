"""What is kept about people: how long, what of it they get, how it goes, and what keeps it from going."""

from __future__ import annotations

import base64
import functools
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.engine import Connection

from gateway.persons import Person
from gateway.store import audit, chains, forgetting
from gateway.store.base import Base
from gateway.store.crypto import CannotOpen
from gateway.store.engine import open_sqlite
from gateway.store.errors import StoreAway, told
from gateway.store.forgetting import BATCH, Found, Links
from gateway.store.holds import row_name
from gateway.store.schema import (
    audit_events,
    hold_bodies,
    holds,
    ledger,
    legal_holds,
    metadata,
    outbox,
    seen,
)
from gateway.store.schema import told as told_rows

ROUNDS = 20
"""How often it is looked again whether something came meanwhile; a person whose mail goes on is found every time."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long each kind is kept."""

    log: timedelta
    mail: timedelta
    threads: timedelta
    followed: timedelta
    sent: timedelta


@dataclass(frozen=True, slots=True)
class LegalHold:
    """While it stands nothing that names `address` goes."""

    id: str
    at: datetime
    address: str
    why: str
    by: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: rows by kind, tables in which they are still named, and the receipt that proves whom it was about."""

    counts: Mapping[str, int]
    left: tuple[str, ...]
    receipt: str


class UnderHold(Exception):
    """A legal hold stands."""

    def __init__(self, hold: LegalHold) -> None:
        super().__init__(f"a legal hold of {hold.at:%Y-%m-%d} by {hold.by} stands: {hold.why}")
        self.hold = hold


class Waits(Exception):
    """Mail of theirs still waits for somebody; `mails` are its ids."""

    def __init__(self, mails: Sequence[str]) -> None:
        super().__init__(", ".join(mails))
        self.mails = tuple(mails)


class Privacy(Base):
    """For commands and threads: everything here blocks."""

    # --- legal hold ------------------------------------------------------------------------------------------------

    def legal_holds(self) -> list[LegalHold]:
        """Those that stand, the oldest first."""
        query = select(legal_holds).where(legal_holds.c.lifted_at.is_(None)).order_by(legal_holds.c.at)
        rows = self._read(lambda connection: connection.execute(query).all())
        return [LegalHold(row.id, row.at, row.address, row.why, row.by) for row in rows]

    def hold_person(self, address: str, why: str, by: str, origin: str) -> bool:
        """Nothing about them goes from now on. False when such a hold stands already."""
        now, id = self._clock(), secrets.token_hex(8)

        def work(connection: Connection) -> bool:
            if address.lower() in forgetting.held_people(connection):
                return False
            row = {"id": id, "at": now, "address": address.lower(), "why": why, "by": by, "lifted_by": ""}
            connection.execute(insert(legal_holds), row)
            event = audit.Event("log", now, "legal-hold", f"{address.lower()}: {why}", by, origin)
            audit.add_events(connection, [event], self.run_id, self.origin)
            return True

        return self._writer.run_now(work)

    def lift_hold(self, address: str, why: str, by: str, origin: str) -> bool:
        """The hold on them is over. False when there was none."""
        now = self._clock()

        def work(connection: Connection) -> bool:
            theirs = (legal_holds.c.address == address.lower()) & legal_holds.c.lifted_at.is_(None)
            if not connection.execute(update(legal_holds).where(theirs).values(lifted_at=now, lifted_by=by)).rowcount:
                return False
            event = audit.Event("log", now, "legal-hold-lifted", f"{address.lower()}: {why}", by, origin)
            audit.add_events(connection, [event], self.run_id, self.origin)
            return True

        return self._writer.run_now(work)

    # --- erasure ---------------------------------------------------------------------------------------------------

    def find_person(self, person: Person) -> Found:
        """Everything that names them."""
        return self._read(lambda connection: forgetting.find(connection, person, self._opened_body))

    def _opened_body(self, sealed: bytes, hold_id: str) -> bytes | None:
        try:
            return self._sealer.open(sealed, row_name(hold_id))
        except CannotOpen:
            return None

    def erase_person(self, person: Person, why: str, by: str) -> Erased:
        """Erase everything that names them, batch by batch; broken off, it can be done again. `compact` comes after.

        Raises UnderHold, Waits; then nothing was erased.
        """
        for hold in self.legal_holds():
            if person.in_text(hold.address):
                raise UnderHold(hold)
        receipt = secrets.token_hex(16)
        # Whoever has the receipt can show that this erasure was theirs; without it nobody can try addresses out.
        proof = hashlib.sha256(f"{receipt}|{person.addresses[0]}".encode()).hexdigest()
        counts: dict[str, int] = {}
        left: list[str] = []
        for _ in range(ROUNDS):
            found = self._still(person, left)
            if found is None:
                break
            waits = self._read(lambda connection, found=found: forgetting.waiting(connection, found.mails))  # type: ignore[misc]
            if waits:
                raise Waits(waits)
            for name, number in found.counts.items():
                counts[name] = counts.get(name, 0) + number
            for some in _batches(sorted(found.mails)):
                self._erasing(lambda c, some=some: forgetting.forget_mails(c, some), why, by, proof)  # type: ignore[misc]
            for numbers in _batches(sorted(found.events)):
                self._erasing(lambda c, those=numbers: self._forget_events(c, person, those), why, by, proof)  # type: ignore[misc]

            def rest(connection: Connection, found: Found = found) -> Links:
                links, others = forgetting.forget_rows(connection, self.run_id, person, found)
                left.extend(others)
                return links

            self._erasing(rest, why, by, proof)
        return Erased(counts, tuple(dict.fromkeys(left)), receipt)

    def _forget_events(self, connection: Connection, person: Person, numbers: Sequence[int]) -> Links:
        return forgetting.forget_named_events(connection, self.run_id, person, numbers)

    def _still(self, person: Person, left: Sequence[str]) -> Found | None:
        """What is (still) there: more may have come meanwhile. Tables that cannot be mended here count once."""
        found = self.find_person(person)
        for name in left:
            found.rows.pop(name, None)
        return found or None

    def _erasing(self, forget: Callable[[Connection], Links], why: str, by: str, proof: str = "") -> int:
        def work(connection: Connection) -> int:
            links = forget(connection)
            if links:
                more = {"about": proof} if proof else {}
                chains.erase(connection, self.run_id, links, why, by, origin=self.origin, **more)
            return len(links)

        return self._writer.run_now(work)

    def compact(self) -> bool:
        """Leave no octet of what was erased in free pages and the write-ahead log of SQLite. False on PostgreSQL, where
        that is the operator's part (VACUUM FULL; WAL and backups run out). Raises StoreAway while somebody reads."""
        file = self.database.file
        if file is None:
            return False
        with told():
            connection = open_sqlite(file, "write")
            try:
                # Moved cells leave copies in their pages that secure_delete does not see: every page is written anew.
                connection.execute("VACUUM")
                connection.execute("PRAGMA busy_timeout = 100")
                for _ in range(50):
                    busy, *_rest = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if not busy:
                        return True
                    time.sleep(0.1)
            finally:
                connection.close()
        raise StoreAway("somebody reads the database all the time: its write-ahead log cannot be emptied now")

    # --- what is older than it is kept -----------------------------------------------------------------------------

    def retain(self, now: datetime, keep: Keep) -> dict[str, int]:
        """Erase what is older than it is kept, and under no legal hold, in small transactions; how much of what."""
        people = [Person((address,)) for address in self._read(forgetting.held_people)]
        counts = {
            "entries of the log": self._retain_mails(now - keep.log, people),
            "other events": self._retain_events(now - keep.log, people),
            "held mails": self._retain_bodies(now - keep.mail, people),
            "messages in thread memory": self._retain_rows(
                "seen", seen.c.seen_at < now - keep.threads, people, forgetting.forget_seen
            ),
            "hand-offs and promises": self._retain_rows(
                "ledger",
                (ledger.c.closed_at < now - keep.followed)
                | ((ledger.c.kind == "request") & (ledger.c.at < now - keep.followed)),
                people,
            ),
            "mails of the gateway's own": self._retain_rows(
                "outbox", outbox.c.state.in_(("sent", "failed")) & (outbox.c.at < now - keep.sent), people
            ),
            "notes to admins": self._retain_rows("told", told_rows.c.at < now - keep.log, people),
        }
        found = {name: number for name, number in counts.items() if number}
        if found:
            detail = ", ".join(f"{number} {name}" for name, number in found.items())
            self.log_now("log", "retained", detail)
        return found

    def _retain_mails(self, before: datetime, people: Sequence[Person]) -> int:
        after: tuple[datetime, str] | None = None
        number = 0
        while True:
            rows, after = self._read(lambda c, after=after: forgetting.old_mails(c, before, after))  # type: ignore[misc]
            free = [row.id for row in rows if not _named(row, people)]
            if free:
                self._erasing(lambda c, free=free: forgetting.forget_mails(c, free), _KEPT, "")  # type: ignore[misc]
                number += len(free)
            if after is None:
                return number

    def _retain_events(self, before: datetime, people: Sequence[Person]) -> int:
        after, number = 0, 0
        while rows := self._read(lambda c, after=after: forgetting.old_events(c, before, after)):  # type: ignore[misc]
            free = [row.id for row in rows if not _named(row, people)]
            if free:
                self._erasing(lambda c, free=free: forgetting.forget_events(c, free), _KEPT, "")  # type: ignore[misc]
                number += len(free)
            after = rows[-1].id
        return number

    def _retain_bodies(self, before: datetime, people: Sequence[Person]) -> int:
        """Octets of released mail; those of discarded mail go when it cannot be sent any more (`erase_discarded`)."""
        query = select(holds).join(hold_bodies, hold_bodies.c.hold_id == holds.c.id)
        old = (holds.c.state == "released") & (holds.c.settled_at < before)
        rows = self._read(lambda connection: connection.execute(query.where(old)).all())
        free = [row.id for row in rows if not _named(row, people)]
        for some in _batches(free):

            def work(connection: Connection, some: Sequence[str] = some) -> None:
                connection.execute(delete(hold_bodies).where(hold_bodies.c.hold_id.in_(some)))
                now = self._clock()
                events = [audit.Event(id, now, "erased", "the mail itself is kept no longer") for id in some]
                audit.add_events(connection, events, self.run_id, self.origin)

            self._writer.run_now(work)
        return len(free)

    def _retain_rows(
        self, name: str, old: Any, people: Sequence[Person],
        forget: Callable[[Connection, Sequence[Any]], Links] | None = None,
    ) -> int:  # fmt: skip
        table = metadata.tables[name]
        key = next(iter(table.primary_key))
        number, after = 0, None
        forget = forget or functools.partial(_forget_rows, table)
        while True:
            query = select(table).where(old).order_by(key).limit(BATCH)
            query = query if after is None else query.where(key > after)
            rows = self._read(lambda connection, query=query: connection.execute(query).all())  # type: ignore[misc]
            free = [row._mapping[key] for row in rows if not _named(row, people)]

            if free:
                self._erasing(lambda c, free=free: forget(c, free), _KEPT, "")  # type: ignore[misc]
                number += len(free)
            if len(rows) < BATCH:
                return number
            after = rows[-1]._mapping[key]

    # --- what a person gets ----------------------------------------------------------------------------------------

    def person_kept(self, person: Person, *, with_mail: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that names them, as (kind, row): entries of the log with their history, then all other rows.
        `with_mail`: the octets of held mail too, as base64."""
        found = self.find_person(person)
        for id in sorted(found.mails):
            row = self._read(lambda connection, id=id: audit.show(connection, id))  # type: ignore[misc]
            if row is not None:
                yield "judged mail", {**asdict(row.entry), "outcome": row.outcome, "history": [*map(list, row.history)]}
            yield from self._held(id, with_mail)
        query = select(audit_events).where(audit_events.c.id.in_(sorted(found.events)))
        for event in self._read(lambda connection: connection.execute(query).all()):
            yield "event", {name: value for name, value in event._mapping.items() if name not in ("run", "seq", "id")}
        for name, keys in sorted(found.rows.items()):
            table = metadata.tables[name]
            for key in keys:
                one = select(table).where(forgetting.at(table, key))
                row = self._read(lambda connection, one=one: connection.execute(one).first())  # type: ignore[misc]
                if row is not None:
                    values = dict(row._mapping)
                    yield (
                        forgetting.SAID.get(name, name),
                        {k: v for k, v in values.items() if not isinstance(v, (bytes, frozenset))},
                    )

    def _held(self, id: str, with_mail: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        query = select(holds, hold_bodies.c.sealed).outerjoin(hold_bodies, hold_bodies.c.hold_id == holds.c.id)
        row = self._read(lambda connection: connection.execute(query.where(holds.c.id == id)).first())
        if row is None:
            return
        wanted = (
            "id",
            "at",
            "agent",
            "subject",
            "state",
            "action",
            "approved_by",
            "why",
            "settled_at",
            "rcpt_to",
            "may_settle",
        )
        held = {name: row._mapping[name] for name in wanted}
        octets = self._opened_body(row.sealed, id) if row.sealed is not None else None
        held["mail is kept"] = octets is not None
        if with_mail and octets is not None:
            held["mail"] = base64.b64encode(octets).decode()
        yield "held mail", held


_KEPT = "kept no longer"
_OF_A_HOLD = (
    *("id", "at", "agent", "subject", "state", "action", "approved_by", "why", "settled_at", "rcpt_to"),
    "may_settle",
)


def _named(row: Any, people: Sequence[Person]) -> bool:
    return any(person.in_value(value) for person in people for value in row._mapping.values())


def _batches(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def _forget_rows(table: Table, connection: Connection, keys: Sequence[Any]) -> Links:
    return forgetting.forget_linked(connection, table, keys)
