"""What tables beside the log say of the present, against what the log says of it: thread memory, the ledger, our own
mail, tokens, a bypass, policies that fell back, accounts. Each finding is one line.

That a row is gone, edited in what never changes of it, or was put in, its link shows (`chains`); here it is what does
change, and what a row is found by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, and_, func, select
from sqlalchemy.engine import Connection, Row

from gateway.chain.verifier import canonical
from gateway.persons import ERASED
from gateway.store import chains
from gateway.store.console_schema import console_accounts
from gateway.store.schema import (
    audit_events,
    bypasses,
    ledger,
    log_links,
    outbox,
    policy_states,
    seen,
    seen_links,
    tokens,
)
from gateway.store.threads import link_keys, row_message

PAGE = 500
"""Rows that are looked at together."""
FAR = timedelta(days=30)
"""No reminder is so far away, whatever holidays there are."""
LEFT = {"notice-sent": "sent", "notice-dropped": "failed"}
SETTLED = ("approved", "discarded", "erased", "released")
"""Events of a held mail after which no earlier token of it works."""


def standing(connection: Connection) -> Iterator[str]:
    """One line for each thing that is otherwise than the log says."""
    yield from _threads(connection)
    yield from _ledger(connection)
    yield from _outbox(connection)
    yield from _tokens(connection)
    yield from _bypass(connection)
    yield from _policies(connection)
    yield from _accounts(connection)


# --- who wrote to whom ------------------------------------------------------------------------------------------------


def _threads(connection: Connection) -> Iterator[str]:
    """A message is found by what it says it is found by, and by nothing else."""
    number = 0
    for rows in _pages(connection, seen):
        keys = {(key, row.id) for row in rows for key in link_keys(row_message(row))}
        number += len(keys)
        there: set[tuple[bytes, int]] = set()
        wanted = sorted({key for key, _ in keys})
        for start in range(0, len(wanted), PAGE):
            some = seen_links.c.key.in_(wanted[start : start + PAGE])
            there |= {(bytes(key), id) for key, id in connection.execute(select(seen_links).where(some))}
        for id in sorted({id for _, id in keys - there}):
            yield f"the message {id} of thread memory is not found by its thread: what it is found by was taken away"
    extra = (connection.scalar(select(func.count()).select_from(seen_links)) or 0) - number
    if extra > 0:
        yield f"thread memory is found by {extra} keys that no message of it has: somebody was put into a thread"


# --- hand-offs and promises -------------------------------------------------------------------------------------------


def _ledger(connection: Connection) -> Iterator[str]:
    for rows in _pages(connection, ledger):
        events = _events(connection, {row.mail_id or row.id for row in rows})
        for row in rows:
            if row.link != "ledger/1":
                continue
            name = f"the {row.kind} {row.id}"
            steps = [each for each in events.get(row.mail_id or row.id, ()) if each.outcome.startswith(f"{row.kind}-")]
            last = steps[-1] if steps else None
            state = last.outcome.partition("-")[2] if last is not None else "open"
            if state != row.state:
                yield f"{name} is {row.state}, and its history says {state}"
            elif row.state == "closed":
                assert last is not None
                if not (_same(row.closed_by, last.by) and _same(row.why, last.detail) and row.closed_at == last.at):
                    yield f"{name} was closed otherwise than the row says: it was changed"
            elif row.kind != "request":
                yield from _reminded(name, row, last.at if last is not None else row.at)


def _reminded(name: str, row: Row[Any], since: datetime) -> Iterator[str]:
    """Somebody hears of what is open; only a hand-off that a supervisor was told of is over for the clock."""
    if row.next_at is None:
        if (row.kind, row.state) != ("handoff", "escalated"):
            yield f"{name} is {row.state}, and nobody is reminded of it"
    elif row.next_at > max(row.due, since) + FAR:
        yield f"{name} is {row.state}, and nobody is reminded of it before {row.next_at:%Y-%m-%d}"


# --- our own mail -----------------------------------------------------------------------------------------------------


def _outbox(connection: Connection) -> Iterator[str]:
    for rows in _pages(connection, outbox):
        words = {
            each.detail: LEFT[each.outcome]
            for its in _events(connection, {row.about or row.id for row in rows}, LEFT).values() for each in its
        }  # fmt: skip
        for row in rows:
            if row.kind == chains.UNLINKED:
                continue
            name, state = f"our own mail {row.id} about {row.about or 'nothing'}", words.get(row.id, "waiting")
            if state != row.state and not (row.link == "outbox/0" and row.id not in words):
                yield f"{name} is {row.state}, and the history says {state}"
            if row.state != "waiting":
                continue
            if row.sealed is None or hashlib.sha256(row.sealed).hexdigest() != row.sha256:
                yield f"{name} has not the octets that were to be sent"
            look = max(row.due, row.lease_until or row.due)
            if look - max(row.at, chains.now()) > FAR:
                yield f"{name} waits, and is not sent before {look:%Y-%m-%d}"


# --- tokens -----------------------------------------------------------------------------------------------------------


def _tokens(connection: Connection) -> Iterator[str]:
    """A token works until its mail is settled, and says who used it as the log does."""
    for rows in _pages(connection, tokens):
        events = _events(connection, {row.hold_id for row in rows}, SETTLED)
        for row in rows:
            if row.link != "token/1":
                continue
            settled = [each for each in events.get(row.hold_id, ()) if _after(each, row)]
            works = row.used_at is None and row.dead_at is None
            if works and settled:
                yield f"a token of {row.hold_id} works, and the mail was settled after it was given out"
            if not works and not settled:
                yield f"a token of {row.hold_id} works no longer, and the mail was not settled"
            if settled and row.used_at is not None and not any(_used(row, each) for each in settled):
                yield f"a token of {row.hold_id} says that somebody used it, and the log says otherwise"


def _after(event: Row[Any], token: Row[Any]) -> bool:
    """In one chain by its numbers; else by the clock."""
    return bool(event.seq > token.seq) if event.run == token.run else bool(event.at > token.at)


def _used(token: Row[Any], event: Row[Any]) -> bool:
    answer = "discard" if event.outcome == "discarded" else event.detail.partition(": ")[0]
    return _same(token.used_by, event.by) and _same(token.answer, answer) and token.used_at == event.at


# --- what holds for all -----------------------------------------------------------------------------------------------


def _bypass(connection: Connection) -> Iterator[str]:
    row = connection.execute(select(bypasses).order_by(bypasses.c.at.desc(), bypasses.c.id.desc()).limit(1)).first()
    said = _events(connection, {"bypass"}, ("bypass-on", "bypass-off")).get("bypass", [])
    if said and (row is None or row.at < max(each.at for each in said)):
        yield "the newest order about a bypass was taken away"
    if row is None or row.until is None or row.until <= chains.now():
        return
    mine = [each for each in said if each.at == row.at and each.outcome == "bypass-on"]
    until = f"until {row.until.isoformat(timespec='minutes')}: "
    if not mine:
        yield f"everything passes until {row.until:%Y-%m-%d %H:%M} UTC by an order that the log does not know"
    elif not any(_minute(each.detail) in (None, _minute(until)) for each in mine):
        yield f"everything passes until {row.until:%Y-%m-%d %H:%M} UTC, and the log says another time"


def _minute(detail: str) -> datetime | None:
    """The time that the line of an order names."""
    try:
        return datetime.fromisoformat(detail.removeprefix("until ").partition(": ")[0])
    except ValueError:
        return None


def _policies(connection: Connection) -> Iterator[str]:
    words = {"canary-off": "observe", "armed": "armed"}
    last: dict[str, str] = {}
    these = select(audit_events).where(audit_events.c.outcome.in_(words)).order_by(audit_events.c.id)
    for event in connection.execute(these):
        last[event.mail_id.removeprefix("policy/")] = words[event.outcome]
    states = {row.policy: row.state for row in connection.execute(select(policy_states))}
    for policy in sorted(last.keys() | states.keys()):
        if states.get(policy, "armed") != last.get(policy, "armed"):
            yield f"the policy {policy} is {states.get(policy, 'armed')}, and the log says {last.get(policy, 'armed')}"


# --- accounts ---------------------------------------------------------------------------------------------------------


def powers(role: str, teams: Sequence[str]) -> str:
    """What an account may do, as its history says it."""
    return f"{role}{': ' + ', '.join(teams) if teams else ''}"


def account_digest(account: Row[Any]) -> str:
    """One digest of what makes an account: who it is, what it may do, and how it logs in."""
    totp = bytes(account.totp).hex() if account.totp is not None else None
    values = [account.name, account.shown, account.address, account.role, list(account.teams), account.password, totp]
    return hashlib.sha256(canonical(values)).hexdigest()


def _accounts(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(console_accounts).order_by(console_accounts.c.name)).all():
        subject = f"account/{row.name}"
        said = _events(connection, {subject}).get(subject, [])
        given = [each.detail for each in said if each.outcome in ("account-added", "account-changed")]
        bound = [each.detail for each in said if each.outcome == "bound"]
        if not given:
            yield f"the account {row.name} was added by nobody"
        elif not _same(given[-1], powers(row.role, row.teams)):
            yield f"the account {row.name} is {powers(row.role, row.teams)}, and its history says {given[-1]}"
        elif bound and bound[-1] != account_digest(row):
            yield f"the account {row.name} is not as it was set: its password, code, name or address was changed"


# --- reading ----------------------------------------------------------------------------------------------------------


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a table by their key, each with the kind of its link as `link`."""
    key = next(iter(table.primary_key))
    its = and_(log_links.c.chain == table.c.run, log_links.c.seq == table.c.seq)
    query = select(table, log_links.c.kind.label("link")).outerjoin(log_links, its).order_by(key).limit(PAGE)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        rows = connection.execute(query.where(key > rows[-1]._mapping[key])).all()


def _events(
    connection: Connection, subjects: Iterable[str], words: Iterable[str] | None = None
) -> dict[str, list[Row[Any]]]:
    """The histories of some things, each in its order."""
    found: dict[str, list[Row[Any]]] = {}
    query = select(audit_events).where(audit_events.c.mail_id.in_(sorted(subjects)))
    if words is not None:
        query = query.where(audit_events.c.outcome.in_(list(words)))
    for event in connection.execute(query.order_by(audit_events.c.id)):
        found.setdefault(event.mail_id, []).append(event)
    return found


def _same(shown: str, said: str) -> bool:
    """A shorter column ends in "…"; a name that was erased is no contradiction."""
    return shown == said or ERASED in (shown, said) or (shown.endswith("…") and said.startswith(shown[:-1]))
