"""The tables. `migrations/` builds them; a test compares the two on SQLite and PostgreSQL.

Threads    seen, seen_links            who wrote when to whom; never the words
Audit      audit, audit_policies       one row a judged mail, and the policies that matched it
           audit_events                append-only: everything that became of it, and what people answered
Holds      holds, hold_bodies, tokens  held mail and its life; bodies apart and encrypted
Follow-up  ledger                      hand-offs and promises that are open, and what was asked
Own mail   outbox                      notices on their way, bodies encrypted
Rules      rule_files, rule_versions   every set of policies that was in force, its files kept once
           rule_events                 append-only: when it came into force, and what was refused or rolled back
Itself     (process_schema.py)         processes that wrote here, keys that bodies were sealed with
Proof      instance, log_links,        the hash chain under audit, audit_events and what they bind beside (`chains`)
           log_heads                   where each chain goes on
           log_notes, checkpoints      what was erased; signed states of all chains
           legal_holds                 people of whom nothing is erased for now
Console    (console_schema.py)         accounts, sessions, who looks after a held mail
Admins     told, bypasses              what they were told, when everything was let pass
           policy_states, reviews      policies that fell back, passed mail that people looked at
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    text,
)
from sqlalchemy.schema import SchemaItem

from gateway.store.columns import Hashes, Json, Key, RowId, UtcTime, Words

SHOWN = 300
"""Code points kept of what is indexed: beyond every address, and within an index row of PostgreSQL (2,700 octets)."""

_OF = "%(table_name)s_%(column_0_name)s"
_IX = "ix_%(table_name)s_%(column_0_N_name)s"
_NAMES = {"pk": "pk_%(table_name)s", "fk": f"fk_{_OF}", "uq": f"uq_{_OF}", "ix": _IX}
metadata = MetaData(naming_convention=_NAMES)


def _linked() -> tuple[SchemaItem, ...]:
    """Where the link of a row is. Rows from before there were such links get one by the upgrade."""
    run = Column("run", Key, nullable=False, server_default=text("''"))
    return run, Column("seq", BigInteger), Index(None, "run", "seq")


seen = Table(
    "seen",
    metadata,
    Column("id", RowId, primary_key=True),  # the order of seeing, which nobody outside can forge
    Column("digest", LargeBinary, nullable=False, unique=True),  # one message may come by tap and by feed
    Column("seen_at", UtcTime, nullable=False, index=True),
    Column("message_id", Words(1000), nullable=False),
    Column("author_address", Words(1000), nullable=False),
    Column("sent_at", UtcTime),
    Column("record", Words(), nullable=False),  # everything else as one JSON text: look-ups read it all or not at all
    Column("lines", Hashes, nullable=False),
    *_linked(),
)

seen_links = Table(
    "seen_links",
    metadata,
    # 16 octets of a hash: ids run to 998 octets, and an index row of PostgreSQL must not. No foreign key: it would
    # need a second index only for deletions, which know their keys from the row.
    Column("key", LargeBinary, primary_key=True),
    Column("seen_id", RowId, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("run", Key, nullable=False),
    Column("listener", Words(40), nullable=False),
    Column("peer", Words(100), nullable=False),
    Column("agent", Words(SHOWN), nullable=False),
    Column("team", Words(SHOWN), nullable=False),
    Column("requester", Words(SHOWN), nullable=False),
    Column("requester_grade", Words(20), nullable=False),
    Column("mail_from", Words(1000), nullable=False),
    Column("rcpt_to", Json, nullable=False),
    Column("message_id", Words(1000), nullable=False),
    Column("subject", Words(1000), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Words(64), nullable=False),
    Column("lang", Words(20), nullable=False),
    Column("disposition", Words(20), nullable=False),
    Column("reason", Words(4000), nullable=False),
    Column("policy_version", Words(100), nullable=False),
    Column("findings", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("add_cc", Json, nullable=False),
    Column("notify_supervisor", Boolean(create_constraint=False), nullable=False),
    Column("outcome", Words(20), nullable=False),
    Column("basis", Json),
    Column("seq", BigInteger),  # with `run`, its link; rows from before there were links have none
    Index(None, "at", "id", "subject", "team"),  # with these two, so that looking for a subject reads no rows
    Index(None, "agent", "at", "id"),
    Index(None, "requester", "at", "id"),
    Index(None, "team", "at"),
    Index(None, "disposition", "at"),
    Index(None, "outcome", "at"),
    Index(None, "run", "seq"),
)

_STOPPED = text("disposition <> 'pass'")  # what the overview counts, without a look at the rows
Index("ix_audit_stopped", *(audit.c[name] for name in ("at", "disposition", "team", "outcome", "agent")),
      sqlite_where=_STOPPED, postgresql_where=_STOPPED)  # fmt: skip

audit_policies = Table(
    "audit_policies",
    metadata,
    Column("policy", Words(100), primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("mail_id", Key, ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True, index=True),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("run", Key, nullable=False),
    # No foreign key: an outcome is kept even when the intent could not be written.
    Column("mail_id", Key, nullable=False, index=True),
    Column("outcome", Words(40), nullable=False),
    Column("detail", Words(4000), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
    Column("seq", BigInteger),
    Column("origin", Words(SHOWN), nullable=False, server_default=text("''")),  # from where: a peer, a command, a page
    Index(None, "run", "seq"),
    sqlite_autoincrement=True,  # a number is never used twice
)

holds = Table(
    "holds",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("agent", Words(SHOWN), nullable=False),
    Column("subject", Words(1000), nullable=False),
    Column("sha256", Words(64), nullable=False),
    Column("mail_from", LargeBinary, nullable=False),
    Column("rcpt_to", Json, nullable=False),
    Column("fix", Json, nullable=False),
    Column("may_settle", Json, nullable=False),
    Column("deadline", UtcTime, nullable=False),
    Column("lang", Words(20), nullable=False),
    Column("body_type", Json, nullable=False),
    Column("state", Words(20), nullable=False),
    Column("action", Words(20)),
    Column("approved_by", Words(SHOWN), nullable=False),
    Column("why", Words(4000), nullable=False),
    Column("next_try", UtcTime),
    Column("tries", Integer, nullable=False),
    Column("lease_owner", Words(SHOWN), nullable=False),
    Column("lease_run", Key, nullable=False),
    Column("lease_until", UtcTime),
    Column("dotted_at", UtcTime),
    Column("settled_at", UtcTime),
    Column("detail", Words(4000), nullable=False),
    Column("told", Json, nullable=False, server_default=text("'{}'")),
    Column("plan", Json, nullable=False, server_default=text("'{}'")),
    Column("stage", Integer, nullable=False, server_default=text("0")),  # how often somebody was reminded
    Column("next_at", UtcTime),  # when somebody is again
    Index(None, "state", "next_try"),
    Index(None, "state", "settled_at"),
    Index(None, "state", "next_at"),
    Index(None, "agent", "at"),
)

hold_bodies = Table(
    "hold_bodies",
    metadata,
    # Apart from `holds`, so that a change of state does not rewrite megabytes.
    Column("hold_id", Key, ForeignKey("holds.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", Key, primary_key=True),
    Column("hold_id", Key, ForeignKey("holds.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("used_by", Words(SHOWN), nullable=False),
    Column("answer", Words(SHOWN), nullable=False),
    Column("dead_at", UtcTime),  # the hold was settled some other way
    *_linked(),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", Words(SHOWN), nullable=False),
    Column("about", Words(SHOWN), nullable=False, index=True),
    Column("mail_from", Words(1000), nullable=False),
    Column("rcpt_to", Json, nullable=False),
    Column("sealed", LargeBinary),  # empty once it is sent
    Column("state", Words(20), nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", Words(SHOWN), nullable=False),
    Column("lease_until", UtcTime),
    Column("sent_at", UtcTime),
    Column("detail", Words(4000), nullable=False),
    Column("sha256", Words(64), nullable=False, server_default=text("''")),  # of `sealed`, and stays when that goes
    *_linked(),
    Index(None, "state", "due"),
)

instance = Table(
    "instance",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 1: there is one name
    Column("id", Key, nullable=False),
    Column("at", UtcTime, nullable=False),
)

log_links = Table(
    "log_links",
    metadata,
    Column("chain", Key, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Key, nullable=False),  # as it is hashed
    Column("kind", Key, nullable=False),
    Column("salt", LargeBinary),  # empty once what it binds is erased
    Column("commitment", Key, nullable=False),
    Column("hash", Key, nullable=False),
    sqlite_with_rowid=False,
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("chain", Key, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Key, nullable=False),
    Column("covered", BigInteger, nullable=False),  # the number that the newest checkpoint has
)

log_notes = Table(
    "log_notes",
    metadata,
    Column("run", Key, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("said", Json, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("said", Json, nullable=False),
    Column("digest", Key, nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("key", Key, primary_key=True),  # what admins are told once, whichever node comes first
    Column("at", UtcTime, nullable=False),
)

bypasses = Table(
    "bypasses",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("until", UtcTime),  # none: it was switched off
    Column("why", Words(1000), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
)

policy_states = Table(
    "policy_states",
    metadata,
    Column("policy", Words(100), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("state", Words(20), nullable=False),  # "observe": fell back; "armed": a person has armed it again
    Column("why", Words(1000), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("mail_id", Key, primary_key=True),
    Column("drawn_at", UtcTime, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("verdict", Words(20), nullable=False),  # "" until somebody has looked
    Column("why", Words(1000), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
    Column("reviewed_at", UtcTime),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Words(20), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("mail_id", Key, nullable=False, index=True),
    Column("agent", Words(SHOWN), nullable=False),
    Column("agent_name", Words(SHOWN), nullable=False),
    Column("team", Words(SHOWN), nullable=False),
    Column("requester", Words(SHOWN), nullable=False),
    Column("requester_name", Words(SHOWN), nullable=False),
    Column("owners", Json, nullable=False),
    Column("subject", Words(SHOWN), nullable=False),
    Column("thread", Json, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("words", Words(SHOWN), nullable=False),
    Column("state", Words(20), nullable=False),
    Column("next_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("closed_by", Words(SHOWN), nullable=False),
    Column("why", Words(1000), nullable=False),
    *_linked(),
    Index(None, "requester", "kind", "at"),
    Index(None, "state", "next_at"),
    Index(None, "kind", "at"),
)

rule_files = Table(
    "rule_files",
    metadata,
    Column("digest", Key, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    # Comments and layout do not count in a version, and a roll-back must bring them back: so a version may have several
    # trees, one for each content of its files.
    Column("tree", Key, primary_key=True),
    Column("version", Key, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("program", Words(40), nullable=False),
    Column("parts", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("files", Json, nullable=False),
    Index(None, "version", "at"),
)

rule_events = Table(
    "rule_events",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("run", Key, nullable=False),
    Column("host", Words(SHOWN), nullable=False),
    Column("kind", Words(20), nullable=False),
    Column("how", Words(40), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
    Column("version", Key, nullable=False),
    Column("tree", Key, nullable=False),
    Column("before", Key, nullable=False),
    Column("detail", Words(20_000), nullable=False),
    Column("seq", BigInteger),
    Index(None, "run", "seq"),
    sqlite_autoincrement=True,
)

legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("address", Words(SHOWN), nullable=False),  # nothing that names this person goes while it stands
    Column("why", Words(1000), nullable=False),
    Column("by", Words(SHOWN), nullable=False),
    Column("lifted_at", UtcTime),
    Column("lifted_by", Words(SHOWN), nullable=False),
)
