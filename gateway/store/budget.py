"""How much of the fatigue budget is spent, and what admins were told already.

The count is taken in the transaction that writes the stop, so no ceiling is ever passed, however many connections and
nodes there are: on SQLite there is one writer at a time, on PostgreSQL those who count stand in line for one lock. Only
mail that is about to be stopped counts, and such mail is rare.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.policy.budget import STOPS, Ceiling
from gateway.store.schema import audit, told

LOCK = 7_305_471_863
"""The PostgreSQL advisory lock of those who count."""


def stand_in_line(connection: Connection) -> None:
    """Until this transaction ends nobody else counts. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})


def spent(connection: Connection, ceilings: Iterable[Ceiling]) -> Ceiling | None:
    """The first ceiling that is reached; None where one more stop fits. Reads at most as many rows as it allows."""
    ceilings = tuple(ceilings)
    if ceilings:
        stand_in_line(connection)
    for ceiling in ceilings:
        counted = select(audit.c.id).where(audit.c.disposition.in_(STOPS), audit.c.at >= ceiling.since)
        # Without an agent it is a stop by a fault of ours, which is nobody's budget.
        counted = counted.where(audit.c.agent == ceiling.agent if ceiling.agent else audit.c.agent != "")
        number = connection.scalar(select(func.count()).select_from(counted.limit(ceiling.most).subquery()))
        if (number or 0) >= ceiling.most:
            return ceiling
    return None


_TELL = {
    "sqlite": sqlite.insert(told).on_conflict_do_nothing().returning(told.c.key),
    "postgresql": postgresql.insert(told).on_conflict_do_nothing().returning(told.c.key),
}


def tell_once(connection: Connection, key: str, at: datetime) -> bool:
    """True for the first who comes with this key, on whatever node."""
    return connection.scalar(_TELL[connection.dialect.name], {"key": key, "at": at}) is not None
