"""The ledger: hand-offs, promises and requests, opened and closed in the transaction of the mail that does it.

open ─▶ asked ─▶ escalated          each step once, whichever node comes first
  └───────┴─────────┴──▶ closed     by a mail, or by a person who says why
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.engine import Connection

from gateway.follow.entries import Entry, State, Trail
from gateway.mail.address import Mailbox
from gateway.store import chains
from gateway.store.audit import find_id
from gateway.store.schema import ledger

MOST_OPEN = 200
"""Open entries of one requester that a mail may close."""


def follow(connection: Connection, trail: Trail, run: str) -> list[tuple[Entry, str]]:
    """Close what the mail closes, then open what it opens. Gives what was closed, each with why."""
    closed = []
    if trail.keys:
        mine = (ledger.c.requester.in_(sorted(trail.keys))) & (ledger.c.state != "closed")
        rows = connection.execute(select(ledger).where(mine).order_by(ledger.c.at).limit(MOST_OPEN)).all()
        for entry in map(_entry, rows):
            if why := trail.closed(entry):
                by = trail.seen.author.address if trail.seen else ""
                close(connection, entry.id, by, why, trail.at)
                closed.append((entry, why))
    add(connection, trail.entries, run)
    return closed


def add(connection: Connection, entries: Iterable[Entry], run: str) -> None:
    """Open entries; the same mail twice opens each once."""
    if rows := [_row(entry) for entry in entries]:
        chains.keep_new(connection, run, "ledger/1", rows, ledger.c.id)


def subject(entry: Entry) -> str:
    """What an entry's history stands under: the mail that opened it, or itself where that was no judged one."""
    return entry.mail_id or entry.id


def close(connection: Connection, entry_id: str, by: str, why: str, at: datetime) -> bool:
    """Close an entry. False when it was closed before."""
    values = {"state": "closed", "closed_at": at, "closed_by": by, "why": why, "next_at": None}
    open_ = (ledger.c.id == entry_id) & (ledger.c.state != "closed")
    return connection.execute(update(ledger).where(open_).values(values)).rowcount == 1


def due(connection: Connection, now: datetime, limit: int) -> list[Entry]:
    """Entries that the clock has to look at, the longest overdue first."""
    those = (ledger.c.state != "closed") & (ledger.c.next_at <= now)
    return [
        _entry(row) for row in connection.execute(select(ledger).where(those).order_by(ledger.c.next_at).limit(limit))
    ]


def step(connection: Connection, entry: Entry, state: State, next_at: datetime | None) -> bool:
    """Go on from what the entry was when it was read. False when another node did, or it was closed meanwhile."""
    as_read = (ledger.c.id == entry.id) & (ledger.c.state == entry.state) & (ledger.c.next_at == entry.next_at)
    open_ = ledger.c.state != "closed"  # what is closed stays so, also when it was read closed
    return connection.execute(update(ledger).where(as_read & open_).values(state=state, next_at=next_at)).rowcount == 1


def find(connection: Connection, wanted: str) -> Entry | None:
    """The entry with this id, or with the only id that starts so. Raises Ambiguous."""
    entry_id = find_id(connection, ledger.c.id, wanted)
    if entry_id is None:
        return None
    row = connection.execute(select(ledger).where(ledger.c.id == entry_id)).first()
    return _entry(row) if row else None


def entries(
    connection: Connection, *, kinds: Iterable[str], closed: bool, team: str = "", requester: str = "",
    since: datetime | None = None, limit: int = 100,
) -> list[Entry]:  # fmt: skip
    """Entries by when they are due, the earliest first."""
    wanted: list[ColumnElement[bool]] = [ledger.c.kind.in_(list(kinds))]
    if not closed:
        wanted.append(ledger.c.state != "closed")
    if team:
        wanted.append(ledger.c.team == team)
    if requester:
        wanted.append(ledger.c.requester == requester)
    if since is not None:
        wanted.append(ledger.c.at >= since)
    rows = connection.execute(select(ledger).where(*wanted).order_by(ledger.c.due, ledger.c.id).limit(limit))
    return [_entry(row) for row in rows]


def requests(connection: Connection, requester: str, since: datetime) -> list[Entry]:
    """What somebody asked since then, the oldest first."""
    theirs = (ledger.c.requester == requester) & (ledger.c.kind == "request") & (ledger.c.at >= since)
    return [_entry(row) for row in connection.execute(select(ledger).where(theirs).order_by(ledger.c.at))]


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "at": entry.at,
        "mail_id": entry.mail_id,
        "agent": entry.agent.address,
        "agent_name": entry.agent.name,
        "team": entry.team,
        "requester": entry.requester.address,
        "requester_name": entry.requester.name,
        "owners": [[who.address, who.name] for who in entry.owners],
        "subject": entry.subject,
        "thread": list(entry.thread),
        "due": entry.due,
        "words": entry.words,
        "state": entry.state,
        "next_at": entry.next_at,
        "closed_at": entry.closed_at,
        "closed_by": entry.closed_by,
        "why": entry.why,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        kind=row.kind,
        at=row.at,
        mail_id=row.mail_id,
        agent=Mailbox(row.agent, row.agent_name),
        team=row.team,
        requester=Mailbox(row.requester, row.requester_name),
        owners=tuple(Mailbox(*who) for who in row.owners),
        subject=row.subject,
        thread=tuple(row.thread),
        due=row.due,
        words=row.words,
        state=row.state,
        next_at=row.next_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        why=row.why,
    )
