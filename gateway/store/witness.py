"""Checkpoints of the chains: made here, kept where an auditor wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from gateway.chain.checkpoints import Signer, digest
from gateway.store import chains
from gateway.store.schema import checkpoints


def make(
    connection: Connection, signer: Signer, *, next_key: str = "", every: timedelta = timedelta()
) -> dict[str, Any] | None:
    """Sign what the chains have come to; None where nothing was written since the last checkpoint, or where that is
    younger than `every`.

    Two nodes that do it at once get the same number, and the database takes one: the other tries again.
    """
    now = chains.now()
    last = newest(connection)
    if last is not None and not next_key and now - every < datetime.fromisoformat(last["at"]) <= now:
        return None
    heads = chains.heads(connection)
    if not heads and not next_key:
        return None
    made = signer.checkpoint(chains.instance_of(connection), heads, last, now, next_key=next_key)
    connection.execute(insert(checkpoints), {"n": made["n"], "at": now, "said": made, "digest": digest(made)})
    chains.cover(connection, heads)
    return made


def newest(connection: Connection) -> dict[str, Any] | None:
    """The last checkpoint that was made."""
    found: dict[str, Any] | None = connection.scalar(
        select(checkpoints.c.said).order_by(checkpoints.c.n.desc()).limit(1)
    )
    return found


def after(connection: Connection, n: int) -> Iterator[dict[str, Any]]:
    """The checkpoints after number `n`, in their order."""
    yield from connection.scalars(select(checkpoints.c.said).where(checkpoints.c.n > n).order_by(checkpoints.c.n))
