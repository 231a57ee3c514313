"""Held mail: HOLD_LIFE as conditional updates, so that whoever acts at the same time, one wins and the others hear it.

A claim is fenced by its owner and by the count of tries: when its lease ran out and the hold was claimed again, even by
the same owner, the old claim can neither mark the dot nor finish.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from gateway.persons import Person
from gateway.store import chains, strays
from gateway.store.audit import find_id
from gateway.store.folding import lowered, small
from gateway.store.records import HOLD_LIFE, Action, Claim, Hold, HoldState, NewHold, Token
from gateway.store.schema import hold_bodies, holds, legal_holds, tokens

FINAL = frozenset(state for state, following in HOLD_LIFE.items() if not following)

REMIND_AGAIN = timedelta(hours=4)
"""After which a mail that came back is spoken of again."""

STANDING = select(legal_holds.c.address).where(legal_holds.c.lifted_at.is_(None))
"""Whose mail must stay."""

ERASED_AT_ONCE = 100
"""Bodies of discarded mail that are erased in one transaction."""

NO_LEASE = {"lease_owner": "", "lease_run": "", "lease_until": None, "dotted_at": None}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A hold whose body is still encrypted."""

    hold: Hold
    body: bytes | None
    """None once it is erased."""


def row_name(hold_id: str) -> str:
    """What a held body is bound to."""
    return f"hold:{hold_id}"


def insert_hold(connection: Connection, new: NewHold, subject: str, sealed: bytes, run: str) -> str:
    """Store a hold, its encrypted body and its token; the digest of what never changes of it."""
    row: dict[str, Any] = {
        "id": new.id,
        "at": new.at,
        "agent": new.agent,
        "subject": subject,
        "sha256": new.sha256,
        "mail_from": new.mail_from,
        "rcpt_to": [argument.decode("latin-1") for argument in new.rcpt_to],
        "fix": new.fix,
        "told": new.told,
        "plan": {},
        "stage": 0,
        "next_at": new.remind_at,
        "may_settle": new.may_settle,
        "deadline": new.deadline,
        "lang": new.lang,
        "body_type": new.body_type,
        "state": "held",
        "action": None,
        "approved_by": "",
        "why": "",
        "next_try": None,
        "tries": 0,
        "settled_at": None,
        "detail": "",
        **NO_LEASE,
    }
    connection.execute(insert(holds), row)
    connection.execute(insert(hold_bodies), {"hold_id": new.id, "sealed": sealed})
    add_token(connection, new.id, new.token_hash, new.at, run)
    return strays.digest_of(row)


def find(connection: Connection, wanted: str) -> Sealed | None:
    """The hold with this id or only id that starts so. Raises Ambiguous."""
    hold_id = find_id(connection, holds.c.id, wanted)
    return None if hold_id is None else _load(connection, hold_id)


def list_holds(connection: Connection, *, state: HoldState | None, agent: str, limit: int) -> list[Hold]:
    """Holds without their bodies, oldest first; of one state, of one agent (address in any case)."""
    query = select(holds).order_by(holds.c.at, holds.c.id).limit(limit)
    if state is not None:
        query = query.where(holds.c.state == state)
    if agent:
        query = query.where(lowered(holds.c.agent) == small(agent))
    return [_hold(row, _token_hash(connection, row.id)) for row in connection.execute(query).all()]


# --- tokens ----------------------------------------------------------------------------------------------------------


def add_token(connection: Connection, hold_id: str, token_hash: str, at: datetime, run: str) -> None:
    """Give a hold one more single-use token."""
    row: dict[str, Any] = {
        "hash": token_hash,
        "hold_id": hold_id,
        "at": at,
        "used_at": None,
        "used_by": "",
        "answer": "",
        "dead_at": None,
        "run": run,
    }
    chains.append(connection, run, "token/1", [row])
    connection.execute(insert(tokens), row)


def find_token(connection: Connection, token_hash: str) -> Token | None:
    """What is known about a token, used or not."""
    row = connection.execute(select(tokens).where(tokens.c.hash == token_hash)).first()
    if row is None:
        return None
    alive = row.used_at is None and row.dead_at is None
    return Token(row.hold_id, alive=alive, used_at=row.used_at, used_by=row.used_by, answer=row.answer)


def use_token(connection: Connection, token_hash: str, by: str, answer: str, at: datetime) -> bool:
    """Use a token up. False when it is unknown, used or dead."""
    used = {"used_at": at, "used_by": by, "answer": answer}
    return connection.execute(update(tokens).where(_alive(tokens.c.hash == token_hash)).values(used)).rowcount == 1


def kill_tokens(connection: Connection, hold_id: str, at: datetime) -> None:
    """No token of this hold works any more."""
    connection.execute(update(tokens).where(_alive(tokens.c.hold_id == hold_id)).values(dead_at=at))


def _alive(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(which, tokens.c.used_at.is_(None), tokens.c.dead_at.is_(None))


def _token_hash(connection: Connection, hold_id: str) -> str:
    """The newest token of a hold."""
    query = select(tokens.c.hash).where(tokens.c.hold_id == hold_id).order_by(tokens.c.at.desc()).limit(1)
    return connection.scalar(query) or ""


# --- the life of a hold ----------------------------------------------------------------------------------------------


def approve(
    connection: Connection, hold_id: str, action: Action, by: str, why: str, token_hash: str | None, now: datetime,
    *, plan: Mapping[str, Any] | None = None, before: tuple[HoldState, ...] = ("held",),
) -> bool:  # fmt: skip
    """held -> approved (or discarded -> approved, where `before` says so). False when somebody was first, or the token
    does not belong here or is used up."""
    values: dict[str, Any] = {"state": "approved", "action": action, "approved_by": by, "why": why, "next_try": now}
    values |= {"detail": "", "plan": plan or {}, "settled_at": None}
    return _settle(connection, hold_id, before, values, by, action, token_hash, now)


def erase_discarded(connection: Connection, before: datetime) -> list[str]:
    """Erase the octets of mail that was discarded before this time and names nobody under a legal hold; gives the ids.
    Its history stays."""
    old = (holds.c.state == "discarded") & (holds.c.settled_at < before)
    query = select(holds).join(hold_bodies, hold_bodies.c.hold_id == holds.c.id).where(old)
    kept = [Person((address,)) for address in connection.scalars(STANDING)]
    free = (row for row in connection.execute(query) if not any(one.in_value(list(row)) for one in kept))
    ids = [row.id for row in itertools.islice(free, ERASED_AT_ONCE)]
    if ids:
        connection.execute(delete(hold_bodies).where(hold_bodies.c.hold_id.in_(ids)))
        kill = _alive(tokens.c.hold_id.in_(ids))
        connection.execute(update(tokens).where(kill).values(dead_at=before))
    return list(ids)


def discard(connection: Connection, hold_id: str, by: str, why: str, token_hash: str | None, now: datetime) -> bool:
    """held or in-doubt -> discarded. False as for `approve`."""
    values = {"state": "discarded", "approved_by": by, "why": why, "settled_at": now}
    return _settle(connection, hold_id, ("held", "in-doubt"), values, by, "discard", token_hash, now)


def resolve_doubt(connection: Connection, hold_id: str, state: HoldState, by: str, why: str, now: datetime) -> bool:
    """in-doubt -> released or held, as a person found out. False when it is not in doubt (any more)."""
    values: dict[str, Any] = {"state": state, "detail": f"{by}: {why}", **NO_LEASE}
    if state in FINAL:
        values["settled_at"] = now
    done = connection.execute(_step(hold_id, "in-doubt").values(values)).rowcount == 1
    if done and state in FINAL:
        kill_tokens(connection, hold_id, now)  # those of its reminders
    return done


def _settle(
    connection: Connection,
    hold_id: str,
    before: tuple[HoldState, ...],
    values: dict[str, Any],
    by: str,
    answer: str,
    token_hash: str | None,
    now: datetime,
) -> bool:
    if token_hash is not None:
        token = find_token(connection, token_hash)
        if token is None or token.hold_id != hold_id or not token.alive:
            return False
    if connection.execute(_step(hold_id, *before).values(values)).rowcount != 1:
        return False
    if token_hash is not None:
        use_token(connection, token_hash, by, answer, now)
    kill_tokens(connection, hold_id, now)
    return True


def claim(
    connection: Connection, hold_id: str | None, owner: str, run: str, lease: timedelta, now: datetime
) -> tuple[Sealed, datetime] | None:
    """approved -> releasing for one owner: the hold named, or (None) the one that is due longest."""
    due = or_(holds.c.next_try.is_(None), holds.c.next_try <= now)
    approved = holds.c.state == "approved"
    run_out = and_(holds.c.state == "releasing", holds.c.lease_until <= now, holds.c.dotted_at.is_(None))
    if hold_id is None:
        free = or_(and_(approved, due), run_out)
        query = select(holds.c.id).where(free).order_by(holds.c.next_try, holds.c.id)
    else:
        free = or_(approved, run_out)
        query = select(holds.c.id).where(holds.c.id == hold_id, free)
    # On PostgreSQL other nodes' claims are stepped over; on SQLite the writer has the database for itself.
    chosen = connection.scalar(query.limit(1).with_for_update(skip_locked=True))
    if chosen is None:
        return None
    values = {
        "state": "releasing",
        "tries": holds.c.tries + 1,
        "lease_owner": owner,
        "lease_run": run,
        "lease_until": now + lease,
        "dotted_at": None,
    }
    if connection.execute(update(holds).where(holds.c.id == chosen, free).values(values)).rowcount != 1:
        return None
    sealed = _load(connection, chosen)
    if sealed is None:
        return None
    row = connection.execute(select(holds).where(holds.c.id == chosen)).one()
    wrong = (*strays.unsound(connection, row), *strays.unapproved(connection, row))
    return Sealed(replace(sealed.hold, unsound=wrong), sealed.body), now + lease


def mark_dot(connection: Connection, claimed: Claim, now: datetime) -> bool:
    """Record that the final dot is about to go out. False when the claim is lost: then it must not go out."""
    mine = _mine(claimed, "releasing").values(dotted_at=now)
    return connection.execute(mine).rowcount == 1


def renew(connection: Connection, claimed: Claim, until: datetime) -> bool:
    """Lengthen the lease. False when the claim is lost."""
    return connection.execute(_mine(claimed, "releasing").values(lease_until=until)).rowcount == 1


def finish(
    connection: Connection, claimed: Claim, state: HoldState, detail: str, next_try: datetime | None, now: datetime
) -> bool:
    """End a claim in one of HOLD_LIFE["releasing"]. False when the claim is lost.

    A claim that recovery called in doubt may still say for certain that it was released.
    """
    before: tuple[HoldState, ...] = ("releasing", "in-doubt") if state == "released" else ("releasing",)
    values: dict[str, Any] = {"state": state, "detail": detail, "next_try": next_try}
    match state:
        case "released":
            values["settled_at"] = now
        case "held":
            values |= {"action": None, "approved_by": "", "why": "", "plan": {}, **NO_LEASE}
            values |= {"stage": 0, "next_at": now + REMIND_AGAIN}  # the agent has just been told
        case "approved":
            values |= NO_LEASE
    return connection.execute(_mine(claimed, *before).values(values)).rowcount == 1


def recover(connection: Connection, now: datetime, dead_runs: list[str]) -> tuple[list[str], list[str]]:
    """What crashed owners left: (ids now in doubt, ids approved again). `dead_runs` need not wait for their leases."""
    left = and_(holds.c.state == "releasing", or_(holds.c.lease_until <= now, holds.c.lease_run.in_(dead_runs)))
    rows = connection.execute(select(holds.c.id, holds.c.dotted_at).where(left).with_for_update(skip_locked=True)).all()
    doubt = [row.id for row in rows if row.dotted_at is not None]
    again = [row.id for row in rows if row.dotted_at is None]
    if doubt:
        # The owner stays written down: if it lives after all, `finish` may still say what it knows.
        connection.execute(update(holds).where(holds.c.id.in_(doubt)).values(state="in-doubt", detail=IN_DOUBT))
    if again:
        connection.execute(update(holds).where(holds.c.id.in_(again)).values(state="approved", **NO_LEASE))
    return doubt, again


IN_DOUBT = "the gateway stopped between the final dot and the reply"


def _step(hold_id: str, *before: HoldState) -> Update:
    return update(holds).where(holds.c.id == hold_id, holds.c.state.in_(before))


def _mine(claimed: Claim, *states: HoldState) -> Update:
    fence = (holds.c.lease_owner == claimed.owner, holds.c.tries == claimed.hold.tries)
    return _step(claimed.hold.new.id, *states).where(*fence)


# --- rows as values --------------------------------------------------------------------------------------------------


def _load(connection: Connection, hold_id: str) -> Sealed | None:
    query = select(holds, hold_bodies.c.sealed).outerjoin(hold_bodies, hold_bodies.c.hold_id == holds.c.id)
    row = connection.execute(query.where(holds.c.id == hold_id)).first()
    return None if row is None else Sealed(_hold(row, _token_hash(connection, hold_id)), row.sealed)


def _hold(row: Row[Any], token_hash: str) -> Hold:
    new = NewHold(
        id=row.id,
        at=row.at,
        agent=row.agent,
        raw=b"",
        sha256=row.sha256,
        mail_from=row.mail_from,
        rcpt_to=tuple(argument.encode("latin-1") for argument in row.rcpt_to),
        fix=row.fix,
        told=row.told,
        token_hash=token_hash,
        may_settle=tuple(row.may_settle),
        deadline=row.deadline,
        remind_at=row.next_at,
        lang=row.lang,
        body_type=row.body_type,
    )
    return Hold(
        new=new,
        state=row.state,
        subject=row.subject,
        raw=None,
        action=row.action,
        approved_by=row.approved_by,
        why=row.why,
        plan=row.plan,
        next_try=row.next_try,
        tries=row.tries,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        detail=row.detail,
    )
