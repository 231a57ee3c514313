"""What was found by policies over a time, and how it was settled: the rows behind canary, health and sample."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Connection

from gateway.policy.budget import STOPS
from gateway.store.base import Base
from gateway.store.errors import told
from gateway.store.schema import audit, audit_events, audit_policies

PAGE = 500
"""Rows looked at together."""

History = tuple[tuple[datetime, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One policy that matched one mail. `enforced`: as far as this policy goes, not only on record."""

    mail_id: str
    at: datetime
    policy: str
    enforced: bool
    disposition: str
    outcome: str
    agent: str
    team: str
    history: History

    @property
    def stopped(self) -> bool:
        """This policy took part in stopping the mail."""
        return self.enforced and self.disposition in STOPS


_COLUMNS = (audit.c.id, audit.c.disposition, audit.c.outcome, audit.c.agent, audit.c.team, audit.c.findings)


class Judging(Base):
    """Matches of policies, page by page."""

    async def holds_of(self, policy: str, since: datetime, most: int) -> list[Match]:
        """The newest mails that a policy held and that wait no longer, at most `most`, the newest first.

        Only held mail is looked at, and that is rare; and not in the lane in which mail looks its threads up.
        """

        def work(connection: Connection) -> list[Match]:
            ours = select(audit_policies.c.policy).where(
                audit_policies.c.policy == policy,
                audit_policies.c.at == audit.c.at,
                audit_policies.c.mail_id == audit.c.id,
            )
            held = (audit.c.disposition == "hold", audit.c.at >= since, audit.c.outcome.not_in(("held", "pending")))
            query = select(audit.c.at, *_COLUMNS).where(*held, ours.exists())
            rows = connection.execute(query.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(most)).all()
            history = _histories(connection, [row.id for row in rows])
            return [_match(policy, row, history.get(row.id, ())) for row in rows]

        return [match for match in await asyncio.to_thread(self._read, work) if match.stopped]

    def policies_seen(self, since: datetime) -> list[str]:
        """The policies that matched anything since then. For commands: blocks."""
        query = select(audit_policies.c.policy).where(audit_policies.c.at >= since).distinct()
        return sorted(self._read(lambda connection: list(connection.scalars(query))))

    def matches(self, policy: str, since: datetime, until: datetime) -> Iterator[Match]:
        """Every match of a policy, the newest first; never more than a page of them in memory. For commands."""
        with told(), self.database.reader.connect() as connection:
            yield from _matches(
                connection, policy, (audit_policies.c.at >= since) & (audit_policies.c.at < until), pages=100_000
            )


def _matches(connection: Connection, policy: str, when: ColumnElement[bool], pages: int) -> Iterator[Match]:
    after: tuple[datetime, str] | None = None
    for _ in range(pages):
        query = (
            select(audit_policies.c.at, *_COLUMNS)
            .join(audit, audit.c.id == audit_policies.c.mail_id)
            .where(audit_policies.c.policy == policy, when)
            .order_by(audit_policies.c.at.desc(), audit_policies.c.mail_id.desc())
            .limit(PAGE)
        )
        if after is not None:
            at, mail = after
            same = (audit_policies.c.at == at) & (audit_policies.c.mail_id < mail)
            query = query.where((audit_policies.c.at < at) | same)
        rows = connection.execute(query).all()
        history = _histories(connection, [row.id for row in rows if row.disposition in STOPS])
        for row in rows:
            yield _match(policy, row, history.get(row.id, ()))
        if len(rows) < PAGE:
            return
        after = (rows[-1].at, rows[-1].id)


def _match(policy: str, row: Any, history: History) -> Match:
    enforced = any(each.get("policy") == policy and each.get("mode") == "enforce" for each in row.findings)
    return Match(row.id, row.at, policy, enforced, row.disposition, row.outcome, row.agent, row.team, history)


def _histories(connection: Connection, ids: Sequence[str]) -> dict[str, History]:
    if not ids:
        return {}
    found: dict[str, History] = {}
    query = select(audit_events).where(audit_events.c.mail_id.in_(ids)).order_by(audit_events.c.id)
    for row in connection.execute(query):
        found[row.mail_id] = (*found.get(row.mail_id, ()), (row.at, row.outcome, row.detail, row.by))
    return found
