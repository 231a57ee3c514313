"""What stands in the tables beside the chains and could mislead whoever reads them: rows that no link binds, an outcome
or an index that the history does not bear out, a held mail that is not the one that was judged.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from gateway.amending import addresses
from gateway.chain.verifier import canonical
from gateway.store.chains import KINDS, PAGE, UNLINKED, is_bound, now, payload
from gateway.store.records import Outcome
from gateway.store.schema import (
    audit,
    audit_events,
    audit_policies,
    hold_bodies,
    holds,
    instance,
    ledger,
    legal_holds,
    log_heads,
    log_links,
    log_notes,
    outbox,
    rule_events,
    rule_files,
    rule_versions,
    seen,
    tokens,
)
from gateway.store.standing import FAR, standing
from gateway.store.versions import tree_of

OUTCOMES = frozenset(get_args(Outcome))
NAMES = {
    audit: "the entry", audit_events: "the event", rule_events: "the change of rules", log_notes: "the note",
    seen: "the message of thread memory", ledger: "the hand-off or promise", outbox: "our own mail",
    tokens: "the token",
}  # fmt: skip
STATE_OF = {
    "held": "held", "approved": "approved", "discarded": "discarded", "in-doubt": "in-doubt",
    **dict.fromkeys(("released", "fixed", "amended", "overridden", "noted", "consult", "wrong"), "released"),
}  # fmt: skip
"""What happened to a held mail -> the state that it is in then."""
GOES_OUT = ("approved", "releasing", "released")


def strays(connection: Connection, digest: Callable[[bytes, str], str | None]) -> Iterator[str]:
    """One line for each. `digest` gives the SHA-256 of a sealed body; None where no key at hand opens it."""
    if connection.scalar(select(instance.c.id).limit(1)) is None and connection.scalar(
        select(log_links.c.chain).limit(1)
    ):
        yield "the name of this gateway is gone, and its links are there"
    yield from _unlinked(connection)
    yield from _heads(connection)
    yield from _derived(connection)
    yield from _holds(connection, digest)
    yield from _rules(connection)
    yield from _legal(connection)
    yield from standing(connection)


def _unlinked(connection: Connection) -> Iterator[str]:
    """Rows that no link binds, and rows that share one."""
    tables = {table: [kind for kind, (its, _) in KINDS.items() if its is table] for table, _ in KINDS.values()}
    for table, kinds in tables.items():
        key = list(table.primary_key)
        bound = and_(log_links.c.chain == table.c.run, log_links.c.seq == table.c.seq, log_links.c.kind.in_(kinds))
        alone = select(*key).outerjoin(log_links, bound).where(log_links.c.seq.is_(None)).order_by(*key)
        if table is outbox:
            alone = alone.where(outbox.c.kind != UNLINKED)
        for row in connection.execute(alone):
            yield f"{NAMES[table]} {' '.join(map(str, row))} is in no chain: it was put in from outside"
        if table is not log_notes:
            twice = select(table.c.run, table.c.seq).group_by(table.c.run, table.c.seq).having(func.count() > 1)
            twice = twice.where(table.c.seq.is_not(None))
            for row in connection.execute(twice):
                yield f"{NAMES[table]} at {row.run}:{row.seq} is there twice: one was put in from outside"
    # The first form of events did not bind where they came from, since it was not kept.
    old = and_(log_links.c.chain == audit_events.c.run, log_links.c.seq == audit_events.c.seq)
    query = select(audit_events.c.id).join(log_links, and_(old, log_links.c.kind == "event/1"))
    for id in connection.scalars(query.where(audit_events.c.origin != "")):
        yield f"the event {id} says where it came from, which was not kept then: it was changed"


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
        words = [event.outcome for event in _events(connection, row.id, tuple(STATE_OF))]
        if words and STATE_OF[words[-1]] != {"releasing": "approved"}.get(row.state, row.state):
            yield f"the held mail {row.id} is {row.state}, and its history says {words[-1]}"
        look = row.next_at or row.deadline
        if row.state == "held" and look - now() > FAR:
            yield f"the held mail {row.id} waits, and nobody is reminded of it before {look:%Y-%m-%d}"
        look = max((each for each in (row.next_try, row.lease_until) if each is not None), default=None)
        if row.state in ("approved", "releasing") and look is not None and look - now() > FAR:
            yield f"the held mail {row.id} is {row.state}, and does not go out before {look:%Y-%m-%d}"
        if row.state in GOES_OUT:
            yield from (f"the held mail {row.id} {what}" for what in unapproved(connection, row))
        sealed = connection.scalar(select(hold_bodies.c.sealed).where(hold_bodies.c.hold_id == row.id))
        if sealed is None and not _events(connection, row.id, ("erased",)):
            yield f"the held mail {row.id} has lost its octets, and no entry says so"
        found = digest(sealed, row.id) if sealed is not None else None
        if found is not None and found != row.sha256:
            yield f"the held mail {row.id} is not the one that was judged: its octets were changed"
    lost = select(audit.c.id).where(audit.c.outcome == "held", audit.c.id.not_in(select(holds.c.id)))
    for id in connection.scalars(lost):
        yield f"the mail {id} was held, and is not there any more"


def _legal(connection: Connection) -> Iterator[str]:
    """Legal holds stand as long as the log says."""
    these = audit_events.c.outcome.in_(("legal-hold", "legal-hold-lifted")) & (audit_events.c.mail_id == "log")
    said: dict[str, bool] = {}
    for event in connection.execute(select(audit_events).where(these).order_by(audit_events.c.id)):
        if is_bound(connection, event):
            said[event.detail.partition(": ")[0]] = event.outcome == "legal-hold"
    standing = set(connection.scalars(select(legal_holds.c.address).where(legal_holds.c.lifted_at.is_(None))))
    for address, stands in said.items():
        if stands and address not in standing:
            yield "a legal hold was taken away that the log says stands"


def _rules(connection: Connection) -> Iterator[str]:
    """The text of policies that were in force: `rule_events` bind the name of each set, and that binds its files."""
    files = {}
    for row in connection.execute(select(rule_files)):
        files[row.digest] = bytes(row.content)
        if hashlib.sha256(row.content).hexdigest() != row.digest:
            yield f"a file of the policies that were in force was changed: {row.digest[:16]}"
    for row in connection.execute(select(rule_versions)):
        contents = {path: files.get(digest, b"") for path, digest in row.files.items()}
        if row.files and tree_of(contents, row.version) != row.tree:
            yield f"the policies of version {row.version} are not those that were in force"


BOUND = ("agent", "sha256", "mail_from", "rcpt_to", "fix", "may_settle", "told", "body_type")
"""What of a hold never changes: the envelope, what a fix adds, who may settle it, the line that goes in front."""


def digest_of(hold: Mapping[str, Any]) -> str:
    """One digest of all that, which the history of the mail keeps as the event "bound"."""
    values = payload(holds, BOUND, hold)
    values["mail_from"] = bytes(hold["mail_from"]).decode("latin-1")
    return hashlib.sha256(canonical(values)).hexdigest()


def unsound(connection: Connection, hold: Any) -> list[str]:
    """What a hold (its row) says otherwise than the log that it was held with. Nothing where its entry is not there
    (erased), which is seen elsewhere."""
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
    bound = [event for event in _events(connection, hold.id, ("bound",)) if event.detail == digest_of(hold._mapping)]
    if not bound and _is_new(connection, hold.id):
        found.append("is not as it was held: its envelope, its fix or who may settle it was changed")
    return found


def unapproved(connection: Connection, hold: Any) -> list[str]:
    """What goes out, or went, otherwise than the log says that somebody approved it."""
    said = _events(connection, hold.id, ("approved",))
    if not said:
        return ["goes out, and nobody approved it"]
    last = said[-1]
    if (last.detail.partition(": ")[0], last.by) != (hold.action, hold.approved_by):
        return ["goes out in another way than was approved, or by somebody else's word"]
    if hold.action == "amend":
        plans = [event.detail for event in _events(connection, hold.id, ("plan",))]
        if not plans or plans[-1] != hold.plan.get("sha256"):
            return ["goes out with other words than were approved"]
    return []


def _events(connection: Connection, mail_id: str, words: Sequence[str]) -> list[Any]:
    """Events of a mail that their links bear out, in their order."""
    these = select(audit_events).where(audit_events.c.mail_id == mail_id, audit_events.c.outcome.in_(words))
    rows = connection.execute(these.order_by(audit_events.c.id)).all()
    return [row for row in rows if is_bound(connection, row)]


def _is_new(connection: Connection, hold_id: str) -> bool:
    """Whether the hold is of a version that binds holds: its first event is of the second form."""
    link = log_links.c.chain == audit_events.c.run, log_links.c.seq == audit_events.c.seq
    query = select(log_links.c.kind).join(audit_events, and_(*link)).where(audit_events.c.mail_id == hold_id)
    return connection.scalar(query.order_by(audit_events.c.id).limit(1)) == "event/2"


def _plain(address: str) -> bytes:
    """As octets, without a source route (RFC 5321 §4.1.2: A-d-l)."""
    return _ROUTE.sub("", address).encode("utf-8", "surrogateescape")


_ROUTE = re.compile(r"\A@[^:]*:")
