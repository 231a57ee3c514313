"""The secret in the address that a notice is answered to: one reply with it settles one held mail, once."""

from __future__ import annotations

import hashlib
import secrets


def fresh_token() -> str:
    """128 random bits in lower-case hex: local parts may lose their case on the way."""
    return secrets.token_hex(16)


def token_hash(token: str) -> str:
    """The form in which tokens are stored: whoever reads the store cannot answer for an agent."""
    return hashlib.sha256(token.lower().encode("ascii", "replace")).hexdigest()
