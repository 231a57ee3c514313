"""Samples of passed mail for people to look at, and what they said: an estimate of what the gateway misses.

The population is the judged mail in which nothing was found. Which of it is drawn depends on the seed alone, so a draw
can be done again and shown to be fair; nothing is drawn twice.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.engine import Connection

from gateway.policy.decide import NOTHING_FOUND
from gateway.store import audit as audit_rows
from gateway.store import budget
from gateway.store.base import Base
from gateway.store.errors import Unknown, told
from gateway.store.records import AuditRow
from gateway.store.schema import audit, reviews

PAGE = 5000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of `passed` mails with no finding, `reviewed` were looked at, and `missed` of these should have been stopped."""

    passed: int
    drawn: int
    reviewed: int
    missed: int


class Sampling(Base):
    """Draws and reviews. For commands: everything here blocks."""

    def draw(self, number: int, since: datetime, until: datetime, seed: int, by: str, now: datetime) -> list[AuditRow]:
        """Draw up to `number` mails of that time and write down that they were drawn."""
        with told(), self.database.reader.connect() as connection:
            chosen = heapq.nsmallest(number, _undrawn(connection, since, until), key=lambda id: _lot(seed, id))

        def work(connection: Connection) -> list[str]:
            budget.stand_in_line(connection)
            there = set(connection.scalars(select(reviews.c.mail_id).where(reviews.c.mail_id.in_(chosen))))
            fresh = [id for id in chosen if id not in there]
            row = {"drawn_at": now, "seed": seed, "verdict": "", "why": "", "by": "", "reviewed_at": None}
            if fresh:
                connection.execute(insert(reviews), [{"mail_id": id, **row} for id in fresh])
                events = [audit_rows.Event(id, now, "sampled", f"seed {seed}", by) for id in fresh]
                audit_rows.add_events(connection, events, self.run_id, self.origin)
            return fresh

        return self._rows(self._writer.run_now(work))

    def drawn(self, limit: int) -> list[AuditRow]:
        """Mails that were drawn and that nobody has reviewed yet, the oldest draw first."""
        query = select(reviews.c.mail_id).where(reviews.c.verdict == "")
        query = query.order_by(reviews.c.drawn_at, reviews.c.mail_id).limit(limit)
        return self._rows(self._read(lambda connection: list(connection.scalars(query))))

    def _rows(self, ids: Sequence[str]) -> list[AuditRow]:
        found = (self._read(lambda connection, id=id: audit_rows.show(connection, id)) for id in ids)  # type: ignore[misc]
        return [row for row in found if row is not None]

    def review(self, wanted: str, missed: bool, why: str, by: str, now: datetime) -> str:
        """Write a verdict down, with its line in the history of the mail; a later one replaces it. Gives the whole id.

        Raises Unknown for a mail that was never drawn (else the estimate would be of what people chose), Ambiguous.
        """
        verdict = "missed" if missed else "fine"

        def work(connection: Connection) -> str:
            id = audit_rows.find_id(connection, reviews.c.mail_id, wanted)
            if id is None:
                raise Unknown(f"no mail that was drawn has an id that begins with {wanted}")
            values = {"verdict": verdict, "why": why, "by": by, "reviewed_at": now}
            connection.execute(update(reviews).where(reviews.c.mail_id == id).values(values))
            detail = f"{verdict}: {why}" if why else verdict
            audit_rows.add_events(
                connection, [audit_rows.Event(id, now, "reviewed", detail, by)], self.run_id, self.origin
            )
            return id

        return self._writer.run_now(work)

    def estimate(self, since: datetime, until: datetime) -> Estimate:
        """What the reviews say about the mail of that time."""

        def work(connection: Connection) -> Estimate:
            passed = connection.scalar(select(func.count()).select_from(audit).where(_passed(since, until))) or 0
            rows = connection.execute(
                select(reviews.c.verdict, func.count())
                .join(audit, audit.c.id == reviews.c.mail_id)
                .where(_passed(since, until))
                .group_by(reviews.c.verdict)
            )
            said = {verdict: number for verdict, number in rows}
            reviewed = said.get("missed", 0) + said.get("fine", 0)
            return Estimate(passed, sum(said.values()), reviewed, said.get("missed", 0))

        return self._read(work)


def _passed(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(
        audit.c.outcome == "passed",
        audit.c.at >= since,
        audit.c.at < until,
        audit.c.agent != "",
        audit.c.reason == NOTHING_FOUND,
    )


def _undrawn(connection: Connection, since: datetime, until: datetime) -> Iterator[str]:
    drawn = select(reviews.c.mail_id)
    query = select(audit.c.id).where(_passed(since, until), audit.c.id.not_in(drawn))
    yield from connection.execution_options(yield_per=PAGE).scalars(query)


def _lot(seed: int, id: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{id}".encode()).digest()
