"""Ids of mails: short, unique, sorted by time."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """21 characters: milliseconds since 1970 in hex, a dash, 36 random bits in hex. Safe in a reply and a file name."""
    return f"{time.time_ns() // 1_000_000:011x}-{secrets.randbits(36):09x}"
