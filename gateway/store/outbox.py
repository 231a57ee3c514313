"""The outbox: the gateway's own mail on its way, durable until the upstream has taken it.

waiting ─▶ (leased) ─▶ sent        the body is erased
   ▲           ├─────▶ failed      given up by the caller; kept to be seen
   └───────────┘ refused for now: due again later
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from gateway.store import chains
from gateway.store.records import DIGEST_LINE, OutMail
from gateway.store.schema import outbox

_INSERT = insert(outbox)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A mail of our own with its body already encrypted."""

    mail: OutMail
    body: bytes


def row_name(mail_id: str) -> str:
    """What an outbox body is bound to."""
    return f"outbox:{mail_id}"


def enqueue(connection: Connection, mails: Iterable[Sealed], at: datetime, run: str) -> None:
    """Add mails, in the transaction of whatever they are about."""
    rows: list[dict[str, Any]] = [
        {
            "id": each.mail.id,
            "at": at,
            "kind": each.mail.kind,
            "about": each.mail.about,
            "mail_from": each.mail.mail_from,
            "rcpt_to": each.mail.rcpt_to,
            "sealed": each.body,
            "state": "waiting",
            "due": each.mail.due,
            "attempts": each.mail.attempts,
            "lease_owner": "",
            "lease_until": None,
            "sent_at": None,
            "detail": "",
            "sha256": hashlib.sha256(each.body).hexdigest(),
            "run": run,
            "seq": None,
        }
        for each in mails
    ]
    if rows:
        chains.append(connection, run, "outbox/1", [row for row in rows if row["kind"] != chains.UNLINKED])
        connection.execute(_INSERT, rows)


def claim_due(connection: Connection, now: datetime, limit: int, owner: str, lease: timedelta) -> list[Sealed]:
    """Up to `limit` mails that are due and that nobody is sending, oldest first, leased to `owner`."""
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    ids = connection.scalars(
        select(outbox.c.id)
        .where(outbox.c.state == "waiting", outbox.c.due <= now, outbox.c.kind != DIGEST_LINE, free)
        .order_by(outbox.c.due, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not ids:
        return []
    chosen = outbox.c.id.in_(ids)
    connection.execute(update(outbox).where(chosen).values(lease_owner=owner, lease_until=now + lease))
    rows = connection.execute(select(outbox).where(chosen).order_by(outbox.c.due, outbox.c.id))
    return [Sealed(_mail(row), row.sealed) for row in rows]


def waiting_for(connection: Connection, kind: str, now: datetime) -> list[Sealed]:
    """Everything of a kind for those for whom something of it is due, oldest first."""
    those = (outbox.c.state == "waiting") & (outbox.c.kind == kind)
    due = set(map(tuple, connection.scalars(select(outbox.c.rcpt_to).where(those, outbox.c.due <= now))))
    rows = connection.execute(select(outbox).where(those).order_by(outbox.c.at, outbox.c.id).with_for_update())
    return [Sealed(_mail(row), row.sealed) for row in rows if tuple(row.rcpt_to) in due]


def mark_sent(connection: Connection, mail_id: str, at: datetime) -> Row[Any] | None:
    """The upstream has taken it. Its kind and what it is about; None when it was not waiting."""
    return _change(
        connection,
        mail_id,
        {"state": "sent", "sent_at": at, "sealed": None, "lease_owner": "", "lease_until": None},
    )


def mark_failed(connection: Connection, mail_id: str, next_due: datetime | None, detail: str) -> Row[Any] | None:
    """An attempt failed: due again at `next_due`, or given up (None) with its body kept. Gives the same."""
    values: dict[str, Any] = {
        "attempts": outbox.c.attempts + 1,
        "detail": detail,
        "lease_owner": "",
        "lease_until": None,
    }
    if next_due is None:
        values["state"] = "failed"
    else:
        values["due"] = next_due
    return _change(connection, mail_id, values)


def _change(connection: Connection, mail_id: str, values: dict[str, Any]) -> Row[Any] | None:
    waiting = (outbox.c.id == mail_id) & (outbox.c.state == "waiting")
    changed = update(outbox).where(waiting).values(values).returning(outbox.c.kind, outbox.c.about)
    return connection.execute(changed).first()


def count(connection: Connection) -> dict[str, int]:
    """How many mails are in which state."""
    rows = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {state: number for state, number in rows}


def _mail(row: Row[Any]) -> OutMail:
    """Without its body, which is still sealed."""
    return OutMail(
        id=row.id,
        mail_from=row.mail_from,
        rcpt_to=tuple(row.rcpt_to),
        raw=b"",
        kind=row.kind,
        about=row.about,
        due=row.due,
        attempts=row.attempts,
    )
