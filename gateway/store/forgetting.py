"""Erasure: what a person is named in goes, and so does what is older than it is kept. The chain stays whole.

Payload and salt of an entry go; its link stays, with an erasure that names links and nobody (`chains.erase`). What
belongs to one mail goes together. A row that others need stays without the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Table, Text, and_, delete, literal, or_, select, type_coerce, update
from sqlalchemy.engine import Connection, Row

from gateway.follow.entries import Kind, State
from gateway.persons import ERASED, Person
from gateway.store import chains
from gateway.store.columns import Hashes, Json, Words
from gateway.store.console_schema import console_accounts
from gateway.store.folding import lowered, small
from gateway.store.schema import (
    audit,
    audit_events,
    audit_policies,
    bypasses,
    hold_bodies,
    holds,
    ledger,
    legal_holds,
    metadata,
    outbox,
    policy_states,
    reviews,
    rule_events,
    rule_files,
    seen,
    seen_links,
    tokens,
    told,
)
from gateway.store.threads import link_keys, row_message

BATCH = 200
"""Mails that one transaction forgets: a gateway that runs meanwhile must not wait long for its turn."""

SETTLED = ("released", "discarded")

Links = list[tuple[str, int]]
Opened = Callable[[bytes, str], bytes | None]
"""(sealed octets of a held mail, its id) -> the octets; None where no key at hand opens them."""


@dataclass(slots=True)
class Found:
    """Where somebody is named: ids of mails that go as a whole, and keys of other rows by table."""

    mails: set[str] = field(default_factory=set)
    events: set[int] = field(default_factory=set)
    rows: dict[str, list[Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.mails or self.events or any(self.rows.values()))

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of what, in words."""
        found = {"mails": len(self.mails), "other events": len(self.events)}
        found |= {SAID.get(name, name): len(keys) for name, keys in self.rows.items()}
        return {name: number for name, number in found.items() if number}


SAID = {
    "seen": "messages in thread memory", "ledger": "hand-offs and promises", "outbox": "mails of the gateway's own",
    "rule_events": "changes of rules", "told": "notes to admins",
}  # fmt: skip

_OF_A_MAIL = {"audit": audit.c.id, "holds": holds.c.id}
_HANDLED = ("audit", "audit_events", "audit_policies", "holds", "hold_bodies", "log_links", "log_heads")


def find(connection: Connection, person: Person, opened: Opened) -> Found:
    """Everything that names them, in every table: also in those that this module knows nothing of."""
    found = Found()
    for name, column in _OF_A_MAIL.items():
        found.mails |= {row._mapping[column] for row in rows_naming(connection, metadata.tables[name], person)}
    for row in connection.execute(select(hold_bodies)):
        octets = opened(row.sealed, row.hold_id)
        if octets is not None and person.in_text(octets.decode("utf-8", "replace")):
            found.mails.add(row.hold_id)
    for row in rows_naming(connection, audit_events, person):
        if row.mail_id not in found.mails:
            found.events.add(row.id)
    for table in metadata.sorted_tables:
        if table.name not in _HANDLED:
            keys = [_key(table, row) for row in rows_naming(connection, table, person)]
            if keys:
                found.rows[table.name] = keys
    return found


def rows_naming(connection: Connection, table: Table, person: Person) -> Iterator[Row[Any]]:
    """The rows of a table in which they are named. The database looks roughly, we exactly."""
    columns = [column for column in table.columns if not isinstance(column.type, Hashes) and _is_text(column)]
    if not columns:
        return
    rough = or_(
        *(
            lowered(type_coerce(column, Text)).like(small(like), escape="\\")
            for column in columns
            for like in person.likes
        )
    )
    binary = [column for column in table.columns if column is holds.c.mail_from or column is rule_files.c.content]
    query = select(table) if binary else select(table).where(rough)
    for row in connection.execute(query):
        if any(person.in_value(row._mapping[column]) for column in (*columns, *binary)):
            yield row


def _is_text(column: Any) -> bool:
    return isinstance(column.type, (Words, Text, Json))


def _key(table: Table, row: Row[Any]) -> tuple[Any, ...]:
    return tuple(row._mapping[column] for column in table.primary_key)


# --- forgetting -------------------------------------------------------------------------------------------------------


def waiting(connection: Connection, mails: Iterable[str]) -> list[str]:
    """Those of the mails that still wait for somebody, or are on their way."""
    query = select(holds.c.id).where(holds.c.state.not_in(SETTLED))
    there = set(connection.scalars(query))
    return sorted(there.intersection(mails))


def forget_mails(connection: Connection, mails: Sequence[str]) -> Links:
    """Delete everything that belongs to these mails; the links whose salts must go now."""
    links = _links(connection, audit, audit.c.id.in_(mails))
    links += _links(connection, audit_events, audit_events.c.mail_id.in_(mails))
    for table, column in (
        (tokens, tokens.c.hold_id), (outbox, outbox.c.about), (ledger, ledger.c.mail_id),
    ):  # fmt: skip
        links += _links(connection, table, column.in_(mails))
    for table, column in (
        (audit_policies, audit_policies.c.mail_id),
        (audit_events, audit_events.c.mail_id),
        (audit, audit.c.id),
        (tokens, tokens.c.hold_id),
        (hold_bodies, hold_bodies.c.hold_id),
        (holds, holds.c.id),
        (outbox, outbox.c.about),
        (ledger, ledger.c.mail_id),
        (reviews, reviews.c.mail_id),
    ):
        connection.execute(delete(table).where(column.in_(mails)))
    return links


def forget_events(connection: Connection, ids: Sequence[int]) -> Links:
    """Delete events; the links whose salts must go now."""
    return _forget(connection, audit_events, audit_events.c.id.in_(ids))


def forget_named_events(connection: Connection, run: str, person: Person, ids: Sequence[int]) -> Links:
    """The same for events that name somebody. Those that say how something stands now, which goes on without that
    person, are written anew without the name, with a new link."""
    query = select(audit_events).where(audit_events.c.id.in_(ids), audit_events.c.outcome.in_(STANDING))
    stay = [dict(row._mapping) for row in connection.execute(query)]
    links = forget_events(connection, sorted(set(ids) - {row["id"] for row in stay}))
    for row in stay:
        links += [(row["run"], row["seq"])] if row["seq"] is not None else []
        row |= {name: ERASED for name in ("detail", "by", "origin") if person.in_value(row[name])} | {"run": run}
        chains.append(connection, run, "event/2", [row])
        connection.execute(update(audit_events).where(audit_events.c.id == row["id"]).values(row))
    return links


def forget_linked(connection: Connection, table: Table, keys: Sequence[Any]) -> Links:
    """Delete rows of a table whose first key column is one of `keys`; the links whose salts must go now."""
    return _forget(connection, table, next(iter(table.primary_key)).in_(keys))


def _forget(connection: Connection, table: Table, where: ColumnElement[bool]) -> Links:
    links = _links(connection, table, where) if "seq" in table.c else []
    connection.execute(delete(table).where(where))
    return links


def _links(connection: Connection, table: Table, where: ColumnElement[bool]) -> Links:
    query = select(table.c.run, table.c.seq).where(where, table.c.seq.is_not(None))
    return [(row.run, row.seq) for row in connection.execute(query)]


def forget_seen(connection: Connection, ids: Sequence[int]) -> Links:
    """Delete messages of thread memory, with the keys they are found by; the links whose salts must go now."""
    for row in connection.execute(select(seen).where(seen.c.id.in_(ids))).all():
        keys = link_keys(row_message(row))
        connection.execute(delete(seen_links).where(seen_links.c.key.in_(keys), seen_links.c.seen_id == row.id))
    return forget_linked(connection, seen, ids)


_BLANKED: Mapping[str, tuple[str, ...]] = {
    "bypasses": ("why", "by"), "policy_states": ("why", "by"), "reviews": ("why", "by"),
    "tokens": ("used_by", "answer"), "legal_holds": ("address", "why", "by", "lifted_by"),
}  # fmt: skip
"""Rows that stay without the words that name somebody: what they decided still holds."""
_DELETED = ("ledger", "outbox", "told")
STANDING = frozenset(
    {f"{kind}-{state}" for kind in get_args(Kind) for state in get_args(State)}
    | {"bypass-on", "bypass-off", "canary-off", "armed", "account-added", "account-changed"}
)
"""Events that say how something stands that is kept in a table of its own."""
_TABLES = {table.name: table for table in (bypasses, policy_states, reviews, tokens, legal_holds, ledger, outbox, told)}


def forget_rows(connection: Connection, run: str, person: Person, found: Found) -> tuple[Links, list[str]]:
    """Everything of `found` but mails and events: the links whose salts must go, and tables that are left."""
    links: Links = []
    left = []
    for name, keys in found.rows.items():
        if name == "seen":
            links += forget_seen(connection, [key[0] for key in keys])
        elif name == "rule_events":
            links += _reword_rules(connection, run, person, [key[0] for key in keys])
        elif name in _DELETED:
            links += forget_linked(connection, _TABLES[name], [key[0] for key in keys])
        elif name in _BLANKED:
            for key in keys:
                _blank(connection, _TABLES[name], key, person)
        else:
            left.append(name)
    return links, left


def at(table: Table, key: tuple[Any, ...]) -> ColumnElement[bool]:
    """The row with this primary key."""
    where = [column == value for column, value in zip(table.primary_key, key, strict=True)]
    return and_(*where)


def _blank(connection: Connection, table: Table, key: tuple[Any, ...], person: Person) -> None:
    row = connection.execute(select(table).where(at(table, key))).one()._mapping
    values = {name: ERASED for name in _BLANKED[table.name] if person.in_value(row[table.c[name]])}
    connection.execute(update(table).where(at(table, key)).values(values))


def _reword_rules(connection: Connection, run: str, person: Person, ids: Sequence[int]) -> Links:
    """What came into force must be known for ever: the line is written anew without the name, with a new link."""
    links: Links = []
    for id in ids:
        row = dict(connection.execute(select(rule_events).where(rule_events.c.id == id)).one()._mapping)
        if row["seq"] is not None:
            links.append((row["run"], row["seq"]))
        row |= {name: ERASED for name in ("by", "detail", "host") if person.in_value(row[name])} | {"run": run}
        chains.append(connection, run, "rules/1", [row])
        connection.execute(update(rule_events).where(rule_events.c.id == id).values(row))
    return links


def held_people(connection: Connection) -> tuple[str, ...]:
    """Addresses under a legal hold."""
    return tuple(connection.scalars(select(legal_holds.c.address).where(legal_holds.c.lifted_at.is_(None))))


# --- what is older than it is kept ------------------------------------------------------------------------------------


def old_mails(
    connection: Connection, before: datetime, after: tuple[datetime, str] | None
) -> tuple[list[Row[Any]], tuple[datetime, str] | None]:
    """A batch of judged mails from before a time whose hold, if any, is settled; and where the next one begins."""
    waits = select(holds.c.id).where(holds.c.state.not_in(SETTLED))
    query = select(audit).where(audit.c.at < before, audit.c.id.not_in(waits))
    if after is not None:
        when, id = after
        query = query.where(or_(audit.c.at > when, (audit.c.at == when) & (audit.c.id > id)))
    rows = list(connection.execute(query.order_by(audit.c.at, audit.c.id).limit(BATCH)).all())
    return rows, (rows[-1].at, rows[-1].id) if len(rows) == BATCH else None


def old_events(connection: Connection, before: datetime, after: int) -> list[Row[Any]]:
    """A batch of events about no judged mail. Starts, stops and jumps of the clock name nobody, and stay; so does what
    says how a policy, an account or something open stands now."""
    others = audit_events.c.mail_id.not_in(select(audit.c.id)) & (audit_events.c.mail_id != "gateway")
    others &= audit_events.c.outcome.not_in(("canary-off", "armed"))
    others &= audit_events.c.mail_id.not_in(select(literal("account/") + console_accounts.c.name))
    orders = select(bypasses.c.at).where(bypasses.c.until > before)
    others &= (audit_events.c.mail_id != "bypass") | audit_events.c.at.not_in(orders)
    left = audit_events.c.outcome.in_(("notice-sent", "notice-dropped"))
    others &= ~(left & audit_events.c.detail.in_(select(outbox.c.id)))
    for open_ in (ledger.c.id, ledger.c.mail_id):
        others &= audit_events.c.mail_id.not_in(select(open_))
    waits = audit_events.c.mail_id.not_in(select(holds.c.id))
    query = select(audit_events).where(audit_events.c.at < before, audit_events.c.id > after, others, waits)
    return list(connection.execute(query.order_by(audit_events.c.id).limit(BATCH)).all())
