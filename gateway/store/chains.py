"""The hash chain under the audit: each entry and event gets a link, in the transaction that writes it.

One chain a process (`run`), so that writers never wait for each other; checkpoints join the chains. What a link binds
is the row as it is stored, so that it can be checked against the row alone. See gateway/chain/verifier.py for the form.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Row, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from gateway.chain.verifier import ERASURE, NOTHING, commitment, link_hash
from gateway.chain.verifier import canonical as canonical_octets
from gateway.store.columns import Hashes, Json, Words, canonical, octets_of
from gateway.store.schema import (
    audit,
    audit_events,
    instance,
    ledger,
    log_heads,
    log_links,
    log_notes,
    outbox,
    rule_events,
    seen,
    tokens,
)

SALT = 16
"""Octets; NIST SP 800-132 §5.1 asks for as many of a salt."""

_FORMS: Mapping[str, tuple[Table, tuple[str, ...]]] = {
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
    "seen/1": (seen, ("digest", "seen_at", "message_id", "author_address", "sent_at", "record", "lines")),
    "ledger/1": (
        ledger,
        (
            *("id", "kind", "at", "mail_id", "agent", "agent_name", "team", "requester", "requester_name", "owners"),
            *("subject", "thread", "due", "words"),
        ),
    ),
    "outbox/1": (outbox, ("id", "at", "kind", "about", "mail_from", "rcpt_to", "sha256")),
    "token/1": (tokens, ("hash", "hold_id", "at")),
    ERASURE: (log_notes, ("at", "said")),
}
"""What a link of each kind binds. A form never changes: a table that gets a column gets a new kind."""

BESIDE = {"seen/0": "seen/1", "ledger/0": "ledger/1", "outbox/0": "outbox/1", "token/0": "token/1"}
"""The same of rows that were there before they had links: what became of them until then no event may tell."""
KINDS = {**_FORMS, **{old: _FORMS[new] for old, new in BESIDE.items()}}

DIGESTED = frozenset((seen, ledger, outbox, tokens))
"""Tables beside the log. Their links bind a digest of the row, so that no proof hands thread memory to an auditor."""


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


Newest = tuple[int, str]
"""The number and hash of the newest link of a chain."""


def newest(connection: Connection, run: str) -> Newest | None:
    """Where a chain ends; None where it has not begun."""
    found = connection.execute(select(log_heads.c.seq, log_heads.c.hash).where(log_heads.c.chain == run)).first()
    return (found.seq, found.hash) if found is not None else None


def is_there(connection: Connection, run: str, link: Newest) -> bool:
    """Whether a chain has this link."""
    seq, hash = link
    that = (log_links.c.chain == run) & (log_links.c.seq == seq)
    return connection.scalar(select(log_links.c.hash).where(that)) == hash


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


def keep_new(
    connection: Connection, run: str, kind: str, rows: Sequence[dict[str, Any]], key: Column[Any]
) -> Sequence[Row[Any]]:
    """Link and insert rows, but for those whose `key` is there already; the key and first column of each that was new.

    PostgreSQL may have another node write one in the same moment: the link that is then one too many is erased.
    """
    table, _ = KINDS[kind]
    known = set(connection.scalars(select(key).where(key.in_([row[key.name] for row in rows]))))
    fresh = [row | {"run": run} for row in rows if row[key.name] not in known]
    if not fresh:
        return ()
    append(connection, run, kind, fresh)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    inserted = dialect.insert(table).on_conflict_do_nothing().returning(key, next(iter(table.c)))
    made = connection.execute(inserted, fresh).all()
    if len(made) < len(fresh):
        new = {row[0] for row in made}
        late = [(run, row["seq"]) for row in fresh if row[key.name] not in new]
        erase(connection, run, late, "another node wrote the same in that moment", "")
    return made


def payload(table: Table, names: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as JSON, as it will read when it comes back; of a table beside the log its digest."""
    said = {name: _as_stored(table.c[name], row[name]) for name in names}
    if table in DIGESTED:
        return {"sha256": hashlib.sha256(canonical_octets(said)).hexdigest()}
    return said


def plain_time(at: datetime) -> str:
    """UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _as_stored(column: Column[Any], value: Any) -> Any:
    if isinstance(value, datetime):
        return plain_time(value)
    if isinstance(column.type, Hashes):
        return octets_of(value).hex()
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(column.type, Json):
        return json.loads(canonical(value))
    if isinstance(column.type, Words) and column.type.limit is not None and len(value) > column.type.limit:
        return value[: column.type.limit - 1] + "…"
    return value


PAGE = 2000
"""Links that are read at a time."""

UNLINKED = "checkpoint"
"""The kind of our own mail that has no link: it would be something new each time, and make the next checkpoint."""


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


def is_bound(connection: Connection, row: Any) -> bool:
    """Whether a row of `audit` or `audit_events` says what its link binds. Rows without one, of before there were
    links, count as bound until the upgrade links them."""
    if row.seq is None:
        return True
    at = (log_links.c.chain == row.run) & (log_links.c.seq == row.seq)
    link = connection.execute(select(log_links).where(at)).first()
    if link is None or link.salt is None or link.kind not in KINDS:
        return False
    table, names = KINDS[link.kind]
    if not set(names) <= set(row._mapping.keys()):
        return False
    return commitment(link.salt, link.kind, payload(table, names, row._mapping)) == link.commitment


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


def adopt(connection: Connection, run: str) -> None:
    """Link rows from before there were links, once, when the database is upgraded: from then on nobody changes them.
    What is not known to be of another run is linked to this one."""
    unsent = select(outbox.c.id, outbox.c.sealed).where(outbox.c.sha256 == "", outbox.c.sealed.is_not(None))
    for id, sealed in connection.execute(unsent).all():
        digest = hashlib.sha256(sealed).hexdigest()
        connection.execute(update(outbox).where(outbox.c.id == id).values(sha256=digest))
    for kind in ("decision/1", "event/1", "rules/1", *BESIDE):
        table, _ = KINDS[kind]
        key = next(iter(table.primary_key))
        alone = [table.c.seq.is_(None), *([outbox.c.kind != UNLINKED] if table is outbox else [])]
        while rows := connection.execute(select(table).where(*alone).order_by(key).limit(PAGE)).all():
            by_run: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                by_run.setdefault(row.run or run, []).append(dict(row._mapping))
            for name, its in by_run.items():
                append(connection, name, kind, its)
            set_ = [
                {"which": row[key.name], "whose": name, "number": row["seq"]}
                for name, its in by_run.items() for row in its
            ]  # fmt: skip
            linked = update(table).where(key == bindparam("which"))
            connection.execute(linked.values(run=bindparam("whose"), seq=bindparam("number")), set_)


def _page(connection: Connection, chain: str, after: int) -> Sequence[Any]:
    wanted = select(log_links).where(log_links.c.chain == chain, log_links.c.seq > after)
    return connection.execute(wanted.order_by(log_links.c.seq).limit(PAGE)).all()


def _payloads(connection: Connection, chain: str, page: Sequence[Any]) -> dict[int, dict[str, Any]]:
    said: dict[int, dict[str, Any]] = {}
    kinds = {link.seq: link.kind for link in page}
    there = set(kinds.values())
    for kind, (table, names) in KINDS.items():
        if kind not in there:
            continue
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
