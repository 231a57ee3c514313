"""What stands in the tables beside the chains and could mislead whoever reads them: rows that no link binds, an outcome
or an index that the history does not bear out, a held mail that is not the one that was judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from gateway.amending import addresses
from gateway.store.chains import KINDS, PAGE, is_bound
from gateway.store.records import Outcome
from gateway.store.schema import (
    audit,
    audit_events,
    audit_policies,
    hold_bodies,
    holds,
    log_heads,
    log_links,
    log_notes,
    rule_events,
)

OUTCOMES = frozenset(get_args(Outcome))
NAMES = {audit: "the entry", audit_events: "the event", rule_events: "the change of rules", log_notes: "the note"}
GOES_OUT = ("approved", "releasing", "released")


def strays(connection: Connection, digest: Callable[[bytes, str], str | None]) -> Iterator[str]:
    """One line for each. `digest` gives the SHA-256 of a sealed body; None where no key at hand opens it."""
    yield from _unlinked(connection)
    yield from _heads(connection)
    yield from _derived(connection)
    yield from _holds(connection, digest)


def _unlinked(connection: Connection) -> Iterator[str]:
    """Rows that no link binds, and rows that share one."""
    tables = {table: [kind for kind, (its, _) in KINDS.items() if its is table] for table, _ in KINDS.values()}
    for table, kinds in tables.items():
        key = list(table.primary_key)
        bound = and_(log_links.c.chain == table.c.run, log_links.c.seq == table.c.seq, log_links.c.kind.in_(kinds))
        alone = select(*key).outerjoin(log_links, bound).where(log_links.c.seq.is_(None)).order_by(*key)
        for row in connection.execute(alone):
            yield f"{NAMES[table]} {' '.join(map(str, row))} is in no chain: it was put in from outside"
        if table is not log_notes:
            twice = select(table.c.run, table.c.seq).group_by(table.c.run, table.c.seq).having(func.count() > 1)
            for row in connection.execute(twice):
                yield f"{NAMES[table]} at {row.run}:{row.seq} is there twice: one was put in from outside"


def _heads(connection: Connection) -> Iterator[str]:
    """Where a chain goes on must be where it ends, and no checkpoint can have more of it."""
    newest = select(log_links.c.chain, func.max(log_links.c.seq).label("last")).group_by(log_links.c.chain).subquery()
    query = select(log_heads, newest.c.last).outerjoin(newest, newest.c.chain == log_heads.c.chain)
    for row in connection.execute(query):
        if row.last != row.seq or row.covered > row.seq:
            yield f"chain {row.chain} goes on at {row.seq}, its links end at {row.last}"


def _derived(connection: Connection) -> Iterator[str]:
    """The outcome that lists show, and the index of policies."""
    after = ""
    while rows := connection.execute(
        select(audit.c.id, audit.c.at, audit.c.outcome, audit.c.findings)
        .where(audit.c.id > after).order_by(audit.c.id).limit(PAGE)
    ).all():  # fmt: skip
        span = and_(audit_events.c.mail_id >= rows[0].id, audit_events.c.mail_id <= rows[-1].id)
        words: dict[str, list[str]] = {}
        events = select(audit_events.c.mail_id, audit_events.c.outcome).where(span).order_by(audit_events.c.id)
        for event in connection.execute(events):
            if event.outcome in OUTCOMES:
                words.setdefault(event.mail_id, []).append(event.outcome)
        span = and_(audit_policies.c.mail_id >= rows[0].id, audit_policies.c.mail_id <= rows[-1].id)
        index: dict[str, set[Any]] = {}
        for each in connection.execute(select(audit_policies).where(span)):
            index.setdefault(each.mail_id, set()).add((each.policy, each.at))
        for row in rows:
            if not _bears_out(row.outcome, words.get(row.id, [])):
                yield f"the entry {row.id} says {row.outcome}, and its history does not"
            wanted = {(str(each["policy"]), row.at) for each in row.findings if each.get("policy")}
            if index.get(row.id, set()) != wanted:
                yield f"the entry {row.id} is not found by its policies: the index was changed"
        after = rows[-1].id
    lone = select(audit_policies.c.mail_id).outerjoin(audit, audit.c.id == audit_policies.c.mail_id)
    for mail_id in connection.scalars(lone.where(audit.c.id.is_(None))):
        yield f"the index of policies names {mail_id}, which is not there"


def _bears_out(outcome: str, words: Sequence[str]) -> bool:
    """Before the first word an entry is as it was written; a release that was put off leaves the outcome as it was."""
    if not words:
        return True
    return outcome in (words[-1], next((word for word in reversed(words) if word != "deferred"), words[-1]))


def _holds(connection: Connection, digest: Callable[[bytes, str], str | None]) -> Iterator[str]:
    for row in connection.execute(select(holds).order_by(holds.c.id)).all():
        yield from (f"the held mail {row.id} {what}" for what in unsound(connection, row))
        if row.state in GOES_OUT:
            yield from (f"the held mail {row.id} {what}" for what in unapproved(connection, row.id, row.plan))
        sealed = connection.scalar(select(hold_bodies.c.sealed).where(hold_bodies.c.hold_id == row.id))
        found = digest(sealed, row.id) if sealed is not None else None
        if found is not None and found != row.sha256:
            yield f"the held mail {row.id} is not the one that was judged: its octets were changed"


def unsound(connection: Connection, hold: Any) -> list[str]:
    """What a hold (its row) says otherwise than the entry of the log that it was held with. Nothing where that entry is
    not there (erased), which is seen elsewhere."""
    entry = connection.execute(select(audit).where(audit.c.id == hold.id)).first()
    if entry is None:
        return []
    found = [] if is_bound(connection, entry) else ["has an entry in the log that was changed"]
    if hold.sha256 != entry.sha256:
        found.append("is not the one that was judged: its digest was changed")
    told = addresses(tuple(each.encode("latin-1") for each in hold.rcpt_to))
    if sorted(map(_plain, told)) != sorted(map(_plain, entry.rcpt_to)):
        found.append("would go to others than those whom it was sent to")
    added = {str(each["address"]) for each in hold.fix.get("add_cc", ())}
    if not added <= set(entry.add_cc):
        found.append("would be shown to others than those whom the policy adds")
    return found


def unapproved(connection: Connection, hold_id: str, plan: Mapping[str, Any]) -> list[str]:
    """What is on its way out, or went, without the log saying that somebody approved it so."""
    events = select(audit_events.c.outcome, audit_events.c.detail).where(
        audit_events.c.mail_id == hold_id, audit_events.c.outcome.in_(("approved", "plan"))
    )
    said = connection.execute(events.order_by(audit_events.c.id)).all()
    if not any(event.outcome == "approved" for event in said):
        return ["goes out, and nobody approved it"]
    plans = [event.detail for event in said if event.outcome == "plan"]
    if plan.get("sha256") and (not plans or plans[-1] != plan["sha256"]):
        return ["goes out with other words than were approved"]
    return []


def _plain(address: str) -> bytes:
    """As octets, without a source route (RFC 5321 §4.1.2: A-d-l)."""
    return _ROUTE.sub("", address).encode("utf-8", "surrogateescape")


_ROUTE = re.compile(r"\A@[^:]*:")
