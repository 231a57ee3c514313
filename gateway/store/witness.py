"""Checkpoints of the chains: made here, kept where an auditor wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from gateway.chain.checkpoints import Signer, digest
from gateway.store import chains
from gateway.store.errors import StoreAway
from gateway.store.schema import checkpoints


class OtherKey(StoreAway):
    """The log has been handed over to another key than this one."""


def make(
    connection: Connection, signer: Signer, *, next_key: str = "", every: timedelta = timedelta(), lost: bool = False
) -> dict[str, Any] | None:
    """Sign what the chains have come to; None where nothing was written since the last checkpoint, or where that is
    younger than `every`. Raises OtherKey where the last checkpoint handed over to another key, unless that is `lost`.

    Two nodes that do it at once get the same number, and the database takes one: the other tries again.
    """
    now = chains.now()
    last = newest(connection)
    if last is not None and not lost and last.get("next_key", last["key"]) != signer.public:
        raise OtherKey(
            f"the log is signed with the key {last.get('next_key', last['key'])[:16]}…, and this one is "
            f"{signer.public[:16]}…: put that key back, or, if it is lost, referral-gateway audit rotate-key --lost"
        )
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
