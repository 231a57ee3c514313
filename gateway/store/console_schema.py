"""The tables of the console: who may see it, who is logged in, who looks after a held mail."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table

from gateway.store.columns import Json, Key, UtcTime, Words
from gateway.store.schema import SHOWN, metadata

console_accounts = Table(
    "console_accounts",
    metadata,
    Column("name", Key, primary_key=True),
    Column("shown", Words(SHOWN), nullable=False),
    Column("address", Words(SHOWN), nullable=False),
    Column("role", Words(20), nullable=False),
    Column("teams", Json, nullable=False),
    Column("password", Words(500), nullable=False),  # argon2id, in its own notation
    Column("totp", LargeBinary),  # sealed
    Column("totp_used", BigInteger, nullable=False),  # the newest time step that was used: each serves once
    Column("at", UtcTime, nullable=False),
    Column("seen_at", UtcTime),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", Key, primary_key=True),  # the SHA-256 of what the cookie has
    Column("account", Key, ForeignKey("console_accounts.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", Key, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)

hold_claims = Table(
    "hold_claims",
    metadata,
    Column("hold_id", Key, ForeignKey("holds.id", ondelete="CASCADE"), primary_key=True),
    Column("by", Words(SHOWN), nullable=False),
    Column("at", UtcTime, nullable=False),
)
