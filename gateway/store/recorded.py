"""Judged mail as it can be judged again: what was known of each, page by page, in the order in which it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.engine import Connection

from gateway.store.schema import audit

PAGE = 1000
"""Rows of one page: a few megabytes at the most, and a read that is over before a writer waits."""

_COLUMNS = [
    getattr(audit.c, name)
    for name in (
        "id", "at", "agent", "team", "requester", "requester_grade", "lang", "policy_version", "facts", "basis",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorded:
    """One judged mail, from its audit entry. `basis` is None in entries of older versions of the gateway."""

    id: str
    at: datetime
    agent: str
    team: str
    requester: str
    grade: str
    lang: str
    version: str
    facts: Mapping[str, Any]
    basis: Mapping[str, Any] | None


def page(connection: Connection, since: datetime | None, after: tuple[datetime, str] | None) -> list[Recorded]:
    """The next PAGE mails from `since` on, behind the one at `after`."""
    query = select(*_COLUMNS).order_by(audit.c.at, audit.c.id).limit(PAGE)
    if after is not None:
        query = query.where(tuple_(audit.c.at, audit.c.id) > after)
    elif since is not None:
        query = query.where(audit.c.at >= since)
    return [Recorded(*row) for row in connection.execute(query)]
