"""Checkpoints of the chains: made here, kept where an auditor wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from gateway.chain.checkpoints import Signer, digest
from gateway.store import chains
from gateway.store.schema import checkpoints


def make(connection: Connection, signer: Signer, now: datetime, next_key: str = "") -> dict[str, Any] | None:
    """Sign what the chains have come to; None where nothing was written since the last checkpoint.

    Two nodes that do it at once get the same number, and the database takes one: the other tries again.
    """
    newest = select(checkpoints.c.said).order_by(checkpoints.c.n.desc()).limit(1)
    last = connection.scalar(newest)
    heads = chains.heads(connection)
    if not heads and not next_key:
        return None
    made = signer.checkpoint(chains.instance_of(connection), heads, last, now, next_key=next_key)
    row = {"n": made["n"], "at": now, "said": made, "digest": digest(made)}
    connection.execute(insert(checkpoints), row)
    chains.cover(connection, heads)
    return made


def every(connection: Connection) -> Iterator[dict[str, Any]]:
    """All checkpoints in their order."""
    yield from connection.scalars(select(checkpoints.c.said).order_by(checkpoints.c.n))
