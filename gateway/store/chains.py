"""The hash chain under the audit: each entry and event gets a link, in the transaction that writes it.

One chain a process (`run`), so that writers never wait for each other; checkpoints join the chains. What a link binds
is the row as it is stored, so that it can be checked against the row alone. See gateway/chain/verifier.py for the form.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Table, bindparam, insert, select, update
from sqlalchemy.engine import Connection

from gateway.chain.verifier import ERASURE, NOTHING, commitment, link_hash
from gateway.store.columns import Json, Words, canonical
from gateway.store.schema import audit, audit_events, instance, log_heads, log_links, log_notes, rule_events

SALT = 16
"""Octets; NIST SP 800-132 §5.1 asks for as many of a salt."""

KINDS: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "decision/1": (
        audit,
        (
            *("id", "at", "listener", "peer", "agent", "team", "requester", "requester_grade", "mail_from", "rcpt_to"),
            *("message_id", "subject", "size", "sha256", "lang", "disposition", "reason", "policy_version"),
            *("findings", "facts", "add_cc", "notify_supervisor", "basis"),
        ),
    ),
    "event/1": (audit_events, ("at", "mail_id", "outcome", "detail", "by")),
    "event/2": (audit_events, ("at", "mail_id", "outcome", "detail", "by", "origin")),
    "rules/1": (rule_events, ("at", "host", "kind", "how", "by", "version", "tree", "before", "detail")),
    ERASURE: (log_notes, ("at", "said")),
}
"""What a link of each kind binds. A form never changes: a table that gets a column gets a new kind."""


def append(connection: Connection, run: str, kind: str, rows: Sequence[dict[str, Any]]) -> None:
    """Link rows, in their order, to the chain of this run; each row gets its number as "seq"."""
    table, names = KINDS[kind]
    ours = instance_of(connection)
    last = connection.execute(select(log_heads).where(log_heads.c.chain == run)).first()
    seq, prev = (last.seq, last.hash) if last else (0, NOTHING)
    links = []
    at = plain_time(now())  # of writing: what a row tells of may be older, as a mail that was long on its way
    for row in rows:
        seq += 1
        salt = secrets.token_bytes(SALT)
        committed = commitment(salt, kind, payload(table, names, row))
        made = link_hash(ours, run, seq, at, kind, committed, prev)
        links.append(
            {"chain": run, "seq": seq, "at": at, "kind": kind, "salt": salt, "commitment": committed, "hash": made}
        )
        row["seq"], prev = seq, made
    if not links:
        return
    connection.execute(insert(log_links), links)
    if last:
        connection.execute(update(log_heads).where(log_heads.c.chain == run).values(seq=seq, hash=prev))
    else:
        connection.execute(insert(log_heads), {"chain": run, "seq": seq, "hash": prev, "covered": 0})


def now() -> datetime:
    """The machine's clock. The verifier sees when it went back."""
    return datetime.now(UTC)


def instance_of(connection: Connection) -> str:
    """The name of this database, which every hash contains; made when it is first asked for."""
    found = connection.scalar(select(instance.c.id).limit(1))
    if found is None:
        found = secrets.token_hex(16)
        connection.execute(insert(instance), {"only": 1, "id": found, "at": now()})
    return str(found)


def payload(table: Table, names: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as JSON, as it will read when it comes back."""
    return {name: _as_stored(table.c[name], row[name]) for name in names}


def plain_time(at: datetime) -> str:
    """UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _as_stored(column: Column[Any], value: Any) -> Any:
    if isinstance(value, datetime):
        return plain_time(value)
    if isinstance(column.type, Json):
        return json.loads(canonical(value))
    if isinstance(column.type, Words) and column.type.limit is not None and len(value) > column.type.limit:
        return value[: column.type.limit - 1] + "…"
    return value


PAGE = 2000
"""Links that are read at a time."""


def proof(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every link with what its row says now, chain by chain: what the verifier reads. Bounded memory."""
    name = connection.scalar(select(instance.c.id).limit(1))
    if name is None:  # nothing was ever written
        return
    yield {"kind": "instance", "instance": name}
    chains = connection.scalars(select(log_links.c.chain).distinct().order_by(log_links.c.chain)).all()
    for chain in chains:
        seq = 0
        while page := _page(connection, chain, seq):
            said = _payloads(connection, chain, page)
            for link in page:
                yield {
                    "chain": chain,
                    "seq": link.seq,
                    "at": link.at,
                    "kind": link.kind,
                    "commitment": link.commitment,
                    "hash": link.hash,
                    "salt": link.salt.hex() if link.salt is not None else None,
                    "payload": said.get(link.seq),
                }
                seq = link.seq


def is_bound(connection: Connection, entry: Any) -> bool:
    """Whether a row of `audit` says what its link binds. Entries from before there were links count as bound."""
    if entry.seq is None:
        return True
    at = (log_links.c.chain == entry.run) & (log_links.c.seq == entry.seq)
    link = connection.execute(select(log_links).where(at)).first()
    if link is None or link.salt is None or link.kind != "decision/1":
        return False
    said = payload(*KINDS[link.kind], entry._mapping)
    return commitment(link.salt, link.kind, said) == link.commitment


def erase(connection: Connection, run: str, links: Iterable[tuple[str, int]], why: str, by: str, **more: Any) -> None:
    """Take the salts of links whose rows are gone, and write the erasure down, with `more` that names nobody.

    The rows themselves are the caller's part, in the same transaction.
    """
    ranges = _ranges(links)
    for chain, first, last in ranges:
        these = (log_links.c.chain == chain) & log_links.c.seq.between(first, last)
        connection.execute(update(log_links).where(these).values(salt=None))
    said = {"links": ranges, "why": why, "by": by, **more}
    row: dict[str, Any] = {"run": run, "at": now(), "said": said}
    append(connection, run, ERASURE, [row])
    connection.execute(insert(log_notes), row)


def _ranges(links: Iterable[tuple[str, int]]) -> list[list[Any]]:
    """[chain, first, last] for numbers that follow one another."""
    found: list[list[Any]] = []
    for chain, seq in sorted(set(links)):
        if found and found[-1][0] == chain and found[-1][2] == seq - 1:
            found[-1][2] = seq
        else:
            found.append([chain, seq, seq])
    return found


def adopt(connection: Connection) -> None:
    """Link rows from before there were links, once, when the database is upgraded: from then on nobody changes them."""
    for kind in ("decision/1", "event/2", "rules/1"):
        table, _ = KINDS[kind]
        key = next(iter(table.primary_key))
        while rows := connection.execute(select(table).where(table.c.seq.is_(None)).order_by(key).limit(PAGE)).all():
            by_run: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                by_run.setdefault(row.run, []).append(dict(row._mapping))
            for run, its in by_run.items():
                append(connection, run, kind, its)
            set_ = [{"which": row[key.name], "number": row["seq"]} for its in by_run.values() for row in its]
            linked = update(table).where(key == bindparam("which")).values(seq=bindparam("number"))
            connection.execute(linked, set_)


def _page(connection: Connection, chain: str, after: int) -> Sequence[Any]:
    wanted = select(log_links).where(log_links.c.chain == chain, log_links.c.seq > after)
    return connection.execute(wanted.order_by(log_links.c.seq).limit(PAGE)).all()


def _payloads(connection: Connection, chain: str, page: Sequence[Any]) -> dict[int, dict[str, Any]]:
    said: dict[int, dict[str, Any]] = {}
    kinds = {link.seq: link.kind for link in page}
    for kind, (table, names) in KINDS.items():
        within = (table.c.run == chain) & table.c.seq.between(page[0].seq, page[-1].seq)
        for row in connection.execute(select(table).where(within)):
            if kinds.get(row.seq) == kind:
                said[row.seq] = payload(table, names, row._asdict())
    return said


def heads(connection: Connection) -> list[tuple[str, int, str]]:
    """(chain, number, hash) of the newest link of each chain that grew since the newest checkpoint."""
    grown = select(log_heads).where(log_heads.c.seq > log_heads.c.covered).order_by(log_heads.c.chain)
    return [(row.chain, row.seq, row.hash) for row in connection.execute(grown)]


def cover(connection: Connection, heads: Iterable[tuple[str, int, str]]) -> None:
    """A checkpoint has these."""
    rows = [{"which": chain, "upto": seq} for chain, seq, _ in heads]
    if rows:
        which = log_heads.c.chain == bindparam("which")
        connection.execute(update(log_heads).where(which).values(covered=bindparam("upto")), rows)
