"""The tables in which the gateway knows itself: processes that wrote here, and keys that bodies were sealed with."""

from __future__ import annotations

from sqlalchemy import Column, Table

from gateway.store.columns import Key, UtcTime, Words
from gateway.store.schema import SHOWN, metadata

runs = Table(
    "runs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("host", Words(SHOWN), nullable=False),
    Column("process", Words(SHOWN), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("alive_at", UtcTime, nullable=False),
    Column("stopped_at", UtcTime),
)

store_keys = Table(
    "store_keys",
    metadata,
    Column("proof", Key, primary_key=True),
    Column("at", UtcTime, nullable=False),
)
