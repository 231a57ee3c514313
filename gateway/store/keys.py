"""The store knows which keys its bodies are sealed with, so that a lost key is noticed at start, not at release."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from gateway.store.crypto import Sealer
from gateway.store.errors import StoreAway
from gateway.store.process_schema import store_keys


class WrongKey(StoreAway):
    """The bodies in the database were sealed with another key."""


def check_known(connection: Connection, sealer: Sealer) -> None:
    """Raise WrongKey where bodies were sealed with other keys only. Changes nothing."""
    known = set(connection.scalars(select(store_keys.c.proof)))
    if known and known.isdisjoint(sealer.proofs):
        raise WrongKey(
            "this database was written with another key. Put the key file back that it was written with; mail that is "
            "held cannot be read without it"
        )


def check_key(connection: Connection, sealer: Sealer, now: datetime) -> None:
    """Remember the key of a new database, or of a database whose earlier key is at hand. Raises WrongKey."""
    check_known(connection, sealer)
    current, *_older = sealer.proofs
    if current not in set(connection.scalars(select(store_keys.c.proof))):
        connection.execute(insert(store_keys), {"proof": current, "at": now})
