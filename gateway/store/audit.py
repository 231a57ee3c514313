"""The audit of judged mail: the entry, everything that became of it, and the questions that auditors ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection

from gateway.store import chains
from gateway.store.errors import Ambiguous, Unknown
from gateway.store.folding import lowered, small
from gateway.store.records import AuditEntry, AuditRow
from gateway.store.schema import audit, audit_events, audit_policies

SHOWN_IDS = 5

UNSHOWN = ("bound", "plan", "notice-sent", "notice-dropped")
"""Events that only the checks read: digests and ids, which say nothing to people who read a history."""

_INSERT = insert(audit)
_INSERT_POLICIES = insert(audit_policies)
_INSERT_EVENT = insert(audit_events)
_SET_OUTCOME = update(audit).where(audit.c.id == bindparam("mail")).values(outcome=bindparam("word"))


def insert_entries(connection: Connection, entries: Iterable[AuditEntry], run: str) -> None:
    """Write entries with their outcomes as they stand, and index the policies that matched."""
    rows, policies = [], []
    for entry in entries:
        rows.append(_row(entry, run))
        for policy in {str(finding["policy"]) for finding in entry.findings if finding.get("policy")}:
            policies.append({"policy": policy, "at": entry.at, "mail_id": entry.id})
    chains.append(connection, run, "decision/1", rows)
    connection.execute(_INSERT, rows)
    if policies:
        connection.execute(_INSERT_POLICIES, policies)


def _row(entry: AuditEntry, run: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "run": run,
        "listener": entry.listener,
        "peer": entry.peer,
        "agent": entry.agent,
        "team": entry.team,
        "requester": entry.requester,
        "requester_grade": entry.requester_grade,
        "mail_from": entry.mail_from,
        "rcpt_to": entry.rcpt_to,
        "message_id": entry.message_id,
        "subject": entry.subject,
        "size": entry.size,
        "sha256": entry.sha256,
        "lang": entry.lang,
        "disposition": entry.disposition,
        "reason": entry.reason,
        "policy_version": entry.policy_version,
        "findings": entry.findings,
        "facts": entry.facts,
        "add_cc": entry.add_cc,
        "notify_supervisor": entry.notify_supervisor,
        "outcome": entry.outcome,
        "basis": entry.basis,
    }


@dataclass(frozen=True, slots=True)
class Event:
    """One line in the history of a mail, or of something else that has one: "gateway", "log", "account/NAME", "bypass",
    "policy/NAME". `outcome` is what happened (`gateway.logged` has all words)."""

    mail_id: str
    at: datetime
    outcome: str
    detail: str = ""
    by: str = ""
    origin: str = ""
    """From where: "mail from 192.0.2.1", "command on mx1", "console from 192.0.2.9"; where it is left empty,
    what the store was opened for ("serve on mx1")."""


def add_events(connection: Connection, events: Sequence[Event], run: str, origin: str) -> None:
    """Append to the histories; `origin` is from where events come that do not say so themselves."""
    rows = [asdict(event) | {"run": run, "origin": event.origin or origin} for event in events]
    chains.append(connection, run, "event/2", rows)
    connection.execute(_INSERT_EVENT, rows)


def set_outcomes(connection: Connection, events: Sequence[Event], run: str, origin: str) -> None:
    """Say what became of mails: the entry shows the latest word, the history keeps every word."""
    connection.execute(_SET_OUTCOME, [{"mail": event.mail_id, "word": event.outcome} for event in events])
    add_events(connection, events, run, origin)


def list_entries(
    connection: Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent: str = "",
    policy: str = "",
    disposition: str = "",
    outcome: str = "",
    limit: int = 50,
    before: str = "",
) -> list[AuditRow]:
    """Entries, newest first; times from `since` up to but without `until`.

    `agent` is an address in any case, or its domain as "@example.org". `before` is the id of an entry: only what comes
    after it in the list, to page on. Raises Unknown when there is no such entry.
    """
    wanted: list[ColumnElement[bool]] = []
    table: Any = audit
    at = audit.c.at
    if policy:
        table = audit.join(audit_policies, audit_policies.c.mail_id == audit.c.id)
        at = audit_policies.c.at
        wanted.append(audit_policies.c.policy == policy)
    if since is not None:
        wanted.append(at >= since)
    if until is not None:
        wanted.append(at < until)
    if agent:
        wanted.append(_agent(agent))
    if disposition:
        wanted.append(audit.c.disposition == disposition)
    if outcome:
        wanted.append(audit.c.outcome == outcome)
    if before:
        mark = connection.execute(select(audit.c.at, audit.c.id).where(audit.c.id == before)).first()
        if mark is None:
            raise Unknown(f"there is no audit entry {before}")
        wanted.append(or_(at < mark.at, and_(at == mark.at, audit.c.id < mark.id)))
    query = select(audit).select_from(table).where(*wanted).order_by(at.desc(), audit.c.id.desc()).limit(limit)
    return _with_history(connection, connection.execute(query).all())


def _agent(agent: str) -> ColumnElement[bool]:
    if agent.startswith("@"):
        return lowered(audit.c.agent).endswith(small(agent), autoescape=True)
    return audit.c.agent.in_({agent, agent.lower()})


def show(connection: Connection, wanted: str) -> AuditRow | None:
    """The entry with this id, or with the only id that starts so. Raises Ambiguous."""
    number = find_id(connection, audit.c.id, wanted)
    if number is None:
        return None
    return _with_history(connection, connection.execute(select(audit).where(audit.c.id == number)).all())[0]


def find_id(connection: Connection, column: ColumnElement[str], wanted: str) -> str | None:
    """The id that is `wanted` or the only one that starts with it; None when there is none. Raises Ambiguous."""
    if not wanted or not wanted.isascii() or not wanted.isprintable():
        return None
    # Ids are ASCII and sorted by octet, so a range of the index is the prefix.
    fitting = select(column).where(column >= wanted, column < wanted + "\x7f").order_by(column).limit(SHOWN_IDS)
    found = connection.scalars(fitting).all()
    if wanted in found:
        return wanted
    if len(found) > 1:
        raise Ambiguous(wanted, tuple(found))
    return found[0] if found else None


def _with_history(connection: Connection, rows: Sequence[Row[Any]]) -> list[AuditRow]:
    events = _events(connection, [row.id for row in rows])
    return [AuditRow(_entry(row), row.outcome, tuple(events.get(row.id, ()))) for row in rows]


def _events(connection: Connection, ids: Iterable[str]) -> Mapping[str, list[tuple[datetime, str, str, str]]]:
    history: dict[str, list[tuple[datetime, str, str, str]]] = {}
    query = select(audit_events).where(audit_events.c.mail_id.in_(list(ids)), audit_events.c.outcome.not_in(UNSHOWN))
    for row in connection.execute(query.order_by(audit_events.c.id)):
        history.setdefault(row.mail_id, []).append((row.at, row.outcome, row.detail, row.by))
    return history


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        listener=row.listener,
        peer=row.peer,
        agent=row.agent,
        team=row.team,
        requester=row.requester,
        requester_grade=row.requester_grade,
        mail_from=row.mail_from,
        rcpt_to=tuple(row.rcpt_to),
        message_id=row.message_id,
        subject=row.subject,
        size=row.size,
        sha256=row.sha256,
        lang=row.lang,
        disposition=row.disposition,
        reason=row.reason,
        policy_version=row.policy_version,
        findings=tuple(row.findings),
        facts=row.facts,
        add_cc=tuple(row.add_cc),
        notify_supervisor=row.notify_supervisor,
        outcome=row.outcome,
        basis=row.basis,
    )
